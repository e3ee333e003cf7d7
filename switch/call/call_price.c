/**
 * @file call_price.c  What a call costs and what it costs us: the price is
 * found when the call begins, and is the call's whatever becomes of the rates.
 * Only windows of the week are worked out again at the answer, from which on
 * they count.
 */
#include <string.h>
#include "call_private.h"
#include "catalog_rate.h"
#include "text.h"


/* The arithmetic of a price: ceil(intervals) x rate, and a fee; the steps, if
   there are more, and what else it has. */
static void note_rate(struct call *call, enum why_step step, enum outcome out,
		      const struct deck *deck, const struct rate *rate,
		      const char *why_not)
{
	WHY(call->why, step, out, deck ? deck_id(deck) : NULL,
	    WHY_TEXT("reason", why_not),
	    WHY_COUNT("version", deck ? (int64_t)deck_version(deck) : 0),
	    WHY_TEXT("prefix", rate ? rate->prefix : ""),
	    WHY_TEXT("destination", rate ? rate->destination : ""),
	    WHY_COUNT("rate_per_min_nano",
		      rate ? rate->tariff.rate_per_min_nano : 0),
	    WHY_COUNT("connect_fee_micro",
		      rate ? rate->tariff.connect_fee_micro : 0),
	    WHY_COUNT("first_ms", rate ? rate->tariff.first_ms : 0),
	    WHY_COUNT("next_ms", rate ? rate->tariff.next_ms : 0),
	    WHY_TEXT("currency", deck ? deck_currency(deck) : ""));
}


/* What terms, policy, exchange and taxes have made of it; nothing of a plain
   tariff. */
static void note_terms(struct call *call, const struct price *p,
		       const struct pricing *by)
{
	int64_t tax_ppm = 0;

	for (unsigned i = 0; i < p->tax_n; i++)
		tax_ppm += p->taxes[i].ppm;
	if (!by->terms && !tax_ppm && p->exchange_nano == EXCHANGE_SAME &&
	    !by->markup_ppm && !by->markup_per_min_nano)
		return;

	WHY(call->why, WHY_TERMS, OUT_OK, by->terms ? by->terms->id : NULL,
	    WHY_COUNT("steps", p->step_n),
	    WHY_COUNT("attempt_fee_micro", p->attempt_micro),
	    WHY_COUNT("minimum_micro", p->minimum_micro),
	    WHY_COUNT("cap_micro", p->cap_micro),
	    WHY_COUNT("free_ms", p->free_ms),
	    WHY_COUNT("exchange_nano", p->exchange_nano),
	    WHY_COUNT("tax_ppm", tax_ppm),
	    WHY_COUNT("markup_ppm", by->markup_ppm),
	    WHY_COUNT("minute_nano", price_minute_nano(p)));
}


static enum outcome unpriced(struct call *call, enum outcome out,
			     const struct deck *deck, const struct rate *rate,
			     const char *why_not)
{
	note_rate(call, WHY_PRICE, out, deck, rate, why_not);

	return out;
}


static uint64_t max_ms(const struct call *call)
{
	return (uint64_t)call->max_call_s * 1000;
}


static const char *calling_digits(const struct call *call)
{
	return call->calling.e164[0] ? call->calling.e164 + 1 : "";
}


/* What stays with us may have rates of its own. */
static const struct deck *deck_of(const struct call *call)
{
	const struct trunk *trunk = call->trunk;

	return trunk->onnet_deck && catalog_did(call->cat, call->called.e164)
		       ? trunk->onnet_deck : trunk->deck;
}


static void sell_by(struct call *call, const struct rate_hit *hit)
{
	struct money *m = call->payer;

	m->is_sold = true;
	m->sell_by = (struct pricing){.tariff = hit->rate.tariff,
				      .terms = hit->terms};
	TEXT_FILL(m->account_id, call->trunk->account->id);
	m->sell_version = deck_version(hit->deck);
	TEXT_FILL(m->sell_deck, deck_id(hit->deck));
	TEXT_FILL(m->prefix, hit->rate.prefix);
	TEXT_FILL(m->destination, hit->rate.destination);
	TEXT_FILL(m->currency, call->trunk->account->currency);
}


