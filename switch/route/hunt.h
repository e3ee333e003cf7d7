/**
 * @file hunt.h  Which carriers to try, in which order: priority, then a
 * random order by weight within it (RFC 2782's rule). Gateways marked down
 * are left out, unless all are: a wrong mark must not lose the call.
 */
#ifndef HUNT_H
#define HUNT_H
#include "catalog.h"
#include "rng.h"

#define HUNT_MAX 10

struct hunt {
	uint8_t n, next;        /**< next: the first not yet tried          */
	const struct gateway *hops[HUNT_MAX];
};

typedef bool(hunt_up_h)(const struct gateway *gw, void *arg);

/** @param uph NULL: all are up. n is 0 when no gateway is active. Pure. */
void hunt_build(struct hunt *ret, const struct route *route, struct rng *rng,
		hunt_up_h *uph, void *arg);

/** The next hop, or NULL when the plan is used up. */
const struct gateway *hunt_next(struct hunt *hunt);

#endif
