/**
 * @file number_list_import.c  POST /v1/number-lists/{id}/import: many entries
 * of a list by one CSV, in one step.
 */
#include <errno.h>
#include <string.h>
#include "change.h"
#include "csv.h"
#include "id.h"
#include "moment.h"
#include "number_policy.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

static const char *const columns[] = {"number", "is_prefix", "replacement",
				      "expires_at"};

#define COLUMN_N (sizeof(columns) / sizeof(columns[0]))

operation_h number_list_import;


static bool header_check(struct request *req, struct csv *csv)
{
	bool is_same = !csv_next(csv) && csv->n == COLUMN_N;

	for (size_t i = 0; is_same && i < COLUMN_N; i++)
		is_same = !strcmp(csv->fields[i], columns[i]);
	if (!is_same)
		problem_set(&req->problem, PROBLEM_VALIDATION,
			    "the first line must be number,is_prefix,"
			    "replacement,expires_at");

	return is_same;
}


static json_t *cell_json(const char *text, size_t column)
{
	if (!*text)
		return NULL;
	if (column == 1 && !strcmp(text, "true"))
		return json_true();
	if (column == 1 && !strcmp(text, "false"))
		return json_false();

	return json_string(text);
}


/* One line, checked as an entry is when it comes alone */
static int row_add(struct request *req, json_t *rows, const struct csv *csv)
{
	struct record *rec = NULL;
	char at[24], id[ID_TEXT_SIZE];
	json_t *row = json_object();
	struct moment now;
	int err = 0;

	text_format(at, sizeof(at), "/%zu", csv->line);
	if (csv->n != COLUMN_N)
		problem_add(&req->problem, at, "bad_form", NULL,
			    "line %zu: %zu columns instead of %zu", csv->line,
			    csv->n, COLUMN_N);
	for (size_t i = 0; i < csv->n && i < COLUMN_N; i++) {
		json_t *value = cell_json(csv->fields[i], i);

		if (value && json_object_set_new(row, columns[i], value))
			err = ENOMEM;
	}
	if (!err)
		err = record_decode(&rec, resource_number_list_entry.set, row,
				    at, &req->problem);

	moment_read(&now);
	id_make(id, "nle_", req->rng, moment_wall_ms(&now));
	if (!err && (json_object_set_new(row, "id", json_string(id)) ||
		     json_array_append(rows, row)))
		err = ENOMEM;

	mem_deref(rec);
	json_decref(row);

	return err;
}


/* New reference; NULL: a problem is set */
static json_t *rows_read(struct request *req)
{
	json_t *rows = json_array();
	struct csv csv;
	int err = 0, end = ENOENT;

	csv_open(&csv, req->body, req->body_len);
	if (header_check(req, &csv)) {
		while (!err && !(end = csv_next(&csv)))
			err = json_array_size(rows) < NUMBER_ENTRIES_MAX
				      ? row_add(req, rows, &csv)
				      : E2BIG;
	}
	if (end != ENOENT)
		problem_set(&req->problem, PROBLEM_VALIDATION,
			    err == E2BIG ? "more than %zu entries"
					 : "line %zu is not CSV (RFC 4180)",
			    err == E2BIG ? (size_t)NUMBER_ENTRIES_MAX
					 : csv.line);
	else if (err)
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");

	if (!problem_is_set(&req->problem))
		return rows;

	json_decref(rows);

	return NULL;
}


static int entries_write(struct request *req, const char *rows,
			 PGresult **retp)
{
	const char *params[] = {req->path_params[0], rows};

	return pg_exec(req->pg,
		       "INSERT INTO core.number_list_entry (id, list_id, "
		       "number, is_prefix, replacement, expires_at) "
		       "SELECT id, $1, number, coalesce(is_prefix, false), "
		       "replacement, expires_at FROM "
		       "jsonb_to_recordset($2::jsonb) AS x(id text, "
		       "number text, is_prefix boolean, replacement text, "
		       "expires_at timestamptz) "
		       "ON CONFLICT (list_id, number) DO UPDATE SET "
		       "is_prefix = excluded.is_prefix, "
		       "replacement = excluded.replacement, "
		       "expires_at = excluded.expires_at", 2, params, retp);
}


static void merge(struct request *req, const json_t *rows)
{
	json_t *after = json_pack("{s:I}", "entries",
				  (json_int_t)json_array_size(rows));
	char *text = json_dumps(rows, JSON_COMPACT);
	PGresult *result = NULL;
	int err;

	if (!resource_parent_is_seen(req, &resource_number_list_entry) ||
	    !change_begin(req))
		goto out;

	err = text ? entries_write(req, text, &result) : ENOMEM;
	if (err) {
		change_refused(req, &resource_number_list_entry, NULL, err,
			       result);
		goto out;
	}

	request_answer(req, 200, json_incref(after));
	if (change_audit(req, "number_list_entry", req->path_params[0], NULL,
			 after))
		(void)change_commit(req);

 out:
	PQclear(result);
	json_decref(after);
	free(text);
}


void number_list_import(struct request *req)
{
	json_t *rows = NULL;

	if (!req->body_len || memchr(req->body, '\0', req->body_len))
		problem_set(&req->problem, PROBLEM_BAD_REQUEST,
			    "the body is empty, or holds a NUL character");
	else
		rows = rows_read(req);

	if (rows)
		merge(req, rows);
	json_decref(rows);
}
