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


/* What the newest call has noted. */
static json_t *noted(struct exchange *x)
{
	const json_t *calls;
	json_t *list, *story, *notes;
	char ask_story[128], *text;

	text = worker_command(x->worker, &x->now, "{\"op\":\"calls\"}", 14);
	list = json_loads(text, 0, NULL);
	free(text);
	calls = json_object_get(list, "calls");
	(void)re_snprintf(ask_story, sizeof(ask_story),
			  "{\"op\":\"trace\",\"call\":\"%s\"}",
			  member(json_array_get(calls,
						json_array_size(calls) - 1),
				 "call_id"));
	text = worker_command(x->worker, &x->now, ask_story,
			      strlen(ask_story));
	story = json_loads(text, 0, NULL);
	free(text);
	notes = json_incref(json_object_get(story, "decision"));
	cr_assert(notes != NULL);
	json_decref(story);
	json_decref(list);

	return notes;
}


static void expect_notes(const json_t *test, json_t *real)
{
	const json_t *notes = json_object_get(test, "decision");

	for (size_t i = 0; i < json_array_size(notes); i++) {
		char *is = json_dumps(json_array_get(real, i), JSON_COMPACT);
		char *was = json_dumps(json_array_get(notes, i),
				       JSON_COMPACT);

		cr_expect(is && !strcmp(is, was), "note %zu: %s\n%s", i, was,
			  is ? is : "");
		free(was);
		free(is);
	}
	json_decref(real);
}


#define A_CALL "\"source\":\"" PBX ":5060\",\"from\":\"+4930100\"," \
	"\"to\":\"00492211\""

/* The same notes: also of money that the ledger has to give first. */
Test(call_test, a_call_takes_the_notes_of_its_test)
{
	struct exchange x;
	json_t *test;

	exchange_open(&x);
	test = ask(&x, A_CALL ",\"ledger\":{\"acc_1\":10000000}");
	exchange_invite(&x, "one", "00492211", "", SDP);
	exchange_run(&x, 0);
	expect_notes(test, noted(&x));
	json_decref(test);
	exchange_answer(&x, FIRST, "INVITE", "486 Busy", "", NULL);

	/* and of money that is here already */
	test = ask(&x, A_CALL);
	cr_expect_str_eq(member(note(test, "funds"), "from"), "lease");
	exchange_invite(&x, "two", "00492211", "", SDP);
	expect_notes(test, noted(&x));
	json_decref(test);
	exchange_answer(&x, FIRST, "INVITE", "486 Busy", "", NULL);
	exchange_close(&x);
}


/* Little money buys an interval and not ten seconds; none refuses. */
Test(call_test, little_money_and_none)
{
	static const struct {
		int64_t micro;
		const char *outcome;
	} cases[] = {{0, "no_credit"}, {999, "no_credit"}, {1000, "ok"}};
	char facts[200];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exchange x;
		json_t *test, *notes;

		exchange_open(&x);
		x.balance_micro = cases[i].micro;
		(void)re_snprintf(facts, sizeof(facts),
				  A_CALL ",\"ledger\":{\"acc_1\":%lld}",
				  (long long)cases[i].micro);
		test = ask(&x, facts);
		cr_expect_str_eq(member(test, "outcome"), cases[i].outcome);
		exchange_invite(&x, "one", "00492211", "", SDP);
		exchange_run(&x, 0);
		if (cases[i].micro < 1000) {
			cr_expect_str_eq(x.ends[0].call.outcome, "no_credit");
			cr_expect_eq(json_integer_value(json_object_get(
					     test, "sip_code")),
				     x.ends[0].call.sip_code);
		}
		else {
			notes = noted(&x);
			expect_notes(test, notes);
			exchange_answer(&x, FIRST, "INVITE", "486 Busy", "",
					NULL);
		}
		json_decref(test);
		exchange_close(&x);
	}
}


#define OWN_NUMBER "{\"e164\":\"+4930101\",\"trunk_id\":\"trk_1\"," \
	"\"status\":\"active\"}"
#define ALWAYS_ON "{\"did_id\":\"did_9\",\"condition\":\"unconditional\"," \
	"\"to_number\":\"+492211\",\"status\":\"active\"}"
#define MANY_CALLS "{\"trunk_id\":\"trk_1\",\"status\":\"active\"," \
	"\"metric\":\"calls\",\"window_s\":60,\"limit\":50}"

/* Its forward needs a channel out of the trunk that has called, is another
   call to its fraud rule, and wants more of the same account's money. */
Test(call_test, a_trunk_that_calls_a_number_it_forwards)
{
	static const char *const asked =
		"\"source\":\"" PBX ":5060\",\"from\":\"+4930100\","
		"\"to\":\"+4930101\",\"ledger\":{\"acc_1\":10000000}";
	struct exchange x;
	json_t *test;

	exchange_open(&x);
	exchange_put(&x, "fraud_rule", "frd_1", MANY_CALLS);
	exchange_put(&x, "did", "did_9", OWN_NUMBER);
	exchange_put(&x, "forward", "fwd_9", ALWAYS_ON);
	test = ask(&x, asked);
	cr_expect_str_eq(member(test, "outcome"), "ok");
	exchange_invite(&x, "one", "+4930101", "", SDP);
	exchange_run(&x, 0);
	expect_notes(test, noted(&x));
	json_decref(test);

	/* both channels out are in use now */
	test = ask(&x, asked);
	cr_expect_str_eq(member(test, "outcome"), "limit_channels_out");
	json_decref(test);
	exchange_answer(&x, FIRST, "INVITE", "486 Busy", "", NULL);
	exchange_close(&x);
}


#define DAILY "{\"tenant_id\":\"ten_1\",\"currency\":\"EUR\"," \
	"\"status\":\"active\",\"type\":\"prepaid\"," \
	"\"daily_limit_micro\":20000}"

static int64_t spent(struct exchange *x, const char *facts)
{
	json_t *test = ask(x, facts);
	const int64_t micro = json_integer_value(
		json_object_get(note(test, "spend"), "spent_micro"));

	json_decref(test);

	return micro;
}


/* A test of tomorrow does not begin tomorrow: what was spent today is. */
Test(call_test, another_day_leaves_the_days_spend)
{
	struct exchange x;
	char facts[160];

	exchange_open(&x);
	exchange_put(&x, "account", "acc_1", DAILY);
	exchange_invite(&x, "one", "00492211", "", SDP);
	exchange_run(&x, 10);
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "", SDP);
	exchange_in_dialog(&x, "one", "ACK", 1, "", NULL);
	exchange_run(&x, 15000);
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	exchange_run(&x, 10);

	(void)re_snprintf(facts, sizeof(facts),
			  AS_PBX ",\"to\":\"00492211\",\"at_ms\":%lld",
			  (long long)moment_wall_ms(&x.now) + 86400000);
	cr_expect_eq(spent(&x, facts), 0);
	cr_expect_geq(spent(&x, AS_PBX ",\"to\":\"00492211\""), 15000);
	exchange_close(&x);
}
