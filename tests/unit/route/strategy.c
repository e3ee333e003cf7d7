/**
 * @file strategy.c  Order of gateways by each strategy, shares by weight, and
 * every reason for which one is dropped.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "margin.h"
#include "moment.h"
#include "strategy.h"
#include "text.h"

#define GATEWAYS 64

static struct carrier carriers[GATEWAYS];
static struct gateway gateways[GATEWAYS];
static struct route_target targets[GATEWAYS];
static const struct deck *decks[GATEWAYS];
static struct tenant tenant;
static struct trunk trunk;
static struct route route;
static struct routing_plan plan;
static struct tag_set tags;
static const struct price sell = {
	.tariff = {100000000, 0, 1000, 1000}, .cap_micro = PRICE_NO_CAP,
	.exchange_nano = EXCHANGE_SAME, .step_n = 1,
	.steps = {{100000000, 0, 1000, 0}},
};
static struct strategy_call query;
static struct rng *rng;
static struct quality *quality;
static struct why *why;
static struct hunt h;


static void world_open(void)
{
	cr_assert_eq(rng_seeded(&rng, 7), 0);
	cr_assert_eq(quality_alloc(&quality, NULL, NULL), 0);
	memset(&tags, 0, sizeof(tags));
	memset(&tenant, 0, sizeof(tenant));
	memset(&trunk, 0, sizeof(trunk));
	trunk.tenant = &tenant;
	for (unsigned i = 0; i < GATEWAYS; i++) {
		carriers[i] = (struct carrier){.is_active = true};
		gateways[i] = (struct gateway){
			.index = i, .is_active = true,
			.carrier = &carriers[i],
			.quality = {.window_s = 3600, .min_samples = 2,
				    .asr_min = -1, .acd_min_s = -1,
				    .pdd_max_ms = -1, .short_max = -1,
				    .lock_s = 60, .trials = 2},
		};
		(void)text_format(gateways[i].id, ID_SIZE, "gwy_%02u", i);
		(void)text_format(carriers[i].id, ID_SIZE, "car_%02u", i);
		targets[i] = (struct route_target){
			.gateway = &gateways[i], .priority = 1, .weight = 10,
			.entry = (uint16_t)i, .deck = DECK_NONE,
		};
	}
	route = (struct route){.targets = targets, .target_n = 3,
			       .decks = decks, .max_attempts = HUNT_MAX};
	plan = (struct routing_plan){
		.is_active = true, .max_attempts = 10,
		.margin_per_min_nano = -1, .margin_percent = -1,
	};
	query = (struct strategy_call){
		.trunk = &trunk, .tags = &tags, .digits = "493012345",
		.wall_ms = 1000, .sell = &sell, .currency = "EUR",
		.quality = quality,
	};
}


static void world_close(void)
{
	for (uint16_t i = 0; i < route.deck_n; i++)
		deck_unref((struct deck *)(uintptr_t)decks[i]);
	mem_deref(why);
	mem_deref(quality);
	mem_deref(rng);
}


TestSuite(strategy, .init = world_open, .fini = world_close);


/* A carrier's deck with one rate for all of 49; cost per minute in nano. */
static void deck_of(unsigned i, int64_t nano, const char *prefix,
		    const char *currency)
{
	const struct rounding round = {ROUND_UP, 6, 0, 0};
	struct rate rate = {
		.tariff = {.rate_per_min_nano = nano, .first_ms = 60000,
			   .next_ms = 60000},
		.to_ms = INT64_MAX,
	};
	struct deck_builder *b;
	struct deck *d;

	(void)text_copy(rate.prefix, sizeof(rate.prefix), prefix);
	cr_assert_eq(deck_builder_alloc(&b, "dck", 1, currency, round), 0);
	cr_assert_eq(deck_builder_add(b, &rate), 0);
	cr_assert_eq(deck_build(&d, b), 0);
	mem_deref(b);
	carriers[i].deck = d;
	decks[route.deck_n] = d;
	targets[i].deck = route.deck_n++;
}


static void cost(unsigned i, int64_t nano)
{
	deck_of(i, nano, "49", "EUR");
}


static enum outcome choose(uint8_t strategy)
{
	plan.strategy = strategy;
	query.plan = &plan;

	return strategy_choose(&h, &route, &query, rng, why);
}


static enum outcome choose_plain(void)
{
	query.plan = NULL;

	return strategy_choose(&h, &route, &query, rng, why);
}


