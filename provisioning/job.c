/**
 * @file job.c  /v1/jobs: long work as a row; and what a kind of job does with
 * its own.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "id.h"
#include "job_private.h"
#include "rate_import_job.h"
#include "moment.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

#define TELL_MS 500
#define VALUE_MAX 128

const struct job_kind *const job_kinds[] = {
	&job_kind_cdr_export,
	&job_kind_cdr_retention,
	&job_kind_cdr_delivery,
	&job_kind_invoice_run,
	&job_kind_rerate_check,
	&job_kind_rerate_apply,
	&job_kind_reconciliation,
	&job_kind_rate_check,
	&job_kind_rate_apply,
	&job_kind_rate_rollback,
};
const size_t job_kind_n = sizeof(job_kinds) / sizeof(job_kinds[0]);

static const struct field fields[] = {
	FIELD_ROW_ID("job_"),
	{.name = "kind", .type = FIELD_TEXT,
	 .flags = F_READ_ONLY | F_FILTER, .column = "kind"},
	FIELD_REFERENCE("tenant_id", "ten_", F_READ_ONLY),
	{.name = "status", .type = FIELD_TEXT,
	 .flags = F_READ_ONLY | F_FILTER, .column = "status"},
	{.name = "progress.done", .type = FIELD_NUMBER,
	 .flags = F_READ_ONLY, .column = "done"},
	{.name = "progress.total", .type = FIELD_NUMBER,
	 .flags = F_READ_ONLY, .column = "total"},
	{.name = "errors", .type = FIELD_NUMBER, .flags = F_READ_ONLY,
	 .column = "errors"},
	{.name = "result", .type = FIELD_JSON, .flags = F_READ_ONLY,
	 .column = "result"},
	{.name = "detail", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "detail"},
	{.name = "args", .type = FIELD_JSON, .flags = F_READ_ONLY,
	 .column = "args"},
	{.name = "cancel_wanted", .type = FIELD_FLAG, .flags = F_READ_ONLY,
	 .column = "cancel_wanted"},
	{.name = "started_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "started_at"},
	{.name = "finished_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "finished_at"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_job = {
	.kind = "job", .table = "core.job", .key = "id", .key_type = "text",
	.id_prefix = "job_", .path = "/v1/jobs", .owner = "t.tenant_id",
	.newest_first = true, .is_versioned = true, .set = &set,
};

static const struct field error_fields[] = {
	{.name = "n", .type = FIELD_NUMBER, .column = "n"},
	{.name = "line", .type = FIELD_NUMBER, .column = "line"},
	{.name = "column", .type = FIELD_TEXT, .read = "t.\"column\""},
	{.name = "value", .type = FIELD_TEXT, .column = "value"},
	{.name = "code", .type = FIELD_TEXT, .column = "code"},
	{.name = "hint", .type = FIELD_TEXT, .column = "hint"},
};
static const struct field_set error_set = FIELD_SET(error_fields);

const struct resource resource_job_error = {
	.kind = "job_error", .table = "core.job_error", .key = "n",
	.key_type = "bigint", .path = "/errors",
	.owner = OWNER_BY("job", "job_id"),
	.parent = &resource_job, .parent_column = "job_id",
	.set = &error_set,
};


const struct job_kind *job_kind_find(const char *name)
{
	for (size_t i = 0; i < job_kind_n; i++) {
		if (!strcmp(job_kinds[i]->name, name))
			return job_kinds[i];
	}
	return NULL;
}


/* --- asking for it ------------------------------------------------------ */

static int job_insert(struct request *req, const struct job_order *order,
		      const char *id, const char *args)
{
	const char *row[] = {id, order->kind->name, order->tenant_id,
			     req->caller.key_id, args};
	const char *input[] = {id, order->input};
	int err = pg_exec(req->pg,
			  "INSERT INTO core.job (id, kind, tenant_id, key_id, "
			  "args) VALUES ($1, $2, $3, $4, $5)",
			  5, row, NULL);

	if (!err && order->input)
		err = pg_exec(req->pg,
			      "INSERT INTO core.job_text (job_id, direction, "
			      "n, body) VALUES ($1, 'in', 0, $2)",
			      2, input, NULL);
	if (!err)
		err = pg_exec(req->pg, "NOTIFY strowger_job", 0, NULL, NULL);
	return err;
}


bool job_create(struct request *req, const struct job_order *order)
{
	char *args = json_dumps(order->args, JSON_COMPACT);
	char id[ID_TEXT_SIZE], version[24];
	struct moment now;
	json_t *row;
	int err;

	moment_read(&now);
	id_make(id, "job_", req->rng, moment_wall_ms(&now));
	err = args ? job_insert(req, order, id, args) : ENOMEM;
	free(args);
	if (err) {
		change_refused(req, &resource_job, NULL, err, NULL);
		return false;
	}

	row = resource_need(req, &resource_job, id, false, version);
	if (!row) {
		change_abort(req);
		return false;
	}
	request_answer(req, 202, row);
	request_etag(req, version, row);
	resource_location(req->answer.location, sizeof(req->answer.location),
			  &resource_job, req, id);
	return change_audit(req, "job", id, NULL, row);
}


operation_h job_cancel, job_output_get;


