/** @file hunt.c  See hunt.h. */
#include <string.h>
#include "hunt.h"

#define CANDIDATES_MAX 64

/* Move a random candidate of the first n to their front, by weight; those of
   weight 0 have a small chance, as RFC 2782 asks. */
static void draw(const struct route_target **c, size_t n, struct rng *rng)
{
	uint32_t sum = 0, at;
	size_t i;

	for (i = 0; i < n; i++)
		sum += c[i]->weight + 1u;

	at = rng_below(rng, sum);
	for (i = 0; i + 1 < n; i++) {
		if (at < c[i]->weight + 1u)
			break;
		at -= c[i]->weight + 1u;
	}

	const struct route_target *chosen = c[i];

	for (; i > 0; i--)
		c[i] = c[i - 1];
	c[0] = chosen;
}


static bool is_usable(const struct route_target *t)
{
	return t->gateway && t->gateway->is_active &&
	       t->gateway->carrier->is_active;
}


/* Add the hops whose health is is_up, priority by priority. */
static void hunt_add(struct hunt *hunt, const struct route *route,
		     struct rng *rng, hunt_up_h *uph, void *arg, bool is_up,
		     uint8_t bound)
{
	const struct route_target *c[CANDIDATES_MAX];
	uint16_t i = 0;

	while (i < route->target_n && hunt->n < bound) {
		const uint16_t priority = route->targets[i].priority;
		size_t n = 0;

		for (; i < route->target_n &&
		       route->targets[i].priority == priority; i++) {
			const struct route_target *t = &route->targets[i];

			if (n < CANDIDATES_MAX && is_usable(t) &&
			    is_up == (!uph || uph(t->gateway, arg)))
				c[n++] = t;
		}

		for (size_t k = 0; k < n && hunt->n < bound; k++) {
			draw(&c[k], n - k, rng);
			hunt->hops[hunt->n++] = c[k]->gateway;
		}
	}
}


void hunt_build(struct hunt *ret, const struct route *route, struct rng *rng,
		hunt_up_h *uph, void *arg)
{
	const uint8_t bound = route->max_attempts && route->max_attempts <
			      HUNT_MAX ? (uint8_t)route->max_attempts
				       : HUNT_MAX;

	memset(ret, 0, sizeof(*ret));

	hunt_add(ret, route, rng, uph, arg, true, bound);
	if (!ret->n)
		hunt_add(ret, route, rng, uph, arg, false, bound);
}


const struct gateway *hunt_next(struct hunt *hunt)
{
	return hunt->next < hunt->n ? hunt->hops[hunt->next++] : NULL;
}
