/**
 * @file call_admit.c  One decision: may this call be, and where does it go?
 * Checks stand in the order in which their reasons should be told. Emergency
 * calls pass by every limit: no count and no balance may stand before them.
 */
#include <errno.h>
#include <string.h>
#include "call_private.h"
#include "identity.h"
#include "log.h"
#include "text.h"



void call_pin(struct call *call)
{
	call->snap = snapshot_ref(call->w->snap);
	call->cat = call->w->cat;
}


/* After the answer only copies are needed: old catalogs go away soon. */
void call_unpin(struct call *call)
{
	snapshot_release(call->snap);
	call->snap = NULL;
	call->cat = NULL;
	call->trunk = NULL;
	call->to_trunk = NULL;
	call->did = NULL;
	call->site = NULL;
	call->to_site = NULL;
	call->gateway = NULL;
	call->plan = NULL;
	call->listed_plan = NULL;
	call->sos.route = NULL;
	memset(&call->hunt, 0, sizeof(call->hunt));
	memset(call->redirects, 0, sizeof(call->redirects));
	call->redirect_n = call->redirect_next = 0;
	call->redirected = NULL;
	call->asking.url = NULL;
	call->asked_n = 0;
}


/* Space is another matter than a disk that fails: who looks after it knows at
   once what to do. */
static enum outcome journal_outcome(const struct worker *w)
{
	return w->doors.refusesh(w->doors.arg) == ENOSPC ? OUT_JOURNAL_FULL
							 : OUT_JOURNAL_DOWN;
}


static enum outcome check_node(const struct call *call)
{
	const struct worker *w = call->w;

	if (call->is_emergency)
		return OUT_OK;
	if (w->is_draining ||
	    htab_count(w->calls) + call->is_test > w->cfg.calls_max) {
		WHY(call->why, WHY_LIMIT, OUT_LIMIT_NODE, w->cfg.node,
		    WHY_TEXT("level", "node"),
		    WHY_COUNT("draining", w->is_draining),
		    WHY_COUNT("limit", w->cfg.calls_max));
		return OUT_LIMIT_NODE;
	}
	if (w->doors.refusesh(w->doors.arg)) {
		why_note(call->why, WHY_LIMIT, journal_outcome(w), w->cfg.node,
			 NULL, 0);
		return journal_outcome(w);
	}

	return OUT_OK;
}


/* RFC 3323 5: it says what nobody can do. */
static void privacy_phrase(struct call *call, const struct sip_msg *invite)
{
	char values[40];

	privacy_unknown(invite, values, sizeof(values));
	(void)text_format(call->refusal.reason, sizeof(call->refusal.reason),
			  "%s: %s", outcome_row(OUT_PRIVACY)->phrase, values);
	if (!values[0])
		call->refusal.reason[0] = '\0';
}


static enum outcome check_request(struct call *call,
				  const struct sip_msg *invite)
{
	const struct pl require = message_header(invite, "Require");

	/* its INVITE onwards is a new request of ours, without what the PBX
	   requires: better a call without than none */
	if (call->is_emergency)
		return OUT_OK;
	if (call->max_forwards == 0)
		return OUT_TOO_MANY_HOPS;
	if (call->hops >= FORWARDS_MAX) {
		WHY(call->why, WHY_PLAN, OUT_LOOP, NULL,
		    WHY_COUNT("hops", call->hops));
		return OUT_LOOP;
	}
	if (privacy_is_impossible(call->privacy)) {
		privacy_phrase(call, invite);
		return OUT_PRIVACY;
	}
	if (!require.l)
		return OUT_OK;

	/* nothing crosses any more: the room serves the refusal */
	if (re_snprintf(call->headers, sizeof(call->headers),
			"Unsupported: %r\r\n", &require) < 0)
		call->headers[0] = '\0';

	return OUT_BAD_EXTENSION;
}


void call_limited(struct call *call, const char *id)
{
	(void)text_copy(call->limit_hit, sizeof(call->limit_hit), id);
}


