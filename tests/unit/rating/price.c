/**
 * @file price.c  Tests of the whole price of a call: known answers, then
 * properties over random prices: against a second reckoning that goes from
 * interval to interval, cut into slices as live calls hold them, and turned
 * round into a duration.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include "price.h"
#include "random_price.h"

#define PRICES 20000

static const struct rounding exact = {.mode = ROUND_HALF_EVEN, .decimals = 6};
static const struct tariff minute = {.rate_per_min_nano = 60000000,
				     .first_ms = 60000, .next_ms = 60000};
static const struct tariff second = {.rate_per_min_nano = 60000000,
				     .first_ms = 1000, .next_ms = 1000};


static struct price price_of(const struct tariff *t)
{
	struct price p;

	price_set(&p, t, exact);
	return p;
}


static int64_t costs(const struct price *p, uint64_t duration_ms)
{
	int64_t micro = INT64_MIN;

	cr_assert(zero(int, price_check(p)));
	cr_assert(zero(int, price_micro(p, duration_ms, 0, &micro)));
	return micro;
}


static void step_add(struct price *p, uint32_t from_ms, int64_t rate,
		     uint32_t increment_ms, bool is_window)
{
	p->steps[p->step_n++] = (struct price_step){
		rate, from_ms, increment_ms, is_window};
}


Test(price, a_tariff_alone)
{
	uint64_t seed = 3;

	for (unsigned i = 0; i < PRICES; i++) {
		const struct tariff t = {
			(int64_t)(random_u64(&seed) >> 30),
			random_money(&seed, 2), random_increment(&seed),
			random_increment(&seed)};
		const struct rounding r = {
			(uint8_t)random_below(&seed, ROUND_MODE_N),
			(uint8_t)random_below(&seed, 7), DURATION_EXACT, 0};
		const uint64_t ms = random_below(&seed, 4000000);
		int64_t a, b;
		struct price p;

		price_set(&p, &t, r);
		cr_assert(zero(int, charge_micro(&t, r, ms, &a)));
		cr_assert(zero(int, price_micro(&p, ms, 0, &b)));
		cr_assert(eq(i64, a, b));
		cr_assert(eq(u64, charge_billed_ms(&t, ms),
			     price_billed_ms(&p, ms)));
		cr_assert(eq(u64, charge_interval_end_ms(&t, ms),
			     price_interval_end_ms(&p, ms)));
	}
}


/* 0.06 a minute, from the second minute on 0.03 by the second. */
Test(price, tiers)
{
	struct price p = price_of(&minute);

	step_add(&p, 60000, 30000000, 1000, false);
	cr_expect(eq(i64, costs(&p, 1), 60000));
	cr_expect(eq(i64, costs(&p, 60000), 60000));
	cr_expect(eq(i64, costs(&p, 60001), 60500));
	cr_expect(eq(i64, costs(&p, 120000), 90000));
}


/* A tier's interval that has begun is paid in full; the next one begins where
   it ends. */
Test(price, tier_in_mid_interval)
{
	struct price p = price_of(&minute);

	step_add(&p, 90000, 0, 1000, false);
	cr_expect(eq(i64, costs(&p, 61000), 120000));
	cr_expect(eq(i64, costs(&p, 200000), 120000));
	cr_expect(eq(u64, price_billed_ms(&p, 121500), 122000));
}


/* 17:59:30: half of the interval is at the day's price. */
Test(price, window_splits_an_interval)
{
	struct price p = price_of(&minute);

	step_add(&p, 30000, 20000000, 60000, true);
	cr_expect(eq(i64, costs(&p, 1), 30000 + 10000));
	cr_expect(eq(i64, costs(&p, 60001), 30000 + 30000));
	cr_expect(eq(u64, price_interval_end_ms(&p, 0), 60000));
}


Test(price, fees)
{
	struct price p = price_of(&second);

	p.attempt_micro = 5000;
	p.minimum_micro = 20000;
	p.tariff.connect_fee_micro = 1000;
	cr_expect(eq(i64, costs(&p, 0), 5000), "nobody answered");
	cr_expect(eq(i64, costs(&p, 1000), 25000), "the minimum");
	cr_expect(eq(i64, costs(&p, 19000), 25000), "is just reached");
	cr_expect(eq(i64, costs(&p, 20000), 26000));
}


