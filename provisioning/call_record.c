/**
 * @file call_record.c  /v1/cdrs: what became of calls. Read only; a list
 * needs a span of time, because records live in monthly partitions.
 */
#include <string.h>
#include "cursor.h"
#include "form.h"
#include "moment.h"
#include "pg.h"
#include "query.h"
#include "resource.h"
#include "rng.h"
#include "text.h"

#define SPAN_MAX_MS (INT64_C(93) * 86400 * 1000)

#define TEXT(name_) {.name = #name_, .type = FIELD_TEXT, .column = #name_}
#define FILTER(name_) {.name = #name_, .type = FIELD_TEXT, \
		       .flags = F_FILTER, .column = #name_}
#define NUMBER(name_) {.name = #name_, .type = FIELD_NUMBER, \
		       .column = #name_}
#define TIME(name_) {.name = #name_, .type = FIELD_TIME, .column = #name_}
#define FLAG(name_) {.name = #name_, .type = FIELD_FLAG, .column = #name_}
#define SIDE(side) \
	{.name = #side ".address", .type = FIELD_TEXT, \
	 .column = #side "_address"}, \
	{.name = #side ".transport", .type = FIELD_TEXT, \
	 .column = #side "_transport"}, \
	{.name = #side ".call_id", .type = FIELD_TEXT, \
	 .column = #side "_call_id"}, \
	{.name = #side ".user_agent", .type = FIELD_TEXT, \
	 .column = #side "_user_agent"}, \
	{.name = #side ".media_address", .type = FIELD_TEXT, \
	 .column = #side "_media_address"}, \
	{.name = #side ".packets", .type = FIELD_NUMBER, \
	 .column = #side "_packets"}, \
	{.name = #side ".bytes", .type = FIELD_NUMBER, \
	 .column = #side "_bytes"}, \
	{.name = #side ".lost", .type = FIELD_NUMBER, \
	 .column = #side "_lost"}, \
	{.name = #side ".jitter_us", .type = FIELD_NUMBER, \
	 .column = #side "_jitter_us"}, \
	{.name = #side ".foreign", .type = FIELD_NUMBER, \
	 .column = #side "_foreign"}

static const struct field head_fields[] = {
	TEXT(call_id), NUMBER(attempt), TIME(started_at),
	TEXT(parent_call_id), TEXT(node), TEXT(version), TEXT(direction),
	FILTER(tenant_id), FILTER(account_id), FILTER(trunk_id), TEXT(site_id),
	TEXT(did_id),
	FILTER(carrier_id), FILTER(gateway_id), TEXT(route_id), TEXT(plan_id),
	TEXT(terminating_trunk_id), FLAG(is_emergency), FLAG(is_onnet),
	TEXT(calling_received), FILTER(calling), TEXT(calling_sent),
	TEXT(called_received), FILTER(called), TEXT(called_sent),
	FILTER(calling_country), TEXT(calling_network), TEXT(calling_type),
	FILTER(called_country), TEXT(called_network), TEXT(called_type),
	TEXT(calling_action),
	TEXT(diverting), TEXT(diverting_trunk_id), TEXT(diversion_reason),
	TIME(ringing_at), TIME(answered_at), TIME(ended_at), NUMBER(pdd_ms),
	NUMBER(setup_ms), NUMBER(duration_ms), FLAG(end_estimated),
	FILTER(outcome), TEXT(initiator), NUMBER(sip_code), NUMBER(q850),
	TEXT(limit_hit), TEXT(marks), TEXT(reason_received),
};
static const struct field tail_fields[] = {
	SIDE(a), SIDE(b), TEXT(codec),
	{.name = "price", .type = FIELD_MONEY, .column = "price_micro"},
	{.name = "cost", .type = FIELD_MONEY, .column = "cost_micro"},
	TEXT(currency), TEXT(cost_currency), NUMBER(billed_ms),
	TEXT(rate_prefix), TEXT(rate_destination),
	{.name = "rate_per_min", .type = FIELD_RATE,
	 .column = "rate_per_min_nano"},
	{.name = "connect_fee", .type = FIELD_MONEY,
	 .column = "connect_fee_micro"},
	{.name = "initial_ms", .type = FIELD_NUMBER, .column = "first_ms"},
	{.name = "increment_ms", .type = FIELD_NUMBER, .column = "next_ms"},
	TEXT(trail),
};
static const struct field charge_fields[] = {
	TEXT(side), NUMBER(attempt), TEXT(account_id), TEXT(carrier_id),
	{.name = "amount", .type = FIELD_MONEY, .column = "amount_micro"},
	TEXT(currency),
	{.name = "rate_deck_id", .type = FIELD_TEXT, .column = "deck_id"},
	{.name = "rate_deck_version", .type = FIELD_NUMBER,
	 .column = "deck_version"},
	TEXT(prefix), TEXT(destination),
	{.name = "rate_per_min", .type = FIELD_RATE,
	 .column = "rate_per_min_nano"},
	{.name = "connect_fee", .type = FIELD_MONEY,
	 .column = "connect_fee_micro"},
	{.name = "initial_ms", .type = FIELD_NUMBER, .column = "first_ms"},
	{.name = "increment_ms", .type = FIELD_NUMBER, .column = "next_ms"},
	TEXT(rounding_mode), NUMBER(rounding_decimals), NUMBER(billed_ms),
};
static const struct field_set head_set = FIELD_SET(head_fields);
static const struct field_set tail_set = FIELD_SET(tail_fields);
static const struct field_set charge_set = FIELD_SET(charge_fields);


/* --- rows -------------------------------------------------------------- */

static void select_record(struct query *q)
{
	query_text(q, "SELECT ");
	if (!q->err)
		q->err = field_select(q->mb, &head_set);
	query_text(q, ", ");
	if (!q->err)
		q->err = field_select(q->mb, &tail_set);
	query_text(q, " FROM cdr.record t");
}


/* A tenant sees what it pays, not whom we pay how much */
static void hide_cost(json_t *doc)
{
	static const char *const hidden[] = {"cost", "cost_currency",
					     "carrier_id", "gateway_id",
					     "route_id", "plan_id", "b",
					     "trail"};

	for (size_t i = 0; i < sizeof(hidden) / sizeof(hidden[0]); i++)
		json_object_set_new(doc, hidden[i], json_null());
}


static json_t *record_json(const struct request *req, const PGresult *result,
			   int row)
{
	json_t *doc = row_encode(&head_set, result, row, 0);
	json_t *tail = row_encode(&tail_set, result, row, (int)head_set.n);

	json_object_update(doc, tail);
	json_decref(tail);
	if (request_tenant(req))
		hide_cost(doc);
	return doc;
}


/* --- list -------------------------------------------------------------- */

static int64_t time_need(struct request *req, const char *name)
{
	const char *text = request_query(req, name);
	int64_t ms = 0;

	if (!text || form_time(&ms, text))
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "%s is needed, as 2026-11-22T10:31:00Z", name);
	return ms;
}


static void span_read(struct request *req, char from[40], char to[40])
{
	const int64_t from_ms = time_need(req, "started_at[gte]");
	const int64_t to_ms = time_need(req, "started_at[lt]");

	moment_format(from, from_ms);
	moment_format(to, to_ms);
	if (to_ms <= from_ms || to_ms - from_ms > SPAN_MAX_MS)
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "started_at[lt] must be after started_at[gte], "
			    "by at most 93 days");
}


static void add_filters(struct query *q, const struct request *req)
{
	for (size_t i = 0; i < head_set.n; i++) {
		const struct field *f = &head_set.fields[i];
		const char *value = request_query(req, f->name);

		if (!value || !(f->flags & F_FILTER))
			continue;
		query_text(q, " AND t.%s = ", f->column);
		query_param(q, value);
	}
}


static void add_cursor(struct query *q, const struct cursor *cursor)
{
	if (!cursor->n)
		return;
	query_text(q, " AND (t.started_at, t.call_id) < (");
	query_param(q, cursor->keys[0]);
	query_text(q, "::timestamptz, ");
	query_param(q, cursor->keys[1]);
	query_text(q, "::uuid)");
}


static const char *key_of(const json_t *row, size_t i, const void *arg)
{
	static const char *const keys[] = {"started_at", "call_id"};
	const char *text = json_string_value(json_object_get(row, keys[i]));

	(void)arg;
	return text ? text : "";
}


static void list(struct request *req, const struct cursor *cursor,
		 const char *from, const char *to, int limit)
{
	json_t *rows = json_array();
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	select_record(&q);
	query_text(&q, " WHERE t.attempt = 0 AND t.started_at >= ");
	query_param(&q, from);
	query_text(&q, "::timestamptz AND t.started_at < ");
	query_param(&q, to);
	query_text(&q, "::timestamptz");
	query_owner(&q, req, "t.tenant_id");
	add_filters(&q, req);
	add_cursor(&q, cursor);
	query_text(&q, " ORDER BY t.started_at DESC, t.call_id DESC LIMIT %d",
		   limit + 1);

	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err) {
		request_pg_failed(req, err);
		json_decref(rows);
	} else {
		for (int i = 0; i < PQntuples(result); i++)
			json_array_append_new(rows,
					      record_json(req, result, i));
		page_answer(req, rows, (size_t)limit, key_of, 2, NULL);
	}
	PQclear(result);
}


operation_h cdr_list, cdr_get;


void cdr_list(struct request *req)
{
	const char *text = request_query(req, "cursor");
	const int limit = request_limit(req);
	struct cursor cursor = {.n = 0};
	char from[40], to[40];

	span_read(req, from, to);
	if (text && cursor_decode(&cursor, text, req->op->id, 2))
		problem_set(&req->problem, PROBLEM_BAD_CURSOR, "%s", "");
	if (!problem_is_set(&req->problem))
		list(req, &cursor, from, to, limit);
}


/* --- one call ---------------------------------------------------------- */

/* The final record with its attempts */
static json_t *call_read(struct request *req, const char *call_id)
{
	json_t *call = NULL, *attempts = json_array();
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	select_record(&q);
	query_text(&q, " WHERE t.call_id = ");
	query_param(&q, call_id);
	query_owner(&q, req, "t.tenant_id");
	query_text(&q, " ORDER BY t.attempt");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err)
		request_pg_failed(req, err);

	for (int i = 0; !err && i < PQntuples(result); i++) {
		json_t *row = record_json(req, result, i);

		if (json_integer_value(json_object_get(row, "attempt")))
			json_array_append_new(attempts, row);
		else
			call = row;
	}
	PQclear(result);
	if (call)
		json_object_set(call, "attempts", attempts);
	json_decref(attempts);
	return call;
}


static bool charges_read(struct request *req, const char *call_id,
			 json_t *call)
{
	json_t *charges = json_array();
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "SELECT ");
	if (!q.err)
		q.err = field_select(q.mb, &charge_set);
	query_text(&q, " FROM cdr.charge t WHERE t.call_id = ");
	query_param(&q, call_id);
	query_text(&q, "::uuid AND t.started_at = ");
	query_param(&q, json_string_value(json_object_get(call,
							  "started_at")));
	query_text(&q, "::timestamptz%s ORDER BY t.attempt, t.side",
		   request_tenant(req) ? " AND t.side = 'sell'" : "");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err)
		request_pg_failed(req, err);

	for (int i = 0; !err && i < PQntuples(result); i++)
		json_array_append_new(charges,
				      row_encode(&charge_set, result, i, 0));
	PQclear(result);
	json_object_set_new(call, "charges", charges);
	return !err;
}


void cdr_get(struct request *req)
{
	const char *call_id = req->path_params[0];
	json_t *call = NULL;
	uint8_t uuid[16];

	if (!uuid_parse(uuid, call_id))
		call = call_read(req, call_id);
	if (!call) {
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no record of call %s", call_id);
		return;
	}

	if (charges_read(req, call_id, call))
		request_answer(req, 200, call);
	else
		json_decref(call);
}
