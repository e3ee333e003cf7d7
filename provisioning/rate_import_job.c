/**
 * @file rate_import_job.c  The work on a rate sheet: each line is checked and
 * staged by COPY, the database compares, applies and takes back.
 */
#include "rate_import_job.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "csv.h"
#include "field.h"
#include "pg.h"
#include "problem.h"
#include "resource.h"
#include "text.h"

#define PROGRESS_LINES 256

/** A sheet on its way into the stage. */
struct sheet {
	struct job *job;
	const struct field_set *set;
	struct csv csv;
	size_t columns[CSV_FIELDS_MAX], n;
	struct mbuf *line;
	uint64_t total;
	uint64_t staged;
};

/* unique: one rate of a prefix a sheet; what is not said has its default */
static const char stage_sql[] =
	"CREATE TEMP TABLE rate_stage (line bigint, prefix text, "
	"destination text, rate_per_min_nano bigint, "
	"connect_fee_micro bigint, first_ms integer, next_ms integer, "
	"effective_from timestamptz, effective_to timestamptz, "
	"is_blocked boolean, terms_id text) ON COMMIT DROP";

static const char fill_sql[] =
	"UPDATE rate_stage s SET "
	"effective_from = coalesce(s.effective_from, i.effective_from), "
	"destination = coalesce(s.destination, ''), "
	"connect_fee_micro = coalesce(s.connect_fee_micro, 0), "
	"first_ms = coalesce(s.first_ms, 1000), "
	"next_ms = coalesce(s.next_ms, 1000), "
	"is_blocked = coalesce(s.is_blocked, false) "
	"FROM core.rate_import i WHERE i.id = $1";

static const char twice_sql[] =
	"SELECT max(line), prefix, min(line) FROM rate_stage GROUP BY prefix "
	"HAVING count(*) > 1 ORDER BY 1 LIMIT 1000";

static const char span_sql[] =
	"SELECT line, effective_to FROM rate_stage "
	"WHERE effective_to <= effective_from ORDER BY line LIMIT 1000";


static const char *arg(const struct job *job, const char *name)
{
	return json_string_value(json_object_get(job_args(job), name));
}


/* --- reading ------------------------------------------------------------ */

/* Which field each column is. */
static bool header_read(struct sheet *sh)
{
	const uint64_t before = job_error_n(sh->job);

	if (csv_next(&sh->csv)) {
		job_error(sh->job, 1, NULL, NULL, "bad_form",
			  "the first line must name the columns");
		return false;
	}

	sh->n = sh->csv.n;
	for (size_t i = 0; i < sh->n; i++) {
		const char *name = sh->csv.fields[i];

		sh->columns[i] = field_index(sh->set, name);
		if (sh->columns[i] == sh->set->n)
			job_error(sh->job, 1, name, NULL, "unknown",
				  "columns are prefix, destination, "
				  "rate_per_min, connect_fee, initial_ms, "
				  "increment_ms, effective_from, "
				  "effective_to, blocked, terms_id");
		for (size_t k = 0; k < i; k++) {
			if (sh->columns[k] == sh->columns[i])
				job_error(sh->job, 1, name, NULL, "repeated",
					  "the column is there twice");
		}
	}

	return job_error_n(sh->job) == before;
}


static int row_json(struct sheet *sh, json_t *row)
{
	for (size_t i = 0; i < sh->n; i++) {
		const struct field *f = &sh->set->fields[sh->columns[i]];
		const char *text = sh->csv.fields[i];
		json_t *value = field_cell(f, text);

		if (value && json_object_set_new(row, f->name, value))
			return ENOMEM;
		if (!value && *text)
			job_error(sh->job, sh->csv.line, f->name, NULL,
				  "bad_form", "is not UTF-8");
	}

	return 0;
}


/* The faults of one line, as errors of the job. */
static void faults_tell(struct sheet *sh, const struct problem *p)
{
	const json_t *fault;
	size_t i;

	json_array_foreach(p->errors, i, fault) {
		const char *at = json_string_value(
			json_object_get(fault, "pointer"));
		const json_t *value = json_object_get(fault, "value");
		char text[128];

		if (json_is_string(value))
			(void)text_copy(text, sizeof(text),
					json_string_value(value));
		else
			text_format(text, sizeof(text), "%lld",
				    (long long)json_integer_value(value));
		job_error(sh->job, sh->csv.line, at && *at ? at + 1 : NULL,
			  value ? text : NULL,
			  json_string_value(json_object_get(fault, "code")),
			  "%s", json_string_value(
					json_object_get(fault, "detail")));
	}
}


