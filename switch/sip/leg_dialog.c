/**
 * @file leg_dialog.c  Requests inside a leg's dialog, theirs and ours:
 * re-INVITE (RFC 3261 14), BYE (15), and what is refused.
 */
#include <errno.h>
#include "leg_private.h"
#include "metric.h"
#include "reason.h"
#include "rng.h"

enum { RETRY_AFTER_N = 11 /* 0..10 s, RFC 3261 14.2 */ };

typedef void(request_h)(struct leg *leg, struct server_tx *tx,
			const struct sip_msg *msg,
			const struct sip_path *path);


static void reply(struct server_tx *tx, uint16_t scode, const char *reason,
		   const char *extra)
{
	/* when it cannot be sent now the peer's next copy asks again */
	(void)server_tx_reply(tx, scode, reason, NULL, NULL, NULL, 0, "%s",
			      extra);
}


/* --- BYE */

static void bye_handler(struct leg_request *r, int err,
			const struct sip_msg *msg)
{
	struct leg *leg = r->leg;

	if (!err && msg->scode < 200)
		return;

	leg_request_forget(r);
	leg->at = AT_OVER;
}


void leg_bye_send(struct leg *leg)
{
	struct mbuf *tail = leg->bye;

	leg->bye = NULL;
	if (tail && !leg_request_send(NULL, leg, leg->dialog, "BYE", tail,
				      LEG_MAX_FORWARDS, bye_handler))
		return;

	/* the peer is left to its own timers */
	metric_add(metric_counter("strowger_sip_byes_unsent_total", NULL,
				  "Legs ended without a BYE: no memory, too "
				  "many transactions, or no way to send"), 1);
	leg->at = AT_OVER;
}


static struct mbuf *bye_tail(uint8_t q850, const char *text)
{
	char reason[160];
	struct mbuf *mb;
	int err = 0;

	mb = mbuf_alloc(64);
	if (!mb)
		return NULL;

	if (q850 && !reason_value(reason, sizeof(reason), q850, text))
		err = mbuf_printf(mb, "Reason: %s\r\n", reason);
	err |= leg_tail_print(mb, NULL, 0);

	return err ? mem_deref(mb) : mb;
}


static void bye_start(struct leg *leg, uint8_t q850, const char *text)
{
	leg_hold(leg);
	leg->at = AT_LEAVING;
	leg->bye = bye_tail(q850, text);

	if (leg->unacked)
		(void)leg_ack(leg, NULL, 0);
	leg_in_terminate(leg, &leg->offer_in);

	/* not before the ACK to the 2xx that made the dialog (15); a later
	   re-INVITE does not keep a call from ending */
	if (leg->repeat.tx && !leg->repeat.is_offer)
		return;

	leg_repeat_stop(leg);
	leg_bye_send(leg);
}


void leg_bye(struct leg *leg, uint8_t q850, const char *text)
{
	if (!leg)
		return;

	leg_enter(leg);

	switch (leg->at) {

	case AT_RINGING_IN:
		(void)leg_reject(leg, 480, "Temporarily Unavailable", q850,
				 NULL);
		break;

	case AT_DIALLING:
		leg_out_abandon(leg, q850);
		break;

	case AT_WAIT_ACK:
	case AT_ANSWERED:
	case AT_UP:
		leg->is_told = true;
		bye_start(leg, q850, text);
		break;

	case AT_CANCELLING:
	case AT_LEAVING:
	case AT_OVER:
		break;
	}

	leg_leave(leg);
}


static void bye_early(struct leg *leg, const struct sip_msg *msg,
		      const struct sip_path *path)
{
	if (leg->at == AT_RINGING_IN) {
		/* pending requests get a 487 (15.1.2) */
		leg_in_terminate(leg, &leg->invite_in);
		leg->at = AT_OVER;
		leg_report(leg, LEG_CANCELLED, 0, msg, path);
	}
	else if (leg->at == AT_DIALLING) {
		/* its 2xx were lost and it gave up waiting for our ACK */
		leg_out_abandon(leg, 0);
		leg_report_end(leg, LEG_FAILED, 0, ECONNRESET, "");
	}
}


