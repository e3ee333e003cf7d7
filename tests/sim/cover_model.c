/**
 * @file cover_model.c  What a charge with packages has to come to, with
 * arithmetic of its own: it goes through the intervals one by one, packages of
 * minutes pay those from the beginning, those of money what is then left.
 */
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define NANO_MS ((__int128)60000000) /* nano/min x ms in a micro-unit */

/** What a duration comes to. */
struct due {
	uint64_t billed_ms;      /* all of it */
	uint64_t covered_ms;
	int64_t covered_micro, gross_micro;
	int64_t units[COVERS_MAX], covered[COVERS_MAX];
};


/* Half to even, as all decks here have it. */
static int64_t rounded(const struct price *p, __int128 nano_ms)
{
	__int128 unit = NANO_MS, n, rest;

	for (int i = p->rounding.decimals; i < 6; i++)
		unit *= 10;
	n = nano_ms / unit;
	rest = nano_ms % unit * 2;
	if (rest > unit || (rest == unit && n % 2))
		n++;

	return (int64_t)(n * unit / NANO_MS);
}


static const struct price_step *step_at(const struct price *p, uint64_t ms)
{
	const struct price_step *s = p->steps;

	for (unsigned i = 1; i < p->step_n && p->steps[i].from_ms <= ms; i++)
		s = &p->steps[i];

	return s;
}


/* The next moment after this one at which a window begins. */
static uint64_t window_after(const struct price *p, uint64_t ms, uint64_t end_ms)
{
	for (unsigned i = 0; i < p->step_n; i++)
		if (p->steps[i].is_window && p->steps[i].from_ms > ms &&
		    p->steps[i].from_ms < end_ms)
			return p->steps[i].from_ms;

	return end_ms;
}


/* One interval, of which the first covered_ms of the call are paid. Only a
   window begins within it. */
static __int128 interval(const struct price *p, uint64_t from_ms,
			 uint64_t end_ms, uint64_t covered_ms)
{
	__int128 sum = 0;

	for (uint64_t ms = from_ms, next_ms; ms < end_ms; ms = next_ms) {
		const uint64_t paid_ms = covered_ms > ms ? covered_ms : ms;

		next_ms = window_after(p, ms, end_ms);
		if (next_ms > paid_ms)
			sum += (__int128)step_at(p, ms)->rate_per_min_nano *
			       (next_ms - paid_ms);
	}

	return sum;
}


/* Before taxes: there are none here. */
static int64_t net(const struct price *p, uint64_t ms, uint64_t covered_ms,
		   uint64_t *ret_billed_ms)
{
	const uint64_t rated_ms = ms > p->free_ms ? ms - p->free_ms : 0;
	uint64_t at_ms = 0;
	__int128 sum = 0;

	while (at_ms < rated_ms) {
		const uint64_t end_ms = at_ms +
					step_at(p, at_ms)->increment_ms;

		sum += interval(p, at_ms, end_ms, covered_ms);
		at_ms = end_ms;
	}
	if (ms) {
		sum += p->tariff.connect_fee_micro * NANO_MS;
		/* not of a call that minutes have paid all of */
		if (sum < p->minimum_micro * NANO_MS &&
		    (!covered_ms || covered_ms < at_ms))
			sum = p->minimum_micro * NANO_MS;
	}
	sum += p->attempt_micro * NANO_MS;
	if (p->cap_micro >= 0 && !p->is_cap_cut &&
	    sum > p->cap_micro * NANO_MS)
		sum = p->cap_micro * NANO_MS;
	*ret_billed_ms = at_ms;

	return rounded(p, sum);
}


static void due_set(const struct cdr_charge *c, uint64_t ms, struct due *ret)
{
	int64_t rest;

	memset(ret, 0, sizeof(*ret));
	(void)net(&c->price, ms, 0, &ret->billed_ms);
	for (unsigned i = 0; i < c->package_n; i++) {
		const struct cover *p = &c->packages[i].cover;
		const int64_t step = p->increment_ms;
		int64_t pays = (int64_t)(ret->billed_ms - ret->covered_ms);

		if (p->kind != COVER_MINUTES)
			continue;
		if (pays > p->held / step * step)
			pays = p->held / step * step;
		ret->covered_ms += (uint64_t)pays;
		ret->covered[i] = pays;
		while (ret->units[i] < pays)
			ret->units[i] += step;
	}

	rest = net(&c->price, ms, ret->covered_ms, &ret->billed_ms);
	for (unsigned i = 0; i < c->package_n; i++) {
		const struct cover *p = &c->packages[i].cover;

		if (p->kind != COVER_MONEY)
			continue;
		ret->units[i] = p->held < rest ? p->held : rest;
		ret->covered[i] = ret->units[i];
		ret->covered_micro += ret->units[i];
		rest -= ret->units[i];
	}
	ret->gross_micro = rest;
}


static bool is_charged(const struct cdr_charge *c, uint64_t ms)
{
	struct due due;

	due_set(c, ms, &due);
	for (unsigned i = 0; i < c->package_n; i++)
		if (c->packages[i].cover.used != due.units[i] ||
		    c->packages[i].cover.covered != due.covered[i])
			return false;

	return c->amount_micro == due.gross_micro &&
	       c->net_micro == due.gross_micro &&
	       (uint64_t)c->billed_ms == due.billed_ms - due.covered_ms &&
	       (uint64_t)c->covered_ms == due.covered_ms &&
	       c->covered_micro == due.covered_micro;
}


/* Who was cut pays for whole intervals, up to one that was paid for. */
static bool is_charged_less(const struct cdr_charge *c, uint64_t ms)
{
	uint64_t end_ms = 0, last_ms = 0;

	while (end_ms < ms) {
		if (is_charged(c, end_ms))
			return true;
		last_ms = end_ms;
		if (end_ms < c->price.free_ms)
			end_ms = c->price.free_ms;
		else
			end_ms += step_at(&c->price, last_ms - c->price.free_ms)
					  ->increment_ms;
	}

	return false;
}


void cover_model_check(struct world *w, const struct cdr *cdr,
		       const struct cdr_charge *c)
{
	const uint64_t ms = cdr->answered_at == CDR_NULL
				    ? 0 : (uint64_t)cdr->duration_ms;
	struct due due;

	if (is_charged(c, ms) || (strcmp(cdr->outcome, "ok") &&
				  is_charged_less(c, ms)))
		return;

	due_set(c, ms, &due);
	world_fail(w, "%llu ms of %s: %lld with %lld ms and %lld by packages; "
		      "should be %lld with %llu and %lld",
		   (unsigned long long)ms, c->account_id,
		   (long long)c->amount_micro, (long long)c->covered_ms,
		   (long long)c->covered_micro, (long long)due.gross_micro,
		   (unsigned long long)due.covered_ms,
		   (long long)due.covered_micro);
}


bool cover_model_is_used_up(const struct cdr_charge *c, uint64_t ms)
{
	struct due due;

	due_set(c, ms + 1, &due);

	return due.gross_micro > c->amount_micro;
}
