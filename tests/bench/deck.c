/**
 * @file tests/bench/deck.c  Bench: decks of 300 000 prefixes, 50 of them as
 * vendors have: how long one takes to build, what it holds, how long a lookup
 * waits, what a build beside it costs those who look up, and that memory comes
 * back.
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
#include "rng.h"
#include "text.h"

#define DECKS 50
#define PREFIXES 300000
#define LOOKUPS 200000
#define BATCH 20 /* of lookups between two readings of the clock */
#define TARGET_LOOKUP_NS 200

static char (*prefixes)[RATE_PREFIX_MAX + 1];
static size_t prefix_n;
static struct rng *rng;
static struct deck *decks[DECKS];
static atomic_bool is_building;


static void prefix_add(const char *text, size_t len)
{
	if (prefix_n < PREFIXES && len && len <= RATE_PREFIX_MAX &&
	    strspn(text, "0123456789") >= len)
		(void)text_set(prefixes[prefix_n++], sizeof(*prefixes), text,
			       len);
}


static void prefixes_read(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[512];

	if (!f) {
		perror(file);
		exit(2);
	}
	while (fgets(line, sizeof(line), f))
		prefix_add(line, strcspn(line, ","));
	(void)fclose(f);
}


static void prefixes_draw(void)
{
	char text[16];

	for (uint32_t code = 100; code < 1000; code++) {
		for (uint32_t n = 0; n < 600; n++) {
			if (rng_below(rng, 100) >= 56)
				continue;
			(void)text_format(text, sizeof(text), "%u%03u%u",
					  code, n / 10 * 16, n % 10);
			prefix_add(text, strlen(text));
		}
	}
}


static struct deck *build(uint64_t version)
{
	struct rate rate = {.tariff = {.first_ms = 1000, .next_ms = 1000},
			    .to_ms = INT64_MAX};
	struct deck_builder *b;
	struct deck *d = NULL;
	int err;

	err = deck_builder_alloc(&b, "dck_1", version, "EUR",
				 (struct rounding){ROUND_UP, 4, 0, 0});
	for (size_t i = 0; i < prefix_n && !err; i++) {
		/* a price for every tenth prefix, as sheets have */
		rate.tariff.rate_per_min_nano =
			(int64_t)((i / 10 * 2654435761u + version) % 5000) *
			100000;
		(void)text_copy(rate.prefix, sizeof(rate.prefix),
				prefixes[i]);
		(void)text_format(rate.destination, sizeof(rate.destination),
				  "Destination %.5s", prefixes[i]);
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


static int ns_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}


/* In one deck, as every call of a trunk does, on this thread's CPU clock; each
   figure is a batch's mean. */
static void look_up(uint32_t *ret_median, uint32_t *ret_p99)
{
	static uint32_t ns[LOOKUPS / BATCH];
	static char digits[BATCH][24];
	struct rate rate;

	for (size_t i = 0; i < LOOKUPS / BATCH; i++) {
		const struct deck *d = decks[0];
		uint64_t begin;

		for (size_t k = 0; k < BATCH; k++)
			(void)text_format(digits[k], sizeof(digits[k]),
					  "%.9s%05u",
					  prefixes[rng_below(
						  rng, (uint32_t)prefix_n)],
					  rng_below(rng, 100000));
		begin = moment_cpu_ns();
		for (size_t k = 0; k < BATCH; k++)
			(void)deck_find(d, digits[k], 1, &rate);
		ns[i] = (uint32_t)((moment_cpu_ns() - begin) / BATCH);
	}
	qsort(ns, LOOKUPS / BATCH, sizeof(*ns), ns_compare);
	*ret_median = ns[LOOKUPS / BATCH / 2];
	*ret_p99 = ns[LOOKUPS / BATCH / 100 * 99];
}


/* In all of them at once, as a decision by cost does: a deck's share. */
static uint32_t look_up_all(void)
{
	static uint32_t ns[LOOKUPS / BATCH];
	struct deck_price found[DECKS];
	char digits[24];

	for (size_t i = 0; i < LOOKUPS / BATCH; i++) {
		uint64_t begin;

		(void)text_format(digits, sizeof(digits), "%.9s%05u",
				  prefixes[rng_below(rng,
						     (uint32_t)prefix_n)],
				  rng_below(rng, 100000));
		begin = moment_cpu_ns();
		deck_find_many((const struct deck *const *)decks, DECKS,
			       digits, 1, found);
		ns[i] = (uint32_t)((moment_cpu_ns() - begin) / DECKS);
	}
	qsort(ns, LOOKUPS / BATCH, sizeof(*ns), ns_compare);

	return ns[LOOKUPS / BATCH / 2];
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
	uint32_t median, p99, beside_median, beside_p99;
	double before, held, after;
	size_t bytes = 0;
	uint64_t begin;
	pthread_t thread;

	prefixes = calloc(PREFIXES, sizeof(*prefixes));
	if (!prefixes || rng_seeded(&rng, 1))
		return 2;
	if (argc > 1)
		prefixes_read(argv[1]);
	else
		prefixes_draw();

	before = resident_mib();
	begin = moment_cpu_ns();
	for (size_t i = 0; i < DECKS; i++) {
		decks[i] = build(i);
		bytes += deck_bytes(decks[i]);
	}
	(void)printf("%d decks of %zu prefixes: %.0f ms of CPU each, %.1f "
		     "bytes per prefix\n", DECKS, prefix_n,
		     (double)(moment_cpu_ns() - begin) / DECKS / 1e6,
		     (double)bytes / DECKS / (double)prefix_n);
	held = resident_mib();

	look_up(&median, &p99);
	atomic_store(&is_building, true);
	if (pthread_create(&thread, NULL, build_beside, NULL))
		return 2;
	look_up(&beside_median, &beside_p99);
	atomic_store(&is_building, false);
	(void)pthread_join(thread, NULL);
	(void)printf("a lookup: median %u ns, p99 %u ns; while a deck is "
		     "built: %u ns, %u ns; in all at once %u ns each\n", median,
		     p99, beside_median, beside_p99, look_up_all());

	for (size_t i = 0; i < DECKS; i++)
		deck_unref(decks[i]);
	(void)malloc_trim(0);
	after = resident_mib();
	(void)printf("resident: %.0f MiB before, %.0f with all decks, %.0f "
		     "when they are gone\n", before, held, after);
	mem_deref(rng);
	free(prefixes);

	return median > TARGET_LOOKUP_NS || beside_p99 > 2 * p99 ||
	       after > before + (held - before) / 10;
}
