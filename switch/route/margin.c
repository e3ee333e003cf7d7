/** @file margin.c  See margin.h. */
#include <string.h>
#include "catalog_rate.h"
#include "margin.h"


int64_t margin_minute_nano(const struct tariff *t)
{
	__int128 nano;

	if (!t)
		return COST_UNKNOWN;

	/* nearly every tariff; the general way divides 128 bits */
	if (t->first_ms <= MARGIN_CALL_MS && !t->connect_fee_micro &&
	    (MARGIN_CALL_MS - t->first_ms) % t->next_ms == 0)
		return t->rate_per_min_nano;

	nano = (__int128)t->rate_per_min_nano *
		       (int64_t)charge_billed_ms(t, MARGIN_CALL_MS) / 60000 +
	       (__int128)t->connect_fee_micro * 1000;

	return nano < COST_UNKNOWN ? (int64_t)nano : COST_UNKNOWN;
}


int64_t margin_cost_nano(const struct catalog *c, const struct deck *deck,
			 const struct deck_price *found, const char *currency,
			 int64_t wall_ms)
{
	const struct rate_terms *terms;
	int64_t exchange = EXCHANGE_SAME;
	struct price price;

	if (!found->tariff)
		return COST_UNKNOWN;
	if (currency && strcmp(deck_currency(deck), currency) != 0)
		exchange = c ? catalog_exchange(c, deck_currency(deck),
						currency, wall_ms) : 0;
	if (!exchange)
		return COST_UNKNOWN;

	terms = c ? catalog_terms(c, deck, found->terms) : NULL;
	if (!terms && exchange == EXCHANGE_SAME)
		return margin_minute_nano(found->tariff);

	rate_terms_price(&price, found->tariff, deck_rounding(deck), terms,
			 wall_ms, MARGIN_CALL_MS);
	price.exchange_nano = exchange;

	return price_minute_nano(&price);
}


bool margin_is_tested(const struct routing_plan *plan)
{
	return plan && (plan->margin_per_min_nano >= 0 ||
			plan->margin_percent >= 0);
}


bool margin_is_kept(const struct routing_plan *plan, int64_t sell_nano,
		    int64_t cost_nano)
{
	const __int128 margin = (__int128)sell_nano - cost_nano;

	if (cost_nano == COST_UNKNOWN)
		return false;
	if (plan->margin_per_min_nano >= 0 &&
	    margin < plan->margin_per_min_nano)
		return false;

	return plan->margin_percent < 0 ||
	       margin * 100 >= (__int128)sell_nano * plan->margin_percent;
}
