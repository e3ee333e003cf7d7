/**
 * @file strategy.c  See strategy.h. The candidates of a route, as an array of
 * pointers in the route's order, are marked, sorted by keys of the strategy
 * and drawn where these are equal.
 */
#include <stddef.h>
#include <string.h>
#include "catalog_rate.h"
#include "margin.h"
#include "strategy.h"
#include "strategy_draw.h"

#define STEP_PCT 5        /* of ASR and short calls */
#define PDD_STEPS 99

enum drop {
	DROP_NOT, DROP_INACTIVE, DROP_DOWN, DROP_LOCKED, DROP_BLOCKED,
	DROP_NOT_ONLY, DROP_TAGS, DROP_NO_RATE, DROP_RATE_BLOCKED,
	DROP_COST_UNKNOWN, DROP_NO_MARGIN, DROP_ATTEMPTS,
};

static const struct {
	const char *name;
	enum outcome outcome;
} drops[] = {
	[DROP_NOT] = {"", OUT_OK},
	[DROP_INACTIVE] = {"inactive", OUT_B_DOWN},
	[DROP_DOWN] = {"down", OUT_B_DOWN},
	[DROP_LOCKED] = {"locked", OUT_B_DOWN},
	[DROP_BLOCKED] = {"blocked", OUT_NO_ROUTE},
	[DROP_NOT_ONLY] = {"not_exclusive", OUT_NO_ROUTE},
	[DROP_TAGS] = {"tags", OUT_NO_ROUTE},
	[DROP_NO_RATE] = {"no_rate", OUT_NO_ROUTE},
	[DROP_RATE_BLOCKED] = {"rate_blocked", OUT_NO_ROUTE},
	[DROP_COST_UNKNOWN] = {"cost_unknown", OUT_NO_MARGIN},
	[DROP_NO_MARGIN] = {"no_margin", OUT_NO_MARGIN},
	[DROP_ATTEMPTS] = {"max_attempts", OUT_NONE},
};

/** A decision while it is made. */
struct choice {
	const struct route *route;
	const struct strategy_call *call;
	struct candidate all[ROUTE_GATEWAYS_MAX];
	struct candidate *order[ROUTE_GATEWAYS_MAX]; /**< kept ones first  */
	size_t kept;
	int64_t sell_nano;
	uint8_t strategy;
};


/* --- who is kept */

static const struct carrier_rule *rule_of(const struct carrier_rules *rules,
					  const struct carrier *carrier)
{
	size_t lo = 0, hi = rules->n;

	while (lo < hi) {
		const size_t mid = (lo + hi) / 2;

		if (rules->rules[mid].carrier < carrier)
			lo = mid + 1;
		else
			hi = mid;
	}

	return lo < rules->n && rules->rules[lo].carrier == carrier
		       ? &rules->rules[lo] : NULL;
}


static uint8_t rules_test(const struct carrier_rules *rules,
			  const struct carrier *carrier)
{
	const struct carrier_rule *rule;

	if (!rules->n)
		return DROP_NOT;

	rule = rule_of(rules, carrier);
	if (rule && !rule->is_only)
		return DROP_BLOCKED;

	return rules->has_only && !rule ? DROP_NOT_ONLY : DROP_NOT;
}


static uint8_t customer_test(const struct trunk *trunk,
			     const struct tag_set *tags,
			     const struct gateway *gw)
{
	uint8_t drop;

	if (!tag_set_has(tags, &gw->tags))
		return DROP_TAGS;
	if (!trunk)
		return DROP_NOT;

	drop = rules_test(&trunk->carriers, gw->carrier);

	return drop ? drop : rules_test(&trunk->tenant->carriers, gw->carrier);
}


bool strategy_serves(const struct gateway *gw, const struct trunk *trunk,
		     const struct tag_set *tags)
{
	return customer_test(trunk, tags, gw) == DROP_NOT;
}


static bool is_by_cost(uint8_t strategy)
{
	return strategy == STRATEGY_LCR || strategy == STRATEGY_LCR_PRIORITY ||
	       strategy == STRATEGY_PRIORITY_LCR ||
	       strategy == STRATEGY_QUALITY_LCR;
}


/* A carrier with a deck that lacks the number does not take it, where costs
   matter; one without a deck may. */
