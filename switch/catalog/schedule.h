/**
 * @file schedule.h  When something is open: ranges of a week and holidays in
 * a time zone. The zone is compiled into the moments at which its offset from
 * UTC changes, so that asking needs no tables of the system.
 */
#ifndef SCHEDULE_H
#define SCHEDULE_H
#include <stdbool.h>
#include <stdint.h>

#define SCHEDULE_ID_SIZE 36
#define SCHEDULE_HOLIDAYS 128
#define SCHEDULE_OFFSETS 32
#define SCHEDULE_WEEK_MIN (7 * 24 * 60)

struct json_t;

/** From this moment on the zone is this far east of UTC. */
struct schedule_offset {
	int64_t from_s;         /**< UTC                                  */
	int32_t east_s;
};

/** [[from_s, east_s], ...], 1 to SCHEDULE_OFFSETS of them, ascending.
 *  @return 0 or EINVAL */
int schedule_offsets_decode(struct schedule_offset ret[SCHEDULE_OFFSETS],
			    uint8_t *ret_n, const struct json_t *array);

/** How far east the zone is at this moment: before the first offset the first
 *  one counts, after the last the last; without any it is UTC. Pure. */
int32_t schedule_east_s(const struct schedule_offset *offsets, uint8_t n,
			int64_t utc_s);

struct schedule {
	char id[SCHEDULE_ID_SIZE];
	uint8_t week[SCHEDULE_WEEK_MIN / 8]; /**< bit: minute from Monday */
	uint16_t holidays[SCHEDULE_HOLIDAYS]; /**< days from 1970-01-01,
						   ascending              */
	uint8_t holiday_n, offset_n;
	struct schedule_offset offsets[SCHEDULE_OFFSETS]; /**< ascending  */
};

/**
 * A row: "ranges" [{"days": ["mon", ...], "from": "08:00", "to": "18:00"}]
 * (an end that is not after its begin is on the next day), "holidays"
 * ["2026-12-25", ...] and "offsets" [[from_s, east_s], ...].
 * @return 0 or EINVAL
 */
int schedule_decode(struct schedule *ret, const struct json_t *json);

/**
 * Open at this moment? Holidays are closed all day. Pure.
 */
bool schedule_is_open(const struct schedule *s, int64_t wall_ms);

/** While it is open: from when, and for how long. */
struct schedule_span {
	int64_t opened_min;     /**< local minutes since 1970; -1: it has been
				     open for a day and more               */
	uint32_t length_min;    /**< of that; two days at most; a day when it
				     never closes                          */
};

/** The span around this moment; false: closed, and ret is not written. The
 *  same for each moment within it, also when the clock is changed. Pure. */
bool schedule_span(const struct schedule *s, int64_t wall_ms,
		   struct schedule_span *ret);

#endif
