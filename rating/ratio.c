/**
 * @file ratio.c  Exact fractions: every product and sum is checked, and a
 * result is brought to lowest terms at once.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "ratio.h"

#define NANO 1000000000
#define SCALE_MAX 9


static __int128 divisor_common(__int128 a, __int128 b)
{
	while (b) {
		const __int128 rest = a % b;

		a = b;
		b = rest;
	}

	return a < 0 ? -a : a;
}


int ratio_make(struct ratio *ret, __int128 num, __int128 den)
{
	const __int128 least = (__int128)1 << 126;
	__int128 common;

	if (!den)
		return EINVAL;
	if (num <= -least || num >= least || den <= -least || den >= least)
		return EOVERFLOW;

	common = divisor_common(num, den);
	if (den < 0)
		common = -common;

	ret->num = num / common;
	ret->den = den / common;
	return 0;
}


/* Digits with at most one point, as num / 10^n; *textp moves behind them. */
static int decimal_parse(struct ratio *ret, const char **textp)
{
	const char *p = *textp;
	__int128 num = 0, den = 1;
	bool fraction = false;
	int digits = 0;

	for (; isdigit((unsigned char)*p) || (*p == '.' && !fraction); p++) {
		if (*p == '.') {
			fraction = true;
			continue;
		}
		if (++digits > 30)
			return EOVERFLOW;
		num = num * 10 + (*p - '0');
		if (fraction)
			den *= 10;
	}

	if (!digits)
		return EBADMSG;

	*textp = p;
	return ratio_make(ret, num, den);
}


int ratio_parse(struct ratio *ret, const char *text)
{
	struct ratio above, below = {1, 1};
	const bool negative = *text == '-';
	int err;

	text += negative;
	err = decimal_parse(&above, &text);
	if (err)
		return err;

	if (*text == '/') {
		++text;
		err = decimal_parse(&below, &text);
		if (err)
			return err;
	}
	if (*text || !below.num)
		return EBADMSG;
	if (negative)
		above.num = -above.num;

	return ratio_mul(ret, above, (struct ratio){below.den, below.num});
}


int ratio_add(struct ratio *ret, struct ratio a, struct ratio b)
{
	const __int128 common = divisor_common(a.den, b.den);
	__int128 x, y, num, den;

	if (__builtin_mul_overflow(a.num, b.den / common, &x) ||
	    __builtin_mul_overflow(b.num, a.den / common, &y) ||
	    __builtin_add_overflow(x, y, &num) ||
	    __builtin_mul_overflow(a.den, b.den / common, &den))
		return EOVERFLOW;

	return ratio_make(ret, num, den);
}


int ratio_mul(struct ratio *ret, struct ratio a, struct ratio b)
{
	const __int128 x = divisor_common(a.num, b.den);
	const __int128 y = divisor_common(b.num, a.den);
	__int128 num, den;

	/* across first: keeps the products small */
	if (__builtin_mul_overflow(a.num / x, b.num / y, &num) ||
	    __builtin_mul_overflow(a.den / y, b.den / x, &den))
		return EOVERFLOW;

	return ratio_make(ret, num, den);
}


int ratio_compare(int *ret, struct ratio a, struct ratio b)
{
	__int128 x, y;

	if (__builtin_mul_overflow(a.num, b.den, &x) ||
	    __builtin_mul_overflow(b.num, a.den, &y))
		return EOVERFLOW;

	*ret = (x > y) - (x < y);
	return 0;
}


int ratio_round(struct ratio *ret, struct ratio a, enum round_mode mode,
		unsigned decimals)
{
	__int128 scale = 1, num;
	int64_t units;
	unsigned i;

	if (decimals > SCALE_MAX)
		return EINVAL;

	for (i = 0; i < decimals; i++)
		scale *= 10;

	if (__builtin_mul_overflow(a.num, scale, &num))
		return EOVERFLOW;

	units = round_div(num, a.den, mode);
	if (units == INT64_MAX || units == INT64_MIN)
		return EOVERFLOW;

	return ratio_make(ret, units, scale);
}


int ratio_units(int64_t *ret, struct ratio a, int64_t scale)
{
	struct ratio units;
	int err;

	err = ratio_mul(&units, a, (struct ratio){scale, 1});
	if (err)
		return err;
	if (units.den != 1)
		return ERANGE;
	if (units.num > INT64_MAX || units.num < INT64_MIN)
		return EOVERFLOW;

	*ret = (int64_t)units.num;
	return 0;
}


const char *ratio_format(char *buf, size_t size, struct ratio a)
{
	struct ratio shown;
	int64_t nano, whole;
	int differs, len;

	if (ratio_round(&shown, a, ROUND_HALF_UP, SCALE_MAX) ||
	    ratio_units(&nano, shown, NANO) ||
	    ratio_compare(&differs, a, shown)) {
		snprintf(buf, size, "(too large)");
		return buf;
	}

	whole = nano < 0 ? -nano : nano;
	len = snprintf(buf, size, "%s%s%" PRId64 ".%09" PRId64,
		       differs ? "~" : "", nano < 0 ? "-" : "", whole / NANO,
		       whole % NANO);
	if (len < 0 || (size_t)len >= size)
		return buf;

	while (buf[len - 1] == '0')
		buf[--len] = '\0';
	if (buf[len - 1] == '.')
		buf[--len] = '\0';

	return buf;
}
