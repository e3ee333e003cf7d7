/**
 * @file rate_sheet.c  /v1/rate-imports: rate sheets that were brought, what
 * they would change, and the orders to check, apply and take back one.
 */
#include <string.h>
#include "change.h"
#include "form.h"
#include "id.h"
#include "moment.h"
#include "pg.h"
#include "rate_import_job.h"
#include "resource.h"
#include "text.h"

#define COUNT(name_, column_) \
	{.name = (name_), .type = FIELD_NUMBER, .flags = F_READ_ONLY, \
	 .column = (column_)}

static const struct field fields[] = {
	FIELD_ROW_ID("imp_"),
	{.name = "rate_deck_id", .type = FIELD_ID,
	 .flags = F_READ_ONLY | F_FILTER, .column = "deck_id",
	 .choices = (const char *const[]){"dck_", NULL}},
	{.name = "mode", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "mode"},
	{.name = "effective_from", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "effective_from"},
	{.name = "status", .type = FIELD_TEXT,
	 .flags = F_READ_ONLY | F_FILTER, .column = "status"},
	COUNT("lines", "lines"),
	COUNT("changes.new", "added"),
	COUNT("changes.dearer", "dearer"),
	COUNT("changes.cheaper", "cheaper"),
	COUNT("changes.changed", "changed"),
	COUNT("changes.same", "same"),
	COUNT("changes.closed", "closed"),
	{.name = "impact", .type = FIELD_JSON, .flags = F_READ_ONLY,
	 .column = "impact"},
	{.name = "applied_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "applied_at"},
	{.name = "rolled_back_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "rolled_back_at"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_rate_sheet = {
	.kind = "rate_import", .table = "core.rate_import", .key = "id",
	.key_type = "text", .id_prefix = "imp_", .path = "/v1/rate-imports",
	.newest_first = true, .is_versioned = true, .set = &set,
};

#define OLD(name_, type_, column_) \
	{.name = "old." name_, .type = (type_), .flags = F_READ_ONLY, \
	 .column = (column_)}

static const struct field row_fields[] = {
	COUNT("n", "n"),
	COUNT("line", "line"),
	{.name = "prefix", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "prefix"},
	{.name = "change", .type = FIELD_TEXT,
	 .flags = F_READ_ONLY | F_FILTER, .column = "change"},
	{.name = "destination", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "destination"},
	{.name = "rate_per_min", .type = FIELD_RATE, .flags = F_READ_ONLY,
	 .column = "rate_per_min_nano"},
	{.name = "connect_fee", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .column = "connect_fee_micro"},
	COUNT("initial_ms", "first_ms"),
	COUNT("increment_ms", "next_ms"),
	{.name = "effective_from", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "effective_from"},
	{.name = "effective_to", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "effective_to"},
	{.name = "blocked", .type = FIELD_FLAG, .flags = F_READ_ONLY,
	 .column = "is_blocked"},
	{.name = "terms_id", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "terms_id"},
	OLD("destination", FIELD_TEXT, "old_destination"),
	OLD("rate_per_min", FIELD_RATE, "old_rate_per_min_nano"),
	OLD("connect_fee", FIELD_MONEY, "old_connect_fee_micro"),
	OLD("initial_ms", FIELD_NUMBER, "old_first_ms"),
	OLD("increment_ms", FIELD_NUMBER, "old_next_ms"),
	OLD("effective_from", FIELD_TIME, "old_effective_from"),
	OLD("blocked", FIELD_FLAG, "old_is_blocked"),
	OLD("terms_id", FIELD_TEXT, "old_terms_id"),
	{.name = "difference_percent", .type = FIELD_TEXT,
	 .flags = F_READ_ONLY,
	 .read = "(t.difference_bp::numeric / 100)::numeric(20,2)::text"},
};
static const struct field_set row_set = FIELD_SET(row_fields);

const struct resource resource_rate_sheet_row = {
	.kind = "rate_import_row", .table = "core.rate_import_row",
	.key = "n", .key_type = "bigint", .path = "/rows",
	.parent = &resource_rate_sheet, .parent_column = "import_id",
	.set = &row_set,
};


/* --- bringing one ------------------------------------------------------- */

static int sheet_insert(struct request *req, const char *id, const char *mode,
			const char *from)
{
	const char *row[] = {id, req->path_params[0], mode, from};

	return pg_exec(req->pg,
		       "INSERT INTO core.rate_import (id, deck_id, mode, "
		       "effective_from) VALUES ($1, $2, "
		       "coalesce($3, 'merge'), coalesce($4::timestamptz, "
		       "date_trunc('milliseconds', now())))",
		       4, row, NULL);
}


static bool parameters_are_right(struct request *req, const char *mode,
				 const char *from)
{
	int64_t at;

	if (mode && strcmp(mode, "merge") != 0 && strcmp(mode, "replace") != 0)
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "mode must be merge or replace");
	else if (from && form_time(&at, from))
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "effective_from must be a time as "
			    "2027-01-31T00:00:00Z");
	else if (!req->body_len || memchr(req->body, '\0', req->body_len))
		problem_set(&req->problem, PROBLEM_BAD_REQUEST,
			    "the body must be CSV, without NUL characters");

	return !problem_is_set(&req->problem);
}


operation_h rate_sheet_create, rate_sheet_apply, rate_sheet_rollback;


void rate_sheet_create(struct request *req)
{
	const char *mode = request_query(req, "mode");
	const char *from = request_query(req, "effective_from");
	struct job_order job = {.kind = &job_kind_rate_check,
				.input = req->body};
	char id[ID_TEXT_SIZE];
	struct moment now;
	int err;

	if (!parameters_are_right(req, mode, from) ||
	    !resource_parent_is_seen(req, &resource_rate) ||
	    !change_begin(req))
		return;

	moment_read(&now);
	id_make(id, "imp_", req->rng, moment_wall_ms(&now));
	err = sheet_insert(req, id, mode, from);
	if (err) {
		change_refused(req, &resource_rate_sheet, NULL, err, NULL);
		return;
	}

	job.args = json_pack("{s:s, s:s}", "rate_import_id", id,
			     "rate_deck_id", req->path_params[0]);
	if (job_create(req, &job))
		(void)change_commit(req);
	json_decref(job.args);
}


/* --- doing it, and taking it back --------------------------------------- */

static void order(struct request *req, const struct job_kind *kind,
		  const char *status)
{
	const char *id = req->path_params[0];
	struct job_order job = {.kind = kind};
	json_t *row;

	if (!change_begin(req))
		return;

	row = resource_need(req, &resource_rate_sheet, id, true, NULL);
	if (row && strcmp(json_string_value(json_object_get(row, "status")),
			  status) != 0)
		problem_set(&req->problem, PROBLEM_CONFLICT,
			    "the import is %s, and only one that is %s can "
			    "be %s", json_string_value(
					     json_object_get(row, "status")),
			    status, kind == &job_kind_rate_apply
					    ? "applied" : "rolled back");
	if (problem_is_set(&req->problem)) {
		change_abort(req);
		json_decref(row);
		return;
	}

	job.args = json_pack("{s:s, s:O}", "rate_import_id", id,
			     "rate_deck_id",
			     json_object_get(row, "rate_deck_id"));
	if (job_create(req, &job))
		(void)change_commit(req);
	json_decref(job.args);
	json_decref(row);
}


void rate_sheet_apply(struct request *req)
{
	order(req, &job_kind_rate_apply, "ready");
}


void rate_sheet_rollback(struct request *req)
{
	order(req, &job_kind_rate_rollback, "applied");
}
