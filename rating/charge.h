/**
 * @file charge.h  What a call costs: exact integers, one place that rounds.
 * Amounts are micro-units (10^-6), rates nano-units per minute (10^-9),
 * durations milliseconds.
 */
#ifndef CHARGE_H
#define CHARGE_H
#include <stdint.h>

enum round_mode { ROUND_UP, ROUND_DOWN, ROUND_HALF_UP, ROUND_HALF_EVEN,
		  ROUND_MODE_N };

/** What becomes of a duration before intervals are counted: whole seconds. */
enum duration_mode { DURATION_EXACT, DURATION_UP, DURATION_DOWN,
		     DURATION_HALF_UP, DURATION_MODE_N };

/** The rounding policy of a deck: data, written into every charge. */
struct rounding {
	uint8_t mode;     /**< enum round_mode                             */
	uint8_t decimals; /**< of the amount: 0..6                         */
	uint8_t duration; /**< enum duration_mode                          */
	uint8_t is_per_interval; /**< each interval alone, and the sum     */
};

/** @return 0 or EINVAL (a mode or number of decimals that there is not) */
int rounding_check(struct rounding r);

/** num / den micro-units to the decimals of r; den > 0. 0 or EOVERFLOW */
int rounding_apply(struct rounding r, __int128 num, __int128 den,
		   int64_t *ret_micro);

struct tariff {
	int64_t rate_per_min_nano;
	int64_t connect_fee_micro; /**< once, when answered                */
	uint32_t first_ms;         /**< first interval, > 0                */
	uint32_t next_ms;          /**< following intervals, > 0           */
};

/** Refuses negative money, zero intervals, intervals over a day. 0 | EINVAL
 *  All that follows expects a tariff that passed, and is pure. */
int tariff_check(const struct tariff *t);

/**
 * Duration that is paid for: 0 for 0; first_ms, then whole next_ms steps.
 * 61 000 ms at 60/6 s is billed as 66 000 ms.
 */
uint64_t charge_billed_ms(const struct tariff *t, uint64_t duration_ms);

/**
 * Price of a call of duration_ms: connect fee + rate x billed time, rounded
 * once at the end. Zero duration costs nothing (no fee either).
 * @return 0 or EOVERFLOW
 */
int charge_micro(const struct tariff *t, struct rounding r,
		 uint64_t duration_ms, int64_t *ret_micro);

/**
 * Longest duration whose price does not exceed micro; UINT64_MAX when any
 * duration is free; 0 when not even the first interval fits.
 */
uint64_t charge_duration_ms(const struct tariff *t, struct rounding r,
			    int64_t micro);

/**
 * End [ms] of the interval that runs at duration_ms. Intervals are half open:
 * at 60 000 ms of 60/6 s the second one runs, and this is 66 000.
 */
uint64_t charge_interval_end_ms(const struct tariff *t, uint64_t duration_ms);

/**
 * num / den rounded; den > 0. A negative amount is rounded as its magnitude
 * is, so that the refund of a charge is the charge. Beyond int64: its bound.
 */
int64_t round_div(__int128 num, __int128 den, enum round_mode mode);

const char *round_mode_name(enum round_mode mode); /**< "half_up"         */
int round_mode_parse(uint8_t *ret_mode, const char *name);
const char *duration_mode_name(enum duration_mode mode); /**< "exact"     */
int duration_mode_parse(uint8_t *ret_mode, const char *name);

#endif
