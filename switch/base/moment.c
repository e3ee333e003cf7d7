/**
 * @file moment.c  The only file of the switch that reads a clock.
 */
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
