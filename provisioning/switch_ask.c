/**
 * @file switch_ask.c  The switch's control socket as the API uses it: its
 * refusals become ours, its tenants those that the caller may see.
 */
#include <errno.h>
#include <string.h>
#include "control.h"
#include "log.h"
#include "pg.h"
#include "resource.h"
#include "switch_ask.h"


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


static const char *text_of(const json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));

	return text ? text : "";
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
