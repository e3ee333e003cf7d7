/**
 * @file call_forward.c  A number's trunk does not take the call: its forwards
 * say where it goes instead. A forward to a number is a call of the trunk
 * that forwards: its channels, its plan, its price, its account.
 */
#include <string.h>
#include "call_private.h"
#include "phrase.h"
#include "text.h"


/* In the words of Diversion (RFC 5806 4) */
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

	for (const enum outcome *o = outcomes[f->condition]; *o; o++)
		if (*o == out)
			return true;

	return false;
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
	return call_forward_rule(call, out) ? EV_B_FORWARD : EV_B_FAIL_LAST;
}


/* The same number or trunk twice is a circle. */
static bool is_loop(const struct call *call, const struct forward_rule *f)
{
	if (call->forward_n >= FORWARDS_MAX)
		return true;
	if (f->to_number[0] && !strcmp(f->to_number, call->called.e164))
		return true;
	if (f->to_trunk == call->to_trunk)
		return true;

	for (uint8_t i = 0; i < call->forward_n; i++) {
		const struct forward *before = call->forwards[i];

		if (f->to_number[0] ? !strcmp(f->to_number, before->number)
				    : f->to_trunk == before->trunk)
			return true;
	}

	return false;
}


static void note(struct call *call, const struct forward_rule *f,
		 enum outcome out)
{
	WHY(call->why, WHY_FORWARD, out, f->id,
	    WHY_TEXT("reason", reasons[f->condition]),
	    WHY_TEXT("from", call->called.e164),
	    WHY_TEXT("to_number", f->to_number),
	    WHY_TEXT("to_trunk_id", f->to_trunk ? f->to_trunk->id : ""),
	    WHY_COUNT("forwards", call->forward_n));
}


/* RFC 5806 3.1: the last to forward stands first. */
static void add_diversion(struct call *call, const char *reason)
{
	struct diversion *d = call->diversions;

	if (call->diversion_n < DIVERSIONS_MAX)
		call->diversion_n++;
	memmove(d + 1, d, (call->diversion_n - 1u) * sizeof(*d));
	memset(d, 0, sizeof(*d));
	TEXT_FILL(d->number, call->called.e164);
	TEXT_FILL(d->reason, reason);
}


/* The step itself is a record of its own: what the forwarder pays hangs on
   it, and the tree of a call's legs is whole. */
static enum outcome begin(struct call *call, const struct forward_rule *f)
{
	const char *reason = reasons[f->condition];
	struct forward *fwd = mem_zalloc(sizeof(*fwd), NULL);
	struct attempt *a;

	if (!fwd)
		return OUT_LIMIT_NODE;
	a = call_attempt_add(call);
	if (!a) {
		mem_deref(fwd);
		return OUT_LOOP;
	}

	(void)text_format(a->reason, sizeof(a->reason), "forward;reason=%s",
			  reason);
	TEXT_FILL(a->called_sent, f->to_number);
	a->outcome = OUT_OK;
	a->ended_wall_ms = a->begun_wall_ms;
	fwd->attempt = call->attempt_n;
	fwd->trunk = call->to_trunk;
	fwd->caller = call->forward_n ? NULL : call->trunk;
	fwd->money.call = call;
	TEXT_FILL(fwd->number, call->called.e164);
	TEXT_FILL(fwd->trunk_id, call->to_trunk->id);
	TEXT_FILL(fwd->reason, reason);
	call->forwards[call->forward_n++] = fwd;
	add_diversion(call, reason);

	return OUT_OK;
}


/* What belonged to the destination that did not take it. */
static void leave(struct call *call)
{
	call_limit_release_to(call);
	call->targets = mem_deref(call->targets);
	call->target_n = call->target_next = 0;
	memset(&call->hunt, 0, sizeof(call->hunt));
	call->redirect_n = call->redirect_next = 0;
	call->redirected = NULL;
	call->to_trunk = NULL;
	call->to_site = NULL;
	call->limit_hit[0] = 0;
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


enum outcome call_forward(struct call *call, const struct forward_rule *f)
{
	struct forward *fwd;
	enum outcome out = is_loop(call, f) ? OUT_LOOP : begin(call, f);

	note(call, f, out);
	if (out != OUT_OK)
		return out;

	fwd = call->forwards[call->forward_n - 1];
	leave(call);
	if (f->to_number[0])
		return to_number(call, fwd, f->to_number);

	return call_deliver_to(call, f->to_trunk);
}


/* B did not take it, or we do not wait any longer. */
void act_forward(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	const struct forward_rule *f = call_forward_rule(call, ev->outcome);
	enum outcome out;

	if (call->leg[SIDE_B])
		leg_cancel(call->leg[SIDE_B],
			   outcome_row(ev->outcome)->q850);
	call_attempt_end(call, ev->outcome, 0, outcome_row(ev->outcome)->q850,
			 "");
	wheel_stop(call->w->wheel, &call->no_ring);
	call_release_b(call);
	call->b_progressed = false;
	call->early = mem_deref(call->early);

	out = f ? call_forward(call, f) : ev->outcome;
	if (out == OUT_OK)
		out = call_limit_take(call);
	if (out != OUT_OK) {
		call_post(call, EV_REFUSED, out);
		return;
	}

	call_ring_start(call);
	call_fund_first(call);
}
