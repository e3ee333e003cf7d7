/**
 * @file resource_write.c  The generic verbs: write side. Each is one
 * transaction; the row is read back from the database before COMMIT, so that
 * answer, audit and row cannot differ.
 */
#include <errno.h>
#include <string.h>
#include "change.h"
#include "id.h"
#include "moment.h"
#include "pg.h"
#include "query.h"
#include "resource.h"
#include "text.h"


const char *resource_location(char *buf, size_t size,
			      const struct resource *res,
			      const struct request *req, const char *key)
{
	if (res->parent)
		text_format(buf, size, "%s/%s%s/%s", res->parent->path,
			    req->path_params[0], res->path, key);
	else
		text_format(buf, size, "%s/%s", res->path, key);
	return buf;
}


/* --- create ------------------------------------------------------------ */

static int insert_row(struct request *req, const struct resource *res,
		      const struct record *rec, const char *id,
		      PGresult **retp)
{
	struct query q, values;
	int err;

	query_init(&q);
	query_init(&values);
	query_text(&q, "INSERT INTO %s (", res->table);
	if (res->id_prefix) {
		query_text(&q, "%s", res->key);
		query_param(&values, id);
	}
	if (res->parent) {
		query_text(&q, ", %s", res->parent_column);
		query_text(&values, ", ");
		query_param(&values, req->path_params[0]);
	}
	for (size_t i = 0; i < res->set->n; i++) {
		const struct field *f = &res->set->fields[i];

		if (rec->v[i].state == VALUE_ABSENT || !f->column)
			continue;
		query_text(&q, "%s%s", values.n ? ", " : "", f->column);
		query_text(&values, "%s", values.n ? ", " : "");
		query_param(&values, rec->v[i].text);
	}
	query_text(&q, ") VALUES (");
	query_join(&q, &values);
	query_text(&q, ")");
	err = query_run(&q, req->pg, retp);
	query_reset(&q);
	query_reset(&values);
	return err;
}


/* The same row as readers will see it; audit and COMMIT */
static void finish(struct request *req, const struct resource *res,
		   const char *key, const json_t *before, int status)
{
	char version[24] = "";
	json_t *after = resource_need(req, res, key, false, version);

	if (!after) {
		change_abort(req);
		return;
	}

	if (res->is_versioned)
		request_etag(req, version, after);
	request_answer(req, status, row_seen(req, res, after));
	if (change_audit(req, res->kind, key, before, after)) {
		if (!before && res->reveal)
			res->reveal(req, key);
		(void)change_commit(req);
	}
	json_decref(after);
}


static int prepare(struct request *req, const struct resource *res,
		   struct record *rec, const struct record *old,
		   const json_t *before)
{
	int err = 0;

	if (res->prepare)
		err = res->prepare(req, rec, before);
	if (!err)
		err = record_check(req, rec, old);
	if (err)
		request_pg_failed(req, err);
	if (problem_is_set(&req->problem)) {
		change_abort(req);
		return err ? err : EINVAL;
	}
	return 0;
}


bool resource_insert(struct request *req, const struct resource *res,
		     struct record *rec, const char *id)
{
	PGresult *result = NULL;
	int err;

	if (prepare(req, res, rec, NULL, NULL))
		return false;

	err = insert_row(req, res, rec, id, &result);
	if (!err && res->settle) {
		PQclear(result);
		result = NULL;
		err = res->settle(req, rec, id, &result);
	}
	if (err)
		change_refused(req, res, rec, err, result);
	PQclear(result);
	return !err;
}


static void create(struct request *req, struct record *rec)
{
	const struct resource *res = req->op->resource;
	char made[ID_TEXT_SIZE];
	const char *id = made;
	struct moment now;

	if (!resource_parent_is_seen(req, res) || !change_begin(req))
		return;

	moment_read(&now);
	if (res->id_prefix)
		id_make(made, res->id_prefix, req->rng, moment_wall_ms(&now));
	else
		id = record_text(rec, res->set->fields[0].name);
	if (!resource_insert(req, res, rec, id))
		return;

	resource_location(req->answer.location, sizeof(req->answer.location),
			  res, req, id);
	finish(req, res, id, NULL, 201);
}


struct record *resource_decode(struct request *req,
			       const struct field_set *set)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);

	if (body && record_decode(&rec, set, body, "", &req->problem))
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	json_decref(body);

	return problem_is_set(&req->problem) ? mem_deref(rec) : rec;
}


void resource_create(struct request *req)
{
	struct record *rec =
		resource_decode(req, req->op->resource->set);

	if (rec)
		create(req, rec);
	mem_deref(rec);
}


/* --- patch ------------------------------------------------------------- */

static void check_fixed(struct request *req, const struct record *old,
			const struct record *new)
{
	for (size_t i = 0; i < old->set->n; i++) {
		const struct field *f = &old->set->fields[i];
		char pointer[96];

		if (!(f->flags & F_FIXED) || !record_is_moved(old, new, i))
			continue;
		field_pointer(pointer, sizeof(pointer), "", f->name);
		problem_add(&req->problem, pointer, "immutable", NULL,
			    "is given on creation and cannot be changed");
	}
}


