/** @file channel.c  The count in use is who holds; rates are exact. */
#include <criterion/criterion.h>
#include <string.h>
#include "channel.h"

#define SECOND_US 1000000u

static const uint8_t key[16] = {1}, call_id[16] = {2};
static const struct channel_limits free_limits = {-1, -1, -1, -1};


static struct channels *channels(void)
{
	struct channels *c = NULL;

	cr_assert_eq(channels_alloc(&c, key), 0);

	return c;
}


static enum outcome take(struct channels *c, struct channel_hold *hold,
			 enum channel_dir dir,
			 const struct channel_limits *limits, uint64_t us)
{
	const struct moment now = {.mono_us = us};

	return channel_take(c, hold, "trk_1", dir, limits, &now, call_id);
}


Test(channel, a_check_says_what_taking_would_and_takes_nothing)
{
	const struct channel_limits full = {-1, 0, -1, -1};
	const struct channel_limits one_a_second = {-1, -1, -1, 1};
	const struct moment now = {.mono_us = 1};
	struct channel_hold h[2] = {{.line = NULL}};
	struct channels *c = channels();

	cr_expect_eq(channel_check(c, "trk_1", CHANNEL_OUT, &full, &now),
		     OUT_LIMIT_OUT);
	cr_expect_eq(channel_check(c, "trk_1", CHANNEL_OUT, NULL, &now),
		     OUT_OK);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(channel_check(c, "trk_1", CHANNEL_OUT,
					   &one_a_second, &now), OUT_OK);

	cr_expect_eq(take(c, &h[0], CHANNEL_OUT, &one_a_second, 1), OUT_OK);
	cr_expect_eq(channel_check(c, "trk_1", CHANNEL_OUT, &one_a_second,
				   &now), OUT_LIMIT_CPS);
	cr_expect_eq(take(c, &h[1], CHANNEL_OUT, &one_a_second, 1),
		     OUT_LIMIT_CPS);
	cr_expect_eq(channel_total(c), 1);

	channel_release(c, &h[0]);
	mem_deref(c);
}


Test(channel, each_limit_says_its_name)
{
	const struct channel_limits in = {1, -1, -1, -1};
	const struct channel_limits out = {-1, 1, -1, -1};
	const struct channel_limits total = {-1, -1, 2, -1};
	struct channel_hold h[4] = {{.line = NULL}};
	struct channels *c = channels();

	cr_expect_eq(take(c, &h[0], CHANNEL_IN, &in, 1), OUT_OK);
	cr_expect_eq(take(c, &h[1], CHANNEL_IN, &in, 1), OUT_LIMIT_IN);
	cr_expect_eq(take(c, &h[1], CHANNEL_OUT, &out, 1), OUT_OK);
	cr_expect_eq(take(c, &h[2], CHANNEL_OUT, &out, 1), OUT_LIMIT_OUT);
	cr_expect_eq(take(c, &h[2], CHANNEL_OUT, &total, 1),
		     OUT_LIMIT_TOTAL);
	cr_expect_eq(channel_used(c, "trk_1", CHANNEL_IN), 1);
	cr_expect_eq(channel_used(c, "trk_1", CHANNEL_OUT), 1);
	cr_expect_null(h[2].line); /* a refusal holds nothing */

	/* an emergency call passes by all of them, and is counted */
	cr_expect_eq(take(c, &h[3], CHANNEL_OUT, NULL, 1), OUT_OK);
	cr_expect_eq(channel_used(c, "trk_1", CHANNEL_OUT), 2);

	for (size_t i = 0; i < ARRAY_SIZE(h); i++)
		channel_release(c, &h[i]);
	cr_expect_eq(channel_total(c), 0);
	mem_deref(c);
}


Test(channel, release_is_idempotent)
{
	struct channel_hold a = {.line = NULL}, b = {.line = NULL};
	struct channels *c = channels();

	cr_assert_eq(take(c, &a, CHANNEL_OUT, &free_limits, 1), OUT_OK);
	cr_assert_eq(take(c, &b, CHANNEL_OUT, &free_limits, 1), OUT_OK);
	channel_release(c, &a);
	channel_release(c, &a);
	cr_expect_eq(channel_used(c, "trk_1", CHANNEL_OUT), 1);
	cr_expect_eq(channel_total(c), 1);
	channel_release(c, &b);
	cr_expect_eq(channel_total(c), 0);
	mem_deref(c);
}


