/**
 * @file moment.c  The only file of the switch that reads a clock.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "moment.h"

#define FORMAT_SIZE 32


static int64_t clock_us(clockid_t id)
{
	struct timespec ts;

	(void)clock_gettime(id, &ts);

	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}


void moment_read(struct moment *ret_now)
{
	ret_now->mono_us = (uint64_t)clock_us(CLOCK_MONOTONIC);
	ret_now->wall_us = clock_us(CLOCK_REALTIME);
}


uint64_t moment_cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}


const char *moment_format(char *buf, int64_t wall_ms)
{
	time_t s = (time_t)(wall_ms / 1000);
	int ms = (int)(wall_ms % 1000);
	struct tm tm;
	size_t n;

	if (ms < 0) {
		ms += 1000;
		--s;
	}

	/* four digits of year; what lies outside becomes a day 0, which is
	   seen to be none */
	if (!gmtime_r(&s, &tm) || tm.tm_year < -900 || tm.tm_year > 8099)
		memset(&tm, 0, sizeof(tm));

	n = strftime(buf, FORMAT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(buf + n, FORMAT_SIZE - n, ".%03dZ", ms);

	return buf;
}


/* Exactly n digits at s as a number, or -1 */
static int digits(const char *s, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}


/* ".123456" -> 123; moves *sp behind it */
static int fraction_ms(const char **sp)
{
	const char *s = *sp;
	int ms = 0, scale = 100;

	if (*s != '.')
		return 0;
	for (++s; *s >= '0' && *s <= '9'; s++, scale /= 10)
		ms += (*s - '0') * scale;
	if (s == *sp + 1)
		return -1;

	*sp = s;
	return ms;
}


/* "Z" or "+01:00" as minutes east of UTC */
static int zone_minutes(int *ret_min, const char *s)
{
	int h, m;

	if (!strcmp(s, "Z") || !strcmp(s, "z")) {
		*ret_min = 0;
		return 0;
	}
	if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':')
		return EBADMSG;

	h = digits(s + 1, 2);
	m = digits(s + 4, 2);
	if (h < 0 || h > 23 || m < 0 || m > 59)
		return EBADMSG;

	*ret_min = (h * 60 + m) * (*s == '-' ? -1 : 1);
	return 0;
}


static bool is_day(int year, int month, int day)
{
	static const int days[] = {31, 28, 31, 30, 31, 30,
				   31, 31, 30, 31, 30, 31};
	const bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;

	if (month < 1 || month > 12 || day < 1)
		return false;
	return day <= days[month - 1] + (month == 2 && leap);
}


int moment_parse(int64_t *ret_ms, const char *text)
{
	struct tm tm = {0};
	int ms, zone;

	if (strnlen(text, 20) < 20 || text[4] != '-' || text[7] != '-' ||
	    !strchr("Tt", text[10]) || text[13] != ':' || text[16] != ':')
		return EBADMSG;

	tm.tm_year = digits(text, 4);
	tm.tm_mon = digits(text + 5, 2);
	tm.tm_mday = digits(text + 8, 2);
	tm.tm_hour = digits(text + 11, 2);
	tm.tm_min = digits(text + 14, 2);
	tm.tm_sec = digits(text + 17, 2);
	if (tm.tm_year < 1970 || !is_day(tm.tm_year, tm.tm_mon, tm.tm_mday) ||
	    tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 ||
	    tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60)
		return EBADMSG;

	text += 19;
	ms = fraction_ms(&text);
	if (ms < 0 || zone_minutes(&zone, text))
		return EBADMSG;

	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	*ret_ms = ((int64_t)timegm(&tm) - (int64_t)zone * 60) * 1000 + ms;
	return *ret_ms < 0 ? EBADMSG : 0;
}
