/**
 * @file call.c  Birth and death of a call, and the way of every event into
 * its table: leg handlers and timers only name what happened.
 */
#include <string.h>
#include "call_private.h"
#include "hide.h"
#include "log.h"
#include "text.h"


static void call_destructor(void *arg)
{
	struct call *call = arg;
	struct worker *w = call->w;

	list_unlink(&call->le);
	list_unlink(&call->closing_le);
	htab_remove(w->calls, &call->node);

	for (int side = 0; side < SIDES; side++) {
		mem_deref(call->leg[side]);
		mem_deref(call->owner[side]);
	}

	call_give_back(call);
	call_unpin(call);
	mem_deref(call->known);
	mem_deref(call->attempts);
	mem_deref(call->money.packs);
	mem_deref(call->fees);
	mem_deref(call->targets);
	mem_deref(call->offer);
	mem_deref(call->early);
	mem_deref(call->reinvite.proposed);
	mem_deref(call->contacts);
	for (uint8_t i = 0; i < call->forward_n; i++)
		mem_deref(call->forwards[i]);
	mem_deref(call->preview);
	mem_deref(call->why);
}


enum side call_side(const struct call *call, const struct leg *leg)
{
	return leg == call->leg[SIDE_A] ? SIDE_A : SIDE_B;
}


void call_run(struct call *call, enum call_event_id ev,
	      const struct call_event *data)
{
	static const struct call_event nothing;
	struct worker *w = call->w;

	if (call->fsm.running) {
		/* A door answered at once: the event takes its turn. */
		call->posted = data ? *data : nothing;
		fsm_post(&call->fsm, ev, &call->posted);
		return;
	}

	mem_ref(call);
	if (fsm_run(&call->fsm, ev, data ? data : &nothing,
		    w->now.mono_us)) {
		w->ended++;
		metric_add(w->metrics.ended[call->outcome], 1);
		metric_shift(w->metrics.active, -1);
		mem_deref(call); /* the live list's reference */
	}
	mem_deref(call);
}


void call_post(struct call *call, enum call_event_id ev, enum outcome out)
{
	call->posted = (struct call_event){.outcome = out};
	fsm_post(&call->fsm, ev, &call->posted);
}


/* An operator's rule decided: kept for what the caller is told, and noted. */
static void rule_applied(struct call *call, const struct gateway *gw,
			 const struct disconnect *d)
{
	if (!d->rule)
		return;

	call_attempt(call)->rule = *d->rule;
	WHY(call->why, WHY_ATTEMPT, d->outcome, gw->disconnect->id,
	    WHY_COUNT(d->rule->is_q850 ? "rule_q850" : "rule_sip_code",
		      d->rule->code),
	    WHY_TEXT("action", d->is_next ? "next" : "stop"));
}


/* What a leg of the called side says, in the table's words. An emergency call
   is never stopped by a rule: only by what is built in. */
static enum call_event_id b_failed(struct call *call,
				   const struct leg_event *said,
				   enum outcome *ret_outcome)
{
	const struct gateway *gw = call_hop(call);
	struct disconnect d;

	disconnect_decide(&d, gw && !call->is_emergency ? gw->disconnect
							: NULL,
			  said->scode, said->err, said->q850);
	*ret_outcome = d.outcome;
	call_attempt_end(call, d.outcome, said->scode,
			 said->q850 ? said->q850
				    : outcome_row(d.outcome)->q850,
			 said->reason_header);
	call_health_failed(call, d.outcome, said->scode, said->err,
			   said->scode == 503 ? said->retry_after_s : 0);
	rule_applied(call, gw, &d);
	if (call->is_emergency && said->scode == 482)
		d.is_next = true; /* it came back to us: elsewhere it may not */
	if (gw && said->msg && said->scode / 100 == 3) {
		enum redirect_verdict v = call_redirect(call, gw, said->msg);

		if (v != REDIRECT_IS_FAILURE)
			d.is_next = v == REDIRECT_IS_NEXT;
	}

	return d.is_next ? EV_B_FAIL_NEXT : call_last_event(call, d.outcome);
}


static enum call_event_id shared_event(enum leg_event_id id)
{
	static const uint8_t map[LEG_EVENT_N] = {
		[LEG_OFFER] = EV_X_OFFER,
		[LEG_OFFER_ANSWERED] = EV_X_OFFER_OK,
		[LEG_OFFER_REFUSED] = EV_X_OFFER_FAIL,
		[LEG_OFFER_ACKED] = EV_X_OFFER_ACK,
		[LEG_OFFER_CANCELLED] = EV_X_OFFER_CANCEL,
		[LEG_ACK_LOST] = EV_X_ACK_LOST,
	};

	return map[id];
}


