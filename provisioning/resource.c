/**
 * @file resource.c  The generic verbs: read side.
 */
#include <errno.h>
#include <string.h>
#include "cursor.h"
#include "listing.h"
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
	json_t *rows, *doc = resource_need(req, res, path_key(req, res),
					   false, version);

	if (!doc)
		return;

	rows = json_pack("[O]", doc);
	if (rows_shape(req, res, rows)) {
		if (res->is_versioned)
			request_etag(req, version, doc);
		request_answer(req, 200, json_incref(doc));
	}
	json_decref(rows);
	json_decref(doc);
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


/* A cursor belongs to its list in its order */
static void cursor_name(char *buf, size_t size, const struct request *req,
			const struct sort *sort)
{
	text_format(buf, size, "%s%s%s", req->op->id,
		    sort->is_descending ? "-" : "+",
		    sort->column ? sort->column : "");
}


static bool add_cursor(struct query *q, struct request *req,
		       const struct resource *res, const struct sort *sort,
		       struct cursor *cursor)
{
	const char *text = request_query(req, "cursor");
	const bool down = sort->column ? sort->is_descending
				       : res->newest_first;
	char name[128];

	if (!text)
		return true;
	cursor_name(name, sizeof(name), req, sort);
	if (cursor_decode(cursor, text, name, sort->column ? 2 : 1)) {
		problem_set(&req->problem, PROBLEM_BAD_CURSOR, "%s", "");
		return false;
	}

	if (sort->column) {
		query_text(q, " AND (t.%s, t.%s) %s (", sort->column,
			   res->key, down ? "<" : ">");
		query_param(q, cursor->keys[1]);
		query_text(q, "::%s, ", sort->type);
	} else {
		query_text(q, " AND t.%s %s (", res->key, down ? "<" : ">");
	}
	query_param(q, cursor->keys[0]);
	query_text(q, "::%s)", res->key_type);
	return true;
}


void page_answer(struct request *req, json_t *rows, size_t limit,
		 const char *(*key_of)(const json_t *row, size_t i,
				       const void *arg),
		 size_t keys, const void *arg)
{
	page_answer_named(req, rows, limit, req->op->id, key_of, keys, arg);
}


void page_answer_named(struct request *req, json_t *rows, size_t limit,
		       const char *list,
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
	    !cursor_encode(text, sizeof(text), list, &cursor))
		json_object_set_new(page, "next_cursor", json_string(text));
	request_answer(req, 200, page);
}


/* What the next page begins behind: the key of the last row of this one, which
   is its first field, and the column it is sorted by */
static void page_keys(const PGresult *result, int last, const json_t *row,
		      const struct resource *res, struct cursor *keys)
{
	const json_t *key = json_object_get(row, res->set->fields[0].name);

	if (json_is_integer(key))
		text_format(keys->keys[0], CURSOR_KEY_SIZE, "%lld",
			    (long long)json_integer_value(key));
	else if (json_is_string(key))
		text_copy(keys->keys[0], CURSOR_KEY_SIZE,
			  json_string_value(key));
	text_copy(keys->keys[1], CURSOR_KEY_SIZE,
		  PQgetvalue(result, last, 0));
}


static const char *key_of(const json_t *row, size_t i, const void *arg)
{
	const struct cursor *keys = arg;

	(void)row;
	return keys->keys[i];
}


static void list_answer(struct request *req, const struct resource *res,
			const PGresult *result, size_t limit,
			const struct sort *sort)
{
	struct cursor keys = {.n = sort->column ? 2 : 1};
	json_t *rows = json_array();
	char name[128];

	for (int i = 0; i < PQntuples(result); i++)
		json_array_append_new(rows,
				      row_encode(res->set, result, i, 1));
	if (json_array_size(rows) > limit)
		page_keys(result, (int)limit - 1,
			  json_array_get(rows, limit - 1), res, &keys);
	if (!rows_shape(req, res, rows)) {
		json_decref(rows);
		return;
	}
	cursor_name(name, sizeof(name), req, sort);
	page_answer_named(req, rows, limit, name, key_of, keys.n, &keys);
}


static void list_query(struct query *q, const struct resource *res,
		       const struct sort *sort)
{
	if (sort->column)
		query_text(q, "SELECT t.%s::text, ", sort->column);
	else
		query_text(q, "SELECT NULL, ");
	if (!q->err)
		q->err = field_select(q->mb, res->set);
}


static void list_order(struct query *q, const struct resource *res,
		       const struct sort *sort, int limit)
{
	const char *way = (sort->column ? sort->is_descending
					: res->newest_first)
				  ? "DESC"
				  : "ASC";

	query_text(q, " ORDER BY ");
	if (sort->column)
		query_text(q, "t.%s %s, ", sort->column, way);
	query_text(q, "t.%s %s LIMIT %d", res->key, way, limit + 1);
}


void resource_list(struct request *req)
{
	const struct resource *res = req->op->resource;
	const int limit = request_limit(req);
	const struct sort sort = sort_read(req, res);
	struct cursor cursor;
	PGresult *result = NULL;
	struct query q;
	char since[32];
	int err;

	if (problem_is_set(&req->problem) ||
	    !resource_parent_is_seen(req, res))
		return;

	query_init(&q);
	list_query(&q, res, &sort);
	from_seen(&q, req, res);
	add_filters(&q, req, res);
	query_ranges(&q, req, res);
	if (problem_is_set(&req->problem) ||
	    !add_since(&q, req, res, since) ||
	    !add_cursor(&q, req, res, &sort, &cursor))
		goto out;
	list_order(&q, res, &sort, limit);

	err = query_run(&q, req->pg, &result);
	if (err)
		request_pg_failed(req, err);
	else
		list_answer(req, res, result, (size_t)limit, &sort);

 out:
	PQclear(result);
	query_reset(&q);
}