static void tax(const struct call *call, struct price *p)
{
	const struct account *a = call->trunk->account;

	tax_profile_apply(a->tax ? a->tax : a->tenant->tax,
			  call->called.country, p);
}


enum outcome call_price(struct call *call)
{
	const struct deck *deck = deck_of(call);
	const struct rate_query query = {
		.calling = calling_digits(call),
		.called = call->called.e164 + 1,
		.wall_ms = call->begun_wall_ms,
	};
	struct money *m = call->payer;
	struct rate_hit hit;

	if (!call->trunk->account->is_active)
		return unpriced(call, OUT_TRUNK_DISABLED, deck, NULL,
				"account");
	if (!deck)
		return unpriced(call, OUT_NO_RATE, NULL, NULL, "no_deck");
	if (!catalog_rate(call->cat, deck, &query, &hit))
		return unpriced(call, OUT_NO_RATE, deck, NULL, "no_prefix");
	if (hit.rate.is_blocked)
		return unpriced(call, OUT_NO_RATE, hit.deck, &hit.rate,
				"blocked");
	if (!catalog_price(call->cat, &hit, call->trunk->account->currency,
			   call->begun_wall_ms, max_ms(call), &m->sell))
		return unpriced(call, OUT_NO_RATE, hit.deck, &hit.rate,
				"currency");

	note_rate(call, WHY_PRICE, OUT_OK, hit.deck, &hit.rate, "");
	sell_by(call, &hit);
	tax(call, &m->sell);
	note_terms(call, &m->sell, &m->sell_by);
	call_packages(call, m);

	return OUT_OK;
}


/* Of the deck's price and this one, the one that the policy wants. */
static bool is_deck_kept(const struct trunk *trunk, const struct money *m,
			 const struct price *by_cost)
{
	int64_t deck, cost;

	if (!m->is_sold)
		return false;

	deck = price_minute_nano(&m->sell);
	cost = price_minute_nano(by_cost);

	return trunk->rate_policy == RATE_MIN ? deck <= cost : deck >= cost;
}


enum outcome call_price_by_cost(struct call *call, const struct gateway *gw)
{
	const struct trunk *trunk = call->trunk;
	const struct rate_query query = {
		.calling = calling_digits(call),
		.called = call->called.e164 + 1,
		.wall_ms = call->begun_wall_ms,
	};
	struct money *m = call->payer;
	struct rate_hit hit;
	struct price p;

	if (!trunk->account->is_active)
		return unpriced(call, OUT_TRUNK_DISABLED, NULL, NULL,
				"account");
	if (!gw || !gw->carrier->deck ||
	    !catalog_rate(call->cat, gw->carrier->deck, &query, &hit) ||
	    hit.rate.is_blocked)
		return unpriced(call, OUT_NO_RATE,
				gw ? gw->carrier->deck : NULL, NULL,
				"no_cost");
	if (!catalog_price(call->cat, &hit, trunk->account->currency,
			   call->begun_wall_ms, max_ms(call), &p) ||
	    price_markup(&p, trunk->markup_ppm, trunk->markup_per_min_nano))
		return unpriced(call, OUT_NO_RATE, hit.deck, &hit.rate,
				"cost_currency");

	p.is_reverse = 0; /* what a carrier pays us is not the customer's */
	tax(call, &p);
	if (is_deck_kept(trunk, m, &p))
		return OUT_OK;

	note_rate(call, WHY_PRICE, OUT_OK, hit.deck, &hit.rate, "cost");
	sell_by(call, &hit);
	m->sell = p;
	m->is_by_cost = true;
	m->sell_by.markup_ppm = trunk->markup_ppm;
	m->sell_by.markup_per_min_nano = trunk->markup_per_min_nano;
	note_terms(call, &m->sell, &m->sell_by);
	call_packages(call, m);

	return OUT_OK;
}


