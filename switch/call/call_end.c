/**
 * @file call_end.c  The ways a call ends. Whatever happened, both sides are
 * told, money and ports and channels go back, and one END is written.
 */
#include <string.h>
#include "call_private.h"
#include "log.h"
#include "phrase.h"
#include "text.h"

#define RETRY_AFTER_S 10 /* where nothing better is known */


uint64_t call_duration_ms(const struct call *call)
{
	const uint64_t end_ms = call->ended_ms ? call->ended_ms
					       : moment_ms(&call->w->now);

	return call->answered_ms ? end_ms - call->answered_ms : 0;
}


struct attempt *call_attempt_add(struct call *call)
{
	struct attempt *grown, *a;

	if (call->attempt_n >= CDR_ATTEMPTS_MAX)
		return NULL;

	grown = call->attempts
			? mem_realloc(call->attempts, (call->attempt_n + 1u) *
						      sizeof(*grown))
			: mem_zalloc(sizeof(*grown), NULL);
	if (!grown)
		return NULL;

	call->attempts = grown;
	a = &grown[call->attempt_n++];
	memset(a, 0, sizeof(*a));
	a->begun_ms = moment_ms(&call->w->now);
	a->begun_wall_ms = moment_wall_ms(&call->w->now);

	return a;
}


struct attempt *call_attempt(const struct call *call)
{
	return call->attempt_n ? &call->attempts[call->attempt_n - 1] : NULL;
}


void call_attempt_note(struct call *call)
{
	const struct attempt *a = call_attempt(call);
	const uint64_t now_ms = moment_ms(&call->w->now);

	WHY(call->why, WHY_ATTEMPT, a->outcome, a->gateway_id,
	    WHY_COUNT("attempt", call->attempt_n),
	    WHY_TEXT("carrier_id", a->carrier_id),
	    WHY_TEXT("address", a->address),
	    WHY_TEXT("called_sent", a->called_sent),
	    WHY_COUNT("sip_code", a->sip_code),
	    WHY_TEXT("reason", a->reason),
	    WHY_COUNT("ms", (int64_t)(now_ms - a->begun_ms)));
}


void call_attempt_end(struct call *call, enum outcome out, uint16_t sip_code,
		      uint8_t q850, const char *reason)
{
	struct attempt *a = call_attempt(call);

	if (!a || a->ended_wall_ms)
		return;

	a->ended_wall_ms = moment_wall_ms(&call->w->now);
	a->outcome = out;
	a->sip_code = sip_code;
	a->q850 = q850;
	(void)text_copy(a->reason, sizeof(a->reason), reason);
	WHY(call->why, WHY_ATTEMPT, out, a->gateway_id,
	    WHY_TEXT("address", a->address), WHY_COUNT("sip_code", sip_code),
	    WHY_COUNT("q850", q850),
	    WHY_COUNT("ms", (int64_t)(moment_ms(&call->w->now) -
				      a->begun_ms)));
	if (call->leg[SIDE_B])
		(void)text_copy(a->user_agent, sizeof(a->user_agent),
				leg_user_agent(call->leg[SIDE_B]));
	call_fee(call);
	if (!call->answered_ms)
		call_attempt_note(call);
	call_judge_attempt(call, false);
}


/* The leg finishes alone: a CANCEL or BYE that it still owes goes out. */
void call_release_b(struct call *call)
{
	call->leg[SIDE_B] = mem_deref(call->leg[SIDE_B]);
	call_limit_release_hop(call);
}


/* One line at most for each call; the trail only where it failed. */
static void log_end(const struct call *call)
{
	char id[37], calling[40], called[40], trail[400] = "";
	const struct outcome_row *row = outcome_row(call->outcome);

	if (call->outcome == OUT_BUG || row->sip >= 500)
		(void)fsm_trail(&call->fsm, trail, sizeof(trail));

	log_event(call->outcome == OUT_BUG ? LOG_ERROR : LOG_INFO, "call",
		  "end",
		  "call=%s outcome=%s by=%s sip=%u calling=%s called=%s "
		  "attempts=%u duration_ms=%llu%s%s%s",
		  uuid_format(id, call->id), row->code, call->initiator,
		  call->sip_code, log_number(calling, call->calling.received),
		  log_number(called, call->called.received), call->attempt_n,
		  (unsigned long long)call_duration_ms(call),
		  trail[0] ? " trail=\"" : "", trail, trail[0] ? "\"" : "");
}


