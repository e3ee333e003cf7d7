/**
 * @file call_record.c  /v1/cdrs: what became of calls. Read only; a list
 * needs a span of time, because records live in monthly partitions.
 */
#include <stdlib.h>
#include <string.h>
#include "call_record.h"
#include "form.h"
#include "listing.h"
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

static const struct field fields[] = {
	TEXT(call_id), NUMBER(attempt), TIME(started_at),
	TEXT(parent_call_id), TEXT(node), TEXT(version), FILTER(direction),
	FIELD_REFERENCE("tenant_id", "ten_", 0),
	FIELD_REFERENCE("account_id", "acc_", 0),
	FIELD_REFERENCE("trunk_id", "trk_", 0),
	FIELD_REFERENCE("site_id", "sit_", 0),
	FIELD_REFERENCE("did_id", "did_", 0),
	FIELD_REFERENCE("carrier_id", "car_", 0),
	FIELD_REFERENCE("gateway_id", "gwy_", 0),
	FIELD_REFERENCE("route_id", "rte_", 0),
	FIELD_REFERENCE("plan_id", "pln_", 0),
	FIELD_REFERENCE("terminating_trunk_id", "trk_", 0),
	FLAG(is_emergency), FLAG(is_onnet),
	TEXT(calling_received), FILTER(calling), TEXT(calling_sent),
	TEXT(called_received), FILTER(called), TEXT(called_sent),
	FILTER(calling_country), TEXT(calling_network), TEXT(calling_type),
	FILTER(called_country), TEXT(called_network), TEXT(called_type),
	TEXT(calling_action),
	TEXT(diverting), FIELD_REFERENCE("diverting_trunk_id", "trk_", 0),
	TEXT(diversion_reason),
	TIME(ringing_at), TIME(answered_at), TIME(ended_at), NUMBER(pdd_ms),
	NUMBER(setup_ms), NUMBER(duration_ms), FLAG(end_estimated),
	FILTER(outcome), TEXT(initiator), NUMBER(sip_code), NUMBER(q850),
	TEXT(limit_hit), TEXT(marks), TEXT(reason_received),
	NUMBER(b_sip_code), NUMBER(b_q850), FLAG(clock_stepped),
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
static const struct field_set set = FIELD_SET(fields);

/* A tenant sees what it pays, not whom we pay how much */
static const char *const hidden[] = {"cost", "cost_currency", "carrier_id",
				     "gateway_id", "route_id", "plan_id", "b",
				     "b_sip_code", "b_q850", "trail", NULL};

/* What tells where a call was sent on */
static const char *const concealed[] = {
	"called_sent", "calling_sent", "called_country", "called_network",
	"called_type", "diverting", "diverting_trunk_id", "diversion_reason",
	"terminating_trunk_id", "did_id", "reason_received", NULL};

static void span_check(struct request *req);
static void forwards_hide(struct request *req, json_t *rows);

/* Final records of calls, each with its key of two columns */
const struct resource resource_record = {
	.kind = "cdr", .table = "cdr.record", .key = "started_at",
	.key_type = "timestamptz", .key2 = "call_id", .key2_type = "uuid",
	.path = "/v1/cdrs", .owner = "t.tenant_id", .visible = "t.attempt = 0",
	.newest_first = true, .set = &set, .hidden = hidden,
	.bound = span_check, .conceal = forwards_hide, .concealed = concealed,
	.is_open = query_forward_own,
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
	{.name = "net", .type = FIELD_MONEY, .column = "net_micro"},
	NUMBER(covered_ms),
	{.name = "covered", .type = FIELD_MONEY, .column = "covered_micro"},
	{.name = "packages", .type = FIELD_JSON,
	 .read = "rating.packages_told(t.packages)"},
	{.name = "taxes", .type = FIELD_JSON,
	 .read = "(SELECT coalesce(jsonb_agg(jsonb_build_object('name', "
		 "x.t->>0, 'amount', rating.amount(t.tax_micro[x.o])) "
		 "ORDER BY x.o), '[]') FROM jsonb_array_elements("
		 "t.price->'taxes') WITH ORDINALITY x (t, o))"},
	{.name = "price", .type = FIELD_JSON, .column = "price"},
};
static const struct field_set charge_set = FIELD_SET(charge_fields);

/* A price made of a carrier's cost is by the carrier's deck */
static const char *const hidden_decks[] = {"rate_deck_id", "rate_deck_version",
					   NULL};
static const struct resource charge_hidden = {.kind = "charge",
					      .hidden = hidden_decks};


/* --- who forwards -------------------------------------------------------- */

static const char *text_of(const json_t *row, const char *name)
{
	const char *text = json_string_value(json_object_get(row, name));

	return text ? text : "";
}


/* Of the trunks that have sent calls on, those that may be seen: an object
   with their ids. NULL: none, or it is not known. */
static json_t *own_trunks(struct request *req, const json_t *rows)
{
	json_t *ids = json_array(), *own = NULL;
	PGresult *result = NULL;
	struct query q;
	char *text;
	int err;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		const char *by = text_of(json_array_get(rows, i),
					 "diverting_trunk_id");

		if (by[0])
			(void)json_array_append_new(ids, json_string(by));
	}
	if (!json_array_size(ids)) {
		json_decref(ids);
		return NULL;
	}

	text = json_dumps(ids, JSON_COMPACT);
	query_init(&q);
	query_text(&q, "SELECT t.id FROM core.trunk t WHERE t.id IN "
		       "(SELECT jsonb_array_elements_text(");
	query_param(&q, text);
	query_text(&q, "::jsonb))");
	query_owner(&q, req, "t.tenant_id");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	free(text);
	json_decref(ids);

	if (!err)
		own = json_object();
	for (int i = 0; own && i < PQntuples(result); i++)
		json_object_set_new(own, PQgetvalue(result, i, 0),
				    json_true());
	PQclear(result);

	return own;
}


