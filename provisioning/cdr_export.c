/**
 * @file cdr_export.c  POST /v1/cdr-exports: records of a span of time as CSV,
 * written by a job, since a month of them is more than an answer should hold.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "form.h"
#include "job.h"
#include "moment.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

#define SPAN_MAX_MS (INT64_C(93) * 86400 * 1000)
#define FETCH_SQL "FETCH 1000 FROM export"

#define TEXT(name_) {.name = #name_, .type = FIELD_TEXT, .column = #name_}
#define TIME(name_) {.name = #name_, .type = FIELD_TIME, .column = #name_}
#define NUMBER(name_) \
	{.name = #name_, .type = FIELD_NUMBER, .column = #name_}
#define MONEY(name_) \
	{.name = #name_, .type = FIELD_MONEY, .column = #name_ "_micro"}

/* What a tenant may see stands first */
static const struct field columns[] = {
	TEXT(call_id), TIME(started_at), TIME(answered_at), TIME(ended_at),
	TEXT(direction), TEXT(tenant_id), TEXT(account_id), TEXT(trunk_id),
	TEXT(calling), TEXT(called), TEXT(outcome), NUMBER(sip_code),
	NUMBER(duration_ms), NUMBER(billed_ms), MONEY(price), TEXT(currency),
	TEXT(rate_prefix), TEXT(rate_destination),
	TEXT(carrier_id), TEXT(gateway_id), MONEY(cost), TEXT(cost_currency),
};
#define COLUMN_N (sizeof(columns) / sizeof(columns[0]))
#define TENANT_N (COLUMN_N - 4)

static const struct field order_fields[] = {
	{.name = "from", .type = FIELD_TIME, .flags = F_REQUIRED},
	{.name = "to", .type = FIELD_TIME, .flags = F_REQUIRED},
	{.name = "tenant_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"ten_", NULL}},
};
static const struct field_set order_set = FIELD_SET(order_fields);


/* --- the order ---------------------------------------------------------- */

static void check_span(struct request *req, const struct record *rec)
{
	int64_t from, to;

	if (problem_is_set(&req->problem) ||
	    form_time(&from, record_text(rec, "from")) ||
	    form_time(&to, record_text(rec, "to")))
		return;
	if (to <= from || to - from > SPAN_MAX_MS)
		problem_add(&req->problem, "/to", "out_of_range", NULL,
			    "must be after from, by at most 93 days");
}


/* Of the tenant that is asked for, or all that the caller sees; the job is the
   caller's, since a tenant must not find what the platform has exported */
static void order(struct request *req, const struct record *rec)
{
	const char *tenant = record_text(rec, "tenant_id");
	struct job_order job = {.kind = &job_kind_cdr_export,
				.tenant_id = request_tenant(req)};
	int err;

	if (!change_begin(req))
		return;
	err = record_check(req, rec, NULL);
	if (err)
		request_pg_failed(req, err);
	if (problem_is_set(&req->problem)) {
		change_abort(req);
		return;
	}

	if (!tenant)
		tenant = request_tenant(req);
	job.args = json_pack("{s:s, s:s, s:s?, s:b}", "from",
			     record_text(rec, "from"), "to",
			     record_text(rec, "to"), "tenant_id", tenant,
			     "with_cost", !request_tenant(req));
	if (job_create(req, &job))
		(void)change_commit(req);
	json_decref(job.args);
}


operation_h cdr_export_create;


void cdr_export_create(struct request *req)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);

	if (!body)
		return;

	if (record_decode(&rec, &order_set, body, "", &req->problem))
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	else
		check_span(req, rec);
	if (!problem_is_set(&req->problem))
		order(req, rec);

	mem_deref(rec);
	json_decref(body);
}


/* --- the work ----------------------------------------------------------- */

static const char *arg(const struct job *job, const char *name)
{
	return json_string_value(json_object_get(job_args(job), name));
}


static void where(struct query *q, const struct job *job)
{
	query_text(q, " FROM cdr.record t WHERE t.attempt = 0 AND "
		      "t.started_at >= ");
	query_param(q, arg(job, "from"));
	query_text(q, "::timestamptz AND t.started_at < ");
	query_param(q, arg(job, "to"));
	query_text(q, "::timestamptz");
	if (!arg(job, "tenant_id"))
		return;
	query_text(q, " AND EXISTS (SELECT FROM core.tenant_tree s WHERE "
		      "s.tenant_id = t.tenant_id AND s.ancestor_id = ");
	query_param(q, arg(job, "tenant_id"));
	query_text(q, ")");
}


