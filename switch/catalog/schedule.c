/** @file schedule.c  See schedule.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "schedule.h"

#define DAY_MIN (24 * 60)
#define DAY_S (24 * 60 * 60)
#define RANGES_MAX 50


/** "08:30" into minutes of a day, up to "24:00"; -1: not a time */
static int minutes_of(const json_t *json)
{
	const char *s = json_string_value(json);
	int min;

	if (!s || strlen(s) != 5 || strspn(s, "0123456789") != 2 ||
	    s[2] != ':' || strspn(s + 3, "0123456789") != 2)
		return -1;

	min = ((s[0] - '0') * 10 + s[1] - '0') * 60 + (s[3] - '0') * 10 +
	      s[4] - '0';

	return s[3] <= '5' && min <= DAY_MIN ? min : -1;
}


static int day_of(const json_t *json)
{
	static const char *const days[] = {"mon", "tue", "wed", "thu",
					   "fri", "sat", "sun"};
	const char *s = json_string_value(json);
	int i;

	for (i = 0; s && i < 7; i++) {
		if (!strcmp(s, days[i]))
			return i;
	}

	return -1;
}


/** Minutes from Monday, beyond Sunday from the next Monday */
static void week_fill(struct schedule *s, int from, int to)
{
	for (; from < to; from++) {
		const int at = from % SCHEDULE_WEEK_MIN;

		s->week[at / 8] |= (uint8_t)(1u << at % 8);
	}
}


static int range_decode(struct schedule *s, const json_t *json)
{
	const json_t *days = json_object_get(json, "days");
	const int from = minutes_of(json_object_get(json, "from"));
	int to = minutes_of(json_object_get(json, "to"));
	size_t i;

	if (from < 0 || from == DAY_MIN || to < 0 || !json_array_size(days))
		return EINVAL;

	if (to <= from)
		to += DAY_MIN;
	for (i = 0; i < json_array_size(days); i++) {
		const int day = day_of(json_array_get(days, i));

		if (day < 0)
			return EINVAL;
		week_fill(s, day * DAY_MIN + from, day * DAY_MIN + to);
	}

	return 0;
}


/** "2026-12-25" into days from 1970-01-01; -1: no date until 2106 */
static int days_of(const json_t *json)
{
	static const uint16_t before[] = {0, 31, 59, 90, 120, 151, 181, 212,
					  243, 273, 304, 334, 365};
	const char *s = json_string_value(json);
	int y, m, d, leaps, length;

	if (!s || strlen(s) != 10 || strspn(s, "0123456789") != 4 ||
	    s[4] != '-' || strspn(s + 5, "0123456789") != 2 || s[7] != '-' ||
	    strspn(s + 8, "0123456789") != 2)
		return -1;

	y = (int)strtoul(s, NULL, 10);
	m = (int)strtoul(s + 5, NULL, 10);
	d = (int)strtoul(s + 8, NULL, 10);
	if (y < 1970 || y > 2105 || m < 1 || m > 12)
		return -1;

	/* 2100 is no leap year (Gregorian), 2000 was one */
	length = before[m] - before[m - 1] +
		 (m == 2 && y % 4 == 0 && y != 2100);
	if (d < 1 || d > length)
		return -1;
	leaps = (y - 1969) / 4 - (y > 2100) +
		(m > 2 && y % 4 == 0 && y != 2100);

	return (y - 1970) * 365 + leaps + before[m - 1] + d - 1;
}


static int day_compare(const void *a, const void *b)
{
	const uint16_t *x = a, *y = b;

	return (int)*x - (int)*y;
}


static int holidays_decode(struct schedule *s, const json_t *array)
{
	size_t i;

	if (json_array_size(array) > SCHEDULE_HOLIDAYS)
		return EINVAL;

	for (i = 0; i < json_array_size(array); i++) {
		const int days = days_of(json_array_get(array, i));

		if (days < 0)
			return EINVAL;
		s->holidays[s->holiday_n++] = (uint16_t)days;
	}
	qsort(s->holidays, s->holiday_n, sizeof(s->holidays[0]), day_compare);

	return 0;
}