Test(price, free_seconds)
{
	struct price p = price_of(&minute);

	p.free_ms = 10000;
	cr_expect(eq(i64, costs(&p, 10000), 0));
	cr_expect(eq(i64, costs(&p, 10001), 60000));
	cr_expect(eq(i64, costs(&p, 70000), 60000));
	cr_expect(eq(i64, costs(&p, 70001), 120000));
	cr_expect(eq(u64, price_interval_end_ms(&p, 0), 10000));
	cr_expect(eq(u64, price_interval_end_ms(&p, 10000), 70000));
}


Test(price, cap)
{
	struct price p = price_of(&second);

	p.cap_micro = 62000;
	cr_expect(eq(i64, costs(&p, 62000), 62000));
	cr_expect(eq(i64, costs(&p, 70000), 62000));
	cr_expect(eq(u64, price_cut_ms(&p, 99000), 99000), "it is free");

	p.is_cap_cut = 1;
	cr_expect(eq(i64, costs(&p, 70000), 70000));
	cr_expect(eq(u64, price_cut_ms(&p, 99000), 62000));
	cr_expect(eq(u64, price_cut_ms(&p, 5000), 5000));
}


Test(price, durations)
{
	static const struct {
		uint8_t mode;
		uint64_t ms, billed_ms, end_ms;
	} rows[] = {
		{DURATION_EXACT, 1001, 2000, 2000},
		{DURATION_UP, 1001, 2000, 2000},
		{DURATION_DOWN, 1999, 1000, 1999},
		{DURATION_DOWN, 999, 0, 999},
		{DURATION_HALF_UP, 1499, 1000, 1499},
		{DURATION_HALF_UP, 1500, 2000, 2499},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct price p = price_of(&second);

		p.rounding.duration = rows[i].mode;
		cr_expect(eq(u64, price_billed_ms(&p, rows[i].ms),
			     rows[i].billed_ms), "row %zu", i);
		cr_expect(eq(u64, price_interval_end_ms(&p, rows[i].ms - 1),
			     rows[i].end_ms), "row %zu", i);
	}
}


/* 0.033 a second to one decimal: ten times 0.1, or once 0.4. */
Test(price, rounded_by_interval)
{
	const struct tariff t = {33000000LL * 60, 0, 1000, 1000};
	struct price p;

	price_set(&p, &t, (struct rounding){ROUND_UP, 1, DURATION_EXACT, 0});
	cr_expect(eq(i64, costs(&p, 10000), 400000));
	p.rounding.is_per_interval = 1;
	cr_expect(eq(i64, costs(&p, 10000), 1000000));
}


Test(price, exchange)
{
	struct price p = price_of(&minute);

	p.exchange_nano = 1085000000;
	cr_expect(eq(i64, costs(&p, 60000), 65100));
	p.rounding = (struct rounding){.mode = ROUND_UP, .decimals = 2};
	cr_expect(eq(i64, costs(&p, 60000), 70000), "rounded once, at last");
}


Test(price, taxes)
{
	struct price p = price_of(&minute);
	struct price_parts parts;

	p.tax_n = 2;
	p.taxes[0].ppm = 190000;
	p.taxes[1].ppm = 10000;
	cr_assert(zero(int, price_parts(&p, 100000, 0, &parts)));
	cr_expect(eq(i64, parts.net_micro, 120000));
	cr_expect(eq(i64, parts.tax_micro[0], 22800));
	cr_expect(eq(i64, parts.tax_micro[1], 1200));
	cr_expect(eq(i64, parts.gross_micro, 144000));

	p.is_tax_included = 1;
	cr_assert(zero(int, price_parts(&p, 100000, 0, &parts)));
	cr_expect(eq(i64, parts.net_micro, 100000));
	cr_expect(eq(i64, parts.tax_micro[0], 19000));
	cr_expect(eq(i64, parts.gross_micro, 120000));
}