static uint8_t cost_test(const struct choice *ch, const struct candidate *c)
{
	const struct strategy_call *call = ch->call;
	const bool is_tested = call->sell && margin_is_tested(call->plan);

	if (c->price.is_blocked)
		return DROP_RATE_BLOCKED;
	if (c->has_deck && !c->price.tariff &&
	    (is_tested || is_by_cost(ch->strategy)))
		return DROP_NO_RATE;
	if (!is_tested)
		return DROP_NOT;
	if (c->cost_nano == COST_UNKNOWN)
		return DROP_COST_UNKNOWN;

	return margin_is_kept(call->plan, ch->sell_nano, c->cost_nano)
		       ? DROP_NOT : DROP_NO_MARGIN;
}


static uint8_t candidate_test(const struct choice *ch,
			      const struct candidate *c)
{
	const struct gateway *gw = c->target->gateway;
	uint8_t drop;

	if (!gw->is_active || !gw->carrier->is_active)
		return DROP_INACTIVE;
	if (ch->call->is_emergency)
		return DROP_NOT;

	drop = customer_test(ch->call->trunk, ch->call->tags, gw);
	if (!drop && ch->call->plan)
		drop = cost_test(ch, c);

	return drop;
}


/* --- what is known of each */

/* Decks that calls from this number are looked up in first; what they lack
   is in those of the route. @return are there any? */
static bool origins_read(const struct choice *ch, const struct deck **decks)
{
	const struct strategy_call *call = ch->call;
	const struct route *r = ch->route;
	bool has_any = false;

	for (uint16_t i = 0; i < r->deck_n; i++) {
		decks[i] = call->cat && call->calling
			? catalog_origin_deck(call->cat, r->decks[i],
					      call->calling)
			: NULL;
		has_any = has_any || decks[i];
	}

	return has_any;
}


static void prices_read(struct choice *ch)
{
	const struct strategy_call *call = ch->call;
	const struct route *r = ch->route;
	struct deck_price prices[ROUTE_GATEWAYS_MAX];
	struct deck_price others[ROUTE_GATEWAYS_MAX];
	const struct deck *decks[ROUTE_GATEWAYS_MAX];
	bool has_origins;

	if (!call->plan)
		return;

	deck_find_many(r->decks, r->deck_n, call->digits, call->wall_ms,
		       prices);
	has_origins = origins_read(ch, decks);
	if (has_origins)
		deck_find_many(decks, r->deck_n, call->digits, call->wall_ms,
			       others);
	for (uint16_t i = 0; i < r->target_n; i++) {
		struct candidate *c = &ch->all[i];
		const uint16_t at = c->target->deck;

		if (at == DECK_NONE)
			continue;
		c->has_deck = true;
		c->price = has_origins && others[at].tariff ? others[at]
							    : prices[at];
		c->cost_nano = margin_cost_nano(
			call->cat,
			has_origins && others[at].tariff ? decks[at]
							 : r->decks[at],
			&c->price, call->currency, call->wall_ms);
	}
}


static int64_t quality_key(const struct quality_figures *f)
{
	const int32_t asr = f->has_enough ? f->asr : 100;
	const int32_t shorts = f->has_enough && f->short_pct > 0
				       ? f->short_pct : 0;
	int32_t pdd = f->has_enough && f->pdd_ms > 0 ? f->pdd_ms / 1000 : 0;

	if (pdd > PDD_STEPS)
		pdd = PDD_STEPS;

	return ((100 - asr) / STEP_PCT * 100 + shorts / STEP_PCT) *
		       (PDD_STEPS + 1) + pdd;
}


/* Without limits nothing locks it, and what was locked by them is free. */
static bool is_watched(const struct quality_limits *q)
{
	return q->asr_min >= 0 || q->acd_min_s >= 0 || q->pdd_max_ms >= 0 ||
	       q->short_max >= 0;
}


static void health_read(const struct choice *ch, struct candidate *c)
{
	const struct strategy_call *call = ch->call;
	const struct gateway *gw = c->target->gateway;

	c->is_down = call->uph && !call->uph(gw, call->arg);
	if (!call->quality)
		return;

	if (is_watched(&gw->quality))
		c->is_locked = !quality_is_open(call->quality, gw,
						call->now_ms);
	if (ch->strategy != STRATEGY_QUALITY &&
	    ch->strategy != STRATEGY_QUALITY_LCR)
		return;

	quality_read(call->quality, gw, call->now_ms, &c->figures);
	c->quality = quality_key(&c->figures);
}