/* After the first faulty line the rest is only checked */
static int row_stage(struct sheet *sh, const struct record *rec)
{
	char number[24];
	int err;

	if (job_error_n(sh->job))
		return 0;

	mbuf_rewind(sh->line);
	text_format(number, sizeof(number), "%zu", sh->csv.line);
	err = pg_copy_field(sh->line, number, false);
	for (size_t i = 0; i < sh->set->n && !err; i++)
		err = pg_copy_field(sh->line, rec->v[i].text,
				    i + 1 == sh->set->n);
	if (!err)
		err = pg_copy_row(job_pg(sh->job),
				  (const char *)sh->line->buf, sh->line->end);
	sh->staged++;

	return err;
}


static int row_read(struct sheet *sh)
{
	struct problem p = {0};
	struct record *rec = NULL;
	json_t *row;
	int err;

	if (sh->csv.n != sh->n) {
		job_error(sh->job, sh->csv.line, NULL, NULL, "bad_form",
			  "has %zu columns, the first line %zu", sh->csv.n,
			  sh->n);
		return 0;
	}

	row = json_object();
	err = row ? row_json(sh, row) : ENOMEM;
	if (!err)
		err = record_decode(&rec, sh->set, row, "", &p);
	if (!err && problem_is_set(&p))
		faults_tell(sh, &p);
	else if (!err)
		err = row_stage(sh, rec);

	problem_clear(&p);
	mem_deref(rec);
	json_decref(row);

	return err;
}


static int rows_read(struct sheet *sh)
{
	int err = 0, end = 0;

	while (!err) {
		end = csv_next(&sh->csv);
		if (end)
			break;
		err = row_read(sh);
		if (!err && sh->csv.line % PROGRESS_LINES == 0 &&
		    !job_progress(sh->job, sh->csv.line, sh->total))
			err = ECANCELED;
	}
	if (!err && end != ENOENT)
		job_error(sh->job, sh->csv.line, NULL, NULL, "bad_form",
			  "is not CSV (RFC 4180)");

	return err;
}


static uint64_t lines_count(const char *text, size_t len)
{
	uint64_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += text[i] == '\n';

	return n;
}


/* --- what only all lines together can say ------------------------------- */

static int twice_tell(struct sheet *sh)
{
	PGresult *result = NULL;
	int err = pg_exec(job_pg(sh->job), twice_sql, 0, NULL, &result);

	for (int i = 0; !err && i < PQntuples(result); i++)
		job_error(sh->job, strtoull(PQgetvalue(result, i, 0), NULL, 10),
			  "prefix", PQgetvalue(result, i, 1), "repeated",
			  "is in line %s already: bring a later rate of the "
			  "prefix by an import of its own",
			  PQgetvalue(result, i, 2));
	PQclear(result);

	return err;
}


static int span_tell(struct sheet *sh)
{
	PGresult *result = NULL;
	int err = pg_exec(job_pg(sh->job), span_sql, 0, NULL, &result);

	for (int i = 0; !err && i < PQntuples(result); i++)
		job_error(sh->job, strtoull(PQgetvalue(result, i, 0), NULL, 10),
			  "effective_to", PQgetvalue(result, i, 1),
			  "out_of_range", "must be after effective_from");
	PQclear(result);

	return err;
}


static int stage_compare(struct sheet *sh)
{
	const char *id = arg(sh->job, "rate_import_id");
	struct pg *pg = job_pg(sh->job);
	int err = pg_exec(pg, fill_sql, 1, &id, NULL);

	if (!err)
		err = pg_exec(pg, "ANALYZE rate_stage", 0, NULL, NULL);
	if (!err)
		err = twice_tell(sh);
	if (!err)
		err = span_tell(sh);
	if (!err && !job_error_n(sh->job))
		err = pg_exec(pg, "SELECT core.rate_import_compare($1)", 1,
			      &id, NULL);

	return err;
}


