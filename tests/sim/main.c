/**
 * @file main.c  sim --seeds N [--from S] [--listed FILE]
 *               sim --seed S [--verbose] [--until STEP]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "log.h"
#include "sim.h"
#include "wiretap.h"

#define SAID_EVERY 500  /* seeds between two lines of progress */
#define TWICE_EVERY 20  /* seeds of which one is run again     */

struct options {
	uint64_t from, n, until;
	const char *listed;     /* file: lines begin with a seed, or #  */
	bool is_verbose;
};

struct totals {
	uint64_t seeds, passed, failed, calls, messages, margins, packages;
};


static void failure_print(const struct world *w)
{
	uint64_t i = w->traced > TRACE_LINES ? w->traced - TRACE_LINES : 0;

	printf("seed %llu, step %llu: %s\n", (unsigned long long)w->seed,
	       (unsigned long long)w->step, w->failure);
	for (; i < w->traced && !w->is_verbose; i++)
		printf("  %s\n", w->trace[i % TRACE_LINES]);
}


static bool seed_run(const struct options *o, uint64_t seed,
		     struct totals *sum, uint64_t *ret_hash)
{
	struct world *w = world_alloc(seed, o->is_verbose, o->until);
	const bool is_right = world_run(w);

	sum->calls += w->calls;
	sum->messages += w->messages;
	sum->margins += plan_model_checked(w->plans);
	sum->packages += package_model_checked(w->packages);
	*ret_hash = w->hash;
	if (!is_right)
		failure_print(w);
	world_free(w);

	return is_right;
}


static bool seed_check(const struct options *o, uint64_t seed,
		       struct totals *sum)
{
	struct totals again = {0};
	uint64_t hash, hash_again;
	const char *fault;
	bool is_right;

	if (seed % TWICE_EVERY || o->is_verbose)
		return seed_run(o, seed, sum, &hash);

	if (wiretap_note())
		return false;
	is_right = seed_run(o, seed, sum, &hash);
	wiretap_seek();
	(void)seed_run(o, seed, &again, &hash_again);
	fault = wiretap_end();
	if (!is_right)
		return false;
	if (hash == hash_again && !fault)
		return true;

	printf("seed %llu: %s\n", (unsigned long long)seed,
	       fault ? fault : "two runs differ, the second intercepted");

	return false;
}


static void seed_count(const struct options *o, uint64_t seed,
		       struct totals *sum)
{
	if (seed_check(o, seed, sum))
		sum->passed++;
	else
		sum->failed++;
	if (0 == ++sum->seeds % SAID_EVERY)
		printf("%llu seeds\n", (unsigned long long)sum->seeds);
	(void)fflush(stdout);
}


/* Those that once failed. */
static int listed_run(const struct options *o, struct totals *sum)
{
	FILE *f = fopen(o->listed, "r");
	char line[512], *end;
	uint64_t seed;

	if (!f) {
		perror(o->listed);
		return -1;
	}
	while (fgets(line, sizeof(line), f)) {
		seed = strtoull(line, &end, 10);
		if (end != line)
			seed_count(o, seed, sum);
	}
	(void)fclose(f);

	return 0;
}


static int options_read(struct options *o, int argc, char *argv[])
{
	static const struct option names[] = {
		{"seeds", required_argument, NULL, 'n'},
		{"from", required_argument, NULL, 'f'},
		{"listed", required_argument, NULL, 'l'},
		{"seed", required_argument, NULL, 's'},
		{"until", required_argument, NULL, 'u'},
		{"verbose", no_argument, NULL, 'v'},
		{NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct options){.from = 1, .n = 1};
	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		switch (c) {

		case 'n':
			o->n = strtoull(optarg, NULL, 10);
			break;
		case 's':
		case 'f':
			o->from = strtoull(optarg, NULL, 10);
			break;
		case 'l':
			o->listed = optarg;
			break;
		case 'u':
			o->until = strtoull(optarg, NULL, 10);
			break;
		case 'v':
			o->is_verbose = true;
			break;
		default:
			return -1;
		}
	}

	return optind == argc ? 0 : -1;
}


int main(int argc, char *argv[])
{
	const time_t begun = time(NULL);
	struct totals sum = {0};
	struct options o;

	if (options_read(&o, argc, argv)) {
		fprintf(stderr, "usage: sim --seeds N [--from S] "
				"[--listed FILE] | "
				"--seed S [--verbose] [--until STEP]\n");
		return 2;
	}
	if (log_open(LOG_ERROR, true))
		return 2;

	if (o.listed && listed_run(&o, &sum))
		return 2;
	for (uint64_t i = 0; i < o.n; i++)
		seed_count(&o, o.from + i, &sum);

	wiretap_free();
	log_close();
	printf("seeds %llu, calls %llu, messages %llu, margins %llu, "
	       "packages %llu, seconds %llu\n"
	       "%llu passed, %llu failed\n", (unsigned long long)sum.seeds,
	       (unsigned long long)sum.calls,
	       (unsigned long long)sum.messages,
	       (unsigned long long)sum.margins,
	       (unsigned long long)sum.packages,
	       (unsigned long long)(time(NULL) - begun),
	       (unsigned long long)sum.passed,
	       (unsigned long long)sum.failed);

	return sum.failed ? 1 : 0;
}
