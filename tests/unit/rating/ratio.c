/**
 * @file ratio.c  Tests of exact fractions.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include "ratio.h"


static struct ratio parsed(const char *text)
{
	struct ratio r = RATIO_ZERO;

	cr_assert(zero(int, ratio_parse(&r, text)), "%s", text);
	return r;
}


static void expect_shown(struct ratio r, const char *text)
{
	char buf[64];

	cr_expect(eq(str, (char *)ratio_format(buf, sizeof(buf), r),
		     (char *)text));
}


Test(ratio, parse_and_format)
{
	expect_shown(parsed("12.50"), "12.5");
	expect_shown(parsed("1/1200"), "~0.000833333");
	expect_shown(parsed("99/100"), "0.99");
	expect_shown(parsed("0"), "0");
	expect_shown(parsed("-3"), "-3");
	expect_shown(parsed("0.5/0.25"), "2");
	expect_shown(parsed("100"), "100");
}


Test(ratio, bad_text)
{
	static const char *const texts[] = {"", "-", "a", "1/", "1/0", "1 ",
					    "1.2.3", "/2", "."};
	struct ratio r;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect(ne(int, ratio_parse(&r, texts[i]), 0), "\"%s\"",
			  texts[i]);
	cr_expect(eq(int, ratio_parse(&r, "9999999999999999999999999999999"),
		     EOVERFLOW));
}


Test(ratio, sums_and_products_are_exact)
{
	struct ratio sum = RATIO_ZERO;
	int i, differs;

	for (i = 0; i < 1200; i++)
		cr_assert(zero(int, ratio_add(&sum, sum, parsed("1/1200"))));
	cr_assert(zero(int, ratio_compare(&differs, sum, parsed("1"))));
	cr_assert(zero(int, differs));

	cr_assert(zero(int, ratio_mul(&sum, parsed("2/3"), parsed("9/4"))));
	expect_shown(sum, "1.5");
	cr_assert(zero(int, ratio_mul(&sum, RATIO_ZERO, parsed("7/3"))));
	expect_shown(sum, "0");
}


Test(ratio, order)
{
	int c;

	cr_assert(zero(int, ratio_compare(&c, parsed("1/3"), parsed("0.3"))));
	cr_assert(eq(int, c, 1));
	cr_assert(zero(int, ratio_compare(&c, parsed("-1"), parsed("0"))));
	cr_assert(eq(int, c, -1));
}


Test(ratio, units)
{
	int64_t v = 5;

	cr_assert(zero(int, ratio_units(&v, parsed("0.25"), 1000)));
	cr_assert(eq(i64, v, 250));
	cr_assert(eq(int, ratio_units(&v, parsed("1/3"), 1000), ERANGE));
	cr_assert(eq(int, ratio_units(&v, parsed("99999999999999999999"), 1),
		     EOVERFLOW));
	cr_assert(eq(i64, v, 250));
}


Test(ratio, overflow_is_said)
{
	const struct ratio big = {(__int128)1 << 120, 1};
	struct ratio r;

	cr_assert(eq(int, ratio_mul(&r, big, big), EOVERFLOW));
	cr_assert(eq(int, ratio_make(&r, (__int128)1 << 126, 1), EOVERFLOW));
	cr_assert(eq(int, ratio_make(&r, 1, 0), EINVAL));
}
