/**
 * @file tests/bench/deck.c  Bench: decks of 300 000 prefixes, 50 of them as
 * vendors have: how long one takes to build, what it holds, how long a lookup
 * waits, what a build beside it costs those who look up, and that memory comes
 * back.
 *
 * The decks of a call's carriers are asked all at once, so that they wait for
 * memory together: the share of one is judged. One alone, of 4 MiB that no
 * cache holds, waits for three or four lines after each other.
 *
 *	bench_deck [DECK.csv]
 *
 * The file's first column is the prefix; without one prefixes are drawn.
 */
#include <malloc.h>
#include <pthread.h>
#include <re.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "deck.h"
#include "moment.h"
#include "prefixes.h"
#include "rng.h"
#include "stopwatch.h"
#include "text.h"

#define DECKS 50
#define LOOKUPS 200000
#define LOOKUPS_ALL 20000
#define TARGET_LOOKUP_NS 200

static struct rng *rng;
static struct deck *decks[DECKS];
static atomic_bool is_building;


static struct deck *build(uint64_t version)
{
	struct rate rate = {.tariff = {.first_ms = 1000, .next_ms = 1000},
			    .to_ms = INT64_MAX};
	struct deck_builder *b;
	struct deck *d = NULL;
	int err;

	err = deck_builder_alloc(&b, "dck_1", version, "EUR",
				 (struct rounding){ROUND_UP, 4, 0, 0});
	for (size_t i = 0; i < prefixes_count() && !err; i++) {
		/* a price for every tenth prefix, as sheets have */
		rate.tariff.rate_per_min_nano =
			(int64_t)((i / 10 * 2654435761u + version) % 5000) *
			100000;
		(void)text_copy(rate.prefix, sizeof(rate.prefix),
				prefixes_at(i));
		(void)text_format(rate.destination, sizeof(rate.destination),
				  "Destination %.5s", prefixes_at(i));
		err = deck_builder_add(b, &rate);
	}
	if (!err)
		err = deck_build(&d, b);
	mem_deref(b);
	if (err) {
		(void)fprintf(stderr, "bench_deck: %s\n", strerror(err));
		exit(2);
	}

	return d;
}


static double resident_mib(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	const double page = 1.0 * (size_t)getpagesize();
	unsigned long size = 0, pages = 0;

	if (!f || 2 != fscanf(f, "%lu %lu", &size, &pages))
		exit(2);
	(void)fclose(f);

	return (double)pages * page / (1 << 20);
}


/* In one deck, as every call of a trunk does */
static uint32_t look_up(const struct stopwatch *s, unsigned pct)
{
	static uint32_t ns[LOOKUPS];
	char digits[24];
	struct rate rate;

	for (size_t i = 0; i < LOOKUPS; i++) {
		uint64_t begin;

		prefixes_number(digits, rng);
		begin = s->now_ns();
		(void)deck_find(decks[0], digits, 1, &rate);
		ns[i] = stopwatch_since(s, begin);
	}

	return percentile(ns, LOOKUPS, pct);
}


/* In all of them at once, as a decision by cost does: a deck's share. */
static uint32_t look_up_all(const struct stopwatch *s)
{
	static uint32_t ns[LOOKUPS_ALL];
	struct deck_price found[DECKS];
	char digits[24];

	for (size_t i = 0; i < LOOKUPS_ALL; i++) {
		uint64_t begin;

		prefixes_number(digits, rng);
		begin = s->now_ns();
		deck_find_many((const struct deck *const *)decks, DECKS,
			       digits, 1, found);
		ns[i] = stopwatch_since(s, begin) / DECKS;
	}

	return percentile(ns, LOOKUPS_ALL, 50);
}


static void *build_beside(void *arg)
{
	(void)arg;
	while (atomic_load(&is_building))
		deck_unref(build(99));

	return NULL;
}


int main(int argc, char *argv[])
{
	uint32_t median, p99, beside_median, beside_p99, share;
	struct stopwatch wall, cpu;
	double before, held, after;
	size_t bytes = 0, rows;
	uint64_t begin;
	pthread_t thread;

	if (rng_seeded(&rng, 1))
		return 2;
	prefixes_fill(argc > 1 ? argv[1] : NULL, rng);
	rows = prefixes_count();
	stopwatch_wall(&wall);
	stopwatch_cpu(&cpu);

	before = resident_mib();
	begin = moment_cpu_ns();
	for (size_t i = 0; i < DECKS; i++) {
		decks[i] = build(i);
		bytes += deck_bytes(decks[i]);
	}
	(void)printf("%d decks of %zu prefixes: %.0f ms of CPU each, %.1f "
		     "bytes per prefix\n", DECKS, rows,
		     (double)(moment_cpu_ns() - begin) / DECKS / 1e6,
		     (double)bytes / DECKS / (double)rows);
	held = resident_mib();

	median = look_up(&wall, 50);
	p99 = look_up(&cpu, 99);
	atomic_store(&is_building, true);
	if (pthread_create(&thread, NULL, build_beside, NULL))
		return 2;
	beside_median = look_up(&wall, 50);
	beside_p99 = look_up(&cpu, 99);
	atomic_store(&is_building, false);
	(void)pthread_join(thread, NULL);
	share = look_up_all(&wall);
	(void)printf("a lookup: in all at once %u ns each; in one alone median "
		     "%u ns, p99 %u ns, while a deck is built %u ns, %u ns\n",
		     share, median, p99, beside_median, beside_p99);

	for (size_t i = 0; i < DECKS; i++)
		deck_unref(decks[i]);
	(void)malloc_trim(0);
	after = resident_mib();
	(void)printf("resident: %.0f MiB before, %.0f with all decks, %.0f "
		     "when they are gone\n", before, held, after);
	mem_deref(rng);

	return share > TARGET_LOOKUP_NS || beside_p99 > 2 * p99 ||
	       after > before + (held - before) / 10;
}
