/**
 * @file call_answer.c  B's 2xx to A, and A's ACK. From here on the call costs
 * money.
 */
#include <string.h>
#include "call_private.h"
#include "text.h"


/*
 * What B agreed to, for A. Of a late offer it is the first SDP of the call. A
 * 2xx without SDP: what B said before holds (it was a preview of the same
 * answer, RFC 3261 13.2.1), else there is no media to agree on.
 */
static enum outcome answer_in(struct call *call, const struct leg_event *said,
			      struct mbuf *mb)
{
	enum outcome out = OUT_OK;

	mbuf_rewind(mb);
	if (said->sdp && call->is_late)
		out = call_media_open(call, said->sdp, said->sdp_len);
	if (out != OUT_OK)
		return out;

	if (said->sdp)
		return call_media_cross(call, SIDE_B, said->sdp,
					said->sdp_len, mb);
	if (call->early)
		return call_media_cross(call, SIDE_B, call->early->buf,
					call->early->end, mb);

	return OUT_B_REFUSED_MEDIA;
}


static void answered(struct call *call, const struct leg_event *said)
{
	struct attempt *a = call_attempt(call);

	call_health_alive(call);
	call->answered_ms = moment_ms(&call->w->now);
	call->answered_wall_ms = moment_wall_ms(&call->w->now);
	a->outcome = OUT_OK;
	a->sip_code = said->scode;
	WHY(call->why, WHY_ATTEMPT, OUT_OK, a->gateway_id,
	    WHY_TEXT("address", a->address),
	    WHY_COUNT("sip_code", said->scode),
	    WHY_COUNT("ms", (int64_t)(call->answered_ms - a->begun_ms)));
	(void)text_copy(a->user_agent, sizeof(a->user_agent),
			leg_user_agent(call->leg[SIDE_B]));
	call_attempt_note(call);
	call_judge_attempt(call, true);
	call_price_answered(call);
	circle_leave(call->w->circles, &call->circle);
	metric_observe(call->w->metrics.setup,
		       (double)(call->answered_ms - call->begun_ms) / 1e3);
}


static void start_clocks(struct call *call)
{
	struct wheel *wheel = call->w->wheel;

	wheel_stop(wheel, &call->no_ring);
	wheel_stop(wheel, &call->total);
	if (call->is_emergency)
		wheel_stop(wheel, &call->phase); /* no maximum */
	else
		wheel_start(wheel, &call->phase,
			    call->cut_ms, call_max_over, call);
	call_check_start(call);
	call_fund_start(call);
}


void act_answer(void *subject, const void *data)
{
	const struct call_event *ev = data;
	const struct leg_event *said = ev->said;
	struct call *call = subject;
	struct mbuf *mb = call->w->scratch;
	const enum outcome out = answer_in(call, said, mb);

	if (out != OUT_OK) {
		/* ACK it all the same, then end it: A hears a failure */
		(void)leg_ack(call->leg[SIDE_B], NULL, 0);
		call_attempt_end(call, out, said->scode,
				 outcome_row(out)->q850, "");
		call_post(call, EV_REFUSED, out);
		return;
	}

	if (!call->is_late)
		(void)leg_ack(call->leg[SIDE_B], NULL, 0);
	answered(call, said);
	start_clocks(call);
	/* first: a call that A hears answered is one in the journal */
	(void)call_journal(call, JOURNAL_ANSWER);
	if (leg_answer(call->leg[SIDE_A], mb->buf, mb->end))
		call_post(call, EV_REFUSED, OUT_LIMIT_NODE);
	why_shrink(call->why);
	call_tell(call, TAP_CALL_ANSWER);
	call_event_answered(call);
	call->offer = mem_deref(call->offer);
	call->early = mem_deref(call->early);
	call_unpin(call);
}


void act_confirm(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	struct mbuf *mb = call->w->scratch;

	if (!call->is_late)
		return;

	/* A's answer to B's offer rides in the ACK (RFC 3261 13.2.1) */
	mbuf_rewind(mb);
	if (!ev->said->sdp ||
	    OUT_OK != call_media_cross(call, SIDE_A, ev->said->sdp,
				       ev->said->sdp_len, mb)) {
		(void)leg_ack(call->leg[SIDE_B], NULL, 0);
		call_post(call, EV_REFUSED, OUT_BAD_SDP);
		return;
	}

	(void)leg_ack(call->leg[SIDE_B], mb->buf, mb->end);
}
