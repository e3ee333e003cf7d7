/** @file price.c  See price.h. */
#include <errno.h>
#include <string.h>
#include "price.h"

#define DAY_MS (24u * 3600 * 1000)
#define SECOND_MS 1000
#define MINUTE_MS 60000

/* rate [nano/min] x time [ms] / NANO_MS_PER_MICRO = micro */
#define NANO_MS_PER_MICRO ((__int128)60 * 1000 * 1000)
#define MILLION 1000000


void price_set(struct price *p, const struct tariff *t, struct rounding r)
{
	memset(p, 0, sizeof(*p));
	p->tariff = *t;
	p->rounding = r;
	p->cap_micro = PRICE_NO_CAP;
	p->exchange_nano = EXCHANGE_SAME;
	p->steps[0].rate_per_min_nano = t->rate_per_min_nano;
	p->steps[0].increment_ms = t->first_ms;
	p->step_n = 1;
	if (t->first_ms == t->next_ms)
		return;

	p->steps[1] = p->steps[0];
	p->steps[1].from_ms = t->first_ms;
	p->steps[1].increment_ms = t->next_ms;
	p->step_n = 2;
}


static int steps_check(const struct price *p)
{
	if (!p->step_n || p->step_n > PRICE_STEPS_MAX || p->steps[0].from_ms)
		return EINVAL;

	for (unsigned i = 0; i < p->step_n; i++) {
		const struct price_step *s = &p->steps[i];

		if (s->rate_per_min_nano < 0 || !s->increment_ms ||
		    s->increment_ms > DAY_MS || s->is_window > 1 ||
		    (i && s->from_ms <= s[-1].from_ms))
			return EINVAL;
	}

	return 0;
}


static int taxes_check(const struct price *p)
{
	if (p->tax_n > PRICE_TAXES_MAX)
		return EINVAL;

	for (unsigned i = 0; i < p->tax_n; i++) {
		const struct price_tax *t = &p->taxes[i];

		if (t->ppm > TAX_PPM_MAX ||
		    !memchr(t->name, '\0', sizeof(t->name)))
			return EINVAL;
	}

	return 0;
}


int price_check(const struct price *p)
{
	if (!p || tariff_check(&p->tariff) || rounding_check(p->rounding))
		return EINVAL;
	if (p->attempt_micro < 0 || p->minimum_micro < 0 ||
	    p->cap_micro < PRICE_NO_CAP || p->exchange_nano <= 0 ||
	    p->free_ms > DAY_MS)
		return EINVAL;
	if (steps_check(p))
		return EINVAL;

	return taxes_check(p);
}


/* --- time */

static uint64_t duration_round(enum duration_mode mode, uint64_t ms)
{
	const uint64_t down = ms - ms % SECOND_MS;

	switch (mode) {
	case DURATION_UP:
		return down == ms || ms > UINT64_MAX - SECOND_MS
			       ? ms : down + SECOND_MS;
	case DURATION_DOWN:
		return down;
	case DURATION_HALF_UP:
		return ms % SECOND_MS < SECOND_MS / 2 ||
				       ms > UINT64_MAX - SECOND_MS
			       ? down : down + SECOND_MS;
	case DURATION_EXACT:
	case DURATION_MODE_N:
	default:
		return ms;
	}
}


/* The longest duration that is rounded to no more than ms. */
static uint64_t duration_unround(enum duration_mode mode, uint64_t ms)
{
	const uint64_t down = ms - ms % SECOND_MS;

	if (ms > UINT64_MAX - SECOND_MS)
		return ms;

	switch (mode) {
	case DURATION_UP:
		return down;
	case DURATION_DOWN:
		return down + SECOND_MS - 1;
	case DURATION_HALF_UP:
		return down + SECOND_MS / 2 - 1;
	case DURATION_EXACT:
	case DURATION_MODE_N:
	default:
		return ms;
	}
}


static uint64_t rated_ms(const struct price *p, uint64_t duration_ms)
{
	const uint64_t ms = duration_round(
		(enum duration_mode)p->rounding.duration, duration_ms);

	return ms > p->free_ms ? ms - p->free_ms : 0;
}


/** A walk from interval to interval. */
struct walk {
	const struct price *p;
	uint64_t covered_ms;
	unsigned step;         /* in which the next interval begins    */
	uint64_t at_ms;        /* where it does                        */
	__int128 nano_ms;      /* what all before it cost              */
	int err;
};