void call_leg_a(struct leg *leg, const struct leg_event *said, void *arg)
{
	struct call *call = arg;
	const struct call_event data = {.leg = leg, .said = said};
	enum call_event_id ev = shared_event(said->id);

	if (said->id == LEG_CANCELLED)
		ev = EV_A_CANCEL;
	else if (said->id == LEG_ACKED)
		ev = EV_A_ACK;
	else if (said->id == LEG_BYE)
		ev = EV_A_BYE;

	call_run(call, ev, &data);
}


void call_leg_b(struct leg *leg, const struct leg_event *said, void *arg)
{
	struct call *call = arg;
	struct call_event data = {.leg = leg, .said = said};
	enum call_event_id ev = shared_event(said->id);

	if (said->id == LEG_TRYING)
		ev = EV_B_TRYING;
	else if (said->id == LEG_PROGRESS)
		ev = EV_B_RINGING;
	else if (said->id == LEG_ANSWERED)
		ev = EV_B_ANSWER;
	else if (said->id == LEG_BYE)
		ev = EV_B_BYE;
	else if (said->id == LEG_FAILED)
		ev = b_failed(call, said, &data.outcome);

	call_run(call, ev, &data);
}


void call_ring_over(void *arg)
{
	const struct call_event data = {.outcome = OUT_B_NO_ANSWER};
	struct call *call = arg;
	const struct attempt *a = call_attempt(call);
	const bool is_called = call->fsm.state == CALL_DIALLING ||
			       call->fsm.state == CALL_PROCEEDING;
	enum call_event_id ev = is_called ? call_last_event(call, data.outcome)
					  : EV_T_RING;

	if (a && !a->ringing_ms && !a->ended_wall_ms)
		call_health_no_ring(arg);
	call_run(call, ev == EV_B_FAIL_LAST ? EV_T_RING : ev, &data);
}


void call_max_over(void *arg)
{
	const struct call *call = arg;
	const struct call_event data = {
		.outcome = call_is_cut(call) ? OUT_COST_CAP : OUT_MAX_DURATION,
	};

	call_run(arg, EV_T_MAX, &data);
}


void call_no_ring_over(void *arg)
{
	const struct call_event data = {.outcome = OUT_B_NO_RING};

	call_run(arg, EV_T_NO_RING, &data);
}


void call_total_over(void *arg)
{
	const struct call_event data = {.outcome = OUT_HUNT_TIMEOUT};

	call_run(arg, EV_T_TOTAL, &data);
}


void call_drop(struct call *call, enum outcome outcome)
{
	const struct call_event data = {.outcome = outcome};

	call_run(call, EV_ADMIN_DROP, &data);
}


static bool is_cut_off(const struct catalog *cat, const char *trunk_id)
{
	const struct trunk *trunk = catalog_trunk(cat, trunk_id);

	if (!trunk)
		return trunk_id[0]; /* deleted */

	return !trunk_is_usable(trunk) && trunk->on_suspend == SUSPEND_DROP;
}


void call_suspend(struct call *call, const struct catalog *cat)
{
	if (!call->is_emergency && (is_cut_off(cat, call->trunk_id) ||
				    is_cut_off(cat, call->to_trunk_id)))
		call_drop(call, OUT_SUSPENDED);
}


void call_journalled(struct call *call)
{
	call_run(call, EV_JOURNALLED, NULL);
}


uint64_t call_end_seq(const struct call *call)
{
	return call->end_seq;
}


/* Everything of the INVITE that outlives it. */
static void call_read(struct call *call, const struct sip_msg *msg,
		      const struct sip_path *path)
{
	const struct pl ua = message_header(msg, "User-Agent");
	uint64_t hops = 70;

	call->a_path = *path;
	call_read_hops(call, &msg->callid);
	(void)text_set(call->a_call_id, sizeof(call->a_call_id),
		       msg->callid.p, msg->callid.l);
	(void)text_set(call->a_user_agent, sizeof(call->a_user_agent),
		       ua.p ? ua.p : "", ua.l);
	if (msg->maxfwd.l)
		(void)text_u64(&hops, msg->maxfwd.p, msg->maxfwd.l, 255);
	call->max_forwards = (uint8_t)hops;
	(void)hide_headers(msg, call->headers, sizeof(call->headers));
}


static const char *known_by(const struct gate_verdict *who)
{
	if (who->credential)
		return who->trunk->auth == AUTH_ALL ? "address and digest"
						    : "digest";
	if (who->is_by_token)
		return "address and token";

	return who->tech_prefix_n ? "address and tech prefix" : "address";
}


static void note_who(struct call *call, const struct gate_verdict *who)
{
	char source[64] = "";

	if (!sa_is_any(&call->a_path.peer))
		(void)re_snprintf(source, sizeof(source), "%J",
				  &call->a_path.peer);
	WHY(call->why, WHY_IDENTITY,
	    who->action == GATE_REFUSE ? who->outcome : OUT_OK,
	    who->trunk ? who->trunk->id : who->gateway->id,
	    WHY_TEXT("by", source[0] ? known_by(who) : "name"),
	    WHY_TEXT("username",
		     who->credential ? who->credential->username : ""),
	    WHY_TEXT("source", source),
	    WHY_TEXT("name",
		     who->trunk ? who->trunk->name : who->gateway->name),
	    WHY_TEXT("site_id", who->site ? who->site->id : ""),
	    WHY_TEXT("tenant_id", who->trunk ? who->trunk->tenant->id : ""));
}


