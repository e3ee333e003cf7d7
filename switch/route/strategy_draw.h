/**
 * @file strategy_draw.h  Candidates in order: sorted by their keys, and drawn
 * by weight where the keys are equal.
 */
#ifndef STRATEGY_DRAW_H
#define STRATEGY_DRAW_H
#include "catalog.h"
#include "quality.h"
#include "rng.h"

/** A gateway of the route, and what is known of it for this call. */
struct candidate {
	const struct route_target *target;
	struct deck_price price;
	int64_t cost_nano;           /**< of one minute, or COST_UNKNOWN   */
	int64_t quality;             /**< lower is better                  */
	int64_t keys[2];             /**< of the strategy, lower first     */
	uint8_t drop;                /**< enum drop; 0: it is kept         */
	bool has_deck, is_down, is_locked;
	struct quality_figures figures; /**< reason NULL: not read         */
};

/**
 * Sort and draw. Candidates come in the order of the route, so that those of
 * one group stand together.
 * @param by_health  who is down or locked goes behind the others
 */
void strategy_order(struct candidate **c, size_t n, bool by_health,
		    struct rng *rng);

/** Put one target before all others: each has the share that its weight has
 *  of all weights; weight 0 has none. */
void strategy_share(struct candidate **c, size_t n, struct rng *rng);

#endif
