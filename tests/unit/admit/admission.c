/** @file admission.c  One decision over all levels: all lines or none. */
#include <criterion/criterion.h>
#include <string.h>
#include "admission.h"

static const uint8_t key[16] = {1}, call_id[16] = {2};
static const struct limits none = {-1, -1, -1, -1, -1, 0, 0, 0};
static struct channels *c;
static struct moment now;


static void setup(void)
{
	cr_assert_eq(channels_alloc(&c, key), 0);
	now = (struct moment){.mono_us = 1000000, .wall_us = 1000000};
}


static void teardown(void)
{
	cr_expect(channels_are_exact(c));
	mem_deref(c);
}

TestSuite(admission, .init = setup, .fini = teardown);


static uint32_t used(const char *id, enum channel_measure what)
{
	return channel_used(channel_find(c, channel_hash(c, id), id), what);
}


/* A call of one trunk. */
static enum outcome one(struct admission *a, const struct limits *limits,
			enum channel_dir dir, struct channel_hold *hold)
{
	enum outcome out;

	admission_init(a, false, 80);
	admission_add(a, LEVEL_TRUNK, dir, dir == CHANNEL_OUT, "trk_1",
		      limits, hold);
	out = admission_check(a, c, &now);
	if (out != OUT_OK)
		admission_count(a, c, &now);

	return out == OUT_OK ? admission_take(a, c, &now, call_id) : out;
}


Test(admission, each_limit_of_a_trunk_says_its_name)
{
	struct limits in = none, out = none, total = none;
	struct channel_hold h[4] = {{.line = NULL}};
	struct admission a;

	in.in = 1;
	out.out = 1;
	total.total = 2;
	cr_expect_eq(one(&a, &in, CHANNEL_IN, &h[0]), OUT_OK);
	cr_expect_eq(one(&a, &in, CHANNEL_IN, &h[1]), OUT_LIMIT_IN);
	cr_expect_eq(a.lines[0].used, 1);
	cr_expect_eq(a.lines[0].limit, 1);
	cr_expect_eq(one(&a, &out, CHANNEL_OUT, &h[1]), OUT_OK);
	cr_expect_eq(one(&a, &out, CHANNEL_OUT, &h[2]), OUT_LIMIT_OUT);
	cr_expect_eq(one(&a, &total, CHANNEL_OUT, &h[2]), OUT_LIMIT_TOTAL);
	cr_expect_null(h[2].line); /* a refusal holds nothing */
	channel_release(c, &h[0]);
	channel_release(c, &h[1]);
}


/* What a channel carries, by mode: n in and m out, and is there one more? */
Test(admission, modes)
{
	static const struct {
		uint8_t mode;
		int32_t in, out, total;
		unsigned has_in, has_out;
		bool more_in, more_out;
	} rows[] = {
		{LIMIT_TOTAL, -1, -1, 2, 0, 0, true, true},
		{LIMIT_TOTAL, -1, -1, 2, 1, 0, true, true},
		{LIMIT_TOTAL, -1, -1, 2, 1, 1, false, false},
		{LIMIT_TOTAL, -1, -1, 2, 2, 0, false, false},
		{LIMIT_TOTAL, 1, -1, 3, 1, 0, false, true},
		{LIMIT_IN_OUT, 2, 1, -1, 2, 0, false, true},
		{LIMIT_IN_OUT, 2, 1, -1, 2, 1, false, false},
		{LIMIT_IN_OUT, 2, 1, -1, 0, 1, true, false},
		{LIMIT_PAIRED, -1, -1, 2, 2, 0, false, true},
		{LIMIT_PAIRED, -1, -1, 2, 2, 1, false, true},
		{LIMIT_PAIRED, -1, -1, 2, 2, 2, false, false},
		{LIMIT_PAIRED, -1, -1, 2, 0, 2, true, false},
		{LIMIT_PAIRED, -1, -1, 2, 1, 1, true, true},
		{LIMIT_PAIRED, 1, -1, 2, 1, 0, false, true},
	};
	struct channel_hold h[8];
	struct admission a;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct limits l = none;
		unsigned n = 0, k;

		memset(h, 0, sizeof(h));
		for (k = 0; k < rows[i].has_in; k++)
			cr_expect_eq(one(&a, &none, CHANNEL_IN, &h[n++]),
				     OUT_OK);
		for (k = 0; k < rows[i].has_out; k++)
			cr_expect_eq(one(&a, &none, CHANNEL_OUT, &h[n++]),
				     OUT_OK);
		l.mode = rows[i].mode;
		l.in = rows[i].in;
		l.out = rows[i].out;
		l.total = rows[i].total;
		cr_expect_eq(one(&a, &l, CHANNEL_IN, &h[n]) == OUT_OK,
			     rows[i].more_in, "in, row %zu", i);
		channel_release(c, &h[n]);
		cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[n]) == OUT_OK,
			     rows[i].more_out, "out, row %zu", i);
		for (k = 0; k <= n; k++)
			channel_release(c, &h[k]);
	}
	cr_expect_eq(channel_total(c), 0);
}