static void walk_add(struct walk *w, __int128 nano_ms)
{
	if (__builtin_add_overflow(w->nano_ms, nano_ms, &w->nano_ms))
		w->err = EOVERFLOW;
}


static __int128 cost_of(const struct walk *w, int64_t rate_nano,
			uint64_t from_ms, uint64_t to_ms)
{
	if (from_ms < w->covered_ms)
		from_ms = w->covered_ms;

	return to_ms > from_ms ? (__int128)rate_nano * (to_ms - from_ms) : 0;
}


/* What a sum of intervals comes to where each is rounded alone. */
static __int128 interval_round(struct walk *w, __int128 nano_ms)
{
	int64_t micro;

	if (!w->p->rounding.is_per_interval)
		return nano_ms;

	if (rounding_apply(w->p->rounding, nano_ms, NANO_MS_PER_MICRO,
			   &micro)) {
		w->err = EOVERFLOW;
		return 0;
	}

	return micro * NANO_MS_PER_MICRO;
}


/* One interval, with its price changing at each boundary of a window. */
static void interval_add(struct walk *w)
{
	const struct price_step *s = &w->p->steps[w->step];
	const struct price_step *end = w->p->steps + w->p->step_n;
	const uint64_t to_ms = w->at_ms + s->increment_ms;
	uint64_t from_ms = w->at_ms;
	int64_t rate = s->rate_per_min_nano;
	__int128 sum = 0;

	for (++s; s < end && s->from_ms < to_ms; s++) {
		if (!s->is_window)
			continue;
		sum += cost_of(w, rate, from_ms, s->from_ms);
		from_ms = s->from_ms;
		rate = s->rate_per_min_nano;
	}
	sum += cost_of(w, rate, from_ms, to_ms);

	walk_add(w, interval_round(w, sum));
	w->at_ms = to_ms;
}


/* n intervals that all lie within their step. */
static void intervals_add(struct walk *w, uint64_t n)
{
	const struct price_step *s = &w->p->steps[w->step];
	const uint64_t end_ms = w->at_ms + n * s->increment_ms;
	__int128 cost;

	/* those that are paid for already, and one that is so in part */
	while (w->p->rounding.is_per_interval && n &&
	       w->at_ms < w->covered_ms) {
		const uint64_t left_ms = w->covered_ms - w->at_ms;
		const uint64_t k = left_ms / s->increment_ms;

		if (k) {
			n -= k < n ? k : n;
			w->at_ms = end_ms - n * s->increment_ms;
			continue;
		}
		interval_add(w);
		--n;
	}

	if (w->p->rounding.is_per_interval)
		cost = (__int128)n *
		       interval_round(w, (__int128)s->rate_per_min_nano *
						 s->increment_ms);
	else
		cost = cost_of(w, s->rate_per_min_nano, w->at_ms, end_ms);
	walk_add(w, cost);
	w->at_ms = end_ms;
}


static void step_find(struct walk *w)
{
	while (w->step + 1 < w->p->step_n &&
	       w->p->steps[w->step + 1].from_ms <= w->at_ms)
		++w->step;
}


/* As far as an interval that begins before rated_ms ends. */
static int walk_to(struct walk *w, uint64_t rated_ms)
{
	/* beyond this an interval might end after the last millisecond */
	if (rated_ms > UINT64_MAX / 2)
		return EOVERFLOW;

	while (w->at_ms < rated_ms && !w->err) {
		const struct price_step *s;
		uint64_t limit_ms = rated_ms, n;
		bool is_last;

		step_find(w);
		s = &w->p->steps[w->step];
		is_last = w->step + 1 == w->p->step_n;
		if (!is_last && s[1].from_ms < limit_ms)
			limit_ms = s[1].from_ms;

		/* the interval that begins last may go beyond the step */
		n = (limit_ms - w->at_ms - 1) / s->increment_ms;
		if (is_last || w->at_ms + (n + 1) * s->increment_ms <=
				       s[1].from_ms)
			++n;
		if (n)
			intervals_add(w, n);
		else
			interval_add(w);
	}

	return w->err;
}


uint64_t price_billed_ms(const struct price *p, uint64_t duration_ms)
{
	const uint64_t rated = rated_ms(p, duration_ms);
	struct walk w = {.p = p, .covered_ms = UINT64_MAX};

	return walk_to(&w, rated) ? rated : w.at_ms;
}


