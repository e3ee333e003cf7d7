/**
 * @file call_ask.c  Nobody took a call in, and its forwards led nowhere: the
 * decision URL of the number, or of its trunk, is asked what shall become of
 * it; with the condition unconditional before anybody is called. Of several
 * trunks on the way the last one's is asked first, and each only once.
 *
 * The question leaves through a door and the answer comes as an event: nothing
 * waits here. An emergency call never comes here.
 */
#include "json.h"
#include <errno.h>
#include <string.h>
#include "call_private.h"
#include "log.h"
#include "text.h"

#define BODY_MAX 4096

static const char *const condition_names[] = {
	"unconditional", "busy", "no_answer", "unreachable", "rejected",
	"failure",
};

/* What else can become of a call to a trunk or of its forward. What refuses
   the caller, and what the node cannot do, is no matter of whom it calls. */
static const enum outcome failures[] = {
	OUT_B_NOT_FOUND, OUT_B_GONE, OUT_B_INCOMPLETE, OUT_B_NOT_EXIST,
	OUT_B_REDIRECT, OUT_B_NO_RING, OUT_NO_ROUTE, OUT_NO_RATE,
	OUT_NO_MARGIN, OUT_NO_DID, OUT_TRUNK_DISABLED, OUT_BAD_NUMBER,
	OUT_INVALID_NUMBER, OUT_ZONE_DENIED, OUT_LOOP, OUT_LIMIT_OUT,
	OUT_LIMIT_CPS, OUT_LIMIT_CARRIER, OUT_LIMIT_GATEWAY,
	OUT_LIMIT_RESELLER, OUT_LIMIT_BANDWIDTH, OUT_LIMIT_CALLED,
	OUT_LIMIT_PRICE, OUT_LIMIT_SPEND,
};


/* --- whom to ask */

static uint8_t condition_of(enum outcome out)
{
	static const struct {
		enum forward_condition forward;
		uint8_t ask;
	} conditions[] = {
		{FORWARD_BUSY, ASK_BUSY},
		{FORWARD_NO_ANSWER, ASK_NO_ANSWER},
		{FORWARD_UNREACHABLE, ASK_UNREACHABLE},
		{FORWARD_REJECTED, ASK_REJECTED},
	};

	if (out == OUT_NONE)
		return ASK_UNCONDITIONAL;

	for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
		if (call_outcome_is(out, conditions[i].forward))
			return conditions[i].ask;

	for (size_t i = 0; i < ARRAY_SIZE(failures); i++)
		if (failures[i] == out)
			return ASK_FAILURE;

	return 0;
}


/* The forward that the condition corresponds to, for its word in Diversion. */
static const char *reason_of(uint8_t condition)
{
	static const uint8_t forwards[] = {
		FORWARD_UNCONDITIONAL, FORWARD_BUSY, FORWARD_NO_ANSWER,
		FORWARD_UNREACHABLE, FORWARD_REJECTED, FORWARD_CODES,
	};

	for (size_t i = 0; i < ARRAY_SIZE(forwards); i++)
		if (condition == 1u << i)
			return call_diversion_reason(forwards[i]);

	return "unknown";
}


static const char *condition_name(uint8_t condition)
{
	for (size_t i = 0; i < ARRAY_SIZE(condition_names); i++)
		if (condition == 1u << i)
			return condition_names[i];

	return "";
}


static bool was_asked(const struct call *call, const struct decision_url *url)
{
	for (uint8_t i = 0; i < call->asked_n; i++)
		if (call->asked[i] == url)
			return true;

	return false;
}


static const struct decision_url *url_of(const struct call *call,
					 const struct diverter *by,
					 uint8_t condition)
{
	const char *const owners[] = {by->did_id, by->trunk->id};

	if (!trunk_is_usable(by->trunk))
		return NULL;

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++) {
		const struct decision_url *url =
			owners[i][0] ? catalog_decision_url(call->cat,
							    owners[i]) : NULL;

		if (url && (url->conditions & condition) &&
		    !was_asked(call, url))
			return url;
	}

	return NULL;
}


