/**
 * @file ratio.h  An exact fraction of 128-bit integers, for prices such as
 * 1/1200 per second that no decimal can hold. Pure; overflow is an error.
 */
#ifndef RATIO_H
#define RATIO_H
#include <stddef.h>
#include <stdint.h>
#include "charge.h"

struct ratio {
	__int128 num, den; /**< lowest terms, den > 0 */
};

#define RATIO_ZERO ((struct ratio){0, 1})

/** @return 0, EINVAL (den is 0) or EOVERFLOW */
int ratio_make(struct ratio *ret, __int128 num, __int128 den);

/** "12.345", "1/1200" or "-3". @return 0, EBADMSG or EOVERFLOW */
int ratio_parse(struct ratio *ret, const char *text);

int ratio_add(struct ratio *ret, struct ratio a, struct ratio b);
int ratio_mul(struct ratio *ret, struct ratio a, struct ratio b);

/** -1, 0 or 1 as a is below, equal to or above b. @return 0 or EOVERFLOW */
int ratio_compare(int *ret, struct ratio a, struct ratio b);

/** To a multiple of 10^-decimals (0..9). @return 0, EINVAL or EOVERFLOW */
int ratio_round(struct ratio *ret, struct ratio a, enum round_mode mode,
		unsigned decimals);

/** a x scale as an integer. @return 0, ERANGE (not whole) or EOVERFLOW */
int ratio_units(int64_t *ret, struct ratio a, int64_t scale);

/** Decimal with up to 9 places, "~" before it when it is not exact. */
const char *ratio_format(char *buf, size_t size, struct ratio a);

#endif
