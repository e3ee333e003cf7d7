/** @file spend.c  Days and months of a zone, also when its clock is changed;
 *  what was spent in them. */
#include <time.h>
#include <criterion/criterion.h>
#include "json.h"
#include "catalog_data.h"
#include "catalog_store.h"
#include "spend.h"
#include "text.h"

#define HOUR_MS INT64_C(3600000)

/* Europe/Berlin around 2026-03-29 and 2026-10-25, 01:00 UTC each */
static const struct day_clock berlin = {
	.offsets = {{0, 3600}, {1774746000, 7200}, {1792890000, 3600}},
	.n = 3,
};


static int64_t day_length_ms(const struct day_clock *clock, int64_t at_ms)
{
	const int32_t day = spend_number(clock, SPEND_DAY, at_ms);
	int64_t from = at_ms, to = at_ms;

	while (spend_number(clock, SPEND_DAY, from - 60000) == day)
		from -= 60000;
	while (spend_number(clock, SPEND_DAY, to) == day)
		to += 60000;

	return to - from;
}


Test(spend, a_day_has_23_24_or_25_hours)
{
	cr_expect_eq(day_length_ms(&berlin, INT64_C(1774746000000)),
		     23 * HOUR_MS);
	cr_expect_eq(day_length_ms(&berlin, INT64_C(1792890000000)),
		     25 * HOUR_MS);
	cr_expect_eq(day_length_ms(&berlin, INT64_C(1780000000000)),
		     24 * HOUR_MS);
}


Test(spend, midnight_is_the_zones)
{
	const struct day_clock utc = {.n = 0};

	/* 2026-03-29 23:00 UTC was 01:00 of the 30th in Berlin */
	cr_expect_eq(spend_number(&utc, SPEND_DAY, INT64_C(1774825200000)), 20541);
	cr_expect_eq(spend_number(&berlin, SPEND_DAY,
				  INT64_C(1774825200000)), 20542);
	cr_expect_eq(spend_number(&berlin, SPEND_DAY,
				  INT64_C(1774821600000)), 20542);
	cr_expect_eq(spend_number(&berlin, SPEND_DAY,
				  INT64_C(1774821599999)), 20541);
}


static int64_t utc_ms(int year, int month, int day)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1,
			.tm_mday = day};

	return (int64_t)timegm(&tm) * 1000;
}


Test(spend, a_month_is_the_calendars)
{
	const struct day_clock utc = {.n = 0};

	for (int year = 1970; year < 2401; year++)
		for (int month = 1; month <= 12; month++) {
			const int64_t at = utc_ms(year, month, 1);
			const int32_t number = (year - 1970) * 12 + month - 1;

			cr_assert_eq(spend_number(&utc, SPEND_MONTH, at),
				     number, "%d-%d", year, month);
			if (at)
				cr_assert_eq(spend_number(&utc, SPEND_MONTH,
							  at - 1),
					     number - 1, "before %d-%d", year,
					     month);
		}
}


Test(spend, a_month_begins_at_the_zones_midnight)
{
	const int64_t april = utc_ms(2026, 4, 1), november =
		utc_ms(2026, 11, 1), december = utc_ms(2026, 12, 1);

	/* in summer time two hours before UTC, in winter time one */
	cr_expect_eq(spend_number(&berlin, SPEND_MONTH,
				  april - 2 * HOUR_MS), 675);
	cr_expect_eq(spend_number(&berlin, SPEND_MONTH,
				  april - 2 * HOUR_MS - 1), 674);
	cr_expect_eq(spend_number(&berlin, SPEND_MONTH,
				  november - HOUR_MS), 682);
	cr_expect_eq(spend_number(&berlin, SPEND_MONTH,
				  november - HOUR_MS - 1), 681);
	cr_expect_eq(spend_number(&berlin, SPEND_MONTH,
				  december - HOUR_MS), 683);
	cr_expect_eq(spend_number(&berlin, SPEND_MONTH,
				  december - HOUR_MS - 1), 682);
}


