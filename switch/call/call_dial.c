/**
 * @file call_dial.c  Towards the called side: the next carrier or contact,
 * what its INVITE says, and the provisional answers on their way back.
 */
#include <string.h>
#include "call_private.h"
#include "log.h"
#include "phrase.h"
#include "text.h"

#define MAX_FORWARDS 70 /* RFC 3261 8.1.1.6 */
#define CONTACT_SILENCE_MS 4000 /* then the PBX's next contact is tried */


/* Our address as the host of From and To towards this peer. */
static void host_of(const struct worker *w, const struct sip_path *path,
		    char *buf, size_t size)
{
	struct sa sa = w->cfg.socks[path->sock].public;

	sa_set_port(&sa, 0);
	(void)re_snprintf(buf, size, sa_af(&sa) == AF_INET6 ? "[%j]" : "%j",
			  &sa);
}


static void set_common(struct call *call, struct leg_out *out)
{
	struct worker *w = call->w;

	worker_contact(w, &out->path, out->contact_host,
		       sizeof(out->contact_host));
	host_of(w, &out->path, out->from_host, sizeof(out->from_host));
	/* only an emergency call comes here with none left */
	out->max_forwards = call->max_forwards ? call->max_forwards - 1
					       : MAX_FORWARDS;
	(void)text_copy(out->headers, sizeof(out->headers), call->headers);
}


/* @return 0 or errno: this gateway cannot take the number or the family */
static int to_gateway(struct call *call, const struct gateway *gw,
		      struct leg_out *out)
{
	struct party *called = &call->called, *calling = &call->calling;
	const struct number_rules *own =
		gw->numbers.rules[RULES_OUT][RULE_CALLED];

	if (worker_path(call->w, &gw->addr, &out->path))
		return EAFNOSUPPORT;
	if (call->is_emergency)
		TEXT_FILL(called->sent, call->sos.number); /* past any rule */
	else if (rule_apply(own ? &own->rules : &gw->number_out,
			    call_number(call), called->sent,
			    sizeof(called->sent)))
		return EINVAL;
	call_number_out(&gw->numbers, &gw->number_out, RULE_CALLING,
			calling->e164, calling->sent, sizeof(calling->sent));

	set_common(call, out);
	TEXT_FILL(out->to_user, called->sent);
	call_identity(call, out, &gw->numbers, &gw->number_out,
		      gw->identity == IDENTITY_PAI);
	if (re_snprintf(out->request_uri, sizeof(out->request_uri),
			"sip:%s@%J", called->sent, &gw->addr) < 0)
		return EOVERFLOW;
	(void)re_snprintf(out->to_host, sizeof(out->to_host), "%j",
			  &gw->addr);
	out->credential = gw->credential;
	out->no_response_ms = gw->no_response_ms;
	if (call->is_emergency)
		call_emergency_place(call, gw, out);

	return 0;
}


/*
 * A registered contact is called by the URI that it registered (RFC 3261
 * 10.2), the number stands in To; a static address by number.
 */
static int to_pbx(struct call *call, const struct target *target,
		  struct leg_out *out)
{
	const struct trunk *trunk = call->to_trunk;
	struct party *called = &call->called, *calling = &call->calling;

	call_number_out(&trunk->numbers, &trunk->number_out, RULE_CALLED,
			called->e164, called->sent, sizeof(called->sent));
	call_number_out(&trunk->numbers, &trunk->number_out, RULE_CALLING,
			calling->e164, calling->sent, sizeof(calling->sent));

	out->path = target->path;
	if (call->target_next < call->target_n)
		out->no_response_ms = CONTACT_SILENCE_MS;
	set_common(call, out);
	TEXT_FILL(out->to_user, called->sent);
	call_identity(call, out, &trunk->numbers, &trunk->number_out,
		      trunk->is_trusted);
	if (target->uri[0])
		TEXT_FILL(out->request_uri, target->uri);
	else if (re_snprintf(out->request_uri, sizeof(out->request_uri),
			     "sip:%s@%J", called->sent,
			     &target->path.peer) < 0)
		return EOVERFLOW;
	host_of(call->w, &out->path, out->to_host, sizeof(out->to_host));

