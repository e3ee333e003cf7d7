/**
 * @file reconciliation.c  /v1/reconciliations: a carrier's call records (CSV)
 * beside ours, compared by a job. `strowger reconcile` does the same with the
 * same code (command/reconcile.h).
 */
#include "json.h"
#include <errno.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "form.h"
#include "id.h"
#include "job.h"
#include "moment.h"
#include "pg.h"
#include "reconcile.h"
#include "report.h"
#include "resource.h"
#include "text.h"

#define SPAN_MAX_MS (INT64_C(93) * 86400 * 1000)
#define PARAMETER_MAX 255

#define READ(name_, type_, column_) \
	{.name = (name_), .type = (type_), .flags = F_READ_ONLY, \
	 .column = (column_)}

static const struct field fields[] = {
	FIELD_ROW_ID("rec_"),
	FIELD_REFERENCE("carrier_id", "car_", F_READ_ONLY),
	READ("from", FIELD_TIME, "from_at"),
	READ("to", FIELD_TIME, "to_at"),
	READ("file_name", FIELD_TEXT, "file_name"),
	READ("answer_time", FIELD_FLAG, "is_answer_time"),
	READ("currency", FIELD_TEXT, "currency"),
	READ("clock_offset_ms", FIELD_NUMBER, "clock_offset_ms"),
	READ("ours.calls", FIELD_NUMBER, "our_calls"),
	READ("ours.duration_ms", FIELD_NUMBER, "our_ms"),
	READ("ours.cost", FIELD_MONEY, "our_cost_micro"),
	READ("theirs.calls", FIELD_NUMBER, "their_calls"),
	READ("theirs.duration_ms", FIELD_NUMBER, "their_ms"),
	READ("theirs.cost", FIELD_MONEY, "their_cost_micro"),
	READ("matched", FIELD_NUMBER, "matched"),
	READ("faults", FIELD_NUMBER, "faults"),
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_reconciliation = {
	.kind = "reconciliation", .table = "report.reconciliation",
	.key = "id", .key_type = "text", .id_prefix = "rec_",
	.path = "/v1/reconciliations", .newest_first = true,
	.is_versioned = true, .set = &set,
};

static const struct field fault_fields[] = {
	READ("n", FIELD_NUMBER, "n"),
	{.name = "fault", .type = FIELD_TEXT, .flags = F_READ_ONLY | F_FILTER,
	 .column = "fault"},
	READ("line", FIELD_NUMBER, "line"),
	READ("called", FIELD_TEXT, "called"),
	READ("call_id", FIELD_TEXT, "call_id"),
	READ("attempt", FIELD_NUMBER, "attempt"),
	READ("ours.at", FIELD_TIME, "our_at"),
	READ("ours.duration_ms", FIELD_NUMBER, "our_ms"),
	READ("ours.cost", FIELD_MONEY, "our_cost_micro"),
	READ("theirs.at", FIELD_TIME, "their_at"),
	READ("theirs.duration_ms", FIELD_NUMBER, "their_ms"),
	READ("theirs.cost", FIELD_MONEY, "their_cost_micro"),
};
static const struct field_set fault_set = FIELD_SET(fault_fields);

const struct resource resource_reconciliation_fault = {
	.kind = "reconciliation_fault",
	.table = "report.reconciliation_fault", .key = "n",
	.key_type = "integer", .path = "/faults",
	.parent = &resource_reconciliation,
	.parent_column = "reconciliation_id", .set = &fault_set,
};

/* Parameters of the order that go into the job as they are */
static const char *const texts[] = {"from", "to", "map", "time_zone",
				    "file_name"};


/* --- asking for it ------------------------------------------------------ */

static void span_check(struct request *req)
{
	const char *from_text = request_query(req, "from");
	const char *to_text = request_query(req, "to");
	int64_t from, to;

	if (!from_text || !to_text || form_time(&from, from_text) ||
	    form_time(&to, to_text) || to <= from || to - from > SPAN_MAX_MS)
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "from and to must be times as "
			    "2027-01-31T00:00:00Z, to after from, by at most "
			    "93 days");
}


static bool order_is_right(struct request *req)
{
	const char *zone = request_query(req, "time_zone");
	const char *time_of = request_query(req, "time_of");

	span_check(req);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = request_query(req, texts[i]);

		if (text && (!*text || strlen(text) > PARAMETER_MAX ||
			     !form_is_name(text)))
			problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
				    "%s must have 1 to %d bytes and no "
				    "control characters", texts[i],
				    PARAMETER_MAX);
	}
	if (zone && !form_is_zone(zone))
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "time_zone must be as Europe/Berlin");
	if (time_of && strcmp(time_of, "begin") != 0 &&
	    strcmp(time_of, "answer") != 0)
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "time_of must be begin or answer");
	if (!req->body_len || memchr(req->body, '\0', req->body_len))
		problem_set(&req->problem, PROBLEM_BAD_REQUEST,
			    "the body must be CSV, without NUL characters");

	return !problem_is_set(&req->problem);
}


static json_t *args_of(struct request *req)
{
	const char *time_of = request_query(req, "time_of");
	char id[ID_TEXT_SIZE];
	struct moment now;
	json_t *args;

	moment_read(&now);
	id_make(id, "rec_", req->rng, moment_wall_ms(&now));
	args = json_pack("{s:s, s:s, s:b}", "reconciliation_id", id,
			 "carrier_id", req->path_params[0], "answer_time",
			 time_of && !strcmp(time_of, "answer"));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		const char *text = request_query(req, texts[i]);

		if (text)
			json_object_set_new(args, texts[i], json_string(text));
	}

	return args;
}


