/**
 * @file call_admit.c  One decision: may this call be, and where does it go?
 * Checks stand in the order in which their reasons should be told. Emergency
 * calls pass by every limit: no count and no balance may stand before them.
 */
#include <string.h>
#include "call_private.h"
#include "log.h"
#include "text.h"

#define CONTACTS_TRIED 4


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
	call->gateway = NULL;
	memset(&call->hunt, 0, sizeof(call->hunt));
}


static enum outcome check_node(const struct call *call)
{
	const struct worker *w = call->w;

	if (call->is_emergency)
		return OUT_OK;
	if (w->is_draining || htab_count(w->calls) > w->cfg.calls_max)
		return OUT_LIMIT_NODE;
	if (!w->doors.healthyh(w->doors.arg))
		return OUT_JOURNAL_DOWN;

	return OUT_OK;
}


static enum outcome check_request(struct call *call,
				  const struct sip_msg *invite)
{
	const struct pl require = message_header(invite, "Require");

	if (call->max_forwards == 0)
		return OUT_TOO_MANY_HOPS;
	if (!require.l)
		return OUT_OK;

	/* nothing crosses any more: the room serves the refusal */
	if (re_snprintf(call->headers, sizeof(call->headers),
			"Unsupported: %r\r\n", &require) < 0)
		call->headers[0] = '\0';

	return OUT_BAD_EXTENSION;
}


static void note_limit(struct call *call, const char *id)
{
	(void)text_copy(call->limit_hit, sizeof(call->limit_hit), id);
}


/* A channel of a trunk: out from the PBX, in towards it. */
static enum outcome take_trunk(struct call *call, struct channel_hold *hold,
			       const struct trunk *trunk,
			       enum channel_dir dir)
{
	const struct channel_limits limits = {
		.in = trunk->channels_in,
		.out = trunk->channels_out,
		.total = trunk->channels_total,
		.cps = dir == CHANNEL_OUT ? trunk->cps : -1,
	};
	const enum outcome out =
		channel_take(call->w->channels, hold, trunk->id, dir,
			     call->is_emergency ? NULL : &limits,
			     &call->w->now, call->id);

	if (out != OUT_OK)
		note_limit(call, trunk->id);

	return out;
}


enum outcome call_take_gateway(struct call *call, struct channel_hold *hold,
			       const struct gateway *gw,
			       enum channel_dir dir)
{
	const struct channel_limits limits = {
		.in = -1, .out = -1, .total = gw->channels, .cps = gw->cps,
	};
	const enum outcome out =
		channel_take(call->w->channels, hold, gw->id, dir,
			     call->is_emergency ? NULL : &limits,
			     &call->w->now, call->id);

	if (out != OUT_OK)
		note_limit(call, gw->id);

	return out;
}


static bool is_up(const struct gateway *gw, void *arg)
{
	const struct worker *w = arg;

	return ping_is_up(w->ping, gw);
}


static enum outcome route_to(struct call *call, const struct route *route)
{
	if (!route)
		return OUT_NO_ROUTE;

	TEXT_FILL(call->route_id, route->id);
	hunt_build(&call->hunt, route, call->w->rng, is_up, call->w);

	return call->hunt.n ? OUT_OK : OUT_B_DOWN;
}


/* Where the PBX of to_trunk can be reached: contacts, or its address. */
static int find_targets(struct call *call)
{
	const struct trunk *trunk = call->to_trunk;
	struct contact found[CONTACTS_TRIED];
	struct sa sa;
	size_t n;

	n = registrar_find(call->w->registrar, trunk->id, found,
			   CONTACTS_TRIED);
	if (!n && !trunk->uri_host[0])
		return ENOENT;

	call->targets = mem_zalloc((n ? n : 1) * sizeof(*call->targets),
				   NULL);
	if (!call->targets)
		return ENOMEM;

	for (size_t i = 0; i < n; i++) {
		struct target *t = &call->targets[call->target_n];

		/* its socket may be of an earlier start with more of them */
		if (worker_path(call->w, &found[i].path.peer, &t->path))
			continue;
		(void)text_copy(t->uri, sizeof(t->uri), found[i].uri);
		call->target_n++;
	}
	if (n)
		return call->target_n ? 0 : EAFNOSUPPORT;

	if (sa_set_str(&sa, trunk->uri_host,
		       trunk->uri_port ? trunk->uri_port : SIP_PORT) ||
	    worker_path(call->w, &sa, &call->targets[0].path))
		return EAFNOSUPPORT;
	call->target_n = 1;

	return 0;
}


