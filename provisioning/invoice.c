/**
 * @file invoice.c  /v1/invoices: drafts, issued, paid, void; credit notes; and
 * each of them as JSON, HTML, PDF, UBL and the records that it is of. Made by
 * functions of the database (schema billing), one transaction each.
 */
#include "invoice.h"
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "calls_csv.h"
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"
#include "text.h"


static const struct field fields[] = {
	FIELD_ROW_ID("inv_"),
	{.name = "kind", .type = FIELD_CHOICE,
	 .flags = F_READ_ONLY | F_FILTER, .column = "kind",
	 .choices = (const char *const[]){"invoice", "credit_note", NULL}},
	{.name = "status", .type = FIELD_CHOICE,
	 .flags = F_READ_ONLY | F_FILTER, .column = "status",
	 .choices = (const char *const[]){"draft", "issued", "paid", "void",
					  NULL}},
	{.name = "number", .type = FIELD_TEXT,
	 .flags = F_READ_ONLY | F_FILTER, .column = "name", .min = 1,
	 .max = 63, .form = form_is_name,
	 .form_is = "free of control characters"},
	FIELD_REFERENCE("seller_id", "sel_", F_READ_ONLY),
	FIELD_REFERENCE("tenant_id", "ten_", F_READ_ONLY),
	FIELD_REFERENCE("account_id", "acc_", F_READ_ONLY),
	{.name = "invoice_id", .type = FIELD_ID, .flags = F_READ_ONLY,
	 .column = "refers_id",
	 .choices = (const char *const[]){"inv_", NULL}},
	{.name = "period_from", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "period_from"},
	{.name = "period_to", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "period_to"},
	{.name = "currency", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "currency"},
	{.name = "net", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .column = "net_micro"},
	{.name = "tax", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .column = "tax_micro"},
	{.name = "total", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .column = "total_micro"},
	{.name = "open", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .read = "(SELECT o.open_micro FROM billing.open_invoices("
		 "t.account_id) o WHERE o.invoice_id = t.id)"},
	{.name = "opening_balance", .type = FIELD_MONEY,
	 .flags = F_READ_ONLY, .column = "opening_micro"},
	{.name = "closing_balance", .type = FIELD_MONEY,
	 .flags = F_READ_ONLY, .column = "closing_micro"},
	{.name = "issued_on", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "issued_on"},
	{.name = "due_on", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "due_on"},
	{.name = "issued_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "issued_at"},
	{.name = "paid_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "paid_at"},
	{.name = "voided_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "voided_at"},
	{.name = "note", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "note"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

#define NOT_NOW(constraint_, detail_) \
	{.constraint = (constraint_), .field = "", \
	 .kind = PROBLEM_CONFLICT, .detail = (detail_)}

static const struct refusal refusals[] = {
	NOT_NOW("invoice_fixed", "it is issued: only drafts are deleted"),
	NOT_NOW("invoice_draft", "it is no draft"),
	NOT_NOW("invoice_issued", "it has to be issued, and to be void not "
		"paid: a credit note takes back what is paid"),
	NOT_NOW("invoice_last", "a later document of the account stands on "
		"it: a credit note takes it back"),
	NOT_NOW("invoice_in_order", "the account has a draft: issue or delete "
		"it first"),
	NOT_NOW("credit_positive", "there is nothing to give back"),
	{.constraint = "credit_total", .field = "lines",
	 .kind = PROBLEM_VALIDATION, .detail = "together more than is left of "
	 "the invoice: credit the line of the discount with them, or less"},
	{.constraint = "credit_lines", .field = "lines",
	 .kind = PROBLEM_VALIDATION, .detail = "lines of the invoice, once "
	 "each, by at most what is left of them, in whole cents"},
	{.constraint = NULL},
};

const struct resource resource_invoice = {
	.kind = "invoice", .table = "billing.invoice", .key = "id",
	.key_type = "text", .id_prefix = "inv_", .path = "/v1/invoices",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};


/* --- moving it ---------------------------------------------------------- */

/* Run a function on the invoice of the path and answer with the row that it
   names; the audit has it before and after. */
static void move(struct request *req, const char *sql, int n,
		 const char *const *params, int status)
{
	PGresult *result = NULL;
	json_t *before, *after = NULL;
	char version[24];
	int err;

	if (!change_begin(req))
		return;
	before = resource_need(req, &resource_invoice, req->path_params[0],
			       false, NULL);
	if (!before) {
		change_abort(req);
		return;
	}

	err = pg_exec(req->pg, sql, n, params, &result);
	if (err)
		change_refused(req, &resource_invoice, NULL, err, result);
	else
		after = resource_need(req, &resource_invoice,
				      PQgetvalue(result, 0, 0), false,
				      version);
	if (after) {
		request_etag(req, version, after);
		if (status == 201)
			resource_location(req->answer.location,
				sizeof(req->answer.location),
				&resource_invoice, req,
				PQgetvalue(result, 0, 0));
		request_answer(req, status, json_incref(after));
		if (change_audit(req, "invoice", PQgetvalue(result, 0, 0),
				 status == 201 ? NULL : before, after))
			(void)change_commit(req);
	}
	else if (!err) {
		change_abort(req);
	}
	PQclear(result);
	json_decref(before);
	json_decref(after);
}


operation_h invoice_issue, invoice_void, invoice_credit, invoice_document,
	invoice_html_get, invoice_pdf_get, invoice_ubl_get, invoice_annex;


void invoice_issue(struct request *req)
{
	const char *id = req->path_params[0];

	move(req, "SELECT $1::text FROM billing.issue($1)", 1, &id, 200);
}


void invoice_void(struct request *req)
{
	const char *id = req->path_params[0];

	move(req, "SELECT $1::text FROM billing.void($1)", 1, &id, 200);
}


static const struct field credit_line_fields[] = {
	{.name = "n", .type = FIELD_NUMBER, .flags = F_REQUIRED, .min = 1,
	 .max = 1000000},
	{.name = "amount", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .min = -INT64_C(1000000000000000),
	 .max = INT64_C(1000000000000000)},
};
static const struct field_set credit_line_set = FIELD_SET(credit_line_fields);

static const struct field credit_fields[] = {
	{.name = "lines", .type = FIELD_LIST, .flags = F_NULLABLE, .min = 1,
	 .max = 1000, .items = &credit_line_set},
	{.name = "note", .type = FIELD_TEXT, .flags = F_NULLABLE, .min = 1,
	 .max = 1023, .form = form_is_name,
	 .form_is = "free of control characters"},
};
static const struct field_set credit_set = FIELD_SET(credit_fields);


/* The database would take the first of two, or neither */
static void lines_check(struct request *req, const json_t *lines)
{
	char pointer[32];
	const json_t *a, *b;
	size_t i, k;

	json_array_foreach(lines, i, a) {
		const json_t *n = json_object_get(a, "n");

		json_array_foreach(lines, k, b) {
			if (k >= i || !json_equal(n, json_object_get(b, "n")))
				continue;
			(void)text_format(pointer, sizeof(pointer),
					  "/lines/%zu/n", i);
			problem_add(&req->problem, pointer, "repeated", n,
				    "each line of the invoice once");
			return;
		}
	}
}


void invoice_credit(struct request *req)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);

	if (!body)
		return;

	if (record_decode(&rec, &credit_set, body, "", &req->problem)) {
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	}
	if (!problem_is_set(&req->problem))
		lines_check(req, json_object_get(body, "lines"));
	if (!problem_is_set(&req->problem)) {
		const char *params[] = {req->path_params[0],
					record_text(rec, "lines"),
					record_text(rec, "note")};

		move(req, "SELECT billing.credit($1, (SELECT jsonb_agg("
		     "jsonb_build_object('n', l->'n', 'amount_micro', "
		     "((l->>'amount')::numeric * 1000000)::bigint)) FROM "
		     "jsonb_array_elements($2::jsonb) l), $3)", 3, params,
		     201);
	}

	mem_deref(rec);
	json_decref(body);
}


/* --- reading it --------------------------------------------------------- */

/* The document of the path, when the caller sees it. New reference */
static json_t *document(struct request *req)
{
	const char *id = req->path_params[0];
	json_t *row = resource_need(req, &resource_invoice, id, false, NULL);
	PGresult *result = NULL;
	json_t *doc = NULL;
	int err;

	if (!row)
		return NULL;

	json_decref(row);
	err = pg_exec(req->pg, "SELECT billing.document($1)", 1, &id, &result);
	if (err)
		request_pg_failed(req, err);
	else
		doc = json_loads(PQgetvalue(result, 0, 0), 0, NULL);
	if (!err && !doc)
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	PQclear(result);

	return doc;
}


static void answer_bytes(struct request *req, struct mbuf *mb, int err,
			 const char *type)
{
	if (!err)
		err = mbuf_write_u8(mb, 0);
	if (!err) {
		req->answer.text = malloc(mb->end);
		if (!req->answer.text)
			err = ENOMEM;
	}
	if (err) {
		problem_set(&req->problem, err == ENOMEM ? PROBLEM_BUSY
			    : PROBLEM_INTERNAL, "%s", "");
		return;
	}

	memcpy(req->answer.text, mb->buf, mb->end);
	req->answer.text_len = mb->end - 1;
	req->answer.text_type = type;
	req->answer.status = 200;
}


void invoice_document(struct request *req)
{
	json_t *doc = document(req);

	if (doc)
		request_answer(req, 200, doc);
}


void invoice_html_get(struct request *req)
{
	struct mbuf *mb = mbuf_alloc(16384);
	json_t *doc = document(req);

	if (doc)
		answer_bytes(req, mb, mb ? invoice_html(mb, doc) : ENOMEM,
			     "text/html; charset=utf-8");
	json_decref(doc);
	mem_deref(mb);
}


void invoice_ubl_get(struct request *req)
{
	struct mbuf *mb = mbuf_alloc(16384);
	json_t *doc = document(req);
	const char *why = NULL;
	int err;

	if (doc) {
		err = mb ? invoice_ubl(mb, doc, &why) : ENOMEM;
		if (why)
			problem_set(&req->problem, PROBLEM_NO_UBL, "%s", why);
		else
			answer_bytes(req, mb, err, "application/xml");
	}
	json_decref(doc);
	mem_deref(mb);
}


/* One at a time, since a page takes a second of a core and a long one minutes;
   who waits for it keeps a thread from others, so that one may. */
static int print(struct mbuf *out, const struct mbuf *html)
{
	static pthread_mutex_t printer = PTHREAD_MUTEX_INITIALIZER;
	static atomic_int here;
	int err = EBUSY;

	if (atomic_fetch_add(&here, 1) < 2) {
		(void)pthread_mutex_lock(&printer);
		err = invoice_pdf(out, (const char *)html->buf, html->end);
		(void)pthread_mutex_unlock(&printer);
	}
	(void)atomic_fetch_sub(&here, 1);

	return err;
}


static int pdf(struct mbuf *out, const json_t *doc)
{
	struct mbuf *html = mbuf_alloc(16384);
	int err = html ? invoice_html(html, doc) : ENOMEM;

	if (!err)
		err = print(out, html);
	mem_deref(html);

	return err;
}


void invoice_pdf_get(struct request *req)
{
	struct mbuf *mb = mbuf_alloc(65536);
	json_t *doc = document(req);
	int err;

	if (doc) {
		err = mb ? pdf(mb, doc) : ENOMEM;
		if (err == EBUSY)
			problem_set(&req->problem, PROBLEM_BUSY,
				    "another invoice is being printed");
		else if (err == ENOENT || err == ETIMEDOUT || err == EIO)
			problem_set(&req->problem, PROBLEM_NO_PDF, "%s",
				    err == ENOENT
				    ? "there is no weasyprint on this machine"
				    : "weasyprint failed");
		else
			answer_bytes(req, mb, err, "application/pdf");
	}
	json_decref(doc);
	mem_deref(mb);
}


/* RFC 4180; numbers and names of destinations need quotes at most */
static const char annex_sql[] =
	"SELECT count(*), 'call_id,started_at,calling,called,destination,"
	"duration_ms,billed_ms,rate_per_min,increments,net,tax,gross' || chr(10) || "
	"coalesce(string_agg(concat_ws(',', call_id, to_char(started_at at "
	"time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), "
	"coalesce(calling, ''), coalesce(called, ''), '\"' || "
	"replace(coalesce(destination, ''), '\"', '\"\"') || '\"', "
	"coalesce(duration_ms::text, ''), coalesce(billed_ms::text, ''), "
	"coalesce(rate_per_min, ''), coalesce(increments, ''), net, tax, gross) || chr(10), '' ORDER BY "
	"started_at, call_id), '') FROM (SELECT * FROM billing.annex($1) "
	"LIMIT " CALLS_CSV_MAX " + 1) a";


void invoice_annex(struct request *req)
{
	calls_csv_answer(req, &resource_invoice, annex_sql,
			 "strowger invoice annex");
}
