/** @file plan.c  See plan.h. */
#include <string.h>
#include "plan.h"

#define CANDIDATES_MAX 64

struct candidate {
	const struct route_target *target;
	bool is_up;
};


/* Move a random candidate of the first n to their front, by weight; those of
   weight 0 have a small chance, as RFC 2782 asks. */
static void draw(struct candidate *c, size_t n, struct rng *rng)
{
	uint32_t sum = 0, at;
	size_t i;

	for (i = 0; i < n; i++)
		sum += c[i].target->weight + 1u;

	at = rng_below(rng, sum);
	for (i = 0; i + 1 < n; i++) {
		if (at < c[i].target->weight + 1u)
			break;
		at -= c[i].target->weight + 1u;
	}

	const struct candidate chosen = c[i];

	memmove(&c[1], &c[0], i * sizeof(*c));
	c[0] = chosen;
}


/* First those that are up, then the rest; random inside each part. */
static void order(struct candidate *c, size_t n, struct rng *rng)
{
	size_t up = 0;

	for (size_t i = 0; i < n; i++) {
		if (c[i].is_up) {
			const struct candidate tmp = c[up];

			c[up++] = c[i];
			c[i] = tmp;
		}
	}

	for (size_t i = 0; i + 1 < up; i++)
		draw(&c[i], up - i, rng);
	for (size_t i = up; i + 1 < n; i++)
		draw(&c[i], n - i, rng);
}


static bool is_usable(const struct route_target *t)
{
	return t->gateway && t->gateway->is_active &&
	       t->gateway->carrier->is_active;
}


void plan_build(struct plan *ret, const struct route *route, struct rng *rng,
		plan_up_h *uph, void *arg)
{
	struct candidate c[CANDIDATES_MAX];
	const uint8_t bound = route->max_attempts && route->max_attempts <
			      PLAN_MAX ? (uint8_t)route->max_attempts
				       : PLAN_MAX;
	uint16_t i = 0;

	memset(ret, 0, sizeof(*ret));

	while (i < route->target_n && ret->n < bound) {
		const uint16_t priority = route->targets[i].priority;
		size_t n = 0;

		for (; i < route->target_n &&
		       route->targets[i].priority == priority; i++) {
			const struct route_target *t = &route->targets[i];

			if (n < CANDIDATES_MAX && is_usable(t)) {
				c[n].target = t;
				c[n++].is_up = !uph || uph(t->gateway, arg);
			}
		}

		order(c, n, rng);
		for (size_t k = 0; k < n && ret->n < bound; k++)
			ret->hops[ret->n++] = c[k].target->gateway;
	}
}


const struct gateway *plan_next(struct plan *plan)
{
	return plan->next < plan->n ? plan->hops[plan->next++] : NULL;
}
