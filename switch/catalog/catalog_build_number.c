/**
 * @file catalog_build_number.c  The numbering plan, rule sets, lists, grants
 * and short codes into a catalog.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "catalog_build.h"
#include "catalog_row_number.h"
#include "text.h"


const char *numbering_add(struct build *b, const struct row *row)
{
	const struct numbering *list = row_numbers(row->body);
	struct catalog *c = b->c;

	for (uint32_t i = 0; i < row->body->number_n; i++) {
		c->numbering[i] = list[i];
		prefix_index_add(&c->numbers, list[i].key, i);
	}
	prefix_index_build(&c->numbers);

	return NULL;
}


uint32_t build_numbering_sum(const struct build *b)
{
	/* there is one row of the kind, whatever its id */
	return b->n[ROW_NUMBERING] ? b->rows[ROW_NUMBERING][0]->body->number_n
				   : 0;
}


const char *rule_set_add(struct build *b, const struct row *row)
{
	b->c->rule_sets[b->c->rule_set_n++] = row->body->rule_set;

	return NULL;
}


/* The list is left out when there is no memory for it: so are its users */
const char *number_list_add(struct build *b, const struct row *row)
{
	struct number_list *l = &b->c->number_lists[b->c->number_list_n];
	const struct list_entry *from = row_numbers(row->body);
	const uint32_t n = row->body->number_n;

	*l = row->body->number_list;
	if (tag_intern(&l->tags, &b->c->tags, &row->body->tags))
		return "tags: more different ones than fit";

	l->entries = calloc((size_t)n + 1, sizeof(*l->entries));
	if (!l->entries || prefix_index_alloc(&l->index, n)) {
		free(l->entries);
		b->err = ENOMEM;
		return "no memory";
	}

	for (uint32_t i = 0; i < n; i++) {
		l->entries[i] = from[i];
		prefix_index_add(&l->index, from[i].key, i);
	}
	prefix_index_build(&l->index);
	b->c->number_list_n++;

	return NULL;
}


void number_lists_free(struct catalog *c)
{
	for (uint32_t i = 0; i < c->number_list_n; i++) {
		free(c->number_lists[i].entries);
		free(c->number_lists[i].index.entries);
	}
	free(c->number_lists);
}


const char *build_lists(const struct catalog *c, struct number_lists *lists,
			const struct row_body *body)
{
	const struct number_refs *refs = row_numbers(body);

	for (uint8_t i = 0; i < refs->list_n; i++) {
		lists->lists[i] = catalog_number_list(c, refs->lists[i]);
		if (!lists->lists[i])
			return "number_lists";
	}
	lists->n = refs->list_n;

	return NULL;
}


const char *build_policy(const struct catalog *c, struct number_policy *p,
			 const struct row_body *body)
{
	const struct number_refs *refs = row_numbers(body);

	for (int d = 0; d < RULE_DIRECTION_N; d++) {
		for (int s = 0; s < RULE_SUBJECT_N; s++) {
			const char *id = refs->rules[d][s];

			p->rules[d][s] = catalog_number_rules(c, id);
			if (id[0] && !p->rules[d][s])
				return "number_rules";
		}
	}

	return build_lists(c, &p->lists, body);
}


/* Of a trunk, or of all trunks of the tenant */
static const char *owner_of(const struct row_refs *refs)
{
	return refs->trunk[0] ? refs->trunk : refs->tenant;
}


const char *grant_add(struct build *b, const struct row *row)
{
	struct cli_grant *g = &b->c->grants[b->c->grant_n++];

	*g = row->body->grant;
	TEXT_FILL(g->owner, owner_of(&row->body->refs));

	return NULL;
}


const char *short_code_add(struct build *b, const struct row *row)
{
	struct short_code *s = &b->c->short_codes[b->c->short_code_n++];

	*s = row->body->short_code;
	TEXT_FILL(s->owner, owner_of(&row->body->refs));

	return NULL;
}


void build_number_order(struct catalog *c)
{
	qsort(c->grants, c->grant_n, sizeof(*c->grants), grant_compare);
	qsort(c->short_codes, c->short_code_n, sizeof(*c->short_codes),
	      short_code_compare);
}
