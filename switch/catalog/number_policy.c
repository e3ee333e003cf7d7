/** @file number_policy.c  See number_policy.h. */
#include <stdlib.h>
#include <string.h>
#include "catalog_data.h"
#include "text.h"


const struct list_entry *number_list_find(const struct number_list *list,
					  const char *number, int64_t wall_ms)
{
	uint32_t i = prefix_find(&list->index, number);

	for (; i != PREFIX_NONE; i = list->index.entries[i].up) {
		const struct prefix_entry *p = &list->index.entries[i];
		const struct list_entry *e = &list->entries[p->value];

		if (wall_ms < e->expires_ms &&
		    (e->is_prefix || prefix_is_whole(p, number)))
			return e;
	}

	return NULL;
}


const char *list_kind_name(uint8_t kind)
{
	static const char *const names[] = {"allow", "deny", "rewrite",
					    "tag"};

	return names[kind];
}


const char *rule_subject_name(uint8_t subject)
{
	static const char *const names[] = {"calling", "called", "diversion",
					    "identity", "name"};

	return names[subject];
}


static int id_compare(const void *key, const void *entry)
{
	return strcmp(key, entry);
}


const struct number_rules *catalog_number_rules(const struct catalog *c,
						const char *id)
{
	return c->rule_set_n ? bsearch(id, c->rule_sets, c->rule_set_n,
				       sizeof(*c->rule_sets), id_compare)
			     : NULL;
}


const struct number_list *catalog_number_list(const struct catalog *c,
					      const char *id)
{
	return c->number_list_n ? bsearch(id, c->number_lists,
					  c->number_list_n,
					  sizeof(*c->number_lists),
					  id_compare)
				: NULL;
}


/* Keys of one owner are in the order of their numbers: of those of one length
   the text is in that order too. */
int grant_compare(const void *a, const void *b)
{
	const struct cli_grant *x = a, *y = b;
	const size_t n = strlen(x->e164), m = strlen(y->e164);
	int order = strcmp(x->owner, y->owner);

	if (!order)
		order = (n > m) - (n < m);

	return order ? order : strcmp(x->e164, y->e164);
}


static bool grant_holds(const struct cli_grant *g, const char *owner,
			const char *e164)
{
	return !strcmp(g->owner, owner) && strlen(g->e164) == strlen(e164) &&
	       strcmp(e164, g->e164_last[0] ? g->e164_last : g->e164) <= 0;
}


/** The last grant of the owner that does not begin behind the number; no two
 *  have a number in common. */
static const struct cli_grant *grant_find(const struct catalog *c,
					  const char *owner, const char *e164)
{
	uint32_t from = 0, to = c->grant_n;
	struct cli_grant key;

	memset(&key, 0, sizeof(key));
	(void)text_copy(key.owner, sizeof(key.owner), owner);
	(void)text_copy(key.e164, sizeof(key.e164), e164);

	while (from < to) {
		const uint32_t mid = from + (to - from) / 2;

		if (grant_compare(&c->grants[mid], &key) <= 0)
			from = mid + 1;
		else
			to = mid;
	}

	return from && grant_holds(&c->grants[from - 1], owner, e164)
		       ? &c->grants[from - 1]
		       : NULL;
}


static bool grant_is_valid(const struct cli_grant *g, int64_t wall_ms)
{
	return g && wall_ms >= g->from_ms && wall_ms < g->to_ms;
}


const struct cli_grant *catalog_grant(const struct catalog *c,
				      const struct trunk *trunk,
				      const char *e164, int64_t wall_ms)
{
	const struct cli_grant *g = grant_find(c, trunk->id, e164);

	if (!grant_is_valid(g, wall_ms))
		g = grant_find(c, trunk->tenant->id, e164);

	return grant_is_valid(g, wall_ms) ? g : NULL;
}


int short_code_compare(const void *a, const void *b)
{
	const struct short_code *x = a, *y = b;
	const int order = strcmp(x->owner, y->owner);

	return order ? order : strcmp(x->code, y->code);
}


static const struct short_code *code_find(const struct catalog *c,
					  const char *owner, const char *code)
{
	struct short_code key;

	if (!c->short_code_n || strlen(code) >= sizeof(key.code))
		return NULL;

	memset(&key, 0, sizeof(key));
	(void)text_copy(key.owner, sizeof(key.owner), owner);
	(void)text_copy(key.code, sizeof(key.code), code);

	return bsearch(&key, c->short_codes, c->short_code_n, sizeof(key),
		       short_code_compare);
}


const struct short_code *catalog_short_code(const struct catalog *c,
					    const struct trunk *trunk,
					    const char *dialled)
{
	const struct short_code *s = code_find(c, trunk->id, dialled);

	return s ? s : code_find(c, trunk->tenant->id, dialled);
}
