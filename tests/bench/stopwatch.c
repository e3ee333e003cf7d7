/** @file tests/bench/stopwatch.c  See stopwatch.h. */
#include <stdlib.h>
#include <time.h>
#include "moment.h"
#include "stopwatch.h"

#define READINGS 10001


static uint64_t wall_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}


static int ns_compare(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}


uint32_t percentile(uint32_t *ns, size_t n, unsigned pct)
{
	qsort(ns, n, sizeof(*ns), ns_compare);

	return ns[n * pct / 100];
}


static void calibrate(struct stopwatch *s)
{
	static uint32_t ns[READINGS];

	s->own_ns = 0;
	for (size_t i = 0; i < READINGS; i++)
		ns[i] = stopwatch_since(s, s->now_ns());

	/* rather too little than too much is taken off */
	s->own_ns = percentile(ns, READINGS, 5);
}


void stopwatch_wall(struct stopwatch *s)
{
	s->now_ns = wall_ns;
	calibrate(s);
}


void stopwatch_cpu(struct stopwatch *s)
{
	s->now_ns = moment_cpu_ns;
	calibrate(s);
}


uint32_t stopwatch_since(const struct stopwatch *s, uint64_t begin)
{
	const uint64_t ns = s->now_ns() - begin;

	return ns > s->own_ns ? (uint32_t)(ns - s->own_ns) : 0;
}