static struct diverter forwarder(const struct call *call, uint8_t i)
{
	const struct forward *f = call->forwards[i];
	struct diverter by = {.trunk = f->trunk, .depth = i};

	TEXT_FILL(by.number, f->number);
	TEXT_FILL(by.did_id, f->did_id);

	return by;
}


/* Its number's URL said nothing, its trunk's may: nobody was called since. */
static bool is_still_called(const struct call *call)
{
	return call->asked_n && call->asking.by.depth == call->forward_n;
}


static const struct decision_url *find(const struct call *call,
				       enum outcome out,
				       struct diverter *ret_by)
{
	const uint8_t condition = condition_of(out);
	const struct decision_url *url = NULL;

	if (!condition || call->is_emergency || !call->cat ||
	    call->asked_n == ARRAY_SIZE(call->asked))
		return NULL;

	*ret_by = call->to_trunk ? call_called(call) : call->asking.by;
	if (call->to_trunk || is_still_called(call))
		url = url_of(call, ret_by, condition);
	/* before anybody was called there is nobody who did not take it */
	for (uint8_t i = call->forward_n; i && !url && out != OUT_NONE; i--) {
		*ret_by = forwarder(call, i - 1);
		url = url_of(call, ret_by, condition);
	}

	return url;
}


bool call_may_ask(const struct call *call, enum outcome out)
{
	struct diverter by;

	return find(call, out, &by) != NULL;
}


bool call_must_ask(struct call *call, enum outcome out)
{
	struct asking *a = &call->asking;
	const struct decision_url *url = find(call, out, &a->by);

	if (!url)
		return false;

	a->url = url;
	a->outcome = out;
	a->condition = condition_of(out);
	a->trouble = NULL;
	call->asked[call->asked_n++] = url;
	call_leave(call);

	return true;
}


/* --- the question */

/* null where there is none, or where it must not be told */
static json_t *text_or_null(const char *text, bool is_told)
{
	json_t *json = text[0] && is_told ? json_string(text) : NULL;

	/* what is no UTF-8 cannot be told */
	return json ? json : json_null();
}


/* Its owner is told of a hidden number what its PBX would be (RFC 3325 7). */
static bool hides(const struct call *call)
{
	return call->is_private && !call->asking.by.trunk->is_trusted;
}


static json_t *diversions_json(const struct call *call)
{
	json_t *list = json_array();

	for (uint8_t i = 0; i < call->diversion_n; i++) {
		const struct diversion *d = &call->diversions[i];

		(void)json_array_append_new(list, json_pack(
			"{s:o, s:o}", "number",
			text_or_null(d->number,
				     !d->is_private && !hides(call)),
			"reason", text_or_null(d->reason, true)));
	}

	return list;
}


static json_t *data_json(const struct call *call)
{
	const struct asking *a = &call->asking;
	const struct attempt *last = call_attempt(call);
	const bool is_told = !hides(call);

	return json_pack(
		"{s:s, s:o, s:o, s:s, s:o, s:o, s:b, s:s, s:s, s:o, s:o, s:i}",
		"condition", condition_name(a->condition), "outcome",
		text_or_null(outcome_row(a->outcome)->code,
			     a->outcome != OUT_NONE),
		"sip_code",
		last && last->outcome == a->outcome && last->sip_code
			? json_integer(last->sip_code) : json_null(),
		"direction", call->kind == CALL_IN ? "inbound" : "onnet",
		"calling", text_or_null(call->calling.e164, is_told),
		"calling_name", text_or_null(call->display, is_told),
		"private", call->is_private, "called", a->by.number,
		"trunk_id", a->by.trunk->id, "did_id",
		text_or_null(a->by.did_id, true), "diversions",
		diversions_json(call), "attempts", (int)call->attempt_n);
}