/* A limit that was lowered below what is in use refuses, and never wraps. */
Test(channel, lowered_limit)
{
	const struct channel_limits none = {-1, 0, -1, -1};
	struct channel_hold a = {.line = NULL}, b = {.line = NULL};
	struct channels *c = channels();

	cr_assert_eq(take(c, &a, CHANNEL_OUT, &free_limits, 1), OUT_OK);
	cr_expect_eq(take(c, &b, CHANNEL_OUT, &none, 1), OUT_LIMIT_OUT);
	channel_release(c, &a);
	cr_expect_eq(take(c, &b, CHANNEL_OUT, &none, 1), OUT_LIMIT_OUT);
	mem_deref(c);
}


/* Ten a second: ten at once, then one every 100 ms, whatever the phase. */
Test(channel, calls_per_second)
{
	const struct channel_limits ten = {-1, -1, -1, 10};
	struct channel_hold h = {.line = NULL};
	struct channels *c = channels();
	uint64_t us = 12345;
	unsigned n = 0;

	for (unsigned i = 0; i < 20; i++) {
		n += take(c, &h, CHANNEL_OUT, &ten, us) == OUT_OK;
		channel_release(c, &h);
	}
	cr_expect_eq(n, 10);
	cr_expect_eq(take(c, &h, CHANNEL_OUT, &ten, us), OUT_LIMIT_CPS);
	cr_expect_null(h.line);

	/* over a long time the rate holds */
	n = 0;
	for (us += SECOND_US; us < 11 * SECOND_US + 12345; us += 1000) {
		n += take(c, &h, CHANNEL_OUT, &ten, us) == OUT_OK;
		channel_release(c, &h);
	}
	cr_expect_geq(n, 100);
	cr_expect_leq(n, 110);
	mem_deref(c);
}


Test(channel, rate_of_zero_and_of_none)
{
	const struct channel_limits zero = {-1, -1, -1, 0};
	struct channel_hold h[1000];
	struct channels *c = channels();

	memset(h, 0, sizeof(h));
	cr_expect_eq(take(c, &h[0], CHANNEL_OUT, &zero, 1), OUT_LIMIT_CPS);
	for (size_t i = 0; i < ARRAY_SIZE(h); i++)
		cr_expect_eq(take(c, &h[i], CHANNEL_OUT, &free_limits, 1),
			     OUT_OK);
	cr_expect_eq(channel_total(c), ARRAY_SIZE(h));
	for (size_t i = 0; i < ARRAY_SIZE(h); i++)
		channel_release(c, &h[i]);
	mem_deref(c);
}


/* A rate so high that a step is less than a microsecond is no rate. */
Test(channel, rate_beyond_the_clock)
{
	const struct channel_limits fast = {-1, -1, -1, INT32_MAX};
	struct channel_hold h = {.line = NULL};
	struct channels *c = channels();

	for (unsigned i = 0; i < 10000; i++) {
		cr_expect_eq(take(c, &h, CHANNEL_OUT, &fast, 1), OUT_OK);
		channel_release(c, &h);
	}
	mem_deref(c);
}


static void count(const struct channel_hold *hold, void *arg)
{
	size_t *n = arg;

	cr_expect_arr_eq(hold->call_id, call_id, 16);
	(*n)++;
}


/* Lines that nobody uses go; one that is held stays, however long. */
Test(channel, lines_are_forgotten_when_empty)
{
	const struct channel_limits one = {-1, 1, -1, -1};
	struct channel_hold held = {.line = NULL}, h = {.line = NULL};
	struct channels *c = channels();
	struct moment now = {.mono_us = 1};
	char id[16];
	size_t n = 0;

	cr_assert_eq(take(c, &held, CHANNEL_OUT, &one, 1), OUT_OK);
	for (unsigned i = 0; i < 500; i++) {
		(void)re_snprintf(id, sizeof(id), "gone_%u", i);
		now.mono_us += SECOND_US;
		cr_assert_eq(channel_take(c, &h, id, CHANNEL_IN, &free_limits,
					  &now, call_id), OUT_OK);
		channel_release(c, &h);
	}
	cr_expect_eq(take(c, &h, CHANNEL_OUT, &one, now.mono_us),
		     OUT_LIMIT_OUT);
	channel_each(c, "trk_1", count, &n);
	cr_expect_eq(n, 1);
	n = 0;
	channel_each(c, "nobody", count, &n);
	cr_expect_eq(n, 0);
	channel_release(c, &held);
	mem_deref(c);
}
