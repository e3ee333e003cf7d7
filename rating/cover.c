/** @file cover.c  See cover.h. */
#include <errno.h>
#include <string.h>
#include "cover.h"


int cover_check(const struct cover *c)
{
	return c->kind >= COVER_KIND_N || !c->increment_ms || c->held < 0 ||
	       c->used < 0 || c->covered < 0 ? EINVAL : 0;
}


const char *cover_kind_name(uint8_t kind)
{
	return kind == COVER_MONEY ? "money" : "minutes";
}


static int64_t steps_up(const struct cover *c, uint64_t ms)
{
	const uint64_t step = c->increment_ms;

	return (int64_t)((ms + step - 1) / step * step);
}


/* Time from at_ms on; whole steps only. */
static uint64_t minutes_use(struct cover *c, uint64_t at_ms,
			    uint64_t billed_ms)
{
	const uint64_t room = (uint64_t)c->held -
			      (uint64_t)c->held % c->increment_ms;
	const uint64_t left = billed_ms > at_ms ? billed_ms - at_ms : 0;
	const uint64_t paid = left < room ? left : room;

	c->covered = (int64_t)paid;
	c->used = steps_up(c, paid);

	return paid;
}


static void money_use(struct cover *c, int64_t *rest_micro)
{
	c->used = c->covered = c->held < *rest_micro ? c->held : *rest_micro;
	*rest_micro -= c->used;
}


/* Before taxes, which packages of money do not pay. */
static int64_t before_taxes(const struct price *p,
			    const struct price_parts *parts)
{
	return p->is_tax_included ? parts->gross_micro : parts->net_micro;
}


static uint64_t minutes_all(struct cover *covers, unsigned n,
			    uint64_t billed_ms)
{
	uint64_t at_ms = 0;

	for (unsigned i = 0; i < n; i++)
		if (covers[i].kind == COVER_MINUTES)
			at_ms += minutes_use(&covers[i], at_ms, billed_ms);

	return at_ms;
}


static bool has_kind(const struct cover *covers, unsigned n, uint8_t kind)
{
	for (unsigned i = 0; i < n; i++)
		if (covers[i].kind == kind)
			return true;

	return false;
}


int cover_price(const struct price *p, uint64_t duration_ms,
		struct cover *covers, unsigned n, struct cover_sum *ret_sum,
		struct price_parts *ret)
{
	struct cover_sum sum = {0};
	int64_t rest, all;
	int err;

	if (has_kind(covers, n, COVER_MINUTES))
		sum.covered_ms = minutes_all(covers, n,
					     price_billed_ms(p, duration_ms));
	err = price_rest(p, duration_ms, sum.covered_ms, 0, ret);
	if (!err && has_kind(covers, n, COVER_MONEY)) {
		all = rest = before_taxes(p, ret);
		for (unsigned i = 0; i < n; i++)
			if (covers[i].kind == COVER_MONEY)
				money_use(&covers[i], &rest);
		sum.covered_micro = all - rest;
		err = price_rest(p, duration_ms, sum.covered_ms,
				 sum.covered_micro, ret);
	}
	if (!err)
		*ret_sum = sum;

	return err;
}


int64_t cover_wants(const struct price *p, uint64_t duration_ms,
		    const struct cover *covers, unsigned i)
{
	struct cover before[COVERS_MAX];
	const uint64_t billed_ms = price_billed_ms(p, duration_ms);
	struct price_parts parts;
	struct cover_sum sum;

	memcpy(before, covers, i * sizeof(*covers));
	if (cover_price(p, duration_ms, before, i, &sum, &parts))
		return 0;
	if (covers[i].kind == COVER_MONEY)
		return before_taxes(p, &parts);

	return sum.covered_ms < billed_ms
		       ? steps_up(&covers[i], billed_ms - sum.covered_ms) : 0;
}
