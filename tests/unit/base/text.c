/**
 * @file tests/unit/base/text.c  Cuts are reported, money keeps every digit.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "text.h"


Test(text, copies_and_cuts)
{
	char buf[4] = "zzz";

	cr_assert_eq(text_copy(buf, sizeof(buf), "abc"), 0);
	cr_assert_str_eq(buf, "abc");
	cr_assert_eq(text_copy(buf, sizeof(buf), "wxyz"), EOVERFLOW);
	cr_assert_str_eq(buf, "wxy");
	cr_assert_eq(text_set(buf, sizeof(buf), "pqrs", 2), 0);
	cr_assert_str_eq(buf, "pq");
	cr_assert_eq(text_copy(buf, sizeof(buf), NULL), 0);
	cr_assert_str_empty(buf);
	cr_assert_eq(text_copy(NULL, 0, "a"), EOVERFLOW);

	cr_assert_eq(text_format(buf, sizeof(buf), "%d", 123), 0);
	cr_assert_eq(text_format(buf, sizeof(buf), "%d", 1234), EOVERFLOW);
	cr_assert_str_eq(buf, "123");
}


Test(text, u64)
{
	uint64_t v = 5;

	cr_assert_eq(text_u64(&v, "65535x", 5, 65535), 0);
	cr_assert_eq(v, 65535);
	cr_assert_eq(text_u64(&v, "18446744073709551615", 20, UINT64_MAX), 0);
	cr_assert_eq(v, UINT64_MAX);
	cr_assert_eq(text_u64(&v, "18446744073709551616", 20, UINT64_MAX),
		     EBADMSG);
	cr_assert_eq(text_u64(&v, "65536", 5, 65535), EBADMSG);
	cr_assert_eq(text_u64(&v, "", 0, 10), EBADMSG);
	cr_assert_eq(text_u64(&v, " 1", 2, 10), EBADMSG);
	cr_assert_eq(text_u64(&v, "+1", 2, 10), EBADMSG);
	cr_assert_eq(text_u64(&v, "-1", 2, 10), EBADMSG);
	cr_assert_eq(v, UINT64_MAX);
}


Test(text, formula)
{
	cr_assert(text_is_formula("=1+1"));
	cr_assert(text_is_formula("@SUM(A1)"));
	cr_assert(text_is_formula("+49 30"));
	cr_assert(text_is_formula("+cmd|'/C calc'!A0"));
	cr_assert(text_is_formula("-2+3"));
	cr_assert(text_is_formula("\t=1"));
	cr_assert_not(text_is_formula(""));
	cr_assert_not(text_is_formula("+4930123"));
	cr_assert_not(text_is_formula("-1.5"));
	cr_assert_not(text_is_formula("a=b"));
}


static void decimal(const char *s, int scale, int err, int64_t want)
{
	int64_t v = 77;

	cr_assert_eq(text_decimal(&v, s, scale), err, "%s", s);
	cr_assert_eq(v, err ? 77 : want, "%s", s);
}


Test(text, decimal)
{
	decimal("12.345678", 6, 0, 12345678);
	decimal("12", 6, 0, 12000000);
	decimal("-0.5", 6, 0, -500000);
	decimal("0", 9, 0, 0);
	decimal("-0", 9, 0, 0);
	decimal("0.000000001", 9, 0, 1);
	decimal("9223372036854775807", 0, 0, INT64_MAX);
	decimal("-9223372036854.775808", 6, 0, INT64_MIN);

	decimal("9223372036854.775808", 6, ERANGE, 0);
	decimal("-9223372036854.775809", 6, ERANGE, 0);
	decimal("9223372036854775807", 1, ERANGE, 0);
	decimal("1.0000001", 6, ERANGE, 0);
	decimal("1.5", 0, ERANGE, 0);

	decimal("", 6, EBADMSG, 0);
	decimal("-", 6, EBADMSG, 0);
	decimal(".5", 6, EBADMSG, 0);
	decimal("5.", 6, EBADMSG, 0);
	decimal("+5", 6, EBADMSG, 0);
	decimal(" 5", 6, EBADMSG, 0);
	decimal("5 ", 6, EBADMSG, 0);
	decimal("1,5", 6, EBADMSG, 0);
	decimal("1e5", 6, EBADMSG, 0);
	decimal("1.2.3", 6, EBADMSG, 0);
	decimal(NULL, 6, EBADMSG, 0);
}


static void format(int64_t v, int scale, const char *want)
{
	char buf[32];
	int64_t back;

	cr_assert_str_eq(text_decimal_format(buf, sizeof(buf), v, scale),
			 want);
	cr_assert_eq(text_decimal(&back, buf, scale), 0);
	cr_assert_eq(back, v);
}


Test(text, decimal_format_and_back)
{
	format(12345678, 6, "12.345678");
	format(-500000, 6, "-0.500000");
	format(0, 6, "0.000000");
	format(1, 9, "0.000000001");
	format(-7, 0, "-7");
	format(INT64_MAX, 6, "9223372036854.775807");
	format(INT64_MIN, 6, "-9223372036854.775808");
	format(INT64_MIN, 0, "-9223372036854775808");
}


Test(text, digits)
{
	cr_assert(text_is_digits("0049"));
	cr_assert(!text_is_digits(""));
	cr_assert(!text_is_digits(NULL));
	cr_assert(!text_is_digits("+49"));
	cr_assert(!text_is_digits("49 "));
}


Test(text, hex)
{
	const uint8_t bytes[3] = {0x00, 0xaf, 0xff};
	uint8_t back[3] = {1, 1, 1};
	char buf[7];

	text_hex(buf, bytes, sizeof(bytes));
	cr_assert_str_eq(buf, "00afff");
	cr_assert_eq(text_unhex(back, 3, "00aFFf"), 0);
	cr_assert_arr_eq(back, bytes, 3);

	cr_assert_eq(text_unhex(back, 3, "00affg"), EBADMSG);
	cr_assert_eq(text_unhex(back, 3, "00aff"), EBADMSG);
	cr_assert_eq(text_unhex(back, 3, "00afff0"), EBADMSG);
	cr_assert_eq(text_unhex(back, 3, NULL), EBADMSG);
	cr_assert_arr_eq(back, bytes, 3);
}


static void crc(const void *bytes, size_t len, uint32_t want)
{
	const uint8_t *p = bytes;
	size_t cut;

	cr_assert_eq(crc32c(0, p, len), want);
	cr_assert_eq(crc32c_portable(0, p, len), want);

	for (cut = 0; cut <= len; cut++) {
		cr_assert_eq(crc32c(crc32c(0, p, cut), p + cut, len - cut),
			     want);
		cr_assert_eq(crc32c_portable(crc32c(0, p, cut), p + cut,
					     len - cut),
			     want);
	}
}


/* RFC 3720 B.4 */
Test(text, crc32c_vectors)
{
	uint8_t bytes[32];
	size_t i;

	memset(bytes, 0, sizeof(bytes));
	crc(bytes, sizeof(bytes), 0x8a9136aa);
	memset(bytes, 0xff, sizeof(bytes));
	crc(bytes, sizeof(bytes), 0x62a8ab43);
	for (i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	crc(bytes, sizeof(bytes), 0x46dd794e);
	crc("123456789", 9, 0xe3069283);
	crc("", 0, 0);
}


Test(text, characters_of_utf8)
{
	static const struct {
		const char *text;
		size_t n;
		uint32_t c;
	} cases[] = {
		{"a", 1, 'a'}, {"", 0, 0}, {"\xc3\xbc", 2, 0xfc},
		{"\xe2\x82\xac", 3, 0x20ac},
		{"\xf0\x9f\x93\x9e", 4, 0x1f4de},
		{"\xfc", 0, 0}, {"\xbc", 0, 0}, {"\xc3", 0, 0},
		{"\xe2\x82", 0, 0}, {"\xc3(", 0, 0},
		{"\xc1\x81", 0, 0}, /* longer than it has to be */
		{"\xe0\x81\x81", 0, 0},
		{"\xed\xa0\x80", 0, 0}, /* a surrogate */
		{"\xf4\x90\x80\x80", 0, 0}, /* behind the last */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t c = 0;

		cr_expect_eq(text_utf8(&c, cases[i].text), cases[i].n, "%zu",
			     i);
		cr_expect_eq(c, cases[i].c, "%zu", i);
	}
}


Test(text, a_character_cut_at_the_end)
{
	static const char *const cases[][2] = {
		{"", ""}, {"a", "a"}, {"a\xc3\xbc", "a\xc3\xbc"},
		{"a\xc3", "a"}, {"\xe2\x82", ""}, {"a\xf0\x9f\x93", "a"},
		{"\x80\x80\x80\x80", "\x80\x80\x80\x80"},
	};
	char buf[8];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		TEXT_FILL(buf, cases[i][0]);
		text_mend(buf);
		cr_expect_str_eq(buf, cases[i][1], "%zu", i);
	}
}
