/**
 * @file number_rule_test.c  POST /v1/number-rule-tests: what a peer's rules
 * make of a number or a name. The switch itself is asked: only its rules count.
 */
#include "control.h"
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	{.name = "trunk_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "gateway_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"gwy_", NULL}},
	{.name = "direction", .type = FIELD_CHOICE, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"in", "out", NULL}},
	{.name = "subject", .type = FIELD_CHOICE, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"calling", "called", "diversion",
					  "identity", "name", NULL}},
	{.name = "value", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 0,
	 .max = 63, .form = form_is_name,
	 .form_is = "free of control characters"},
	/* who calls, when the value is a name */
	{.name = "number", .type = FIELD_TEXT, .min = 1, .max = 63,
	 .form = form_is_name, .form_is = "free of control characters"},
};
static const struct field_set set = FIELD_SET(fields);

operation_h number_rule_test;


static void ask(struct request *req, const struct record *rec,
		const char *peer)
{
	json_t *question = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s*}", "op", "number_rules",
		"peer", peer, "direction", record_text(rec, "direction"),
		"subject", record_text(rec, "subject"), "value",
		record_text(rec, "value"), "number",
		record_text(rec, "number"));
	json_t *answer = NULL;

	if (!question || control_ask(req->api->control, question, &answer,
				     NULL))
		problem_set(&req->problem, PROBLEM_SWITCH, "%s", "");
	else if (!json_is_true(json_object_get(answer, "ok")))
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "the switch knows no peer %s", peer);
	else {
		(void)json_object_del(answer, "ok");
		request_answer(req, 200, json_incref(answer));
	}

	json_decref(question);
	json_decref(answer);
}


void number_rule_test(struct request *req)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);
	const char *trunk, *gateway;

	if (!body)
		return;

	if (record_decode(&rec, &set, body, "", &req->problem)) {
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	}
	else if (!problem_is_set(&req->problem)) {
		trunk = record_text(rec, "trunk_id");
		gateway = record_text(rec, "gateway_id");
		if (!trunk == !gateway)
			problem_add(&req->problem, "/trunk_id", "required",
				    NULL, "either trunk_id or gateway_id");
		else
			ask(req, rec, trunk ? trunk : gateway);
	}

	mem_deref(rec);
	json_decref(body);
}