/* The shape of webhooks. @return its length, or 0: no memory, or too long */
static size_t body_print(const struct call *call, const char *message_id,
			 char *buf, size_t size)
{
	const struct asking *a = &call->asking;
	char id[37], at[32];
	json_t *body;
	size_t len;

	body = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "type",
			 "call.decision", "timestamp",
			 moment_format(at, moment_wall_ms(&call->w->now)),
			 "id", message_id, "tenant_id",
			 a->by.trunk->tenant->id, "object_id", a->url->id,
			 "call_id", uuid_format(id, call->id), "data",
			 data_json(call));
	len = body ? json_dumpb(body, buf, size, JSON_COMPACT) : 0;
	json_decref(body);

	return len <= size ? len : 0;
}


/* @return NULL, or why nobody can be asked */
static const char *question_send(struct call *call)
{
	struct worker *w = call->w;
	struct asking *a = &call->asking;
	char id[48], call_id[37], body[BODY_MAX];
	struct decision_question q = {
		.ticket = ++w->asks,
		.call_id = call->id,
		.id = id,
		.url = a->url,
		.has_previous = a->url->previous_until_ms >
				moment_wall_ms(&w->now),
		.body = body,
	};

	(void)text_format(id, sizeof(id), "%s-%u",
			  uuid_format(call_id, call->id), call->asked_n);
	q.len = body_print(call, id, body, sizeof(body));
	if (!q.len)
		return "the question is too long";
	if (w->doors.askh(&q, w->doors.arg))
		return "too many questions are waiting";

	a->ticket = q.ticket;
	metric_add(w->metrics.asked, 1);

	return NULL;
}


static void ask_over(void *arg)
{
	struct call *call = arg;

	call->asking.trouble = "it did not answer in time";
	call_run(call, EV_T_ASK, NULL);
}


void act_ask(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	struct asking *a = &call->asking;

	if (!a->url) {
		call_leave_b(call, ev->outcome);
		if (!call_must_ask(call, ev->outcome)) {
			call_post(call, EV_REFUSED, ev->outcome);
			return;
		}
	}

	wheel_stop(call->w->wheel, &call->phase);
	WHY(call->why, WHY_HTTP, OUT_NONE, a->url->id,
	    WHY_TEXT("condition", condition_name(a->condition)),
	    WHY_TEXT("for", a->by.number),
	    WHY_COUNT("timeout_ms", a->url->timeout_ms));
	if (call->is_test)
		return;

	a->since_ms = moment_ms(&call->w->now);
	a->trouble = question_send(call);
	if (a->trouble)
		call_post(call, EV_T_ASK, OUT_NONE);
	else
		wheel_start(call->w->wheel, &a->timer, a->url->timeout_ms,
			    ask_over, call);
}


void call_ask_stop(struct call *call)
{
	wheel_stop(call->w->wheel, &call->asking.timer);
	call->asking.ticket = 0;
}


bool call_decided(struct call *call, const struct decision_answer *answer)
{
	const struct call_event data = {.answer = answer};

	if (!answer->ticket || call->asking.ticket != answer->ticket)
		return false;

	call_run(call, EV_DECIDED, &data);

	return true;
}


/* --- what follows */

/* May the call go there? @return NULL, or why not */
static const char *detour_make(const struct call *call,
			       const struct decision_answer *answer,
			       struct detour *ret)
{
	const struct asking *a = &call->asking;

	*ret = (struct detour){
		.by = a->by, .reason = reason_of(a->condition),
		.id = a->url->id,
	};
	TEXT_FILL(ret->to_number, answer->to_number);
	if (ret->to_number[0])
		return NULL;

	ret->to_trunk = catalog_trunk(call->cat, answer->to_trunk_id);

	return !ret->to_trunk || ret->to_trunk->tenant != a->by.trunk->tenant
		       ? "to_trunk_id is no trunk of this tenant" : NULL;
}


