/**
 * @file charge.c  What a call costs: exact products in 128 bits, rounded once
 * at the end by the deck's own rule.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include "charge.h"

#define DAY_MS (24u * 3600 * 1000)

/* rate [nano/min] x time [ms] / NANO_MS_PER_MICRO = micro */
#define NANO_MS_PER_MICRO ((__int128)60 * 1000 * 1000)


static const char *const round_names[ROUND_MODE_N] = {
	[ROUND_UP] = "up",
	[ROUND_DOWN] = "down",
	[ROUND_HALF_UP] = "half_up",
	[ROUND_HALF_EVEN] = "half_even",
};


static const char *const duration_names[DURATION_MODE_N] = {
	[DURATION_EXACT] = "exact",
	[DURATION_UP] = "up",
	[DURATION_DOWN] = "down",
	[DURATION_HALF_UP] = "half_up",
};


const char *round_mode_name(enum round_mode mode)
{
	return mode < ROUND_MODE_N ? round_names[mode] : "?";
}


static int name_find(uint8_t *ret, const char *const *names, uint8_t n,
		     const char *name)
{
	if (!ret || !name)
		return EINVAL;

	for (uint8_t i = 0; i < n; i++) {
		if (0 == strcmp(name, names[i])) {
			*ret = i;
			return 0;
		}
	}

	return EINVAL;
}


int round_mode_parse(uint8_t *ret_mode, const char *name)
{
	return name_find(ret_mode, round_names, ROUND_MODE_N, name);
}


const char *duration_mode_name(enum duration_mode mode)
{
	return mode < DURATION_MODE_N ? duration_names[mode] : "?";
}


int duration_mode_parse(uint8_t *ret_mode, const char *name)
{
	return name_find(ret_mode, duration_names, DURATION_MODE_N, name);
}


int rounding_check(struct rounding r)
{
	return r.mode >= ROUND_MODE_N || r.decimals > 6 ||
			       r.duration >= DURATION_MODE_N ||
			       r.is_per_interval > 1
		       ? EINVAL : 0;
}


/* Does the rest of num / den push the whole part one further from zero? */
static bool rounds_away(unsigned __int128 whole, unsigned __int128 rest,
			unsigned __int128 den, enum round_mode mode)
{
	const unsigned __int128 other = den - rest;

	switch (mode) {
	case ROUND_UP:
		return rest > 0;
	case ROUND_HALF_UP:
		return rest >= other;
	case ROUND_HALF_EVEN:
		return rest > other || (rest == other && (whole & 1));
	case ROUND_DOWN:
	case ROUND_MODE_N:
	default:
		return false;
	}
}


static __int128 round_wide(__int128 num, __int128 den, enum round_mode mode)
{
	const bool negative = num < 0;
	const unsigned __int128 d = (unsigned __int128)den;
	unsigned __int128 n = (unsigned __int128)num, whole;

	if (negative)
		n = -n;

	whole = n / d;
	if (rounds_away(whole, n % d, d, mode))
		++whole;

	return negative ? -(__int128)whole : (__int128)whole;
}


int64_t round_div(__int128 num, __int128 den, enum round_mode mode)
{
	const __int128 v = round_wide(num, den, mode);

	if (v > INT64_MAX)
		return INT64_MAX;
	if (v < INT64_MIN)
		return INT64_MIN;

	return (int64_t)v;
}


/* The smallest amount that may be charged [micro]: 10^(6 - decimals). */
static int64_t rounding_step(struct rounding r)
{
	int64_t step = 1;
	uint8_t i;

	for (i = r.decimals; i < 6; i++)
		step *= 10;

	return step;
}


int rounding_apply(struct rounding r, __int128 num, __int128 den,
		   int64_t *ret_micro)
{
	const int64_t step = rounding_step(r);
	__int128 amount;

	if (__builtin_mul_overflow(den, (__int128)step, &den) ||
	    __builtin_mul_overflow(round_wide(num, den,
					      (enum round_mode)r.mode),
				   (__int128)step, &amount) ||
	    amount > INT64_MAX || amount < INT64_MIN)
		return EOVERFLOW;

	*ret_micro = (int64_t)amount;
	return 0;
}


int tariff_check(const struct tariff *t)
{
	if (!t)
		return EINVAL;

	if (t->rate_per_min_nano < 0 || t->connect_fee_micro < 0)
		return EINVAL;

	if (!t->first_ms || t->first_ms > DAY_MS)
		return EINVAL;

	if (!t->next_ms || t->next_ms > DAY_MS)
		return EINVAL;

	return 0;
}


uint64_t charge_billed_ms(const struct tariff *t, uint64_t duration_ms)
{
	unsigned __int128 n, billed;

	if (!duration_ms)
		return 0;
	if (duration_ms <= t->first_ms)
		return t->first_ms;

	n = (duration_ms - t->first_ms - 1) / t->next_ms + 1;
	billed = t->first_ms + n * t->next_ms;

	return billed > UINT64_MAX ? UINT64_MAX : (uint64_t)billed;
}


int charge_micro(const struct tariff *t, struct rounding r,
		 uint64_t duration_ms, int64_t *ret_micro)
{
	const int64_t step = rounding_step(r);
	__int128 nano_ms, amount;

	if (!duration_ms) {
		*ret_micro = 0;
		return 0;
	}

	if (__builtin_mul_overflow((__int128)t->rate_per_min_nano,
				   (__int128)charge_billed_ms(t, duration_ms),
				   &nano_ms) ||
	    __builtin_add_overflow(nano_ms,
				   t->connect_fee_micro * NANO_MS_PER_MICRO,
				   &nano_ms))
		return EOVERFLOW;

	amount = round_wide(nano_ms, NANO_MS_PER_MICRO * step,
			    (enum round_mode)r.mode) * step;
	if (amount > INT64_MAX)
		return EOVERFLOW;

	*ret_micro = (int64_t)amount;
	return 0;
}


/*
 * The largest numerator that still rounds to no more than steps: the rounding
 * turned round, so that the inverse is as exact as the price.
 */
static __int128 rounding_ceiling(__int128 steps, __int128 den,
				 enum round_mode mode)
{
	const __int128 half = den / 2; /* den is even: 6 * 10^n */

	switch (mode) {
	case ROUND_DOWN:
		return (steps + 1) * den - 1;
	case ROUND_HALF_UP:
		return steps * den + half - 1;
	case ROUND_HALF_EVEN:
		return steps * den + half - ((steps & 1) ? 1 : 0);
	case ROUND_UP:
	case ROUND_MODE_N:
	default:
		return steps * den;
	}
}


uint64_t charge_duration_ms(const struct tariff *t, struct rounding r,
			    int64_t micro)
{
	const int64_t step = rounding_step(r);
	__int128 room, billed;

	if (micro < 0)
		return 0;

	room = rounding_ceiling(micro / step, NANO_MS_PER_MICRO * step,
				(enum round_mode)r.mode);
	room -= t->connect_fee_micro * NANO_MS_PER_MICRO;
	if (room < 0)
		return 0;
	if (!t->rate_per_min_nano)
		return UINT64_MAX;

	billed = room / t->rate_per_min_nano;
	if (billed < t->first_ms)
		return 0;
	if (billed > UINT64_MAX)
		return UINT64_MAX;

	return (uint64_t)(billed - (billed - t->first_ms) % t->next_ms);
}


uint64_t charge_interval_end_ms(const struct tariff *t, uint64_t duration_ms)
{
	if (duration_ms == UINT64_MAX)
		return UINT64_MAX;

	return charge_billed_ms(t, duration_ms + 1);
}
