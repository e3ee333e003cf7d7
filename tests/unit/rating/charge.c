/**
 * @file charge.c  Tests of the price of a call: tables of known answers, then
 * properties over random tariffs.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include "charge.h"
#include "random.h"

#define TARIFFS 20000

static const struct rounding exact = {ROUND_HALF_UP, 6, 0, 0};


static int64_t price(const struct tariff *t, struct rounding r,
		     uint64_t duration_ms)
{
	int64_t micro = -1;

	cr_assert(zero(int, charge_micro(t, r, duration_ms, &micro)));
	return micro;
}


static struct tariff random_tariff(uint64_t *seed)
{
	struct tariff t = {
		.rate_per_min_nano =
			(int64_t)(random_u64(seed) >> (24 + random_below(
						seed, 40))),
		.connect_fee_micro = (int64_t)random_below(seed, 3) *
				     (int64_t)random_below(seed, 500000),
		.first_ms = (uint32_t)(1 + random_below(seed, 90000)),
		.next_ms = (uint32_t)(1 + random_below(seed, 60000)),
	};

	return t;
}


static struct rounding random_rounding(uint64_t *seed)
{
	struct rounding r = {(uint8_t)random_below(seed, ROUND_MODE_N),
			     (uint8_t)random_below(seed, 7), 0, 0};

	return r;
}


Test(charge, billed_steps)
{
	const struct tariff t = {.first_ms = 60000, .next_ms = 6000};

	cr_assert(eq(u64, charge_billed_ms(&t, 0), 0));
	cr_assert(eq(u64, charge_billed_ms(&t, 1), 60000));
	cr_assert(eq(u64, charge_billed_ms(&t, 60000), 60000));
	cr_assert(eq(u64, charge_billed_ms(&t, 60001), 66000));
	cr_assert(eq(u64, charge_billed_ms(&t, 61000), 66000));
	cr_assert(eq(u64, charge_billed_ms(&t, 66000), 66000));
	cr_assert(eq(u64, charge_billed_ms(&t, UINT64_MAX), UINT64_MAX));
}


Test(charge, interval_end_is_ahead)
{
	const struct tariff t = {.first_ms = 60000, .next_ms = 6000};

	cr_assert(eq(u64, charge_interval_end_ms(&t, 0), 60000));
	cr_assert(eq(u64, charge_interval_end_ms(&t, 59999), 60000));
	cr_assert(eq(u64, charge_interval_end_ms(&t, 60000), 66000));
	cr_assert(eq(u64, charge_interval_end_ms(&t, 65999), 66000));
	cr_assert(eq(u64, charge_interval_end_ms(&t, 66000), 72000));
}


Test(charge, known_prices)
{
	const struct tariff t = {.rate_per_min_nano = 12500000,
				 .connect_fee_micro = 1000,
				 .first_ms = 60000, .next_ms = 6000};

	cr_assert(eq(i64, price(&t, exact, 0), 0));
	cr_assert(eq(i64, price(&t, exact, 1), 13500));
	cr_assert(eq(i64, price(&t, exact, 61000), 14750));
}


Test(charge, rounding_modes)
{
	/* 1 ms at 0.033 per ms: 0.033 */
	const struct tariff t = {.rate_per_min_nano = 33000000LL * 60000,
				 .first_ms = 1, .next_ms = 1};
	static const struct {
		struct rounding r;
		uint64_t ms;
		int64_t micro;
	} rows[] = {
		{{ROUND_UP, 1, 0, 0}, 10, 400000},
		{{ROUND_DOWN, 1, 0, 0}, 10, 300000},
		{{ROUND_HALF_UP, 1, 0, 0}, 10, 300000},
		{{ROUND_HALF_EVEN, 1, 0, 0}, 10, 300000},
		{{ROUND_HALF_UP, 2, 0, 0}, 5, 170000},
		{{ROUND_HALF_EVEN, 2, 0, 0}, 5, 160000},
		{{ROUND_HALF_EVEN, 2, 0, 0}, 15, 500000},
		{{ROUND_UP, 0, 0, 0}, 1, 1000000},
		{{ROUND_DOWN, 0, 0, 0}, 30, 0},
		{{ROUND_UP, 6, 0, 0}, 1, 33000},
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(eq(i64, price(&t, rows[i].r, rows[i].ms),
			     rows[i].micro), "row %zu", i);
}


