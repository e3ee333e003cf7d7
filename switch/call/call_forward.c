/**
 * @file call_forward.c  A number's trunk does not take the call: its forwards
 * say where it goes instead. A forward to a number is a call of the trunk
 * that forwards: its channels, its plan, its price, its account.
 */
#include <string.h>
#include "call_private.h"
#include "phrase.h"
#include "text.h"


/* In the words of Diversion (RFC 5806 9.1) */
static const char *const reasons[] = {
	[FORWARD_UNCONDITIONAL] = "unconditional",
	[FORWARD_BUSY] = "user-busy",
	[FORWARD_NO_ANSWER] = "no-answer",
	[FORWARD_UNREACHABLE] = "unavailable",
	[FORWARD_REJECTED] = "deflection",
	[FORWARD_CODES] = "unknown",
};

static const enum outcome busy[] = {
	OUT_B_BUSY, OUT_B_BUSY_EVERYWHERE, OUT_LIMIT_IN, OUT_LIMIT_TOTAL,
	OUT_LIMIT_NUMBER, OUT_LIMIT_SITE, OUT_LIMIT_ACCOUNT, OUT_NONE};
static const enum outcome no_answer[] = {OUT_B_NO_ANSWER, OUT_NONE};
static const enum outcome unreachable[] = {
	OUT_NOT_REGISTERED, OUT_B_SILENT, OUT_B_ERROR, OUT_B_CONGESTED,
	OUT_B_UNAVAILABLE, OUT_B_DOWN, OUT_HUNT_TIMEOUT, OUT_NONE};
static const enum outcome rejected[] = {
	OUT_B_DECLINED, OUT_B_FORBIDDEN, OUT_B_REJECTED, OUT_B_REFUSED_MEDIA,
	OUT_B_AUTH, OUT_NONE};
static const enum outcome nothing[] = {OUT_NONE};

static const enum outcome *const outcomes[] = {
	[FORWARD_UNCONDITIONAL] = nothing, [FORWARD_BUSY] = busy,
	[FORWARD_NO_ANSWER] = no_answer, [FORWARD_UNREACHABLE] = unreachable,
	[FORWARD_REJECTED] = rejected, [FORWARD_CODES] = nothing,
};


bool call_outcome_is(enum outcome out, enum forward_condition condition)
{
	for (const enum outcome *o = outcomes[condition]; *o; o++)
		if (*o == out)
			return true;

	return false;
}


/* OUT_NONE: it is only asked what holds at any time */
static bool is_met(const struct call *call, const struct forward_rule *f,
		   enum outcome out)
{
	const struct attempt *a = call_attempt(call);

	if (out == OUT_NONE || f->condition == FORWARD_UNCONDITIONAL)
		return out == OUT_NONE &&
		       f->condition == FORWARD_UNCONDITIONAL;

	for (uint8_t i = 0; i < f->code_n; i++)
		if (a && a->outcome == out && f->codes[i] == a->sip_code)
			return true;

	return call_outcome_is(out, f->condition);
}


static const struct forward_rule *first_met(const struct call *call,
					    const char *owner,
					    enum outcome out)
{
	uint32_t n;
	const struct forward_rule *f = catalog_forwards(call->cat, owner, &n);

	for (uint32_t i = 0; i < n; i++)
		if (is_met(call, &f[i], out))
			return &f[i];

	return NULL;
}


const struct forward_rule *call_forward_rule(const struct call *call,
					     enum outcome out)
{
	const struct forward_rule *f = NULL;

	if (!call->to_trunk || !call->cat)
		return NULL;
	if (call->did_id[0])
		f = first_met(call, call->did_id, out);

	return f ? f : first_met(call, call->to_trunk->id, out);
}


uint32_t call_forward_after_s(const struct call *call)
{
	const struct forward_rule *f = call_forward_rule(call,
							 OUT_B_NO_ANSWER);

	return f && f->after_s ? f->after_s : call->ring_timeout_s;
}


enum call_event_id call_last_event(const struct call *call, enum outcome out)
{
	if (call_forward_rule(call, out))
		return EV_B_FORWARD;

	return call_may_ask(call, out) ? EV_ASK : EV_B_FAIL_LAST;
}


const char *call_diversion_reason(enum forward_condition condition)
{
	return reasons[condition];
}


