/**
 * @file plan_model.c  Routing plans, prices and rules of carriers as the seed
 * draws them, and what must never be dialled because of them. A call lives by
 * what was provisioned when it began; a carrier's price is that of the moment
 * of the attempt. Its own arithmetic, so that one mistake is not made on both
 * sides.
 */
#include "json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"
#include "text.h"
#include "wire.h"

#define MINUTE_MS 60000
#define ROUTE_ATTEMPTS 4      /* max_attempts of every route              */
#define FOLLOWED_MAX 3        /* contacts of 3xx in a call                */
#define FOREVER INT64_MAX
#define UNKNOWN INT64_MAX     /* what a call costs                        */
#define TERMS 3

enum { PLANS = 3, CARRIERS = 2, RULES = 2, PRICES = 24, STATES = 64,
       CALLS = 512, DIALS = 1024, FORWARDS = 5 };

enum which_deck { DECK_SELL, DECK_BUY_1, DECK_BUY_2, DECKS };

static const char *const deck_ids[DECKS] = {"dck_sell", "dck_buy",
					    "dck_other"};

/** What a minute costs, in a span of time. */
struct model_price {
	enum which_deck deck;
	const char *prefix;
	int64_t from_ms, to_ms;   /* wall */
	int64_t per_min_nano, fee_micro;
	uint32_t first_ms, next_ms;
	int terms;                /* trm_N; 0: none */
};

struct plan_row {
	const char *strategy;
	int max_attempts, total_timeout_s;
	int64_t margin_nano;      /* -1: none */
	int margin_percent;       /* -1: none */
};

/** A carrier is blocked for an owner, or one of its only ones. */
struct carrier_claim {
	const char *owner;
	int carrier;
	bool is_only;
};

/** All that is provisioned between two changes. */
struct state {
	struct plan_row plans[PLANS];
	struct carrier_claim rules[RULES];
	int rule_n;
	struct model_price prices[PRICES];
	int price_n;
	bool has_policy;          /* of gateway 4 */
	bool is_other_euro;       /* currency of DECK_BUY_2 */
};

/** An INVITE that went out to a carrier. */
struct dial {
	char call_id[128];
	int64_t wall_ms;
};

struct plan_model {
	struct world *w;
	struct rng *rng;          /* the script draws as it does without us */
	struct state states[STATES];
	int state_n;
	struct {
		char id[37];
		int state;
	} calls[CALLS];
	int call_n;
	struct dial dials[DIALS];
	int dial_n;
	uint64_t checked;
};


/* --- what is provisioned */

static uint32_t below(struct plan_model *m, uint32_t n)
{
	return rng_below(m->rng, n);
}


static void price_draw(struct plan_model *m, struct state *s, enum which_deck deck,
		       const char *prefix, int64_t from_ms, int64_t to_ms)
{
	static const uint32_t intervals[][2] = {
		{1000, 1000}, {60000, 60000}, {60000, 1000}, {6000, 6000},
		{30000, 6000}, {45000, 20000},
	};
	const uint32_t *ms = intervals[below(m, ARRAY_SIZE(intervals))];
	struct model_price *p = &s->prices[s->price_n++];

	*p = (struct model_price){
		.deck = deck,
		.prefix = prefix,
		.from_ms = from_ms,
		.to_ms = to_ms,
		/* we mostly sell for more than we buy */
		.per_min_nano = (below(m, 5) + (deck == DECK_SELL ? 2 : 0)) *
				12345000,
		.fee_micro = below(m, 3) * 2500,
		.first_ms = ms[0],
		.next_ms = ms[1],
		/* the margin of a plan is counted here without any */
		.terms = deck == DECK_SELL && !m->w->climate.has_plans
				 ? (int)below(m, TERMS + 1) : 0,
	};
}


/* One price for ever, or another one from some moment of the run on. */
static void prefix_draw(struct plan_model *m, struct state *s, enum which_deck deck,
			const char *prefix)
{
	const int64_t now_ms = m->w->now.wall_us / 1000;
	const int64_t at_ms = now_ms + 500 + below(m, 60000);

	if (below(m, 2)) {
		price_draw(m, s, deck, prefix, 0, FOREVER);
		return;
	}

	price_draw(m, s, deck, prefix, 0, at_ms);
	/* a carrier may cease to have a price */
	if (deck == DECK_SELL || below(m, 5))
		price_draw(m, s, deck, prefix, at_ms, FOREVER);
}


