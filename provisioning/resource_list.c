/**
 * @file resource_list.c  The generic verbs: read side. One row, or a page of
 * them in order.
 */
#include <errno.h>
#include <string.h>
#include "cursor.h"
#include "form.h"
#include "listing.h"
#include "moment.h"
#include "pg.h"
#include "query.h"
#include "resource.h"
#include "text.h"


/* The last part of the path names the row; before it may stand the parent */
static const char *path_key(const struct request *req,
			    const struct resource *res)
{
	return req->path_params[res->parent ? 1 : 0];
}


void resource_get(struct request *req)
{
	const struct resource *res = req->op->resource;
	char version[24] = "";
	json_t *rows, *doc = resource_need(req, res, path_key(req, res),
					   false, version);

	if (!doc)
		return;

	rows = json_pack("[o]", row_seen(req, res, doc));
	if (rows_shape(req, res, rows)) {
		if (res->is_versioned)
			request_etag(req, version, doc);
		request_answer(req, 200,
			       json_incref(json_array_get(rows, 0)));
	}
	json_decref(rows);
	json_decref(doc);
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


/* The columns that a list is in the order of: the one it is sorted by, and the
   key; of all of them the last row's texts are the cursor */
struct order {
	struct {
		char sql[80];
		const char *type;
	} v[CURSOR_KEYS_MAX];
	size_t n;
	bool is_descending;
};


/* A number that is not known counts as 0: a row without one has a place, too */
static void order_add(struct order *o, const char *column, const char *type,
		      bool may_be_null)
{
	text_format(o->v[o->n].sql, sizeof(o->v[o->n].sql),
		    may_be_null ? "coalesce(t.%s, 0)" : "t.%s", column);
	o->v[o->n++].type = type;
}


static void order_make(struct order *o, const struct resource *res,
		       const struct sort *sort)
{
	*o = (struct order){.is_descending = sort->column
						     ? sort->is_descending
						     : res->newest_first};
	if (sort->column)
		order_add(o, sort->column, sort->type,
			  !strcmp(sort->type, "bigint"));
	order_add(o, res->key, res->key_type, false);
	if (res->key2)
		order_add(o, res->key2, res->key2_type, false);
}


static bool add_cursor(struct query *q, struct request *req,
		       const struct order *o, const struct sort *sort,
		       struct cursor *cursor)
{
	const char *text = request_query(req, "cursor");
	char name[128];

	if (!text)
		return true;
	list_name(name, sizeof(name), req, sort);
	if (cursor_decode(cursor, text, name, o->n)) {
		problem_set(&req->problem, PROBLEM_BAD_CURSOR, "%s", "");
		return false;
	}

	query_text(q, " AND (");
	for (size_t i = 0; i < o->n; i++)
		query_text(q, "%s%s", i ? ", " : "", o->v[i].sql);
	query_text(q, ") %s (", o->is_descending ? "<" : ">");
	for (size_t i = 0; i < o->n; i++) {
		query_text(q, i ? ", " : "");
		query_param(q, cursor->keys[i]);
		query_text(q, "::%s", o->v[i].type);
	}
	query_text(q, ")");
	return true;
}


static void list_answer(struct request *req, const struct resource *res,
			const PGresult *result, size_t limit,
			const struct order *o, const struct sort *sort)
{
	const bool has_more = (size_t)PQntuples(result) > limit;
	const int n = has_more ? (int)limit : PQntuples(result);
	struct cursor keys = {.n = o->n};
	json_t *rows = json_array();
	char name[128];

	for (int i = 0; i < n; i++)
		json_array_append_new(rows, row_encode(res->set, result, i,
						       (int)o->n));
	for (size_t i = 0; i < o->n && has_more; i++)
		text_copy(keys.keys[i], CURSOR_KEY_SIZE,
			  PQgetvalue(result, n - 1, (int)i));
	rows_hide(req, res, rows);
	if (!rows_shape(req, res, rows)) {
		json_decref(rows);
		return;
	}
	list_name(name, sizeof(name), req, sort);
	page_answer(req, rows, name, has_more ? &keys : NULL);
}


static void list_query(struct query *q, const struct resource *res,
		       const struct order *o)
{
	query_text(q, "SELECT ");
	for (size_t i = 0; i < o->n; i++)
		query_text(q, "%s::text, ", o->v[i].sql);
	if (!q->err)
		q->err = field_select(q->mb, res->set);
}


static void list_order(struct query *q, const struct order *o, int limit)
{
	query_text(q, " ORDER BY ");
	for (size_t i = 0; i < o->n; i++)
		query_text(q, "%s%s %s", i ? ", " : "", o->v[i].sql,
			   o->is_descending ? "DESC" : "ASC");
	query_text(q, " LIMIT %d", limit + 1);
}


void resource_list(struct request *req)
{
	const struct resource *res = req->op->resource;
	const int limit = request_limit(req);
	const struct sort sort = sort_read(req, res);
	struct cursor cursor;
	PGresult *result = NULL;
	struct order order;
	struct query q;
	char since[32];
	int err;

	if (res->bound)
		res->bound(req);
	if (problem_is_set(&req->problem) ||
	    !resource_parent_is_seen(req, res))
		return;

	query_init(&q);
	order_make(&order, res, &sort);
	list_query(&q, res, &order);
	query_seen(&q, req, res);
	query_filters(&q, req, res);
	query_ranges(&q, req, res);
	if (problem_is_set(&req->problem) ||
	    !add_since(&q, req, res, since) ||
	    !add_cursor(&q, req, &order, &sort, &cursor))
		goto out;
	list_order(&q, &order, limit);

	err = query_run(&q, req->pg, &result);
	if (err == EPROTO && !strncmp(pg_sqlstate(req->pg), "22", 2))
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "a filter or the cursor has a value that its "
			    "member cannot have");
	else if (err)
		request_pg_failed(req, err);
	else
		list_answer(req, res, result, (size_t)limit, &order,
			    &sort);

 out:
	PQclear(result);
	query_reset(&q);
}