static void bye_received(struct leg *leg, struct server_tx *tx,
			 const struct sip_msg *msg,
			 const struct sip_path *path)
{
	reply(tx, 200, "OK", "");

	switch (leg->at) {

	case AT_RINGING_IN:
	case AT_DIALLING:
	case AT_CANCELLING:
	case AT_OVER:
		bye_early(leg, msg, path);
		break;

	case AT_LEAVING:
		/* both at once: ours, if it is out, is answered too; if it
		   waited there is no need of it */
		if (leg->bye) {
			leg->bye = mem_deref(leg->bye);
			leg_repeat_stop(leg);
			leg->at = AT_OVER;
		}
		break;

	case AT_WAIT_ACK:
	case AT_ANSWERED:
	case AT_UP:
		if (leg->unacked)
			(void)leg_ack(leg, NULL, 0);
		leg_repeat_stop(leg);
		leg_in_terminate(leg, &leg->offer_in);
		leg->at = AT_OVER;
		leg_report(leg, LEG_BYE, 0, msg, path);
		break;
	}
}


/* --- re-INVITE of theirs */

void leg_offer_cancelled(struct server_tx *tx, const struct sip_msg *cancel,
			 void *arg)
{
	struct leg *leg = arg;

	if (leg->offer_in != tx)
		return; /* answered already */

	leg_enter(leg);
	leg_in_terminate(leg, &leg->offer_in);
	leg_report(leg, LEG_OFFER_CANCELLED, 0, cancel, NULL);
	leg_leave(leg);
}


static void retry_later(struct leg *leg, struct server_tx *tx)
{
	char extra[32];

	(void)re_snprintf(extra, sizeof(extra), "Retry-After: %u\r\n",
			  rng_below(endpoint_rng(leg->ep), RETRY_AFTER_N));
	reply(tx, 500, "Server Internal Error", extra);
}


static bool has_other_body(const struct sip_msg *msg)
{
	const uint8_t *sdp;
	size_t len;

	return mbuf_get_left(msg->mb) && message_sdp(msg, &sdp, &len);
}


static void invite_received(struct leg *leg, struct server_tx *tx,
			    const struct sip_msg *msg,
			    const struct sip_path *path)
{
	if (leg->at == AT_RINGING_IN || leg->offer_in) {
		retry_later(leg, tx);
	}
	else if (leg->at != AT_UP || leg->offer || leg->repeat.tx) {
		/* an INVITE of ours, or a 2xx without ACK, is in the way */
		reply(tx, 491, "Request Pending", "");
	}
	else if (has_other_body(msg)) {
		reply(tx, 415, "Unsupported Media Type",
		       "Accept: application/sdp\r\n");
	}
	else {
		leg->offer_in = mem_ref(tx);
		leg_in_own(leg);
		leg_report(leg, LEG_OFFER, 0, msg, path);
	}
}


int leg_offer_reply(struct leg *leg, uint16_t scode, const char *reason,
		    const uint8_t *sdp, size_t len)
{
	const struct sip_msg *msg;
	struct server_tx *tx;
	uint32_t cseq;
	int err;

	if (!leg || scode < 101 || scode > 699)
		return EINVAL;

	tx = leg->offer_in;
	if (!tx)
		return ENOENT;

	msg = server_tx_request(tx);
	cseq = msg->cseq.num;
	if (scode >= 200 && scode < 300)
		dialog_refresh(leg->dialog, msg);

	err = server_tx_reply(tx, scode, reason, NULL,
			      sdp ? "application/sdp" : NULL, sdp, len,
			      "Contact: %s\r\n" LEG_ALLOW, leg->contact);
	if (err || scode < 200)
		return err;

	leg->offer_in = NULL;
	if (scode < 300)
		leg_repeat_start(leg, tx, cseq, /* is_offer */ true);
	else
		mem_deref(tx);

	return 0;
}


/* --- re-INVITE of ours */

static void offer_answered(struct leg_request *r, const struct sip_msg *msg)
{
	struct leg *leg = r->leg;

	if (r->ack) {
		leg_request_ack_again(r);
	}
	else if (leg->at != AT_UP) {
		leg->offer = NULL;
		(void)leg_request_ack(r, NULL, 0);
	}
	else if (leg->unacked != r) {
		dialog_refresh(leg->dialog, msg);
		leg->unacked = r;
		leg_report(leg, LEG_OFFER_ANSWERED, 0, msg, NULL);
	}
}


static void offer_refused(struct leg_request *r, int err,
			  const struct sip_msg *msg)
{
	const bool is_dead = err || msg->scode == 481 || msg->scode == 408;
	struct leg *leg = r->leg;

	leg_request_forget(r);
	if (leg->at != AT_UP)
		return;

	leg_report(leg, LEG_OFFER_REFUSED, err, msg, NULL);

	if (is_dead && leg->at == AT_UP) {
		/* the peer has lost the dialog (RFC 3261 12.2.1.2) */
		leg_report(leg, LEG_BYE, err, msg, NULL);
		if (leg->at == AT_UP)
			bye_start(leg, 0, NULL);
	}
}