void call_give_back(struct call *call)
{
	struct worker *w = call->w;

	wheel_stop(w->wheel, &call->phase);
	wheel_stop(w->wheel, &call->no_ring);
	wheel_stop(w->wheel, &call->total);
	call_ask_stop(call);
	call_fund_stop(call);
	wheel_stop(w->wheel, &call->check);
	call_media_close(call);
	call_settle(call);
	circle_leave(w->circles, &call->circle);
	call_guard_end(call);
	call_limit_release(call);
}


/*
 * What all endings share, but for the legs: the record is in the journal when
 * this returns, unless the disk refuses it.
 */
static void over(struct call *call, enum outcome out, const char *initiator)
{
	struct worker *w = call->w;

	call->ended_ms = moment_ms(&w->now);
	call->ended_wall_ms = moment_wall_ms(&w->now);
	call->outcome = out;
	(void)text_copy(call->initiator, sizeof(call->initiator), initiator);
	if (!call->sip_code)
		call->sip_code = outcome_row(out)->sip;
	if (!call->q850)
		call->q850 = outcome_row(out)->q850;
	call_attempt_end(call, out, call->sip_code, call->q850, "");
	WHY(call->why, WHY_END, out, NULL, WHY_TEXT("by", initiator),
	    WHY_COUNT("sip_code", call->sip_code),
	    WHY_TEXT("hint", out == OUT_OK ? "" : outcome_row(out)->hint));

	call_give_back(call);
	call_judge_talk(call);
	if (call->answered_ms)
		metric_observe(w->metrics.duration,
			       1e-3 * call_duration_ms(call));

	if (!call->is_test) {
		log_end(call);
		call_event_ended(call);
		call_end_append(call);
	}
}


/* The legs were told; they finish alone. */
static void let_go(struct call *call)
{
	call->leg[SIDE_A] = mem_deref(call->leg[SIDE_A]);
	call->leg[SIDE_B] = mem_deref(call->leg[SIDE_B]);
	call_unpin(call);
}


static void ended(struct call *call, enum outcome out, const char *initiator)
{
	over(call, out, initiator);
	let_go(call);
}


/* CANCEL while B has not answered, BYE after it; nothing when it is over. */
static void end_b(struct call *call, uint8_t q850, const char *text)
{
	if (!call->leg[SIDE_B])
		return;

	if (call->answered_ms || leg_is_up(call->leg[SIDE_B]))
		leg_bye(call->leg[SIDE_B], q850, text);
	else
		leg_cancel(call->leg[SIDE_B], q850);
}


/* BYE when A has our 2xx, else the failure. */
static void end_a(struct call *call, const struct outcome_row *row)
{
	struct leg *a = call->leg[SIDE_A];

	if (!a)
		return; /* a test */

	if (call->answered_ms)
		leg_bye(a, row->q850, row->code);
	else
		(void)leg_reject(a, row->sip, row->phrase, row->q850, "");
}


/* A refusal on its way to A. */
struct refusal {
	const char *phrase, *extra;
	uint8_t q850;
};


/* What A hears of a refusal: what the operator's rule for the carrier's code
   says; a 3xx that is A's to follow; a peer's own 4xx or 6xx when our table
   has no better word for it; what a decision URL says; else what the table
   says. */