Test(price, reverse)
{
	struct price p = price_of(&minute);

	p.is_reverse = 1;
	cr_expect(eq(i64, costs(&p, 61000), -120000));
	cr_expect(price_is_free(&p), "nothing is held for it");
}


/* 650 s of a package: 50 s, then 30 x 20 s; 21 s more are two intervals. */
Test(price, covered)
{
	const struct tariff t = {180000000, 1000, 50000, 20000};
	struct price p = price_of(&t);
	struct price_parts parts;

	p.minimum_micro = 50000;
	cr_assert(zero(int, price_parts(&p, 671000, 650000, &parts)));
	cr_expect(eq(i64, parts.gross_micro, 40 * 3000 + 1000));
	cr_expect(eq(u64, parts.billed_ms, 40000));
	cr_assert(zero(int, price_parts(&p, 650000, 650000, &parts)));
	cr_expect(eq(i64, parts.gross_micro, 1000), "the fee alone");
	cr_expect(eq(u64, parts.billed_ms, 0));
}


Test(price, bounds)
{
	struct price p = price_of(&second), good = p;
	int64_t micro;

	cr_expect(eq(int, price_micro(&p, UINT64_MAX, 0, &micro), EOVERFLOW));
#define BAD(change) \
	do { \
		p = good; \
		p.change; \
		cr_expect(eq(int, price_check(&p), EINVAL), #change); \
	} while (0)
	BAD(step_n = 0);
	BAD(step_n = PRICE_STEPS_MAX + 1);
	BAD(steps[0].increment_ms = 0);
	BAD(steps[0].increment_ms = 86400001);
	BAD(steps[0].from_ms = 1);
	BAD(steps[0].rate_per_min_nano = -1);
	BAD(steps[0].is_window = 2);
	BAD(step_n = 2); /* not ascending */
	BAD(tax_n = PRICE_TAXES_MAX + 1);
	BAD(exchange_nano = 0);
	BAD(cap_micro = -2);
	BAD(attempt_micro = -1);
	BAD(minimum_micro = -1);
	BAD(free_ms = 86400001);
	BAD(rounding.duration = DURATION_MODE_N);
	BAD(rounding.is_per_interval = 2);
	BAD(rounding.decimals = 7);
	BAD(tariff.first_ms = 0);
	p = good;
	p.tax_n = 1;
	p.taxes[0].ppm = TAX_PPM_MAX + 1;
	cr_expect(eq(int, price_check(&p), EINVAL));
}


/* --- properties */

/* Rate in force at a moment of an interval that began in step first. */
static int64_t rate_at(const struct price *p, unsigned first, uint64_t at_ms)
{
	int64_t rate = p->steps[first].rate_per_min_nano;

	for (unsigned i = first + 1; i < p->step_n; i++) {
		if (p->steps[i].from_ms <= at_ms && p->steps[i].is_window)
			rate = p->steps[i].rate_per_min_nano;
	}

	return rate;
}


/* Time alone: interval after interval, and within it from boundary to
   boundary. */
static __int128 time_cost(const struct price *p, uint64_t rated,
			  uint64_t covered, uint64_t *ret_billed)
{
	uint64_t at = 0;
	__int128 sum = 0;

	while (at < rated) {
		unsigned s = 0;
		__int128 part = 0;
		uint64_t end;

		while (s + 1 < p->step_n && p->steps[s + 1].from_ms <= at)
			++s;
		end = at + p->steps[s].increment_ms;
		while (at < end) {
			uint64_t to = end;

			for (unsigned i = 0; i < p->step_n; i++) {
				if (p->steps[i].from_ms > at &&
				    p->steps[i].from_ms < to)
					to = p->steps[i].from_ms;
			}
			if (at < covered && covered < to)
				to = covered;
			if (at >= covered)
				part += (__int128)rate_at(p, s, at) *
					(int64_t)(to - at);
			at = to;
		}
		if (p->rounding.is_per_interval) {
			int64_t micro;

			cr_assert(zero(int, rounding_apply(
				p->rounding, part, 60000000, &micro)));
			part = (__int128)micro * 60000000;
		}
		sum += part;
	}

	*ret_billed = at;
	return sum;
}


Test(price, second_reckoning)
{
	uint64_t seed = 5;

	for (unsigned i = 0; i < PRICES; i++) {
		struct price p = random_price(&seed);
		const uint64_t ms = random_below(&seed, 4) ?
			random_below(&seed, 100000) :
			random_below(&seed, 900000);
		const uint64_t covered = random_below(&seed, 3) ? 0 :
			price_billed_ms(&p, random_below(&seed, ms + 1));
		uint64_t billed;
		int64_t want, got;
		__int128 sum;

		if (p.steps[0].increment_ms == 1 || p.step_n > 6)
			continue; /* slow this way */
		p.rounding.duration = DURATION_EXACT;
		p.attempt_micro = p.minimum_micro = p.free_ms = 0;
		p.cap_micro = PRICE_NO_CAP;
		p.exchange_nano = EXCHANGE_SAME;
		p.tax_n = p.is_reverse = 0;
		p.tariff.connect_fee_micro = 0;

		sum = time_cost(&p, ms, covered, &billed);
		if (rounding_apply(p.rounding, sum, 60000000, &want))
			continue;
		cr_assert(zero(int, price_micro(&p, ms, covered, &got)));
		cr_assert(eq(i64, got, want), "price %u", i);
		cr_assert(eq(u64, price_billed_ms(&p, ms), billed));
	}
}


/* What live calls do: hold the price up to the end of some interval, and
   again; wherever the call ends, what it costs was held to the micro-unit. */
Test(price, slices)
{
	uint64_t seed = 7, slices = 0;

	for (unsigned i = 0; i < PRICES; i++) {
		const struct price p = random_price(&seed);
		const uint64_t ms = random_duration(&seed, &p);
		uint64_t to = 0;
		int64_t held = 0, price;

		if (p.is_reverse || price_micro(&p, 0, 0, &held))
			continue;
		while (to < ms) {
			const uint64_t slice = random_below(&seed, 3)
				? random_below(&seed, ms) : 0;
			const uint64_t end =
				price_interval_end_ms(&p, to + slice);

			cr_assert(gt(u64, end, to));
			cr_assert(zero(int, price_micro(&p, end, 0, &price)));
			cr_assert(ge(i64, price, held));
			held += price - held;
			to = end;
			++slices;
		}

		/* the end of the interval in which it ended, at last */
		to = ms ? price_interval_end_ms(&p, ms - 1) : 0;
		cr_assert(zero(int, price_micro(&p, ms, 0, &price)));
		cr_assert(le(i64, price, held));
		cr_assert(zero(int, price_micro(&p, to, 0, &held)));
		cr_assert(eq(i64, price, held), "price %u", i);
		cr_assert(ge(u64, to, ms));
	}
	cr_assert(gt(u64, slices, PRICES));
}


Test(price, duration_is_the_price_turned_round)
{
	uint64_t seed = 11;

	for (unsigned i = 0; i < PRICES / 4; i++) {
		const struct price p = random_price(&seed);
		const int64_t budget = random_money(&seed, 1);
		const uint64_t limit = random_duration(&seed, &p);
		const uint64_t ms = price_duration_ms(&p, budget, limit);
		int64_t price;

		cr_assert(le(u64, ms, limit));
		cr_assert(zero(int, price_micro(&p, ms, 0, &price)));
		cr_assert(ms == 0 || price <= budget);
		if (ms == limit)
			continue;
		cr_assert(zero(int, price_micro(&p, ms + 1, 0, &price)));
		cr_assert(gt(i64, price, budget));
	}
}


Test(price, taxes_and_net_are_the_gross)
{
	uint64_t seed = 13;

	for (unsigned i = 0; i < PRICES; i++) {
		const struct price p = random_price(&seed);
		struct price_parts parts;
		int64_t sum;

		if (price_parts(&p, random_duration(&seed, &p), 0, &parts))
			continue;
		sum = parts.net_micro;
		for (unsigned k = 0; k < PRICE_TAXES_MAX; k++)
			sum += parts.tax_micro[k];
		cr_assert(eq(i64, sum, parts.gross_micro));
		cr_assert(p.is_reverse ? parts.net_micro <= 0
				       : parts.net_micro >= 0);
	}
}
