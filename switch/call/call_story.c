/**
 * @file call_story.c  A call as JSON for the operator: the row of `calls` and
 * the story of `trace`.
 */
#include "json.h"
#include <string.h>
#include "call_private.h"
#include "text.h"


static void set_text(json_t *o, const char *key, const char *text)
{
	if (text && text[0])
		(void)json_object_set_new(o, key, json_string(text));
}


static void set_time(json_t *o, const char *key, int64_t wall_ms)
{
	char buf[32];

	if (wall_ms)
		set_text(o, key, moment_format(buf, wall_ms));
}


/* What it would cost if it ended now. */
static int64_t price_now(const struct call *call)
{
	const struct money *m = &call->money;
	int64_t price = m->price_micro;

	if (m->is_sold && call->answered_ms && !call->ended_ms &&
	    price_micro(&m->sell, call_paid_ms(call), 0, &price))
		return 0;

	return price;
}


const char *call_shown_trunk(const struct call *call)
{
	return call->kind == CALL_IN ? call->to_trunk_id : call->trunk_id;
}


const char *call_shown_called(const struct call *call)
{
	if (call->forward_n)
		return call->forwards[0]->number;

	return call->called.e164[0] ? call->called.e164
				    : call->called.received;
}


json_t *call_row(const struct call *call)
{
	const struct attempt *last = call_attempt(call);
	json_t *row = json_object();
	char id[37];

	set_text(row, "call_id", uuid_format(id, call->id));
	set_text(row, "state", call_def.states[call->fsm.state]);
	set_text(row, "calling", call->calling.e164[0]
					 ? call->calling.e164
					 : call->calling.received);
	set_text(row, "called", call_shown_called(call));
	set_text(row, "tenant", call->tenant_id);
	set_text(row, "trunk", call_shown_trunk(call));
	set_text(row, "gateway", call->kind == CALL_IN ? call->from_gateway_id
				 : last ? last->gateway_id : "");
	set_text(row, "node", call->w->cfg.node);
	set_time(row, "started_at", call->begun_wall_ms);
	set_time(row, "answered_at", call->answered_wall_ms);
	if (call->ended_ms) {
		set_time(row, "ended_at", call->ended_wall_ms);
		set_text(row, "outcome", outcome_row(call->outcome)->code);
		(void)json_object_set_new(row, "sip_code",
					  json_integer(call->sip_code));
	}
	(void)json_object_set_new(
		row, "duration_ms",
		json_integer((json_int_t)call_duration_ms(call)));
	(void)json_object_set_new(row, "price_micro",
				  json_integer(price_now(call)));
	set_text(row, "currency", call->money.currency);
	set_text(row, "codec", call->codec);

	return row;
}


static json_t *trail_json(const struct call *call)
{
	const struct fsm *f = &call->fsm;
	const uint32_t first = f->steps > FSM_TRAIL_N
				       ? f->steps - FSM_TRAIL_N : 0;
	json_t *trail = json_array();

	for (uint32_t i = first; i < f->steps; i++) {
		const struct fsm_step *s = &f->trail[i % FSM_TRAIL_N];
		json_t *step = json_object();

		(void)json_object_set_new(
			step, "ms",
			json_integer((json_int_t)(s->at_us / 1000 -
						  call->begun_ms)));
		set_text(step, "event", call_def.events[s->event]);
		set_text(step, "from", call_def.states[s->from]);
		set_text(step, "to", call_def.states[s->to]);
		(void)json_array_append_new(trail, step);
	}

	return trail;
}


static json_t *attempts_json(const struct call *call)
{
	json_t *list = json_array();

	for (uint8_t i = 0; i < call->attempt_n; i++) {
		const struct attempt *a = &call->attempts[i];
		json_t *o = json_object();

		(void)json_object_set_new(o, "attempt", json_integer(i + 1));
		set_text(o, "gateway", a->gateway_id);
		set_text(o, "address", a->address);
		set_text(o, "called_sent", a->called_sent);
		set_time(o, "begun_at", a->begun_wall_ms);
		set_time(o, "ended_at", a->ended_wall_ms);
		set_text(o, "outcome", outcome_row(a->outcome)->code);
		(void)json_object_set_new(o, "sip_code",
					  json_integer(a->sip_code));
		set_text(o, "reason", a->reason);
		(void)json_array_append_new(list, o);
	}

	return list;
}


json_t *call_story(const struct call *call)
{
	const struct outcome_row *row = outcome_row(call->outcome);
	json_t *story = json_object();

	(void)json_object_set_new(story, "call", call_row(call));
	(void)json_object_set_new(story, "trail", trail_json(call));
	(void)json_object_set_new(story, "attempts", attempts_json(call));
	(void)json_object_set_new(story, "decision",
				  json_loads(why_json(call->why), 0, NULL));
	if (call->ended_ms) {
		set_text(story, "outcome", row->code);
		set_text(story, "hint", row->hint);
		set_text(story, "initiator", call->initiator);
		set_text(story, "limit_hit", call->limit_hit);
		(void)json_object_set_new(story, "sip_code",
					  json_integer(call->sip_code));
	}

	return story;
}


static void past_destructor(void *arg)
{
	struct call *past = arg;

	mem_deref(past->attempts);
	mem_deref(past->why);
}


/* What a story needs: values, the attempts, and the worker's name. */
struct call *call_past(const struct call *call)
{
	struct call *past = mem_alloc(sizeof(*past), past_destructor);

	if (!past)
		return NULL;

	*past = *call;
	past->attempts = mem_ref(call->attempts);
	past->why = mem_ref(call->why);

	return past;
}
