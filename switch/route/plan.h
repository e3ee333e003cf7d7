/**
 * @file plan.h  Which carriers to try, in which order: priority, then a
 * random order by weight within it (RFC 2782's rule), those that are marked
 * down last in their priority so that a wrong mark never loses a call.
 */
#ifndef PLAN_H
#define PLAN_H
#include "catalog.h"
#include "rng.h"

#define PLAN_MAX 10

struct plan {
	uint8_t n, next;        /**< next: the first not yet tried          */
	const struct gateway *hops[PLAN_MAX];
};

typedef bool(plan_up_h)(const struct gateway *gw, void *arg);

/** @param uph NULL: all are up. n is 0 when no gateway is active. Pure. */
void plan_build(struct plan *ret, const struct route *route, struct rng *rng,
		plan_up_h *uph, void *arg);

/** The next hop, or NULL when the plan is used up. */
const struct gateway *plan_next(struct plan *plan);

#endif