int schedule_offsets_decode(struct schedule_offset ret[SCHEDULE_OFFSETS],
			    uint8_t *ret_n, const struct json_t *array)
{
	const size_t n = json_array_size(array);

	if (!n || n > SCHEDULE_OFFSETS)
		return EINVAL;

	for (size_t i = 0; i < n; i++) {
		const json_t *pair = json_array_get(array, i);
		const json_t *from = json_array_get(pair, 0);
		const json_t *east = json_array_get(pair, 1);
		struct schedule_offset *o = &ret[i];

		if (!json_is_integer(from) || !json_is_integer(east))
			return EINVAL;
		o->from_s = json_integer_value(from);
		if (json_integer_value(east) < -DAY_S ||
		    json_integer_value(east) > DAY_S ||
		    (i && o->from_s <= o[-1].from_s))
			return EINVAL;
		o->east_s = (int32_t)json_integer_value(east);
	}
	*ret_n = (uint8_t)n;

	return 0;
}


int schedule_decode(struct schedule *ret, const struct json_t *json)
{
	const json_t *ranges = json_object_get(json, "ranges");
	size_t i;

	if (!json_is_array(ranges) || json_array_size(ranges) > RANGES_MAX)
		return EINVAL;

	for (i = 0; i < json_array_size(ranges); i++) {
		if (range_decode(ret, json_array_get(ranges, i)))
			return EINVAL;
	}
	if (holidays_decode(ret, json_object_get(json, "holidays")))
		return EINVAL;

	return schedule_offsets_decode(ret->offsets, &ret->offset_n,
				       json_object_get(json, "offsets"));
}


int32_t schedule_east_s(const struct schedule_offset *offsets, uint8_t n,
			int64_t utc_s)
{
	while (n > 1 && offsets[n - 1].from_s > utc_s)
		--n;

	return n ? offsets[n - 1].east_s : 0;
}


/** Quotient and remainder, the remainder never negative */
static int64_t floor_div(int64_t a, int64_t b, int64_t *ret_rest)
{
	const int64_t rest = (a % b + b) % b;

	*ret_rest = rest;

	return (a - rest) / b;
}


static bool is_holiday(const struct schedule *s, int64_t day)
{
	const uint16_t key = (uint16_t)day;

	return day >= 0 && day <= UINT16_MAX && s->holiday_n &&
	       bsearch(&key, s->holidays, s->holiday_n, sizeof(key),
		       day_compare);
}


/* Local minutes since 1970 */
static int64_t local_min(const struct schedule *s, int64_t wall_ms)
{
	int64_t rest, utc_s = floor_div(wall_ms, 1000, &rest);

	return floor_div(utc_s + schedule_east_s(s->offsets, s->offset_n,
						 utc_s), 60, &rest);
}


static bool has_week(const struct schedule *s, int64_t local)
{
	int64_t minute;

	/* 1970-01-01 was a Thursday */
	(void)floor_div(local + 3 * DAY_MIN, SCHEDULE_WEEK_MIN, &minute);

	return s->week[minute / 8] >> minute % 8 & 1;
}


static bool is_open_at(const struct schedule *s, int64_t local)
{
	int64_t rest;

	return has_week(s, local) &&
	       !is_holiday(s, floor_div(local, DAY_MIN, &rest));
}


bool schedule_is_open(const struct schedule *s, int64_t wall_ms)
{
	return s->offset_n && is_open_at(s, local_min(s, wall_ms));
}


/* Open minutes in a row from here, this one not counted; a day at most. A
   holiday begins and ends at midnight: only there is it asked for. */
static uint32_t open_for(const struct schedule *s, int64_t local, int step)
{
	uint32_t n = 0;
	int64_t rest;

	while (n < DAY_MIN) {
		local += step;
		(void)floor_div(local, DAY_MIN, &rest);
		if (rest == (step > 0 ? 0 : DAY_MIN - 1)
			    ? !is_open_at(s, local) : !has_week(s, local))
			break;
		n++;
	}

	return n;
}


bool schedule_span(const struct schedule *s, int64_t wall_ms,
		   struct schedule_span *ret)
{
	const int64_t local = s->offset_n ? local_min(s, wall_ms) : 0;
	uint32_t before, after;

	if (!schedule_is_open(s, wall_ms))
		return false;

	before = open_for(s, local, -1);
	if (before == DAY_MIN) {
		ret->opened_min = -1;
		ret->length_min = DAY_MIN;
		return true;
	}

	after = open_for(s, local, 1);
	ret->opened_min = local - before;
	ret->length_min = before + 1 + after;
	if (after == DAY_MIN)
		ret->length_min = 2 * DAY_MIN;

	return true;
}
