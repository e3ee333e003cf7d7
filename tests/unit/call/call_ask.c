/** @file call_ask.c  A call in that nobody takes: whom the switch asks, what it
 *  tells, and what the answer makes of the call. */
#include "json.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exchange.h"

#define SDP(host) exchange_sdp(host, 6000, "")
#define URL(owner, id, more) "{\"" owner "_id\":\"" id "\",\"status\":" \
	"\"active\",\"url\":\"https://one.example/\",\"timeout_ms\":2000," \
	"\"fallback\":\"continue\"," more "}"
#define ON(list) "\"conditions\":[" list "]"
#define ALL ON("\"busy\",\"no_answer\",\"unreachable\",\"rejected\",\"failure\"")
#define TRUNK_ONE(more) "{\"tenant_id\":\"ten_1\",\"account_id\":" \
	"\"acc_1\",\"rate_deck_id\":\"dck_1\",\"status\":\"active\"," \
	"\"direction\":\"both\",\"cli_policy\":\"owned\"," \
	"\"number_in\":[{\"prefix\":\"+\"}],\"max_call_s\":600," \
	"\"ring_timeout_s\":60,\"media_timeout_s\":20" more "}"


static void open_with(struct exchange *x, const char *url)
{
	exchange_open(x);
	exchange_put(x, "decision_url", "dcu_1", url);
}


/* What the second carrier says: a new call, or within the last one. */
static void carrier_says(struct exchange *x, const char *method,
			 const char *extra)
{
	const bool is_invite = !strcmp(method, "INVITE");
	const char *ok = exchange_last(x, SECOND, "SIP/2.0 ");
	char head[2048], to[256] = "<sip:+4930100@10.0.0.1>";

	if (ok && !is_invite && strcmp(method, "CANCEL"))
		strcpy(to, exchange_header(ok, "To"));
	(void)snprintf(head, sizeof(head),
		       "%s sip:+4930100@10.0.0.1 SIP/2.0\n"
		       "Via: SIP/2.0/UDP " SECOND ":5060;branch=z9hG4bKi%s\n"
		       "From: <sip:+4922188@" SECOND ">;tag=i\nTo: %s\n"
		       "Call-ID: i\nCSeq: %u %s\n"
		       "Contact: <sip:i@" SECOND ">\n%s", method,
		       is_invite || !strcmp(method, "CANCEL") ? "" : method,
		       to, strcmp(method, "BYE") ? 1 : 2, method, extra);
	exchange_recv(x, SECOND, head, is_invite ? SDP(SECOND) : NULL);
}


static void call_in(struct exchange *x, const char *pbx_says)
{
	carrier_says(x, "INVITE", "");
	exchange_answer(x, PBX, "INVITE", pbx_says, "", NULL);
}


static json_t *question(const struct exchange *x)
{
	json_t *body = json_loads(x->question, 0, NULL);

	cr_assert(body, "%s", x->question);

	return body;
}


static const char *told(const json_t *body, const char *name)
{
	const char *text = json_string_value(json_object_get(
		json_object_get(body, "data"), name));

	return text ? text : "";
}


static const char *outcome(const struct exchange *x)
{
	return exchange_record(x)->call.outcome;
}


Test(call_ask, busy_and_forwarded_to_a_number)
{
	struct exchange x;
	json_t *body;

	open_with(&x, URL("did", "did_1", ON("\"busy\"")));
	call_in(&x, "486 Busy Here");
	cr_expect_eq(x.question_n, 1);
	cr_expect_null(exchange_last(&x, SECOND, "SIP/2.0 486"));
	cr_expect_str_eq(x.asked_url, "https://one.example/");
	body = question(&x);
	cr_expect_str_eq(told(body, "condition"), "busy");
	cr_expect_str_eq(told(body, "outcome"), "busy");
	cr_expect_str_eq(told(body, "calling"), "+4922188");
	cr_expect_str_eq(told(body, "called"), "+4930100");
	cr_expect_str_eq(told(body, "trunk_id"), "trk_1");
	cr_expect_str_eq(told(body, "did_id"), "did_1");
	cr_expect_str_eq(json_string_value(json_object_get(body, "type")),
			 "call.decision");
	cr_expect_str_eq(json_string_value(json_object_get(body, "id")),
			 x.asked_id);
	json_decref(body);

	exchange_decide(&x, "{\"action\":\"forward\",\"to_number\":"
			    "\"+492211\"}");
	exchange_run(&x, 10);
	cr_assert(exchange_last(&x, FIRST, "INVITE sip:+492211@"));
	cr_expect(strstr(exchange_header(exchange_last(&x, FIRST, "INVITE"),
					 "Diversion"), "user-busy"));
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "", SDP(FIRST));
	carrier_says(&x, "ACK", "");
	exchange_run(&x, 4000);
	carrier_says(&x, "BYE", "");
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "ok");
	cr_expect_str_eq(exchange_record(&x)->call.diverting, "+4930100");
	cr_expect_eq(exchange_record(&x)->charge_n, 2, "sold, and bought");
	cr_expect_str_eq(exchange_record(&x)->charges[0].account_id, "acc_1");
	cr_expect_eq(exchange_record(&x)->charges[0].attempt, 2);
	exchange_close(&x);
}