Test(admission, burst_is_marked)
{
	struct limits l = none;
	struct channel_hold h[4] = {{.line = NULL}};
	struct admission a;

	l.total = 2;
	l.burst_percent = 50;
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[0]), OUT_OK);
	cr_expect_not(a.lines[0].is_marked);
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[1]), OUT_OK);
	cr_expect_not(a.lines[0].is_marked);
	cr_expect(admission_is_full(&a, &a.lines[0]));
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[2]), OUT_OK);
	cr_expect(a.lines[0].is_marked);
	cr_expect_eq(a.lines[0].outcome, OUT_LIMIT_TOTAL);
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[3]), OUT_LIMIT_TOTAL);
	for (int i = 0; i < 4; i++)
		channel_release(c, &h[i]);
}


Test(admission, action_mark_accepts)
{
	struct limits l = none;
	struct channel_hold h[3] = {{.line = NULL}};
	struct admission a;

	l.out = 0;
	l.cps = 1;
	l.action = LIMIT_MARK;
	for (int i = 0; i < 3; i++) {
		cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[i]), OUT_OK);
		cr_expect(a.lines[0].is_marked);
		cr_expect_eq(a.lines[0].outcome,
			     i ? OUT_LIMIT_CPS : OUT_LIMIT_OUT);
	}
	for (int i = 0; i < 3; i++)
		channel_release(c, &h[i]);
}


/* account, trunk, site: all of them or none, and no call per second of one
   is used up by a refusal of another */
static enum outcome three(struct admission *a, const struct limits *account,
			  const struct limits *trunk,
			  const struct limits *site, struct channel_hold *h)
{
	enum outcome out;

	admission_init(a, false, 80);
	admission_add(a, LEVEL_ACCOUNT, CHANNEL_OUT, true, "acc_1", account,
		      &h[0]);
	admission_add(a, LEVEL_TRUNK, CHANNEL_OUT, true, "trk_1", trunk,
		      &h[1]);
	admission_add(a, LEVEL_SITE, CHANNEL_OUT, true, "sit_1", site, &h[2]);
	out = admission_check(a, c, &now);

	return out == OUT_OK ? admission_take(a, c, &now, call_id) : out;
}