static void prices_draw(struct plan_model *m, struct state *s)
{
	s->price_n = 0;
	prefix_draw(m, s, DECK_SELL, "49");
	prefix_draw(m, s, DECK_SELL, "4930");
	prefix_draw(m, s, DECK_SELL, "44");
	prefix_draw(m, s, DECK_BUY_1, "49");
	prefix_draw(m, s, DECK_BUY_1, "4930");
	prefix_draw(m, s, DECK_BUY_2, "49");
	if (below(m, 3))
		prefix_draw(m, s, DECK_BUY_1, "44");
	if (below(m, 3))
		prefix_draw(m, s, DECK_BUY_2, "44");
}


static void plan_draw(struct plan_model *m, struct plan_row *p)
{
	static const char *const strategies[] = {
		"priority", "weight", "percentage", "lcr", "lcr_priority",
		"priority_lcr", "quality", "quality_lcr",
	};

	p->strategy = strategies[below(m, ARRAY_SIZE(strategies))];
	p->max_attempts = 1 + (int)below(m, 4);
	p->total_timeout_s = below(m, 3) ? 0 : 5 + (int)below(m, 15);
	p->margin_nano = below(m, 2) ? -1 : (int64_t)below(m, 3) * 12345000;
	p->margin_percent = below(m, 2) ? -1 : (int)below(m, 60);
}


static void rules_draw(struct plan_model *m, struct state *s)
{
	static const char *const owners[] = {"trk_1", "trk_2", "trk_3",
					     "ten_1", "ten_2"};

	s->rule_n = below(m, 3) ? 1 + (int)below(m, RULES) : 0;
	for (int i = 0; i < s->rule_n; i++)
		s->rules[i] = (struct carrier_claim){
			.owner = owners[below(m, ARRAY_SIZE(owners))],
			.carrier = (int)below(m, CARRIERS),
			.is_only = below(m, 2),
		};
	/* of one owner and carrier there is one row */
	if (s->rule_n == 2 && !strcmp(s->rules[0].owner, s->rules[1].owner) &&
	    s->rules[0].carrier == s->rules[1].carrier)
		s->rule_n = 1;
}


/* --- into the catalog */

static void put(struct world *w, const char *kind, const char *id,
		const char *fmt, ...)
{
	char text[700];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	catalog_model_row(w, kind, id, text);
}


static void plans_put(struct plan_model *m, const struct state *s)
{
	for (int i = 0; i < PLANS; i++) {
		const struct plan_row *p = &s->plans[i];
		char id[16], margin[80] = "";
		size_t n = 0;

		(void)snprintf(id, sizeof(id), "pln_%d", i + 1);
		if (p->margin_nano >= 0)
			n = (size_t)snprintf(margin, sizeof(margin),
					     ",\"margin_per_min_nano\":%lld",
					     (long long)p->margin_nano);
		if (p->margin_percent >= 0)
			(void)snprintf(margin + n, sizeof(margin) - n,
				       ",\"margin_percent\":%d",
				       p->margin_percent);
		put(m->w, "routing_plan", id,
		    "{\"name\":\"%s\",\"status\":\"active\",\"strategy\":"
		    "\"%s\",\"max_attempts\":%d,\"total_timeout_s\":%d,"
		    "\"tags\":[],\"number_lists\":[%s]%s}", id, p->strategy,
		    p->max_attempts, p->total_timeout_s,
		    i ? "" : "\"nls_1\",\"nls_2\",\"nls_3\"", margin);
	}
}


static void rules_put(struct plan_model *m, const struct state *s)
{
	for (int i = 0; i < RULES; i++) {
		const struct carrier_claim *r = &s->rules[i];
		char id[16];

		(void)snprintf(id, sizeof(id), "crl_%d", i + 1);
		if (i < s->rule_n)
			put(m->w, "carrier_rule", id,
			    "{\"%s_id\":\"%s\",\"carrier_id\":\"car_%d\","
			    "\"rule\":\"%s\"}",
			    r->owner[1] == 'r' ? "trunk" : "tenant", r->owner,
			    r->carrier + 1, r->is_only ? "only" : "blocked");
		else
			catalog_model_row(m->w, "carrier_rule", id, NULL);
	}
}


