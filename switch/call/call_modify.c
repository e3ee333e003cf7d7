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
	const enum side from = call->reinvite.from, to = side_other(from);
	struct leg *other = call->leg[to];
	struct sdp_origin *origin = &call->origin[to];
	const struct sdp_origin before = *origin;
	struct mbuf *mb = call->w->scratch;
	enum outcome out;

	mbuf_rewind(mb);
	if (said->sdp) {
		out = call_media_propose(call, from, said->sdp,
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
	struct reinvite *ri = &call->reinvite;
	enum outcome out;

	ri->from = call_side(call, ev->leg);
	ri->is_late = !ev->said->sdp;
	ri->is_forgotten = false;

	out = pass_on(call, ev->said);
	if (out != OUT_OK) {
		refuse(ev->leg, out);
		ri->is_forgotten = true;
		call_post(call, EV_X_OFFER_FAIL, out);
	}
}


void act_relay_offer_ok(void *subject, const void *data)
{
	const struct call_event *ev = data;
	const struct leg_event *said = ev->said;
	struct call *call = subject;
	struct reinvite *ri = &call->reinvite;
	struct leg *asker = call->leg[ri->from];
	struct sdp_origin *origin = &call->origin[ri->from];
	const struct sdp_origin before = *origin;
	struct mbuf *mb = call->w->scratch;
	enum outcome out = OUT_BAD_SDP;

	mbuf_rewind(mb);
	if (said->sdp && ri->is_late)
		out = call_media_propose(call, side_other(ri->from), said->sdp,
					 said->sdp_len, mb);
	else if (said->sdp)
		out = call_media_cross(call, side_other(ri->from), said->sdp,
				       said->sdp_len, mb);

	if (!ri->is_late || ri->is_forgotten || out != OUT_OK)
		(void)leg_ack(ev->leg, NULL, 0);

	if (ri->is_forgotten) {
		/* nobody is left who would see and ACK it */
		*origin = before;
		call_post(call, EV_X_OFFER_FAIL, OUT_OK);
		return;
	}
	if (out != OUT_OK) {
		refuse(asker, out);
		ri->is_forgotten = true;
		call_post(call, EV_X_OFFER_FAIL, out);
		return;
	}

	if (leg_offer_reply(asker, 200, "OK", mb->buf, mb->end))
		call_post(call, EV_REFUSED, OUT_LIMIT_NODE);
}


void act_end_offer(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	struct reinvite *ri = &call->reinvite;
	struct leg *asker = call->leg[ri->from];

	ri->proposed = mem_deref(ri->proposed);
	if (ri->is_forgotten)
		return;

	ri->is_forgotten = true;
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
	struct reinvite *ri = &call->reinvite;
	struct leg *other = call->leg[side_other(ri->from)];
	struct mbuf *mb = call->w->scratch;

	if (!ri->is_late)
		return;

	mbuf_rewind(mb);
	if (ev->said->sdp &&
	    OUT_OK == call_media_cross(call, ri->from, ev->said->sdp,
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
	call->reinvite.is_forgotten = true;
}
