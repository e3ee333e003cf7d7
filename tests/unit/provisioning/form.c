/* Forms of texts. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "form.h"


static int64_t ms(const char *text)
{
	int64_t v = -1;

	return form_time(&v, text) ? -1 : v;
}


Test(form, times)
{
	cr_assert_eq(ms("1970-01-01T00:00:00Z"), 0);
	cr_assert_eq(ms("2026-11-22T10:31:00Z"), 1795343460000);
	cr_assert_eq(ms("2026-11-22t10:31:00.1234567z"), 1795343460123);
	cr_assert_eq(ms("2026-11-22T11:31:00.5+01:00"), 1795343460500);
	cr_assert_eq(ms("2024-02-29T00:00:00Z"), 1709164800000);
}


Test(form, no_times)
{
	static const char *const bad[] = {
		"", "2026", "2026-11-22", "2026-11-22T10:31Z",
		"2026-11-22T10:31:00", "2026-11-22 10:31:00Z",
		"2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z",
		"2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
		"1969-12-31T23:59:59Z", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00+0100", "2026-01-01T00:00:00+01:0",
		"2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00Zx",
		"1970-01-01T00:00:00+01:00", "-026-01-01T00:00:00Z",
		"2026-01-01T-1:00:00Z"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(ms(bad[i]), -1, "%s", bad[i]);
}


Test(form, networks)
{
	char buf[64];

	cr_assert_eq(form_cidr(buf, sizeof(buf), "192.0.2.0/24"), 0);
	cr_assert_str_eq(buf, "192.0.2.0/24");
	cr_assert_eq(form_cidr(buf, sizeof(buf), "2001:DB8::/32"), 0);
	cr_assert_str_eq(buf, "2001:db8::/32");
	cr_assert_eq(form_cidr(buf, sizeof(buf), "::1"), 0);
	cr_assert_str_eq(buf, "::1/128");
	cr_assert_eq(form_cidr(buf, sizeof(buf), "192.0.2.1/24"), EBADMSG);
	cr_assert_eq(form_cidr(buf, sizeof(buf), "192.0.2.0/33"), EBADMSG);
	cr_assert_eq(form_cidr(buf, sizeof(buf), "192.0.2.0/"), EBADMSG);
	cr_assert_eq(form_cidr(buf, sizeof(buf), "/8"), EBADMSG);
	cr_assert_eq(form_cidr(buf, sizeof(buf), "192.0.2/24"), EBADMSG);
	cr_assert_eq(form_cidr(buf, sizeof(buf), ""), EBADMSG);
}


Test(form, ids_and_names)
{
	cr_assert(form_is_id("trk_0123456789abcdefghjkmnpqrs", "trk_"));
	cr_assert_not(form_is_id("acc_0123456789abcdefghjkmnpqrs", "trk_"));
	cr_assert_not(form_is_id("trk_0123456789abcdefghjkmnpqr", "trk_"));
	cr_assert_not(form_is_id("trk_0123456789abcdefghjkmnpqrS", "trk_"));
	cr_assert(form_is_username("alice@example"));
	cr_assert_not(form_is_username("a:b"));
	cr_assert_not(form_is_username("a\"b"));
	cr_assert_not(form_is_realm("a\\b"));
	cr_assert_not(form_is_name("a\x7f"));
	cr_assert(form_is_currency("EUR"));
	cr_assert_not(form_is_currency("eur"));
	cr_assert(form_is_zone("America/Argentina/Buenos_Aires"));
	cr_assert_not(form_is_zone("a b"));
	cr_assert(form_is_rate_prefix("123456789012345"));
	cr_assert_not(form_is_rate_prefix("1234567890123456"));
	cr_assert_not(form_is_rate_prefix(""));
}
