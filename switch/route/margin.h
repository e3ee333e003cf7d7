/**
 * @file margin.h  Price less cost against the floor of a routing plan, for a
 * call of one minute: what the intervals of both tariffs make of it, in
 * nano-units, without rounding. Pure.
 */
#ifndef MARGIN_H
#define MARGIN_H
#include <stdbool.h>
#include "catalog.h"

#define MARGIN_CALL_MS 60000
#define COST_UNKNOWN INT64_MAX

/** What a call of one minute costs by a tariff; NULL: COST_UNKNOWN, which is
 *  also what no int64 holds. */
int64_t margin_minute_nano(const struct tariff *t);

/**
 * The same by a rate of a carrier's deck with all that belongs to it.
 * @param c         whose terms and exchange rates count; NULL: there are none
 * @param found     of deck
 * @param currency  of the answer; NULL: the deck's
 */
int64_t margin_cost_nano(const struct catalog *c, const struct deck *deck,
			 const struct deck_price *found, const char *currency,
			 int64_t wall_ms);

/** Does this plan test the margin? NULL: no. */
bool margin_is_tested(const struct routing_plan *plan);

/** Is price less cost at least both the amount and the share of the price
 *  that the plan asks for? An unknown cost never is. */
bool margin_is_kept(const struct routing_plan *plan, int64_t sell_nano,
		    int64_t cost_nano);

#endif
