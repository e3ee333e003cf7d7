/**
 * @file dead_letter.c  /v1/dead-letters: call records that the database
 * refused, with the reason. `strowger journal retry` loads those that are open
 * again; who knows that one never will be says so here.
 */
#include <errno.h>
#include <string.h>
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

static const struct field fields[] = {
	{.name = "id", .type = FIELD_NUMBER, .column = "id"},
	{.name = "node", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "node"},
	{.name = "status", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "status",
	 .choices = (const char *const[]){"open", "loaded", "discarded",
					  NULL}},
	{.name = "segment", .type = FIELD_NUMBER, .column = "segment"},
	{.name = "offset", .type = FIELD_NUMBER, .column = "offset_bytes"},
	{.name = "number", .type = FIELD_NUMBER, .column = "number"},
	{.name = "bytes", .type = FIELD_NUMBER, .flags = F_READ_ONLY,
	 .read = "length(t.frame)"},
	{.name = "sqlstate", .type = FIELD_TEXT, .column = "sqlstate"},
	{.name = "error", .type = FIELD_TEXT, .column = "error"},
	{.name = "refused_at", .type = FIELD_TIME, .column = "refused_at"},
	{.name = "tries", .type = FIELD_NUMBER, .column = "tries"},
	{.name = "tried_at", .type = FIELD_TIME, .column = "tried_at"},
	{.name = "loaded_at", .type = FIELD_TIME, .column = "loaded_at"},
	{.name = "discarded_at", .type = FIELD_TIME,
	 .column = "discarded_at"},
	{.name = "discard_note", .type = FIELD_TEXT,
	 .column = "discard_note"},
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_dead_letter = {
	.kind = "dead_letter", .table = "cdr.dead_letter", .key = "id",
	.key_type = "bigint", .path = "/v1/dead-letters",
	.newest_first = true, .set = &set,
};

static const struct field discard_fields[] = {
	{.name = "note", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 1,
	 .max = 255, .form = form_is_name,
	 .form_is = "free of control characters"},
};
static const struct field_set discard_set = FIELD_SET(discard_fields);


/* The row that the path names. @return NULL: answered */
static json_t *letter_need(struct request *req)
{
	const char *id = req->path_params[0];
	uint64_t number;

	if (text_u64(&number, id, strlen(id), INT64_MAX)) {
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no dead letter of this number");
		return NULL;
	}

	return resource_need(req, &resource_dead_letter, id, false, NULL);
}


operation_h dead_letter_get, dead_letter_discard;


void dead_letter_get(struct request *req)
{
	json_t *letter = letter_need(req);

	if (letter)
		request_answer(req, 200, letter);
}


/* A letter that is loaded, or was discarded before, stays what it is. */
static void discard(struct request *req, const struct record *rec,
		    json_t *before)
{
	const char *params[] = {req->path_params[0],
				record_text(rec, "note")};
	PGresult *result = NULL;
	json_t *after;

	if (!change_begin(req))
		return;
	if (pg_exec(req->pg, "SELECT cdr.dead_letter_discard($1, $2)", 2,
		    params, &result)) {
		change_refused(req, &resource_dead_letter, NULL, EIO, NULL);
		return;
	}
	if (*PQgetvalue(result, 0, 0) != 't') {
		problem_set(&req->problem, PROBLEM_CONFLICT,
			    "it is loaded, or was discarded before");
		change_abort(req);
		goto out;
	}

	after = letter_need(req);
	if (!after) {
		change_abort(req);
		goto out;
	}
	request_answer(req, 200, after);
	if (change_audit(req, "dead_letter", params[0], before, after))
		(void)change_commit(req);

 out:
	PQclear(result);
}


void dead_letter_discard(struct request *req)
{
	struct record *rec = NULL;
	json_t *body = request_json(req), *before = NULL;

	if (!body)
		return;

	if (record_decode(&rec, &discard_set, body, "", &req->problem)) {
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
		goto out;
	}
	if (problem_is_set(&req->problem))
		goto out;

	before = letter_need(req);
	if (before)
		discard(req, rec, before);

 out:
	json_decref(before);
	mem_deref(rec);
	json_decref(body);
}