/* --- the order */

static void keys_set(const struct choice *ch, struct candidate *c)
{
	const int64_t priority = c->target->priority;

	c->keys[0] = c->keys[1] = 0;
	switch (ch->strategy) {

	case STRATEGY_WEIGHT:
		break;
	case STRATEGY_LCR:
		c->keys[0] = c->cost_nano;
		break;
	case STRATEGY_LCR_PRIORITY:
		c->keys[0] = c->cost_nano;
		c->keys[1] = priority;
		break;
	case STRATEGY_PRIORITY_LCR:
		c->keys[0] = priority;
		c->keys[1] = c->cost_nano;
		break;
	case STRATEGY_QUALITY:
		c->keys[0] = c->quality;
		c->keys[1] = priority;
		break;
	case STRATEGY_QUALITY_LCR:
		c->keys[0] = c->quality;
		c->keys[1] = c->cost_nano;
		break;
	default: /* priority, percentage */
		c->keys[0] = priority;
	}
}


/* Keep those that are neither down nor locked; when there are none, the locked
   ones, then the down ones: a wrong mark must not lose a call. */
static size_t healthy_keep(struct choice *ch, struct candidate **c, size_t n)
{
	uint8_t best = 2;
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		const uint8_t rank = c[i]->is_down ? 2 : c[i]->is_locked;

		if (rank < best)
			best = rank;
	}
	for (size_t i = 0; i < n; i++) {
		const uint8_t rank = c[i]->is_down ? 2 : c[i]->is_locked;

		if (rank <= best || ch->call->is_emergency)
			c[kept++] = c[i];
		else
			c[i]->drop = rank == 2 ? DROP_DOWN : DROP_LOCKED;
	}

	return kept;
}


static void candidates_read(struct choice *ch)
{
	const struct route *r = ch->route;

	for (uint16_t i = 0; i < r->target_n; i++) {
		struct candidate *c = &ch->all[i];

		memset(c, 0, offsetof(struct candidate, figures));
		c->figures.reason = NULL;
		c->target = &r->targets[i];
		c->cost_nano = COST_UNKNOWN;
	}
	prices_read(ch);

	for (uint16_t i = 0; i < r->target_n; i++) {
		struct candidate *c = &ch->all[i];

		c->drop = candidate_test(ch, c);
		if (c->drop)
			continue;
		health_read(ch, c);
		keys_set(ch, c);
		ch->order[ch->kept++] = c;
	}
}


static uint8_t attempts_max(const struct choice *ch)
{
	const uint16_t route = ch->route->max_attempts;
	uint16_t max = route ? route : HUNT_MAX;

	if (ch->call->plan && ch->call->plan->max_attempts < max)
		max = ch->call->plan->max_attempts;

	return max < HUNT_MAX ? (uint8_t)max : HUNT_MAX;
}


/* --- notes */

static void note(struct why *why, const struct choice *ch,
		 const struct candidate *c, size_t place)
{
	const struct route_target *t = c->target;
	const bool has_cost = c->cost_nano != COST_UNKNOWN;
	struct why_fact facts[14] = {
		WHY_TEXT("carrier_id", t->gateway->carrier->id),
		WHY_TEXT("group_id", t->group ? t->group : ""),
		WHY_TEXT("dropped", drops[c->drop].name),
		WHY_COUNT("place", (int64_t)place),
		WHY_COUNT("priority", t->priority),
		WHY_COUNT("weight", t->weight),
	};
	size_t n = 6;

	if (has_cost)
		facts[n++] = (struct why_fact)WHY_COUNT("cost_nano",
							c->cost_nano);
	if (has_cost && ch->call->sell)
		facts[n++] = (struct why_fact)WHY_COUNT(
			"margin_nano", ch->sell_nano - c->cost_nano);
	if (c->is_down)
		facts[n++] = (struct why_fact)WHY_COUNT("is_down", 1);
	if (c->is_locked)
		facts[n++] = (struct why_fact)WHY_COUNT("is_locked", 1);
	if (c->figures.reason) {
		facts[n++] = (struct why_fact)WHY_COUNT("asr", c->figures.asr);
		facts[n++] = (struct why_fact)WHY_COUNT("acd_s",
							c->figures.acd_s);
		facts[n++] = (struct why_fact)WHY_COUNT("pdd_ms",
							c->figures.pdd_ms);
		facts[n++] = (struct why_fact)WHY_COUNT("samples",
							c->figures.attempts);
	}

	why_note(why, WHY_CANDIDATE,
		 c->drop ? drops[c->drop].outcome : OUT_OK, t->gateway->id,
		 facts, n);
}


