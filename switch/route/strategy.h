/**
 * @file strategy.h  Which gateways of a route are tried for a call, in which
 * order: each is kept or dropped with its reason, and what is kept is ordered
 * by the plan's strategy. Targets that are equal by it are drawn by weight
 * (RFC 2782's rule); a group is drawn as one target, and its members within it
 * by their own priority and weight.
 *
 *   priority      priority
 *   weight        weight alone
 *   percentage    the first by share of weight (0: never first), the others
 *                 by priority
 *   lcr           cost of one minute; unknown last
 *   lcr_priority  cost, then priority
 *   priority_lcr  priority, then cost
 *   quality       quality, then priority
 *   quality_lcr   quality, then cost
 *
 * Quality is ASR in steps of 5 %, then the share of short calls in steps of
 * 5 %, then PDD in seconds; with too few samples nothing is known against a
 * gateway, and it stands with the best.
 */
#ifndef STRATEGY_H
#define STRATEGY_H
#include "hunt.h"
#include "outcome.h"
#include "quality.h"
#include "rng.h"
#include "why.h"

struct strategy_call {
	const struct routing_plan *plan; /**< NULL: by priority, no price is
					      looked at                    */
	const struct trunk *trunk;   /**< whose rules of carriers count    */
	const struct tag_set *tags;
	const char *digits;          /**< for the decks of carriers        */
	const char *calling;         /**< for decks by origin; NULL: none  */
	const struct catalog *cat;   /**< with terms and exchange rates, or
					      NULL                         */
	int64_t wall_ms;
	uint64_t now_ms;             /**< mono, for quality                */
	const struct price *sell;    /**< NULL: not sold, no margin        */
	const char *currency;        /**< of the sale; a cost in another
				          one, without an exchange rate, is
				          unknown; NULL: any               */
	bool is_emergency;           /**< nothing but "inactive" drops     */
	hunt_up_h *uph;              /**< NULL: all are up                 */
	void *arg;
	const struct quality *quality; /**< NULL: nothing is known         */
};

/**
 * Gateways marked down or locked are left out, unless nothing else is left; an
 * emergency call tries them after the others.
 * @param ret  the order of attempts
 * @param why  a note for every gateway, or NULL
 * @return OUT_OK; OUT_NO_MARGIN, OUT_NO_ROUTE or OUT_B_DOWN when none is left.
 * Pure but for rng.
 */
enum outcome strategy_choose(struct hunt *ret, const struct route *route,
			     const struct strategy_call *call,
			     struct rng *rng, struct why *why);

/** Has the call the gateway's tags, and its customer the carrier? Pure. */
bool strategy_serves(const struct gateway *gw, const struct trunk *trunk,
		     const struct tag_set *tags);

/**
 * The margin once more, with what the gateway's carrier charges now.
 * @return OUT_OK or OUT_NO_MARGIN (noted). Pure.
 */
enum outcome strategy_test(const struct gateway *gw,
			   const struct strategy_call *call, struct why *why);

#endif
