/**
 * @file call_decision.c  Why a call went where it went: /v1/calls/{call_id}
 * and its explain, of live calls from the switch, of ended ones from their
 * record; and /v1/route-tests, the same of a call that was not made.
 */
#include <stdlib.h>
#include <string.h>
#include "form.h"
#include "listing.h"
#include "live_call.h"
#include "pg.h"
#include "query.h"
#include "resource.h"
#include "rng.h"
#include "switch_ask.h"

#define TEXT(name_) {.name = #name_, .type = FIELD_TEXT, .column = #name_}
#define NUMBER(name_) \
	{.name = #name_, .type = FIELD_NUMBER, .column = #name_}
#define TIME(name_) {.name = #name_, .type = FIELD_TIME, .column = #name_}

/* An ended call as if it were a live one */
static const struct field ended_fields[] = {
	TEXT(call_id),
	{.name = "state", .type = FIELD_TEXT, .column = "outcome",
	 .read = "'DONE'"},
	TEXT(calling), TEXT(called), TEXT(tenant_id), TEXT(trunk_id),
	TEXT(gateway_id), TEXT(node), TIME(started_at), TIME(answered_at),
	TIME(ended_at), NUMBER(duration_ms),
	{.name = "price", .type = FIELD_MONEY, .column = "price_micro",
	 .read = "coalesce(t.price_micro, 0)"},
	TEXT(currency), TEXT(codec), TEXT(outcome), NUMBER(sip_code),
};
static const struct field explain_fields[] = {
	TEXT(call_id), TIME(started_at), TEXT(outcome), NUMBER(sip_code),
	{.name = "decision", .type = FIELD_JSON, .column = "decision",
	 .read = "(SELECT d.decision FROM cdr.decision d WHERE "
		 "(d.started_at, d.call_id) = (t.started_at, t.call_id))"},
};
static const struct field test_fields[] = {
	{.name = "trunk_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "gateway_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"gwy_", NULL}},
	{.name = "source", .type = FIELD_TEXT, .min = 1,
	 .max = 60, .form = form_is_token, .form_is = "address:port"},
	{.name = "from", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 1,
	 .max = 40, .form = form_is_token, .form_is = "without blanks"},
	{.name = "to", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 1,
	 .max = 40, .form = form_is_token, .form_is = "without blanks"},
	{.name = "display", .type = FIELD_TEXT, .max = 63,
	 .form = form_is_name, .form_is = "free of control characters"},
	{.name = "private", .type = FIELD_FLAG},
	{.name = "at", .type = FIELD_TIME},
	{.name = "codecs", .type = FIELD_CHOICES, .min = 1, .max = 8},
};
static const struct field_set ended_set = FIELD_SET(ended_fields);
static const struct field_set explain_set = FIELD_SET(explain_fields);
static const struct field_set test_set = FIELD_SET(test_fields);


/* --- what a customer may see ------------------------------------------- */

static bool is_in(const char *text, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(text, *list))
			return true;

	return false;
}


static const char *text_of(const json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));

	return text ? text : "";
}


/* Carriers, what they cost us, and how we choose them are no business of our
   customers: steps that tell of nothing else, and limits of the platform */
static bool is_ours(const json_t *note)
{
	static const char *const steps[] = {"plan", "candidate", "attempt",
					    "cost", NULL};
	static const char *const levels[] = {"gateway", "carrier", "node",
					     NULL};

	static const char *const by_cost[] = {"cost", "no_cost",
					      "cost_currency", NULL};

	return is_in(text_of(note, "step"), steps) ||
	       is_in(text_of(note, "level"), levels) ||
	       (!strcmp(text_of(note, "step"), "price") &&
		is_in(text_of(note, "reason"), by_cost));
}


/* What is left of a note names no carrier, address or cost of one */
static void note_hide(json_t *note)
{
	static const char *const ids[] = {"gwy_", "car_", "rte_", NULL};
	const bool is_carrier = !strncmp(text_of(note, "id"), "gwy_", 4);
	const char *name;
	json_t *value;
	void *next;

	json_object_foreach_safe(note, next, name, value) {
		const char *text = json_string_value(value);
		bool is_hidden = !strncmp(name, "cost", 4) ||
				 !strncmp(name, "margin", 6) ||
				 !strncmp(name, "markup", 6) ||
				 (is_carrier && (!strcmp(name, "name") ||
						 !strcmp(name, "source")));

		for (size_t i = 0; ids[i] && text; i++)
			is_hidden |= !strncmp(text, ids[i], strlen(ids[i]));
		if (is_hidden)
			(void)json_object_del(note, name);
	}
}


/* Where somebody else's number or trunk sends the call on is his affair: a
   customer who calls sees the notes before that, one who is called from
   outside those of his own forward. */
