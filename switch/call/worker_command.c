/**
 * @file worker_command.c  The operator's commands on live calls: one JSON
 * object in, one out.
 */
#include "json.h"
#include <stdlib.h>
#include <string.h>
#include "call.h"
#include "call_private.h"
#include "worker_calls.h"
#include "worker_limit.h"
#include "worker_quality.h"
#include "call_test.h"
#include "worker_registrations.h"

typedef json_t *(command_h)(struct worker *w, const json_t *req);


static json_t *refusal(const char *code, const char *detail)
{
	return json_pack("{s:b,s:s,s:s}", "ok", 0, "code", code, "detail",
			 detail);
}


/* The call named by "call": a live one, or NULL. id is set when it parses. */
static struct call *named(struct worker *w, const json_t *req,
			  uint8_t id[16])
{
	const char *text = json_string_value(json_object_get(req, "call"));

	memset(id, 0, 16);
	if (!text || uuid_parse(id, text))
		return NULL;

	return worker_call(w, id);
}


static json_t *do_drop(struct worker *w, const json_t *req)
{
	uint8_t id[16];
	struct call *call = named(w, req, id);

	if (!call)
		return refusal("no_such_call", "no live call has this id; "
					       "`strowger calls` lists them");

	call_drop(call, OUT_ADMIN_DROP);

	return json_pack("{s:b}", "ok", 1);
}


/* The picture of a call that ended lately, or NULL. */
static const struct call *past(const struct worker *w, const uint8_t id[16])
{
	const struct le *le;

	LIST_FOREACH(&w->traces, le) {
		const struct trace *t = le->data;

		if (!memcmp(t->call_id, id, sizeof(t->call_id)))
			return t->past;
	}

	return NULL;
}


static json_t *do_trace(struct worker *w, const json_t *req)
{
	uint8_t id[16];
	const struct call *call = named(w, req, id);
	json_t *story;

	if (!call)
		call = past(w, id);
	if (!call)
		return refusal("no_such_call", "neither a live call nor one of "
					       "the last that ended; see its "
					       "CDR");

	story = call_story(call);
	(void)json_object_set_new(story, "ok", json_true());

	return story;
}


static json_t *do_drain(struct worker *w, const json_t *req)
{
	w->is_draining = !json_is_true(json_object_get(req, "off"));

	return json_pack("{s:b,s:b,s:I}", "ok", 1, "draining",
			 w->is_draining, "calls",
			 (json_int_t)list_count(&w->live));
}


/* The process ends: nobody new, and every live call is told. */
static json_t *do_stop(struct worker *w, const json_t *req)
{
	struct le *le = list_head(&w->live);

	(void)req;
	w->is_draining = true;
	while (le) {
		struct call *call = le->data;

		le = le->next;
		call_drop(call, OUT_LIMIT_NODE);
	}

	return json_pack("{s:b,s:I}", "ok", 1, "calls",
			 (json_int_t)list_count(&w->live));
}


static json_t *do_table(struct worker *w, const json_t *req)
{
	char *text = worker_table();
	json_t *res = json_pack("{s:b,s:s}", "ok", 1, "text",
				text ? text : "");

	(void)w;
	(void)req;
	free(text);

	return res;
}


static void add_gateway(const struct ping_state *s, void *arg)
{
	char at[32];
	json_t *o = json_pack("{s:s,s:b,s:b,s:I,s:s,s:s,s:s,s:I}", "gateway",
			      s->gateway_id, "up", s->is_up, "probed",
			      s->is_probed, "rtt_us", (json_int_t)s->rtt_us,
			      "since", moment_format(at, s->changed_wall_ms),
			      "state", s->state, "reason", s->reason,
			      "failures", (json_int_t)s->failures);

	if (o)
		(void)json_array_append_new(arg, o);
}


static json_t *do_status(struct worker *w, const json_t *req)
{
	struct worker_census c;
	json_t *gateways = json_array();

	(void)req;
	worker_census(w, &c);
	ping_each(w->ping, add_gateway, gateways);

	return json_pack(
		"{s:b,s:s,s:s,s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "ok",
		1, "node", w->cfg.node, "version", STROWGER_VERSION,
		"draining", w->is_draining, "journal_healthy",
		!w->doors.refusesh(w->doors.arg), "catalog_version",
		w->cat ? (json_int_t)catalog_version(w->cat) : 0, "calls",
		(json_int_t)c.calls, "transactions",
		(json_int_t)c.client_tx + (json_int_t)c.server_tx, "channels",
		(json_int_t)c.channels, "registrations",
		(json_int_t)registrar_count(w->registrar), "timers",
		(json_int_t)c.timers, "bugs", (json_int_t)c.bugs, "gateways",
		gateways);
}


static json_t *do_limits(struct worker *w, const json_t *req)
{
	return worker_limit_line(w, req);
}


char *worker_command(struct worker *w, const struct moment *now,
		     const char *json, size_t len)
{
	static const struct {
		const char *op;
		command_h *h;
	} commands[] = {
		{"calls", worker_calls},   {"drop", do_drop},
		{"trace", do_trace},       {"drain", do_drain},
		{"table", do_table},       {"status", do_status},
		{"registrations", worker_registrations_list},
		{"unregister", worker_registrations_drop},
		{"stop", do_stop},
		{"route_test", call_test}, {"limits", do_limits},
		{"number_rules", worker_rules},
		{"quality", worker_quality},
		{"quality_unlock", worker_quality_unlock},
	};
	json_t *req = json_loadb(json, len, 0, NULL), *res = NULL;
	const char *op = json_string_value(json_object_get(req, "op"));
	char *text;

	worker_now(w, now);
	for (size_t i = 0; op && i < ARRAY_SIZE(commands); i++)
		if (!strcmp(op, commands[i].op))
			res = commands[i].h(w, req);

	if (!res)
		res = refusal("bad_command",
			      "want {\"op\": calls | drop | trace | drain | "
			      "table | status | registrations | unregister | "
			      "metrics | route_test | limits | "
			      "number_rules | quality | quality_unlock}");

	text = json_dumps(res, JSON_COMPACT);
	json_decref(res);
	json_decref(req);

	return text;
}
