/**
 * @file moment.h  The clock door: a moment is read once a loop pass and handed
 * down; nothing below main asks the operating system for the time.
 */
#ifndef MOMENT_H
#define MOMENT_H
#include <stdint.h>

/** One reading of both clocks. Durations use mono, records use wall. */
struct moment {
	uint64_t mono_us; /**< CLOCK_MONOTONIC [us]                          */
	int64_t wall_us;  /**< UTC [us since 1970]; may step, never measured  */
};

/** Read both clocks. Any thread. */
void moment_read(struct moment *ret_now);

/** CPU time of this thread [ns]. For benches and the loop-lag metric. */
uint64_t moment_cpu_ns(void);

static inline uint64_t moment_ms(const struct moment *now)
{
	return now->mono_us / 1000;
}

static inline int64_t moment_wall_ms(const struct moment *now)
{
	return now->wall_us / 1000;
}

/** Write UTC RFC 3339 with ms, "2026-11-22T10:31:00.123Z". buf >= 32 bytes. */
const char *moment_format(char *buf, int64_t wall_ms);

/**
 * Read RFC 3339 5.6 date-time with a year of 1970..9999.
 * @return 0 or EBADMSG; fractions finer than ms are cut
 */
int moment_parse(int64_t *ret_ms, const char *text);

#endif
