/** @file subscription.c  Which packages a call may use, in which order, and the
 *  numbers of their periods at changes of the clock. */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include "catalog_data.h"
#include "day_clock.h"
#include "subscription.h"
#include "text.h"

#define HOUR_S 3600
#define AT_MS(s) ((int64_t)(s) * 1000)

/* Berlin in 2026: +1 h, +2 h from 29 March 01:00 UTC, +1 h from 25 October */
static const struct day_clock berlin = {
	.offsets = {{0, HOUR_S}, {1774746000, 2 * HOUR_S},
		    {1792890000, HOUR_S}},
	.n = 3,
};

static struct tenant tenant = {.id = "ten_1"};
static struct account accounts[] = {
	{.id = "acc_1", .tenant = &tenant, .currency = "EUR"},
	{.id = "acc_2", .tenant = &tenant, .currency = "EUR"},
	{.id = "acc_3", .tenant = &tenant, .currency = "USD"},
};


static struct subscription of(const char *id, uint8_t kind, uint16_t priority)
{
	struct subscription s = {
		.tenant = &tenant, .account = &accounts[0], .is_active = true,
		.currency = "EUR", .kind = kind, .period = PACKAGE_MONTH,
		.anchor_day = 1, .priority = priority, .increment_ms = 1,
		.to_ms = INT64_MAX,
	};

	(void)text_copy(s.id, sizeof(s.id), id);
	return s;
}


static unsigned use(struct subscription *s, uint32_t n,
		    const struct package_query *q,
		    struct package_use uses[COVERS_MAX])
{
	const struct catalog c = {.subscriptions = s, .subscription_n = n};

	return catalog_packages(&c, q, uses);
}


static const struct zone_set nowhere;

static struct package_query calls(const struct account *a)
{
	return (struct package_query){.account = a, .called = "+4930123",
				      .zones = &nowhere,
				      .wall_ms = AT_MS(1795867200)};
}


Test(subscription, days_and_months_of_a_zone)
{
	struct subscription s = of("sub_1", COVER_MINUTES, 1);

	tenant.clock = berlin;
	/* 2026-03-31 21:59:59 and 22:00:00 UTC: March and April */
	cr_expect(eq(i32, subscription_period(&s, AT_MS(1774994399)),
		     2026 * 12 + 2));
	cr_expect(eq(i32, subscription_period(&s, AT_MS(1774994400)),
		     2026 * 12 + 3));
	/* 2026-02-27 22:59:59 and 23:00:00 UTC */
	s.anchor_day = 28;
	cr_expect(eq(i32, subscription_period(&s, AT_MS(1772233199)),
		     2026 * 12));
	cr_expect(eq(i32, subscription_period(&s, AT_MS(1772233200)),
		     2026 * 12 + 1));
	/* the day of 23 hours, and that of 25 */
	s.period = PACKAGE_DAY;
	cr_expect(eq(i32, subscription_period(&s, AT_MS(1774738800)), 20541));
	cr_expect(eq(i32, subscription_period(
			&s, AT_MS(1774738800 + 23 * HOUR_S)), 20542));
	cr_expect(eq(i32, subscription_period(&s, AT_MS(1792879200)), 20751));
	cr_expect(eq(i32, subscription_period(
			&s, AT_MS(1792879200 + 25 * HOUR_S - 1)), 20751));
	cr_expect(eq(i32, subscription_period(
			&s, AT_MS(1792879200 + 25 * HOUR_S)), 20752));
}


Test(subscription, a_month_begins_where_it_does)
{
	for (int32_t day = 0; day < 60000; day++) {
		const int32_t month = day_clock_month(day);

		cr_assert(le(i32, day_clock_month_begin(month), day));
		cr_assert(gt(i32, day_clock_month_begin(month + 1), day));
	}
	cr_expect(eq(i32, day_clock_month_begin(0), 0));
	cr_expect(eq(i32, day_clock_month_begin(56 * 12 + 10), 20758));
}


