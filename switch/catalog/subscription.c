/** @file subscription.c  See subscription.h. */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "catalog_data.h"
#include "day_clock.h"
#include "subscription.h"
#include "text.h"

#define YEARS_MONTHS (1970 * 12)


static int zones_decode(struct package_zones *ret, const json_t *array)
{
	const size_t n = json_array_size(array);

	if (n > PACKAGE_ZONES_MAX)
		return EINVAL;

	for (size_t i = 0; i < n; i++) {
		const char *id = json_string_value(json_array_get(array, i));

		if (!id || text_copy(ret->ids[i], sizeof(ret->ids[i]), id))
			return EINVAL;
	}
	ret->n = (uint8_t)n;

	return 0;
}


static int64_t time_or(const json_t *json, const char *name, int64_t other)
{
	const json_t *value = json_object_get(json, name);

	return json_is_integer(value) ? json_integer_value(value) : other;
}


int subscription_decode(struct subscription *ret,
			struct package_zones *ret_zones,
			struct package_zones *ret_excluded,
			const json_t *json)
{
	ret->from_ms = time_or(json, "from_ms", 0);
	ret->to_ms = time_or(json, "to_ms", INT64_MAX);
	if (!ret->increment_ms || !ret->anchor_day || ret->anchor_day > 28 ||
	    ret->carry_periods > PACKAGE_CARRY_MAX)
		return EINVAL;

	return zones_decode(ret_zones, json_object_get(json, "zone_ids")) ||
	       zones_decode(ret_excluded,
			    json_object_get(json, "excluded_zone_ids"))
		       ? EINVAL : 0;
}


int32_t subscription_period(const struct subscription *s, int64_t wall_ms)
{
	const int32_t day = day_clock_day(&s->tenant->clock, wall_ms);

	return s->period == PACKAGE_DAY
		       ? day
		       : YEARS_MONTHS +
				 day_clock_month(day - (s->anchor_day - 1));
}


/* The day on which nobody may use any more what that period left. */
static int32_t end_day(const struct subscription *s, int32_t period)
{
	const int32_t end = period + 1 + s->carry_periods;

	return s->period == PACKAGE_DAY
		       ? end
		       : day_clock_month_begin(end - YEARS_MONTHS) +
				 s->anchor_day - 1;
}


static bool is_of(const struct subscription *s, const struct package_query *q)
{
	if (!s->is_active || q->wall_ms < s->from_ms || q->wall_ms >= s->to_ms)
		return false;
	if (s->direction != PACKAGE_BOTH &&
	    q->is_forward != (s->direction == PACKAGE_FORWARD))
		return false;
	if (s->account != q->account &&
	    (!s->is_shared || strcmp(s->currency, q->account->currency)))
		return false;
	if ((s->has_zones && !zone_set_meets(&s->zones, q->zones)) ||
	    zone_set_meets(&s->excluded, q->zones))
		return false;

	return !s->list || number_list_find(s->list, q->called,
					    q->wall_ms);
}


static int use_order(const struct package_use *a, const struct package_use *b)
{
	const struct subscription *x = a->subscription, *y = b->subscription;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->priority != y->priority)
		return x->priority < y->priority ? -1 : 1;
	if (a->end_day != b->end_day)
		return a->end_day < b->end_day ? -1 : 1;

	return x == y ? a->period - b->period : strcmp(x->id, y->id);
}


/* At its place; what no longer fits falls off the end. */
static unsigned use_add(struct package_use uses[COVERS_MAX], unsigned n,
			const struct package_use *use)
{
	unsigned i = n;

	while (i && use_order(use, &uses[i - 1]) < 0)
		--i;
	if (i == COVERS_MAX)
		return n;

	n = n < COVERS_MAX ? n + 1 : n;
	memmove(&uses[i + 1], &uses[i], (n - i - 1) * sizeof(*uses));
	uses[i] = *use;

	return n;
}


/* The present period, and earlier ones whose rest outlives them. */
static unsigned uses_of(const struct subscription *s, int64_t wall_ms,
			struct package_use uses[COVERS_MAX], unsigned n)
{
	const int32_t now = subscription_period(s, wall_ms);
	const int32_t first = subscription_period(s, s->from_ms);

	for (int32_t p = now - s->carry_periods; p <= now; p++) {
		struct package_use use = {
			.subscription = s, .period = p,
			.end_day = end_day(s, p),
		};

		if (p < first || p < 0 || p > UINT16_MAX)
			continue;
		(void)text_format(use.key, sizeof(use.key), "%s%c%04x", s->id,
				  p < now ? '+' : ':', (unsigned)p);
		n = use_add(uses, n, &use);
	}

	return n;
}


/* In blocks: those that a tenant's account has for itself, and those that it
   shares with all. */
static int block_compare(const struct subscription *x,
			 const struct subscription *y)
{
	if (x->tenant != y->tenant)
		return x->tenant < y->tenant ? -1 : 1;
	if (x->is_shared != y->is_shared)
		return y->is_shared ? -1 : 1;
	if (x->is_shared || x->account == y->account)
		return 0;

	return x->account < y->account ? -1 : 1;
}


/* The first of a block; *ret_n: how many it has. */
static const struct subscription *block(const struct catalog *c,
					const struct account *account,
					bool is_shared, uint32_t *ret_n)
{
	const struct subscription key = {.tenant = account->tenant,
					 .account = account,
					 .is_shared = is_shared};
	const struct subscription *all = c->subscriptions;
	uint32_t from = 0, to = c->subscription_n;

	while (from < to) {
		const uint32_t mid = from + (to - from) / 2;

		if (block_compare(&all[mid], &key) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	while (to < c->subscription_n && !block_compare(&all[to], &key))
		to++;
	*ret_n = to - from;

	return *ret_n ? &all[from] : NULL;
}


bool catalog_has_packages(const struct catalog *c,
			  const struct account *account)
{
	uint32_t n;

	return block(c, account, false, &n) || block(c, account, true, &n);
}


unsigned catalog_packages(const struct catalog *c,
			  const struct package_query *q,
			  struct package_use uses[COVERS_MAX])
{
	unsigned n = 0;

	for (unsigned is_shared = 0; is_shared < 2; is_shared++) {
		uint32_t size;
		const struct subscription *s = block(c, q->account, is_shared,
						     &size);

		for (uint32_t i = 0; i < size; i++)
			if (is_of(&s[i], q))
				n = uses_of(&s[i], q->wall_ms, uses, n);
	}

	return n;
}


/** In the order of their blocks. */
int subscription_compare(const void *a, const void *b)
{
	const struct subscription *x = a, *y = b;
	const int order = block_compare(x, y);

	return order ? order : strcmp(x->id, y->id);
}