/*
 * A member that the patch removed is null where that is a value of its own,
 * else it falls back to the column's default. When
 * nothing moved the row stays as it is, unless rows that hang on it may have:
 * then the row is touched for their sake.
 */
static int update_row(struct request *req, const struct resource *res,
		      const struct record *old, const struct record *new,
		      const char *key, PGresult **retp)
{
	struct query q;
	bool moved = false;
	int err = 0;

	query_init(&q);
	query_text(&q, "UPDATE %s SET ", res->table);
	for (size_t i = 0; i < res->set->n; i++) {
		const struct field *f = &res->set->fields[i];

		if (!f->column || !record_is_moved(old, new, i))
			continue;
		query_text(&q, "%s%s = ", moved ? ", " : "", f->column);
		if (new->v[i].state == VALUE_ABSENT)
			query_text(&q, f->flags & F_NULLABLE ? "NULL"
							     : "DEFAULT");
		else
			query_param(&q, new->v[i].text);
		moved = true;
	}
	if (!moved && res->settle)
		query_text(&q, "%s = %s", res->key, res->key);
	query_text(&q, " WHERE %s = ", res->key);
	query_param(&q, key);
	if (moved || res->settle)
		err = query_run(&q, req->pg, retp);
	query_reset(&q);
	return err;
}


static void patch_row(struct request *req, const struct record *old,
		      struct record *new, const char *key,
		      const json_t *before)
{
	const struct resource *res = req->op->resource;
	PGresult *result = NULL;
	int err;

	check_fixed(req, old, new);
	if (prepare(req, res, new, old, before))
		return;

	err = update_row(req, res, old, new, key, &result);
	if (!err && res->settle) {
		PQclear(result);
		result = NULL;
		err = res->settle(req, new, key, &result);
	}
	if (err)
		change_refused(req, res, new, err, result);
	else
		finish(req, res, key, before, 200);
	PQclear(result);
}


/* RFC 7396 on the writable members; the whole is validated as on creation */
static void patch(struct request *req, const json_t *body, const char *key,
		  const json_t *before)
{
	const struct resource *res = req->op->resource;
	json_t *writable = field_writable(res->set, before);
	json_t *merged = merge_patch(writable, body);
	struct record *old = NULL, *new = NULL;
	struct problem ignored = {0};
	int err = record_decode(&old, res->set, writable, "", &ignored);

	if (!err)
		err = record_decode(&new, res->set, merged, "", &req->problem);
	if (err)
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");

	if (err || problem_is_set(&req->problem))
		change_abort(req);
	else
		patch_row(req, old, new, key, before);

	problem_clear(&ignored);
	mem_deref(old);
	mem_deref(new);
	json_decref(merged);
	json_decref(writable);
}


static bool check_if_match(struct request *req, const char *version)
{
	if (etag_matches(req->if_match, version))
		return true;

	problem_set(&req->problem, PROBLEM_PRECONDITION,
		    "the row is at version \"%s\"", version);
	return false;
}


/* The row of the path, locked, when If-Match allows it. NULL: aborted */
static json_t *lock_row(struct request *req, const char *key)
{
	const struct resource *res = req->op->resource;
	char version[24] = "";
	json_t *before;

	if (!resource_parent_is_seen(req, res) || !change_begin(req))
		return NULL;

	before = resource_need(req, res, key, true, version);
	if (before && check_if_match(req, version))
		return before;

	json_decref(before);
	change_abort(req);
	return NULL;
}


void resource_patch(struct request *req)
{
	const struct resource *res = req->op->resource;
	const char *key = req->path_params[res->parent ? 1 : 0];
	json_t *before, *body = request_json(req);

	if (body && !json_is_object(body))
		problem_add(&req->problem, "", "wrong_type", NULL,
			    "must be an object");
	if (problem_is_set(&req->problem))
		goto out;

	before = lock_row(req, key);
	if (before)
		patch(req, body, key, before);
	json_decref(before);

 out:
	json_decref(body);
}


/* --- delete ------------------------------------------------------------ */

void resource_delete(struct request *req)
{
	const struct resource *res = req->op->resource;
	const char *key = req->path_params[res->parent ? 1 : 0];
	json_t *before = lock_row(req, key);
	PGresult *result = NULL;
	struct query q;
	int err;

	if (!before)
		return;

	query_init(&q);
	query_text(&q, "DELETE FROM %s WHERE %s = ", res->table, res->key);
	query_param(&q, key);
	err = query_run(&q, req->pg, &result);
	query_reset(&q);

	if (err)
		change_refused(req, res, NULL, err, result);
	else if (change_audit(req, res->kind, key, before, NULL) &&
		 change_commit(req))
		request_answer(req, 204, NULL);

	PQclear(result);
	json_decref(before);
}