	return 0;
}


static struct attempt *attempt_begin(struct call *call,
				     const struct gateway *gw,
				     const struct leg_out *out)
{
	struct attempt *a = call_attempt_add(call);

	if (!a)
		return NULL;

	(void)re_snprintf(a->address, sizeof(a->address), "%J",
			  &out->path.peer);
	TEXT_FILL(a->calling_sent, call->calling.sent);
	TEXT_FILL(a->called_sent, call->called.sent);
	if (gw) {
		TEXT_FILL(a->gateway_id, gw->id);
		TEXT_FILL(a->carrier_id, gw->carrier->id);
	}

	return a;
}


/* The offer as this side shall see it; empty for a late offer. */
static enum outcome offer_out(struct call *call, struct mbuf *mb)
{
	mbuf_rewind(mb);
	if (!call->offer)
		return OUT_OK;

	return call_media_cross(call, SIDE_A, call->offer->buf,
				call->offer->end, mb);
}


/* The INVITE of a test, without SDP: no port is its own. */
static enum outcome preview(struct call *call, const struct leg_out *out)
{
	call->preview = mbuf_alloc(1024);

	return call->preview && !leg_preview(call->preview, call->w->ep, out,
					     NULL, 0)
		       ? OUT_OK : OUT_B_ERROR;
}


/* One INVITE, to a gateway or a PBX. @return OUT_OK when it is on its way */
static enum outcome dial(struct call *call, const struct gateway *gw,
			 const struct target *t, struct leg_out *out)
{
	struct mbuf *mb = call->w->scratch;
	enum outcome res;
	int err = 0;

	if (!attempt_begin(call, gw, out))
		return OUT_B_CONGESTED;
	if (call->is_test)
		return preview(call, out);

	call_tell_dialled(call, out, t);
	out->owner = call_own(call, SIDE_B);
	res = out->owner ? offer_out(call, mb) : OUT_LIMIT_NODE;
	if (res == OUT_OK) {
		err = leg_dial(&call->leg[SIDE_B], call->w->ep, out,
			       mb->end ? mb->buf : NULL, mb->end, call_leg_b,
			       call);
		res = err ? OUT_B_ERROR : OUT_OK;
	}
	if (err)
		call_health_failed(call, res, 0, err, 0);
	if (res != OUT_OK) {
		call_attempt_end(call, res, 0, outcome_row(res)->q850, "");
		return res;
	}

	(void)text_copy(call_attempt(call)->b_call_id,
			sizeof(call_attempt(call)->b_call_id),
			leg_call_id(call->leg[SIDE_B]));

	return OUT_OK;
}


/* An INVITE is on its way to this gateway. */
static void dialled(struct call *call, const struct gateway *gw)
{
	quality_dialled(call->w->quality, gw, &call->w->now);
	call_mark_loop(call, gw);
	ping_dialled(call->w->ping, gw);
	if (gw->no_ring_ms)
		wheel_start(call->w->wheel, &call->no_ring, gw->no_ring_ms,
			    call_no_ring_over, call);
}


static enum outcome dial_gateway(struct call *call, const struct gateway *gw)
{
	struct leg_out out = {0};
	enum outcome res;

	if (to_gateway(call, gw, &out)) {
		WHY(call->why, WHY_CANDIDATE, OUT_BAD_NUMBER, gw->id,
		    WHY_TEXT("dropped", "number"));
		return OUT_BAD_NUMBER;
	}

	if (OUT_OK != call_margin(call, gw))
		return OUT_NO_MARGIN;

	res = call_limit_hop(call, gw);
	if (res != OUT_OK)
		return res;

	res = dial(call, gw, NULL, &out);
	if (res == OUT_OK) {
		call_buy(call, gw);
		if (!call->is_test)
			dialled(call, gw);
	}

	return res;
}


static enum outcome dial_target(struct call *call, const struct target *t)
{
	struct leg_out out = {0};
	enum outcome res;