Test(call_ask, refused_with_its_own_code)
{
	struct exchange x;
	const char *final;

	open_with(&x, URL("trunk", "trk_1", ALL));
	call_in(&x, "603 Decline");
	exchange_decide(&x, "{\"action\":\"refuse\",\"sip_code\":404,"
			    "\"reason\":\"Not this number\"}");
	final = exchange_last(&x, SECOND, "SIP/2.0 404 Not this number");
	cr_assert(final != NULL);
	cr_expect(strstr(exchange_header(final, "Reason"), "cause=1"));
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "decision_refused");
	cr_expect_eq(exchange_record(&x)->call.sip_code, 404);
	exchange_close(&x);
}


Test(call_ask, continue_lets_the_failure_stand)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1", ALL));
	call_in(&x, "486 Busy Here");
	exchange_decide(&x, "");
	cr_expect(exchange_last(&x, SECOND, "SIP/2.0 486 Busy Here"));
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "busy");
	cr_expect_str_eq(exchange_record(&x)->call.initiator, "called");
	exchange_close(&x);
}


Test(call_ask, no_answer_of_use_leads_to_the_fallback)
{
	static const char *const answers[] = {
		NULL, "nonsense", "{\"action\":\"forward\",\"to_trunk_id\":"
				  "\"trk_9\"}",
		"{\"action\":\"forward\",\"to_trunk_id\":\"trk_8\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct exchange x;

		open_with(&x, URL("trunk", "trk_1", ALL ",\"fallback\":"
				  "\"forward\",\"fallback_number\":"
				  "\"+492219\""));
		exchange_put(&x, "tenant", "ten_8",
			     "{\"name\":\"8\",\"status\":\"active\"}");
		exchange_put(&x, "account", "acc_8",
			     "{\"tenant_id\":\"ten_8\",\"currency\":\"EUR\","
			     "\"status\":\"active\",\"type\":\"prepaid\"}");
		exchange_put(&x, "trunk", "trk_8",
			     "{\"tenant_id\":\"ten_8\",\"account_id\":"
			     "\"acc_8\",\"status\":\"active\","
			     "\"direction\":\"both\",\"cli_policy\":\"pass\","
			     "\"uri_host\":\"10.1.0.8\"}");
		call_in(&x, "486 Busy Here");
		if (answers[i])
			exchange_decide(&x, answers[i]);
		else
			exchange_run(&x, 2100);
		exchange_run(&x, 10);
		cr_expect(exchange_last(&x, FIRST, "INVITE sip:+492219@"),
			  "%zu", i);
		exchange_answer(&x, FIRST, "INVITE", "486 Busy Here", "",
				NULL);
		exchange_run(&x, 100);
		cr_expect_str_eq(outcome(&x), "busy");
		exchange_close(&x);
	}
}


Test(call_ask, nobody_can_be_asked)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1", ALL ",\"fallback\":\"refuse\""));
	x.is_asker_full = true;
	call_in(&x, "486 Busy Here");
	cr_expect(exchange_last(&x, SECOND, "SIP/2.0 480"));
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "decision_failed");
	exchange_close(&x);
}


Test(call_ask, cancelled_while_it_is_asked)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1", ALL));
	call_in(&x, "486 Busy Here");
	carrier_says(&x, "CANCEL", "");
	cr_expect(exchange_last(&x, SECOND, "SIP/2.0 487"));
	exchange_decide(&x, "{\"action\":\"forward\",\"to_number\":"
			    "\"+492211\"}");
	exchange_run(&x, 3000);
	cr_expect_null(exchange_last(&x, FIRST, "INVITE"));
	cr_expect_str_eq(outcome(&x), "cancelled");
	/* and long after the call */
	exchange_decide(&x, "");
	exchange_close(&x);
}


