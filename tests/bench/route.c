/**
 * @file tests/bench/route.c  Bench: one route decision by least cost over 20
 * carriers, each with a deck of its own of 300 000 prefixes, with a margin
 * floor, from the number to the order of gateways; and what the decks take.
 *
 * Every number is decided in three passes and counts with the middle one of its
 * times: what is slow for itself is slow in all of them, an interruption is not
 * (of the slowest hundredth of a pass 1 in 150 was slow in the next). Between
 * two passes over a number are all the others, so that no cache knows it.
 *
 *	bench_route [--json] [DECK.csv]
 *
 * The file's first column is the prefix; without one prefixes are drawn.
 */
#include "json.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "catalog_store.h"
#include "match.h"
#include "moment.h"
#include "prefixes.h"
#include "stopwatch.h"
#include "strategy.h"
#include "text.h"

#define CARRIERS 20
#define DECISIONS 200000
#define NOTED 20000
#define PASSES 3
#define TARGET_MEDIAN_NS 5000
#define TARGET_P99_NS 20000
#define TARGET_BYTES 64

static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct rng *rng;


static void put(const char *kind, const char *id, json_t *row)
{
	char why[128];

	if (!row || catalog_store_put(store, kind, id, 1, row, why,
				      sizeof(why))) {
		(void)fprintf(stderr, "bench_route: %s: %s\n", id, why);
		exit(2);
	}
	json_decref(row);
}


static void fill_carrier(int i, json_t *targets)
{
	struct rate rate = {.tariff = {.first_ms = 1000, .next_ms = 1000},
			    .to_ms = INT64_MAX};
	char deck[16], carrier[16], gateway[16], address[32];

	(void)text_format(deck, sizeof(deck), "dck_%02d", i);
	(void)text_format(carrier, sizeof(carrier), "car_%02d", i);
	(void)text_format(gateway, sizeof(gateway), "gwy_%02d", i);
	(void)text_format(address, sizeof(address), "192.0.2.%d", i + 1);
	put("rate_deck", deck, json_pack("{sssssi}", "currency", "EUR",
					 "status", "active", "rate_version",
					 1));
	for (size_t k = 0; k < prefixes_count(); k++) {
		rate.tariff.rate_per_min_nano =
			(int64_t)rng_below(rng, 50000) * 1000;
		(void)text_copy(rate.prefix, sizeof(rate.prefix),
				prefixes_at(k));
		(void)text_format(rate.destination, sizeof(rate.destination),
				  "Destination %.5s", prefixes_at(k));
		if (catalog_store_put_rate(store, deck, &rate))
			exit(2);
	}
	put("carrier", carrier, json_pack("{ssssss}", "name", carrier,
					  "rate_deck_id", deck, "status",
					  "active"));
	put("gateway", gateway,
	    json_pack("{sssssssi}", "carrier_id", carrier, "status", "active",
		      "address", address, "port", 5060));
	(void)json_array_append_new(
		targets, json_pack("{sssisi}", "gateway_id", gateway,
				   "priority", 1, "weight", 100));
}


static void fill(void)
{
	json_t *targets = json_array();

	put("routing_plan", "pln_1",
	    json_pack("{sssssssisi}", "name", "P", "status", "active",
		      "strategy", "lcr_priority", "max_attempts", 10,
		      "margin_percent", 10));
	put("tenant", "ten_1", json_pack("{ssss}", "status", "active",
					 "routing_plan_id", "pln_1"));
	put("account", "acc_1",
	    json_pack("{ssssssss}", "tenant_id", "ten_1", "currency", "EUR",
		      "status", "active", "type", "prepaid"));
	put("trunk", "trk_1", json_pack("{ssssss}", "tenant_id", "ten_1",
					"account_id", "acc_1", "status",
					"active"));
	for (int i = 0; i < CARRIERS; i++)
		fill_carrier(i, targets);
	put("route", "rte_1",
	    json_pack("{ssssssssso}", "kind", "prefix", "prefix", "",
		      "status", "active", "plan_id", "pln_1", "targets",
		      targets));
	if (catalog_store_publish(store, slot))
		exit(2);
}


/* The same steps as call_route(): route, prices, margins, order */
static uint8_t decide(const struct catalog *cat, const struct trunk *trunk,
		      const char *digits, const struct quality *quality,
		      struct why *why)
{
	static const struct price sell = {
		.tariff = {60000000, 0, 1000, 1000},
		.cap_micro = PRICE_NO_CAP, .exchange_nano = EXCHANGE_SAME,
		.step_n = 1, .steps = {{60000000, 0, 1000, 0}},
	};
	const struct match_query match = {
		.plan = match_plan(trunk), .tenant = trunk->tenant,
		.called = digits, .calling = "493012345",
		.tags = &trunk->tags, .wall_ms = 1,
	};
	const struct strategy_call query = {
		.plan = match.plan, .trunk = trunk, .tags = &trunk->tags,
		.digits = digits, .wall_ms = 1, .sell = &sell,
		.currency = "EUR", .quality = quality,
	};
	const struct route *route = match_route(cat, &match, why);
	struct hunt hunt;

