/** @file call_test.c  A route test decides as a call would, and leaves nothing
 *  behind. */
#include "json.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "exchange.h"

#define SDP exchange_sdp(PBX, 6000, "")
#define AS_PBX "\"trunk\":\"trk_1\",\"from\":\"+4930100\""


/* The worker's answer; it must be as it was before. */
static json_t *ask(struct exchange *x, const char *facts)
{
	struct worker_census before, after;
	const size_t letters = x->letter_n, records = x->begin_n + x->end_n;
	char line[2048], *text;
	json_t *res;

	(void)re_snprintf(line, sizeof(line), "{\"op\":\"route_test\",%s}",
			  facts);
	worker_census(x->worker, &before);
	text = worker_command(x->worker, &x->now, line, strlen(line));
	worker_census(x->worker, &after);
	cr_expect_arr_eq(&before, &after, sizeof(before));
	cr_expect_eq(x->letter_n, letters);
	cr_expect_eq(x->begin_n + x->end_n, records);
	cr_expect_eq(x->order_n, 0);

	res = json_loads(text, 0, NULL);
	cr_assert(res != NULL, "%s", text);
	free(text);

	return res;
}


static const char *member(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}


/* The first note of a step, NULL when there is none */
static const json_t *note(const json_t *res, const char *step)
{
	const json_t *notes = json_object_get(res, "decision");

	for (size_t i = 0; i < json_array_size(notes); i++)
		if (!strcmp(member(json_array_get(notes, i), "step"), step))
			return json_array_get(notes, i);

	return NULL;
}


static void expect_outcome(struct exchange *x, const char *facts,
			   const char *outcome)
{
	json_t *res = ask(x, facts);

	cr_expect_str_eq(member(res, "outcome"), outcome, "%s", facts);
	json_decref(res);
}


Test(call_test, it_says_what_would_be_sent)
{
	struct exchange x;
	const char *invite;
	json_t *res;

	exchange_open(&x);
	res = ask(&x, AS_PBX ",\"to\":\"00492211\",\"display\":\"A B\"");
	cr_expect_str_eq(member(res, "outcome"), "ok");
	invite = member(res, "invite");
	cr_expect(!strncmp(invite, "INVITE sip:+492211@" FIRST, 21), "%s",
		  invite);
	cr_expect(strstr(invite, "From: \"A B\" <sip:+4930100@"),
		  "%s", invite);
	cr_expect(strstr(invite, "Content-Length: 0\r\n\r\n"));
	cr_expect_str_eq(member(note(res, "identity"), "by"), "name");
	cr_expect_str_eq(member(note(res, "number"), "e164"), "+492211");
	cr_expect_str_eq(member(note(res, "price"), "currency"), "EUR");
	cr_expect_str_eq(member(note(res, "funds"), "from"), "ledger");
	cr_expect(note(res, "candidate") != NULL);
	cr_expect(note(res, "attempt") == NULL);
	json_decref(res);
	exchange_close(&x);
}


Test(call_test, refusals_are_those_of_a_call)
{
	struct exchange x;

	exchange_open(&x);
	expect_outcome(&x, AS_PBX ",\"to\":\"77\"", "bad_number");
	expect_outcome(&x, AS_PBX ",\"to\":\"112\"", "ok");
	exchange_put(&x, "tenant", "ten_1",
		     "{\"name\":\"One\",\"status\":\"suspended\"}");
	expect_outcome(&x, AS_PBX ",\"to\":\"00492211\"", "trunk_disabled");
	expect_outcome(&x, AS_PBX ",\"to\":\"112\"", "ok");
	exchange_close(&x);
}


Test(call_test, whose_address_it_is)
{
	struct exchange x;
	json_t *res;

	exchange_open(&x);
	res = ask(&x, "\"source\":\"" PBX ":5060\",\"from\":\"+4930100\","
		      "\"to\":\"00492211\"");
	cr_expect_str_eq(member(note(res, "identity"), "id"), "trk_1");
	cr_expect_str_eq(member(note(res, "identity"), "source"),
			 PBX ":5060");
	json_decref(res);

	res = ask(&x, "\"source\":\"" FIRST ":5060\",\"from\":\"+441\","
		      "\"to\":\"+4930100\"");
	cr_expect_str_eq(member(res, "outcome"), "ok");
	cr_expect_str_eq(member(note(res, "inbound"), "id"), "did_1");
	json_decref(res);

	res = ask(&x, "\"source\":\"10.9.9.9:5060\",\"from\":\"1\","
		      "\"to\":\"2\"");
	cr_expect_str_eq(member(res, "code"), "unknown_source");
	json_decref(res);
	exchange_close(&x);
}