static void expect_order(const char *want)
{
	char got[64] = "";

	for (uint8_t i = 0; i < h.n; i++)
		(void)text_format(got + strlen(got), sizeof(got) - strlen(got),
				  "%u ", h.hops[i]->index);
	cr_expect_str_eq(got, want);
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


Test(strategy, priority_before_weight)
{
	targets[1].weight = 1000;
	targets[1].priority = 2;
	targets[2].priority = 3;
	targets[0].weight = 0;
	for (unsigned i = 0; i < 100; i++) {
		cr_expect_eq(choose_plain(), OUT_OK);
		expect_order("0 1 2 ");
	}
	cr_expect_eq(hunt_next(&h)->index, 0);
	(void)hunt_next(&h);
	(void)hunt_next(&h);
	cr_expect_null(hunt_next(&h));
	cr_expect_null(hunt_next(&h));
}


/* 70, 20, 10: the first hops are shared so, and every hop comes once. */
Test(strategy, weight_shares_the_calls)
{
	unsigned first[3] = {0};

	targets[0].weight = 70;
	targets[1].weight = 20;
	targets[2].weight = 10;
	targets[2].priority = 9; /* the strategy looks at weight alone */
	for (unsigned i = 0; i < 10000; i++) {
		unsigned seen = 0;

		cr_assert_eq(choose(STRATEGY_WEIGHT), OUT_OK);
		cr_assert_eq(h.n, 3);
		first[h.hops[0]->index]++;
		for (uint8_t k = 0; k < h.n; k++)
			seen |= 1u << h.hops[k]->index;
		cr_expect_eq(seen, 7);
	}
	cr_expect(first[0] > 6500 && first[0] < 7500, "%u", first[0]);
	cr_expect(first[1] > 1600 && first[1] < 2500, "%u", first[1]);
	cr_expect(first[2] > 700 && first[2] < 1500, "%u", first[2]);
}


/* RFC 2782: weight 0 has a small chance, not none. */
Test(strategy, weight_zero_is_seldom_first)
{
	unsigned first = 0;

	route.target_n = 2;
	targets[0].weight = 0;
	targets[1].weight = 100;
	for (unsigned i = 0; i < 10000; i++) {
		cr_assert_eq(choose_plain(), OUT_OK);
		first += h.hops[0]->index == 0;
	}
	cr_expect(first > 0 && first < 500, "%u", first);
}


/* Shares are exact in the mean, weight 0 is never first, and the rest follows
   by priority. */
Test(strategy, percentage)
{
	unsigned first[4] = {0};

	route.target_n = 4;
	targets[0].weight = 5;
	targets[1].weight = 95;
	targets[1].priority = 7;
	targets[2].weight = 0;
	targets[2].priority = 2;
	targets[3].weight = 0;
	targets[3].priority = 3;
	for (unsigned i = 0; i < 10000; i++) {
		cr_assert_eq(choose(STRATEGY_PERCENTAGE), OUT_OK);
		first[h.hops[0]->index]++;
		if (h.hops[0]->index == 1)
			expect_order("1 0 2 3 ");
	}
	cr_expect(first[0] > 400 && first[0] < 600, "%u", first[0]);
	cr_expect_eq(first[2] + first[3], 0);

	targets[0].weight = targets[1].weight = 0;
	cr_assert_eq(choose(STRATEGY_PERCENTAGE), OUT_OK);
	expect_order("0 2 3 1 ");
}


Test(strategy, least_cost)
{
	route.target_n = 4;
	cost(0, 30000000);
	cost(1, 10000000);
	cost(2, 20000000);
	targets[1].priority = 5;
	cr_assert_eq(choose(STRATEGY_LCR), OUT_OK);
	expect_order("1 2 0 3 "); /* unknown cost last */

	cr_assert_eq(choose(STRATEGY_PRIORITY_LCR), OUT_OK);
	expect_order("2 0 3 1 ");
}


Test(strategy, equal_cost_by_priority)
{
	cost(0, 10000000);
	cost(1, 10000000);
	cost(2, 5000000);
	targets[0].priority = 2;
	targets[2].priority = 9;
	for (unsigned i = 0; i < 50; i++) {
		cr_assert_eq(choose(STRATEGY_LCR_PRIORITY), OUT_OK);
		expect_order("2 1 0 ");
	}
}


/* A carrier that has no rate for the number does not take it where cost
   matters; a listed but blocked one never. */
Test(strategy, no_rate)
{
	deck_of(0, 1, "33", "EUR");
	cost(1, 2);
	cr_assert_eq(choose(STRATEGY_LCR), OUT_OK);
	expect_order("1 2 ");
	cr_assert_eq(choose(STRATEGY_PRIORITY), OUT_OK);
	cr_expect_eq(h.n, 3);

	route.target_n = 1;
	cr_expect_eq(choose(STRATEGY_LCR), OUT_NO_ROUTE);
}


static void play(unsigned i, unsigned calls, unsigned answered,
		 int64_t pdd_ms, uint64_t talked_ms)
{
	const struct moment now = {.mono_us = 1000000};

	for (unsigned k = 0; k < calls; k++) {
		quality_attempted(quality, &gateways[i], &now, k < answered,
				  pdd_ms);
		if (k < answered)
			quality_talked(quality, gateways[i].id, &now,
				       talked_ms);
	}
}


Test(strategy, quality_then_the_other_key)
{
	route.target_n = 4;
	query.now_ms = 1000;
	play(0, 100, 40, 1000, 60000);
	play(1, 100, 80, 3000, 60000);
	play(2, 100, 82, 1000, 60000); /* the same step of ASR: PDD */
	/* 3: nothing is known against it */
	cr_assert_eq(choose(STRATEGY_QUALITY), OUT_OK);
	expect_order("3 2 1 0 ");

	play(1, 100, 100, 1000, 60000);
	play(2, 100, 100, 1000, 60000);
	play(3, 100, 90, 1000, 60000);
	cost(1, 20);
	cost(2, 10);
	cost(3, 15);
	cost(0, 1);
	cr_assert_eq(choose(STRATEGY_QUALITY_LCR), OUT_OK);
	expect_order("2 3 1 0 ");
}


Test(strategy, margin_floor)
{
	cost(0, 90000000);
	cost(1, 96000000);
	cost(2, 50000000);
	plan.margin_per_min_nano = 5000000;
	cr_assert_eq(choose(STRATEGY_LCR), OUT_OK);
	expect_order("2 0 ");

	plan.margin_percent = 20;
	cr_assert_eq(choose(STRATEGY_LCR), OUT_OK);
	expect_order("2 ");

	plan.margin_per_min_nano = 60000000;
	cr_expect_eq(choose(STRATEGY_PRIORITY), OUT_NO_MARGIN);
	query.is_emergency = true;
	cr_expect_eq(choose(STRATEGY_PRIORITY), OUT_OK);
	query.is_emergency = false;
	query.sell = NULL; /* nothing is sold: nothing can be lost */
	cr_expect_eq(choose(STRATEGY_PRIORITY), OUT_OK);
}


Test(strategy, unknown_cost_has_no_margin)
{
	plan.margin_per_min_nano = 0;
	deck_of(1, 1, "49", "USD");
	cost(2, 100000000);
	cr_assert_eq(choose(STRATEGY_PRIORITY), OUT_OK);
	expect_order("2 ");
	cr_expect_eq(strategy_test(&gateways[0], &query, NULL),
		     OUT_NO_MARGIN);
	cr_expect_eq(strategy_test(&gateways[1], &query, NULL),
		     OUT_NO_MARGIN);
	cr_expect_eq(strategy_test(&gateways[2], &query, NULL), OUT_OK);
	plan.margin_per_min_nano = 1;
	cr_expect_eq(strategy_test(&gateways[2], &query, NULL),
		     OUT_NO_MARGIN);
	query.is_emergency = true;
	cr_expect_eq(strategy_test(&gateways[2], &query, NULL), OUT_OK);
}


Test(strategy, rules_of_the_customer)
{
	const struct carrier_rule blocked = {&trunk, &carriers[1], false};
	const struct carrier_rule only[] = {
		{&tenant, &carriers[0], true}, {&tenant, &carriers[1], true},
	};

	trunk.carriers = (struct carrier_rules){&blocked, 1, false};
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, 2);
	tenant.carriers = (struct carrier_rules){only, 2, true};
	cr_assert_eq(choose_plain(), OUT_OK);
	expect_order("0 ");
	cr_expect(strategy_serves(&gateways[0], &trunk, &tags));
	cr_expect_not(strategy_serves(&gateways[1], &trunk, &tags));
	cr_expect_not(strategy_serves(&gateways[2], &trunk, &tags));
	cr_expect(strategy_serves(&gateways[2], NULL, &tags));
	carriers[0].is_active = false;
	cr_expect_eq(choose_plain(), OUT_NO_ROUTE);
	query.is_emergency = true;
	cr_expect_eq(choose_plain(), OUT_OK);
}