static bool is_reachable(const struct call *call, const struct did *did)
{
	return did_is_in_service(did, moment_wall_ms(&call->w->now)) &&
	       did->trunk->is_active &&
	       did->trunk->tenant->is_active &&
	       (!did->site || did->site->is_active) &&
	       did->trunk->direction != TRUNK_OUT;
}


static void note_inbound(struct call *call, const struct trunk *trunk,
			 enum outcome out)
{
	WHY(call->why, WHY_INBOUND, out, call->did_id,
	    WHY_TEXT("trunk_id", trunk ? trunk->id : ""),
	    WHY_COUNT("contacts", call->target_n),
	    WHY_TEXT("contact",
		     call->target_n ? call->targets[0].uri : ""));
}


/* Whose call it is, when a carrier brings it. */
static void owned_by(struct call *call, const struct trunk *trunk)
{
	TEXT_FILL(call->to_trunk_id, trunk->id);
	if (call->kind != CALL_IN)
		return;

	TEXT_FILL(call->tenant_id, trunk->tenant->id);
	TEXT_FILL(call->account_id, trunk->account->id);
	call->max_call_s = trunk->max_call_s;
	call->media_timeout_s = trunk->media_timeout_s;
	call->total_timeout_s = trunk->total_timeout_s;
}


static enum outcome try_trunk(struct call *call, const struct trunk *trunk)
{
	enum outcome out = call_lists_in(call, trunk);

	if (out == OUT_OK)
		out = call_targets(call) ? OUT_NOT_REGISTERED : OUT_OK;
	note_inbound(call, trunk, out);

	return out;
}


enum outcome call_deliver_to(struct call *call, const struct trunk *trunk)
{
	const struct forward_rule *f;
	enum outcome out;

	if (!trunk->is_active || !trunk->tenant->is_active ||
	    trunk->direction == TRUNK_OUT)
		return OUT_TRUNK_DISABLED;

	call->to_trunk = trunk;
	if (!call->forward_n)
		owned_by(call, trunk);
	if (call->kind == CALL_IN || call->forward_n)
		call->ring_timeout_s = trunk->ring_timeout_s;
	call->ring_timeout_s = call_forward_after_s(call);

	f = call_forward_rule(call, OUT_NONE);
	if (f)
		return call_forward(call, f);
	if (call_must_ask(call, OUT_NONE))
		return OUT_OK;

	out = try_trunk(call, trunk);

	return out == OUT_OK ? out : call_elsewhere(call, out);
}


/* The called number is a customer's: on-net, or the end of a call in. */
enum outcome call_deliver(struct call *call, const struct did *did)
{
	TEXT_FILL(call->did_id, is_reachable(call, did) ? did->id : "");
	if (!call->did_id[0]) {
		note_inbound(call, did->trunk, OUT_NO_DID);
		return OUT_NO_DID;
	}

	call->did = did;
	call->to_site = did->site;
	TEXT_FILL(call->to_site_id, did->site ? did->site->id : "");

	return call_deliver_to(call, did->trunk);
}


/* RFC 3261 21.1.3. Not over early media: who hears an announcement goes on
   hearing it. */
static void tell_forward(struct call *call)
{
	if (call->is_forward_untold && !call->has_early_media &&
	    call->leg[SIDE_A])
		(void)leg_progress(call->leg[SIDE_A], 181,
				   "Call Is Being Forwarded", NULL, 0);
	call->is_forward_untold = false;
}


void call_ring_start(struct call *call)
{
	tell_forward(call);
	wheel_start(call->w->wheel, &call->phase,
		    (uint64_t)call->ring_timeout_s * 1000, call_ring_over,
		    call);
}


static enum outcome route_out(struct call *call)
{
	const struct trunk *trunk = call->trunk;
	const struct did *did;
	enum outcome out;

