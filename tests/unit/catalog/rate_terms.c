/**
 * @file rate_terms.c  Tests of what becomes of a rate's terms: tiers, windows
 * with the zone's changes of the clock, taxes by country.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include "json.h"
#include "rate_terms.h"

#define S INT64_C(1000)
#define HOUR_MS (3600 * S)

static const struct rounding exact = {.mode = ROUND_HALF_EVEN, .decimals = 6};
static const struct tariff dear = {60000000, 0, 60000, 60000};

/* Europe/Berlin: summer time ends on 2026-10-25 at 01:00 UTC */
static const char day_json[] =
	"{\"ranges\": [{\"days\": [\"mon\", \"tue\", \"wed\", \"thu\", "
	"\"fri\", \"sat\", \"sun\"], \"from\": \"08:00\", \"to\": \"18:00\"}],"
	" \"holidays\": [\"2026-12-25\"],"
	" \"offsets\": [[0, 3600], [1774746000, 7200], [1792890000, 3600]]}";
static const char night_json[] =
	"{\"ranges\": [{\"days\": [\"sun\"], \"from\": \"00:00\", "
	"\"to\": \"02:30\"}], \"holidays\": [],"
	" \"offsets\": [[0, 3600], [1774746000, 7200], [1792890000, 3600]]}";

static struct schedule schedule;


static struct rate_terms terms_of(const char *text, const char *schedule_json)
{
	struct rate_terms t;
	json_t *json = json_loads(text, 0, NULL);

	memset(&t, 0, sizeof(t));
	cr_assert(zero(int, rate_terms_decode(&t, json)));
	json_decref(json);
	if (schedule_json) {
		json = json_loads(schedule_json, 0, NULL);
		memset(&schedule, 0, sizeof(schedule));
		cr_assert(zero(int, schedule_decode(&schedule, json)));
		json_decref(json);
		for (unsigned i = 0; i < t.window_n; i++)
			t.windows[i].schedule = &schedule;
	}

	return t;
}


static int64_t costs(const struct rate_terms *t, int64_t at_ms, uint64_t ms)
{
	struct price p;
	int64_t micro = -1;

	rate_terms_price(&p, &dear, exact, t, at_ms, 86400000);
	cr_assert(zero(int, price_check(&p)));
	cr_assert(zero(int, price_micro(&p, ms, 0, &micro)));
	return micro;
}


Test(rate_terms, tiers_by_amount_and_percentage)
{
	const struct rate_terms t = terms_of(
		"{\"tiers\": [{\"from_s\": 60, \"percent_ppm\": 500000, "
		"\"increment_ms\": 1000}, {\"from_s\": 120, "
		"\"rate_per_min_nano\": 6000000}]}", NULL);

	cr_expect(eq(i64, costs(&t, 0, 60000), 60000));
	cr_expect(eq(i64, costs(&t, 0, 61000), 60500));
	cr_expect(eq(i64, costs(&t, 0, 120000), 90000));
	cr_expect(eq(i64, costs(&t, 0, 120001), 96000), "a whole minute");
}


Test(rate_terms, a_first_interval_and_a_tier)
{
	const struct tariff t = {60000000, 0, 30000, 6000};
	const struct rate_terms terms = terms_of(
		"{\"tiers\": [{\"from_s\": 60, \"rate_per_min_nano\": 0}]}",
		NULL);
	struct price p;

	rate_terms_price(&p, &t, exact, &terms, 0, 86400000);
	cr_assert(eq(u8, p.step_n, 3));
	cr_expect(eq(u32, p.steps[1].from_ms, 30000));
	cr_expect(eq(u32, p.steps[1].increment_ms, 6000));
	cr_expect(eq(u32, p.steps[2].from_ms, 60000));
}


Test(rate_terms, a_window_splits_to_the_millisecond)
{
	const struct rate_terms t = terms_of(
		"{\"windows\": [{\"schedule_id\": \"sch_1\", "
		"\"percent_ppm\": 2000000}]}", day_json);
	/* 2026-11-02, 17:59:30 in Berlin */
	const int64_t at_ms = INT64_C(1793638770) * S;

	/* 30 s at the double price, 30 s at the price */
	cr_expect(eq(i64, costs(&t, at_ms, 60000), 60000 + 30000));
	cr_expect(eq(i64, costs(&t, at_ms, 60001), 60000 + 90000));
	cr_expect(eq(i64, costs(&t, at_ms + 250, 60000), 59500 + 30250));
	/* Christmas has no day */
	cr_expect(eq(i64, costs(&t, INT64_C(1798196400) * S, 60000), 60000));
}