Test(strategy, tags_of_a_gateway)
{
	gateways[0].tags.bits[1] = 4;
	gateways[1].tags.bits[0] = 1;
	tags.bits[1] = 6;
	route.target_n = 2;
	cr_assert_eq(choose_plain(), OUT_OK);
	expect_order("0 ");
}


Test(strategy, who_is_down_is_left_out_unless_all_are)
{
	query.uph = even_is_up;
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, 2);
	cr_expect_eq(h.hops[0]->index % 2 + h.hops[1]->index % 2, 0);

	query.is_emergency = true;
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, 3);
	cr_expect_eq(h.hops[2]->index, 1);

	query.is_emergency = false;
	query.uph = nobody_is_up;
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, 3);
}


Test(strategy, who_is_locked_is_left_out_unless_all_are)
{
	query.now_ms = 1000;
	for (unsigned i = 0; i < 3; i++)
		gateways[i].quality.asr_min = 50;
	play(0, 2, 0, -1, 0);
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, 2);
	play(1, 2, 0, -1, 0);
	play(2, 2, 0, -1, 0);
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, 3);
}


Test(strategy, suspended_is_never_tried)
{
	gateways[0].is_active = false;
	carriers[2].is_active = false;
	query.is_emergency = true;
	cr_assert_eq(choose_plain(), OUT_OK);
	expect_order("1 ");
	carriers[1].is_active = false;
	cr_expect_eq(choose_plain(), OUT_B_DOWN);
	cr_expect_eq(h.n, 0);
}