	return route && OUT_OK == strategy_choose(&hunt, route, &query, rng,
						  why)
		       ? hunt.n : 0;
}


/* One pass. @return sum of hops, so that nothing is left out by the compiler */
static uint64_t measure(const struct stopwatch *s, uint32_t *ns, size_t n,
			bool is_noted)
{
	struct rng *numbers; /* the same in every pass */
	struct snapshot *snap = snapshot_acquire(slot);
	const struct catalog *cat = snapshot_data(snap);
	const struct trunk *trunk = catalog_trunk(cat, "trk_1");
	struct quality *quality;
	uint64_t hops = 0;

	if (quality_alloc(&quality, NULL, NULL) || rng_seeded(&numbers, 2))
		exit(2);
	for (size_t i = 0; i < n; i++) {
		struct why *why = NULL;
		char digits[24];
		uint64_t begin;

		prefixes_number(digits, numbers);
		if (is_noted && why_alloc(&why))
			exit(2);
		begin = s->now_ns();
		hops += decide(cat, trunk, digits, quality, why);
		ns[i] = stopwatch_since(s, begin);
		mem_deref(why);
	}
	mem_deref(quality);
	mem_deref(numbers);
	snapshot_release(snap);

	return hops;
}


static uint32_t middle(uint32_t a, uint32_t b, uint32_t c)
{
	const uint32_t low = a < b ? a : b, high = a < b ? b : a;

	return c < low ? low : c > high ? high : c;
}


/* @param ns  of each number, the middle one of its passes
   @return hops of a decision */
static double measure_passes(uint32_t ns[DECISIONS], size_t n, bool is_noted)
{
	static uint32_t passes[PASSES][DECISIONS];
	struct stopwatch wall;
	uint64_t hops = 0;

	stopwatch_wall(&wall);
	for (size_t i = 0; i < PASSES; i++)
		hops = measure(&wall, passes[i], n, is_noted);
	for (size_t i = 0; i < n; i++)
		ns[i] = middle(passes[0][i], passes[1][i], passes[2][i]);

	return (double)hops / (double)n;
}


static double bytes_per_rate(void)
{
	struct snapshot *snap = snapshot_acquire(slot);
	const struct catalog *cat = snapshot_data(snap);
	size_t bytes = 0, rates = 0;

	for (uint32_t i = 0; i < catalog_gateway_count(cat); i++) {
		const struct deck *deck =
			catalog_gateway_at(cat, i)->carrier->deck;

		bytes += deck_bytes(deck);
		rates += deck_count(deck);
	}
	snapshot_release(snap);

	return (double)bytes / (double)rates;
}


int main(int argc, char *argv[])
{
	static uint32_t ns[DECISIONS];
	const bool json = argc > 1 && !strcmp(argv[1], "--json");
	const char *file = argc > 1 + json ? argv[1 + json] : NULL;
	uint32_t median, p99, noted;
	double bytes, hops;

	if (rng_seeded(&rng, 1) || catalog_store_alloc(&store) ||
	    snapshot_slot_alloc(&slot))
		return 2;
	prefixes_fill(file, rng);
	fill();

	hops = measure_passes(ns, DECISIONS, false);
	median = percentile(ns, DECISIONS, 50);
	p99 = percentile(ns, DECISIONS, 99);
	(void)measure_passes(ns, NOTED, true);
	noted = percentile(ns, NOTED, 50);
	bytes = bytes_per_rate();
	(void)printf(json ? "{\"prefixes\":%zu,\"carriers\":%d,\"hops\":%.1f,"
			    "\"median_ns\":%u,\"p99_ns\":%u,"
			    "\"noted_median_ns\":%u,\"bytes\":%.1f}\n"
			  : "%zu prefixes x %d carriers, %.1f gateways left: "
			    "median %u ns, p99 %u ns; with the notes of the "
			    "decision %u ns; %.1f bytes per prefix and "
			    "carrier\n",
		     prefixes_count(), CARRIERS, hops, median, p99, noted,
		     bytes);

	snapshot_slot_free(slot);
	mem_deref(store);
	mem_deref(rng);

	return median > TARGET_MEDIAN_NS || p99 > TARGET_P99_NS ||
	       bytes > TARGET_BYTES;
}