static void notes(struct why *why, struct choice *ch, uint8_t tried)
{
	if (!why)
		return;

	for (size_t i = 0; i < ch->kept; i++) {
		if (i >= tried)
			ch->order[i]->drop = DROP_ATTEMPTS;
		note(why, ch, ch->order[i], i < tried ? i + 1 : 0);
	}
	for (uint16_t i = 0; i < ch->route->target_n; i++) {
		const struct candidate *c = &ch->all[i];

		if (c->drop && c->drop != DROP_ATTEMPTS)
			note(why, ch, c, 0);
	}
}


/* Nobody is left: what the operator could change comes first. */
static enum outcome nobody(const struct choice *ch)
{
	enum outcome out = OUT_B_DOWN;

	for (uint16_t i = 0; i < ch->route->target_n; i++) {
		const enum outcome o = drops[ch->all[i].drop].outcome;

		if (o == OUT_NO_MARGIN)
			return o;
		if (o == OUT_NO_ROUTE)
			out = o;
	}

	return out;
}


enum outcome strategy_choose(struct hunt *ret, const struct route *route,
			     const struct strategy_call *call,
			     struct rng *rng, struct why *why)
{
	struct choice ch;
	uint8_t max;

	ch.route = route;
	ch.call = call;
	ch.kept = 0;
	ch.sell_nano = call->sell ? price_minute_nano(call->sell)
				  : COST_UNKNOWN;
	ch.strategy = call->plan ? call->plan->strategy : STRATEGY_PRIORITY;
	max = attempts_max(&ch);

	candidates_read(&ch);
	ch.kept = healthy_keep(&ch, ch.order, ch.kept);
	strategy_order(ch.order, ch.kept, call->is_emergency, rng);
	if (ch.strategy == STRATEGY_PERCENTAGE)
		strategy_share(ch.order, ch.kept, rng);

	memset(ret, 0, sizeof(*ret));
	while (ret->n < ch.kept && ret->n < max) {
		ret->hops[ret->n] = ch.order[ret->n]->target->gateway;
		++ret->n;
	}
	notes(why, &ch, ret->n);

	return ret->n ? OUT_OK : nobody(&ch);
}


enum outcome strategy_test(const struct gateway *gw,
			   const struct strategy_call *call, struct why *why)
{
	const struct deck *deck = gw->carrier->deck;
	const struct deck *decks[2];
	struct deck_price found[2];
	int64_t cost_nano = COST_UNKNOWN, sell_nano;

	if (call->is_emergency || !call->sell ||
	    !margin_is_tested(call->plan))
		return OUT_OK;

	decks[0] = call->cat && call->calling && deck
		? catalog_origin_deck(call->cat, deck, call->calling) : NULL;
	decks[1] = deck;
	deck_find_many(decks, 2, call->digits, call->wall_ms, found);
	for (unsigned i = 0; i < 2; i++) {
		if (!found[i].tariff)
			continue;
		if (!found[i].is_blocked)
			cost_nano = margin_cost_nano(call->cat, decks[i],
						     &found[i],
						     call->currency,
						     call->wall_ms);
		break;
	}
	sell_nano = price_minute_nano(call->sell);
	if (margin_is_kept(call->plan, sell_nano, cost_nano))
		return OUT_OK;

	WHY(why, WHY_CANDIDATE, OUT_NO_MARGIN, gw->id,
	    WHY_TEXT("carrier_id", gw->carrier->id),
	    WHY_TEXT("dropped", cost_nano == COST_UNKNOWN ? "cost_unknown"
							  : "no_margin"),
	    WHY_COUNT("cost_nano",
		      cost_nano == COST_UNKNOWN ? -1 : cost_nano),
	    WHY_COUNT("sell_nano", sell_nano));

	return OUT_NO_MARGIN;
}
