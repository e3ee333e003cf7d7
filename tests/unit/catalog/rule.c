#include <errno.h>
#include <string.h>
#include <criterion/criterion.h>
#include "json.h"
#include "rule.h"

static char why[128];


static int decode(struct rule_set *set, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	int err;

	cr_assert(json, "bad JSON in the test: %s", text);
	err = rule_set_decode(set, json, why, sizeof(why));
	json_decref(json);

	return err;
}


Test(rule, first_match_rewrites)
{
	struct rule_set set;
	char buf[32];

	cr_assert_eq(decode(&set, "[{\"prefix\":\"00\",\"min\":8,\"max\":20,"
			    "\"strip\":2,\"add\":\"+\"},"
			    "{\"prefix\":\"0\",\"strip\":1,\"add\":\"+49\"},"
			    "{\"prefix\":\"+\"}]"), 0);
	cr_assert_eq(set.n, 3);

	cr_assert_eq(rule_apply(&set, "00441234567", buf, sizeof(buf)), 0);
	cr_assert_str_eq(buf, "+441234567");
	/* too short for the first rule: the second takes it */
	cr_assert_eq(rule_apply(&set, "0030", buf, sizeof(buf)), 0);
	cr_assert_str_eq(buf, "+49030");
	cr_assert_eq(rule_apply(&set, "+4930", buf, sizeof(buf)), 0);
	cr_assert_str_eq(buf, "+4930");
	cr_assert_eq(rule_apply(&set, "112", buf, sizeof(buf)), ENOENT);
}


Test(rule, empty_set_passes)
{
	struct rule_set set;
	char buf[8];

	cr_assert_eq(decode(&set, "[]"), 0);
	cr_assert_eq(rule_apply(&set, "112", buf, sizeof(buf)), 0);
	cr_assert_str_eq(buf, "112");
	cr_assert_eq(rule_apply(&set, "12345678", buf, sizeof(buf)),
		     EOVERFLOW);
}


Test(rule, strip_needs_enough_characters)
{
	struct rule_set set;
	char buf[8];

	cr_assert_eq(decode(&set, "[{\"strip\":4}]"), 0);
	cr_assert_eq(rule_apply(&set, "123", buf, sizeof(buf)), ENOENT);
	cr_assert_eq(rule_apply(&set, "1234", buf, sizeof(buf)), 0);
	cr_assert_str_eq(buf, "");
}


Test(rule, result_that_does_not_fit)
{
	struct rule_set set;
	char buf[6];

	cr_assert_eq(decode(&set, "[{\"add\":\"+49\"}]"), 0);
	cr_assert_eq(rule_apply(&set, "123", buf, sizeof(buf)), EOVERFLOW);
	cr_assert_eq(rule_apply(&set, "12", buf, sizeof(buf)), 0);
	cr_assert_str_eq(buf, "+4912");
}


Test(rule, faults_are_named)
{
	static const struct {
		const char *json, *why;
	} faults[] = {
		{"{}", "an array"},
		{"[1]", "[0].an object"},
		{"[{},{\"strip\":-1}]", "[1].strip"},
		{"[{\"strip\":33}]", "[0].strip"},
		{"[{\"min\":\"1\"}]", "[0].min"},
		{"[{\"max\":1.5}]", "[0].max"},
		{"[{\"min\":9,\"max\":8}]", "[0].min: not above max"},
		{"[{\"prefix\":\"0a\"}]", "[0].prefix"},
		{"[{\"prefix\":\"4+9\"}]", "[0].prefix"},
		{"[{\"prefix\":7}]", "[0].prefix"},
		{"[{\"add\":\"012345678901234567890123\"}]", "[0].add"},
		{"[{\"add\":\"1\\u0000\"}]", "[0].add"},
		{"[{\"prefx\":\"0\"}]", "[0].members"},
		{"[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]",
		 "at most 16"},
	};
	struct rule_set set;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		json_t *json = json_loads(faults[i].json, JSON_ALLOW_NUL,
					  NULL);

		cr_assert(json, "%s", faults[i].json);
		cr_expect_eq(rule_set_decode(&set, json, why, sizeof(why)),
			     EINVAL, "%s", faults[i].json);
		cr_expect(strstr(why, faults[i].why), "%s: %s",
			  faults[i].json, why);
		json_decref(json);
	}
}


Test(rule, e164)
{
	cr_expect(number_is_e164("+49301"));
	cr_expect(number_is_e164("+123456789012345"));
	cr_expect_not(number_is_e164("+1234567890123456"));
	cr_expect_not(number_is_e164("+4930"));
	cr_expect_not(number_is_e164("+04930123"));
	cr_expect_not(number_is_e164("4930123456"));
	cr_expect_not(number_is_e164("+49 30123"));
	cr_expect_not(number_is_e164(""));
	cr_expect_not(number_is_e164("+"));
}


Test(rule, dialable)
{
	cr_expect(number_is_dialable("112"));
	cr_expect(number_is_dialable("+4930*12#"));
	cr_expect(number_is_dialable("12345678901234567890123456789012"));
	cr_expect_not(number_is_dialable("123456789012345678901234567890123"));
	cr_expect_not(number_is_dialable(""));
	cr_expect_not(number_is_dialable("+"));
	cr_expect_not(number_is_dialable("1+2"));
	cr_expect_not(number_is_dialable("1a"));
}
