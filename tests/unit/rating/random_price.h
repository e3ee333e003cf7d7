/**
 * @file random_price.h  Prices with everything that a price can have, and
 * calls that end near what is special about them.
 */
#ifndef RANDOM_PRICE_H
#define RANDOM_PRICE_H
#include <string.h>
#include "price.h"
#include "random.h"

static inline int64_t random_money(uint64_t *seed, unsigned one_in)
{
	if (random_below(seed, one_in))
		return 0;

	return (int64_t)(random_u64(seed) >> (30 + random_below(seed, 34)));
}


/* Like those that are used, and some that nobody would. */
static inline uint32_t random_increment(uint64_t *seed)
{
	static const uint32_t usual[] = {1, 1000, 1000, 6000, 30000, 60000};
	const uint64_t i = random_below(seed, 8);

	return i < 6 ? usual[i] : (uint32_t)(1 + random_below(seed, 90000));
}


static inline void random_steps(uint64_t *seed, struct price *p)
{
	uint32_t from_ms = 0;

	p->step_n = (uint8_t)(1 + random_below(seed, random_below(seed, 8)
						? 5 : PRICE_STEPS_MAX));
	for (unsigned i = 0; i < p->step_n; i++) {
		struct price_step *s = &p->steps[i];

		s->from_ms = from_ms;
		s->increment_ms = random_increment(seed);
		s->rate_per_min_nano = (int64_t)(
			random_u64(seed) >> (24 + random_below(seed, 40)));
		s->is_window = (uint32_t)random_below(seed, 2);
		from_ms += (uint32_t)(1 + random_below(seed, 200000));
	}
}


static inline void random_taxes(uint64_t *seed, struct price *p)
{
	if (random_below(seed, 2))
		return;

	p->is_tax_included = (uint8_t)random_below(seed, 2);
	p->tax_n = (uint8_t)random_below(seed, PRICE_TAXES_MAX + 1);
	for (unsigned i = 0; i < p->tax_n; i++) {
		p->taxes[i].ppm = (uint32_t)random_below(seed, 300001);
		p->taxes[i].name[0] = (char)('a' + i);
	}
}


static inline struct price random_price(uint64_t *seed)
{
	struct price p;

	memset(&p, 0, sizeof(p));
	p.rounding = (struct rounding){
		.mode = (uint8_t)random_below(seed, ROUND_MODE_N),
		.decimals = (uint8_t)random_below(seed, 7),
		.duration = (uint8_t)random_below(seed, DURATION_MODE_N),
		.is_per_interval = !random_below(seed, 4),
	};
	random_steps(seed, &p);
	p.tariff.rate_per_min_nano = p.steps[0].rate_per_min_nano;
	p.tariff.first_ms = p.tariff.next_ms = p.steps[0].increment_ms;
	p.tariff.connect_fee_micro = random_money(seed, 3);
	p.attempt_micro = random_money(seed, 5);
	p.minimum_micro = random_money(seed, 5);
	p.cap_micro = random_below(seed, 4) ? PRICE_NO_CAP
					    : random_money(seed, 1);
	p.is_cap_cut = (uint8_t)random_below(seed, 2);
	p.is_reverse = !random_below(seed, 10);
	p.free_ms = random_below(seed, 4)
			    ? 0 : (uint32_t)random_below(seed, 120000);
	p.exchange_nano = random_below(seed, 3)
		? EXCHANGE_SAME
		: 1 + (int64_t)random_below(seed, 5 * EXCHANGE_SAME);
	random_taxes(seed, &p);

	return p;
}


static inline uint64_t random_duration(uint64_t *seed, const struct price *p)
{
	const uint64_t i = random_below(seed, p->step_n);
	const uint64_t at = p->free_ms + p->steps[i].from_ms;

	switch (random_below(seed, 8)) {

	case 0:
		return 0;
	case 1:
		return at + random_below(seed, 3);
	case 2:
		return at ? at - 1 : 1;
	case 3:
		return 1000 * random_below(seed, 3600);
	default:
		return random_below(seed, 4000000);
	}
}

#endif
