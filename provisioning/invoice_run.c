/**
 * @file invoice_run.c  POST /v1/invoice-runs: the invoices of a month as a job,
 * one transaction an account. A run that died goes on: what is issued stays as
 * it is, a draft is made anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "form.h"
#include "job.h"
#include "party_field.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

static const struct field order_fields[] = {
	{.name = "month", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 10,
	 .max = 10, .form = form_is_date, .form_is = "a day of the month"},
	{.name = "seller_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"sel_", NULL}},
	{.name = "issue", .type = FIELD_FLAG},
};
static const struct field_set order_set = FIELD_SET(order_fields);

static const char accounts_sql[] =
	"SELECT p.account_id FROM billing.profile p WHERE p.status = 'active' "
	"AND ($1::text IS NULL OR p.seller_id = $1) ORDER BY p.account_id";
/* apart, so that no row of an account is locked while calls are added up */
static const char charges_sql[] =
	"SELECT billing.charges_post($1, (date_trunc('month', $2::date) + "
	"interval '1 month')::date)";
static const char draft_sql[] =
	"SELECT what FROM billing.run($1, $2, false)";
static const char issue_sql[] =
	"SELECT billing.issue(i.id) FROM billing.invoice i WHERE "
	"i.account_id = $1 AND i.status = 'draft' AND i.period_from = "
	"date_trunc('month', $2::date)::date";

operation_h invoice_run_create;


static void order(struct request *req, const struct record *rec)
{
	const char *issue = record_text(rec, "issue");
	struct job_order job = {.kind = &job_kind_invoice_run};

	if (!change_begin(req))
		return;

	job.args = json_pack("{s:s, s:s*, s:b}", "month",
			     record_text(rec, "month"), "seller_id",
			     record_text(rec, "seller_id"), "issue",
			     issue && *issue == 't');
	if (job_create(req, &job))
		(void)change_commit(req);
	json_decref(job.args);
}


void invoice_run_create(struct request *req)
{
	struct record *rec = resource_decode(req, &order_set);

	if (rec)
		order(req, rec);
	mem_deref(rec);
}


struct run {
	struct job *job;
	const char *month;
	bool is_issuing;
	uint64_t issued, drafted, before, nothing, failed;
};


/* One account. @return an error that ends the run */
static int account_run(struct run *r, const char *account)
{
	const char *params[] = {account, r->month};
	struct pg *pg = job_pg(r->job);
	PGresult *result = NULL;
	const char *what = "";
	int err;

	err = pg_exec(pg, charges_sql, 2, params, NULL);
	if (!err)
		err = pg_exec(pg, draft_sql, 2, params, &result);
	if (!err)
		what = PQgetvalue(result, 0, 0);
	if (!err && !strcmp(what, "drafted") && r->is_issuing) {
		err = pg_exec(pg, issue_sql, 2, params, NULL);
		what = "issued";
	}
	if (err == EPROTO) {
		/* one that cannot be billed does not hold up the others */
		job_error(r->job, 0, account, NULL, "not_invoiced", "%s",
			  pg_error(pg));
		r->failed++;
		err = 0;
	}
	else if (!err) {
		uint64_t *n = !strcmp(what, "issued") ? &r->issued
			: !strcmp(what, "drafted") ? &r->drafted
			: !strcmp(what, "issued before") ? &r->before
			: &r->nothing;

		(*n)++;
	}
	PQclear(result);

	return err;
}


static int run(struct job *job)
{
	const json_t *args = job_args(job);
	const char *seller = json_string_value(
		json_object_get(args, "seller_id"));
	struct run r = {
		.job = job,
		.month = json_string_value(json_object_get(args, "month")),
		.is_issuing = json_is_true(json_object_get(args, "issue")),
	};
	PGresult *rows = NULL;
	int err, n = 0;

	if (!r.month)
		return EINVAL;
	err = pg_exec(job_pg(job), accounts_sql, 1, &seller, &rows);
	if (!err)
		n = PQntuples(rows);
	for (int i = 0; i < n && !err; i++) {
		err = account_run(&r, PQgetvalue(rows, i, 0));
		if (!err && !job_progress(job, (uint64_t)i + 1, (uint64_t)n))
			err = ECANCELED;
	}
	PQclear(rows);
	if (!err)
		job_result(job, json_pack("{s:i, s:I, s:I, s:I, s:I, s:I}",
			"accounts", n, "issued", (json_int_t)r.issued,
			"drafted", (json_int_t)r.drafted, "issued_before",
			(json_int_t)r.before, "nothing",
			(json_int_t)r.nothing, "failed",
			(json_int_t)r.failed));

	return err;
}


const struct job_kind job_kind_invoice_run = {
	.name = "invoice_run", .is_resumable = true, .run = run,
};