/* It was called before, here or elsewhere, and sent the call on. */
static bool has_forwarded(const struct call *call, const char *number)
{
	for (uint8_t i = 0; i < call->diversion_n; i++)
		if (!strcmp(call->diversions[i].number, number))
			return true;

	return false;
}


/* The same number or trunk twice is a circle, and so are too many forwards,
   whoever made them. */
static bool is_loop(const struct call *call, const struct detour *d)
{
	if (call->diverted_n + call->forward_n >= FORWARDS_MAX)
		return true;
	if (d->to_number[0] && has_forwarded(call, d->to_number))
		return true;
	if (d->to_number[0] ? !strcmp(d->to_number, d->by.number)
			    : d->to_trunk == d->by.trunk)
		return true;

	for (uint8_t i = 0; i < call->forward_n; i++) {
		const struct forward *before = call->forwards[i];

		if (d->to_number[0] ? !strcmp(d->to_number, before->number)
				    : d->to_trunk == before->trunk)
			return true;
	}

	return false;
}


static void note(struct call *call, const struct detour *d, enum outcome out)
{
	WHY(call->why, WHY_FORWARD, out, d->id,
	    WHY_TEXT("reason", d->reason), WHY_TEXT("from", d->by.number),
	    WHY_TEXT("to_number", d->to_number),
	    WHY_TEXT("to_trunk_id", d->to_trunk ? d->to_trunk->id : ""),
	    WHY_COUNT("forwards", call->forward_n));
}


/* RFC 5806: the last to forward stands first. */
static void add_diversion(struct call *call, const struct detour *detour)
{
	struct diversion *d = call->diversions;

	if (call->diversion_n < DIVERSIONS_MAX)
		call->diversion_n++;
	memmove(d + 1, d, (call->diversion_n - 1u) * sizeof(*d));
	memset(d, 0, sizeof(*d));
	TEXT_FILL(d->number, detour->by.number);
	TEXT_FILL(d->reason, detour->reason);
}


static void drop_diversion(struct call *call)
{
	struct diversion *d = call->diversions;

	if (call->diversion_n)
		memmove(d, d + 1, --call->diversion_n * sizeof(*d));
}


static void forward_destructor(void *arg)
{
	struct forward *fwd = arg;

	mem_deref(fwd->money.packs);
}


/* The step itself is a record of its own: what the forwarder pays hangs on
   it, and the tree of a call's legs is whole. */
static enum outcome begin(struct call *call, const struct detour *d)
{
	struct forward *fwd = mem_zalloc(sizeof(*fwd), forward_destructor);
	struct attempt *a;

	if (!fwd)
		return OUT_LIMIT_NODE;
	a = call_attempt_add(call);
	if (!a) {
		mem_deref(fwd);
		return OUT_LOOP;
	}

	(void)text_format(a->reason, sizeof(a->reason), "forward;reason=%s",
			  d->reason);
	TEXT_FILL(a->called_sent, d->to_number);
	a->outcome = OUT_OK;
	a->ended_wall_ms = a->begun_wall_ms;
	fwd->attempt = call->attempt_n;
	fwd->trunk = d->by.trunk;
	fwd->caller = call->trunk;
	fwd->money.call = call;
	TEXT_FILL(fwd->number, d->by.number);
	TEXT_FILL(fwd->did_id, d->by.did_id);
	TEXT_FILL(fwd->trunk_id, d->by.trunk->id);
	TEXT_FILL(fwd->reason, d->reason);
	call->forwards[call->forward_n++] = fwd;
	call->is_forward_untold = true;
	add_diversion(call, d);
	call_tell_party(call, TAP_FORWARDING, d->by.number);

	return OUT_OK;
}


/* Forwards beyond this one came to nothing: who made them does not pay. */
static void undo(struct call *call, uint8_t depth)
{
	while (call->forward_n > depth) {
		struct forward *f = call->forwards[--call->forward_n];

		call_fund_cancel(&f->money);
		call_limit_release_forward(call, f);
		drop_diversion(call);
		call->trunk = f->caller;
		TEXT_FILL(call->called.e164, f->number);
		TEXT_FILL(call->did_id, f->did_id);
		call->did = f->did_id[0] ? catalog_did(call->cat, f->number)
					 : NULL;
		call_place(call, &call->called);
		mem_deref(f);
	}

	call->payer = &call->money;
	for (uint8_t i = 0; i < depth; i++)
		if (call->forwards[i]->money.is_sold)
			call->payer = &call->forwards[i]->money;
}


