/** @file decision_answer.c  What a decision URL may answer, and what not. */
#include <criterion/criterion.h>
#include <string.h>
#include "decision_answer.h"


static struct decision_answer read_all(const char *body)
{
	struct decision_answer a = {.ticket = 7};

	decision_answer_read(&a, body, strlen(body));
	cr_expect_eq(a.ticket, 7);

	return a;
}


Test(decision_answer, good_ones)
{
	struct decision_answer a;

	a = read_all("{\"action\":\"forward\",\"to_number\":\"+493012345\"}");
	cr_expect_eq(a.action, DECISION_FORWARD);
	cr_expect_str_eq(a.to_number, "+493012345");
	a = read_all("{\"action\":\"forward\",\"to_number\":null,"
		     "\"to_trunk_id\":\"trk_1\",\"more\":[{}]}");
	cr_expect_eq(a.action, DECISION_FORWARD);
	cr_expect_str_eq(a.to_trunk_id, "trk_1");
	a = read_all("{\"action\":\"refuse\",\"sip_code\":486,"
		     "\"reason\":\"Not now\"}");
	cr_expect_eq(a.action, DECISION_REFUSE);
	cr_expect_eq(a.sip_code, 486);
	cr_expect_str_eq(a.reason, "Not now");
	a = read_all("{\"action\":\"refuse\"}");
	cr_expect_eq(a.action, DECISION_REFUSE);
	cr_expect_eq(a.sip_code, 403);
	cr_expect_eq(read_all("{\"action\":\"continue\"}").action,
		     DECISION_CONTINUE);
	/* 204 No Content */
	cr_expect_eq(read_all("").action, DECISION_CONTINUE);
	cr_expect_str_eq(decision_action_name(DECISION_REFUSE), "refuse");
	cr_expect_str_eq(decision_action_name(99), "");
}


Test(decision_answer, nonsense)
{
	static const char *const bad[] = {
		"ok", "null", "[]", "\"continue\"", "{", "{}",
		"{\"action\":1}", "{\"action\":\"\"}",
		"{\"action\":\"call\"}", "{\"action\":\"Continue\"}",
		"{\"action\":\"continue\",\"action\":\"refuse\"}",
		"{\"action\":\"forward\"}",
		"{\"action\":\"forward\",\"to_number\":\"\"}",
		"{\"action\":\"forward\",\"to_number\":\"493012345\"}",
		"{\"action\":\"forward\",\"to_number\":\"+12\"}",
		"{\"action\":\"forward\",\"to_number\":\"+4930;tag=1\"}",
		"{\"action\":\"forward\",\"to_number\":493012345}",
		"{\"action\":\"forward\",\"to_number\":\"+4930123456789012\"}",
		"{\"action\":\"forward\",\"to_number\":\"+493012345\","
		"\"to_trunk_id\":\"trk_1\"}",
		"{\"action\":\"forward\",\"to_trunk_id\":"
		"\"trk_0123456789012345678901234567890123456789\"}",
		"{\"action\":\"refuse\",\"sip_code\":200}",
		"{\"action\":\"refuse\",\"sip_code\":302}",
		"{\"action\":\"refuse\",\"sip_code\":401}",
		"{\"action\":\"refuse\",\"sip_code\":407}",
		"{\"action\":\"refuse\",\"sip_code\":700}",
		"{\"action\":\"refuse\",\"sip_code\":\"486\"}",
		"{\"action\":\"refuse\",\"reason\":\"a\\r\\nContact: b\"}",
		"{\"action\":\"refuse\",\"reason\":\"M\\u00fcde\"}",
		"{\"action\":\"refuse\",\"reason\":\"\"}",
		"{\"action\":\"refuse\",\"reason\":\"01234567890123456789"
		"01234567890123456789012345678901234567890123\"}",
		"{\"action\":\"continue\",\"x\":[[[[[[[[[[[[[[[[[0]]]]]]]]]]]]"
		"]]]]]}",
		"{\"action\":\"continue\"} {}", "\xff\xfe",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		const struct decision_answer a = read_all(bad[i]);

		cr_expect_eq(a.action, DECISION_NONE, "%s", bad[i]);
		cr_expect(a.trouble[0], "%s", bad[i]);
	}
}


Test(decision_answer, size)
{
	static char body[DECISION_ANSWER_MAX + 1];
	struct decision_answer a = {.ticket = 1};
	static const char head[] = "{\"action\":\"continue\"}";

	memset(body, ' ', sizeof(body));
	memcpy(body, head, sizeof(head) - 1);
	decision_answer_read(&a, body, DECISION_ANSWER_MAX);
	cr_expect_eq(a.action, DECISION_CONTINUE);
	decision_answer_read(&a, body, DECISION_ANSWER_MAX + 1);
	cr_expect_eq(a.action, DECISION_NONE);
	decision_answer_read(&a, body, 5);
	cr_expect_eq(a.action, DECISION_NONE, "half of it");
	decision_answer_fail(&a, "a\nb\xc3\xa4");
	cr_expect_str_eq(a.trouble, "a?b??");
}
