/** @file pool.c  A value is kept once and found by its number. */
#include <criterion/criterion.h>
#include <string.h>
#include "pool.h"


Test(pool, once)
{
	uint32_t number, again;
	struct pool p;

	pool_init(&p, sizeof(uint64_t));
	for (uint64_t v = 0; v < 5000; v++) {
		const uint64_t value = v * v;

		cr_assert_eq(pool_put(&p, &value, &number), 0);
		cr_assert_eq(number, v);
		cr_assert_eq(pool_put(&p, &value, &again), 0);
		cr_assert_eq(again, v);
	}
	cr_expect_eq(p.n, 5000);

	cr_assert_eq(pool_fit(&p), 0);
	for (uint64_t v = 0; v < 5000; v++) {
		const uint64_t value = v * v;

		cr_assert_eq(memcmp(pool_at(&p, (uint32_t)v), &value,
				    sizeof(value)), 0);
	}
	cr_expect_eq(pool_bytes(&p), 5000 * sizeof(uint64_t));
	pool_clear(&p);
	cr_expect_eq(pool_bytes(&p), 0);
}


Test(pool, nothing)
{
	struct pool p;

	pool_init(&p, 48);
	cr_assert_eq(pool_fit(&p), 0);
	cr_expect_eq(p.n, 0);
	pool_clear(&p);
}