void query_forward_own(struct query *q, const char *tenant_id)
{
	query_text(q, "(coalesce(t.diverting_trunk_id, '') = '' OR EXISTS "
		      "(SELECT FROM core.trunk k JOIN core.tenant_tree s ON "
		      "s.tenant_id = k.tenant_id WHERE k.id = "
		      "t.diverting_trunk_id AND s.ancestor_id = ");
	query_param(q, tenant_id);
	query_text(q, "))");
}


static void forward_hide(json_t *row)
{
	for (const char *const *name = concealed; *name; name++)
		json_object_set_new(row, *name, json_null());
}


/* Where somebody else sends a call on is his affair; who is not known any
   more is somebody else. */
static void forwards_hide(struct request *req, json_t *rows)
{
	json_t *own = own_trunks(req, rows);

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		const char *by = text_of(row, "diverting_trunk_id");

		if (by[0] && !json_object_get(own, by))
			forward_hide(row);
	}
	json_decref(own);
}


/* --- the span of a list -------------------------------------------------------------- */

static int64_t time_need(struct request *req, const char *name)
{
	const char *text = request_query(req, name);
	int64_t ms = 0;

	if (!text || form_time(&ms, text))
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "%s is needed, as 2026-11-22T10:31:00Z", name);
	return ms;
}


static void span_check(struct request *req)
{
	const int64_t from_ms = time_need(req, "started_at[gte]");
	const int64_t to_ms = time_need(req, "started_at[lt]");

	if (to_ms <= from_ms || to_ms - from_ms > SPAN_MAX_MS)
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "started_at[lt] must be after started_at[gte], "
			    "by at most 93 days");
}


/* --- one call ---------------------------------------------------------- */

/* The final record with its attempts */
static json_t *call_read(struct request *req, const char *call_id)
{
	json_t *call = NULL, *attempts = json_array(), *rows = json_array();
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "SELECT ");
	if (!q.err)
		q.err = field_select(q.mb, &set);
	query_text(&q, " FROM cdr.record t WHERE t.call_id = ");
	query_param(&q, call_id);
	query_owner(&q, req, "t.tenant_id");
	query_text(&q, " ORDER BY t.attempt");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err)
		request_pg_failed(req, err);

	for (int i = 0; !err && i < PQntuples(result); i++)
		json_array_append_new(rows, row_encode(&set, result, i, 0));
	PQclear(result);
	rows_hide(req, &resource_record, rows);
	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);

		if (json_integer_value(json_object_get(row, "attempt")))
			json_array_append(attempts, row);
		else
			call = json_incref(row);
	}
	if (call)
		json_object_set(call, "attempts", attempts);
	json_decref(rows);
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
	query_text(&q, "::timestamptz%s",
		   request_tenant(req) ? " AND t.side = 'sell'" : "");
	/* who forwarded the call pays a part of it, and nobody else's business
	 * it is */
	query_owner(&q, req, "COALESCE((SELECT a.tenant_id FROM core.account "
		    "a WHERE a.id = t.account_id), (SELECT r.tenant_id FROM "
		    "cdr.record r WHERE r.started_at = t.started_at AND "
		    "r.call_id = t.call_id AND r.attempt = 0))");
	query_text(&q, " ORDER BY t.attempt, t.side");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err)
		request_pg_failed(req, err);

	for (int i = 0; !err && i < PQntuples(result); i++)
		json_array_append_new(charges,
				      row_encode(&charge_set, result, i, 0));
	rows_hide(req, &charge_hidden, charges);
	PQclear(result);
	json_object_set_new(call, "charges", charges);
	return !err;
}


operation_h cdr_get;


void cdr_get(struct request *req)
{
	const char *call_id = req->path_params[0];
	json_t *call = NULL, *rows;
	uint8_t uuid[16];

	if (!uuid_parse(uuid, call_id))
		call = call_read(req, call_id);
	if (!call) {
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no record of call %s", call_id);
		return;
	}

	rows = json_pack("[O]", call);
	if (charges_read(req, call_id, call) &&
	    rows_shape(req, &resource_record, rows))
		request_answer(req, 200, json_incref(call));
	json_decref(rows);
	json_decref(call);
}
