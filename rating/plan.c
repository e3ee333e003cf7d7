/**
 * @file plan.c  Charge plan: walk the call tier by tier, add exact fractions,
 * tax and round the sum once.
 */
#include <errno.h>
#include "plan.h"

#define MICRO 1000000
#define NANO 1000000000


static int tiers_check(const struct plan_segment *s)
{
	uint64_t from = 0;
	unsigned i;

	if (!s->tier_n || s->tier_n > PLAN_TIERS_MAX)
		return EINVAL;

	for (i = 0; i < s->tier_n; i++) {
		const struct plan_tier *t = &s->tiers[i];

		if (t->from_ms != from || t->to_ms <= from)
			return EINVAL;
		if (!t->increment_ms || t->price.num < 0)
			return EINVAL;
		from = t->to_ms;
	}

	return 0;
}


int plan_check(const struct charge_plan *p)
{
	uint64_t end = 0;
	unsigned i;

	if (!p->segment_n || p->segment_n > PLAN_SEGMENTS_MAX)
		return EINVAL;
	if (p->attempt_fee.num < 0 || p->connect_fee.num < 0 ||
	    p->tax_percent.num < 0)
		return EINVAL;

	for (i = 0; i < p->segment_n; i++) {
		const struct plan_segment *s = &p->segments[i];

		if (s->end_ms < end || tiers_check(s))
			return EINVAL;
		end = s->end_ms;
	}

	return 0;
}


/* Segment and tier that are in force at a moment of the call. */
static const struct plan_tier *tier_find(const struct charge_plan *p,
					 uint64_t at_ms, uint64_t *ret_end_ms)
{
	const struct plan_segment *s = p->segments;
	const struct plan_segment *last = s + p->segment_n - 1;
	unsigned i;

	while (s < last && at_ms >= s->end_ms)
		++s;

	for (i = 0; i < s->tier_n; i++) {
		const struct plan_tier *t = &s->tiers[i];

		if (at_ms >= t->to_ms)
			continue;

		*ret_end_ms = s < last && s->end_ms < t->to_ms ? s->end_ms
							       : t->to_ms;
		return t;
	}

	return NULL;
}


/* Usage alone: whole increments from tier to tier. */
static int usage_cost(const struct charge_plan *p, uint64_t duration_ms,
		      struct ratio *ret_cost, uint64_t *ret_billed_ms)
{
	struct ratio sum = RATIO_ZERO, part;
	uint64_t at_ms = 0, end_ms = 0, n, step;
	int err;

	while (at_ms < duration_ms) {
		const struct plan_tier *t = tier_find(p, at_ms, &end_ms);

		if (!t)
			return ERANGE;
		if (end_ms > duration_ms)
			end_ms = duration_ms;

		n = (end_ms - at_ms - 1) / t->increment_ms + 1;
		if (__builtin_mul_overflow(n, t->increment_ms, &step) ||
		    __builtin_add_overflow(at_ms, step, &at_ms))
			return EOVERFLOW;

		err = ratio_mul(&part, t->price, (struct ratio){n, 1});
		if (!err)
			err = ratio_add(&sum, sum, part);
		if (err)
			return err;
	}

	*ret_cost = sum;
	*ret_billed_ms = at_ms;
	return 0;
}


static int tax_add(struct ratio *cost, struct ratio percent)
{
	struct ratio factor;
	int err;

	err = ratio_mul(&factor, percent, (struct ratio){1, 100});
	if (!err)
		err = ratio_add(&factor, factor, (struct ratio){1, 1});
	if (!err)
		err = ratio_mul(cost, *cost, factor);

	return err;
}


/* Tax, rounding and cap, in this order, on the sum. */
static int cost_finish(const struct charge_plan *p, struct ratio *cost)
{
	int err, above = 0;

	err = tax_add(cost, p->tax_percent);
	if (!err && p->is_rounded)
		err = ratio_round(cost, *cost, p->mode, p->decimals);
	if (!err && p->has_cap)
		err = ratio_compare(&above, *cost, p->cap);
	if (err)
		return err;

	if (above > 0)
		*cost = p->cap;
	return 0;
}


int plan_cost(const struct charge_plan *p, uint64_t duration_ms,
	      struct ratio *ret_cost, uint64_t *ret_billed_ms)
{
	struct ratio cost = RATIO_ZERO;
	uint64_t billed_ms = 0;
	int err;

	err = usage_cost(p, duration_ms, &cost, &billed_ms);
	if (!err && duration_ms)
		err = ratio_add(&cost, cost, p->connect_fee);
	if (!err)
		err = ratio_add(&cost, cost, p->attempt_fee);
	if (!err)
		err = cost_finish(p, &cost);
	if (err)
		return err;

	*ret_cost = cost;
	if (ret_billed_ms)
		*ret_billed_ms = billed_ms;
	return 0;
}