void call_leave(struct call *call)
{
	call_limit_release_to(call);
	call->targets = mem_deref(call->targets);
	call->target_n = call->target_next = 0;
	memset(&call->hunt, 0, sizeof(call->hunt));
	call->redirect_n = call->redirect_next = 0;
	call->redirected = NULL;
	call->to_trunk = NULL;
	call->to_site = NULL;
	call->is_stopped = false;
	call->limit_hit[0] = 0;
	call->limit_scode = 0;
	call->retry_after_s = 0;
}


static enum outcome to_network(struct call *call)
{
	enum outcome out = call_zone(call);

	if (out == OUT_OK)
		out = call_route(call);

	return out == OUT_OK ? call_guard(call) : out;
}


/* As if the PBX of that trunk had dialled it. */
static enum outcome to_number(struct call *call, struct forward *fwd,
			      const char *number)
{
	const struct did *did;
	enum outcome out;

	TEXT_FILL(call->called.e164, number);
	call_place(call, &call->called);
	call->trunk = fwd->trunk;
	call->payer = &fwd->money;
	call->ring_timeout_s = fwd->trunk->ring_timeout_s;
	call->did_id[0] = '\0';
	call->did = NULL;
	if (fwd->trunk->direction == TRUNK_IN)
		return OUT_LIMIT_OUT;

	out = call_limit_forward(call, fwd);
	if (out != OUT_OK)
		return out;

	out = call_lists_forward(call);
	if (out != OUT_OK)
		return out;

	did = catalog_did(call->cat, call->called.e164);
	if (!did)
		return to_network(call);

	out = call_price(call);
	if (out == OUT_OK)
		out = call_guard(call);

	return out == OUT_OK ? call_deliver(call, did) : out;
}


enum outcome call_divert(struct call *call, const struct detour *d)
{
	enum outcome out;

	undo(call, d->by.depth);
	out = is_loop(call, d) ? OUT_LOOP : begin(call, d);
	note(call, d, out);
	if (out != OUT_OK)
		return out;

	call_leave(call);
	if (d->to_number[0])
		return to_number(call, call->forwards[call->forward_n - 1],
				 d->to_number);

	return call_deliver_to(call, d->to_trunk);
}


struct diverter call_called(const struct call *call)
{
	struct diverter by = {.trunk = call->to_trunk,
			      .depth = call->forward_n};

	TEXT_FILL(by.number, call->called.e164);
	TEXT_FILL(by.did_id, call->did_id);

	return by;
}


enum outcome call_forward(struct call *call, const struct forward_rule *f)
{
	struct detour d = {
		.by = call_called(call),
		.reason = reasons[f->condition],
		.to_trunk = f->to_trunk,
		.id = f->id,
	};

	TEXT_FILL(d.to_number, f->to_number);

	return call_divert(call, &d);
}


void call_leave_b(struct call *call, enum outcome out)
{
	const uint8_t q850 = outcome_row(out)->q850;

	if (call->leg[SIDE_B])
		leg_cancel(call->leg[SIDE_B], q850);
	call_attempt_end(call, out, 0, q850, "");
	wheel_stop(call->w->wheel, &call->no_ring);
	call_release_b(call);
	call->b_progressed = false;
	call->early = mem_deref(call->early);
}


/* B did not take it, or we do not wait any longer. */
void act_forward(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	const struct forward_rule *f = call_forward_rule(call, ev->outcome);

	call_leave_b(call, ev->outcome);
	call_go_on(call, f ? call_forward(call, f) : ev->outcome);
}


enum outcome call_elsewhere(struct call *call, enum outcome out)
{
	const struct forward_rule *f = call_forward_rule(call, out);

	if (f)
		out = call_forward(call, f);
	if (out != OUT_OK && call_must_ask(call, out))
		out = OUT_OK;

	return out;
}


void call_go_on(struct call *call, enum outcome out)
{
	if (out == OUT_OK)
		out = call_take_limits(call);
	else if (call_must_ask(call, out))
		out = OUT_OK;
	if (out != OUT_OK) {
		call_post(call, EV_REFUSED, out);
		return;
	}
	if (call->asking.url) {
		call_post(call, EV_ASK, OUT_OK);
		return;
	}

	call_ring_start(call);
	call_fund_first(call);
}