static void call_who(struct call *call, const struct gate_verdict *who)
{
	call->trunk = who->trunk;
	call->site = who->site;
	call->gateway = who->gateway;
	call->tech_prefix_n = who->tech_prefix_n;
	call->kind = who->trunk ? CALL_OUT : CALL_IN;

	if (who->trunk) {
		TEXT_FILL(call->trunk_id, who->trunk->id);
		tag_set_join(&call->tags, &who->trunk->tags);
		TEXT_FILL(call->tenant_id, who->trunk->tenant->id);
		TEXT_FILL(call->account_id, who->trunk->account->id);
		call->ring_timeout_s = who->trunk->ring_timeout_s;
		call->max_call_s = who->trunk->max_call_s;
		call->media_timeout_s = who->trunk->media_timeout_s;
		TEXT_FILL(call->site_id, who->site ? who->site->id : "");
		call->total_timeout_s = who->trunk->total_timeout_s;
	}
	if (who->gateway) {
		TEXT_FILL(call->from_gateway_id, who->gateway->id);
		TEXT_FILL(call->from_carrier_id, who->gateway->carrier->id);
	}
}


struct call *call_alloc(struct worker *w)
{
	struct call *call = mem_zalloc(sizeof(*call), call_destructor);

	if (!call)
		return NULL;

	call->w = w;
	call->books = (struct books){
		.channels = w->channels, .tallies = w->tallies,
		.dialed = w->dialed, .spends = w->spends, .funds = w->funds,
	};
	call->payer = &call->money;
	call->money.call = call;
	(void)why_alloc(&call->why);
	rng_uuid7(w->rng, moment_wall_ms(&w->now), call->id);
	fsm_init(&call->fsm, &call_def, call);
	call->begun_ms = moment_ms(&w->now);
	call->begun_wall_ms = moment_wall_ms(&w->now);
	for (int side = 0; side < SIDES; side++)
		call->origin[side].id = rng_u64(w->rng) >> 2;

	return call;
}


void call_begin(struct call *call, const struct sip_msg *invite,
		const struct sip_path *path, const struct gate_verdict *who)
{
	call_read(call, invite, path);
	call_who(call, who);
	note_who(call, who);
	call_pin(call);
	call_read_called(call, invite);
	call_read_calling(call, invite);
}


void call_decide(struct call *call, const struct sip_msg *invite,
		 const struct sip_path *path, const struct gate_verdict *who)
{
	struct leg_event said = {.msg = invite, .path = path};
	const struct call_event data = {.said = &said,
					.outcome = who->outcome};

	(void)message_sdp(invite, &said.sdp, &said.sdp_len);

	call_run(call, who->action == GATE_REFUSE && !call->is_emergency
			       ? EV_REFUSED : EV_A_INVITE, &data);
}


/* From here on it is found: by id, among the live ones, and by its owner. */
static int call_enter(struct call *call)
{
	struct worker *w = call->w;

	list_append(&w->live, &call->le, call);
	htab_insert(w->calls, &call->node,
		    htab_hash(w->calls, call->id, sizeof(call->id)), call);

	return call_own(call, SIDE_A) ? 0 : ENOMEM;
}


void call_birth(struct worker *w, const struct sip_msg *invite,
		const struct sip_path *path, const struct gate_verdict *who)
{
	struct call *call = call_alloc(w);
	char contact[64];
	int err = ENOMEM;

	if (!call || call_enter(call))
		goto out;

	call_begin(call, invite, path, who);
	worker_contact(w, path, contact, sizeof(contact));

	/* an observer hears of the call before its first message, 100 is its
	   second */
	call_tell_birth(call, invite, who);
	err = leg_accept(&call->leg[SIDE_A], w->ep, invite, path, contact,
			 call->owner[SIDE_A], call_leg_a, call);
	if (err) {
		call_tell(call, TAP_CALL_END);
		goto out;
	}

	w->begun++;
	metric_add(w->metrics.begun, 1);
	metric_shift(w->metrics.active, 1);
	call_decide(call, invite, path, who);
	return;

 out:
	if (err == EBADMSG)
		(void)endpoint_reply(w->ep, invite, path, 400, "Bad Request",
				     NULL);
	else
		(void)endpoint_reply(w->ep, invite, path, 503,
				     "Service Unavailable",
				     "Retry-After: 5\r\n");
	mem_deref(call);
}


void act_bury(void *subject, const void *data)
{
	(void)data;
	call_tell(subject, TAP_CALL_END);
}
