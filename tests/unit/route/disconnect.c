/** @file disconnect.c  Policies by code, and what is built in. */
#include <criterion/criterion.h>
#include <errno.h>
#include "disconnect.h"

static const struct disconnect_rule rules[] = {
	{.code = 404, .is_next = true},
	{.code = 503, .is_next = false, .rewrite_code = 480},
	{.code = 17, .is_q850 = true, .is_next = true},
	{.code = 34, .is_q850 = true, .is_next = false},
};
static const struct disconnect_policy policy = {.rules = rules, .rule_n = 4};


static struct disconnect decide(const struct disconnect_policy *p,
				uint16_t scode, int err, uint8_t q850)
{
	struct disconnect d;

	disconnect_decide(&d, p, scode, err, q850);

	return d;
}


/* P9: each of these carriers would only make the telephone ring again. */
Test(disconnect, the_default_stop_list)
{
	static const uint16_t stops[] = {404, 484, 486, 600, 603,
					 604, 607, 608};
	static const uint8_t causes[] = {17, 21, 1, 28};

	for (size_t i = 0; i < sizeof(stops) / sizeof(stops[0]); i++) {
		struct disconnect d = decide(NULL, stops[i], 0, 0);

		cr_expect_not(d.is_next, "%u", stops[i]);
		cr_expect_null(d.rule);
	}

	/* the Reason header tells more than the code made of it */
	for (size_t i = 0; i < sizeof(causes); i++) {
		cr_expect_not(decide(NULL, 500, 0, causes[i]).is_next);
		cr_expect_not(decide(NULL, 503, 0, causes[i]).is_next);
	}
	cr_expect_eq(decide(NULL, 500, 0, 17).outcome, OUT_B_BUSY);
	cr_expect_eq(decide(NULL, 603, 0, 17).outcome, OUT_B_DECLINED);
}


Test(disconnect, what_leads_on)
{
	static const uint16_t next[] = {302, 401, 403, 407, 488,
					500, 502, 503, 504, 606};

	for (size_t i = 0; i < sizeof(next) / sizeof(next[0]); i++)
		cr_expect(decide(NULL, next[i], 0, 0).is_next, "%u", next[i]);

	cr_expect(decide(NULL, 503, 0, 34).is_next);
	cr_expect(decide(NULL, 0, ETIMEDOUT, 0).is_next);
	cr_expect_eq(decide(NULL, 0, ETIMEDOUT, 0).outcome, OUT_B_SILENT);
	cr_expect_eq(decide(NULL, 0, ECONNREFUSED, 0).outcome, OUT_B_ERROR);
}


Test(disconnect, a_rule_decides_the_cause_before_the_code)
{
	struct disconnect d = decide(&policy, 503, 0, 0);

	cr_expect_not(d.is_next);
	cr_expect_eq(d.outcome, OUT_B_CONGESTED, "the outcome stays");
	cr_assert_not_null(d.rule);
	cr_expect_eq(d.rule->rewrite_code, 480);

	d = decide(&policy, 503, 0, 17);
	cr_expect(d.is_next);
	cr_expect_eq(d.rule, &rules[2]);
	d = decide(&policy, 404, 0, 34);
	cr_expect_not(d.is_next);
	d = decide(&policy, 404, 0, 99);
	cr_expect(d.is_next, "no rule for this cause: the code");
	cr_expect_eq(decide(&policy, 486, 0, 0).rule, NULL);
	cr_expect_null(decide(&policy, 0, ETIMEDOUT, 0).rule);
}
