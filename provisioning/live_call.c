/**
 * @file live_call.c  /v1/calls: the calls that are up now, asked of the
 * switch over its control socket; dropping one.
 */
#include "change.h"
#include "live_call.h"
#include "live_list.h"
#include "resource.h"
#include "switch_ask.h"
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
