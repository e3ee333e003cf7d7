/**
 * @file plan.c  Tests of the charge plan: tiers, segments, fees, tax, cap and
 * how long a budget lasts; and that a plan which is a tariff costs the same.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include "plan.h"
#include "random.h"


static struct plan_tier tier(uint64_t from_ms, uint64_t to_ms,
			     uint64_t increment_ms, int64_t num, int64_t den)
{
	struct plan_tier t = {from_ms, to_ms, increment_ms, RATIO_ZERO};

	cr_assert(zero(int, ratio_make(&t.price, num, den)));
	return t;
}


/* 0.2 per 30 s in the first minute, then 1/30 per 10 s; 0.8 to connect */
static struct charge_plan two_tiers(void)
{
	struct charge_plan p = {
		.attempt_fee = RATIO_ZERO,
		.connect_fee = {4, 5},
		.tax_percent = RATIO_ZERO,
		.segment_n = 1,
		.segments[0] = {.end_ms = UINT64_MAX, .tier_n = 2},
	};

	p.segments[0].tiers[0] = tier(0, 60000, 30000, 1, 5);
	p.segments[0].tiers[1] = tier(60000, UINT64_MAX, 10000, 1, 30);
	return p;
}


static void expect_cost(const struct charge_plan *p, uint64_t duration_ms,
			const char *text, uint64_t billed_ms)
{
	struct ratio cost = RATIO_ZERO;
	uint64_t billed = 0;
	char buf[64];

	cr_assert(zero(int, plan_cost(p, duration_ms, &cost, &billed)));
	cr_expect(eq(str, (char *)ratio_format(buf, sizeof(buf), cost),
		     (char *)text));
	cr_expect(eq(u64, billed, billed_ms));
}


Test(plan, tiers)
{
	struct charge_plan p = two_tiers();

	cr_assert(zero(int, plan_check(&p)));
	expect_cost(&p, 0, "0", 0);
	expect_cost(&p, 20000, "1", 30000);
	expect_cost(&p, 60000, "1.2", 60000);
	expect_cost(&p, 85000, "1.3", 90000);
}


Test(plan, an_increment_is_paid_in_full)
{
	struct charge_plan p = two_tiers();

	/* 50 s increments run over the end of the first minute */
	p.segments[0].tiers[0] = tier(0, 60000, 50000, 1, 1);
	expect_cost(&p, 99000, "2.8", 100000);
	expect_cost(&p, 101000, "~2.833333333", 110000);
}


Test(plan, segments_change_the_price)
{
	struct charge_plan p = two_tiers();

	p.segment_n = 2;
	p.segments[0] = (struct plan_segment){.end_ms = 10000, .tier_n = 1};
	p.segments[0].tiers[0] = tier(0, UINT64_MAX, 1000, 1, 1);
	p.segments[1] = (struct plan_segment){.end_ms = 20000, .tier_n = 1};
	p.segments[1].tiers[0] = tier(0, UINT64_MAX, 1000, 1, 2);

	expect_cost(&p, 10000, "10.8", 10000);
	expect_cost(&p, 12000, "11.8", 12000);
	expect_cost(&p, 30000, "20.8", 30000);
}


Test(plan, fees_tax_rounding_cap)
{
	struct charge_plan p = two_tiers();

	p.attempt_fee = (struct ratio){2, 1};
	p.tax_percent = (struct ratio){23, 1};
	expect_cost(&p, 0, "2.46", 0);

	p.is_rounded = true;
	p.mode = ROUND_UP;
	p.decimals = 1;
	expect_cost(&p, 0, "2.5", 0);

	p.has_cap = true;
	p.cap = (struct ratio){12, 5};
	expect_cost(&p, 0, "2.4", 0);
}


Test(plan, duration_of_a_budget)
{
	struct charge_plan p = two_tiers();
	uint64_t ms = 1;

	cr_assert(zero(int, plan_duration(&p, (struct ratio){13, 10}, 3600000,
					  &ms)));
	cr_assert(eq(u64, ms, 90000));
	cr_assert(zero(int, plan_duration(&p, (struct ratio){9, 10}, 3600000,
					  &ms)));
	cr_assert(eq(u64, ms, 0));
	cr_assert(zero(int, plan_duration(&p, (struct ratio){900, 1}, 3600000,
					  &ms)));
	cr_assert(eq(u64, ms, 3600000));
}


Test(plan, bounds)
{
	struct charge_plan p = two_tiers();
	struct ratio cost;

	p.segments[0].tiers[1].from_ms = 61000;
	cr_expect(eq(int, plan_check(&p), EINVAL));
	p = two_tiers();
	p.segments[0].tiers[0].increment_ms = 0;
	cr_expect(eq(int, plan_check(&p), EINVAL));
	p = two_tiers();
	p.segment_n = 0;
	cr_expect(eq(int, plan_check(&p), EINVAL));
	p = two_tiers();
	p.connect_fee.num = -1;
	cr_expect(eq(int, plan_check(&p), EINVAL));

	/* a plan without a price for the rest says so */
	p = two_tiers();
	p.segments[0].tiers[1].to_ms = 120000;
	cr_expect(eq(int, plan_cost(&p, 120001, &cost, NULL), ERANGE));
}


Test(plan, price_costs_the_same)
{
	uint64_t seed = 4;
	struct price price;
	int i;

	for (i = 0; i < 2000; i++) {
		const uint64_t first = 1000 * (1 + random_below(&seed, 60));
		const uint64_t next = 1000 * (1 + random_below(&seed, 60));
		const uint64_t ms = random_below(&seed, 3600000);
		const int64_t milli = (int64_t)random_below(&seed, 100);
		struct charge_plan p = two_tiers();
		struct ratio cost;
		int64_t micro, plan_micro;

		/* milli per second, and in a later segment half of it */
		p.segments[0].tiers[0] = tier(0, first, first,
					      milli * (int64_t)first, 1000000);
		p.segments[0].tiers[1] = tier(first, UINT64_MAX, next,
					      milli * (int64_t)next, 1000000);
		p.segments[1] = p.segments[0];
		p.segments[1].tiers[1] = tier(first, UINT64_MAX, next,
					      milli * (int64_t)next, 2000000);
		p.segment_n = 2;
		p.segments[0].end_ms = random_below(&seed, 3600000);
		p.attempt_fee = (struct ratio){random_below(&seed, 2), 1};
		p.has_cap = random_below(&seed, 2);
		p.cap = (struct ratio){random_below(&seed, 300), 1};

		cr_assert(zero(int, plan_check(&p)));
		cr_assert(zero(int, plan_price(&p, &price)));
		cr_assert(zero(int, price_micro(&price, ms, 0, &micro)));
		cr_assert(zero(int, plan_cost(&p, ms, &cost, NULL)));
		if (ratio_units(&plan_micro, cost, 1000000))
			continue; /* half a micro-unit */
		cr_assert(eq(i64, micro, plan_micro), "seed %d", i);
	}
}


Test(plan, not_a_price)
{
	struct charge_plan p = two_tiers();
	struct price price;

	p.segments[0].tier_n = 1;
	p.segments[0].tiers[0] = tier(0, UINT64_MAX, 1000, 1, 7);
	cr_expect(eq(int, plan_price(&p, &price), ERANGE), "no nano-units");
	p.segments[0].tiers[0] = tier(0, UINT64_MAX, 1000, 1, 8);
	cr_expect(zero(int, plan_price(&p, &price)));
	p.tax_percent.num = 19;
	cr_expect(zero(int, plan_price(&p, &price)));
	p.is_rounded = true;
	cr_expect(eq(int, plan_price(&p, &price), ERANGE));
}
