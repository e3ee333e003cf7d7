/**
 * @file rerate.c  /v1/rerates: calls of a time rated again. A job compares them
 * with what they would cost now and posts nothing; another posts the
 * differences, one transaction an account. `strowger rerate` does the same
 * with the same functions (schema rating).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "calls_csv.h"
#include "change.h"
#include "form.h"
#include "job.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

#define READ(name_, type_, column_) \
	{.name = (name_), .type = (type_), .flags = F_READ_ONLY, \
	 .column = (column_)}

static const struct field fields[] = {
	FIELD_ROW_ID("rrt_"),
	{.name = "status", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .read = "(CASE WHEN t.applied_at IS NOT NULL THEN 'applied' WHEN "
		 "t.compared_at IS NOT NULL THEN 'ready' ELSE 'comparing' "
		 "END)"},
	READ("from", FIELD_TIME, "from_at"),
	READ("to", FIELD_TIME, "to_at"),
	FIELD_REFERENCE("tenant_id", "ten_", F_READ_ONLY),
	FIELD_REFERENCE("account_id", "acc_", F_READ_ONLY),
	FIELD_REFERENCE("trunk_id", "trk_", F_READ_ONLY),
	READ("called_prefix", FIELD_TEXT, "called_prefix"),
	{.name = "rate_deck_id", .type = FIELD_ID, .flags = F_READ_ONLY,
	 .column = "deck_id", .choices = (const char *const[]){"dck_", NULL}},
	READ("note", FIELD_TEXT, "note"),
	READ("totals", FIELD_JSON, "totals"),
	READ("packages", FIELD_JSON, "packages"),
	READ("compared_at", FIELD_TIME, "compared_at"),
	READ("applied_at", FIELD_TIME, "applied_at"),
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("rerate_deck", "rate_deck_id", "deck"),
	REFUSAL_NO_ROW("rerate_tenant", "tenant_id", "tenant"),
	REFUSAL_NO_ROW("rerate_account", "account_id", "account"),
	REFUSAL_NO_ROW("rerate_trunk", "trunk_id", "trunk"),
	{.constraint = "rerate_span", .field = "to",
	 .kind = PROBLEM_VALIDATION, .detail = "must be after from"},
	{.constraint = NULL},
};

const struct resource resource_rerate = {
	.kind = "rerate", .table = "rating.rerate", .key = "id",
	.key_type = "text", .id_prefix = "rrt_", .path = "/v1/rerates",
	.newest_first = true, .is_versioned = true, .set = &set,
	.refusals = refusals,
};

static const struct field call_fields[] = {
	READ("n", FIELD_NUMBER, "n"),
	FIELD_REFERENCE("account_id", "acc_", F_READ_ONLY),
	READ("started_at", FIELD_TIME, "started_at"),
	READ("call_id", FIELD_TEXT, "call_id"),
	READ("attempt", FIELD_NUMBER, "attempt"),
	{.name = "what", .type = FIELD_TEXT, .flags = F_READ_ONLY | F_FILTER,
	 .column = "what"},
	READ("currency", FIELD_TEXT, "currency"),
	READ("old", FIELD_MONEY, "old_micro"),
	READ("new", FIELD_MONEY, "new_micro"),
	{.name = "delta", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .read = "(t.new_micro - t.old_micro)"},
	{.name = "old_packages", .type = FIELD_JSON, .flags = F_READ_ONLY,
	 .read = "rating.packages_told(t.old_packages)"},
	{.name = "new_packages", .type = FIELD_JSON, .flags = F_READ_ONLY,
	 .read = "rating.packages_told(t.new_packages)"},
};
static const struct field_set call_set = FIELD_SET(call_fields);

const struct resource resource_rerate_call = {
	.kind = "rerate_call", .table = "rating.rerate_call", .key = "n",
	.key_type = "bigint", .path = "/calls", .parent = &resource_rerate,
	.parent_column = "rerate_id", .set = &call_set,
};

static const struct field order_fields[] = {
	{.name = "from", .type = FIELD_TIME, .flags = F_REQUIRED},
	{.name = "to", .type = FIELD_TIME, .flags = F_REQUIRED},
	{.name = "tenant_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"ten_", NULL}},
	{.name = "account_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"acc_", NULL}},
	{.name = "trunk_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "called_prefix", .type = FIELD_TEXT, .min = 1, .max = 15,
	 .form = form_is_digits, .form_is = "digits"},
	{.name = "rate_deck_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"dck_", NULL}},
	{.name = "note", .type = FIELD_TEXT, .min = 1, .max = 255,
	 .form = form_is_name, .form_is = "free of control characters"},
};
static const struct field_set order_set = FIELD_SET(order_fields);

/* --- asking for it ------------------------------------------------------ */

static void job_order_of(struct request *req, const struct job_kind *kind,
			 const char *id)
{
	struct job_order job = {.kind = kind};

	job.args = json_pack("{s:s}", "rerate_id", id);
	if (job_create(req, &job))
		(void)change_commit(req);
	json_decref(job.args);
}


static void order(struct request *req, const struct record *rec)
{
	const char *params[] = {
		record_text(rec, "from"), record_text(rec, "to"),
		record_text(rec, "tenant_id"), record_text(rec, "account_id"),
		record_text(rec, "trunk_id"),
		record_text(rec, "called_prefix"),
		record_text(rec, "rate_deck_id"), record_text(rec, "note"),
	};
	PGresult *result = NULL;
	int err;

	if (!change_begin(req))
		return;

	err = pg_exec(req->pg, "SELECT rating.rerate_new($1, $2, $3, $4, $5, "
		      "$6, $7, $8)", ARRAY_SIZE(params), params, &result);
	if (err)
		change_refused(req, &resource_rerate, rec, err, result);
	else
		job_order_of(req, &job_kind_rerate_check, PQgetvalue(result, 0, 0));
	PQclear(result);
}