static void others_cut(json_t *notes)
{
	bool is_others = strncmp(text_of(json_array_get(notes, 0), "id"),
				 "gwy_", 4) != 0;

	for (size_t i = 0; i < json_array_size(notes); i++) {
		const char *step = text_of(json_array_get(notes, i), "step");
		const bool is_forward = !strcmp(step, "forward");

		if (is_others && (is_forward || !strcmp(step, "http"))) {
			while (json_array_size(notes) > i)
				(void)json_array_remove(notes, i);
			return;
		}
		is_others |= is_forward;
	}
}


static void decision_hide(json_t *notes)
{
	others_cut(notes);
	for (size_t i = 0; i < json_array_size(notes); i++) {
		json_t *note = json_array_get(notes, i);

		if (is_ours(note))
			(void)json_array_remove(notes, i--);
		else
			note_hide(note);
	}
}


static json_t *decision_of(const struct request *req, const json_t *doc)
{
	json_t *notes = json_object_get(doc, "decision");

	notes = json_is_array(notes) ? json_deep_copy(notes) : json_array();
	if (request_tenant(req))
		decision_hide(notes);

	return notes;
}


/* --- calls -------------------------------------------------------------- */

/* A record's final row. New reference; NULL: none, or problem is set */
static json_t *record_read(struct request *req, const struct field_set *set,
			   const char *call_id)
{
	PGresult *result = NULL;
	json_t *row = NULL;
	uint8_t uuid[16];
	struct query q;
	int err;

	if (uuid_parse(uuid, call_id))
		return NULL;

	query_init(&q);
	query_text(&q, "SELECT ");
	if (!q.err)
		q.err = field_select(q.mb, set);
	query_text(&q, " FROM cdr.record t WHERE t.attempt = 0 AND "
		       "t.call_id = ");
	query_param(&q, call_id);
	query_text(&q, "::uuid");
	query_owner(&q, req, "t.tenant_id");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err)
		request_pg_failed(req, err);
	else if (PQntuples(result))
		row = row_encode(set, result, 0, 0);
	PQclear(result);

	return row;
}


static void no_call(struct request *req, const char *call_id)
{
	problem_set(&req->problem, PROBLEM_NOT_FOUND,
		    "there is neither a live call nor a record of %s",
		    call_id);
}


operation_h call_get, call_explain, route_test_create;


void call_get(struct request *req)
{
	const char *call_id = req->path_params[0];
	json_t *story = switch_story(req, call_id), *call = NULL, *rows;

	if (story)
		call = live_call_encode(req, json_object_get(story, "call"));
	else if (!problem_is_set(&req->problem))
		call = record_read(req, &ended_set, call_id);
	json_decref(story);

	if (!call) {
		no_call(req, call_id);
		return;
	}
	if (request_tenant(req))
		json_object_set_new(call, "gateway_id", json_null());
	rows = json_pack("[O]", call);
	if (rows_shape(req, &resource_live_call, rows))
		request_answer(req, 200, json_incref(call));
	json_decref(rows);
	json_decref(call);
}


static json_t *story_explain(const struct request *req, const json_t *story)
{
	const json_t *call = json_object_get(story, "call");

	return json_pack("{s:O?, s:O?, s:O*, s:O*, s:o}", "call_id",
			 json_object_get(call, "call_id"), "started_at",
			 json_object_get(call, "started_at"), "outcome",
			 json_object_get(call, "outcome"), "sip_code",
			 json_object_get(call, "sip_code"), "decision",
			 decision_of(req, story));
}


void call_explain(struct request *req)
{
	const char *call_id = req->path_params[0];
	json_t *story = switch_story(req, call_id), *row = NULL;

	if (story)
		row = story_explain(req, story);
	else if (!problem_is_set(&req->problem))
		row = record_read(req, &explain_set, call_id);
	if (row && !story)
		json_object_set_new(row, "decision", decision_of(req, row));
	json_decref(story);

	if (!row) {
		no_call(req, call_id);
		return;
	}
	if (!json_object_get(row, "outcome"))
		json_object_set_new(row, "outcome", json_null());
	if (!json_object_get(row, "sip_code"))
		json_object_set_new(row, "sip_code", json_null());
	request_answer(req, 200, row);
}


/* --- route tests -------------------------------------------------------- */

/* Is there such a trunk, and is it the caller's? */
static void check_trunk(struct request *req, const char *trunk_id)
{
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "SELECT FROM core.trunk t WHERE t.id = ");
	query_param(&q, trunk_id);
	query_owner(&q, req, "t.tenant_id");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err)
		request_pg_failed(req, err);
	else if (!PQntuples(result))
		problem_add(&req->problem, "/trunk_id", "unknown", NULL,
			    "there is no such trunk");
	PQclear(result);
}


static void check_caller(struct request *req, const struct record *rec)
{
	const char *trunk_id = record_text(rec, "trunk_id");
	const char *gateway_id = record_text(rec, "gateway_id");
	const char *source = record_text(rec, "source");

	if (request_tenant(req) && (gateway_id || source))
		problem_add(&req->problem,
			    gateway_id ? "/gateway_id" : "/source",
			    "forbidden", NULL,
			    "name a trunk of the tenant instead");
	else if ((trunk_id && gateway_id) ||
		 (!trunk_id && !gateway_id && !source))
		problem_add(&req->problem, "/trunk_id", "missing", NULL,
			    "name a trunk, or a gateway, or a source address");
	else if (trunk_id)
		check_trunk(req, trunk_id);
}