Test(charge, round_div_is_symmetric)
{
	enum round_mode mode;
	int n;

	for (mode = ROUND_UP; mode < ROUND_MODE_N; mode++) {
		for (n = 0; n < 50; n++)
			cr_expect(eq(i64, round_div(-n, 10, mode),
				     -round_div(n, 10, mode)));
	}

	cr_assert(eq(i64, round_div(25, 10, ROUND_HALF_EVEN), 2));
	cr_assert(eq(i64, round_div(35, 10, ROUND_HALF_EVEN), 4));
	cr_assert(eq(i64, round_div(25, 10, ROUND_HALF_UP), 3));
	cr_assert(eq(i64, round_div(21, 10, ROUND_UP), 3));
	cr_assert(eq(i64, round_div((__int128)INT64_MAX * 4, 2, ROUND_UP),
		     INT64_MAX));
}


Test(charge, overflow_is_said)
{
	const struct tariff dear = {.rate_per_min_nano = INT64_MAX,
				    .connect_fee_micro = INT64_MAX,
				    .first_ms = 86400000,
				    .next_ms = 86400000};
	int64_t micro = 7;

	cr_assert(eq(int, charge_micro(&dear, exact, UINT64_MAX, &micro),
		     EOVERFLOW));
	cr_assert(eq(i64, micro, 7));
}


Test(charge, tariff_bounds)
{
	const struct tariff good = {.first_ms = 1, .next_ms = 86400000};
	struct tariff t;

	cr_assert(zero(int, tariff_check(&good)));
	cr_assert(eq(int, tariff_check(NULL), EINVAL));
#define REFUSED(field, value) \
	t = good; \
	t.field = value; \
	cr_expect(eq(int, tariff_check(&t), EINVAL))
	REFUSED(rate_per_min_nano, -1);
	REFUSED(connect_fee_micro, -1);
	REFUSED(first_ms, 0);
	REFUSED(next_ms, 0);
	REFUSED(first_ms, 86400001);
	REFUSED(next_ms, 86400001);
#undef REFUSED
}


Test(charge, names)
{
	uint8_t mode, i;

	for (i = 0; i < ROUND_MODE_N; i++) {
		cr_assert(zero(int, round_mode_parse(
					&mode, round_mode_name(i))));
		cr_assert(eq(u8, mode, i));
	}
	cr_assert(eq(int, round_mode_parse(&mode, "nearest"), EINVAL));
}


/* A call taken interval by interval costs what it costs at once. */
Test(charge, slices_add_up)
{
	uint64_t seed = 1;
	int i;

	for (i = 0; i < TARIFFS; i++) {
		const struct tariff t = random_tariff(&seed);
		const struct rounding r = random_rounding(&seed);
		const uint64_t total = 1 + random_below(&seed, 600000);
		int64_t taken = 0;
		uint64_t at = 0;
		int steps;

		for (steps = 0; at < total && steps < 200; steps++) {
			const uint64_t end = charge_interval_end_ms(&t, at);
			const int64_t next = price(&t, r, end);

			cr_assert(gt(u64, end, at));
			cr_assert(ge(i64, next, taken), "seed %d", i);
			taken = next;
			at = end;
		}
		if (at >= total)
			cr_assert(eq(i64, taken, price(&t, r, total)),
				  "seed %d", i);
	}
}


/* price(d) <= m < price(d + next interval), and nothing in between. */
Test(charge, duration_is_the_inverse)
{
	uint64_t seed = 2;
	int i, finite = 0;

	for (i = 0; i < TARIFFS; i++) {
		const struct tariff t = random_tariff(&seed);
		const struct rounding r = random_rounding(&seed);
		const int64_t m = (int64_t)(random_u64(&seed) >>
					    (20 + random_below(&seed, 40)));
		const uint64_t d = charge_duration_ms(&t, r, m);
		int64_t over;

		if (d == UINT64_MAX) {
			/* free, or for 584 million years */
			cr_assert(le(i64, price(&t, r, d), m), "seed %d", i);
			continue;
		}

		++finite;
		cr_assert(le(i64, price(&t, r, d), m), "seed %d", i);
		if (0 == charge_micro(&t, r, d + 1, &over))
			cr_assert(gt(i64, over, m), "seed %d", i);
	}
	cr_assert(gt(int, finite, TARIFFS / 2));
}


Test(charge, duration_edges)
{
	const struct tariff gratis = {.first_ms = 1000, .next_ms = 1000};
	const struct tariff fee = {.connect_fee_micro = 5, .first_ms = 1000,
				   .next_ms = 1000};

	cr_assert(eq(u64, charge_duration_ms(&gratis, exact, 0), UINT64_MAX));
	cr_assert(eq(u64, charge_duration_ms(&gratis, exact, -1), 0));
	cr_assert(eq(u64, charge_duration_ms(&fee, exact, 4), 0));
	cr_assert(eq(u64, charge_duration_ms(&fee, exact, 5), UINT64_MAX));
}
