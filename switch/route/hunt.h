/**
 * @file hunt.h  The gateways to try for a call, in this order; strategy.h
 * makes it.
 */
#ifndef HUNT_H
#define HUNT_H
#include "catalog.h"

#define HUNT_MAX 10

struct hunt {
	uint8_t n, next;        /**< next: the first not yet tried          */
	const struct gateway *hops[HUNT_MAX];
};

/** Is a gateway up? */
typedef bool(hunt_up_h)(const struct gateway *gw, void *arg);

/** The next hop, or NULL when all were tried. */
const struct gateway *hunt_next(struct hunt *hunt);

#endif
