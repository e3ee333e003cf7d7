/** @file strategy_draw.c  See strategy_draw.h. */
#include <string.h>
#include "strategy_draw.h"


static int health_of(const struct candidate *c)
{
	return c->is_down ? 2 : c->is_locked;
}


static int compare(const struct candidate *a, const struct candidate *b,
		   bool by_health)
{
	if (by_health && health_of(a) != health_of(b))
		return health_of(a) - health_of(b);

	for (size_t i = 0; i < 2; i++) {
		if (a->keys[i] != b->keys[i])
			return a->keys[i] < b->keys[i] ? -1 : 1;
	}

	return 0;
}


/* Stable: what is equal keeps the order of the route. */
static void sort(struct candidate **c, size_t n, bool by_health)
{
	for (size_t i = 1; i < n; i++) {
		struct candidate *moved = c[i];
		size_t at = i;

		for (; at && compare(moved, c[at - 1], by_health) < 0; at--)
			c[at] = c[at - 1];
		c[at] = moved;
	}
}


/* Those of one target of the route: a gateway, or members of a group. */
static size_t unit_size(struct candidate **c, size_t n)
{
	size_t k = 1;

	while (k < n && c[k]->target->entry == c[0]->target->entry)
		++k;

	return k;
}


/* c[at..at+k) moves to the front, the others move behind it. */
static void move_front(struct candidate **c, size_t at, size_t k)
{
	struct candidate *moved[ROUTE_GATEWAYS_MAX];

	memcpy(moved, c + at, k * sizeof(*c));
	memmove(c + k, c, at * sizeof(*c));
	memcpy(c, moved, k * sizeof(*c));
}


/* A unit of c[0..n) by weight to the front. @return its size */
static size_t unit_draw(struct candidate **c, size_t n, uint32_t least,
			struct rng *rng)
{
	const size_t first = unit_size(c, n);
	uint32_t sum = 0, at;
	size_t i;

	for (i = 0; i < n; i += unit_size(c + i, n - i))
		sum += c[i]->target->weight + least;
	if (!sum || first == n)
		return first;

	at = rng_below(rng, sum);
	for (i = 0;; i += unit_size(c + i, n - i)) {
		const uint32_t share = c[i]->target->weight + least;

		if (at < share)
			break;
		at -= share;
	}

	const size_t k = unit_size(c + i, n - i);

	move_front(c, i, k);

	return k;
}


/* The members of a group that are equal by their priority, by their weight;
   those of weight 0 have a small chance, as RFC 2782 asks. */
static void members_draw(struct candidate **c, size_t n, struct rng *rng)
{
	for (; n > 1; c++, n--) {
		uint32_t sum = 0, at;
		size_t same, i = 0;

		for (same = 0; same < n && c[same]->target->member_priority ==
						   c[0]->target->member_priority;
		     same++)
			sum += c[same]->target->member_weight + 1u;
		if (same == 1)
			continue;

		for (at = rng_below(rng, sum);
		     at >= c[i]->target->member_weight + 1u; i++)
			at -= c[i]->target->member_weight + 1u;
		move_front(c, i, 1);
	}
}


/* All of c are equal by the strategy. */
static void run_draw(struct candidate **c, size_t n, struct rng *rng)
{
	while (n > 1) {
		const size_t k = unit_draw(c, n, 1, rng);

		members_draw(c, k, rng);
		c += k;
		n -= k;
	}
}


void strategy_order(struct candidate **c, size_t n, bool by_health,
		    struct rng *rng)
{
	size_t i, k;

	sort(c, n, by_health);

	for (i = 0; i < n; i += k) {
		for (k = 1; i + k < n &&
			    !compare(c[i], c[i + k], by_health); k++)
			;
		run_draw(c + i, k, rng);
	}
}


void strategy_share(struct candidate **c, size_t n, struct rng *rng)
{
	if (n)
		(void)unit_draw(c, n, 0, rng);
}
