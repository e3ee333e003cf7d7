/**
 * @file rate_import.c  Many rates at once: PUT replaces a deck (JSON), POST
 * merges into it (CSV). Rows are checked here, staged by COPY, and moved by
 * one statement: a deck changes in one step or not at all.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "csv.h"
#include "pg.h"
#include "rate.h"
#include "resource.h"
#include "text.h"

#define JSON_ROWS_MAX 10000

/** A bulk change under way. */
struct import {
	struct request *req;
	const struct field_set *set;
	struct mbuf *line;
	size_t rows;
};

static const char stage_sql[] =
	"CREATE TEMP TABLE rate_stage (line bigint, prefix text, "
	"destination text, rate_per_min_nano bigint, "
	"connect_fee_micro bigint, first_ms integer, next_ms integer, "
	"effective_from timestamptz, effective_to timestamptz, "
	"is_blocked boolean, terms_id text) ON COMMIT DROP";

/* 300,000 rates are half a minute of work for the overlap index */
static const char patience_sql[] =
	"SELECT set_config('statement_timeout', '900s', true)";

/* A rate without a start begins now, in the ms that the switch counts in */
static const char fill_sql[] =
	"UPDATE rate_stage SET effective_from = "
	"date_trunc('milliseconds', now()) WHERE effective_from IS NULL";

static const char twice_sql[] =
	"SELECT max(line), prefix FROM rate_stage "
	"GROUP BY prefix, effective_from HAVING count(*) > 1 "
	"ORDER BY 1 LIMIT 50";

static const char clear_sql[] = "DELETE FROM core.rate WHERE deck_id = $1";

/* A new rate ends the one before it */
static const char close_sql[] =
	"UPDATE core.rate r SET effective_to = s.effective_from "
	"FROM rate_stage s WHERE r.deck_id = $1 AND r.prefix = s.prefix "
	"AND r.effective_from < s.effective_from AND "
	"(r.effective_to IS NULL OR r.effective_to > s.effective_from)";

static const char move_sql[] =
	"INSERT INTO core.rate (deck_id, prefix, destination, "
	"rate_per_min_nano, connect_fee_micro, first_ms, next_ms, "
	"effective_from, effective_to, is_blocked, terms_id) "
	"SELECT $1, prefix, coalesce(destination, ''), rate_per_min_nano, "
	"coalesce(connect_fee_micro, 0), coalesce(first_ms, 1000), "
	"coalesce(next_ms, 1000), effective_from, effective_to, "
	"coalesce(is_blocked, false), terms_id FROM rate_stage "
	"ON CONFLICT (deck_id, prefix, effective_from) DO UPDATE SET "
	"destination = excluded.destination, "
	"rate_per_min_nano = excluded.rate_per_min_nano, "
	"connect_fee_micro = excluded.connect_fee_micro, "
	"first_ms = excluded.first_ms, next_ms = excluded.next_ms, "
	"effective_to = excluded.effective_to, "
	"is_blocked = excluded.is_blocked, terms_id = excluded.terms_id";


/* --- staging ----------------------------------------------------------- */

static bool stage_begin(struct import *im)
{
	struct request *req = im->req;
	int err;

	if (!resource_parent_is_seen(req, &resource_rate) ||
	    !change_begin(req) || !rates_lock(req))
		return false;

	err = pg_exec(req->pg, patience_sql, 0, NULL, NULL);
	if (!err)
		err = pg_exec(req->pg, stage_sql, 0, NULL, NULL);
	if (!err)
		err = pg_copy_begin(req->pg, "COPY rate_stage FROM STDIN");
	if (err) {
		request_pg_failed(req, err);
		change_abort(req);
		return false;
	}
	return true;
}


/* After the first faulty row the rest is only checked */
static int stage_row(struct import *im, const struct record *rec, size_t line)
{
	char number[24];
	int err;

	if (problem_is_set(&im->req->problem))
		return 0;

	mbuf_rewind(im->line);
	text_format(number, sizeof(number), "%zu", line);
	err = pg_copy_field(im->line, number, false);
	for (size_t i = 0; i < im->set->n && !err; i++)
		err = pg_copy_field(im->line, rec->v[i].text,
				    i + 1 == im->set->n);
	if (!err)
		err = pg_copy_row(im->req->pg, (const char *)im->line->buf,
				  im->line->end);
	++im->rows;
	return err;
}


static int refuse_twice(struct request *req)
{
	PGresult *result = NULL;
	int err = pg_exec(req->pg, twice_sql, 0, NULL, &result);

	for (int i = 0; !err && i < PQntuples(result); i++) {
		char pointer[64];

		text_format(pointer, sizeof(pointer), "/%s/prefix",
			    PQgetvalue(result, i, 0));
		problem_add(&req->problem, pointer, "repeated", NULL,
			    "prefix %s is there twice with the same "
			    "effective_from",
			    PQgetvalue(result, i, 1));
	}
	PQclear(result);
	return err;
}


/* From the stage into the deck. Rolls back when it fails. */
static bool stage_move(struct import *im, bool replace)
{
	struct request *req = im->req;
	const char *deck = req->path_params[0];
	PGresult *result = NULL;
	int err = pg_exec(req->pg, fill_sql, 0, NULL, NULL);

	if (!err)
		err = refuse_twice(req);
	if (!err && problem_is_set(&req->problem)) {
		change_abort(req);
		return false;
	}
	if (!err)
		err = pg_exec(req->pg, replace ? clear_sql : close_sql, 1,
			      &deck, &result);
	if (!err) {
		PQclear(result);
		result = NULL;
		err = pg_exec(req->pg, move_sql, 1, &deck, &result);
	}
	if (err)
		change_refused(req, &resource_rate, NULL, err, result);
	PQclear(result);
	return !err;
}


