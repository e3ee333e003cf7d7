/**
 * @file cdr_export.c  POST /v1/cdr-exports: records of a span of time as CSV or
 * NDJSON, written by a job, since a month of them is more than an answer
 * should hold; in the form of a template, or in ours.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "call_record.h"
#include "cdr_export.h"
#include "change.h"
#include "csv_cell.h"
#include "form.h"
#include "job.h"
#include "moment.h"
#include "pg.h"
#include "report.h"
#include "resource.h"
#include "text.h"

#define SPAN_MAX_MS (INT64_C(93) * 86400 * 1000)
#define FETCH_SQL "FETCH 1000 FROM export"

enum kind { TEXT, TIME, NUMBER, MONEY, FLAG };

struct column {
	const char *name, *sql;
	enum kind kind;
	bool is_forward; /* tells where a call was sent on, see call_record.h */
};

#define C(name_, kind_) {#name_, "t." #name_, kind_, false}
#define F(name_) {#name_, "t." #name_, TEXT, true}
#define M(name_) {#name_, "t." #name_ "_micro", MONEY, false}

/* What a tenant may see stands first, and of that our own form. */
static const struct column columns[] = {
	C(call_id, TEXT), C(started_at, TIME), C(answered_at, TIME),
	C(ended_at, TIME), C(direction, TEXT), C(tenant_id, TEXT),
	C(account_id, TEXT), C(trunk_id, TEXT), C(calling, TEXT),
	C(called, TEXT), C(outcome, TEXT), C(sip_code, NUMBER),
	C(duration_ms, NUMBER), C(billed_ms, NUMBER), M(price),
	C(currency, TEXT), C(rate_prefix, TEXT), C(rate_destination, TEXT),
	C(site_id, TEXT), F(did_id), C(calling_received, TEXT),
	C(called_received, TEXT), C(calling_country, TEXT),
	F(called_country), F(called_network),
	F(called_type), C(ringing_at, TIME), C(pdd_ms, NUMBER),
	C(setup_ms, NUMBER), C(end_estimated, FLAG), C(is_emergency, FLAG),
	C(is_onnet, FLAG), C(q850, NUMBER), C(initiator, TEXT),
	C(limit_hit, TEXT), F(diverting), C(codec, TEXT),
	C(a_call_id, TEXT), C(node, TEXT),
	{"rate_per_min", "trim_scale(t.rate_per_min_nano / 1000000000.0)",
	 NUMBER, false},
	{"duration_s", "ceil(t.duration_ms / 1000.0)::bigint", NUMBER,
	 false},
	C(carrier_id, TEXT), C(gateway_id, TEXT), M(cost),
	C(cost_currency, TEXT),
};
#define COLUMN_N (sizeof(columns) / sizeof(columns[0]))
#define OURS_N 18
#define VENDOR_N 4
#define CUSTOMER_N (COLUMN_N - VENDOR_N)