Test(admission, all_or_none)
{
	struct limits account = none, trunk = none, site = none;
	struct channel_hold h[2][3];
	struct admission a;

	memset(h, 0, sizeof(h));
	account.cps = 1;
	site.total = 0;
	for (int i = 0; i < 5; i++) {
		cr_expect_eq(three(&a, &account, &trunk, &site, h[0]),
			     OUT_LIMIT_SITE);
		cr_expect_eq(a.failed, 2);
	}
	cr_expect_eq(channel_total(c), 0);
	cr_expect_null(channel_find(c, channel_hash(c, "acc_1"), "acc_1"),
		       "a check makes no line");

	site.total = 1;
	cr_expect_eq(three(&a, &account, &trunk, &site, h[0]), OUT_OK);
	cr_expect_eq(channel_total(c), 3);
	cr_expect_eq(three(&a, &account, &trunk, &site, h[1]),
		     OUT_LIMIT_CPS);
	cr_expect_eq(a.failed, 0);
	cr_expect_eq(a.wait_us, 1000000);
	now.mono_us += 1000000;
	cr_expect_eq(three(&a, &account, &trunk, &site, h[1]),
		     OUT_LIMIT_SITE);
	cr_expect_eq(channel_total(c), 3);
	for (int i = 0; i < 3; i++)
		channel_release(c, &h[0][i]);
	/* that refusal took no call of the account's second */
	cr_expect_eq(three(&a, &account, &trunk, &site, h[1]), OUT_OK);
	for (int i = 0; i < 3; i++)
		channel_release(c, &h[1][i]);
}


Test(admission, each_level_says_its_name)
{
	static const enum outcome want[LEVEL_N] = {
		[LEVEL_NODE] = OUT_LIMIT_NODE,
		[LEVEL_TENANT] = OUT_LIMIT_RESELLER,
		[LEVEL_ACCOUNT] = OUT_LIMIT_ACCOUNT,
		[LEVEL_TRUNK] = OUT_LIMIT_TOTAL,
		[LEVEL_SITE] = OUT_LIMIT_SITE,
		[LEVEL_NUMBER] = OUT_LIMIT_NUMBER,
		[LEVEL_CARRIER] = OUT_LIMIT_CARRIER,
		[LEVEL_GATEWAY] = OUT_LIMIT_GATEWAY,
	};
	struct limits full = none, narrow = none;
	struct channel_hold h;
	struct admission a;

	full.total = 0;
	narrow.kbps = 79;
	for (int level = 0; level < LEVEL_N; level++) {
		cr_expect_neq(limit_level_name((enum limit_level)level)[0],
			      '?');
		admission_init(&a, false, 80);
		admission_add(&a, (enum limit_level)level, CHANNEL_OUT, false,
			      "x", &full, &h);
		cr_expect_eq(admission_check(&a, c, &now), want[level]);
		admission_init(&a, false, 80);
		admission_add(&a, (enum limit_level)level, CHANNEL_OUT, false,
			      "x", &narrow, &h);
		cr_expect_eq(admission_check(&a, c, &now),
			     OUT_LIMIT_BANDWIDTH);
	}
	cr_expect_str_eq(limit_level_name(LEVEL_N), "?");
}


/* An on-net call within one account needs two of its channels. */
Test(admission, the_same_line_twice)
{
	struct limits l = none;
	struct channel_hold h[2] = {{.line = NULL}};
	struct admission a;

	for (l.total = 1; l.total <= 2; l.total++) {
		admission_init(&a, false, 80);
		admission_add(&a, LEVEL_ACCOUNT, CHANNEL_OUT, true, "acc_1",
			      &l, &h[0]);
		admission_add(&a, LEVEL_ACCOUNT, CHANNEL_IN, false, "acc_1",
			      &l, &h[1]);
		cr_expect_eq(admission_check(&a, c, &now),
			     l.total == 1 ? OUT_LIMIT_ACCOUNT : OUT_OK);
	}
	cr_expect_eq(admission_take(&a, c, &now, call_id), OUT_OK);
	cr_expect_eq(used("acc_1", MEASURE_IN), 1);
	cr_expect_eq(used("acc_1", MEASURE_OUT), 1);
	channel_release(c, &h[0]);
	channel_release(c, &h[1]);
}


