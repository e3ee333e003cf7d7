/**
 * @file resource.c  The generic verbs: read side.
 */
#include <errno.h>
#include <string.h>
#include "cursor.h"
#include "form.h"
#include "moment.h"
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


/* FROM and the rows this caller may see */
static void from_seen(struct query *q, const struct request *req,
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


/* The last part of the path names the row; before it may stand the parent */
static const char *path_key(const struct request *req,
			    const struct resource *res)
{
	return req->path_params[res->parent ? 1 : 0];
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
	from_seen(&q, req, res);
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


void resource_get(struct request *req)
{
	const struct resource *res = req->op->resource;
	char version[24] = "";
	json_t *doc = resource_need(req, res, path_key(req, res), false,
				    version);

	if (!doc)
		return;

	if (res->is_versioned)
		request_etag(req, version, doc);
	request_answer(req, 200, doc);
}


/* Equality filters: every parameter that is a field with F_FILTER */
static void add_filters(struct query *q, const struct request *req,
			const struct resource *res)
{
	for (size_t i = 0; i < res->set->n; i++) {
		const struct field *f = &res->set->fields[i];
		const char *value = request_query(req, f->name);

		if (!value || !(f->flags & F_FILTER))
			continue;
		query_text(q, " AND t.%s = ", f->column);
		query_param(q, value);
	}
}


/* Rows of that moment and later; text is the caller's for the query */
static bool add_since(struct query *q, struct request *req,
		      const struct resource *res, char text[32])
{
	const char *value = res->since ? request_query(req, "since") : NULL;
	int64_t ms;

	if (!value)
		return true;
	if (form_time(&ms, value)) {
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "since must be a time as 2026-11-22T10:31:00Z");
		return false;
	}

	query_text(q, " AND t.%s >= ", res->since);
	query_param(q, moment_format(text, ms));
	query_text(q, "::timestamptz");
	return true;
}


static bool add_cursor(struct query *q, struct request *req,
		       const struct resource *res, struct cursor *cursor)
{
	const char *text = request_query(req, "cursor");

	if (!text)
		return true;
	if (cursor_decode(cursor, text, req->op->id, 1)) {
		problem_set(&req->problem, PROBLEM_BAD_CURSOR, "%s", "");
		return false;
	}

	query_text(q, " AND t.%s %s ", res->key,
		   res->newest_first ? "<" : ">");
	query_param(q, cursor->keys[0]);
	query_text(q, "::%s", res->key_type);
	return true;
}


void page_answer(struct request *req, json_t *rows, size_t limit,
		 const char *(*key_of)(const json_t *row, size_t i,
				       const void *arg),
		 size_t keys, const void *arg)
{
	const bool has_more = json_array_size(rows) > limit;
	struct cursor cursor = {.n = keys};
	char text[CURSOR_SIZE];
	json_t *page, *last;

	if (has_more)
		json_array_remove(rows, limit);
	last = json_array_get(rows, limit - 1);
	for (size_t i = 0; i < keys && has_more; i++)
		text_copy(cursor.keys[i], sizeof(cursor.keys[i]),
			  key_of(last, i, arg));

	page = json_pack("{s:o, s:b, s:n}", "data", rows, "has_more", has_more,
			 "next_cursor");
	if (has_more &&
	    !cursor_encode(text, sizeof(text), req->op->id, &cursor))
		json_object_set_new(page, "next_cursor", json_string(text));
	request_answer(req, 200, page);
}


/* The key of a row is its first field, a text or a number; valid until the
 * next call */
static const char *first_field(const json_t *row, size_t i, const void *arg)
{
	static _Thread_local char number[24];
	const struct resource *res = arg;
	const json_t *key = json_object_get(row, res->set->fields[0].name);

	(void)i;
	if (json_is_string(key))
		return json_string_value(key);

	text_format(number, sizeof(number), "%lld",
		    (long long)json_integer_value(key));
	return number;
}


static json_t *rows_encode(const struct resource *res, const PGresult *result)
{
	json_t *rows = json_array();

	for (int i = 0; i < PQntuples(result); i++)
		json_array_append_new(rows,
				      row_encode(res->set, result, i, 1));
	return rows;
}


void resource_list(struct request *req)
{
	const struct resource *res = req->op->resource;
	const int limit = request_limit(req);
	struct cursor cursor;
	PGresult *result = NULL;
	struct query q;
	char since[32];
	int err;

	if (problem_is_set(&req->problem) ||
	    !resource_parent_is_seen(req, res))
		return;

	query_init(&q);
	select_fields(&q, res);
	from_seen(&q, req, res);
	add_filters(&q, req, res);
	if (!add_since(&q, req, res, since) ||
	    !add_cursor(&q, req, res, &cursor))
		goto out;
	query_text(&q, " ORDER BY t.%s %s LIMIT %d", res->key,
		   res->newest_first ? "DESC" : "ASC", limit + 1);

	err = query_run(&q, req->pg, &result);
	if (err)
		request_pg_failed(req, err);
	else
		page_answer(req, rows_encode(res, result), (size_t)limit,
			    first_field, 1, res);

 out:
	PQclear(result);
	query_reset(&q);
}