static const struct field order_fields[] = {
	{.name = "from", .type = FIELD_TIME, .flags = F_REQUIRED},
	{.name = "to", .type = FIELD_TIME, .flags = F_REQUIRED},
	{.name = "template_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"cet_", NULL}},
	{.name = "format", .type = FIELD_CHOICE,
	 .choices = (const char *const[]){"csv", "ndjson", NULL}},
	{.name = "tenant_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"ten_", NULL}},
	{.name = "account_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"acc_", NULL}},
	{.name = "trunk_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "calling", .type = FIELD_E164},
	{.name = "called", .type = FIELD_E164},
	{.name = "outcome", .type = FIELD_TEXT, .min = 1, .max = 31,
	 .form = form_is_tag, .form_is = "a reason code"},
	{.name = "answered", .type = FIELD_FLAG},
};
static const struct field_set order_set = FIELD_SET(order_fields);

/* Members of the order that are columns, too. */
static const char *const filters[] = {"account_id", "trunk_id", "calling",
				      "called", "outcome"};


bool cdr_export_has(const char *name, bool is_vendor_too)
{
	for (size_t i = 0; i < (is_vendor_too ? COLUMN_N : CUSTOMER_N); i++) {
		if (!strcmp(columns[i].name, name))
			return true;
	}
	return false;
}


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
	if (record_text(rec, "template_id") && request_tenant(req))
		problem_add(&req->problem, "/template_id", "not_allowed", NULL,
			    "templates are the platform's");
}


static json_t *args_of(const struct request *req, const struct record *rec)
{
	const char *tenant = record_text(rec, "tenant_id");
	const char *answered = record_text(rec, "answered");
	json_t *args;

	if (!tenant)
		tenant = request_tenant(req);
	args = json_pack("{s:s, s:s, s:s?, s:b}", "from",
			 record_text(rec, "from"), "to",
			 record_text(rec, "to"), "tenant_id", tenant,
			 "with_cost", !request_tenant(req));
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		const char *value = record_text(rec, filters[i]);

		if (value)
			json_object_set_new(args, filters[i],
					    json_string(value));
	}
	if (record_text(rec, "template_id"))
		json_object_set_new(args, "template_id", json_string(
			record_text(rec, "template_id")));
	if (record_text(rec, "format"))
		json_object_set_new(args, "format", json_string(
			record_text(rec, "format")));
	if (answered)
		json_object_set_new(args, "answered",
				    json_boolean(*answered == 't'));

	return args;
}


/* Of the tenant that is asked for, or all that the caller sees; the job is the
   caller's, since a tenant must not find what the platform has exported */
static void order(struct request *req, const struct record *rec)
{
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

	job.args = args_of(req, rec);
	if (job_create(req, &job))
		(void)change_commit(req);
	json_decref(job.args);
}


operation_h cdr_export_create;


void cdr_export_create(struct request *req)
{
	struct record *rec = resource_decode(req, &order_set);

	if (rec)
		check_span(req, rec);
	if (rec && !problem_is_set(&req->problem))
		order(req, rec);
	mem_deref(rec);
}


/* --- the work ----------------------------------------------------------- */

/* The form of one export. */
struct form {
	const struct column *columns[COLUMN_N];
	const char *headings[COLUMN_N];
	size_t n;
	char separator, decimal_mark;
	bool is_ndjson, has_header, is_ours;
	char zone[64];
	char tenant_id[36];
	char template_id[36];
	char text[2100];          /* of the headings */
	const struct report *report; /* instead of records, or NULL */
	enum report_form report_form;
};

/* A report that is made once more, since records came late. */
struct correction {
	char file_id[36];         /* of the first one, or ""            */
	char name[128];           /* of that                            */
	char content[80];         /* what the newest one says: its hash */
	unsigned revision;        /* what this one would be             */
};

struct work {
	struct job *job;
	struct form form;
	struct correction correction;
	char content[80];         /* hash of a report                   */
	bool is_unchanged;        /* it says what the one before says   */
	struct mbuf *mb;
	EVP_MD_CTX *digest;
	uint64_t total, done, bytes;
};


static const char *arg(const struct job *job, const char *name)
{
	return json_string_value(json_object_get(job_args(job), name));
}


static void form_ours(struct form *f, const struct job *job)
{
	const bool with_cost = json_is_true(
		json_object_get(job_args(job), "with_cost"));

	for (size_t i = 0; i < COLUMN_N; i++) {
		if (i >= OURS_N && (i < CUSTOMER_N || !with_cost))
			continue;
		f->columns[f->n] = &columns[i];
		f->headings[f->n++] = columns[i].name;
	}
	f->separator = ',';
	f->decimal_mark = '.';
	f->has_header = f->is_ours = true;
	f->is_ndjson = arg(job, "format") && !strcmp(arg(job, "format"),
						    "ndjson");
	TEXT_FILL(f->zone, "UTC");
	TEXT_FILL(f->tenant_id, arg(job, "tenant_id"));
}


static void column_take(struct form *f, const char *name)
{
	for (size_t i = 0; i < COLUMN_N && f->n < COLUMN_N; i++) {
		if (strcmp(columns[i].name, name) != 0)
			continue;
		f->columns[f->n] = &columns[i];
		f->headings[f->n++] = columns[i].name;
	}
}


static void headings_take(struct form *f, const char *text)
{
	char *next = f->text;

	TEXT_FILL(f->text, text);
	for (size_t i = 0; i < f->n && next; i++)
		f->headings[i] = strsep(&next, ",");
}


static int report_take(struct form *f, struct job *job, const char *name,
		       const char *format)
{
	f->report = report_find(name);
	if (f->report && report_form_find(&f->report_form, format))
		return 0;
	job_fail(job, "there is no report %s", name);
	return ENOENT;
}


static int form_template(struct form *f, struct job *job, const char *id)
{
	PGresult *r = NULL, *names = NULL;
	int err;

	err = pg_exec(job_pg(job), "SELECT format, separator, decimal_mark, "
		      "time_zone, has_header, coalesce(tenant_id, ''), "
		      "coalesce(headings, ''), coalesce(report, '') FROM "
		      "cdr.export_template "
		      "WHERE id = $1", 1, &id, &r);
	if (!err && PQntuples(r) != 1) {
		job_fail(job, "there is no template %s", id);
		err = ENOENT;
	}
	if (!err)
		err = pg_exec(job_pg(job), "SELECT unnest(columns) FROM "
			      "cdr.export_template WHERE id = $1", 1, &id,
			      &names);
	if (!err) {
		for (int i = 0; i < PQntuples(names); i++)
			column_take(f, PQgetvalue(names, i, 0));
		f->is_ndjson = !strcmp(PQgetvalue(r, 0, 0), "ndjson");
		f->separator = *PQgetvalue(r, 0, 1);
		f->decimal_mark = *PQgetvalue(r, 0, 2);
		TEXT_FILL(f->zone, PQgetvalue(r, 0, 3));
		f->has_header = *PQgetvalue(r, 0, 4) == 't';
		TEXT_FILL(f->tenant_id, PQgetvalue(r, 0, 5));
		if (*PQgetvalue(r, 0, 6))
			headings_take(f, PQgetvalue(r, 0, 6));
		TEXT_FILL(f->template_id, id);
		if (*PQgetvalue(r, 0, 7))
			err = report_take(f, job, PQgetvalue(r, 0, 7),
					  PQgetvalue(r, 0, 0));
	}
	PQclear(r);
	PQclear(names);
	return err;
}


static bool is_scheduled(const struct work *w)
{
	return json_is_true(json_object_get(job_args(w->job), "is_scheduled"));
}


/* Records r of attempt 0 by their times. A template's span is of ends: a call
   is in one file, whenever it began. Ours is of beginnings, as that of the
   list. */
static void in_span(struct query *q, const struct work *w)
{
	const char *at = w->form.is_ours ? "r.started_at" : "r.ended_at";
	const struct job *job = w->job;

	query_text(q, "%s >= ", at);
	query_param(q, arg(job, "from"));
	query_text(q, "::timestamptz AND %s < ", at);
	query_param(q, arg(job, "to"));
	query_text(q, "::timestamptz");
	if (w->form.is_ours)
		return;
	/* no call is longer than two days: partitions are left out */
	query_text(q, " AND r.started_at >= ");
	query_param(q, arg(job, "from"));
	query_text(q, "::timestamptz - interval '2 days' AND r.started_at < ");
	query_param(q, arg(job, "to"));
	query_text(q, "::timestamptz");
}


/* A record with a note goes by that, in whichever span it ended: into the file
   of the job that took the note, and no other (0067_export_late.sql). */
static void noted(struct query *q, const struct work *w)
{
	query_text(q, " AND NOT EXISTS (SELECT FROM cdr.export_late l WHERE "
		      "l.template_id = ");
	query_param(q, w->form.template_id);
	query_text(q, " AND l.started_at = r.started_at AND l.call_id = "
		      "r.call_id) UNION ALL SELECT r.* FROM cdr.export_late l "
		      "JOIN cdr.record r ON r.started_at = l.started_at AND "
		      "r.call_id = l.call_id AND r.attempt = 0 WHERE "
		      "l.template_id = ");
	query_param(q, w->form.template_id);
	query_text(q, " AND l.job_id = ");
	query_param(q, job_id(w->job));
}


static void where(struct query *q, const struct work *w)
{
	const struct job *job = w->job;
	const json_t *answered = json_object_get(job_args(job), "answered");

	query_text(q, " FROM (SELECT r.* FROM cdr.record r WHERE r.attempt = 0 "
		      "AND ");
	in_span(q, w);
	if (is_scheduled(w))
		noted(q, w);
	query_text(q, ") t WHERE true");
	for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
		if (!arg(job, filters[i]))
			continue;
		query_text(q, " AND t.%s = ", filters[i]);
		query_param(q, arg(job, filters[i]));
	}
	if (answered)
		query_text(q, json_is_true(answered)
			? " AND t.answered_at IS NOT NULL"
			: " AND t.answered_at IS NULL");
	if (!*w->form.tenant_id)
		return;
	query_text(q, " AND EXISTS (SELECT FROM core.tenant_tree s WHERE "
		      "s.tenant_id = t.tenant_id AND s.ancestor_id = ");
	query_param(q, w->form.tenant_id);
	query_text(q, ")");
}


static int count(struct work *w)
{
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "SELECT count(*)");
	where(&q, w);
	err = query_run(&q, job_pg(w->job), &result);
	query_reset(&q);
	if (!err)
		w->total = strtoull(PQgetvalue(result, 0, 0), NULL, 10);
	PQclear(result);
	return err;
}


