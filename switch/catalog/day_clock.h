/**
 * @file day_clock.h  Days and months of a time zone, from the offsets that
 * PostgreSQL told. A change of the clock makes one shorter or longer and
 * nothing else. Pure.
 */
#ifndef DAY_CLOCK_H
#define DAY_CLOCK_H
#include "catalog.h"

/** Days since 1970-01-01 of the zone's date at that moment. */
int32_t day_clock_day(const struct day_clock *clock, int64_t wall_ms);

/** Months since 1970-01 on such a day, which is not before. */
int32_t day_clock_month(int32_t day);

/** The day on which such a month begins. */
int32_t day_clock_month_begin(int32_t month);

#endif
