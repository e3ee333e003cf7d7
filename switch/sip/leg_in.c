/**
 * @file leg_in.c  A leg that called us (UAS): provisional answers, the final
 * one, CANCEL, and a 2xx that is repeated until its ACK arrives.
 */
#include <errno.h>
#include "leg_private.h"
#include "reason.h"


static void cancel_handler(struct server_tx *tx, const struct sip_msg *cancel,
			   void *arg)
{
	struct leg *leg = arg;
	(void)tx;

	if (leg->at != AT_RINGING_IN)
		return; /* our final answer crossed it (RFC 3261 9.2) */

	leg_enter(leg);
	leg_in_terminate(leg, &leg->invite_in);
	leg->at = AT_OVER;
	leg_report(leg, LEG_CANCELLED, 0, cancel, NULL);
	leg_leave(leg);
}


int leg_accept(struct leg **legp, struct sip_endpoint *ep,
	       const struct sip_msg *invite, const struct sip_path *path,
	       const char *contact_host, void *owner, leg_event_h *h,
	       void *arg)
{
	struct leg *leg = NULL;
	int err;

	if (!legp || !ep || !invite || !path || !contact_host || !h)
		return EINVAL;

	err = leg_alloc(&leg, ep, contact_host, path->transport, h, arg);
	if (err)
		return err;

	leg->at = AT_RINGING_IN;
	err = dialog_accept(&leg->dialog, invite, path, leg->binding.tag);
	if (err)
		goto out;

	err = server_tx_start(&leg->invite_in, ep, invite, path,
			      cancel_handler, leg);
	if (err)
		goto out;

	leg_set_owner(leg, owner);
	leg_note_user_agent(leg, invite);
	endpoint_bind(ep, &leg->binding, leg->dialog->local_tag,
		      leg_dialog_handler, leg);
	leg->is_bound = true;

	/* a lost 100 is sent again when the INVITE is */
	(void)server_tx_trying(leg->invite_in);

 out:
	if (err)
		mem_deref(leg);
	else
		*legp = leg;
	return err;
}


void leg_in_own(struct leg *leg)
{
	if (leg->invite_in)
		server_tx_own(leg->invite_in, cancel_handler, leg,
			      leg->owner);
	if (leg->offer_in)
		server_tx_own(leg->offer_in, leg_offer_cancelled, leg,
			      leg->owner);
}


/* Pending INVITE of theirs that nobody will answer any more. */
void leg_in_terminate(struct leg *leg, struct server_tx **txp)
{
	struct server_tx *tx = *txp;

	if (!tx)
		return;

	*txp = NULL;
	if (!server_tx_is_final(tx))
		(void)server_tx_reply(tx, 487, "Request Terminated",
				      leg->dialog->local_tag, NULL, NULL, 0,
				      NULL);
	mem_deref(tx);
}


int leg_progress(struct leg *leg, uint16_t scode, const char *reason,
		 const uint8_t *sdp, size_t len)
{
	if (!leg || scode <= 100 || scode > 199)
		return EINVAL;
	if (leg->at != AT_RINGING_IN)
		return ENOTCONN;

	return server_tx_reply(leg->invite_in, scode, reason,
			       leg->dialog->local_tag,
			       sdp ? "application/sdp" : NULL, sdp, len,
			       "Contact: %s\r\n" LEG_ALLOW, leg->contact);
}


int leg_answer(struct leg *leg, const uint8_t *sdp, size_t len)
{
	struct server_tx *tx;
	uint32_t cseq;
	int err;

	if (!leg)
		return EINVAL;
	if (leg->at != AT_RINGING_IN)
		return ENOTCONN;

	tx = leg->invite_in;
	cseq = server_tx_request(tx)->cseq.num;
	err = server_tx_reply(tx, 200, "OK", leg->dialog->local_tag,
			      sdp ? "application/sdp" : NULL, sdp, len,
			      "Contact: %s\r\n" LEG_ALLOW LEG_SUPPORTED,
			      leg->contact);
	if (err)
		return err;

	leg->invite_in = NULL;
	leg->at = AT_WAIT_ACK;
	leg_repeat_start(leg, tx, cseq, /* is_offer */ false);
	return 0;
}