static void column_write(struct query *q, const struct form *form,
			 const struct column *c)
{
	if (c->kind == TIME) {
		query_text(q, "to_char(%s, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS%s')",
			   c->sql, !strcmp(form->zone, "UTC") ? "\"Z\""
							      : "TZH:TZM");
	} else if (c->is_forward && *form->tenant_id) {
		query_text(q, "CASE WHEN ");
		query_forward_own(q, form->tenant_id);
		query_text(q, " THEN %s END", c->sql);
	} else {
		query_text(q, "%s", c->sql);
	}
}


static int cursor_open(struct work *w)
{
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "DECLARE export NO SCROLL CURSOR FOR SELECT ");
	for (size_t i = 0; i < w->form.n; i++) {
		query_text(&q, i ? ", " : "");
		column_write(&q, &w->form, w->form.columns[i]);
	}
	where(&q, w);
	query_text(&q, " ORDER BY t.started_at, t.call_id");
	err = query_run(&q, job_pg(w->job), NULL);
	query_reset(&q);
	return err;
}


static const char *money_text(const struct work *w, const char *micro,
			      char buf[48])
{
	char *mark;

	(void)text_decimal_format(buf, 48, strtoll(micro, NULL, 10), 6);
	mark = strchr(buf, '.');
	if (mark && !w->form.is_ndjson)
		*mark = w->form.decimal_mark;
	return buf;
}


