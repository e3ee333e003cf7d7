/**
 * @file plan.h  A charge plan: a price in exact fractions, as other engines
 * state it. Segments of a call (a change of price at 18:00), tiers within
 * them, fees, tax and a cap. Calls are charged by price.h; this reckons the
 * same another way. Pure.
 */
#ifndef PLAN_H
#define PLAN_H
#include <stdbool.h>
#include "price.h"
#include "ratio.h"

#define PLAN_SEGMENTS_MAX 16
#define PLAN_TIERS_MAX 16

/** One price while the call's own time is in from_ms .. to_ms. */
struct plan_tier {
	uint64_t from_ms, to_ms;  /**< to_ms UINT64_MAX: open end           */
	uint64_t increment_ms;    /**< what is paid for at once, > 0        */
	struct ratio price;       /**< of one increment, >= 0               */
};

/** A part of the call that has its own tiers. */
struct plan_segment {
	uint64_t end_ms;          /**< in the call's own time; the last one
				       also holds for all that follows      */
	unsigned tier_n;
	struct plan_tier tiers[PLAN_TIERS_MAX];
};

struct charge_plan {
	struct ratio attempt_fee; /**< even when nobody answers             */
	struct ratio connect_fee; /**< once, when the call lasts at all     */
	struct ratio tax_percent; /**< on top of the sum                    */
	bool is_rounded;
	enum round_mode mode;
	unsigned decimals;
	bool has_cap;             /**< what comes above cap is free         */
	struct ratio cap;
	unsigned segment_n;
	struct plan_segment segments[PLAN_SEGMENTS_MAX];
};

/**
 * Bounds: at least one segment, ends ascending, tiers ascending from 0
 * without a gap, increments above 0, no negative money. @return 0 or EINVAL
 */
int plan_check(const struct charge_plan *p);

/**
 * Cost of a call. An increment begun in one tier is paid in full, and the
 * next tier begins where it ends.
 * @param p  has passed plan_check()
 * @param ret_billed_ms  time that is paid for; may be NULL
 * @return 0, EOVERFLOW, or ERANGE: the plan has no price for all of the call
 */
int plan_cost(const struct charge_plan *p, uint64_t duration_ms,
	      struct ratio *ret_cost, uint64_t *ret_billed_ms);

/** Longest duration up to limit_ms that costs no more than budget. */
int plan_duration(const struct charge_plan *p, struct ratio budget,
		  uint64_t limit_ms, uint64_t *ret_ms);

/**
 * The same as calls are charged by it, when there is such a price: whole nano-
 * and micro-units, no more steps than a price has, no tax that is rounded.
 * @return 0 or ERANGE
 */
int plan_price(const struct charge_plan *p, struct price *ret);

#endif