	if (to_pbx(call, t, &out))
		return OUT_B_ERROR;

	res = dial(call, NULL, t, &out);
	if (res == OUT_OK && !call->is_test)
		call_mark_loop(call, NULL);

	return res;
}


/* The contacts of a 3xx come before the rest of the plan. */
static const struct gateway *next_gateway(struct call *call)
{
	const struct redirect *r;

	call->redirected = NULL;
	if (call->redirect_next == call->redirect_n)
		return hunt_next(&call->hunt);

	r = &call->redirects[call->redirect_next++];
	call->redirected = r->number;

	return r->gateway;
}


/* Try until one INVITE is out or nobody is left. */
static void hunt(struct call *call, enum outcome last)
{
	const struct gateway *gw;
	enum outcome res;

	wheel_stop(call->w->wheel, &call->no_ring);
	call_release_b(call);
	call->b_progressed = false;
	call->early = mem_deref(call->early); /* said by who failed */
	if (call->is_hunt_over) {
		call_post(call, EV_B_FAIL_LAST, OUT_HUNT_TIMEOUT);
		return;
	}

	while (!call->is_stopped && (gw = next_gateway(call))) {
		res = dial_gateway(call, gw);
		if (res == OUT_OK)
			return;
		last = res;
		WHY(call->why, WHY_CANDIDATE, res, gw->id,
		    WHY_TEXT("dropped", "not dialled"));
		call_release_b(call);
	}

	while (call->target_next < call->target_n) {
		res = dial_target(call, &call->targets[call->target_next++]);
		if (res == OUT_OK)
			return;
		last = res;
		call_release_b(call);
	}

	call_post(call, call_last_event(call, last), last);
}


void act_dial(void *subject, const void *data)
{
	(void)data;
	hunt(subject, OUT_B_DOWN);
}


void act_dial_next(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;

	hunt(call, ev->outcome);
}


/* It may have said 100, it did not ring: somebody else shall. */
void act_no_ring(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;

	call_health_no_ring(call);
	leg_cancel(call->leg[SIDE_B], outcome_row(ev->outcome)->q850);
	call_attempt_end(call, ev->outcome, 0, outcome_row(ev->outcome)->q850,
			 "");
	hunt(call, ev->outcome);
}


/* Who rings by now may go on ringing. */
void act_total_over(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	const struct attempt *a = call_attempt(call);

	call->is_hunt_over = true;
	if (!a || !a->ringing_ms)
		call_post(call, EV_REFUSED, ev->outcome);
}


static void keep_early(struct call *call, const struct leg_event *said)
{
	mem_deref(call->early);
	call->early = mbuf_alloc(said->sdp_len);
	if (call->early)
		(void)mbuf_write_mem(call->early, said->sdp, said->sdp_len);
}


void act_relay_ringing(void *subject, const void *data)
{
	const struct call_event *ev = data;
	const struct leg_event *said = ev->said;
	struct call *call = subject;
	struct attempt *a = call_attempt(call);
	struct mbuf *mb = call->w->scratch;

	/* 100 is said by the next hop before it knows anything */
	if (said->id == LEG_TRYING)
		return;

	call_health_alive(call);
	wheel_stop(call->w->wheel, &call->no_ring);
	if (!call->ringing_wall_ms) {
		call->ringing_wall_ms = moment_wall_ms(&call->w->now);
		call->ringing_ms = moment_ms(&call->w->now);
	}
	if (!a->ringing_wall_ms) {
		a->ringing_wall_ms = moment_wall_ms(&call->w->now);
		a->ringing_ms = moment_ms(&call->w->now);
	}

	mbuf_rewind(mb);
	if (said->sdp && !call->is_late &&
	    OUT_OK == call_media_cross(call, SIDE_B, said->sdp,
				       said->sdp_len, mb))
		keep_early(call, said);
	else
		mbuf_rewind(mb);

	call->has_early_media |= mb->end != 0;
	(void)leg_progress(call->leg[SIDE_A], said->scode,
			   phrase_of(said->scode),
			   mb->end ? mb->buf : NULL, mb->end);
}