Test(strategy, attempts_are_bounded)
{
	route.target_n = GATEWAYS;
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, HUNT_MAX);
	route.max_attempts = 3;
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, 3);
	plan.max_attempts = 2;
	cr_assert_eq(choose(STRATEGY_PRIORITY), OUT_OK);
	cr_expect_eq(h.n, 2);
	route.max_attempts = 0; /* not said */
	cr_assert_eq(choose_plain(), OUT_OK);
	cr_expect_eq(h.n, HUNT_MAX);
	route.target_n = 0;
	cr_expect_eq(choose_plain(), OUT_B_DOWN);
}


/* The largest weights there are do not overflow the draw. */
Test(strategy, heavy)
{
	unsigned first[2] = {0};

	route.target_n = GATEWAYS;
	for (unsigned i = 0; i < GATEWAYS; i++)
		targets[i].weight = UINT16_MAX;
	for (unsigned i = 0; i < 1000; i++) {
		cr_assert_eq(choose_plain(), OUT_OK);
		first[h.hops[0]->index >= 32]++;
	}
	cr_expect_gt(first[0], 300u);
	cr_expect_gt(first[1], 300u);
}


/* A group is drawn as one target, its members by their own priority. */
Test(strategy, groups)
{
	unsigned first[4] = {0};

	route.target_n = 4;
	targets[3].weight = 10;
	for (unsigned i = 0; i < 3; i++) {
		targets[i].entry = 0;
		targets[i].weight = 30;
		targets[i].group = "cgr_1";
		targets[i].member_priority = i == 2 ? 2 : 1;
		targets[i].member_weight = i ? 300 : 100;
	}
	for (unsigned i = 0; i < 10000; i++) {
		cr_assert_eq(choose(STRATEGY_PRIORITY), OUT_OK);
		first[h.hops[0]->index]++;
		cr_expect(h.hops[2]->index == 2 || h.hops[3]->index == 2);
	}
	cr_expect(first[3] > 2100 && first[3] < 3000, "%u", first[3]);
	cr_expect(first[0] > 1500 && first[0] < 2300, "%u", first[0]);
	cr_expect_eq(first[2], 0);
}


Test(strategy, every_gateway_has_its_note)
{
	const char *json;

	cr_assert_eq(why_alloc(&why), 0);
	cost(0, 10000000);
	cost(1, 99000000);
	gateways[2].is_active = false;
	plan.margin_per_min_nano = 5000000;
	plan.max_attempts = 1;
	route.target_n = 4;
	cost(3, 20000000);
	cr_assert_eq(choose(STRATEGY_LCR), OUT_OK);
	json = why_json(why);
	cr_expect(strstr(json, "\"outcome\":\"ok\",\"id\":\"gwy_00\","
			       "\"carrier_id\":\"car_00\",\"place\":1"), "%s",
		  json);
	cr_expect(strstr(json, "\"cost_nano\":10000000,\"margin_nano\":"
			       "90000000"), "%s", json);
	cr_expect(strstr(json, "\"outcome\":\"no_margin\",\"id\":\"gwy_01\""),
		  "%s", json);
	cr_expect(strstr(json, "\"dropped\":\"inactive\""), "%s", json);
	cr_expect(strstr(json, "\"dropped\":\"max_attempts\""), "%s", json);
}


Test(margin, of_one_minute)
{
	const struct tariff quarter = {.rate_per_min_nano = 10000000,
				       .connect_fee_micro = 5,
				       .first_ms = 90000, .next_ms = 1000};
	const struct tariff huge = {.rate_per_min_nano = INT64_MAX,
				    .connect_fee_micro = INT64_MAX,
				    .first_ms = 86400000, .next_ms = 1};

	/* 90 s are billed: 1.5 minutes, and the fee */
	cr_expect_eq(margin_minute_nano(&quarter), 15005000);
	cr_expect_eq(margin_minute_nano(&huge), COST_UNKNOWN);
	cr_expect_eq(margin_minute_nano(NULL), COST_UNKNOWN);
}
