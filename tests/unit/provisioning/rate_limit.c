/* Token buckets by key. */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include <stdio.h>
#include "rate_limit.h"


Test(rate_limit, a_burst_and_then_the_rate)
{
	struct rate_limit *r = NULL;
	struct rate_state s;

	cr_assert_eq(rate_limit_alloc(&r, 10, 0), EINVAL);
	cr_assert_eq(rate_limit_alloc(&r, 10, 5), 0);
	for (uint32_t i = 0; i < 5; i++) {
		cr_assert(rate_limit_take(r, "a", 1000, &s));
		cr_assert_eq(s.left, 4 - i);
		cr_assert_eq(s.wait_s, 0);
	}
	cr_assert_not(rate_limit_take(r, "a", 1000, &s));
	cr_assert_eq(s.wait_s, 1);
	cr_assert_eq(s.burst, 5);
	cr_assert_eq(s.window_s, 1);
	cr_assert_not(rate_limit_take(r, "a", 1099, &s), "99 ms are too few");
	cr_assert(rate_limit_take(r, "a", 1100, &s), "a tenth of a second");
	cr_assert_not(rate_limit_take(r, "a", 1100, &s));
	cr_assert(rate_limit_take(r, "b", 1100, &s), "keys are apart");
	cr_assert_eq(s.left, 4);
	cr_assert(rate_limit_take(r, "a", 1050 + 10000, &s));
	cr_assert_eq(s.left, 4, "a bucket does not overflow");
	cr_assert(rate_limit_take(r, "a", 500, &s), "an older clock reading");
	mem_deref(r);
}


Test(rate_limit, without_a_rate_there_is_no_limit)
{
	struct rate_limit *r = NULL;
	struct rate_state s;

	cr_assert_eq(rate_limit_alloc(&r, 0, 0), 0);
	for (size_t i = 0; i < 10000; i++)
		cr_assert(rate_limit_take(r, "a", 1, &s));
	mem_deref(r);
}


Test(rate_limit, memory_is_bounded)
{
	struct rate_limit *r = NULL;
	struct rate_state s;
	char key[36];

	cr_assert_eq(rate_limit_alloc(&r, 1, 1), 0);
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(key, sizeof(key), "key_%u", i);
		cr_assert(rate_limit_take(r, key, i + 1, &s));
	}
	cr_assert_not(rate_limit_take(r, key, 100001, &s),
		      "the last one is still known");
	mem_deref(r);
}
