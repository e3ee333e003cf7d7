/**
 * @file price.h  The whole price of one call, as it stands when the call
 * begins: tiers, windows of the day cut at their boundaries, fees, free
 * seconds, a cap, an exchange rate and taxes. It needs nothing but itself: the
 * call is charged by it while it lives, its record carries it, and who rates
 * it again years later gets the same amount.
 *
 * The arithmetic, each step exact until "rounded":
 *
 *   rated     duration by rounding.duration, less free_ms
 *   billed    rated in whole intervals; each step has its own
 *   time      rate x billed time; at a window's boundary to the millisecond,
 *             while a tier's interval is paid in full once it began
 *   net       max(time + connect fee, minimum) + attempt fee, at most the cap;
 *             x exchange rate; rounded
 *   taxes     each on net, rounded; or contained in net when it is gross
 */
#ifndef PRICE_H
#define PRICE_H
#include <stdbool.h>
#include "charge.h"

#define PRICE_STEPS_MAX 24
#define PRICE_TAXES_MAX 4
#define PRICE_NO_CAP (-1)
#define EXCHANGE_SAME INT64_C(1000000000)
#define TAX_NAME_SIZE 16
#define TAX_PPM_MAX 1000000

/** From a moment of the rated time on. */
struct price_step {
	int64_t rate_per_min_nano;
	uint32_t from_ms;      /**< ascending, the first 0                 */
	uint32_t increment_ms; /**< what is paid for at once, > 0          */
	uint32_t is_window;    /**< begins in the middle of an interval, too */
};

struct price_tax {
	char name[TAX_NAME_SIZE];
	uint32_t ppm;          /**< 190 000: 19 percent                    */
};

struct price {
	struct tariff tariff;  /**< of the row, for reading                */
	struct rounding rounding;
	int64_t attempt_micro; /**< once anybody was dialled               */
	int64_t minimum_micro; /**< of time and connect fee                */
	int64_t cap_micro;     /**< PRICE_NO_CAP                           */
	int64_t exchange_nano; /**< units of the account's currency for one */
	uint32_t free_ms;
	uint8_t is_cap_cut;    /**< the call ends there; else it goes on free */
	uint8_t is_reverse;    /**< paid to the account, not by it         */
	uint8_t is_tax_included;
	uint8_t tax_n, step_n;
	struct price_tax taxes[PRICE_TAXES_MAX];
	struct price_step steps[PRICE_STEPS_MAX];
};

/** What a call comes to, beyond what packages pay. Of a reverse price all amounts are negative. */
struct price_parts {
	int64_t gross_micro;   /**< net and all taxes: what is posted      */
	int64_t net_micro;
	int64_t tax_micro[PRICE_TAXES_MAX];
	uint64_t billed_ms;    /**< paid for, without what is covered      */
};

/** A tariff and nothing else. */
void price_set(struct price *p, const struct tariff *t, struct rounding r);

/** Bounds of all that the functions below divide by or take as an index.
 *  @return 0 or EINVAL */
int price_check(const struct price *p);

/**
 * @param duration_ms  0: nobody answered, or nothing to bill
 * @param covered_ms   so much of the billed time was paid for by packages,
 *                     from the start; a multiple of intervals
 * @return 0 or EOVERFLOW. Pure, as all below.
 */
int price_parts(const struct price *p, uint64_t duration_ms,
		uint64_t covered_ms, struct price_parts *ret);

/**
 * The same, less what packages of money pay of it before taxes (at most all).
 * @param covered_micro  >= 0
 */
int price_rest(const struct price *p, uint64_t duration_ms,
	       uint64_t covered_ms, int64_t covered_micro,
	       struct price_parts *ret);

/** Its gross amount; never falls with duration, nor a reverse one rises. */
int price_micro(const struct price *p, uint64_t duration_ms,
		uint64_t covered_ms, int64_t *ret_micro);

/** Whole intervals of the time that is rated. */
uint64_t price_billed_ms(const struct price *p, uint64_t duration_ms);

/** The longest duration with the price of the interval that runs at
 *  duration_ms; intervals are half open, as of charge_interval_end_ms(). */
uint64_t price_interval_end_ms(const struct price *p, uint64_t duration_ms);

/** The longest duration up to limit_ms whose price does not exceed micro; 0
 *  when not even the first interval fits. */
uint64_t price_duration_ms(const struct price *p, int64_t micro,
			   uint64_t limit_ms);

/** The longest duration up to limit_ms that a cap which ends the call lets
 *  it have; limit_ms without such a cap. */
uint64_t price_cut_ms(const struct price *p, uint64_t limit_ms);

/** Never anything to pay, however long it lasts. */
bool price_is_free(const struct price *p);

/** What a minute comes to, without rounding and taxes [nano of the account's
 *  currency]; INT64_MAX: more than that. Of a reverse price it is negative. */
int64_t price_minute_nano(const struct price *p);

/** All of it dearer: by a part, and the time by an amount. @return 0 or
 *  EOVERFLOW (p is as it was) */
int price_markup(struct price *p, uint32_t ppm, int64_t per_min_nano);

/** The dearest rate of its steps in the account's currency [nano/min]. */
int64_t price_dearest_nano(const struct price *p);

#endif