/* --- checking ----------------------------------------------------------- */

static int begin(struct job *job)
{
	int err = pg_exec(job_pg(job), "BEGIN", 0, NULL, NULL);

	/* 300,000 rates are some seconds of work */
	return err ? err
		   : pg_exec(job_pg(job), "SET LOCAL statement_timeout = "
					  "'900s'", 0, NULL, NULL);
}


static int sheet_stage(struct sheet *sh)
{
	struct pg *pg = job_pg(sh->job);
	int err = begin(sh->job), end;

	if (!err)
		err = pg_exec(pg, stage_sql, 0, NULL, NULL);
	if (!err)
		err = pg_copy_begin(pg, "COPY rate_stage FROM STDIN");
	if (err)
		return err;

	err = header_read(sh) ? rows_read(sh) : 0;
	if (err == ECONNRESET)
		return err;
	end = pg_copy_end(pg);

	return err ? err : end;
}


/* Faulty lines: the import says so, and nothing else stays. */
static int sheet_fault(struct job *job)
{
	const char *id = arg(job, "rate_import_id");
	int err = pg_exec(job_pg(job), "ROLLBACK", 0, NULL, NULL);

	if (!err)
		err = pg_exec(job_pg(job),
			      "UPDATE core.rate_import SET status = 'faulty' "
			      "WHERE id = $1", 1, &id, NULL);
	job_fail(job, "%llu faults; see the errors of this job, mend the "
		      "sheet and bring it again",
		 (unsigned long long)job_error_n(job));

	return err ? err : EBADMSG;
}


static int sheet_run(struct sheet *sh)
{
	struct job *job = sh->job;
	int err = sheet_stage(sh);

	if (!err && !job_error_n(job))
		err = stage_compare(sh);
	if (!err && job_error_n(job))
		return sheet_fault(job);
	if (!err)
		err = pg_exec(job_pg(job), "COMMIT", 0, NULL, NULL);
	if (!err) {
		(void)job_progress(job, sh->total, sh->total);
		job_result(job, json_pack("{s:s, s:I}", "rate_import_id",
					  arg(job, "rate_import_id"), "lines",
					  (json_int_t)sh->staged));
	}

	return err;
}


static int check_run(struct job *job)
{
	struct sheet sh = {.job = job, .set = resource_rate.set,
			   .line = mbuf_alloc(256)};
	size_t len = 0;
	char *text = job_input(job, &len);
	int err = text && sh.line ? 0 : ENOMEM;

	if (!err) {
		csv_open(&sh.csv, text, len);
		sh.total = lines_count(text, len);
		err = sheet_run(&sh);
	}

	free(text);
	mem_deref(sh.line);

	return err;
}


/* --- applying and taking back ------------------------------------------- */

static int move(struct job *job, const char *sql)
{
	const char *id = arg(job, "rate_import_id");
	PGresult *result = NULL;
	int err = begin(job);

	if (!err)
		err = pg_exec(job_pg(job), sql, 1, &id, &result);
	if (err && result)
		job_fail(job, "%s", PQresultErrorField(
					    result, PG_DIAG_MESSAGE_PRIMARY));
	else if (!err)
		job_result(job, json_pack("{s:s, s:I}", "rate_import_id", id,
					  "rates", (json_int_t)strtoll(
						  PQgetvalue(result, 0, 0),
						  NULL, 10)));
	PQclear(result);

	return err ? err
		   : pg_exec(job_pg(job), "COMMIT", 0, NULL, NULL);
}


static int apply_run(struct job *job)
{
	return move(job, "SELECT core.rate_import_apply($1)");
}


static int rollback_run(struct job *job)
{
	return move(job, "SELECT core.rate_import_rollback($1)");
}


const struct job_kind job_kind_rate_check = {
	.name = "rate_check", .is_resumable = true, .run = check_run,
};
const struct job_kind job_kind_rate_apply = {
	.name = "rate_apply", .is_resumable = true, .run = apply_run,
};
const struct job_kind job_kind_rate_rollback = {
	.name = "rate_rollback", .is_resumable = true, .run = rollback_run,
};
