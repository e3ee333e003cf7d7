/** @file cover.c  What packages pay of a call, to the millisecond. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include "cover.h"
#include "random_price.h"

/* A minute of 6 EUR by ten seconds, a fee of 5000. */
static struct price tens(void)
{
	const struct tariff t = {.rate_per_min_nano = 6000000000,
				 .connect_fee_micro = 5000,
				 .first_ms = 10000, .next_ms = 10000};
	struct price p;

	price_set(&p, &t, (struct rounding){.mode = ROUND_HALF_EVEN,
					    .decimals = 6});
	return p;
}


static struct cover minutes(int64_t held, uint32_t increment_ms)
{
	return (struct cover){.kind = COVER_MINUTES, .held = held,
			      .increment_ms = increment_ms};
}


static struct cover money(int64_t held)
{
	return (struct cover){.kind = COVER_MONEY, .held = held,
			      .increment_ms = 1};
}


/* 25 s are three intervals. */
Test(cover, the_edge_of_a_package_lies_within_an_interval)
{
	const struct price p = tens();
	struct cover c[] = {minutes(12345, 1)};
	struct price_parts parts;
	struct cover_sum sum;

	cr_assert(zero(int, cover_price(&p, 25000, c, 1, &sum, &parts)));
	cr_expect(eq(u64, sum.covered_ms, 12345));
	cr_expect(eq(i64, c[0].used, 12345));
	cr_expect(eq(i64, parts.gross_micro, (30000 - 12345) * 100 + 5000));
	cr_expect(eq(u64, parts.billed_ms, 30000 - 12345));
}


Test(cover, one_after_the_other_minutes_before_money)
{
	const struct price p = tens();
	struct cover c[] = {money(4000), minutes(5000, 1), minutes(90000, 60000),
			    money(9999)};
	struct price_parts parts;
	struct cover_sum sum;

	cr_assert(zero(int, cover_price(&p, 25000, c, 4, &sum, &parts)));
	cr_expect(eq(u64, sum.covered_ms, 30000));
	cr_expect(eq(i64, c[1].used, 5000));
	cr_expect(eq(i64, c[2].covered, 25000));
	cr_expect(eq(i64, c[2].used, 60000), "a step that began is used");
	cr_expect(eq(i64, c[0].used, 4000), "the fee is left");
	cr_expect(eq(i64, c[3].used, 1000));
	cr_expect(eq(i64, sum.covered_micro, 5000));
	cr_expect(eq(i64, parts.gross_micro, 0));
}


Test(cover, taxes_are_due_on_the_rest)
{
	struct price p = tens();
	struct cover c[] = {money(1000000)};
	struct price_parts parts;
	struct cover_sum sum;

	p.tax_n = 1;
	p.taxes[0].ppm = 100000;
	cr_assert(zero(int, cover_price(&p, 10000, c, 1, &sum, &parts)));
	cr_expect(eq(i64, parts.net_micro, 5000));
	cr_expect(eq(i64, parts.gross_micro, 5500));

	p.is_tax_included = 1;
	cr_assert(zero(int, cover_price(&p, 10000, c, 1, &sum, &parts)));
	cr_expect(eq(i64, parts.gross_micro, 5000));
	cr_expect(eq(i64, parts.net_micro + parts.tax_micro[0], 5000));
}


Test(cover, a_rest_below_a_step_pays_nothing)
{
	const struct price p = tens();
	struct cover c[] = {minutes(59999, 60000)};
	struct price_parts parts;
	struct cover_sum sum;

	cr_assert(zero(int, cover_price(&p, 10000, c, 1, &sum, &parts)));
	cr_expect(eq(i64, c[0].used, 0));
	cr_expect(eq(i64, parts.gross_micro, 1005000));
}


/* Whoever holds what it wants pays everything; and what is left to pay never
   falls with the duration: so what was held for a longer one is enough. */
Test(cover, random_ones_are_exact_and_monotone)
{
	uint64_t seed = 7;

	for (int i = 0; i < 20000; i++) {
		struct price p = random_price(&seed);
		const uint64_t ms = random_duration(&seed, &p);
		const uint64_t less = random_below(&seed, ms + 1);
		struct cover c[] = {
			minutes((int64_t)random_below(&seed, 100000), 1),
			minutes((int64_t)random_below(&seed, 100000), 6000),
			money((int64_t)random_below(&seed, 100000)),
		};
		struct price_parts parts, all, before;
		struct cover_sum sum, none;

		p.is_reverse = 0;
		p.minimum_micro = 0; /* not due of what minutes pay */
		if (price_parts(&p, ms, 0, &all))
			continue;
		for (unsigned k = 0; k < 3; k++) {
			const int64_t wants = cover_wants(&p, ms, c, k);

			if (random_below(&seed, 2))
				c[k].held = wants;
			cr_assert(ge(i64, wants, 0));
		}
		cr_assert(zero(int, cover_price(&p, ms, c, 3, &sum, &parts)));
		for (unsigned k = 0; k < 3; k++)
			cr_assert(le(i64, c[k].used, c[k].held));
		cr_assert(le(u64, sum.covered_ms, price_billed_ms(&p, ms)));
		cr_assert(le(i64, parts.gross_micro, all.gross_micro));

		c[1].held = cover_wants(&p, ms, c, 1);
		c[2].held = cover_wants(&p, ms, c, 2);
		cr_assert(zero(int, cover_price(&p, ms, c, 3, &sum, &parts)));
		cr_assert(eq(u64, sum.covered_ms, price_billed_ms(&p, ms)));
		cr_assert(zero(i64, parts.gross_micro));

		c[2].held /= 2;
		cr_assert(zero(int, cover_price(&p, ms, c, 3, &sum, &parts)));
		cr_assert(zero(int, cover_price(&p, less, c, 3, &none,
						&before)));
		cr_assert(le(i64, before.gross_micro, parts.gross_micro));
	}
}