/* What is queued ends here, what is running is told to */
void job_cancel(struct request *req)
{
	const char *id = req->path_params[0];
	json_t *before, *after = NULL;
	char version[24];
	int err;

	if (!change_begin(req))
		return;
	before = resource_need(req, &resource_job, id, true, version);
	if (!before) {
		change_abort(req);
		return;
	}

	err = pg_exec(req->pg,
		      "UPDATE core.job SET cancel_wanted = true, status = "
		      "CASE status WHEN 'queued' THEN 'cancelled' ELSE status "
		      "END, finished_at = CASE status WHEN 'queued' THEN "
		      "now() ELSE finished_at END WHERE id = $1 AND status IN "
		      "('queued', 'running')",
		      1, &id, NULL);
	if (err) {
		change_refused(req, &resource_job, NULL, err, NULL);
		goto out;
	}
	after = resource_need(req, &resource_job, id, false, version);
	if (!after) {
		change_abort(req);
		goto out;
	}
	request_etag(req, version, after);
	request_answer(req, 200, json_incref(after));
	if (change_audit(req, "job", id, before, after))
		(void)change_commit(req);

 out:
	json_decref(before);
	json_decref(after);
}


void job_output_get(struct request *req)
{
	const char *id = req->path_params[0];
	json_t *row = resource_need(req, &resource_job, id, false, NULL);
	PGresult *result = NULL;
	int err;

	if (!row)
		return;
	json_decref(row);

	err = pg_exec(req->pg,
		      "SELECT string_agg(body, '' ORDER BY n) FROM "
		      "core.job_text WHERE job_id = $1 AND direction = 'out'",
		      1, &id, &result);
	if (err)
		request_pg_failed(req, err);
	else if (PQgetisnull(result, 0, 0))
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "the job %s has no output", id);
	else
		req->answer.text = strdup(PQgetvalue(result, 0, 0));
	PQclear(result);
	req->answer.text_type = "text/csv";
	req->answer.status = 200;
	if (!req->answer.text)
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");
}


/* --- doing it ----------------------------------------------------------- */

const char *job_id(const struct job *job)
{
	return job->id;
}


const char *job_tenant(const struct job *job)
{
	return *job->tenant_id ? job->tenant_id : NULL;
}


const char *job_key(const struct job *job)
{
	return job->key_id;
}


const json_t *job_args(const struct job *job)
{
	return job->args;
}


struct pg *job_pg(struct job *job)
{
	return job->pg;
}


struct rng *job_rng(struct job *job)
{
	return job->rng;
}


char *job_input(struct job *job, size_t *ret_len)
{
	const char *id = job->id;
	PGresult *result = NULL;
	char *text = NULL;
	int err = pg_exec(job->watch,
			  "SELECT body FROM core.job_text WHERE job_id = $1 "
			  "AND direction = 'in' ORDER BY n",
			  1, &id, &result);

	if (!err && PQntuples(result) == 1) {
		text = strdup(PQgetvalue(result, 0, 0));
		*ret_len = (size_t)PQgetlength(result, 0, 0);
	}
	PQclear(result);
	return text;
}


bool job_progress(struct job *job, uint64_t done, uint64_t total)
{
	char texts[2][24];
	const char *params[] = {job->id, texts[0], total ? texts[1] : NULL};
	PGresult *result = NULL;
	struct moment now;

	moment_read(&now);
	if (atomic_load(job->is_stopping))
		return false;
	if (job->is_cancelled ||
	    moment_ms(&now) - job->told_ms < TELL_MS)
		return !job->is_cancelled;

	job->told_ms = moment_ms(&now);
	text_format(texts[0], sizeof(texts[0]), "%llu",
		    (unsigned long long)done);
	text_format(texts[1], sizeof(texts[1]), "%llu",
		    (unsigned long long)total);
	if (!pg_exec(job->watch,
		     "UPDATE core.job SET done = $2, total = $3 WHERE id = $1 "
		     "RETURNING cancel_wanted",
		     3, params, &result))
		job->is_cancelled = PQntuples(result) != 1 ||
				    *PQgetvalue(result, 0, 0) == 't';
	PQclear(result);
	return !job->is_cancelled;
}


void job_error(struct job *job, uint64_t line, const char *column,
	       const char *value, const char *code, const char *hint, ...)
{
	char n[24], number[24], text[256], cut[VALUE_MAX + 1] = "";
	const char *params[] = {job->id, n, line ? number : NULL, column,
				value ? cut : NULL, code, text};
	struct problem p = {0};
	va_list ap;

	if (job->error_n++ >= JOB_ERRORS_MAX)
		return;

	va_start(ap, hint);
	if (vsnprintf(text, sizeof(text), hint, ap) < 0)
		*text = '\0';
	va_end(ap);
	text_format(n, sizeof(n), "%llu", (unsigned long long)job->error_n);
	text_format(number, sizeof(number), "%llu", (unsigned long long)line);
	/* what was cut, or came in, need not be UTF-8 */
	if (value) {
		problem_set(&p, PROBLEM_VALIDATION, "%.*s", VALUE_MAX, value);
		(void)text_copy(cut, sizeof(cut), p.detail);
		problem_clear(&p);
	}
	(void)pg_exec(job->watch,
		      "INSERT INTO core.job_error (job_id, n, line, "
		      "\"column\", value, code, hint) VALUES ($1, $2, $3, $4, "
		      "$5, $6, $7)",
		      7, params, NULL);
}


uint64_t job_error_n(const struct job *job)
{
	return job->error_n;
}


int job_output(struct job *job, const char *text)
{
	char n[16];
	const char *params[] = {job->id, n, text};

	text_format(n, sizeof(n), "%d", job->output_n++);
	return pg_exec(job->pg,
		       "INSERT INTO core.job_text (job_id, direction, n, body) "
		       "VALUES ($1, 'out', $2, $3)",
		       3, params, NULL);
}


void job_result(struct job *job, json_t *result)
{
	json_decref(job->result);
	job->result = result;
}


void job_fail(struct job *job, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(job->detail, sizeof(job->detail), fmt, ap) < 0)
		*job->detail = '\0';
	va_end(ap);
}
