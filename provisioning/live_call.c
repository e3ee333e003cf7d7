/**
 * @file live_call.c  /v1/calls: the calls that are up now, asked of the
 * switch over its control socket; dropping one.
 */
#include <errno.h>
#include <string.h>
#include "change.h"
#include "control.h"
#include "live_call.h"
#include "live_list.h"
#include "log.h"
#include "pg.h"
#include "resource.h"
#include "text.h"


static const struct field fields[] = {
	{.name = "call_id", .type = FIELD_TEXT},
	{.name = "state", .type = FIELD_TEXT, .flags = F_FILTER},
	{.name = "calling", .type = FIELD_TEXT, .flags = F_FILTER},
	{.name = "called", .type = FIELD_TEXT, .flags = F_FILTER},
	FIELD_REFERENCE("tenant_id", "ten_", 0),
	FIELD_REFERENCE("trunk_id", "trk_", 0),
	FIELD_REFERENCE("gateway_id", "gwy_", 0),
	{.name = "node", .type = FIELD_TEXT, .flags = F_FILTER},
	{.name = "started_at", .type = FIELD_TIME},
	{.name = "answered_at", .type = FIELD_TIME},
	{.name = "ended_at", .type = FIELD_TIME},
	{.name = "duration_ms", .type = FIELD_NUMBER},
	{.name = "price", .type = FIELD_MONEY},
	{.name = "currency", .type = FIELD_TEXT},
	{.name = "codec", .type = FIELD_TEXT},
	{.name = "outcome", .type = FIELD_TEXT},
	{.name = "sip_code", .type = FIELD_NUMBER},
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_live_call = {
	.kind = "call", .path = "/v1/calls", .owner = "t.tenant_id",
	.set = &set,
};

/** How the switch's names become ours. */
static const struct {
	const char *ours, *theirs;
} names[] = {
	{"call_id", "call_id"},       {"state", "state"},
	{"calling", "calling"},       {"called", "called"},
	{"tenant_id", "tenant"},      {"trunk_id", "trunk"},
	{"gateway_id", "gateway"},    {"node", "node"},
	{"started_at", "started_at"}, {"answered_at", "answered_at"},
	{"duration_ms", "duration_ms"}, {"currency", "currency"},
	{"codec", "codec"},           {"ended_at", "ended_at"},
	{"outcome", "outcome"},       {"sip_code", "sip_code"},
};


/* What the switch minds in a route test is what our client sent */
static void refuse_test(struct request *req, const json_t *answer)
{
	static const char *const members[][2] = {
		{"from", "/from"}, {"to", "/to"}, {"codecs", "/codecs"},
		{"message", "/display"}, {"at_ms", "/at"},
	};
	const char *what = json_string_value(json_object_get(answer,
							     "detail"));
	const char *at = "";

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (what && !strcmp(what, members[i][0]))
			at = members[i][1];
	problem_add(&req->problem, at, "unknown", NULL,
		    at[0] ? "makes no INVITE"
			  : "the switch knows no such caller");
}


/* The switch's refusal of a call that is not there is our not_found */
static void refuse(struct request *req, const json_t *answer)
{
	const char *code = json_string_value(json_object_get(answer, "code"));

	if (code && !strcmp(code, "no_such_limit"))
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "no node has this row in force yet");
	else if (code && !strcmp(code, "no_such_gateway"))
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "no node has this gateway in force");
	else if (code && !strcmp(code, "no_such_call"))
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no such live call");
	else if (code && !strcmp(code, "no_such_registration"))
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no such registration");
	else if (code && (!strcmp(code, "bad_route_test") ||
			  !strcmp(code, "unknown_source")))
		refuse_test(req, answer);
	else
		problem_set(&req->problem, PROBLEM_SWITCH,
			    "the switch refuses: %s", code ? code : "-");
}


json_t *switch_ask(struct request *req, json_t *question)
{
	json_t *answer = NULL;
	int err = question ? control_ask(req->api->control, question, &answer,
					 NULL)
			   : ENOMEM;

	json_decref(question);
	if (err) {
		log_event(LOG_WARN, "api", "switch_failed",
			  "request=%s errno=%d", req->id, err);
		problem_set(&req->problem, PROBLEM_SWITCH, "%s", "");
		return NULL;
	}
	if (!json_is_true(json_object_get(answer, "ok"))) {
		refuse(req, answer);
		json_decref(answer);
		return NULL;
	}
	return answer;
}