static struct refusal refusal_of(struct call *call, enum outcome out,
				 const char *extra)
{
	const struct outcome_row *row = outcome_row(out);
	const struct attempt *a = call_attempt(call);
	const bool is_theirs = a && a->outcome == out;
	const bool is_decided = out == OUT_DECISION_REFUSED;
	struct refusal r = {row->phrase, extra, row->q850};

	/* what ends an answered call well can also end one that rings */
	call->sip_code = row->sip < 300 ? 480 : row->sip;
	if (is_theirs && call->contacts && out == OUT_B_REDIRECT) {
		call->sip_code = a->sip_code;
		r.extra = call->contacts;
	}
	else if (is_theirs && a->rule.rewrite_code) {
		call->sip_code = a->rule.rewrite_code;
	}
	else if (out == OUT_B_REJECTED && a && a->sip_code >= 400) {
		call->sip_code = a->sip_code;
	}
	else if (is_decided) {
		call->sip_code = call->refusal.sip_code;
		r.q850 = outcome_row(outcome_from_sip(call->sip_code))->q850;
		call->q850 = r.q850;
	}
	else if (call->limit_scode) {
		call->sip_code = call->limit_scode;
	}

	if (call->sip_code != row->sip)
		r.phrase = phrase_of(call->sip_code);
	if ((is_decided || out == OUT_PRIVACY) && call->refusal.reason[0])
		r.phrase = call->refusal.reason;
	if (is_theirs && a->rule.rewrite_reason[0])
		r.phrase = a->rule.rewrite_reason;
	if (is_theirs && a->rule.passes_reason)
		r.q850 = a->q850;

	return r;
}


/* What B said stands, after somebody was asked who let it stand. */
static bool stands(const struct call *call, enum outcome out)
{
	const struct attempt *a = call_attempt(call);

	return call->asked_n && a && a->outcome == out && a->sip_code;
}


void act_reject(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	const enum outcome out = ev->outcome ? ev->outcome : OUT_BUG;
	const struct outcome_row *row = outcome_row(out);
	const struct attempt *a = call_attempt(call);
	char retry[40];
	const char *extra = "";
	const bool by_b = (ev->said && ev->leg == call->leg[SIDE_B]) ||
			  stands(call, out);
	struct refusal r;

	if (out == OUT_BAD_EXTENSION)
		extra = call->headers;
	else if (row->sip == 503 &&
		 !text_format(retry, sizeof(retry), "Retry-After: %u\r\n",
			      call->retry_after_s ? call->retry_after_s
						  : RETRY_AFTER_S))
		extra = retry;

	if (by_b && a) {
		call->q850 = a->q850;
		(void)text_copy(call->reason_received,
				sizeof(call->reason_received), a->reason);
	}
	if (!by_b)
		end_b(call, row->q850, row->code);

	/* the record first: whoever hears a refusal finds it, also when the
	 * next thing that happens is a kill */
	r = refusal_of(call, out, extra);
	over(call, out, by_b ? "called" : "switch");
	(void)leg_reject(call->leg[SIDE_A], call->sip_code, r.phrase, r.q850,
			 r.extra);
	let_go(call);
}


void act_cancelled(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;

	call->q850 = ev->said && ev->said->q850
			     ? ev->said->q850
			     : outcome_row(OUT_A_CANCELLED)->q850;
	if (ev->said)
		(void)text_copy(call->reason_received,
				sizeof(call->reason_received),
				ev->said->reason_header);

	end_b(call, call->q850, "cancelled");
	call_attempt_end(call, OUT_A_CANCELLED, 487, call->q850, "");
	ended(call, OUT_A_CANCELLED, "calling");
}


void act_bye_other(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	const enum side from = call_side(call, ev->leg);

	if (ev->said->q850)
		call->q850 = ev->said->q850;
	(void)text_copy(call->reason_received, sizeof(call->reason_received),
			ev->said->reason_header);

	leg_bye(call->leg[side_other(from)], call->q850 ? call->q850 : 16,
		"");
	ended(call, OUT_OK, from == SIDE_A ? "calling" : "called");
}


void act_bye_both(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	const enum outcome out = ev->outcome   ? ev->outcome
				 : ev->said    ? OUT_ACK_LOST
					       : OUT_BUG;
	const struct outcome_row *row = outcome_row(out);

	end_b(call, row->q850, row->code);
	end_a(call, row);
	ended(call, out, "switch");
}


void act_cannot(void *subject, const void *data)
{
	struct call *call = subject;
	const struct outcome_row *row = outcome_row(OUT_BUG);

	(void)data;
	call->w->bugs++;
	if (call->ended_ms) {
		log_end(call);
		return;
	}

	end_b(call, row->q850, row->code);
	end_a(call, row);
	ended(call, OUT_BUG, "switch");
}