/* Open for some seconds of each few minutes, so that calls see it begin and
   end. */
static void schedule_put(struct plan_model *m)
{
	put(m->w, "schedule", "sch_1",
	    "{\"ranges\":[{\"days\":[\"mon\",\"tue\",\"wed\",\"thu\","
	    "\"fri\",\"sat\",\"sun\"],\"from\":\"00:00\",\"to\":\"12:00\"}],"
	    "\"holidays\":[],\"offsets\":[[0,%lld]]}",
	    /* noon of that zone comes in the run */
	    (long long)(43200 - m->w->now.wall_us / 1000000 % 86400 - 20 -
			below(m, 60)));
}


/* Any of a tier, a window, fees, free seconds and a cap. */
static void terms_put(struct plan_model *m)
{
	for (int i = 1; i <= TERMS; i++) {
		char tier[128] = "", window[128] = "", cap[64] = "", id[16];

		if (below(m, 2))
			(void)snprintf(tier, sizeof(tier),
				       "{\"from_s\":%u,\"percent_ppm\":%u%s}",
				       1 + below(m, 40),
				       below(m, 5) * 500000,
				       below(m, 2) ? ",\"increment_ms\":7000"
						   : "");
		if (below(m, 2))
			(void)snprintf(window, sizeof(window),
				       "{\"schedule_id\":\"sch_1\","
				       "\"rate_per_min_nano\":%u}",
				       below(m, 6) * 7777000);
		if (below(m, 2))
			(void)snprintf(cap, sizeof(cap), ",\"cap_micro\":%u,"
				       "\"cap_action\":\"%s\"",
				       3000 + below(m, 20000),
				       below(m, 2) ? "cut" : "free");
		(void)snprintf(id, sizeof(id), "trm_%d", i);
		put(m->w, "rate_terms", id,
		    "{\"tiers\":[%s],\"windows\":[%s],"
		    "\"attempt_fee_micro\":%u,\"minimum_micro\":%u,"
		    "\"free_ms\":%u%s}", tier, window,
		    below(m, 2) * below(m, 3000), below(m, 2) * below(m, 9000),
		    below(m, 2) * below(m, 20000), cap);
	}
}


static void deck_put(struct plan_model *m, const struct state *s,
		     enum which_deck deck)
{
	const bool is_euro = deck != DECK_BUY_2 || s->is_other_euro;

	put(m->w, "rate_deck", deck_ids[deck],
	    "{\"currency\":\"%s\",\"status\":\"active\",\"rounding_mode\":"
	    "\"half_even\",\"rounding_decimals\":4,\"rate_version\":%d}",
	    is_euro ? "EUR" : "USD", m->state_n);

	for (int i = 0; i < s->price_n; i++) {
		const struct model_price *p = &s->prices[i];
		struct rate rate = {
			.from_ms = p->from_ms,
			.to_ms = p->to_ms,
			.tariff = {p->per_min_nano, p->fee_micro, p->first_ms,
				   p->next_ms},
		};

		if (p->deck != deck)
			continue;
		if (p->terms)
			(void)snprintf(rate.terms, sizeof(rate.terms),
				       "trm_%d", p->terms);
		(void)text_copy(rate.prefix, sizeof(rate.prefix), p->prefix);
		(void)text_copy(rate.destination, sizeof(rate.destination),
				p->prefix);
		if (catalog_store_put_rate(m->w->store, deck_ids[deck],
					   &rate))
			world_fail(m->w, "catalog: rate %s of %s", p->prefix,
				   deck_ids[deck]);
	}
}


static void policy_put(struct plan_model *m, const struct state *s)
{
	catalog_model_row(m->w, "disconnect_policy", "dsp_1",
			  !s->has_policy ? NULL :
			  "{\"rules\":[{\"sip_code\":486,\"action\":\"next\"},"
			  "{\"sip_code\":500,\"action\":\"stop\","
			  "\"rewrite_code\":480,\"rewrite_reason\":\"Later\"},"
			  "{\"q850\":34,\"action\":\"stop\",\"pass_reason\":"
			  "true}]}");
}