static void offer_handler(struct leg_request *r, int err,
			  const struct sip_msg *msg)
{
	if (err || msg->scode >= 300)
		offer_refused(r, err, msg);
	else if (msg->scode >= 200)
		offer_answered(r, msg);
}


int leg_offer(struct leg *leg, const uint8_t *sdp, size_t len)
{
	struct mbuf *mb;
	int err;

	if (!leg)
		return EINVAL;
	if (leg->at == AT_WAIT_ACK || leg->at == AT_ANSWERED)
		return EBUSY;
	if (leg->at != AT_UP)
		return ENOTCONN;
	if (leg->offer || leg->offer_in || leg->repeat.tx)
		return EBUSY; /* one INVITE at a time (RFC 3261 14.1) */

	mb = mbuf_alloc(512);
	if (!mb)
		return ENOMEM;

	err = mbuf_printf(mb, "Contact: %s\r\n" LEG_ALLOW, leg->contact);
	if (!err)
		err = leg_tail_print(mb, sdp, len);
	if (err) {
		mem_deref(mb);
		return err;
	}

	return leg_request_send(&leg->offer, leg, leg->dialog, "INVITE", mb,
				LEG_MAX_FORWARDS, offer_handler);
}


/* --- every request of theirs */

static void options_received(struct leg *leg, struct server_tx *tx,
			     const struct sip_msg *msg,
			     const struct sip_path *path)
{
	(void)leg;
	(void)msg;
	(void)path;

	reply(tx, 200, "OK",
	       LEG_ALLOW LEG_SUPPORTED "Accept: application/sdp\r\n");
}


static void method_refused(struct leg *leg, struct server_tx *tx,
			   const struct sip_msg *msg,
			   const struct sip_path *path)
{
	(void)leg;
	(void)msg;
	(void)path;

	reply(tx, 405, "Method Not Allowed", LEG_ALLOW);
}


static const struct method {
	const char *name;
	request_h *h;
} methods[] = {
	{"INVITE",    invite_received},
	{"BYE",       bye_received},
	{"OPTIONS",   options_received},
	{"UPDATE",    method_refused},
	{"INFO",      method_refused},
	{"PRACK",     method_refused},
	{"REFER",     method_refused},
	{"SUBSCRIBE", method_refused},
	{"NOTIFY",    method_refused},
	{"MESSAGE",   method_refused},
	{"PUBLISH",   method_refused},
	{"REGISTER",  method_refused},
};


static const struct method *method_find(const struct sip_msg *msg)
{
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (!pl_strcmp(&msg->met, methods[i].name))
			return &methods[i];
	}

	return NULL;
}


/* We have no extension, so each one required is one too many (8.2.2.3). */
static bool refuse_extension(struct server_tx *tx, const struct sip_msg *msg)
{
	char extra[128];
	struct pl val = message_header(msg, "Require");
	size_t i;

	if (!pl_isset(&val))
		return false;

	for (i = 0; i < val.l; i++) {
		if (val.p[i] < ' ' || val.p[i] > '~')
			val.l = i;
	}

	if (re_snprintf(extra, sizeof(extra), "Unsupported: %r\r\n", &val) < 0)
		extra[0] = '\0';
	reply(tx, 420, "Bad Extension", extra);
	return true;
}


static void request_received(struct leg *leg, struct server_tx *tx,
			     const struct sip_msg *msg,
			     const struct sip_path *path)
{
	const struct method *method = method_find(msg);
	const bool is_bye = method && method->h == bye_received;

	server_tx_own(tx, NULL, NULL, leg->owner);

	if (!dialog_owns(leg->dialog, msg) || leg->at == AT_OVER ||
	    (leg->at == AT_LEAVING && !is_bye)) {
		reply(tx, 481, "Call/Transaction Does Not Exist", "");
		return;
	}

	if (!dialog_take_seq(leg->dialog, msg)) {
		reply(tx, 500, "Server Internal Error", "");
		return;
	}

	dialog_moved(leg->dialog, path);

	if (!method)
		reply(tx, 501, "Not Implemented", LEG_ALLOW);
	else if (is_bye || !refuse_extension(tx, msg))
		method->h(leg, tx, msg, path); /* a call may always end */
}


void leg_dialog_handler(struct server_tx *tx, const struct sip_msg *msg,
			const struct sip_path *path, void *arg)
{
	struct leg *leg = arg;

	leg_enter(leg);

	if (tx)
		request_received(leg, tx, msg, path);
	else if (dialog_owns(leg->dialog, msg))
		leg_in_acked(leg, msg, path);

	leg_leave(leg);
}