static void note(struct call *call, const struct decision_answer *answer,
		 const char *trouble)
{
	const struct asking *a = &call->asking;
	const bool is_of_use = !trouble && answer;
	const bool is_refusal = is_of_use && answer->action == DECISION_REFUSE;

	WHY(call->why, WHY_HTTP,
	    is_refusal  ? OUT_DECISION_REFUSED
	    : is_of_use ? OUT_OK
			: OUT_DECISION_FAILED,
	    a->url->id,
	    WHY_TEXT("action", is_of_use
				       ? decision_action_name(answer->action)
				       : ""),
	    WHY_TEXT("to_number", is_of_use ? answer->to_number : ""),
	    WHY_TEXT("to_trunk_id", is_of_use ? answer->to_trunk_id : ""),
	    WHY_COUNT("sip_code", is_refusal ? answer->sip_code : 0),
	    WHY_TEXT("reason", is_refusal ? answer->reason : ""),
	    WHY_TEXT("trouble", trouble ? trouble : ""),
	    WHY_COUNT("http_status", answer ? answer->http_status : 0),
	    WHY_COUNT("ms", (int64_t)(moment_ms(&call->w->now) -
				      a->since_ms)));
}


/* As if nobody had been asked: the failure stands, or who is called is. */
static enum outcome go_on(struct call *call)
{
	const struct asking *a = &call->asking;
	const struct trunk *trunk = a->by.trunk;

	if (a->outcome != OUT_NONE)
		return a->outcome;

	if (call->did && call->did->trunk == trunk)
		call->to_site = call->did->site;

	return call_deliver_to(call, trunk);
}


static enum outcome fall_back(struct call *call,
			      const struct decision_url *url)
{
	struct detour d = {
		.by = call->asking.by,
		.reason = reason_of(call->asking.condition),
		.id = url->id,
		.to_trunk = url->to_trunk,
	};

	switch (url->fallback) {

	case FALLBACK_FORWARD:
		TEXT_FILL(d.to_number, url->to_number);
		return call_divert(call, &d);
	case FALLBACK_REFUSE:
		return OUT_DECISION_FAILED;
	default:
		return go_on(call);
	}
}


static enum outcome obey(struct call *call,
			 const struct decision_answer *answer,
			 const struct detour *d)
{
	switch (answer->action) {

	case DECISION_FORWARD:
		return call_divert(call, d);
	case DECISION_REFUSE:
		call->refusal.sip_code = answer->sip_code;
		TEXT_FILL(call->refusal.reason, answer->reason);
		return OUT_DECISION_REFUSED;
	default:
		return go_on(call);
	}
}


static void meter(const struct call *call,
		  const struct decision_answer *answer, const char *trouble)
{
	const struct asking *a = &call->asking;
	struct worker *w = call->w;

	if (answer)
		metric_observe(w->metrics.decision,
			       1e-3 * (double)(moment_ms(&w->now) -
					       a->since_ms));
	if (!trouble)
		metric_add(w->metrics.decided[answer->action], 1);
	else if (answer)
		metric_add(w->metrics.decided[DECISION_NONE], 1);
	else if (a->ticket)
		metric_add(w->metrics.undecided, 1);
	else
		metric_add(w->metrics.unasked, 1);
}


void act_decide(void *subject, const void *data)
{
	const struct call_event *ev = data;
	const struct decision_answer *answer = ev->answer;
	struct call *call = subject;
	const struct decision_url *url = call->asking.url;
	const char *trouble = call->asking.trouble;
	struct detour d = {.id = NULL};

	if (answer && answer->action == DECISION_NONE)
		trouble = answer->trouble;
	else if (answer && answer->action == DECISION_FORWARD)
		trouble = detour_make(call, answer, &d);

	meter(call, answer, trouble);
	note(call, answer, trouble);
	call_ask_stop(call);
	call->asking.url = NULL; /* what follows may ask somebody else */
	call_go_on(call, trouble ? fall_back(call, url)
				 : obey(call, answer, &d));
}