operation_h rerate_create, rerate_apply, rerate_diff;


void rerate_create(struct request *req)
{
	struct record *rec = resource_decode(req, &order_set);

	if (rec)
		order(req, rec);
	mem_deref(rec);
}


/* Also once more: accounts that were refused, after what refused them is
   gone; those that are posted stay as they are. */
void rerate_apply(struct request *req)
{
	const char *id = req->path_params[0];
	json_t *row;

	if (!change_begin(req))
		return;

	row = resource_need(req, &resource_rerate, id, false, NULL);
	if (row && json_is_null(json_object_get(row, "compared_at")))
		problem_set(&req->problem, PROBLEM_CONFLICT, "its calls are "
			    "not all compared: wait for the job that does");
	if (problem_is_set(&req->problem))
		change_abort(req);
	else
		job_order_of(req, &job_kind_rerate_apply, id);
	json_decref(row);
}


static const char diff_sql[] =
	"SELECT count(*), 'account_id,started_at,call_id,attempt,what,"
	"currency,old,new,delta,old_packages,new_packages' || chr(10) || "
	"coalesce(string_agg(concat_ws("
	"',', account_id, to_char(started_at AT TIME ZONE 'UTC', "
	"'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), call_id, attempt, what, "
	"currency, old, new, delta, coalesce(old_packages, ''), "
	"coalesce(new_packages, '')) || chr(10), '' ORDER BY n), '') FROM "
	"(SELECT * FROM rating.rerate_difference d WHERE d.rerate_id = $1 "
	"ORDER BY n LIMIT " CALLS_CSV_MAX " + 1) d";


void rerate_diff(struct request *req)
{
	calls_csv_answer(req, &resource_rerate, diff_sql,
			 "strowger rerate diff");
}


/* --- doing it ----------------------------------------------------------- */

struct work {
	struct job *job;
	const char *id, *sql;
	uint64_t calls, failed;
};

static const char invoiced_sql[] =
	"SELECT count(*) FROM rating.rerate_call k WHERE k.rerate_id = $1 AND "
	"k.account_id = $2 AND k.what = 'invoiced' HAVING count(*) > 0";


/* Those of the account that stay because of their invoice */
static int invoiced_say(struct work *w, const char *account)
{
	const char *params[] = {w->id, account};
	PGresult *row = NULL;
	int err = pg_exec(job_pg(w->job), invoiced_sql, 2, params, &row);

	if (!err && PQntuples(row))
		job_error(w->job, 0, "account_id", account, "invoiced",
			  "%s calls are invoiced and keep their price: a "
			  "credit note gives back (POST /v1/invoices/{id}/"
			  "credit-notes), a draft can be deleted",
			  PQgetvalue(row, 0, 0));
	PQclear(row);

	return err;
}


/* One transaction. @return an error that ends the job */
static int account_work(struct work *w, const char *account)
{
	const char *params[] = {w->id, account};
	PGresult *row = NULL;
	int err = pg_exec(job_pg(w->job), w->sql, 2, params, &row);

	if (err == EPROTO) {
		/* one that is refused does not hold up the others */
		job_error(w->job, 0, "account_id", account,
			  "not_rated_again", "%s", pg_error(job_pg(w->job)));
		w->failed++;
		err = 0;
	}
	else if (!err) {
		w->calls += strtoull(PQgetvalue(row, 0, 0), NULL, 10);
	}
	PQclear(row);

	return err ? err : invoiced_say(w, account);
}


static int accounts_work(struct work *w)
{
	PGresult *rows = NULL;
	int err = pg_exec(job_pg(w->job), "SELECT * FROM "
			  "rating.rerate_accounts($1)", 1, &w->id, &rows);
	const int n = err ? 0 : PQntuples(rows);

	for (int i = 0; i < n && !err; i++) {
		err = account_work(w, PQgetvalue(rows, i, 0));
		if (!err && !job_progress(w->job, (uint64_t)i + 1,
					  (uint64_t)n))
			err = ECANCELED;
	}
	PQclear(rows);
	if (!err)
		job_result(w->job, json_pack("{s:s, s:i, s:I, s:I}",
			"rerate_id", w->id, "accounts", n, "calls",
			(json_int_t)w->calls, "failed",
			(json_int_t)w->failed));

	return err;
}


static struct work work_of(struct job *job, const char *sql)
{
	return (struct work){.job = job, .sql = sql,
		.id = json_string_value(json_object_get(job_args(job),
							"rerate_id"))};
}


/* A re-rating that lacks an account is never applied */
static int check_run(struct job *job)
{
	struct work w = work_of(job, "SELECT rating.rerate_check($1, $2)");
	int err = accounts_work(&w);

	if (!err && w.failed) {
		job_fail(job, "%llu accounts could not be compared; see the "
			 "errors of this job", (unsigned long long)w.failed);
		return EPROTO;
	}

	return err ? err : pg_exec(job_pg(job), "SELECT "
				   "rating.rerate_compared($1)", 1, &w.id,
				   NULL);
}


static int apply_run(struct job *job)
{
	struct work w = work_of(job, "SELECT rating.rerate_apply($1, $2)");

	return accounts_work(&w);
}


const struct job_kind job_kind_rerate_check = {
	.name = "rerate_check", .is_resumable = true, .run = check_run,
};
const struct job_kind job_kind_rerate_apply = {
	.name = "rerate_apply", .is_resumable = true, .run = apply_run,
};
