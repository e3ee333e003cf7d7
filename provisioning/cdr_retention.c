/**
 * @file cdr_retention.c  /v1/cdr-retention-rules: how long call records are
 * kept; the job that deletes what is older, and what it wrote down.
 */
#include <errno.h>
#include <stdlib.h>
#include "change.h"
#include "job.h"
#include "pg.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("crr_"),
	{.name = "class", .type = FIELD_CHOICE,
	 .flags = F_REQUIRED | F_FIXED | F_FILTER, .column = "class",
	 .choices = (const char *const[]){"answered", "unanswered", "attempt",
					  "charge", "decision", NULL}},
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE | F_FIXED),
	{.name = "keep_days", .type = FIELD_NUMBER, .flags = F_REQUIRED,
	 .column = "keep_days", .min = 1, .max = 36500},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("retention_rule_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "retention_rule_scope", .field = "tenant_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "charges and decisions are of no single tenant"},
	{.constraint = "retention_rule_once", .field = "class",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "there is a rule of this class and tenant"},
	{.constraint = NULL},
};

const struct resource resource_cdr_retention_rule = {
	.kind = "cdr_retention_rule", .table = "cdr.retention_rule",
	.key = "id", .key_type = "text", .id_prefix = "crr_",
	.path = "/v1/cdr-retention-rules", .is_versioned = true, .set = &set,
	.refusals = refusals,
};

static const struct field deletion_fields[] = {
	{.name = "id", .type = FIELD_NUMBER, .column = "id"},
	{.name = "rule_id", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "rule_id"},
	{.name = "class", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "class"},
	FIELD_REFERENCE("tenant_id", "ten_", F_READ_ONLY),
	{.name = "keep_days", .type = FIELD_NUMBER, .column = "keep_days"},
	{.name = "method", .type = FIELD_TEXT, .column = "method"},
	{.name = "rows_deleted", .type = FIELD_NUMBER,
	 .column = "rows_deleted"},
	{.name = "first_started_at", .type = FIELD_TIME,
	 .column = "first_started_at"},
	{.name = "last_started_at", .type = FIELD_TIME,
	 .column = "last_started_at"},
	{.name = "deleted_at", .type = FIELD_TIME, .column = "deleted_at"},
};
static const struct field_set deletion_set = FIELD_SET(deletion_fields);

const struct resource resource_cdr_deletion = {
	.kind = "cdr_deletion", .table = "cdr.deletion", .key = "id",
	.key_type = "bigint", .path = "/v1/cdr-deletions",
	.newest_first = true, .set = &deletion_set,
};


operation_h cdr_retention_run;


/* As the daily one, now. */
void cdr_retention_run(struct request *req)
{
	struct job_order job = {.kind = &job_kind_cdr_retention};

	if (!change_begin(req))
		return;
	job.args = json_object();
	if (job_create(req, &job))
		(void)change_commit(req);
	json_decref(job.args);
}


/* Each step is a transaction of its own: nothing waits for it long, and what
   is deleted is written down with it. */
static int run(struct job *job)
{
	uint64_t done = 0, n = 1;
	int err = 0;

	while (!err && n) {
		PGresult *row = NULL;

		err = pg_exec(job_pg(job), "SELECT cdr.retain()", 0, NULL,
			      &row);
		n = err ? 0 : strtoull(PQgetvalue(row, 0, 0), NULL, 10);
		PQclear(row);
		done += n;
		if (!err && n && !job_progress(job, done, 0))
			err = ECANCELED;
	}
	if (!err)
		job_result(job, json_pack("{s:I}", "rows_deleted",
					  (json_int_t)done));
	return err;
}


const struct job_kind job_kind_cdr_retention = {
	.name = "cdr_retention", .is_resumable = true, .run = run,
};
