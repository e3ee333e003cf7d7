/**
 * @file reference.c  What a row refers to: a key of a tenant may name only
 * rows that it sees, and leaves alone what is the platform's to set.
 */
#include <string.h>
#include "pg.h"
#include "resource.h"
#include "text.h"


bool record_is_moved(const struct record *old, const struct record *rec,
		     size_t i)
{
	const char *before = old ? old->v[i].text : NULL;
	const char *now = rec->v[i].text;

	if (!old || rec->set->fields[i].type == FIELD_SECRET)
		return rec->v[i].state != VALUE_ABSENT;
	if (!before || !now)
		return before != now;
	return strcmp(before, now) != 0;
}


const struct resource *resource_of_prefix(const char *prefix)
{
	for (size_t i = 0; i < resource_n; i++) {
		const char *known = resources[i]->id_prefix;

		if (known && !strcmp(known, prefix))
			return resources[i];
	}
	return NULL;
}


static int is_seen(struct request *req, const struct resource *res,
		   const struct field *f, const char *id, bool *ret)
{
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "SELECT FROM %s t WHERE t.%s = ", res->table, res->key);
	query_param(&q, id);
	if (!strcmp(f->name, "parent_id")) {
		/* the reseller itself, and those below it */
		query_text(&q, " AND EXISTS (SELECT FROM core.tenant_tree s "
			       "WHERE s.tenant_id = t.id AND "
			       "s.ancestor_id = ");
		query_param(&q, request_tenant(req));
		query_text(&q, ")");
	} else {
		query_owner(&q, req, res->owner);
	}
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	*ret = !err && PQntuples(result) == 1;
	PQclear(result);
	return err;
}


/* One id; what it names exists for this caller, or the member is at fault */
static int check_id(struct request *req, const struct field *f,
		    const char *pointer, const char *id)
{
	const struct resource *res = resource_of_prefix(f->choices[0]);
	bool seen = false;
	json_t *value;
	int err = 0;

	if (res)
		err = is_seen(req, res, f, id, &seen);
	if (err || seen)
		return err;

	value = json_string(id);
	problem_add(&req->problem, pointer, "not_allowed", value,
		    "there is no such %s", res ? res->kind : "row");
	json_decref(value);
	return 0;
}


/* The ids in the elements of a list */
static int check_list(struct request *req, const struct field *f,
		      const char *text)
{
	json_t *list = json_loads(text, JSON_DECODE_ANY, NULL);
	int err = 0;

	for (size_t k = 0; k < json_array_size(list) && !err; k++) {
		for (size_t i = 0; i < f->items->n && !err; i++) {
			const struct field *item = &f->items->fields[i];
			const char *id = json_string_value(field_get(
				json_array_get(list, k), item->name));
			char pointer[160];

			if (item->type != FIELD_ID || !id)
				continue;
			text_format(pointer, sizeof(pointer), "/%s/%zu/%s",
				    f->name, k, item->name);
			err = check_id(req, item, pointer, id);
		}
	}
	json_decref(list);
	return err;
}


static void refuse_member(struct request *req, const char *pointer)
{
	problem_set(&req->problem, PROBLEM_FORBIDDEN,
		    "only a key of the platform sets this");
	problem_add(&req->problem, pointer, "forbidden", NULL,
		    "only a key of the platform sets this");
}


int record_check(struct request *req, const struct record *rec,
		 const struct record *old)
{
	int err = 0;

	if (!request_tenant(req))
		return 0;

	for (size_t i = 0; i < rec->set->n && !err; i++) {
		const struct field *f = &rec->set->fields[i];
		const char *text = rec->v[i].text;
		char pointer[96];

		if (!record_is_moved(old, rec, i))
			continue;
		field_pointer(pointer, sizeof(pointer), "", f->name);
		if (f->flags & F_PLATFORM)
			refuse_member(req, pointer);
		else if (f->type == FIELD_ID && text)
			err = check_id(req, f, pointer, text);
		else if (f->type == FIELD_LIST && text)
			err = check_list(req, f, text);
	}
	return err;
}