uint64_t price_interval_end_ms(const struct price *p, uint64_t duration_ms)
{
	uint64_t end_ms;

	if (duration_ms >= UINT64_MAX / 2)
		return UINT64_MAX;

	end_ms = p->free_ms + price_billed_ms(p, duration_ms + 1);

	return duration_unround((enum duration_mode)p->rounding.duration,
				end_ms);
}


/* --- money */

/* nano_ms of the deck's currency, as micro-units of the account's */
static int exchange(const struct price *p, __int128 nano_ms,
		    int64_t *ret_micro)
{
	__int128 den = NANO_MS_PER_MICRO;

	if (p->exchange_nano != EXCHANGE_SAME) {
		den *= EXCHANGE_SAME;
		if (__builtin_mul_overflow(nano_ms,
					   (__int128)p->exchange_nano,
					   &nano_ms))
			return EOVERFLOW;
	}

	return rounding_apply(p->rounding, nano_ms, den, ret_micro);
}


/* Before exchange, rounding and taxes. */
static int net_exact(const struct price *p, uint64_t duration_ms,
		     uint64_t covered_ms, __int128 *ret_nano_ms,
		     uint64_t *ret_billed_ms)
{
	const __int128 cap = p->cap_micro * NANO_MS_PER_MICRO;
	const __int128 minimum = p->minimum_micro * NANO_MS_PER_MICRO;
	struct walk w = {.p = p, .covered_ms = covered_ms};
	int err;

	err = walk_to(&w, rated_ms(p, duration_ms));
	if (err)
		return err;

	if (duration_round((enum duration_mode)p->rounding.duration,
			   duration_ms)) {
		walk_add(&w, p->tariff.connect_fee_micro * NANO_MS_PER_MICRO);
		if (w.nano_ms < minimum &&
		    (w.at_ms > covered_ms || !covered_ms))
			w.nano_ms = minimum;
	}
	walk_add(&w, p->attempt_micro * NANO_MS_PER_MICRO);
	if (w.err)
		return w.err;
	if (p->cap_micro != PRICE_NO_CAP && !p->is_cap_cut && w.nano_ms > cap)
		w.nano_ms = cap;

	*ret_billed_ms = w.at_ms > covered_ms ? w.at_ms - covered_ms : 0;
	*ret_nano_ms = w.nano_ms;
	return 0;
}


/* On top of the net amount. */
static int taxes_add(const struct price *p, struct price_parts *parts)
{
	for (unsigned i = 0; i < p->tax_n; i++) {
		if (rounding_apply(p->rounding,
				   (__int128)parts->net_micro * p->taxes[i].ppm,
				   MILLION, &parts->tax_micro[i]) ||
		    __builtin_add_overflow(parts->gross_micro,
					   parts->tax_micro[i],
					   &parts->gross_micro))
			return EOVERFLOW;
	}

	return 0;
}


/* Out of the gross amount, which stays what it is. */
static int taxes_take(const struct price *p, struct price_parts *parts)
{
	int64_t whole = MILLION;

	for (unsigned i = 0; i < p->tax_n; i++)
		whole += p->taxes[i].ppm;

	for (unsigned i = 0; i < p->tax_n; i++) {
		int64_t *tax = &parts->tax_micro[i];

		if (rounding_apply(p->rounding,
				   (__int128)parts->gross_micro *
					   p->taxes[i].ppm,
				   whole, tax))
			return EOVERFLOW;
		if (*tax > parts->net_micro)
			*tax = parts->net_micro;
		parts->net_micro -= *tax;
	}

	return 0;
}


static void parts_reverse(struct price_parts *parts)
{
	parts->gross_micro = -parts->gross_micro;
	parts->net_micro = -parts->net_micro;
	for (unsigned i = 0; i < PRICE_TAXES_MAX; i++)
		parts->tax_micro[i] = -parts->tax_micro[i];
}


int price_rest(const struct price *p, uint64_t duration_ms,
	       uint64_t covered_ms, int64_t covered_micro,
	       struct price_parts *ret)
{
	struct price_parts parts = {0};
	__int128 nano_ms;
	int err;

	err = net_exact(p, duration_ms, covered_ms, &nano_ms,
			&parts.billed_ms);
	if (!err)
		err = exchange(p, nano_ms, &parts.net_micro);
	parts.net_micro -= covered_micro < parts.net_micro ? covered_micro
							   : parts.net_micro;
	parts.gross_micro = parts.net_micro;
	if (!err)
		err = p->is_tax_included ? taxes_take(p, &parts)
					 : taxes_add(p, &parts);
	if (err)
		return err;