Test(call_ask, an_answer_counts_once)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1", ALL));
	call_in(&x, "486 Busy Here");
	exchange_decide(&x, "{\"action\":\"forward\",\"to_number\":"
			    "\"+492211\"}");
	exchange_decide(&x, "{\"action\":\"refuse\"}");
	exchange_run(&x, 10);
	cr_expect(exchange_last(&x, FIRST, "INVITE sip:+492211@"));
	exchange_answer(&x, FIRST, "INVITE", "486 Busy Here", "", NULL);
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "busy", "and nobody is asked twice");
	cr_expect_eq(x.question_n, 1);
	exchange_close(&x);
}


Test(call_ask, before_anybody_is_called)
{
	struct exchange x;
	json_t *body;

	open_with(&x, URL("did", "did_1", ON("\"unconditional\"")));
	carrier_says(&x, "INVITE", "");
	cr_expect_eq(x.question_n, 1);
	cr_expect_null(exchange_last(&x, PBX, "INVITE"));
	body = question(&x);
	cr_expect_str_eq(told(body, "condition"), "unconditional");
	cr_expect_str_eq(told(body, "outcome"), "");
	json_decref(body);
	exchange_decide(&x, "{\"action\":\"continue\"}");
	exchange_run(&x, 10);
	cr_assert(exchange_last(&x, PBX, "INVITE sip:+4930100@"));
	exchange_answer(&x, PBX, "INVITE", "486 Busy Here", "", NULL);
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "busy");
	exchange_close(&x);
}


Test(call_ask, nobody_is_registered)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1", ON("\"unreachable\"")));
	exchange_put(&x, "trunk", "trk_1", TRUNK_ONE(""));
	carrier_says(&x, "INVITE", "");
	cr_expect_eq(x.question_n, 1);
	exchange_decide(&x, "{\"action\":\"refuse\",\"sip_code\":480}");
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "decision_refused");
	exchange_close(&x);
}


Test(call_ask, it_rings_too_long)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1", ON("\"no_answer\"")));
	carrier_says(&x, "INVITE", "");
	exchange_answer(&x, PBX, "INVITE", "180 Ringing", "", NULL);
	exchange_run(&x, 61000);
	cr_expect_eq(x.question_n, 1);
	cr_expect(exchange_last(&x, PBX, "CANCEL"));
	exchange_answer(&x, PBX, "CANCEL", "200 OK", "", NULL);
	exchange_answer(&x, PBX, "INVITE", "487 Request Terminated", "",
			NULL);
	exchange_run(&x, 2100);
	cr_expect(exchange_last(&x, SECOND, "SIP/2.0 480"));
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "no_answer");
	exchange_close(&x);
}


/* The forward that came to nothing is not paid, the second one is. */
Test(call_ask, after_a_forward_that_failed)
{
	struct exchange x;
	json_t *body;

	open_with(&x, URL("did", "did_1", ON("\"busy\"")));
	exchange_put(&x, "forward", "fwd_1",
		     "{\"did_id\":\"did_1\",\"condition\":\"rejected\","
		     "\"to_number\":\"+492210\",\"status\":\"active\"}");
	call_in(&x, "603 Decline");
	exchange_run(&x, 10);
	cr_assert(exchange_last(&x, FIRST, "INVITE sip:+492210@"));
	exchange_answer(&x, FIRST, "INVITE", "486 Busy Here", "", NULL);
	cr_expect_eq(x.question_n, 1);
	body = question(&x);
	cr_expect_str_eq(told(body, "called"), "+4930100");
	json_decref(body);
	exchange_decide(&x, "{\"action\":\"forward\",\"to_number\":"
			    "\"+492211\"}");
	exchange_run(&x, 10);
	cr_assert(exchange_last(&x, FIRST, "INVITE sip:+492211@"));
	cr_expect_not(strstr(exchange_header(exchange_last(&x, FIRST,
							   "INVITE"),
					     "Diversion"), "deflection"));
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "", SDP(FIRST));
	carrier_says(&x, "ACK", "");
	exchange_run(&x, 4000);
	carrier_says(&x, "BYE", "");
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	exchange_run(&x, 100);
	cr_expect_eq(exchange_record(&x)->charge_n, 2, "sold once, bought");
	cr_expect_eq(exchange_record(&x)->charges[0].attempt, 4);
	exchange_close(&x);
}