static int put_csv(const struct work *w, const PGresult *rows, int row)
{
	int err = 0;

	for (size_t i = 0; i < w->form.n && !err; i++) {
		const struct column *c = w->form.columns[i];
		const char *text = PQgetvalue(rows, row, (int)i);
		char buf[48], *mark;

		if (c->kind == MONEY && *text) {
			text = money_text(w, text, buf);
		}
		else if (c->kind == NUMBER && strchr(text, '.')) {
			TEXT_FILL(buf, text);
			mark = strchr(buf, '.');
			if (mark)
				*mark = w->form.decimal_mark;
			text = buf;
		}
		err = csv_cell(w->mb, text, w->form.separator,
			       i + 1 == w->form.n);
	}
	return err;
}


static json_t *cell_json(const struct work *w, const struct column *c,
			 const char *text)
{
	char buf[48];

	switch (c->kind) {
	case NUMBER:
		return strchr(text, '.') ? json_string(text)
			: json_integer(strtoll(text, NULL, 10));
	case MONEY:
		return json_string(money_text(w, text, buf));
	case FLAG:
		return json_boolean(*text == 't');
	case TEXT:
	case TIME:
	default:
		return json_string(text);
	}
}


static int put_ndjson(const struct work *w, const PGresult *rows, int row)
{
	json_t *doc = json_object();
	char *text;
	int err;

	for (size_t i = 0; i < w->form.n; i++)
		json_object_set_new(doc, w->form.headings[i],
			PQgetisnull(rows, row, (int)i) ? json_null()
			: cell_json(w, w->form.columns[i],
				    PQgetvalue(rows, row, (int)i)));
	text = json_dumps(doc, JSON_COMPACT);
	err = text ? mbuf_printf(w->mb, "%s\n", text) : ENOMEM;
	free(text);
	json_decref(doc);
	return err;
}


/* What stands in mb, as a piece of the output */
static int flush(struct work *w)
{
	struct mbuf *mb = w->mb;
	int err = 0;

	if (mb->end) {
		w->bytes += mb->end;
		if (!EVP_DigestUpdate(w->digest, mb->buf, mb->end))
			return EPROTO;
		err = mbuf_write_u8(mb, 0);
		if (!err)
			err = job_output(w->job, (const char *)mb->buf);
	}
	mbuf_rewind(mb);
	return err;
}