static struct state *newest(struct plan_model *m)
{
	return &m->states[m->state_n - 1];
}


void plan_model_put(struct world *w)
{
	struct plan_model *m = w->plans;
	struct state *s = newest(m);

	plans_put(m, s);
	rules_put(m, s);
	policy_put(m, s);
	if (m->state_n == 1) {
		schedule_put(m);
		terms_put(m);
	}
	for (int d = 0; d < DECKS; d++)
		deck_put(m, s, (enum which_deck)d);
}


void plan_model_put_deck(struct world *w, const char *id)
{
	for (int d = 0; d < DECKS; d++)
		if (!strcmp(id, deck_ids[d]))
			deck_put(w->plans, newest(w->plans), (enum which_deck)d);
}


void plan_model_change(struct world *w, void *arg)
{
	static const char *const names[] = {"prices", "a plan", "rules",
					    "the policy"};
	struct plan_model *m = w->plans;
	const uint32_t what = below(m, ARRAY_SIZE(names));
	struct state *s;

	(void)arg;
	if (m->state_n == STATES)
		return;

	m->states[m->state_n] = m->states[m->state_n - 1];
	m->state_n++;
	s = newest(m);
	if (what == 0)
		prices_draw(m, s);
	else if (what == 1)
		plan_draw(m, &s->plans[below(m, PLANS)]);
	else if (what == 2)
		rules_draw(m, s);
	else
		s->has_policy = !s->has_policy;

	world_trace(w, "catalog: %s change", names[what]);
	plan_model_put(w);
	catalog_model_publish(w);
}


struct plan_model *plan_model_alloc(struct world *w)
{
	struct plan_model *m = calloc(1, sizeof(*m));
	struct state *s = &m->states[m->state_n++];

	m->w = w;
	if (rng_seeded(&m->rng, ~w->seed))
		world_fail(w, "no random numbers");
	prices_draw(m, s);
	for (int i = 0; i < PLANS; i++)
		plan_draw(m, &s->plans[i]);
	rules_draw(m, s);
	s->has_policy = true;
	s->is_other_euro = below(m, 4);

	return m;
}


void plan_model_free(struct plan_model *m)
{
	if (m)
		mem_deref(m->rng);
	free(m);
}


uint64_t plan_model_checked(const struct plan_model *m)
{
	return m->checked;
}


/* --- what happens */

void plan_model_begun(struct world *w, const char *call_id)
{
	struct plan_model *m = w->plans;

	if (m->call_n == CALLS)
		return;
	(void)text_copy(m->calls[m->call_n].id, sizeof(m->calls[0].id),
			call_id);
	m->calls[m->call_n++].state = m->state_n - 1;
}


static const struct dial *dial_find(const struct plan_model *m,
				    const char *call_id)
{
	for (int i = 0; i < m->dial_n; i++)
		if (!strcmp(m->dials[i].call_id, call_id))
			return &m->dials[i];

	return NULL;
}


void plan_model_dialled(struct world *w, const struct wire *invite)
{
	struct plan_model *m = w->plans;

	/* the first one counts: what follows is repeated, or authorized */
	if (m->dial_n == DIALS || dial_find(m, invite->call_id))
		return;
	(void)text_copy(m->dials[m->dial_n].call_id,
			sizeof(m->dials[0].call_id), invite->call_id);
	m->dials[m->dial_n++].wall_ms = w->now.wall_us / 1000;
}


static const struct state *state_of(const struct plan_model *m,
				    const uint8_t call_id[16])
{
	char id[37];

	uuid_format(id, call_id);
	for (int i = 0; i < m->call_n; i++)
		if (!strcmp(m->calls[i].id, id))
			return &m->states[m->calls[i].state];

	return NULL;
}


/* --- what must not be */

/** The attempts of one payer: of the caller, then of each who forwards. */
struct part {
	const struct state *state;
	const char *trunk;
	int plan;                 /* of the state; -1: none */
	int attempts, followed;
	bool is_stopped;          /* by the policy of gateway 4 */
};