operation_h reconciliation_create, reconciliation_csv;


void reconciliation_create(struct request *req)
{
	struct job_order job = {.kind = &job_kind_reconciliation,
				.input = req->body};
	json_t *carrier;

	if (!order_is_right(req))
		return;
	carrier = resource_need(req, &resource_carrier, req->path_params[0],
				false, NULL);
	if (!carrier)
		return;

	json_decref(carrier);
	if (!change_begin(req))
		return;

	job.args = args_of(req);
	if (job_create(req, &job))
		(void)change_commit(req);
	json_decref(job.args);
}


/* --- the faults as a file ------------------------------------------------ */

static const char *member(const json_t *row, const char *name)
{
	return json_string_value(json_object_get(row, name));
}


/* The report of that name, in its columns */
static void answer_csv(struct request *req, const json_t *row)
{
	struct report_ask ask = {
		.report = report_find("reconciliation"),
		.by = {[REPORT_BY_RUN] = req->path_params[0],
		       [REPORT_BY_FROM] = member(row, "from"),
		       [REPORT_BY_TO] = member(row, "to"),
		       [REPORT_BY_LIMIT] = "100000"},
	};
	struct mbuf *mb = mbuf_alloc(4096);
	PGresult *rows = NULL;
	int err = report_run(&rows, req->pg, &ask, true);

	if (err)
		request_pg_failed(req, err);
	else if (mb && !report_write(mb, &ask, rows, REPORT_CSV) &&
		 !mbuf_write_u8(mb, 0))
		req->answer.text = strdup((const char *)mb->buf);
	PQclear(rows);
	mem_deref(mb);
	req->answer.text_type = "text/csv";
	req->answer.status = 200;
	if (!req->answer.text && !err)
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");
}


void reconciliation_csv(struct request *req)
{
	json_t *row = resource_need(req, &resource_reconciliation,
				    req->path_params[0], false, NULL);

	if (!row)
		return;
	if (json_integer_value(json_object_get(row, "faults")) >
	    REPORT_ROWS_MAX)
		problem_set(&req->problem, PROBLEM_TOO_MANY, "more than %d "
			    "faults: read them by pages", REPORT_ROWS_MAX);
	else
		answer_csv(req, row);
	json_decref(row);
}


/* --- doing it ----------------------------------------------------------- */

struct work {
	struct job *job;
	uint64_t lines;
};


static bool progress(void *arg, uint64_t line)
{
	const struct work *w = arg;

	return job_progress(w->job, line, w->lines);
}


static void unreadable(void *arg, const struct reconcile_fault *fault)
{
	const struct work *w = arg;

	job_error(w->job, fault->line, fault->column, fault->value, "bad_form",
		  fault->column && !fault->value ? "the line has no such "
		  "column; it must be %s" : "must be %s", fault->expected);
}


static uint64_t lines_count(const char *text)
{
	uint64_t n = 0;

	for (; (text = strchr(text, '\n')) != NULL; text++)
		n++;

	return n;
}


static int compare(struct work *w, char *text)
{
	const json_t *args = job_args(w->job);
	const struct reconcile_order order = {
		.id = member(args, "reconciliation_id"),
		.carrier = member(args, "carrier_id"),
		.from = member(args, "from"), .to = member(args, "to"),
		.map = member(args, "map"), .zone = member(args, "time_zone"),
		.file = member(args, "file_name"),
		.is_answer_time = json_is_true(
			json_object_get(args, "answer_time")),
		.progress = progress, .unreadable = unreadable, .arg = w,
	};
	char id[RECONCILE_ID_SIZE] = "", why[512] = "";
	int err = pg_exec(job_pg(w->job), "BEGIN", 0, NULL, NULL);

	if (!err)
		err = reconcile_run(job_pg(w->job), &order, text, id, why,
				    sizeof(why));
	if (err && *why)
		job_fail(w->job, "%s%s", why, job_error_n(w->job)
				 ? "; see the errors of this job" : "");

	return err;
}


static int result_say(struct job *job)
{
	const char *id = member(job_args(job), "reconciliation_id");
	PGresult *row = NULL;
	int err = pg_exec(job_pg(job), "SELECT matched, faults FROM "
			  "report.reconciliation WHERE id = $1", 1, &id, &row);

	if (!err)
		err = pg_exec(job_pg(job), "COMMIT", 0, NULL, NULL);
	if (!err)
		job_result(job, json_pack("{s:s, s:I, s:I}",
			"reconciliation_id", id, "matched",
			(json_int_t)strtoll(PQgetvalue(row, 0, 0), NULL, 10),
			"faults",
			(json_int_t)strtoll(PQgetvalue(row, 0, 1), NULL, 10)));
	PQclear(row);

	return err;
}


static int run(struct job *job)
{
	struct work w = {.job = job};
	size_t len = 0;
	char *text = job_input(job, &len);
	int err = text ? 0 : ENOMEM;

	if (!err) {
		w.lines = lines_count(text);
		err = compare(&w, text);
	}
	if (!err)
		err = result_say(job);
	free(text);

	return err;
}


const struct job_kind job_kind_reconciliation = {
	.name = "reconciliation", .is_resumable = true, .run = run,
};
