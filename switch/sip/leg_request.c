/**
 * @file leg_request.c  A request of a leg in flight: it is built, sent,
 * answered to a challenge (RFC 3261 22.2, 22.3), and its 2xx are ACKed.
 */
#include <errno.h>
#include "digest.h"
#include "leg_private.h"
#include "metric.h"
#include "reason.h"

enum {
	REQUESTS_N = 16,   /* in flight or lingering, of one leg           */
	DIGESTS_N = 2,     /* one answer, and one more for a stale nonce   */
	BRANCH_SIZE = 7 + TOKEN_SIZE,
};


static void destructor(void *data)
{
	struct leg_request *r = data;

	list_unlink(&r->le);
	wheel_stop(endpoint_wheel(r->leg->ep), &r->timer);
	mem_deref(r->tx);
	mem_deref(r->dialog);
	mem_deref(r->tail);
	mem_deref(r->auth);
	mem_deref(r->ack);
}


static void branch_make(struct leg *leg, char branch[BRANCH_SIZE])
{
	char token[TOKEN_SIZE];

	endpoint_token(leg->ep, token);
	(void)re_snprintf(branch, BRANCH_SIZE, "z9hG4bK%s", token);
}


static void answer_handler(struct client_tx *tx, int err,
			   const struct sip_msg *msg, void *arg);


static int transmit(struct leg_request *r)
{
	struct leg *leg = r->leg;
	struct client_tx *tx = NULL;
	char branch[BRANCH_SIZE];
	struct sip_path path;
	struct mbuf *mb;
	int err;

	mb = mbuf_alloc(1024);
	if (!mb)
		return ENOMEM;

	branch_make(leg, branch);
	dialog_dest(r->dialog, &path);

	err = dialog_request(mb, r->dialog, r->method, branch, r->cseq,
			     r->max_forwards);
	if (!err && r->auth)
		err = mbuf_write_str(mb, r->auth);
	if (!err)
		err = mbuf_write_mem(mb, r->tail->buf, r->tail->end);
	if (!err)
		err = client_tx_start(&tx, leg->ep, &path, r->method, branch,
				      mb->buf, mb->end, answer_handler, r,
				      leg->owner);
	if (err)
		goto out;

	mem_deref(r->tx);
	r->tx = tx;

 out:
	mem_deref(mb);
	return err;
}


/* Answer a challenge with a new attempt. @return true when one is out */
static bool answer_challenge(struct leg_request *r, const struct sip_msg *msg)
{
	const struct leg *leg = r->leg;
	struct mbuf *mb;
	char *auth = NULL;
	int err;

	if (!leg->credential || r->is_cancelled || r->digests >= DIGESTS_N)
		return false;

	mb = mbuf_alloc(256);
	if (!mb)
		return false;

	err = digest_answer(mb, msg, leg->credential, r->method,
			    r->dialog->target, endpoint_rng(leg->ep),
			    r->digests > 0);
	if (err)
		goto out;

	mbuf_set_pos(mb, 0);
	err = mbuf_strdup(mb, &auth, mb->end);
	if (err)
		goto out;

	mem_deref(r->auth);
	r->auth = auth;
	++r->digests;
	r->cseq = ++r->dialog->local_seq;
	err = transmit(r);

 out:
	mem_deref(mb);
	return err == 0;
}


static bool is_challenge(const struct sip_msg *msg)
{
	return msg->scode == 401 || msg->scode == 407;
}


static wheel_h linger_handler;


/* Forget it in 64*T1: until then repeated 2xx find their ACK. */
static void linger(struct leg_request *r)
{
	wheel_start(endpoint_wheel(r->leg->ep), &r->timer,
		    leg_64t1_ms(r->leg), linger_handler, r);
}


static void linger_handler(void *arg)
{
	struct leg_request *r = arg;
	struct leg *leg = r->leg;

	/* an offer in its 2xx waits for the owner's answer as long as the
	   other side takes, and is ACKed even when that never comes */
	if (leg->unacked == r) {
		linger(r);
		return;
	}

	leg_enter(leg);
	leg_request_forget(r);
	leg_leave(leg);
}


static void settle(struct leg_request *r, const struct sip_msg *msg)
{
	const bool is_success = msg && msg->scode < 300;

	if (r->is_final)
		return;

	r->is_final = true;
	r->tail = mem_deref(r->tail);

	if (is_success && !str_cmp(r->method, "INVITE"))
		linger(r);
	else
		r->tx = mem_deref(r->tx);
}


static void answer_handler(struct client_tx *tx, int err,
			   const struct sip_msg *msg, void *arg)
{
	struct leg_request *r = arg;
	struct leg *leg = r->leg;
	(void)tx;

	leg_enter(leg);

	if (!err)
		dialog_answered(r->dialog, msg);

	if (!err && is_challenge(msg) && answer_challenge(r, msg))
		goto out;

	if (r->is_final && (err || msg->scode >= 300))
		goto out; /* a fork that refuses after another one answered */

	if (err || msg->scode >= 200)
		settle(r, msg);

	r->h(r, err, msg);

 out:
	leg_leave(leg);
}