json_t *live_call_encode(const struct request *req, const json_t *theirs)
{
	const json_t *price = json_object_get(theirs, "price_micro");
	json_t *call = json_object();
	char amount[48];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *value = json_object_get(theirs, names[i].theirs);

		if (value && (!json_is_string(value) ||
			      json_string_length(value)))
			json_object_set(call, names[i].ours, value);
		else
			json_object_set_new(call, names[i].ours, json_null());
	}
	json_object_set_new(call, "price",
			    json_string(text_decimal_format(
				    amount, sizeof(amount),
				    json_integer_value(price), 6)));
	if (request_tenant(req)) /* which carrier is not its business */
		json_object_set_new(call, "gateway_id", json_null());
	return call;
}


static const char *text_of(const json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));

	return text ? text : "";
}


/* The tenants whose calls the caller may see, as members of an object; a
   single one can be asked for. NULL: the database failed */
json_t *switch_tenants(struct request *req, json_t *question)
{
	json_t *tenants = json_object();
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "SELECT t.id FROM core.tenant t WHERE true");
	query_owner(&q, req, "t.id");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err) {
		request_pg_failed(req, err);
		json_decref(tenants);
		tenants = NULL;
	}
	for (int i = 0; !err && i < PQntuples(result); i++)
		json_object_set_new(tenants, PQgetvalue(result, i, 0),
				    json_true());
	if (!err && PQntuples(result) == 1)
		json_object_set_new(question, "tenant",
				    json_string(PQgetvalue(result, 0, 0)));
	PQclear(result);
	return tenants;
}


bool tenant_is_seen(struct request *req, const char *tenant_id)
{
	PGresult *result = NULL;
	bool is_seen = false;
	struct query q;
	int err;

	if (!request_tenant(req))
		return true;

	query_init(&q);
	query_text(&q, "SELECT FROM core.tenant t WHERE t.id = ");
	query_param(&q, tenant_id);
	query_owner(&q, req, "t.id");
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err)
		request_pg_failed(req, err);
	else
		is_seen = PQntuples(result) == 1;
	PQclear(result);

	return is_seen;
}


json_t *switch_story(struct request *req, const char *call_id)
{
	json_t *question = json_pack("{s:s, s:s}", "op", "trace", "call",
				     call_id);
	json_t *story = NULL;
	const json_t *call;

	/* the record answers when the switch is away */
	if (!question || control_ask(req->api->control, question, &story,
				     NULL))
		story = NULL;
	json_decref(question);

	call = json_object_get(story, "call");
	if (!json_is_true(json_object_get(story, "ok")) || !call ||
	    !tenant_is_seen(req, text_of(call, "tenant"))) {
		json_decref(story);
		return NULL;
	}

	return story;
}


static const struct live_list calls = {
	.res = &resource_live_call, .op = "calls", .key = "call_id",
	.encode = live_call_encode,
};

operation_h call_list, call_drop;


void call_list(struct request *req)
{
	live_list_answer(req, &calls);
}


/* New reference, NULL: problem is set */
static json_t *call_need(struct request *req, const char *id)
{
	json_t *more = json_pack("{s:s}", "call", id);
	json_t *call = live_list_need(req, &calls, "call_id", id, more);

	json_decref(more);
	return call;
}


void call_drop(struct request *req)
{
	const char *id = req->path_params[0];
	json_t *call = call_need(req, id), *answer;

	if (!call)
		return;
	if (req->is_dry) {
		request_answer(req, 204, NULL);
		json_decref(call);
		return;
	}

	answer = switch_ask(req, json_pack("{s:s, s:s, s:s}", "op", "drop", "call",
				    id, "call_id", id));
	if (!problem_is_set(&req->problem) && change_begin(req) &&
	    change_audit(req, "call", id, call, NULL) && change_commit(req))
		request_answer(req, 204, NULL);

	req->answer.version = 0; /* nothing provisioned has changed */
	json_decref(answer);
	json_decref(call);
}