static int count(struct job *job, uint64_t *ret)
{
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "SELECT count(*)");
	where(&q, job);
	err = query_run(&q, job_pg(job), &result);
	query_reset(&q);
	if (!err)
		*ret = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return err;
}


static int cursor_open(struct job *job, const struct field_set *set)
{
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "DECLARE export NO SCROLL CURSOR FOR SELECT ");
	if (!q.err)
		q.err = field_select(q.mb, set);
	where(&q, job);
	query_text(&q, " ORDER BY t.started_at, t.call_id");
	err = query_run(&q, job_pg(job), NULL);
	query_reset(&q);
	return err;
}


/* RFC 4180 2.6, 2.7 */
static int put_cell(struct mbuf *mb, const char *text, char end)
{
	int err = 0;

	if (!strpbrk(text, "\",\r\n"))
		return mbuf_printf(mb, "%s%c", text, end);

	err = mbuf_write_u8(mb, '"');
	for (; *text && !err; text++) {
		if (*text == '"')
			err = mbuf_write_u8(mb, '"');
		if (!err)
			err = mbuf_write_u8(mb, (uint8_t)*text);
	}
	return err ? err : mbuf_printf(mb, "\"%c", end);
}


static int put_row(struct mbuf *mb, const struct field_set *set,
		   const PGresult *rows, int row)
{
	int err = 0;

	for (size_t i = 0; i < set->n && !err; i++) {
		const char *text = PQgetvalue(rows, row, (int)i);
		char money[48];

		if (set->fields[i].type == FIELD_MONEY && *text)
			text = text_decimal_format(money, sizeof(money),
						   strtoll(text, NULL, 10), 6);
		err = put_cell(mb, text, i + 1 < set->n ? ',' : '\n');
	}
	return err;
}


/* What stands in mb, as a piece of the output */
static int flush(struct job *job, struct mbuf *mb)
{
	int err = mb->end ? mbuf_write_u8(mb, 0) : 0;

	if (!err && mb->end)
		err = job_output(job, (const char *)mb->buf);
	mbuf_rewind(mb);
	return err;
}


static int put_header(struct mbuf *mb, const struct field_set *set)
{
	int err = 0;

	for (size_t i = 0; i < set->n && !err; i++)
		err = put_cell(mb, set->fields[i].name,
			       i + 1 < set->n ? ',' : '\n');
	return err;
}


static int rows_write(struct job *job, const struct field_set *set,
		      struct mbuf *mb, uint64_t total)
{
	uint64_t done = 0;
	int err = put_header(mb, set), n = 1;

	while (!err && n) {
		PGresult *rows = NULL;

		err = pg_exec(job_pg(job), FETCH_SQL, 0, NULL, &rows);
		n = err ? 0 : PQntuples(rows);
		for (int i = 0; i < n && !err; i++)
			err = put_row(mb, set, rows, i);
		PQclear(rows);
		if (!err)
			err = flush(job, mb);
		done += (uint64_t)n;
		if (!err && !job_progress(job, done, total))
			err = ECANCELED;
	}
	if (!err)
		job_result(job, json_pack("{s:I}", "records",
					  (json_int_t)done));
	return err;
}


static int run(struct job *job)
{
	const struct field_set set = {
		columns, json_is_true(json_object_get(job_args(job),
						      "with_cost"))
				 ? COLUMN_N
				 : TENANT_N};
	struct mbuf *mb = mbuf_alloc(65536);
	uint64_t total = 0;
	int err = mb ? 0 : ENOMEM;

	if (!err)
		err = pg_exec(job_pg(job), "BEGIN", 0, NULL, NULL);
	if (!err)
		err = count(job, &total);
	if (!err)
		err = cursor_open(job, &set);
	if (!err)
		err = rows_write(job, &set, mb, total);
	if (!err)
		err = pg_exec(job_pg(job), "COMMIT", 0, NULL, NULL);

	mem_deref(mb);
	return err;
}


const struct job_kind job_kind_cdr_export = {
	.name = "cdr_export", .is_resumable = true, .run = run,
};