static int plan_covers(const struct charge_plan *p, struct ratio budget,
		       uint64_t duration_ms, bool *ret)
{
	struct ratio cost;
	int err, above = 0;

	err = plan_cost(p, duration_ms, &cost, NULL);
	if (!err)
		err = ratio_compare(&above, cost, budget);
	if (!err)
		*ret = above <= 0;

	return err;
}


int plan_duration(const struct charge_plan *p, struct ratio budget,
		  uint64_t limit_ms, uint64_t *ret_ms)
{
	uint64_t fits = 0, over = limit_ms;
	bool is_covered = false;
	int err;

	err = plan_covers(p, budget, limit_ms, &is_covered);
	if (!err && is_covered)
		fits = limit_ms;

	/* cost never falls with duration: halve what is not known yet */
	while (!err && over - fits > 1) {
		const uint64_t middle = fits + (over - fits) / 2;

		err = plan_covers(p, budget, middle, &is_covered);
		if (is_covered)
			fits = middle;
		else
			over = middle;
	}
	if (err)
		return err;

	*ret_ms = fits;
	return 0;
}


/* Price of an increment -> nano-units per minute. */
static int tier_rate(const struct plan_tier *t, int64_t *ret_nano)
{
	struct ratio rate;
	int err;

	err = ratio_mul(&rate, t->price,
			(struct ratio){60000, t->increment_ms});
	if (err)
		return err;

	return ratio_units(ret_nano, rate, NANO);
}


/* All steps of one segment; from_ms is where it begins. */
static int segment_steps(const struct plan_segment *s, uint64_t from_ms,
			 uint64_t end_ms, struct price *price)
{
	for (unsigned i = 0; i < s->tier_n; i++) {
		const struct plan_tier *t = &s->tiers[i];
		const uint64_t at_ms = t->from_ms > from_ms ? t->from_ms
							    : from_ms;
		struct price_step *step = &price->steps[price->step_n];

		if (t->to_ms <= from_ms || t->from_ms >= end_ms)
			continue;
		if (price->step_n == PRICE_STEPS_MAX ||
		    t->increment_ms > UINT32_MAX || at_ms > UINT32_MAX ||
		    tier_rate(t, &step->rate_per_min_nano))
			return ERANGE;

		step->from_ms = (uint32_t)at_ms;
		step->increment_ms = (uint32_t)t->increment_ms;
		++price->step_n;
	}

	return 0;
}


static int plan_steps(const struct charge_plan *p, struct price *price)
{
	uint64_t from_ms = 0;
	int err = 0;

	for (unsigned i = 0; i < p->segment_n && !err; i++) {
		const struct plan_segment *s = &p->segments[i];
		const uint64_t end_ms = i + 1 < p->segment_n ? s->end_ms
							     : UINT64_MAX;

		err = segment_steps(s, from_ms, end_ms, price);
		from_ms = end_ms;
	}

	return err;
}


/* Our tax is on the rounded amount, the plan's before it is rounded: the same
   only where nothing is. */
static int plan_tax(const struct charge_plan *p, struct price *price)
{
	int64_t ppm;

	if (!p->tax_percent.num)
		return 0;
	if (p->is_rounded || p->has_cap ||
	    ratio_units(&ppm, p->tax_percent, TAX_PPM_MAX / 100) ||
	    ppm > TAX_PPM_MAX)
		return ERANGE;

	price->tax_n = 1;
	price->taxes[0].ppm = (uint32_t)ppm;
	return 0;
}


int plan_price(const struct charge_plan *p, struct price *ret)
{
	struct price price = {
		.rounding = {ROUND_HALF_EVEN, 6, DURATION_EXACT, 0},
		.cap_micro = PRICE_NO_CAP,
		.exchange_nano = EXCHANGE_SAME,
	};

	if (p->is_rounded && p->decimals > 6)
		return ERANGE;
	if (p->is_rounded) {
		price.rounding.mode = (uint8_t)p->mode;
		price.rounding.decimals = (uint8_t)p->decimals;
	}

	if (plan_steps(p, &price) || plan_tax(p, &price) ||
	    ratio_units(&price.tariff.connect_fee_micro, p->connect_fee,
			MICRO) ||
	    ratio_units(&price.attempt_micro, p->attempt_fee, MICRO) ||
	    (p->has_cap && ratio_units(&price.cap_micro, p->cap, MICRO)))
		return ERANGE;

	price.tariff.rate_per_min_nano = price.steps[0].rate_per_min_nano;
	price.tariff.first_ms = price.steps[0].increment_ms;
	price.tariff.next_ms =
		price.steps[price.step_n > 1].increment_ms;
	if (price_check(&price))
		return ERANGE;

	*ret = price;
	return 0;
}
