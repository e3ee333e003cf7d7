/** @file spend.c  Days of a zone, also when its clock is changed. */
#include <criterion/criterion.h>
#include "spend.h"

#define HOUR_MS INT64_C(3600000)

/* Europe/Berlin around 2026-03-29 and 2026-10-25, 01:00 UTC each */
static const struct day_clock berlin = {
	.offsets = {{0, 3600}, {1774746000, 7200}, {1792890000, 3600}},
	.n = 3,
};


static int64_t day_length_ms(const struct day_clock *clock, int64_t at_ms)
{
	const int32_t day = spend_day(clock, at_ms);
	int64_t from = at_ms, to = at_ms;

	while (spend_day(clock, from - 60000) == day)
		from -= 60000;
	while (spend_day(clock, to) == day)
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
	cr_expect_eq(spend_day(&utc, INT64_C(1774825200000)), 20541);
	cr_expect_eq(spend_day(&berlin, INT64_C(1774825200000)), 20542);
	cr_expect_eq(spend_day(&berlin, INT64_C(1774821600000)), 20542);
	cr_expect_eq(spend_day(&berlin, INT64_C(1774821599999)), 20541);
}