Test(admission, emergency_passes_and_is_counted)
{
	const struct limits closed = {0, 0, 0, 0, 0, 0, 0, 0};
	struct channel_hold h = {.line = NULL};
	struct admission a;
	struct channel_use use;

	admission_init(&a, true, 80);
	admission_add(&a, LEVEL_TRUNK, CHANNEL_OUT, true, "trk_1", &closed,
		      &h);
	cr_expect_eq(admission_check(&a, c, &now), OUT_OK);
	cr_expect_neq(a.lines[0].outcome, OUT_OK, "what it passed by is known");
	cr_expect_eq(admission_take(&a, c, &now, call_id), OUT_OK);
	cr_expect_eq(used("trk_1", MEASURE_OUT), 1);
	channel_use(h.line, &use);
	cr_expect_eq(use.refused + use.marked, 0);
	channel_release(c, &h);
}


Test(admission, bandwidth)
{
	struct limits l = none;
	struct channel_hold h[3] = {{.line = NULL}};
	struct admission a;

	l.kbps = 160;
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[0]), OUT_OK);
	cr_expect_eq(one(&a, &l, CHANNEL_IN, &h[1]), OUT_OK);
	cr_expect(admission_is_full(&a, &a.lines[0]));
	cr_expect_eq(one(&a, &l, CHANNEL_IN, &h[2]), OUT_LIMIT_BANDWIDTH);
	/* they agree on a codec that takes less */
	channel_set_kbps(&h[0], 24);
	channel_set_kbps(&h[1], 24);
	cr_expect_eq(one(&a, &l, CHANNEL_IN, &h[2]), OUT_OK);
	for (int i = 0; i < 3; i++)
		channel_release(c, &h[i]);
}


/* A limit that was lowered below what is in use refuses, and never wraps. */
Test(admission, lowered_limit)
{
	struct limits l = none;
	struct channel_hold h[2] = {{.line = NULL}};
	struct admission a;

	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[0]), OUT_OK);
	l.out = 0;
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[1]), OUT_LIMIT_OUT);
	channel_release(c, &h[0]);
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h[1]), OUT_LIMIT_OUT);
}


/* The tightest of the limits that were passed is what is told. */
Test(admission, tightest)
{
	struct limits l = {5, -1, 3, -1, 1000, 0, 0, 0};
	struct channel_hold h = {.line = NULL};
	struct admission a;

	cr_expect_eq(one(&a, &l, CHANNEL_IN, &h), OUT_OK);
	cr_expect_eq(a.lines[0].what, MEASURE_TOTAL);
	cr_expect_eq(a.lines[0].limit, 3);
	channel_release(c, &h);
	l.total = -1;
	l.in = -1;
	l.kbps = -1;
	cr_expect_eq(one(&a, &l, CHANNEL_IN, &h), OUT_OK);
	cr_expect_eq(a.lines[0].limit, UINT32_MAX);
	cr_expect_not(admission_is_full(&a, &a.lines[0]));
	channel_release(c, &h);
}


/* What a call that is not made would hold counts for it, and for nobody
   else. */
Test(admission, a_draft)
{
	struct limits l = none;
	struct channel_hold h = {.line = NULL}, d[2] = {{.line = NULL}};
	struct channels *draft = NULL, *base = c;
	struct admission a;

	l.out = 2;
	l.cps = 2;
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &h), OUT_OK);
	cr_assert_eq(channels_draft(&draft, base), 0);
	now.mono_us += 2000000;
	c = draft;
	cr_expect_eq(used("trk_1", MEASURE_OUT), 1);
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &d[0]), OUT_OK);
	cr_expect_eq(used("trk_1", MEASURE_OUT), 2);
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &d[1]), OUT_LIMIT_OUT);
	l.out = -1;
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &d[1]), OUT_OK);
	channel_release(c, &d[1]);
	/* who has released its channel has called all the same */
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &d[1]), OUT_LIMIT_CPS);
	channel_release(c, &d[0]);
	cr_expect_eq(used("trk_1", MEASURE_OUT), 1);

	c = base;
	mem_deref(draft);
	cr_expect_eq(used("trk_1", MEASURE_OUT), 1);
	l.out = 2;
	cr_expect_eq(one(&a, &l, CHANNEL_OUT, &d[0]), OUT_OK);
	channel_release(c, &d[0]);
	channel_release(c, &h);
}