Test(subscription, minutes_first_then_priority_then_what_ends_first)
{
	struct subscription s[] = {
		of("sub_a", COVER_MONEY, 1), of("sub_b", COVER_MINUTES, 20),
		of("sub_c", COVER_MINUTES, 10), of("sub_d", COVER_MINUTES, 20),
	};
	const struct package_query q = calls(&accounts[0]);
	struct package_use uses[COVERS_MAX];

	s[1].carry_periods = 1; /* what is left ends a month later */
	cr_assert(eq(uint, use(s, 4, &q, uses), 5));
	cr_expect(eq(str, uses[0].key, "sub_c:5f02"));
	cr_expect(eq(str, uses[1].key, "sub_b+5f01"));
	cr_expect(eq(str, uses[2].key, "sub_d:5f02"));
	cr_expect(eq(str, uses[3].key, "sub_b:5f02"));
	cr_expect(eq(str, uses[4].key, "sub_a:5f02"));

	/* it has only begun: there is no earlier period */
	s[1].from_ms = q.wall_ms;
	cr_expect(eq(uint, use(s, 4, &q, uses), 4));
}


Test(subscription, whose_and_where_to)
{
	struct subscription s = of("sub_a", COVER_MINUTES, 1);
	struct package_query q = calls(&accounts[1]);
	struct package_use uses[COVERS_MAX];
	struct zone_set zones = {{0}};

	cr_expect(zero(uint, use(&s, 1, &q, uses)), "of another account");
	s.is_shared = true;
	cr_expect(eq(uint, use(&s, 1, &q, uses), 1));
	q.account = &accounts[2];
	cr_expect(zero(uint, use(&s, 1, &q, uses)), "another currency");
	q.account = &accounts[0];
	q.is_forward = true;
	cr_expect(zero(uint, use(&s, 1, &q, uses)));
	s.direction = PACKAGE_BOTH;
	cr_expect(eq(uint, use(&s, 1, &q, uses), 1));
	s.has_zones = true;
	zone_set_add(&s.zones, 3);
	cr_expect(zero(uint, use(&s, 1, &q, uses)));
	zone_set_add(&zones, 3);
	q.zones = &zones;
	cr_expect(eq(uint, use(&s, 1, &q, uses), 1));
	zone_set_add(&zones, 4);
	zone_set_add(&s.excluded, 4);
	cr_expect(zero(uint, use(&s, 1, &q, uses)));
	s.excluded = nowhere;
	s.to_ms = q.wall_ms;
	cr_expect(zero(uint, use(&s, 1, &q, uses)), "it has ended");
	s.to_ms = INT64_MAX;
	s.is_active = false;
	cr_expect(zero(uint, use(&s, 1, &q, uses)));
}


Test(subscription, no_more_than_fit)
{
	struct subscription s[20];
	struct package_use uses[COVERS_MAX];
	const struct package_query q = calls(&accounts[0]);

	for (uint16_t i = 0; i < 20; i++)
		s[i] = of("sub_x", COVER_MINUTES, (uint16_t)(20 - i));
	cr_assert(eq(uint, use(s, 20, &q, uses), COVERS_MAX));
	for (uint16_t i = 0; i < COVERS_MAX; i++)
		cr_expect(eq(u16, uses[i].subscription->priority, i + 1));
}


/* Hers and those that are shared, whatever stands between them. */
Test(subscription, in_blocks_by_account)
{
	struct subscription s[] = {
		of("sub_a", COVER_MINUTES, 1), of("sub_b", COVER_MINUTES, 2),
		of("sub_c", COVER_MINUTES, 3), of("sub_d", COVER_MINUTES, 4),
	};
	const struct catalog c = {.subscriptions = s, .subscription_n = 4};
	const struct package_query q = calls(&accounts[1]);
	struct package_use uses[COVERS_MAX];

	s[0].account = &accounts[1];
	s[1].account = &accounts[2];
	s[3].is_shared = true;
	qsort(s, 4, sizeof(*s), subscription_compare);
	cr_expect(eq(str, s[0].id, "sub_c"));
	cr_expect(eq(str, s[3].id, "sub_d"));
	cr_assert(eq(uint, catalog_packages(&c, &q, uses), 2));
	cr_expect(zero(int, strcmp(uses[0].subscription->id, "sub_a")));
	cr_expect(zero(int, strcmp(uses[1].subscription->id, "sub_d")));
	cr_expect(catalog_has_packages(&c, &accounts[1]));
	cr_expect(catalog_has_packages(&(struct catalog){
			  .subscriptions = s, .subscription_n = 2},
				       &accounts[1]));
	cr_expect(not(catalog_has_packages(&(struct catalog){
			  .subscriptions = s, .subscription_n = 1},
					   &accounts[1])));
}
