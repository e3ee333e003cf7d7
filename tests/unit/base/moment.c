/**
 * @file tests/unit/base/moment.c  Time as text, and clocks that go forward.
 */
#include <criterion/criterion.h>
#include "moment.h"


Test(moment, format_known)
{
	char buf[32];

	cr_assert_str_eq(moment_format(buf, 0), "1970-01-01T00:00:00.000Z");
	cr_assert_str_eq(moment_format(buf, 1582934400123),
			 "2020-02-29T00:00:00.123Z");
	cr_assert_str_eq(moment_format(buf, -1), "1969-12-31T23:59:59.999Z");
	cr_assert_str_eq(moment_format(buf, 253402300799999),
			 "9999-12-31T23:59:59.999Z");
}


Test(moment, format_damaged_record_shows_no_day)
{
	char buf[32];

	cr_assert_str_eq(moment_format(buf, INT64_MAX),
			 "1900-01-00T00:00:00.807Z");
	cr_assert_str_eq(moment_format(buf, INT64_MIN),
			 "1900-01-00T00:00:00.192Z");
}


Test(moment, read_goes_forward)
{
	struct moment a, b;

	moment_read(&a);
	moment_read(&b);

	cr_assert(b.mono_us >= a.mono_us);
	cr_assert(a.wall_us > 1577836800000000); /* this was 2020 */
	cr_assert_eq(moment_ms(&a), a.mono_us / 1000);
	cr_assert_eq(moment_wall_ms(&a), a.wall_us / 1000);
	cr_assert(moment_cpu_ns() > 0);
}