int leg_reject(struct leg *leg, uint16_t scode, const char *reason,
	       uint8_t q850, const char *extra)
{
	char value[160];
	int err;

	if (!leg || scode < 300 || scode > 699)
		return EINVAL;
	if (leg->at != AT_RINGING_IN)
		return ENOTCONN;

	value[0] = '\0';
	if (q850 && reason_value(value, sizeof(value), q850, reason))
		value[0] = '\0';

	leg_enter(leg);
	err = server_tx_reply(leg->invite_in, scode, reason,
			      leg->dialog->local_tag, NULL, NULL, 0,
			      "%s%s%s%s", value[0] ? "Reason: " : "", value,
			      value[0] ? "\r\n" : "", extra ? extra : "");
	leg->invite_in = mem_deref(leg->invite_in);
	leg->is_told = true;
	leg->at = AT_OVER;
	leg_leave(leg);

	return err;
}


static void repeat_lost(struct leg *leg)
{
	const bool is_offer = leg->repeat.is_offer;

	leg_repeat_stop(leg);

	if (leg->at == AT_LEAVING) {
		leg_bye_send(leg);
		return;
	}

	if (!is_offer)
		leg->at = AT_UP;
	leg_report(leg, LEG_ACK_LOST, ETIMEDOUT, NULL, NULL);
}


static void repeat_handler(void *arg)
{
	struct leg *leg = arg;
	struct leg_repeat *rp = &leg->repeat;
	const struct sip_endpoint_config *cfg = endpoint_config(leg->ep);
	const uint32_t end_ms = leg_64t1_ms(leg);

	leg_enter(leg);

	rp->spent_ms += rp->interval_ms;
	if (rp->spent_ms >= end_ms) {
		repeat_lost(leg);
		goto out;
	}

	(void)server_tx_again(rp->tx);

	rp->interval_ms *= 2;
	if (rp->interval_ms > cfg->t2_ms)
		rp->interval_ms = cfg->t2_ms;
	if (rp->interval_ms > end_ms - rp->spent_ms)
		rp->interval_ms = end_ms - rp->spent_ms;
	wheel_start(endpoint_wheel(leg->ep), &rp->timer, rp->interval_ms,
		    repeat_handler, leg);

 out:
	leg_leave(leg);
}


/* Takes over tx. */
void leg_repeat_start(struct leg *leg, struct server_tx *tx, uint32_t cseq,
		      bool is_offer)
{
	struct leg_repeat *rp = &leg->repeat;

	leg_repeat_stop(leg);
	rp->tx = tx;
	rp->cseq = cseq;
	rp->is_offer = is_offer;
	rp->spent_ms = 0;
	rp->interval_ms = endpoint_config(leg->ep)->t1_ms;
	wheel_start(endpoint_wheel(leg->ep), &rp->timer, rp->interval_ms,
		    repeat_handler, leg);
}


void leg_repeat_stop(struct leg *leg)
{
	wheel_stop(endpoint_wheel(leg->ep), &leg->repeat.timer);
	leg->repeat.tx = mem_deref(leg->repeat.tx);
}


void leg_in_acked(struct leg *leg, const struct sip_msg *ack,
		  const struct sip_path *path)
{
	const bool is_offer = leg->repeat.is_offer;

	if (!leg->repeat.tx || ack->cseq.num != leg->repeat.cseq)
		return; /* repeated, or late: RFC 3261 13.3.1.4 */

	dialog_moved(leg->dialog, path);
	leg_repeat_stop(leg);

	if (leg->at == AT_LEAVING) {
		leg_bye_send(leg);
		return;
	}

	if (leg->at == AT_WAIT_ACK)
		leg->at = AT_UP;
	leg_report(leg, is_offer ? LEG_OFFER_ACKED : LEG_ACKED, 0, ack, path);
}
