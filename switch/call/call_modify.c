/**
 * @file call_modify.c  A re-INVITE of one side, carried to the other and its
 * answer back (RFC 3261 14). One at a time; a second one meets 491.
 */
#include <string.h>
#include "call_private.h"
#include "phrase.h"
#include "text.h"


static void refuse(struct leg *leg, enum outcome out)
{
	const struct outcome_row *row = outcome_row(out);

	(void)leg_offer_reply(leg, row->sip, row->phrase, NULL, 0);
}


void act_refuse_offer(void *subject, const void *data)
{
	const struct call_event *ev = data;

	(void)subject;
	(void)leg_offer_reply(ev->leg, 491, "Request Pending", NULL, 0);
}


/* @return OUT_OK when the re-INVITE is on its way to the other side */
static enum outcome pass_on(struct call *call, const struct leg_event *said)
{
	struct leg *other = call->leg[side_other(call->offer_from)];
	struct sdp_origin *origin = &call->origin[side_other(
		call->offer_from)];
	const struct sdp_origin before = *origin;
	struct mbuf *mb = call->w->scratch;
	enum outcome out;

	mbuf_rewind(mb);
	if (said->sdp) {
		out = call_media_propose(call, call->offer_from, said->sdp,
					 said->sdp_len, mb);
		if (out != OUT_OK)
			return out;
	}

	if (!leg_offer(other, mb->end ? mb->buf : NULL, mb->end))
		return OUT_OK;

	*origin = before; /* nobody saw that version */

	return OUT_B_CONGESTED;
}


void act_relay_offer(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	enum outcome out;

	call->offer_from = call_side(call, ev->leg);
	call->offer_is_late = !ev->said->sdp;
	call->offer_is_forgotten = false;

	out = pass_on(call, ev->said);
	if (out != OUT_OK) {
		refuse(ev->leg, out);
		call->offer_is_forgotten = true;
		call_post(call, EV_X_OFFER_FAIL, out);
	}
}


void act_relay_offer_ok(void *subject, const void *data)
{
	const struct call_event *ev = data;
	const struct leg_event *said = ev->said;
	struct call *call = subject;
	struct leg *asker = call->leg[call->offer_from];
	struct sdp_origin *origin = &call->origin[call->offer_from];
	const struct sdp_origin before = *origin;
	struct mbuf *mb = call->w->scratch;
	enum outcome out = OUT_BAD_SDP;

	mbuf_rewind(mb);
	if (said->sdp && call->offer_is_late)
		out = call_media_propose(call, side_other(call->offer_from),
					 said->sdp, said->sdp_len, mb);
	else if (said->sdp)
		out = call_media_cross(call, side_other(call->offer_from),
				       said->sdp, said->sdp_len, mb);

	if (!call->offer_is_late || call->offer_is_forgotten ||
	    out != OUT_OK)
		(void)leg_ack(ev->leg, NULL, 0);

	if (call->offer_is_forgotten) {
		/* nobody is left who would see and ACK it */
		*origin = before;
		call_post(call, EV_X_OFFER_FAIL, OUT_OK);
		return;
	}
	if (out != OUT_OK) {
		refuse(asker, out);
		call->offer_is_forgotten = true;
		call_post(call, EV_X_OFFER_FAIL, out);
		return;
	}

	(void)leg_offer_reply(asker, 200, "OK", mb->buf, mb->end);
}


void act_end_offer(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	struct leg *asker = call->leg[call->offer_from];

	call->proposed = mem_deref(call->proposed);
	if (call->offer_is_forgotten)
		return;

	call->offer_is_forgotten = true;
	if (ev->said && ev->said->scode >= 300)
		(void)leg_offer_reply(asker, ev->said->scode,
				      phrase_of(ev->said->scode), NULL, 0);
	else
		refuse(asker, OUT_B_SILENT);
}


void act_confirm_offer(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	struct leg *other = call->leg[side_other(call->offer_from)];
	struct mbuf *mb = call->w->scratch;

	if (!call->offer_is_late)
		return;

	mbuf_rewind(mb);
	if (ev->said->sdp &&
	    OUT_OK == call_media_cross(call, call->offer_from, ev->said->sdp,
				       ev->said->sdp_len, mb)) {
		(void)leg_ack(other, mb->buf, mb->end);
		return;
	}

	/* their offer got no answer: no session is left to go back to */
	(void)leg_ack(other, NULL, 0);
	call_post(call, EV_REFUSED, OUT_BAD_SDP);
}


void act_forget_offer(void *subject, const void *data)
{
	struct call *call = subject;

	(void)data;
	call->offer_is_forgotten = true;
}