int leg_request_send(struct leg_request **rp, struct leg *leg,
		     struct dialog *dialog, const char *method,
		     struct mbuf *tail, uint8_t max_forwards,
		     leg_request_h *h)
{
	struct leg_request *r;
	int err;

	if (list_count(&leg->requests) >= REQUESTS_N) {
		metric_add(metric_counter("strowger_sip_leg_requests_refused"
					  "_total", NULL,
					  "Requests not sent: too many of one "
					  "leg are unfinished"), 1);
		mem_deref(tail);
		return EBUSY;
	}

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r) {
		mem_deref(tail);
		return ENOMEM;
	}

	r->leg = leg;
	r->dialog = mem_ref(dialog);
	r->method = method;
	r->tail = tail;
	r->h = h;
	r->max_forwards = max_forwards;
	r->cseq = ++dialog->local_seq;
	list_append(&leg->requests, &r->le, r);

	err = transmit(r);

	if (err)
		mem_deref(r);
	else if (rp)
		*rp = r;
	return err;
}


/* The ACK to a 2xx is a request of its own with the number and the
   credentials of the INVITE (RFC 3261 13.2.2.4). When sending fails the peer
   asks again with its next 2xx. */
static int ack_send(struct mbuf **mbp, struct leg_request *r,
		    const struct dialog *d, const uint8_t *sdp, size_t len)
{
	char branch[BRANCH_SIZE];
	struct sip_path path;
	struct mbuf *mb;
	int err;

	mb = mbuf_alloc(512);
	if (!mb)
		return ENOMEM;

	branch_make(r->leg, branch);
	err = dialog_request(mb, d, "ACK", branch, r->cseq,
			     LEG_MAX_FORWARDS);
	if (!err && r->auth)
		err = mbuf_write_str(mb, r->auth);
	if (!err)
		err = leg_tail_print(mb, sdp, len);
	if (err) {
		mem_deref(mb);
		return err;
	}

	mbuf_trim(mb);
	dialog_dest(d, &path);
	(void)endpoint_send(r->leg->ep, &path, mb->buf, mb->end,
			    /* retransmission */ false, r->leg->owner);
	*mbp = mb;
	return 0;
}


int leg_request_ack(struct leg_request *r, const uint8_t *sdp, size_t len)
{
	struct mbuf *mb;
	int err;

	err = ack_send(&mb, r, r->dialog, sdp, len);
	if (err)
		return err;

	mem_deref(r->ack);
	r->ack = mb;
	return 0;
}


/* It stays a while so that a repeated 2xx is not taken for another fork. */
static void fork_handler(struct leg_request *bye, int err,
			 const struct sip_msg *msg)
{
	if (err || msg->scode >= 200)
		linger(bye);
}


void leg_request_release_fork(struct leg_request *invite,
			      const struct sip_msg *answer)
{
	struct leg *leg = invite->leg;
	struct dialog *d = NULL;
	struct leg_request *bye;
	struct mbuf *ack = NULL, *tail;
	const struct le *le;

	for (le = leg->requests.head; le; le = le->next) {
		bye = le->data;
		if (bye->h == fork_handler &&
		    dialog_is_from(bye->dialog, answer)) {
			leg_request_ack_again(bye);
			return;
		}
	}

	/* on any failure the fork repeats its 2xx, and we try again */
	if (dialog_fork(&d, leg->dialog, answer))
		return;

	tail = mbuf_alloc(32);
	if (!tail || leg_tail_print(tail, NULL, 0) ||
	    ack_send(&ack, invite, d, NULL, 0)) {
		mem_deref(tail);
		goto out;
	}

	if (!leg_request_send(&bye, leg, d, "BYE", tail,
			      LEG_MAX_FORWARDS, fork_handler))
		bye->ack = mem_ref(ack);

 out:
	mem_deref(ack);
	mem_deref(d);
}


void leg_request_ack_again(struct leg_request *r)
{
	struct sip_path path;

	if (!r->ack)
		return;

	/* when it fails the peer asks again with its next 2xx */
	dialog_dest(r->dialog, &path);
	(void)endpoint_send(r->leg->ep, &path, r->ack->buf, r->ack->end,
			    /* retransmission */ true, r->leg->owner);
}


void leg_request_cancel(struct leg_request *r, uint8_t q850)
{
	char reason[32];

	r->is_cancelled = true;
	if (!r->tx || r->is_final)
		return;

	if (q850 && !reason_value(reason, sizeof(reason), q850, NULL))
		client_tx_cancel(r->tx, reason);
	else
		client_tx_cancel(r->tx, NULL);
}


void leg_request_forget(struct leg_request *r)
{
	struct leg *leg = r->leg;

	if (leg->invite == r)
		leg->invite = NULL;
	if (leg->offer == r)
		leg->offer = NULL;
	if (leg->unacked == r)
		leg->unacked = NULL;
	mem_deref(r);
}