static int put_header(const struct work *w)
{
	int err = 0;

	if (w->form.is_ndjson || !w->form.has_header)
		return 0;
	for (size_t i = 0; i < w->form.n && !err; i++)
		err = csv_cell(w->mb, w->form.headings[i],
			       w->form.separator, i + 1 == w->form.n);
	return err;
}


static int rows_write(struct work *w)
{
	int err = put_header(w), n = 1;

	while (!err && n) {
		PGresult *rows = NULL;

		err = pg_exec(job_pg(w->job), FETCH_SQL, 0, NULL, &rows);
		n = err ? 0 : PQntuples(rows);
		for (int i = 0; i < n && !err; i++)
			err = w->form.is_ndjson ? put_ndjson(w, rows, i)
						: put_csv(w, rows, i);
		PQclear(rows);
		if (!err)
			err = flush(w);
		w->done += (uint64_t)n;
		if (!err && !job_progress(w->job, w->done, w->total))
			err = ECANCELED;
	}
	/* of a time without calls: an empty file has its number, too */
	if (!err && !w->bytes)
		err = job_output(w->job, "");
	return err;
}


static int file_done(struct work *w, const char *hex)
{
	const bool is_report = is_scheduled(w) && w->form.report;
	const char *corrects = *w->correction.file_id ? w->correction.file_id
						      : NULL;
	char records[24], bytes[24];
	const char *params[] = {w->form.template_id, job_id(w->job),
				arg(w->job, "from"), arg(w->job, "to"),
				records, bytes, hex,
				is_report ? w->content
					  : is_scheduled(w) ? "t" : "f",
				corrects};
	PGresult *r = NULL;
	int err;

	(void)text_format(records, sizeof(records), "%llu",
			  (unsigned long long)w->done);
	(void)text_format(bytes, sizeof(bytes), "%llu",
			  (unsigned long long)w->bytes);
	err = pg_exec(job_pg(w->job), is_report
		      ? "SELECT sequence, name FROM cdr.report_done($1, $2, "
			"$3::timestamptz, $4::timestamptz, $5, $6, $7, $8, $9)"
		      : "SELECT sequence, name FROM cdr.export_done($1, $2, "
			"$3::timestamptz, $4::timestamptz, $5, $6, $7, $8)",
		      is_report ? 9 : 8, params, &r);
	if (!err)
		job_result(w->job, json_pack("{s:I, s:I, s:s, s:s}", "records",
			(json_int_t)w->done, "sequence",
			(json_int_t)strtoll(PQgetvalue(r, 0, 0), NULL, 10),
			"file", PQgetvalue(r, 0, 1), "sha256", hex));
	PQclear(r);
	return err;
}


/* The file's number, with a template. */
static int result_say(struct work *w)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n = 0;

	if (!EVP_DigestFinal_ex(w->digest, hash, &n))
		return EPROTO;
	text_hex(hex, hash, n);
	if (*w->form.template_id && !w->is_unchanged)
		return file_done(w, hex);

	job_result(w->job, w->is_unchanged
		? json_pack("{s:I, s:s}", "records", (json_int_t)w->done,
			    "unchanged", w->correction.name)
		: json_pack("{s:I}", "records", (json_int_t)w->done));
	return 0;
}


/* Of a corrected report: which file, and what its newest version says */
static int correction_read(struct work *w)
{
	struct correction *c = &w->correction;
	const char *id = arg(w->job, "corrects");
	PGresult *r = NULL;
	int err;

	if (!id)
		return 0;
	err = pg_exec(job_pg(w->job), "SELECT f.name, n.content_sha256, "
		      "n.revision + 1 FROM cdr.export_file f JOIN "
		      "cdr.export_file n ON $1 IN (n.id, n.corrects_id) WHERE "
		      "f.id = $1 ORDER BY n.revision DESC LIMIT 1", 1, &id, &r);
	if (!err && PQntuples(r) != 1) {
		job_fail(w->job, "there is no file %s", id);
		err = ENOENT;
	}
	if (!err) {
		TEXT_FILL(c->file_id, id);
		TEXT_FILL(c->name, PQgetvalue(r, 0, 0));
		TEXT_FILL(c->content, PQgetvalue(r, 0, 1));
		c->revision = (unsigned)strtoul(PQgetvalue(r, 0, 2), NULL, 10);
	}
	PQclear(r);
	return err;
}


/* Each query sees what is committed by then: notes that are taken here are of
   records that the report sees (0073_report_late.sql). */