static json_t *summary(const struct import *im)
{
	return json_pack("{s:s, s:I}", "rate_deck_id", im->req->path_params[0],
			 "rates", (json_int_t)im->rows);
}


/* Every row is staged (err 0) or refused: end COPY and finish */
static void stage_end(struct import *im, int err, bool replace)
{
	struct request *req = im->req;
	json_t *after;

	if (!err || err != ECONNRESET) {
		const int end = pg_copy_end(req->pg);

		err = err ? err : end;
	}
	if (err && !problem_is_set(&req->problem))
		request_pg_failed(req, err);
	if (problem_is_set(&req->problem)) {
		change_abort(req);
		return;
	}
	if (!stage_move(im, replace))
		return;

	after = summary(im);
	request_answer(req, 200, after);
	if (change_audit(req, "rates", req->path_params[0], NULL, after))
		(void)change_commit(req);
}


/* --- JSON -------------------------------------------------------------- */

static int json_rows(struct import *im, const json_t *body)
{
	struct problem *p = &im->req->problem;
	int err = 0;

	for (size_t i = 0; i < json_array_size(body) && !err; i++) {
		struct record *rec = NULL;
		char at[24];

		text_format(at, sizeof(at), "/%zu", i);
		err = record_decode(&rec, im->set, json_array_get(body, i),
				    at, p);
		if (!err)
			err = stage_row(im, rec, i);
		mem_deref(rec);
	}
	return err;
}


static void import_run(struct request *req, bool replace,
		       int (*rows)(struct import *im, const json_t *body),
		       const json_t *body)
{
	struct import im = {.req = req, .set = resource_rate.set,
			    .line = mbuf_alloc(256)};

	if (!im.line)
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");
	else if (stage_begin(&im))
		stage_end(&im, rows(&im, body), replace);
	mem_deref(im.line);
}


operation_h rate_replace, rate_import;


void rate_replace(struct request *req)
{
	json_t *body = request_json(req);

	if (body && !json_is_array(body))
		problem_add(&req->problem, "", "wrong_type", NULL,
			    "must be an array of rates");
	else if (json_array_size(body) > JSON_ROWS_MAX)
		problem_add(&req->problem, "", "out_of_range", NULL,
			    "at most %d rates; import more as text/csv",
			    JSON_ROWS_MAX);
	if (!problem_is_set(&req->problem))
		import_run(req, true, json_rows, body);
	json_decref(body);
}


/* --- CSV --------------------------------------------------------------- */

/* Which field each column is; columns[i] == set->n is none */
static bool header_read(struct import *im, struct csv *csv,
			size_t columns[CSV_FIELDS_MAX])
{
	struct problem *p = &im->req->problem;

	if (csv_next(csv)) {
		problem_set(p, PROBLEM_VALIDATION,
			    "the first line must name the columns");
		return false;
	}
	for (size_t i = 0; i < csv->n; i++) {
		columns[i] = field_index(im->set, csv->fields[i]);
		if (columns[i] == im->set->n)
			problem_add(p, "/1", "unknown", NULL,
				    "line 1: no such column: %s",
				    csv->fields[i]);
		for (size_t k = 0; k < i; k++) {
			if (columns[k] == columns[i])
				problem_add(p, "/1", "repeated", NULL,
					    "line 1: column %s is there twice",
					    csv->fields[i]);
		}
	}
	return !problem_is_set(p);
}


static int csv_row(struct import *im, const struct csv *csv,
		   const size_t columns[CSV_FIELDS_MAX], size_t n)
{
	json_t *row = json_object();
	struct record *rec = NULL;
	char at[24];
	int err = 0;

	text_format(at, sizeof(at), "/%zu", csv->line);
	if (csv->n != n)
		problem_add(&im->req->problem, at, "bad_form", NULL,
			    "line %zu: %zu columns, the first line has %zu",
			    csv->line, csv->n, n);
	for (size_t i = 0; i < csv->n && i < n; i++) {
		const struct field *f = &im->set->fields[columns[i]];
		json_t *value = field_cell(f, csv->fields[i]);

		if (value && json_object_set_new(row, f->name, value))
			err = ENOMEM;
		if (!value && *csv->fields[i])
			problem_add(&im->req->problem, at, "bad_form", NULL,
				    "line %zu: %s is not UTF-8", csv->line,
				    f->name);
	}
	if (!err)
		err = record_decode(&rec, im->set, row, at,
				    &im->req->problem);
	if (!err)
		err = stage_row(im, rec, csv->line);

	mem_deref(rec);
	json_decref(row);
	return err;
}


static int csv_rows(struct import *im, const json_t *body)
{
	struct request *req = im->req;
	size_t columns[CSV_FIELDS_MAX], n;
	struct csv csv;
	int err = 0, end = 0;

	(void)body;
	csv_open(&csv, req->body, req->body_len);
	if (!header_read(im, &csv, columns))
		return 0;

	n = csv.n;
	while (!err) {
		end = csv_next(&csv);
		if (end)
			break;
		err = csv_row(im, &csv, columns, n);
	}
	if (end && end != ENOENT)
		problem_set(&req->problem, PROBLEM_VALIDATION,
			    "line %zu is not CSV (RFC 4180)", csv.line);
	return err;
}


void rate_import(struct request *req)
{
	if (!req->body_len)
		problem_set(&req->problem, PROBLEM_BAD_REQUEST,
			    "the body is empty");
	else if (memchr(req->body, '\0', req->body_len))
		problem_set(&req->problem, PROBLEM_BAD_REQUEST,
			    "the body holds a NUL character");
	else
		import_run(req, false, csv_rows, NULL);
}