static int64_t minute_nano(const struct model_price *p)
{
	int64_t billed_ms = p->first_ms;

	while (billed_ms < MINUTE_MS)
		billed_ms += p->next_ms;

	return p->per_min_nano * billed_ms / MINUTE_MS + p->fee_micro * 1000;
}


static int64_t price_of(const struct state *s, enum which_deck deck,
			const char *number, int64_t wall_ms)
{
	const struct model_price *best = NULL;

	for (int i = 0; i < s->price_n; i++) {
		const struct model_price *p = &s->prices[i];
		const size_t n = strlen(p->prefix);

		if (p->deck == deck && wall_ms >= p->from_ms &&
		    wall_ms < p->to_ms && !strncmp(number + 1, p->prefix, n) &&
		    (!best || n > strlen(best->prefix)))
			best = p;
	}

	return best ? minute_nano(best) : UNKNOWN;
}


static const char *tenant_of(const char *trunk)
{
	return strcmp(trunk, "trk_2") ? "ten_1" : "ten_2";
}


static void check_carrier(struct world *w, const struct part *p,
			  const char *owner, int carrier)
{
	bool has_only = false, is_only = false;

	for (int i = 0; i < p->state->rule_n; i++) {
		const struct carrier_claim *r = &p->state->rules[i];

		if (strcmp(r->owner, owner) != 0)
			continue;
		if (!r->is_only && r->carrier == carrier)
			world_fail(w, "%s: carrier %d is blocked for it",
				   owner, carrier + 1);
		has_only |= r->is_only;
		is_only |= r->is_only && r->carrier == carrier;
	}
	if (has_only && !is_only)
		world_fail(w, "%s: carrier %d is none of its only ones",
			   owner, carrier + 1);
}


static void check_margin(struct world *w, const struct part *p, int carrier,
			 const char *number, int64_t begun_ms,
			 int64_t dialled_ms)
{
	const struct plan_row *plan = &p->state->plans[p->plan];
	const bool is_known = !carrier || p->state->is_other_euro;
	const int64_t sell = price_of(p->state, DECK_SELL, number, begun_ms);
	const int64_t cost =
		is_known ? price_of(p->state,
				    carrier ? DECK_BUY_2 : DECK_BUY_1, number,
				    dialled_ms)
			 : UNKNOWN;

	if (plan->margin_nano < 0 && plan->margin_percent < 0)
		return;
	w->plans->checked++;
	if (cost == UNKNOWN || sell == UNKNOWN) {
		world_fail(w, "%s: dialled at a price that nobody knows",
			   number);
		return;
	}
	if ((plan->margin_nano >= 0 && sell - cost < plan->margin_nano) ||
	    (plan->margin_percent >= 0 &&
	     (sell - cost) * 100 < sell * plan->margin_percent))
		world_fail(w, "%s: sold at %lld, dialled at %lld, below %lld "
			      "and %d %%", number, (long long)sell,
			   (long long)cost, (long long)plan->margin_nano,
			   plan->margin_percent);
}


/* Denied by a list of plan 1, or rewritten by another. */
static void check_lists(struct world *w, const struct part *p,
			const char *number)
{
	if (p->plan == 0 && (!strcmp(number, "+4930556") ||
			     !strncmp(number, "+49171", 6)))
		world_fail(w, "%s is dialled past the lists of the plan",
			   number);
}


static void check_attempt(struct world *w, struct part *p,
			  const struct cdr *call, const struct cdr *a)
{
	/* gateways 4 and 5 are carrier 1's, 6 and 7 the other's */
	const int carrier = a->gateway_id[4] >= '6';
	const struct dial *dial = dial_find(w->plans, a->b_call_id);
	const bool is_full = w->plans->dial_n == DIALS;

	if (p->is_stopped)
		world_fail(w, "%s is tried after the policy stopped the hunt",
			   a->gateway_id);
	check_carrier(w, p, p->trunk, carrier);
	check_carrier(w, p, tenant_of(p->trunk), carrier);
	p->attempts++;
	if (!a->b_call_id[0] || p->plan < 0)
		return;

	check_lists(w, p, a->called_sent);
	if (dial)
		check_margin(w, p, carrier, a->called_sent, call->started_at,
			     dial->wall_ms);
	else if (!is_full)
		world_fail(w, "an attempt that nobody saw");
}