static int report_begin(struct work *w)
{
	const char *params[] = {w->form.template_id, job_id(w->job),
				arg(w->job, "from"), arg(w->job, "to")};
	int err = correction_read(w);

	return err ? err : pg_exec(job_pg(w->job), "SELECT cdr.report_begin($1, "
		"$2, $3::timestamptz, $4::timestamptz)", 4, params, NULL);
}


/* What it says of the span, and whether that is another thing than before */
static int content_hash(struct work *w)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!EVP_Digest(w->mb->buf, w->mb->end, hash, &n, EVP_sha256(), NULL))
		return EPROTO;
	text_hex(w->content, hash, n);
	w->is_unchanged = *w->correction.file_id &&
		(!strcmp(w->content, w->correction.content) ||
		 !report_has_span(w->form.report));
	return 0;
}


/* A report of the span, as its recipient may see it. */
static int report_make(struct work *w)
{
	struct report_ask ask = {
		.report = w->form.report,
		.by = {[REPORT_BY_FROM] = arg(w->job, "from"),
		       [REPORT_BY_TO] = arg(w->job, "to"),
		       [REPORT_BY_TENANT] = w->form.tenant_id,
		       [REPORT_BY_ZONE] = w->form.zone,
		       [REPORT_BY_LIMIT] = "100000",
		       [REPORT_BY_VIEWER] = w->form.tenant_id},
	};
	PGresult *rows = NULL;
	int err;

	if (*w->form.tenant_id && !ask.report->is_tenant) {
		job_fail(w->job, "the report %s is for no tenant",
			 ask.report->name);
		return EACCES;
	}
	err = is_scheduled(w) ? report_begin(w) : 0;
	if (!err)
		err = report_run(&rows, job_pg(w->job), &ask, false);
	if (err == ERANGE)
		job_fail(w->job, "the span is of more than %d days",
			 REPORT_DAYS_MAX);
	if (!err)
		err = report_write(w->mb, &ask, rows, w->form.report_form);
	if (!err)
		err = content_hash(w);
	if (!err && *w->correction.file_id && !w->is_unchanged) {
		ask.corrects = w->correction.name;
		ask.revision = w->correction.revision;
		mbuf_rewind(w->mb);
		err = report_write(w->mb, &ask, rows, w->form.report_form);
	}
	if (!err) {
		w->done = (uint64_t)PQntuples(rows);
		err = flush(w);
	}
	PQclear(rows);
	return err;
}


/* Each query sees what is committed by then; notes that are not taken here
   keep their records out of this file. */
static int notes_take(struct work *w)
{
	const char *params[] = {w->form.template_id, job_id(w->job)};

	return pg_exec(job_pg(w->job), "SELECT cdr.export_begin($1, $2)", 2,
		       params, NULL);
}


static int records_make(struct work *w)
{
	int err = is_scheduled(w) ? notes_take(w) : 0;

	if (!err)
		err = count(w);
	if (!err)
		err = cursor_open(w);
	return err ? err : rows_write(w);
}


static int work_begin(struct work *w)
{
	const char *template = arg(w->job, "template_id"), *zone;
	int err;

	w->mb = mbuf_alloc(65536);
	w->digest = EVP_MD_CTX_new();
	if (!w->mb || !w->digest ||
	    !EVP_DigestInit_ex(w->digest, EVP_sha256(), NULL))
		return ENOMEM;

	err = pg_exec(job_pg(w->job), "BEGIN", 0, NULL, NULL);
	if (err)
		return err;
	if (template)
		err = form_template(&w->form, w->job, template);
	else
		form_ours(&w->form, w->job);
	zone = w->form.zone;

	return err ? err
		   : pg_exec(job_pg(w->job), "SELECT set_config('TimeZone', "
			     "$1, true)", 1, &zone, NULL);
}


static int run(struct job *job)
{
	struct work w = {.job = job};
	int err = work_begin(&w);

	if (!err)
		err = w.form.report ? report_make(&w) : records_make(&w);
	if (!err)
		err = result_say(&w);
	if (!err)
		err = pg_exec(job_pg(job), "COMMIT", 0, NULL, NULL);

	EVP_MD_CTX_free(w.digest);
	mem_deref(w.mb);
	return err;
}


const struct job_kind job_kind_cdr_export = {
	.name = "cdr_export", .is_resumable = true, .run = run,
};
