/** @file hunt.c  Priority first, then weight; who is down is left out. */
#include <criterion/criterion.h>
#include <string.h>
#include "hunt.h"

#define GATEWAYS 80

static struct carrier carrier;
static struct gateway gateways[GATEWAYS];
static struct route_target targets[GATEWAYS];
static struct route route;
static struct rng *rng;


static void world_open(void)
{
	cr_assert_eq(rng_seeded(&rng, 7), 0);
	memset(gateways, 0, sizeof(gateways));
	memset(targets, 0, sizeof(targets));
	memset(&route, 0, sizeof(route));
	carrier.is_active = true;
	for (unsigned i = 0; i < GATEWAYS; i++) {
		gateways[i].index = i;
		gateways[i].is_active = true;
		gateways[i].carrier = &carrier;
		targets[i].gateway = &gateways[i];
		targets[i].priority = 1;
		targets[i].weight = 10;
	}
	route.targets = targets;
	route.target_n = 3;
	route.max_attempts = HUNT_MAX;
}


static void world_close(void)
{
	mem_deref(rng);
}


TestSuite(hunt, .init = world_open, .fini = world_close);


static uint32_t next(struct hunt *h)
{
	const struct gateway *gw = hunt_next(h);

	return gw ? gw->index : UINT32_MAX;
}


static bool even_is_up(const struct gateway *gw, void *arg)
{
	(void)arg;

	return gw->index % 2 == 0;
}


static bool nobody_is_up(const struct gateway *gw, void *arg)
{
	(void)gw;
	(void)arg;

	return false;
}


Test(hunt, priority_before_weight)
{
	struct hunt h;

	targets[0].priority = 1;
	targets[0].weight = 0;
	targets[1].priority = 2;
	targets[1].weight = 1000;
	targets[2].priority = 3;
	for (unsigned i = 0; i < 100; i++) {
		hunt_build(&h, &route, rng, NULL, NULL);
		cr_expect_eq(next(&h), 0);
		cr_expect_eq(next(&h), 1);
		cr_expect_eq(next(&h), 2);
		cr_expect_eq(next(&h), UINT32_MAX);
		cr_expect_eq(next(&h), UINT32_MAX);
	}
}


/* 70, 20, 10: the first hops are shared so, and every hop comes once. */
Test(hunt, weight_shares_the_calls)
{
	unsigned first[3] = {0};
	struct hunt h;

	targets[0].weight = 70;
	targets[1].weight = 20;
	targets[2].weight = 10;
	for (unsigned i = 0; i < 10000; i++) {
		unsigned seen = 0;
		uint32_t g;

		hunt_build(&h, &route, rng, NULL, NULL);
		cr_assert_eq(h.n, 3);
		first[h.hops[0]->index]++;
		while ((g = next(&h)) != UINT32_MAX)
			seen |= 1u << g;
		cr_expect_eq(seen, 7);
	}
	cr_expect(first[0] > 6500 && first[0] < 7500, "%u", first[0]);
	cr_expect(first[1] > 1600 && first[1] < 2500, "%u", first[1]);
	cr_expect(first[2] > 700 && first[2] < 1500, "%u", first[2]);
}


/* RFC 2782: weight 0 has a small chance, not none. */
Test(hunt, weight_zero_is_seldom_first)
{
	unsigned first = 0;
	struct hunt h;

	route.target_n = 2;
	targets[0].weight = 0;
	targets[1].weight = 100;
	for (unsigned i = 0; i < 10000; i++) {
		hunt_build(&h, &route, rng, NULL, NULL);
		first += h.hops[0]->index == 0;
	}
	cr_expect(first > 0 && first < 500, "%u", first);
}


Test(hunt, who_is_down_is_left_out_unless_all_are)
{
	struct hunt h;

	hunt_build(&h, &route, rng, even_is_up, NULL);
	cr_expect_eq(h.n, 2);
	while (h.next < h.n)
		cr_expect_eq(next(&h) % 2, 0);

	hunt_build(&h, &route, rng, nobody_is_up, NULL);
	cr_expect_eq(h.n, 3);
}


Test(hunt, suspended_is_never_tried)
{
	struct hunt h;

	gateways[0].is_active = false;
	targets[2].gateway = NULL; /* deleted */
	hunt_build(&h, &route, rng, nobody_is_up, NULL);
	cr_expect_eq(h.n, 1);
	cr_expect_eq(next(&h), 1);

	carrier.is_active = false;
	hunt_build(&h, &route, rng, NULL, NULL);
	cr_expect_eq(h.n, 0);
	cr_expect_eq(next(&h), UINT32_MAX);
}


Test(hunt, attempts_are_bounded)
{
	struct hunt h;

	route.target_n = GATEWAYS; /* more than candidates of one priority */
	hunt_build(&h, &route, rng, NULL, NULL);
	cr_expect_eq(h.n, HUNT_MAX);

	route.max_attempts = 2;
	hunt_build(&h, &route, rng, NULL, NULL);
	cr_expect_eq(h.n, 2);

	route.max_attempts = 0; /* not said */
	hunt_build(&h, &route, rng, NULL, NULL);
	cr_expect_eq(h.n, HUNT_MAX);

	route.target_n = 0;
	hunt_build(&h, &route, rng, NULL, NULL);
	cr_expect_eq(h.n, 0);
}


/* The largest weights there are do not overflow the draw. */
Test(hunt, heavy)
{
	unsigned first[2] = {0};
	struct hunt h;

	route.target_n = GATEWAYS;
	for (unsigned i = 0; i < GATEWAYS; i++)
		targets[i].weight = UINT16_MAX;
	for (unsigned i = 0; i < 1000; i++) {
		hunt_build(&h, &route, rng, NULL, NULL);
		first[h.hops[0]->index >= 32]++;
	}
	cr_expect_gt(first[0], 300u);
	cr_expect_gt(first[1], 300u);
}