Test(call_ask, the_number_first_and_then_its_trunk)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1", ALL));
	exchange_put(&x, "decision_url", "dcu_2", URL("did", "did_1",
		     ALL ",\"url\":\"https://two.example/\""));
	call_in(&x, "486 Busy Here");
	cr_expect_str_eq(x.asked_url, "https://two.example/");
	exchange_decide(&x, "");
	cr_expect_eq(x.question_n, 2);
	cr_expect_str_eq(x.asked_url, "https://one.example/");
	exchange_decide(&x, "");
	exchange_run(&x, 100);
	cr_expect_eq(x.question_n, 2);
	cr_expect_str_eq(outcome(&x), "busy");
	exchange_close(&x);
}


Test(call_ask, a_hidden_number_is_not_told)
{
	static const char *const trusted[] = {"false", "true"};

	for (size_t i = 0; i < ARRAY_SIZE(trusted); i++) {
		struct exchange x;
		char trunk[800];

		open_with(&x, URL("trunk", "trk_1", ALL));
		(void)snprintf(trunk, sizeof(trunk),
			       TRUNK_ONE(",\"is_trusted\":%s"), trusted[i]);
		exchange_put(&x, "trunk", "trk_1", trunk);
		carrier_says(&x, "INVITE", "Privacy: id\nDiversion: "
					   "<sip:+4922177@10.2.0.2>\n");
		cr_assert_eq(x.question_n, 1);
		cr_expect_eq(strstr(x.question, "22188") != NULL, i, "%s",
			     x.question);
		cr_expect_eq(strstr(x.question, "22177") != NULL, i, "%s",
			     x.question);
		cr_expect(strstr(x.question, "\"private\":true"));
		exchange_decide(&x, "");
		exchange_close(&x);
	}
}


/* An emergency call fails as it fails: nobody is asked about it. */
Test(call_ask, an_emergency_call_is_nobodys_to_decide)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1",
			  ON("\"unconditional\",\"busy\",\"failure\",\"rejected\"")));
	exchange_invite(&x, "e", "112", "", SDP(PBX));
	exchange_run(&x, 10);
	exchange_answer(&x, FIRST, "INVITE", "486 Busy Here", "", NULL);
	exchange_run(&x, 100);
	cr_expect_eq(x.question_n, 0);
	cr_expect_str_eq(outcome(&x), "busy");
	exchange_close(&x);
}


Test(call_ask, a_call_out_asks_nobody)
{
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1",
			  ON("\"unconditional\",\"busy\",\"failure\"")));
	exchange_invite(&x, "o", "00492211", "", SDP(PBX));
	exchange_run(&x, 10);
	exchange_answer(&x, FIRST, "INVITE", "486 Busy Here", "", NULL);
	exchange_run(&x, 100);
	cr_expect_eq(x.question_n, 0);
	exchange_close(&x);
}


Test(call_ask, dropped_and_out_of_time)
{
	static const char stop[] = "{\"op\":\"stop\"}";
	struct exchange x;

	open_with(&x, URL("trunk", "trk_1", ALL));
	call_in(&x, "486 Busy Here");
	free(worker_command(x.worker, &x.now, stop, sizeof(stop) - 1));
	exchange_run(&x, 100);
	exchange_decide(&x, "");
	cr_expect_eq(x.end_n, 1);
	exchange_close(&x);

	open_with(&x, URL("trunk", "trk_1", ALL ",\"timeout_ms\":9000"));
	exchange_put(&x, "trunk", "trk_1",
		     TRUNK_ONE(",\"uri_host\":\"10.1.0.1\","
			       "\"total_timeout_s\":3"));
	call_in(&x, "486 Busy Here");
	exchange_run(&x, 3100);
	exchange_run(&x, 100);
	cr_expect_str_eq(outcome(&x), "hunt_timeout");
	exchange_close(&x);
}


/* A test says whom it would ask, and asks nobody. */
Test(call_ask, a_route_test_ends_there)
{
	static const char ask[] = "{\"op\":\"route_test\",\"gateway\":"
		"\"gwy_2\",\"from\":\"+4922188\",\"to\":\"+4930100\"}";
	struct exchange x;
	char *text;

	open_with(&x, URL("did", "did_1", ON("\"unconditional\"")));
	text = worker_command(x.worker, &x.now, ask, sizeof(ask) - 1);
	cr_expect(strstr(text, "\"outcome\":\"none\""), "%s", text);
	cr_expect(strstr(text, "\"step\":\"http\""), "%s", text);
	cr_expect(strstr(text, "\"condition\":\"unconditional\""));
	cr_expect_eq(x.question_n, 0);
	free(text);
	exchange_close(&x);
}