/* The called number is a customer's: on-net, or the end of a call in. */
static enum outcome deliver(struct call *call, const struct did *did)
{
	const struct trunk *trunk = did->trunk;
	enum outcome out;

	if (!did->is_active || !trunk->is_active ||
	    !trunk->tenant->is_active)
		return OUT_NO_DID;
	if (trunk->direction == TRUNK_OUT)
		return OUT_NO_DID;

	call->to_trunk = trunk;
	TEXT_FILL(call->did_id, did->id);
	TEXT_FILL(call->to_trunk_id, trunk->id);
	if (call->kind == CALL_IN) {
		TEXT_FILL(call->tenant_id, trunk->tenant->id);
		TEXT_FILL(call->account_id, trunk->account->id);
		call->ring_timeout_s = trunk->ring_timeout_s;
		call->max_call_s = trunk->max_call_s;
		call->media_timeout_s = trunk->media_timeout_s;
	}

	out = take_trunk(call, &call->to_hold, trunk, CHANNEL_IN);
	if (out != OUT_OK)
		return out;

	return find_targets(call) ? OUT_NOT_REGISTERED : OUT_OK;
}


static enum outcome route_out(struct call *call)
{
	const struct trunk *trunk = call->trunk;
	const struct did *did;
	enum outcome out;

	if (call->is_emergency)
		return route_to(call, catalog_emergency(
					      call->cat,
					      call->called.received));

	if (trunk->direction == TRUNK_IN)
		return OUT_LIMIT_OUT;

	did = catalog_did(call->cat, call->called.e164);
	if (did) {
		call->kind = CALL_ONNET;
		out = call_price(call);
		return out == OUT_OK ? deliver(call, did) : out;
	}

	out = route_to(call, catalog_route(call->cat, call->called.e164,
					   trunk->tenant));

	return out == OUT_OK ? call_price(call) : out;
}


static enum outcome route_in(struct call *call)
{
	const struct did *did = catalog_did(call->cat, call->called.e164);
	const enum outcome out = call_take_gateway(
		call, &call->from_hold, call->gateway, CHANNEL_IN);

	if (out != OUT_OK)
		return out == OUT_LIMIT_CPS ? out : OUT_LIMIT_CARRIER;

	return did ? deliver(call, did) : OUT_NO_DID;
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


static enum outcome admit(struct call *call, const struct leg_event *said)
{
	enum outcome out = check_node(call);

	if (out == OUT_OK)
		out = check_request(call, said->msg);
	if (out == OUT_OK)
		out = call_dialled(call);
	if (out == OUT_OK && call->trunk)
		out = take_trunk(call, &call->from_hold, call->trunk,
				 CHANNEL_OUT);
	if (out == OUT_OK)
		out = call_calling(call);
	if (out == OUT_OK)
		out = call->trunk ? route_out(call) : route_in(call);
	if (out == OUT_OK)
		out = keep_offer(call, said);

	return out;
}


void act_admit(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	const enum outcome out = admit(call, ev->said);

	if (out == OUT_OK && call_journal(call, JOURNAL_BEGIN) &&
	    !call->is_emergency) {
		call_post(call, EV_REFUSED, OUT_JOURNAL_DOWN);
		return;
	}
	if (out != OUT_OK) {
		call_post(call, EV_REFUSED, out);
		return;
	}

	wheel_start(call->w->wheel, &call->phase,
		    (uint64_t)call->ring_timeout_s * 1000, call_ring_over,
		    call);
	call_fund_first(call);
}