/* --- what was spent */

#define DAY_MS (24 * HOUR_MS)
#define NOON (20000 * DAY_MS + 12 * HOUR_MS)

static const struct day_clock utc;
static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct snapshot *snap;
static struct spends *spends;


static void unlocked_at(int64_t wall_ms, int64_t month_ms)
{
	static uint64_t version;
	char why[128] = "";
	json_t *json = json_pack("{s:I,s:I}", "unlocked_ms",
				 (json_int_t)wall_ms, "month_unlocked_ms",
				 (json_int_t)month_ms);

	cr_assert_eq(catalog_store_put(store, "lock", "acc_1", ++version,
				       json, why, sizeof(why)), 0);
	json_decref(json);
	snapshot_release(snap);
	cr_assert_eq(catalog_store_publish(store, slot), 0);
	snap = snapshot_acquire(slot);
}


static void open_spends(void)
{
	const uint8_t key[16] = {3};

	cr_assert_eq(catalog_store_alloc(&store), 0);
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	cr_assert_eq(spends_alloc(&spends, key), 0);
	unlocked_at(0, 0);
}


static void close_spends(void)
{
	spends = mem_deref(spends);
	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);
}

TestSuite(spend_count, .init = open_spends, .fini = close_spends);


static struct spend *get_of(enum spend_period period, int64_t limit_micro,
			    int64_t wall_ms)
{
	const struct spend_policy policy = {.limit_micro = limit_micro,
					    .warn_percent = 80};
	struct spend *s = spend_get(spends, snapshot_data(snap), "acc_1",
				    period, &policy, &utc, wall_ms);

	cr_assert(s);
	cr_assert_eq(spend_period(s), period);

	return s;
}


static struct spend *get(int64_t limit_micro, int64_t wall_ms)
{
	return get_of(SPEND_DAY, limit_micro, wall_ms);
}


Test(spend_count, up_to_the_limit_and_no_further)
{
	struct spend *s = get(1000, NOON);

	cr_expect(spend_allows(s, 1000, NOON));
	cr_expect_not(spend_allows(s, 1001, NOON));
	cr_expect_not(spend_add(s, 799, NOON));
	cr_expect(spend_add(s, 1, NOON), "the warning is due");
	cr_expect_not(spend_add(s, 1, NOON), "once");
	cr_expect(spend_allows(s, 199, NOON));
	cr_expect_not(spend_allows(s, 200, NOON));
	cr_expect_not(spend_add(s, -801, NOON), "given back");
	cr_expect(spend_allows(s, 1000, NOON));
	cr_expect_eq(spend_micro(s), 0);
	mem_deref(s);

	s = get(-1, NOON);
	cr_expect(spend_allows(s, INT64_MAX / 2, NOON), "no limit");
	mem_deref(s);
}


Test(spend_count, a_day_begins_anew)
{
	struct spend *s = get(1000, NOON);

	(void)spend_add(s, 900, NOON);
	cr_expect(spend_tell_limit(s));
	cr_expect_not(spend_tell_limit(s), "once a day");
	cr_expect_not(spend_allows(s, 200, NOON + 12 * HOUR_MS - 1));
	cr_expect(spend_allows(s, 1000, NOON + 12 * HOUR_MS));
	cr_expect(spend_tell_limit(s));
	(void)spend_add(s, -900, NOON + 12 * HOUR_MS);
	cr_expect_eq(spend_micro(s), 0, "yesterday's is not today's");
	cr_expect(spend_add(s, 800, NOON + 12 * HOUR_MS), "warned again");
	mem_deref(s);
}