static json_t *question_make(const json_t *body, const struct record *rec)
{
	static const char *const names[][2] = {
		{"trunk", "trunk_id"}, {"gateway", "gateway_id"},
		{"source", "source"}, {"from", "from"}, {"to", "to"},
		{"display", "display"}, {"private", "private"},
		{"codecs", "codecs"},
	};
	json_t *question = json_pack("{s:s}", "op", "route_test");
	const char *at = record_text(rec, "at");
	int64_t at_ms;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *value = json_object_get(body, names[i][1]);

		if (value && !json_is_null(value))
			json_object_set(question, names[i][0], value);
	}
	if (at && !form_time(&at_ms,
			     json_string_value(json_object_get(body, "at"))))
		json_object_set_new(question, "at_ms", json_integer(at_ms));

	return question;
}


/* The accounts and packages whose money or units are not on the node: the
   switch asks nobody in a test. NULL: there are none. */
static json_t *unknown_funds(const json_t *answer)
{
	const json_t *notes = json_object_get(answer, "decision");
	json_t *ids = NULL;

	for (size_t i = 0; i < json_array_size(notes); i++) {
		const json_t *note = json_array_get(notes, i);

		if ((strcmp(text_of(note, "step"), "funds") &&
		     strcmp(text_of(note, "step"), "package")) ||
		    strcmp(text_of(note, "from"), "ledger"))
			continue;
		if (!ids)
			ids = json_array();
		(void)json_array_append(ids, json_object_get(note, "id"));
	}

	return ids;
}


/* What api_v1.lease_take() would have to give from. */
static json_t *ledger_read(struct request *req, const json_t *ids)
{
	char *text = json_dumps(ids, JSON_COMPACT);
	const char *params[] = {text};
	PGresult *result = NULL;
	json_t *ledger = NULL;
	int err;

	err = pg_exec(req->pg,
		      "SELECT a.id, CASE WHEN a.status = 'active' AND "
		      "t.status = 'active' THEN a.balance_micro + "
		      "a.credit_limit_micro - a.leased_micro ELSE 0 END "
		      "FROM core.account a JOIN core.tenant t "
		      "ON t.id = a.tenant_id WHERE a.id IN "
		      "(SELECT jsonb_array_elements_text($1::jsonb)) "
		      "UNION ALL SELECT k, core.package_free(k) FROM "
		      "jsonb_array_elements_text($1::jsonb) k "
		      "WHERE k LIKE 'sub~_%' ESCAPE '~'",
		      1, params, &result);
	free(text);
	if (err)
		request_pg_failed(req, err);
	else
		ledger = json_object();
	for (int i = 0; ledger && i < PQntuples(result); i++)
		json_object_set_new(
			ledger, PQgetvalue(result, i, 0),
			json_integer(strtoll(PQgetvalue(result, i, 1), NULL,
					     10)));
	PQclear(result);

	return ledger;
}


/* Asked once more where the ledger has to say something to it. */
static json_t *test_ask(struct request *req, json_t *question)
{
	json_t *answer = switch_ask(req, json_incref(question));
	json_t *ids = answer ? unknown_funds(answer) : NULL;
	json_t *ledger;

	if (!ids)
		return answer;

	json_decref(answer);
	ledger = ledger_read(req, ids);
	json_decref(ids);
	if (!ledger)
		return NULL;

	json_object_set_new(question, "ledger", ledger);

	return switch_ask(req, json_incref(question));
}


static void test_run(struct request *req, const json_t *body,
		     const struct record *rec)
{
	json_t *question = question_make(body, rec);
	json_t *answer = test_ask(req, question), *res;

	json_decref(question);
	if (!answer)
		return;

	res = json_pack("{s:O?, s:O*, s:O*, s:O*, s:o}", "outcome",
			json_object_get(answer, "outcome"), "sip_code",
			json_object_get(answer, "sip_code"), "hint",
			json_object_get(answer, "hint"), "invite",
			request_tenant(req)
				? NULL : json_object_get(answer, "invite"),
			"decision", decision_of(req, answer));
	for (size_t i = 0; res && i < 3; i++) {
		static const char *const maybe[] = {"sip_code", "hint",
						    "invite"};

		if (!json_object_get(res, maybe[i]))
			json_object_set_new(res, maybe[i], json_null());
	}
	json_decref(answer);
	request_answer(req, 200, res);
}


void route_test_create(struct request *req)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);

	if (!body)
		return;

	if (record_decode(&rec, &test_set, body, "", &req->problem))
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	else if (!problem_is_set(&req->problem))
		check_caller(req, rec);
	if (!problem_is_set(&req->problem))
		test_run(req, body, rec);

	mem_deref(rec);
	json_decref(body);
}
