/**
 * @file tests/bench/micro.c  What the steps every call takes many times cost:
 * median of several runs, CPU time of this thread.
 *
 *	bench_micro [--json]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <re.h>
#include "htab.h"
#include "moment.h"
#include "token.h"
#include "wheel.h"
#include "why.h"

#define RUNS 7
#define STEPS 200000
#define MANY 1000000

/** As far apart in memory as calls are. */
struct item {
	struct wheel_timer timer;
	struct htab_node node;
	uint64_t id;
	uint8_t rest[320 - sizeof(struct wheel_timer) -
		     sizeof(struct htab_node) - sizeof(uint64_t)];
};

struct bench {
	const char *label, *work;
	void (*step)(struct bench *b, uint32_t r);
};

static struct item *items;
static struct wheel *wheel;
static struct htab *table;
static struct token_mint *mint;
static const uint8_t key[16] = "not a secret...";
static volatile uint64_t sink;


static void nothing(void *arg)
{
	(void)arg;
}


/** Delays as signalling has them: T1, retransmissions, ring, session. */
static uint64_t delay_ms(uint32_t r)
{
	static const uint32_t most[] = {500, 4000, 32000, 180000, 1800000};

	return r % most[(r >> 8) % (sizeof(most) / sizeof(most[0]))];
}


static void step_wheel(struct bench *b, uint32_t r)
{
	(void)b;
	wheel_start(wheel, &items[r % MANY].timer, delay_ms(r), nothing, NULL);
}


static bool is_id(const void *data, const void *id)
{
	const struct item *it = data;

	return it->id == *(const uint64_t *)id;
}


static void step_htab(struct bench *b, uint32_t r)
{
	const uint64_t id = r % MANY;

	(void)b;
	if (!htab_find(table, htab_hash(table, &id, sizeof(id)), is_id, &id))
		abort();
}


static void step_token_next(struct bench *b, uint32_t r)
{
	char buf[TOKEN_SIZE];

	(void)b;
	token_next(mint, r % TOKEN_SHARDS, buf, NULL);
	sink += (uint8_t)buf[0];
}


static void step_token_open(struct bench *b, uint32_t r)
{
	static char buf[TOKEN_SIZE];
	struct token t;

	(void)b;
	(void)r;
	if (!buf[0])
		token_next(mint, 1, buf, NULL);
	if (token_open(mint, buf, TOKEN_LEN, &t))
		abort();
	sink += t.serial;
}


/** The notes of an ordinary call: a route of three carriers, one tried. */
static void step_why(struct bench *b, uint32_t r)
{
	static const char id[] = "gwy_01J9ZK3V5T8QX2M4N6P7R9SAB1";
	static const enum why_step steps[] = {
		WHY_IDENTITY, WHY_NUMBER, WHY_NUMBER, WHY_LIMIT, WHY_CALLER,
		WHY_PLAN, WHY_CANDIDATE, WHY_CANDIDATE, WHY_CANDIDATE,
		WHY_PRICE, WHY_LIMIT, WHY_COST, WHY_ATTEMPT, WHY_END,
	};
	struct why *why = NULL;

	(void)b;
	if (why_alloc(&why))
		abort();
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		WHY(why, steps[i], OUT_OK, id,
		    WHY_TEXT("number", "+493012345678"),
		    WHY_COUNT("used", r % 100), WHY_COUNT("limit", 100),
		    WHY_COUNT("rate_per_min_nano", 12000000),
		    WHY_TEXT("destination", "Germany mobile"));
	sink = strlen(why_json(why));
	mem_deref(why);
}


static void step_siphash(struct bench *b, uint32_t r)
{
	static const char call_id[] = "kq3vbtgu5nqahw2mc4tsp6yd7e@192.0.2.17";

	(void)b;
	(void)r;
	sink += siphash24(key, call_id, sizeof(call_id) - 1);
}


static int set_up(void)
{
	uint64_t i;
	int err;

	items = calloc(MANY, sizeof(*items));
	if (!items)
		return ENOMEM;

	err = wheel_alloc(&wheel, 0);
	err |= htab_alloc(&table, MANY, key);
	err |= token_mint_alloc(&mint, key, 1, 1);
	if (err)
		return err;

	for (i = 0; i < MANY; i++) {
		items[i].id = i;
		htab_insert(table, &items[i].node,
			    htab_hash(table, &i, sizeof(i)), &items[i]);
		wheel_start(wheel, &items[i].timer,
			    delay_ms((uint32_t)(i * 2654435761u)), nothing,
			    NULL);
	}

	return 0;
}


static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}


static double median_ns(struct bench *b)
{
	uint32_t r = 1, i, run;
	double ns[RUNS];
	uint64_t begin;

	for (run = 0; run < RUNS; run++) {
		begin = moment_cpu_ns();
		for (i = 0; i < STEPS; i++) {
			r = r * 1664525 + 1013904223;
			b->step(b, r >> 4);
		}
		ns[run] = (double)(moment_cpu_ns() - begin) / STEPS;
	}

	qsort(ns, RUNS, sizeof(ns[0]), by_value);

	return ns[RUNS / 2];
}


int main(int argc, char *argv[])
{
	static struct bench benches[] = {
		{"wheel_restart", "a random one of 1000000 timers",
		 step_wheel},
		{"htab_find", "a random one of 1000000 entries, hash included",
		 step_htab},
		{"token_next", "26 characters", step_token_next},
		{"token_open", "26 characters", step_token_open},
		{"siphash24", "37 bytes", step_siphash},
		{"why", "the 14 notes of a call, 2 kB", step_why},
	};
	const bool json = argc > 1 && !strcmp(argv[1], "--json");
	size_t i;

	if (set_up()) {
		(void)fputs("bench_micro: no memory\n", stderr);
		return 1;
	}

	for (i = 0; i < sizeof(benches) / sizeof(benches[0]); i++)
		(void)printf(json ? "{\"label\":\"%s\",\"work\":\"%s\","
				    "\"median_ns\":%.1f}\n"
				  : "%-14s %-48s %8.1f ns\n",
			     benches[i].label, benches[i].work,
			     median_ns(&benches[i]));

	mem_deref(mint);
	mem_deref(table);
	mem_deref(wheel);
	free(items);

	return 0;
}
