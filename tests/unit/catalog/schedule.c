/**
 * @file tests/unit/catalog/schedule.c  Open and closed over changes of the
 * clock, midnight, the end of the week and holidays.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include "fixture.h"
#include "schedule.h"

/* 2026: Europe/Berlin goes to +2 on 29 March 01:00 UTC, back on 25 October */
#define BERLIN "\"offsets\":[[1767225600,3600],[1774746000,7200]," \
	       "[1792890000,3600]]"
#define OFFICE "{\"ranges\":[{\"days\":[\"mon\",\"tue\",\"wed\",\"thu\"," \
	       "\"fri\"],\"from\":\"08:00\",\"to\":\"18:00\"}]," \
	       "\"holidays\":[\"2026-12-25\",\"2026-01-01\"]," BERLIN "}"


static int decode(struct schedule *ret, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	int err;

	cr_assert(json, "%s", text);
	memset(ret, 0, sizeof(*ret));
	err = schedule_decode(ret, json);
	json_decref(json);

	return err;
}


static bool at(const struct schedule *s, int64_t utc_s)
{
	return schedule_is_open(s, utc_s * 1000);
}


Test(schedule, office_hours_follow_the_zone)
{
	struct schedule s;

	cr_assert_eq(decode(&s, OFFICE), 0);
	/* Monday 2026-02-02: 08:00 is 07:00 UTC */
	cr_expect_not(at(&s, 1770015599));
	cr_expect(at(&s, 1770015600));
	cr_expect(at(&s, 1770051599));
	cr_expect_not(at(&s, 1770051600));
	/* Monday 2026-06-01: 08:00 is 06:00 UTC */
	cr_expect_not(at(&s, 1780293599));
	cr_expect(at(&s, 1780293600));
	cr_expect_not(at(&s, 1780329600));
	/* Saturday 2026-06-06 12:00 */
	cr_expect_not(at(&s, 1780740000));
	/* Monday 2026-11-02 08:00 again at 07:00 UTC, long after the last */
	cr_expect_not(at(&s, 1793602799));
	cr_expect(at(&s, 1793602800));
	/* before the first offset the first one counts: Friday 2025-06-06 */
	cr_expect(at(&s, 1749193200));
}


Test(schedule, holidays_are_closed)
{
	struct schedule s;

	cr_assert_eq(decode(&s, OFFICE), 0);
	cr_expect_not(at(&s, 1798196400)); /* Friday 2026-12-25 12:00 */
	cr_expect(at(&s, 1798110000));     /* the day before          */
	cr_expect_not(at(&s, 1767265200)); /* Thursday 2026-01-01     */
}


Test(schedule, nights_and_the_end_of_the_week)
{
	struct schedule s;

	cr_assert_eq(decode(&s, "{\"ranges\":[{\"days\":[\"sun\"],\"from\":"
				"\"22:00\",\"to\":\"06:00\"},{\"days\":"
				"[\"wed\"],\"from\":\"00:00\",\"to\":"
				"\"24:00\"}],\"offsets\":[[0,0]]}"), 0);
	/* Sunday 2026-02-01, Monday 2026-02-02 */
	cr_expect_not(at(&s, 1769983199));
	cr_expect(at(&s, 1769983200));
	cr_expect(at(&s, 1770011999));
	cr_expect_not(at(&s, 1770012000));
	/* all of Wednesday 2026-02-04 */
	cr_expect_not(at(&s, 1770163199));
	cr_expect(at(&s, 1770163200));
	cr_expect(at(&s, 1770249599));
	cr_expect_not(at(&s, 1770249600));
	/* Wednesday 1969-12-31: before the epoch */
	cr_expect(at(&s, -1));
	cr_expect_not(schedule_is_open(&(struct schedule){.offset_n = 0}, 0));
}


static void span_is(const char *json, int64_t utc_s, int64_t opened_min,
		    uint32_t length_min)
{
	struct schedule_span span = {0, 0};
	struct schedule s;

	cr_assert_eq(decode(&s, json), 0);
	cr_assert(schedule_span(&s, utc_s * 1000, &span), "%s", json);
	cr_expect_eq(span.opened_min, opened_min, "%lld",
		     (long long)span.opened_min);
	cr_expect_eq(span.length_min, length_min, "%u", span.length_min);
}


#define DAYS "{\"ranges\":[{\"days\":[\"mon\",\"tue\",\"wed\",\"thu\"," \
	     "\"fri\",\"sat\",\"sun\"],"
/* Monday 2026-02-02 00:00, in local minutes */
#define MONDAY (INT64_C(1769990400) / 60)