	/* whoever has it twice has no way on for it: it answers the first one
	   with this, and the next gateway is tried */
	if (call->is_emergency && call->is_back) {
		WHY(call->why, WHY_EMERGENCY, OUT_LOOP, call->trunk_id,
		    WHY_TEXT("number", call->sos.number),
		    WHY_COUNT("hops", call->hops));
		return OUT_LOOP;
	}
	if (call->is_emergency)
		return call_route_to(call, call->sos.route);

	if (trunk->direction == TRUNK_IN)
		return OUT_LIMIT_OUT;

	did = catalog_did(call->cat, call->called.e164);
	if (did) {
		call->kind = CALL_ONNET;
		out = call_price(call);
		if (out == OUT_OK)
			out = call_guard(call);
		return out == OUT_OK ? call_deliver(call, did) : out;
	}

	out = call_zone(call);
	if (out == OUT_OK)
		out = call_route(call);

	return out == OUT_OK ? call_guard(call) : out;
}


static enum outcome route_in(struct call *call)
{
	const struct did *did = catalog_did(call->cat, call->called.e164);

	if (did)
		return call_deliver(call, did);

	note_inbound(call, NULL, OUT_NO_DID);

	return OUT_NO_DID;
}


static enum outcome keep_offer(struct call *call, const struct leg_event *said)
{
	if (!said->sdp) {
		/* late offer: the called side will make it (RFC 3264 4) */
		call->is_late = true;
		return OUT_OK;
	}

	call->offer = mbuf_alloc(said->sdp_len);
	if (!call->offer)
		return OUT_LIMIT_NODE;
	(void)mbuf_write_mem(call->offer, said->sdp, said->sdp_len);

	return call_media_open(call, said->sdp, said->sdp_len);
}


/* A trunk whose channels are all in use is busy. There are only so many
   forwards, and each decision URL is asked once. */
enum outcome call_take_limits(struct call *call)
{
	enum outcome out;

	while (OUT_OK != (out = call_limit_take(call))) {
		out = call_elsewhere(call, out);
		if (out != OUT_OK)
			break;
	}

	return out;
}


static enum outcome admit(struct call *call, const struct leg_event *said)
{
	enum outcome out = check_node(call);

	if (out == OUT_OK)
		out = check_request(call, said->msg);
	if (out == OUT_OK)
		out = call_dialled(call);
	if (out == OUT_OK)
		out = call_limit_from(call);
	if (out == OUT_OK)
		out = call_calling(call);
	if (out == OUT_OK)
		out = call_lists(call);
	if (out == OUT_OK)
		out = call->trunk ? route_out(call) : route_in(call);
	if (out == OUT_OK)
		out = keep_offer(call, said);
	if (out == OUT_OK)
		out = call_take_limits(call);

	return out;
}


/* What the decision costs, seen from outside: no part of it. */
static enum outcome admit_metered(struct call *call,
				  const struct leg_event *said)
{
	const struct worker *w = call->w;
	const uint64_t began = w->doors.cpuh ? w->doors.cpuh(w->doors.arg) : 0;
	const enum outcome out = admit(call, said);

	if (began && !call->is_test)
		metric_observe(w->metrics.admit, 1e-9 *
			       (double)(w->doors.cpuh(w->doors.arg) - began));

	return out;
}


void act_admit(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	const enum outcome out = admit_metered(call, ev->said);

	call_event_started(call);
	if (call->is_emergency && !call->is_test)
		call_emergency_alarm(call);
	if (out == OUT_OK && call_journal(call, JOURNAL_BEGIN) &&
	    !call->is_emergency) {
		call_post(call, EV_REFUSED, journal_outcome(call->w));
		return;
	}
	if (out != OUT_OK) {
		call_post(call, EV_REFUSED, out);
		return;
	}

	if (call->total_timeout_s)
		wheel_start(call->w->wheel, &call->total,
			    (uint64_t)call->total_timeout_s * 1000,
			    call_total_over, call);
	if (call->asking.url) {
		call_post(call, EV_ASK, OUT_OK);
		return;
	}

	call_ring_start(call);
	call_fund_first(call);
}