Test(spend_count, an_unlock_forgives)
{
	struct spend *s = get(1000, NOON), *again;

	(void)spend_add(s, 1000, NOON);
	unlocked_at(NOON + 1, 0);
	again = get(1000, NOON + 2);
	cr_expect_eq(again, s, "one for each row");
	cr_expect_eq(spend_micro(s), 1000,
		     "what was before the start is the database's to leave");
	unlocked_at(NOON + 3, 0);
	mem_deref(again);
	again = get(2000, NOON + 4);
	cr_expect_eq(spend_micro(s), 0);
	cr_expect_eq(spend_limit(s), 2000, "as it is provisioned now");
	cr_expect_str_eq(spend_id(s), "acc_1");
	mem_deref(again);
	mem_deref(s);
}


Test(spend_count, a_month_is_not_a_day)
{
	const int64_t now = utc_ms(2024, 2, 28) + 12 * HOUR_MS;
	const int64_t march = utc_ms(2024, 3, 1);
	struct spend *day = get(1000, now);
	struct spend *month = get_of(SPEND_MONTH, 2000, now);

	cr_assert_neq(day, month);
	(void)spend_add(day, 1000, now);
	cr_expect_not(spend_add(month, 1000, now));
	cr_expect(spend_allows(month, 1000, now));
	cr_expect(spend_allows(day, 1000, now + DAY_MS));
	(void)spend_add(day, 1000, now + DAY_MS);
	cr_expect(spend_add(month, 1000, now + DAY_MS), "the warning is due");
	/* the 29th of a leap year is February still */
	cr_expect_not(spend_allows(month, 1, march - 1));
	cr_expect(spend_tell_limit(month));
	cr_expect_not(spend_tell_limit(month), "once a month");
	cr_expect(spend_allows(month, 2000, march));
	cr_expect_eq(spend_micro(month), 0);
	cr_expect(spend_tell_limit(month));
	mem_deref(day);
	mem_deref(month);
}


Test(spend_count, an_unlock_of_the_day_leaves_the_month)
{
	struct spend *day = get(1000, NOON);
	struct spend *month = get_of(SPEND_MONTH, 2000, NOON);

	/* both have begun with us: nothing before is the database's */
	unlocked_at(NOON + 1, NOON + 1);
	mem_deref(get(1000, NOON + 1));
	mem_deref(get_of(SPEND_MONTH, 2000, NOON + 1));
	(void)spend_add(day, 1000, NOON + 1);
	(void)spend_add(month, 1000, NOON + 1);
	unlocked_at(NOON + 2, NOON + 1);
	mem_deref(get(1000, NOON + 2));
	mem_deref(get_of(SPEND_MONTH, 2000, NOON + 2));
	cr_expect_eq(spend_micro(day), 0);
	cr_expect_eq(spend_micro(month), 1000);
	unlocked_at(NOON + 3, NOON + 3);
	mem_deref(get_of(SPEND_MONTH, 2000, NOON + 3));
	cr_expect_eq(spend_micro(month), 0);
	mem_deref(day);
	mem_deref(month);
}


static int64_t begun_from(int64_t micro, int64_t read_ms)
{
	const struct spend_policy policy = {.limit_micro = 1000};
	struct spend_start start = {.number = 20000, .micro = micro,
				    .read_ms = read_ms};
	const struct catalog cat = {.spend_starts = &start,
				    .spend_start_n = 1};
	struct spend *s;
	int64_t sum;

	spend_key(start.key, "acc_1", SPEND_DAY);
	s = spend_get(spends, &cat, "acc_1", SPEND_DAY, &policy, &utc, NOON);
	(void)spend_add(s, 10, NOON);
	sum = spend_micro(s);
	mem_deref(s);

	return sum;
}


/* A limit that is taken away and set again: what was spent meanwhile is read. */
Test(spend_count, a_limit_that_was_away)
{
	cr_expect_eq(begun_from(100, 1), 110);
	cr_expect_eq(begun_from(100, 1), 120, "read once");
	cr_expect_eq(begun_from(500, 2), 510, "what was between is in it");
}