/* 00:00 to 02:30 on the night that has 02:00 to 03:00 twice: the window is
   open until 02:30 of summer, and again from 02:00 to 02:30 of winter. */
Test(rate_terms, the_clock_goes_back_in_a_window)
{
	const struct rate_terms t = terms_of(
		"{\"windows\": [{\"schedule_id\": \"sch_1\", "
		"\"rate_per_min_nano\": 0, \"increment_ms\": 1000}]}",
		night_json);
	const int64_t midnight_ms = INT64_C(1792879200) * S; /* 22:00 UTC */

	cr_expect(eq(i64, costs(&t, midnight_ms, 150 * 60 * S), 0));
	/* half an hour of summer is not in it */
	cr_expect(eq(i64, costs(&t, midnight_ms, 180 * 60 * S), 30 * 60000));
	cr_expect(eq(i64, costs(&t, midnight_ms, 210 * 60 * S), 30 * 60000));
	cr_expect(eq(i64, costs(&t, midnight_ms, 211 * 60 * S), 31 * 60000));
}


Test(rate_terms, free_seconds_come_before_windows)
{
	const struct rate_terms t = terms_of(
		"{\"free_ms\": 30000, \"windows\": [{\"schedule_id\": "
		"\"sch_1\", \"percent_ppm\": 2000000}]}", day_json);

	/* rated from 18:00 on */
	cr_expect(eq(i64, costs(&t, INT64_C(1793638770) * S, 90000), 60000));
}


Test(rate_terms, steps_are_bounded)
{
	const struct rate_terms t = terms_of(
		"{\"windows\": [{\"schedule_id\": \"sch_1\", "
		"\"percent_ppm\": 2000000}]}", day_json);
	struct price p;

	rate_terms_price(&p, &dear, exact, &t, 0, UINT64_C(40) * 86400000);
	cr_expect(eq(u8, p.step_n, PRICE_STEPS_MAX));
	cr_expect(zero(int, price_check(&p)));
}


Test(rate_terms, rows_that_are_none)
{
	static const char *const bad[] = {
		"{\"tiers\": [{\"from_s\": 0, \"percent_ppm\": 1}]}",
		"{\"tiers\": [{\"from_s\": 5, \"percent_ppm\": 1}, "
		"{\"from_s\": 5, \"percent_ppm\": 1}]}",
		"{\"tiers\": [{\"from_s\": 5, \"percent_ppm\": -1}]}",
		"{\"windows\": [{\"percent_ppm\": 1}]}",
		"{\"attempt_fee_micro\": -1}", "{\"cap_micro\": \"1\"}",
		"{\"free_ms\": 86400001}",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		json_t *json = json_loads(bad[i], 0, NULL);
		struct rate_terms t;

		memset(&t, 0, sizeof(t));
		cr_expect(ne(int, rate_terms_decode(&t, json), 0), "%s",
			  bad[i]);
		json_decref(json);
	}
}


Test(rate_terms, taxes_of_a_country)
{
	json_t *json = json_loads(
		"{\"is_included\": true, \"lines\": [{\"name\": \"VAT\", "
		"\"percent_ppm\": 190000}, {\"name\": \"levy\", "
		"\"percent_ppm\": 10000, \"countries\": [\"DE\", \"AT\"]}]}",
		0, NULL);
	struct tax_profile t;
	struct price p;

	memset(&t, 0, sizeof(t));
	cr_assert(zero(int, tax_profile_decode(&t, json)));
	json_decref(json);
	price_set(&p, &dear, exact);
	tax_profile_apply(&t, "FR", &p);
	cr_expect(eq(u8, p.tax_n, 1));
	cr_expect(eq(u8, p.is_tax_included, 1));

	price_set(&p, &dear, exact);
	tax_profile_apply(&t, "AT", &p);
	cr_assert(eq(u8, p.tax_n, 2));
	cr_expect(eq(str, p.taxes[1].name, "levy"));
	cr_expect(eq(u32, p.taxes[1].ppm, 10000));
}


Test(rate_terms, origins)
{
	json_t *json = json_loads("{\"prefixes\": [\"49\", \"4312\"]}", 0,
				  NULL);
	struct origin_set o;

	memset(&o, 0, sizeof(o));
	cr_assert(zero(int, origin_set_decode(&o, json)));
	json_decref(json);
	cr_expect(origin_set_has(&o, "493012345"));
	cr_expect(origin_set_has(&o, "4312"));
	cr_expect(not(origin_set_has(&o, "431")));
	cr_expect(not(origin_set_has(&o, "3312345")));
}