Test(schedule, span_is_the_same_all_along)
{
	struct schedule_span span;
	struct schedule s;

	/* Monday 08:00 to 18:00 in Berlin, first and last second */
	span_is(OFFICE, 1770015600, MONDAY + 8 * 60, 600);
	span_is(OFFICE, 1770051599, MONDAY + 8 * 60, 600);
	/* before the epoch: Wednesday 1969-12-31, 23:59:59 */
	span_is(DAYS "\"from\":\"22:00\",\"to\":\"24:00\"}],"
		"\"offsets\":[[0,0]]}", -1, -120, 120);

	cr_assert_eq(decode(&s, OFFICE), 0);
	cr_expect_not(schedule_span(&s, INT64_C(1770015599000), &span));
	cr_expect_not(schedule_span(&s, INT64_C(1770051600000), &span));
	cr_expect_not(schedule_span(&(struct schedule){.offset_n = 0}, 0,
				    &span));
}


Test(schedule, span_over_midnight_ends_at_a_holiday)
{
#define NIGHT DAYS "\"from\":\"20:00\",\"to\":\"06:00\"}],"

	/* Monday 21:00 and Tuesday 03:00 UTC */
	span_is(NIGHT "\"offsets\":[[0,0]]}", 1770066000, MONDAY + 1200, 600);
	span_is(NIGHT "\"offsets\":[[0,0]]}", 1770087600, MONDAY + 1200, 600);
	span_is(NIGHT "\"holidays\":[\"2026-02-03\"],\"offsets\":[[0,0]]}",
		1770066000, MONDAY + 1200, 240);
	span_is(NIGHT "\"holidays\":[\"2026-02-02\"],\"offsets\":[[0,0]]}",
		1770087600, MONDAY + 1440, 360);
}


Test(schedule, span_of_days)
{
#define ALWAYS DAYS "\"from\":\"00:00\",\"to\":\"24:00\"}],"

	span_is(ALWAYS "\"offsets\":[[0,0]]}", 1770066000, -1, 1440);
	/* it opened after a holiday, at midnight, and does not close soon */
	span_is(ALWAYS "\"holidays\":[\"2026-02-01\"],\"offsets\":[[0,0]]}",
		1770066000, MONDAY, 2880);
}


Test(schedule, leap_years)
{
	struct schedule s;

	cr_assert_eq(decode(&s, "{\"ranges\":[],\"holidays\":[\"1970-01-01\","
				"\"1972-02-29\",\"2000-02-29\",\"2000-03-01\","
				"\"2100-03-01\",\"2105-12-31\"],"
				"\"offsets\":[[0,0]]}"), 0);
	cr_expect_eq(s.holidays[0], 0);
	cr_expect_eq(s.holidays[1], 789);
	cr_expect_eq(s.holidays[2], 11016);
	cr_expect_eq(s.holidays[3], 11017);
	cr_expect_eq(s.holidays[4], 47541);
	cr_expect_eq(s.holidays[5], 49672);
}


Test(schedule, what_is_not_one_is_refused)
{
	static const char *const bad[] = {
		"{}",
		"{\"ranges\":[],\"offsets\":[]}",
		"{\"ranges\":[],\"offsets\":[[0]]}",
		"{\"ranges\":[],\"offsets\":[[0,86401]]}",
		"{\"ranges\":[],\"offsets\":[[5,0],[5,0]]}",
		"{\"ranges\":[{}],\"offsets\":[[0,0]]}",
		"{\"ranges\":[{\"days\":[],\"from\":\"08:00\",\"to\":"
		"\"09:00\"}],\"offsets\":[[0,0]]}",
		"{\"ranges\":[{\"days\":[\"day\"],\"from\":\"08:00\",\"to\":"
		"\"09:00\"}],\"offsets\":[[0,0]]}",
		"{\"ranges\":[{\"days\":[\"mon\"],\"from\":\"24:00\",\"to\":"
		"\"09:00\"}],\"offsets\":[[0,0]]}",
		"{\"ranges\":[{\"days\":[\"mon\"],\"from\":\"8:00\",\"to\":"
		"\"09:00\"}],\"offsets\":[[0,0]]}",
		"{\"ranges\":[{\"days\":[\"mon\"],\"from\":\"08:60\",\"to\":"
		"\"09:00\"}],\"offsets\":[[0,0]]}",
		"{\"ranges\":[],\"holidays\":[\"2026-02-29\"],"
		"\"offsets\":[[0,0]]}",
		"{\"ranges\":[],\"holidays\":[\"2100-02-29\"],"
		"\"offsets\":[[0,0]]}",
		"{\"ranges\":[],\"holidays\":[\"2026-1-01\"],"
		"\"offsets\":[[0,0]]}",
		"{\"ranges\":[],\"holidays\":[\"2026-13-01\"],"
		"\"offsets\":[[0,0]]}",
	};
	struct schedule s;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(decode(&s, bad[i]), EINVAL, "%s", bad[i]);
}
