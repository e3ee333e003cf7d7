/**
 * @file tests/bench/admit.c  One admission decision over all levels with
 * 100,000 live calls: collect, check and take of ten lines. CPU time of this
 * thread; the release is not counted. Who calls and who is called has been read
 * before, as routing does; the lines and their other holders have not.
 *
 *	bench_admit [--json] [--no-target]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admission.h"

enum {
	LIVE = 100000, LINES = 10, BATCH = 20, BATCHES = 20000,
	RESELLERS = 20, TENANTS = 1000, ACCOUNTS = 1200, TRUNKS = 2000,
	SITES = 3000, NUMBERS = 50000, CARRIERS = 20, GATEWAYS = 60,
};

#define TARGET_NS 2000

/** As far apart in memory as calls are. */
struct live {
	uint8_t id[16];
	struct channel_hold holds[LINES];
	uint8_t rest[4096];
};

/** Rows of one level: ids and limits as the catalog holds them. */
struct rows {
	enum limit_level level;
	uint32_t n;
	const char *form;
	struct row {
		char id[ID_SIZE];
		struct limits limits;
	} *rows;
};

static struct rows world[LINES] = {
	{LEVEL_NODE, 1, "node", NULL},
	{LEVEL_TENANT, TENANTS, "ten_%026u", NULL},
	{LEVEL_TENANT, RESELLERS, "ten_r%025u", NULL},
	{LEVEL_ACCOUNT, ACCOUNTS, "acc_%026u", NULL},
	{LEVEL_TRUNK, TRUNKS, "trk_%026u", NULL},
	{LEVEL_SITE, SITES, "sit_%026u", NULL},
	{LEVEL_NUMBER, NUMBERS, "did_%026u", NULL},
	{LEVEL_ACCOUNT, ACCOUNTS, "acc_to%024u", NULL},
	{LEVEL_CARRIER, CARRIERS, "car_%026u", NULL},
	{LEVEL_GATEWAY, GATEWAYS, "gwy_%026u", NULL},
};
static struct live *calls;
static struct channels *channels;
static struct moment now;
static uint32_t seed = 1;
static volatile size_t sink;


static uint32_t draw(uint32_t n)
{
	seed = seed * 1664525 + 1013904223;

	return (seed >> 8) % n;
}


static int set_up(void)
{
	static const uint8_t key[16] = "not a secret...";

	for (unsigned i = 0; i < LINES; i++) {
		struct rows *r = &world[i];

		r->rows = calloc(r->n, sizeof(*r->rows));
		if (!r->rows)
			return ENOMEM;
		for (uint32_t k = 0; k < r->n; k++) {
			(void)snprintf(r->rows[k].id, ID_SIZE, r->form, k);
			r->rows[k].limits = (struct limits){
				.in = 1000000, .out = 1000000,
				.total = 1000000, .cps = 1000000,
				.kbps = INT32_MAX,
			};
		}
	}
	calls = calloc(LIVE, sizeof(*calls));

	return calls ? channels_alloc(&channels, key) : ENOMEM;
}


/* The rows of a call, read once. */
static void read_rows(const struct row *rows[LINES])
{
	for (unsigned i = 0; i < LINES; i++) {
		rows[i] = &world[i].rows[draw(world[i].n)];
		sink += (size_t)rows[i]->id[ID_SIZE - 4] +
			(size_t)rows[i]->limits.action;
	}
}


static void begin(struct live *call, const struct row *const rows[LINES])
{
	struct admission a;

	admission_init(&a, false, 80);
	for (unsigned i = 0; i < LINES; i++) {
		const struct row *row = rows[i];

		admission_add(&a, world[i].level,
			      i == 6 || i == 7 ? CHANNEL_IN : CHANNEL_OUT,
			      true, row->id, &row->limits, &call->holds[i]);
	}
	if (admission_check(&a, channels, &now) != OUT_OK ||
	    admission_take(&a, channels, &now, call->id) != OUT_OK)
		abort();
}


static void end(struct live *call)
{
	for (unsigned i = 0; i < LINES; i++)
		channel_release(channels, &call->holds[i]);
}


static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}


int main(int argc, char *argv[])
{
	static const struct row *rows[BATCH][LINES];
	static double ns[BATCHES];
	bool is_json = false, is_judged = true;
	uint32_t at[BATCH];

	for (int i = 1; i < argc; i++) {
		is_json |= !strcmp(argv[i], "--json");
		is_judged &= strcmp(argv[i], "--no-target") != 0;
	}
	if (set_up()) {
		(void)fputs("bench_admit: no memory\n", stderr);
		return 2;
	}

	now.mono_us = 1;
	for (uint32_t i = 0; i < LIVE; i++) {
		now.mono_us += 1000;
		read_rows(rows[0]);
		begin(&calls[i], rows[0]);
	}
	for (uint32_t b = 0; b < BATCHES; b++) {
		const uint32_t first = draw(LIVE);
		uint64_t began;

		now.mono_us += 1000;
		for (unsigned i = 0; i < BATCH; i++) {
			at[i] = (first + i * 4999) % LIVE;
			end(&calls[at[i]]);
			read_rows(rows[i]);
		}
		began = moment_cpu_ns();
		for (unsigned i = 0; i < BATCH; i++)
			begin(&calls[at[i]], rows[i]);
		ns[b] = (double)(moment_cpu_ns() - began) / BATCH;
	}
	qsort(ns, BATCHES, sizeof(ns[0]), by_value);

	(void)printf(is_json ? "{\"label\":\"admit\",\"lines\":%d,\"live\":%zu,"
			       "\"median_ns\":%.0f,\"p99_ns\":%.0f}\n"
			     : "admit: %d lines, %zu channels of 100000 live "
			       "calls: median %.0f ns, p99 %.0f ns\n", LINES,
		     channel_total(channels), ns[BATCHES / 2],
		     ns[BATCHES * 99 / 100]);

	return is_judged && ns[BATCHES / 2] > TARGET_NS;
}