	if (p->is_reverse)
		parts_reverse(&parts);
	*ret = parts;
	return 0;
}


int price_parts(const struct price *p, uint64_t duration_ms,
		uint64_t covered_ms, struct price_parts *ret)
{
	return price_rest(p, duration_ms, covered_ms, 0, ret);
}


int price_micro(const struct price *p, uint64_t duration_ms,
		uint64_t covered_ms, int64_t *ret_micro)
{
	struct price_parts parts;
	int err;

	err = price_parts(p, duration_ms, covered_ms, &parts);
	if (!err)
		*ret_micro = parts.gross_micro;

	return err;
}


static bool is_within(const struct price *p, uint64_t duration_ms,
		      int64_t micro)
{
	int64_t price;

	return !price_micro(p, duration_ms, 0, &price) && price <= micro;
}


uint64_t price_duration_ms(const struct price *p, int64_t micro,
			   uint64_t limit_ms)
{
	uint64_t fits = 0, over = limit_ms;

	if (is_within(p, limit_ms, micro))
		return limit_ms;

	/* the price never falls with duration: halve what is not known yet */
	while (over - fits > 1) {
		const uint64_t middle = fits + (over - fits) / 2;

		if (is_within(p, middle, micro))
			fits = middle;
		else
			over = middle;
	}

	return fits;
}


uint64_t price_cut_ms(const struct price *p, uint64_t limit_ms)
{
	struct price net = *p;

	if (p->cap_micro == PRICE_NO_CAP || !p->is_cap_cut)
		return limit_ms;

	/* the cap is an amount of the deck: before exchange and taxes */
	net.exchange_nano = EXCHANGE_SAME;
	net.tax_n = 0;
	net.is_reverse = 0;

	return price_duration_ms(&net, p->cap_micro, limit_ms);
}


bool price_is_free(const struct price *p)
{
	if (p->is_reverse)
		return true;
	if (p->tariff.connect_fee_micro || p->attempt_micro ||
	    p->minimum_micro)
		return false;

	for (unsigned i = 0; i < p->step_n; i++) {
		if (p->steps[i].rate_per_min_nano)
			return false;
	}

	return true;
}


int64_t price_minute_nano(const struct price *p)
{
	const __int128 den = (__int128)MINUTE_MS * EXCHANGE_SAME;
	uint64_t billed_ms;
	__int128 nano_ms;

	if (net_exact(p, MINUTE_MS, 0, &nano_ms, &billed_ms) ||
	    __builtin_mul_overflow(nano_ms, (__int128)p->exchange_nano,
				   &nano_ms))
		return INT64_MAX;

	return (p->is_reverse ? -1 : 1) *
	       round_div(nano_ms, den, ROUND_DOWN);
}


static bool amount_raise(int64_t *amount, uint32_t ppm, int64_t more)
{
	const __int128 raised = *amount +
		(__int128)round_div((__int128)*amount * ppm, MILLION,
				    ROUND_HALF_EVEN) + more;

	if (raised > INT64_MAX)
		return false;

	*amount = (int64_t)raised;
	return true;
}


int price_markup(struct price *p, uint32_t ppm, int64_t per_min_nano)
{
	struct price raised = *p;
	bool fits;

	fits = amount_raise(&raised.tariff.rate_per_min_nano, ppm,
			    per_min_nano) &&
	       amount_raise(&raised.tariff.connect_fee_micro, ppm, 0) &&
	       amount_raise(&raised.attempt_micro, ppm, 0) &&
	       amount_raise(&raised.minimum_micro, ppm, 0);
	for (unsigned i = 0; i < p->step_n; i++)
		fits = fits && amount_raise(
				&raised.steps[i].rate_per_min_nano, ppm,
				per_min_nano);
	if (!fits)
		return EOVERFLOW;

	/* what the carrier gives away for nothing is not what we sell so */
	raised.cap_micro = PRICE_NO_CAP;
	*p = raised;
	return 0;
}


int64_t price_dearest_nano(const struct price *p)
{
	int64_t most = 0;

	for (unsigned i = 0; i < p->step_n; i++) {
		if (p->steps[i].rate_per_min_nano > most)
			most = p->steps[i].rate_per_min_nano;
	}

	return round_div((__int128)most * p->exchange_nano, EXCHANGE_SAME,
			 ROUND_UP);
}