/* What this carrier charges us for it; unknown without a deck. */
void call_buy(struct call *call, const struct gateway *gw)
{
	const struct rate_query query = {
		.calling = calling_digits(call),
		.called = call_number(call)[0] ? call_number(call) + 1
					       : call->called.received,
		.wall_ms = moment_wall_ms(&call->w->now),
	};
	struct money *m = &call->money;
	struct rate_hit hit;

	m->is_bought = false;
	if (!gw->carrier->deck ||
	    !catalog_rate(call->cat, gw->carrier->deck, &query, &hit) ||
	    !catalog_price(call->cat, &hit, deck_currency(hit.deck),
			   query.wall_ms, max_ms(call), &m->buy))
		return;

	note_rate(call, WHY_COST, OUT_OK, hit.deck, &hit.rate, "");
	m->is_bought = true;
	m->buy_by = (struct pricing){.tariff = hit.rate.tariff,
				     .terms = hit.terms};
	m->buy_version = deck_version(hit.deck);
	TEXT_FILL(m->buy_deck, deck_id(hit.deck));
	TEXT_FILL(m->buy_prefix, hit.rate.prefix);
	TEXT_FILL(m->buy_destination, hit.rate.destination);
	TEXT_FILL(m->cost_currency, deck_currency(hit.deck));
}


/* The attempt has failed: what its carrier charges all the same stays. */
void call_fee(struct call *call)
{
	struct money *m = &call->money;
	struct cdr_charge *grown;

	if (!m->is_bought || call->answered_ms)
		return;

	m->is_bought = false;
	if (!m->buy.attempt_micro || call->is_test)
		return;

	grown = call->fees ? mem_realloc(call->fees, (call->fee_n + 1u) *
							     sizeof(*grown))
			   : mem_zalloc(sizeof(*grown), NULL);
	if (!grown)
		return;

	call->fees = grown;
	call_charge_buy(call, 0, &grown[call->fee_n++]);
}


/* Windows count from the answer on. */
static void windows_move(const struct call *call, struct price *p,
			 struct pricing *by)
{
	struct price now;

	if (rate_terms_has_windows(by->terms)) {
		rate_terms_price(&now, &by->tariff, p->rounding, by->terms,
				 call->answered_wall_ms, max_ms(call));
		if (!price_markup(&now, by->markup_ppm,
				  by->markup_per_min_nano)) {
			memcpy(p->steps, now.steps, sizeof(p->steps));
			p->step_n = now.step_n;
		}
	}
	by->terms = NULL; /* the catalog goes */
}


bool call_price_is_free(const struct money *m)
{
	return price_is_free(&m->sell) &&
	       (m->sell.is_reverse ||
		!rate_terms_has_windows(m->sell_by.terms));
}


static bool is_paid(const struct money *m, uint64_t ms)
{
	int64_t price;

	return !call_money_price(m, ms, &price) &&
	       price <= m->hold.held_micro;
}


/* A boundary between dialling and answer may have made it dearer: what is held
   pays for less then. */
static void funded_move(struct money *m)
{
	uint64_t fits = 0, over = m->funded_ms;

	if (m->funded_ms == UINT64_MAX || is_paid(m, m->funded_ms))
		return;

	/* the price never falls with duration */
	while (over - fits > 1) {
		const uint64_t middle = fits + (over - fits) / 2;

		if (is_paid(m, middle))
			fits = middle;
		else
			over = middle;
	}
	m->funded_ms = fits;
}


void call_price_answered(struct call *call)
{
	uint64_t cut_ms = max_ms(call);
	struct money *m;

	for (unsigned i = 0; (m = call_payer_at(call, i)); i++) {
		if (!m->is_sold)
			continue;
		windows_move(call, &m->sell, &m->sell_by);
		funded_move(m);
		cut_ms = min(cut_ms, price_cut_ms(&m->sell, max_ms(call)));
	}
	if (call->money.is_bought)
		windows_move(call, &call->money.buy, &call->money.buy_by);

	call->cut_ms = cut_ms;
}


bool call_is_cut(const struct call *call)
{
	return call->answered_ms && call->cut_ms < max_ms(call);
}