static void check_part(struct world *w, const struct part *p)
{
	int most = ROUTE_ATTEMPTS;

	if (p->plan >= 0 && p->state->plans[p->plan].max_attempts < most)
		most = p->state->plans[p->plan].max_attempts;
	if (p->followed > FOLLOWED_MAX)
		most += FOLLOWED_MAX;
	else
		most += p->followed;
	if (p->attempts > most)
		world_fail(w, "%s: %d attempts, at most %d may be", p->trunk,
			   p->attempts, most);
}


/* --- who pays for which attempts */

/** The trunks that a call came to: the first that forwarded, then where each
 *  forward led. "": to the network. */
struct chain {
	json_t *notes;            /* of the decision; NULL: not there */
	size_t next;
	const char *at[FORWARDS + 1];
};


static const char *owner_of(const char *number)
{
	static const char *const owners[][2] = {
		{"+4930100", "trk_1"}, {"+4930200", "trk_2"},
		{"+4930300", "trk_3"}, {"+4930400", "trk_1"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(owners); i++)
		if (!strcmp(owners[i][0], number))
			return owners[i][1];

	return "";
}


static const char *fact(const json_t *note, const char *name)
{
	const char *text = json_string_value(json_object_get(note, name));

	return text ? text : "";
}


static const json_t *next_forward(struct chain *c)
{
	while (c->next < json_array_size(c->notes)) {
		const json_t *note = json_array_get(c->notes, c->next++);

		if (!strcmp(fact(note, "step"), "forward") &&
		    !strcmp(fact(note, "outcome"), "ok"))
			return note;
	}

	return NULL;
}


/* A forward may take the place of earlier ones: "forwards" says how many are
   in force with it. @return who forwards; NULL: the notes do not tell */
static const char *forward_by(struct chain *c)
{
	const json_t *note = next_forward(c);
	const json_int_t n = json_integer_value(json_object_get(note,
								"forwards"));
	const char *trunk = fact(note, "to_trunk_id");

	if (!note || n < 1 || n > FORWARDS)
		return NULL;

	if (n == 1)
		c->at[0] = owner_of(fact(note, "from"));
	c->at[n] = trunk[0] ? trunk : owner_of(fact(note, "to_number"));

	return c->at[n - 1] && c->at[n - 1][0] ? c->at[n - 1] : NULL;
}


static void part_begin(struct world *w, struct part *p, const char *trunk)
{
	p->trunk = trunk;
	p->plan = w->climate.has_plans ? trunk[4] - '1' : -1;
	p->attempts = p->followed = 0;
	p->is_stopped = false;
}


/* What a failure of gateway 4 leads to: its redirects are followed, the policy
   may end the hunt. The cause stands before the code. */
static void attempt_over(struct part *p, const struct cdr *a)
{
	if (strcmp(a->gateway_id, "gwy_4") != 0 || a->sip_code == CDR_NULL)
		return;

	if (a->sip_code < 400)
		p->followed += a->sip_code >= 300;
	else if (p->state->has_policy &&
		 (a->q850 == 34 || a->sip_code == 500))
		p->is_stopped = true;
}


static void check_parts(struct world *w, struct part *part, struct chain *c,
			const struct cdr_call *call)
{
	part_begin(w, part, call->call.trunk_id);
	for (uint32_t i = 0; i < call->attempt_n; i++) {
		const struct cdr *a = &call->attempts[i];
		const char *by;

		if (!strncmp(a->reason_received, "forward;", 8)) {
			check_part(w, part);
			by = forward_by(c);
			if (!by)
				return; /* notes that did not fit */
			part_begin(w, part, by);
		}
		else if (a->gateway_id[0]) {
			check_attempt(w, part, &call->call, a);
			attempt_over(part, a);
		}
	}
	check_part(w, part);
}


void plan_model_check(struct world *w, const struct cdr_call *call)
{
	struct part part = {.state = state_of(w->plans, call->call.call_id)};
	struct chain chain = {.notes = NULL};

	if (!part.state || call->call.is_emergency)
		return;

	if (call->why)
		chain.notes = json_loads(call->why, 0, NULL);
	check_parts(w, &part, &chain, call);
	json_decref(chain.notes);
}
