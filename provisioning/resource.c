/**
 * @file resource.c  One row, and who sees which rows and members.
 */
#include <errno.h>
#include <string.h>
#include "pg.h"
#include "query.h"
#include "resource.h"
#include "text.h"


/*
 * What a reseller may change stands below it: not its own row, nor what hangs
 * on its own, which whoever stands above it has set.
 */
void query_owner(struct query *q, const struct request *req,
		 const char *owner)
{
	if (!request_tenant(req))
		return;

	if (!owner) {
		query_text(q, " AND false");
		return;
	}
	query_text(q, " AND EXISTS (SELECT FROM core.tenant_tree s WHERE "
		      "s.ancestor_id = ");
	query_param(q, request_tenant(req));
	query_text(q, " AND s.tenant_id = %s%s)", owner,
		   req->op->scope == SCOPE_RESELLER ? " AND s.depth > 0" : "");
}


void query_seen(struct query *q, const struct request *req,
		const struct resource *res)
{
	query_text(q, " FROM %s t WHERE true", res->table);
	query_owner(q, req, res->owner);
	if (res->visible)
		query_text(q, " AND (%s)", res->visible);
	if (res->parent) {
		query_text(q, " AND t.%s = ", res->parent_column);
		query_param(q, req->path_params[0]);
	}
}


static void select_fields(struct query *q, const struct resource *res)
{
	query_text(q, "SELECT %s, ", res->is_versioned ? "t.row_version"
							: "NULL");
	if (!q->err)
		q->err = field_select(q->mb, res->set);
}


json_t *resource_read(struct request *req, const struct resource *res,
		      const char *key, bool for_update, char version[24])
{
	PGresult *result = NULL;
	struct query q;
	json_t *doc = NULL;
	int err;

	query_init(&q);
	select_fields(&q, res);
	query_seen(&q, req, res);
	query_text(&q, " AND t.%s = ", res->key);
	query_param(&q, key);
	if (for_update)
		query_text(&q, " FOR UPDATE OF t");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);

	if (err) {
		request_pg_failed(req, err);
	} else if (PQntuples(result) == 1) {
		doc = row_encode(res->set, result, 0, 1);
		if (version)
			text_copy(version, 24, PQgetvalue(result, 0, 0));
	}

	PQclear(result);
	return doc;
}


json_t *resource_need(struct request *req, const struct resource *res,
		      const char *key, bool for_update, char version[24])
{
	json_t *doc = resource_read(req, res, key, for_update, version);

	if (!doc)
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no %s %s", res->kind, key);
	return doc;
}


bool resource_parent_is_seen(struct request *req, const struct resource *res)
{
	json_t *doc;

	if (!res->parent)
		return true;

	doc = resource_need(req, res->parent, req->path_params[0], false,
			    NULL);
	json_decref(doc);
	return doc != NULL;
}


bool resource_hides(const struct request *req, const struct resource *res,
		    const char *name)
{
	if (!res->hidden || !request_tenant(req))
		return false;
	for (const char *const *hidden = res->hidden; *hidden; hidden++) {
		if (!strcmp(*hidden, name))
			return true;
	}
	return false;
}


static void row_hide(const struct request *req, const struct resource *res,
		     json_t *row)
{
	if (!res->hidden || !request_tenant(req))
		return;
	for (const char *const *name = res->hidden; *name; name++)
		json_object_set_new(row, *name, json_null());
}


void rows_hide(struct request *req, const struct resource *res,
	       json_t *rows)
{
	if (res->conceal && request_tenant(req))
		res->conceal(req, rows);
	for (size_t i = 0; i < json_array_size(rows); i++)
		row_hide(req, res, json_array_get(rows, i));
}


json_t *row_seen(const struct request *req, const struct resource *res,
		 json_t *row)
{
	json_t *seen;

	if (!res->hidden || !request_tenant(req))
		return json_incref(row);
	seen = json_copy(row);
	row_hide(req, res, seen);
	return seen;
}
