/** @file tally.c  Counts in a moving window, at once, in a row, different. */
#include <criterion/criterion.h>
#include "tally.h"

static struct wheel *wheel;
static struct tallies *all;
static uint64_t now_ms;


static void setup(void)
{
	static const uint8_t key[16] = {1};

	now_ms = 1000000;
	cr_assert_eq(wheel_alloc(&wheel, now_ms), 0);
	cr_assert_eq(tallies_alloc(&all, key, wheel, 3), 0);
}


static void teardown(void)
{
	mem_deref(all);
	mem_deref(wheel);
}

TestSuite(tally, .init = setup, .fini = teardown);


static void pass(uint64_t ms)
{
	now_ms += ms;
	(void)wheel_advance(wheel, now_ms, 100);
}


Test(tally, a_window_forgets)
{
	struct tally *t = tally_get(all, "a", 60);

	for (int i = 0; i < 60; i++) {
		tally_add(t, now_ms);
		pass(1000);
	}
	cr_expect_geq(tally_recent(t, now_ms), 55);
	cr_expect_leq(tally_recent(t, now_ms), 60);
	pass(30000);
	cr_expect_geq(tally_recent(t, now_ms), 25);
	cr_expect_leq(tally_recent(t, now_ms), 30);
	cr_expect_eq(tally_recent(t, now_ms + 120000), 0);
	cr_expect_eq(tally_recent(NULL, now_ms), 0);
}


Test(tally, in_a_row)
{
	struct tally *t = tally_get(all, "a", 60);

	cr_expect_eq(tally_run(t, "+1"), 0);
	tally_number(t, "+1", now_ms);
	tally_number(t, "+1", now_ms);
	cr_expect_eq(tally_run(t, "+1"), 2);
	cr_expect_eq(tally_run(t, "+2"), 0);
	tally_number(t, "+2", now_ms);
	cr_expect_eq(tally_run(t, "+1"), 0);
}


Test(tally, different_numbers_of_a_window)
{
	struct tally *t = tally_get(all, "a", 60);

	cr_expect_eq(tally_distinct(NULL, "+1", now_ms), 1);
	tally_number(t, "+1", now_ms);
	tally_number(t, "+1", now_ms);
	tally_number(t, "+2", now_ms);
	cr_expect_eq(tally_distinct(t, "+2", now_ms), 2);
	cr_expect_eq(tally_distinct(t, "+3", now_ms), 3);
	cr_expect_eq(tally_distinct(t, "+3", now_ms + 60000), 1);
	for (int i = 0; i < 2 * TALLY_NUMBERS; i++) {
		char number[16];

		re_snprintf(number, sizeof(number), "+%d", i);
		tally_number(t, number, now_ms);
	}
	cr_expect_eq(tally_distinct(t, "x", now_ms), TALLY_NUMBERS + 1);
}


Test(tally, goes_when_nobody_holds_it)
{
	struct tally *t = tally_get(all, "a", 10);

	tally_add(t, now_ms);
	tally_hold(t);
	tally_hold(t);
	pass(60000);
	cr_expect_eq(tally_find(all, "a"), t);
	cr_expect_eq(tally_live(t), 2);
	tally_release(t);
	tally_release(t);
	pass(5000);
	cr_expect_eq(tally_count(all), 1);
	pass(60000);
	cr_expect_eq(tally_count(all), 0);
}


Test(tally, bounded)
{
	cr_expect(tally_get(all, "a", 10));
	cr_expect(tally_get(all, "b", 10));
	cr_expect(tally_get(all, "c", 10));
	cr_expect_null(tally_get(all, "d", 10));
	cr_expect(tally_get(all, "c", 10));
}


Test(tally, a_draft)
{
	struct tallies *draft = NULL;
	struct tally *t = tally_get(all, "a", 60), *d;

	tally_add(t, now_ms);
	tally_number(t, "+1", now_ms);
	tally_hold(t);
	cr_assert_eq(tallies_draft(&draft, all), 0);
	cr_expect_eq(tally_recent(tally_find(draft, "a"), now_ms), 1);
	d = tally_get(draft, "a", 60);
	tally_add(d, now_ms);
	tally_number(d, "+2", now_ms);
	tally_hold(d);
	d = tally_find(draft, "a");
	cr_expect_eq(tally_recent(d, now_ms), 2);
	cr_expect_eq(tally_live(d), 2);
	cr_expect_eq(tally_distinct(d, "+2", now_ms), 2);
	/* as many as there are beside it and in it */
	cr_expect(tally_get(draft, "b", 60) != NULL);
	cr_expect(tally_get(draft, "c", 60) == NULL);
	tally_release(d);
	mem_deref(draft);

	cr_expect_eq(tally_recent(t, now_ms), 1);
	cr_expect_eq(tally_live(t), 1);
	cr_expect_eq(tally_run(t, "+1"), 1);
	cr_expect_eq(tally_count(all), 1);
	tally_release(t);
}
