/**
 * @file call_route.c  Joins the call and the routing: its plan, the route that
 * takes it, the order of gateways; and what became of each attempt, for their
 * quality.
 */
#include "call_private.h"
#include "log.h"
#include "match.h"
#include "quality.h"
#include "text.h"
#include "worker_event.h"


static bool is_up(const struct gateway *gw, void *arg)
{
	const struct worker *w = arg;

	return ping_is_up(w->ping, gw);
}


/* What the strategy is told; wall_ms: whose prices hold. */
static struct strategy_call strategy_query(const struct call *call,
					   int64_t wall_ms)
{
	const struct money *m = call->payer;

	return (struct strategy_call){
		.plan = call->is_emergency ? NULL : call->plan,
		.trunk = call->trunk,
		.tags = &call->tags,
		.digits = call_number(call)[0] ? call_number(call) + 1
					       : call->called.received,
		.calling = call->calling.e164[0] ? call->calling.e164 + 1
						 : NULL,
		.cat = call->cat,
		.wall_ms = wall_ms,
		.now_ms = moment_ms(&call->w->now),
		/* before the first carrier is known there is no price to
		   hold its cost against: it is tested when it is dialled */
		.sell = m->is_sold && (!call->trunk || m->is_by_cost ||
				       call->trunk->rate_policy == RATE_FIXED ||
				       call->attempt_n)
				? &m->sell : NULL,
		.currency = m->is_sold ? m->currency : NULL,
		.is_emergency = call->is_emergency,
		.uph = is_up,
		.arg = call->w,
		.quality = call->w->quality,
	};
}


enum outcome call_route_to(struct call *call, const struct route *route)
{
	const struct strategy_call query =
		strategy_query(call, call->begun_wall_ms);

	if (!route) {
		why_note(call->why, WHY_PLAN, OUT_NO_ROUTE, NULL, NULL, 0);
		return OUT_NO_ROUTE;
	}

	TEXT_FILL(call->route_id, route->id);

	return strategy_choose(&call->hunt, route, &query, call->w->rng,
			       call->why);
}


enum outcome call_route(struct call *call)
{
	const struct trunk *trunk = call->trunk;
	const struct routing_plan *plan = match_plan(trunk);
	const struct match_query query = {
		.plan = plan,
		.tenant = trunk->tenant,
		.called = call->called.e164 + 1,
		.calling = call->calling.e164[0] ? call->calling.e164 + 1
						 : "",
		.tags = &call->tags,
		.wall_ms = call->begun_wall_ms,
	};
	const struct route *route;
	enum outcome out;

	if (circle_is(call->w->circles, call->called.e164, call->calling.e164,
		    trunk->tenant->id, &call->a_path.peer)) {
		WHY(call->why, WHY_PLAN, OUT_LOOP, NULL,
		    WHY_TEXT("called", call->called.e164),
		    WHY_TEXT("calling", call->calling.e164));
		return OUT_LOOP;
	}

	call->plan = plan;
	if (plan) {
		TEXT_FILL(call->plan_id, plan->id);
		tag_set_join(&call->tags, &plan->tags);
		if (plan->total_timeout_s)
			call->total_timeout_s = plan->total_timeout_s;
	}

	route = match_route(call->cat, &query, call->why);
	if (!route)
		return OUT_NO_ROUTE;

	/* the margin is of a price: that comes first, unless it is made of the
	   first carrier's cost */
	out = trunk->rate_policy == RATE_COST_PLUS ? OUT_OK
						   : call_price(call);
	if (out == OUT_OK)
		out = call_route_to(call, route);
	if (out == OUT_OK && trunk->rate_policy != RATE_FIXED)
		out = call_price_by_cost(call, call->hunt.hops[0]);

	return out;
}


enum outcome call_margin(const struct call *call, const struct gateway *gw)
{
	const struct strategy_call query =
		strategy_query(call, moment_wall_ms(&call->w->now));

	return strategy_test(gw, &query, call->why);
}


void call_mark_loop(struct call *call, const struct gateway *gw)
{
	const char *number = call->is_emergency ? call->sos.number
						: call->called.e164;
	struct circle *e = &call->circle;

	TEXT_FILL(e->called, gw ? number : "");
	TEXT_FILL(e->calling, call->calling.e164);
	TEXT_FILL(e->tenant_id, call->tenant_id);
	if (gw)
		e->peer = gw->addr;
	e->hops = call->hops;
	e->is_emergency = call->is_emergency;
	if (text_copy(e->call_id, sizeof(e->call_id),
		      call_attempt(call)->b_call_id))
		e->call_id[0] = '\0';
	circle_enter(call->w->circles, e);
}


void call_read_hops(struct call *call, const struct pl *call_id)
{
	const struct circle *e = circle_of(call->w->circles, call_id->p,
					   call_id->l);

	if (!e)
		return;

	call->hops = e->hops < UINT8_MAX ? e->hops + 1 : e->hops;
	call->is_back = e->is_emergency;
}


void call_judge_attempt(struct call *call, bool is_answered)
{
	struct attempt *a = call_attempt(call);
	const struct gateway *gw;

	if (!a || a->is_judged || !a->gateway_id[0] || !call->cat ||
	    call->is_test)
		return;

	a->is_judged = true;
	gw = catalog_gateway(call->cat, a->gateway_id);
	if (gw)
		quality_attempted(call->w->quality, gw, &call->w->now,
				  is_answered,
				  a->ringing_ms ? (int64_t)(a->ringing_ms -
							    a->begun_ms)
						: -1);
}


void call_judge_talk(const struct call *call)
{
	const struct attempt *a = call_attempt(call);

	if (call->answered_ms && a && a->gateway_id[0])
		quality_talked(call->w->quality, a->gateway_id, &call->w->now,
			       call_duration_ms(call));
}


void worker_quality_changed(const char *gateway_id, bool is_open,
			    const struct quality_figures *f, void *arg)
{
	struct worker *w = arg;
	const struct gateway *gw =
		w->cat ? catalog_gateway(w->cat, gateway_id) : NULL;
	struct event ev;

	log_event(is_open ? LOG_INFO : LOG_WARN, "carrier",
		  is_open ? "quality_back" : "quality_locked",
		  "gateway=%s reason=%s attempts=%u asr=%d acd_s=%d pdd_ms=%d "
		  "short_pct=%d",
		  gateway_id, f->reason, f->attempts, f->asr, f->acd_s,
		  f->pdd_ms, f->short_pct);

	event_init(&ev, is_open ? EVENT_CARRIER_UP : EVENT_CARRIER_DOWN,
		   moment_wall_ms(&w->now), NULL, gateway_id);
	if (gw)
		event_text(&ev, "carrier_id", gw->carrier->id);
	event_text(&ev, "why", is_open ? "quality" : f->reason);
	worker_emit(w, &ev);
}
