/** @file day_clock.c  See day_clock.h. */
#include "day_clock.h"

#define DAY_S 86400
#define ERA_DAYS 146097 /* 400 years */


int32_t day_clock_day(const struct day_clock *clock, int64_t wall_ms)
{
	const int64_t wall_s = wall_ms / 1000;

	return (int32_t)((wall_s + schedule_east_s(clock->offsets, clock->n,
						   wall_s)) / DAY_S);
}


/* Years that begin in March have their leap day at the end. */
int32_t day_clock_month(int32_t day)
{
	const int32_t from_march_0 = day + 719468;
	const int32_t of_era = from_march_0 % ERA_DAYS;
	const int32_t year = (of_era - of_era / 1460 + of_era / 36524 -
			      of_era / 146096) / 365;
	const int32_t of_year =
		of_era - (365 * year + year / 4 - year / 100);
	const int32_t month = (5 * of_year + 2) / 153 + 2; /* 2: March */

	return (from_march_0 / ERA_DAYS * 400 + year - 1970) * 12 + month;
}


int32_t day_clock_month_begin(int32_t month)
{
	const int32_t from_march_0 = month + 1970 * 12 - 2;
	const int32_t year = from_march_0 / 12, of_year = from_march_0 % 12;

	return 365 * year + year / 4 - year / 100 + year / 400 +
	       (153 * of_year + 2) / 5 - 719468;
}