Test(call_test, what_makes_no_invite_is_refused)
{
	static const char *const cases[] = {
		"\"trunk\":\"trk_9\",\"from\":\"1\",\"to\":\"2\"",
		"\"from\":\"1\",\"to\":\"2\"",
		"\"source\":\"nowhere\",\"from\":\"1\",\"to\":\"2\"",
		"\"trunk\":\"trk_1\",\"from\":\"1\"",
		AS_PBX ",\"to\":\"2@evil\\r\\nX: y\"",
		AS_PBX ",\"to\":\"2\",\"codecs\":[]",
		AS_PBX ",\"to\":\"2\",\"codecs\":[\"A\\r\\n\"]",
		AS_PBX ",\"to\":\"2\",\"at_ms\":-1",
		AS_PBX ",\"message\":\"BYE sip:a@b SIP/2.0\"",
	};
	struct exchange x;
	json_t *res;

	exchange_open(&x);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		res = ask(&x, cases[i]);
		cr_expect_str_eq(member(res, "code"), "bad_route_test", "%s",
				 cases[i]);
		json_decref(res);
	}
	exchange_close(&x);
}


/* A rate that begins tomorrow is that of a call tomorrow. */
Test(call_test, another_time)
{
	struct exchange x;
	struct rate rate = {
		.prefix = "49221",
		.tariff = {.rate_per_min_nano = 70000000, .first_ms = 1000,
			   .next_ms = 1000},
		.to_ms = INT64_MAX,
	};
	char facts[160];
	json_t *today, *tomorrow;

	exchange_open(&x);
	rate.from_ms = moment_wall_ms(&x.now) + 86400000;
	cr_assert_eq(catalog_store_put_rate(x.store, "dck_1", &rate), 0);
	exchange_put(&x, "tenant", "ten_1",
		     "{\"name\":\"One\",\"status\":\"active\"}");

	(void)re_snprintf(facts, sizeof(facts),
			  AS_PBX ",\"to\":\"00492211\",\"at_ms\":%lld",
			  (long long)rate.from_ms);
	today = ask(&x, AS_PBX ",\"to\":\"00492211\"");
	tomorrow = ask(&x, facts);
	cr_expect_str_eq(member(note(today, "price"), "prefix"), "49");
	cr_expect_str_eq(member(note(tomorrow, "price"), "prefix"), "49221");
	json_decref(tomorrow);
	json_decref(today);
	exchange_close(&x);
}


/* The same notes, but for what only the call hears later. */
Test(call_test, a_call_takes_the_notes_of_its_test)
{
	struct exchange x;
	const json_t *notes, *calls;
	json_t *test, *list, *story;
	char ask_story[128], *text;

	exchange_open(&x);
	test = ask(&x, "\"source\":\"" PBX ":5060\",\"from\":\"+4930100\","
		       "\"to\":\"00492211\"");
	notes = json_object_get(test, "decision");

	exchange_invite(&x, "one", "00492211", "", SDP);
	text = worker_command(x.worker, &x.now, "{\"op\":\"calls\"}", 14);
	list = json_loads(text, 0, NULL);
	free(text);
	calls = json_object_get(list, "calls");
	(void)re_snprintf(ask_story, sizeof(ask_story),
			  "{\"op\":\"trace\",\"call\":\"%s\"}",
			  member(json_array_get(calls, 0), "call_id"));
	text = worker_command(x.worker, &x.now, ask_story, strlen(ask_story));
	story = json_loads(text, 0, NULL);
	free(text);

	for (size_t i = 0; i < json_array_size(notes); i++) {
		const json_t *real = json_array_get(
			json_object_get(story, "decision"), i);

		cr_expect(json_equal(json_array_get(notes, i), real),
			  "note %zu", i);
		if (!strcmp(member(real, "step"), "funds"))
			break;
	}

	json_decref(story);
	json_decref(list);
	json_decref(test);
	exchange_answer(&x, FIRST, "INVITE", "486 Busy", "", NULL);
	exchange_close(&x);
}
