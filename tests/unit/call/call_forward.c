/** @file call_forward.c  Where a number's forward leads, as whose call, and
 *  what ends it. */
#include "json.h"
#include <criterion/criterion.h>
#include <string.h>
#include "exchange.h"

#define SDP(host) exchange_sdp(host, 6000, "")

/* A second number of the PBX, to be forwarded */
#define NUMBER "{\"e164\":\"+4930101\",\"trunk_id\":\"trk_1\"," \
	"\"status\":\"active\"}"
#define FORWARD(condition, where) "{\"did_id\":\"did_9\",\"condition\":\"" \
	condition "\"," where ",\"status\":\"active\"}"
#define TO(number) "\"to_number\":\"" number "\""


static void open_with(struct exchange *x, const char *forward)
{
	exchange_open(x);
	exchange_put(x, "did", "did_9", NUMBER);
	exchange_put(x, "forward", "fwd_9", forward);
}


/* A carrier's call to that number; more: header lines. */
static void call_in(struct exchange *x, const char *more)
{
	char head[1024];

	(void)re_snprintf(head, sizeof(head),
			  "INVITE sip:+4930101@10.0.0.1 SIP/2.0\n"
			  "Via: SIP/2.0/UDP " SECOND ";branch=z9hG4bKin\n"
			  "Max-Forwards: 70\n"
			  "From: <sip:+441@" SECOND ">;tag=in\n"
			  "To: <sip:+4930101@10.0.0.1>\nCall-ID: in\n"
			  "CSeq: 1 INVITE\nContact: <sip:" SECOND ">\n%s",
			  more);
	exchange_recv(x, SECOND, head, SDP(SECOND));
	exchange_run(x, 10);
}


/* The refusal that ends it. */
static void expect_end(struct exchange *x, const char *outcome)
{
	cr_expect_eq(exchange_count(x, FIRST, "INVITE"), 0);
	cr_expect_str_eq(exchange_record(x)->call.outcome, outcome);
	exchange_close(x);
}


static void expect_forward(struct exchange *x, const char *reason)
{
	const char *invite = exchange_last(x, FIRST, "INVITE sip:+492211@");
	const struct cdr *r;

	cr_assert(invite != NULL);
	cr_expect(strstr(exchange_header(invite, "Diversion"), reason));
	exchange_answer(x, FIRST, "INVITE", "486 Busy Here", "", NULL);
	exchange_run(x, 10);
	r = &exchange_record(x)->call;
	cr_expect_str_eq(r->called, "+4930101");
	cr_expect_str_eq(r->diverting, "+4930101");
	cr_expect_str_eq(r->diverting_trunk_id, "trk_1");
	exchange_close(x);
}


Test(call_forward, unconditional)
{
	struct exchange x;

	open_with(&x, FORWARD("unconditional", TO("+492211")));
	call_in(&x, "");
	cr_expect_eq(exchange_count(&x, PBX, "INVITE"), 0);
	expect_forward(&x, "unconditional");
}


Test(call_forward, by_what_the_pbx_says)
{
	static const struct {
		const char *condition, *says, *reason;
	} cases[] = {
		{"busy", "486 Busy Here", "user-busy"},
		{"busy", "600 Busy Everywhere", "user-busy"},
		{"rejected", "603 Decline", "deflection"},
		{"unreachable", "503 Service Unavailable", "unavailable"},
		{"unreachable", "480 Temporarily Unavailable", "unavailable"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct exchange x;
		char row[200];

		(void)re_snprintf(row, sizeof(row),
				  FORWARD("%s", TO("+492211")),
				  cases[i].condition);
		open_with(&x, row);
		call_in(&x, "");
		cr_expect_eq(exchange_count(&x, FIRST, "INVITE"), 0);
		exchange_answer(&x, PBX, "INVITE", cases[i].says, "", NULL);
		exchange_run(&x, 10);
		expect_forward(&x, cases[i].reason);
	}
}


Test(call_forward, another_condition_leads_nowhere)
{
	struct exchange x;

	open_with(&x, FORWARD("busy", TO("+492211")));
	call_in(&x, "");
	exchange_answer(&x, PBX, "INVITE", "603 Decline", "", NULL);
	exchange_run(&x, 10);
	expect_end(&x, "declined");
}


Test(call_forward, a_number_that_forwards_to_itself_is_a_circle)
{
	struct exchange x;

	open_with(&x, FORWARD("unconditional", TO("+4930101")));
	call_in(&x, "");
	expect_end(&x, "loop");
}


/* It was there before it came here, so another switch has said. */
Test(call_forward, nor_to_who_has_forwarded_it)
{
	struct exchange x;

	open_with(&x, FORWARD("unconditional", TO("+492211")));
	call_in(&x, "Diversion: <sip:+492211@x.example>;reason=user-busy\n");
	expect_end(&x, "loop");
}


Test(call_forward, a_trunk_for_calls_in_forwards_nothing)
{
	static const char trunk[] =
		"{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
		"\"rate_deck_id\":\"dck_1\",\"status\":\"active\","
		"\"direction\":\"in\",\"uri_host\":\"10.1.0.1\","
		"\"uri_port\":5060,\"max_call_s\":600,"
		"\"ring_timeout_s\":60,\"media_timeout_s\":20}";
	struct exchange x;

	open_with(&x, FORWARD("unconditional", TO("+492211")));
	exchange_put(&x, "trunk", "trk_1", trunk);
	call_in(&x, "");
	expect_end(&x, "limit_channels_out");
}


/* A forward is a call of who forwards: its lock holds, whoever calls. */
Test(call_forward, a_locked_trunk_or_account_forwards_nothing)
{
	static const char *const ids[] = {"trk_1", "acc_1"};

	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct exchange x;

		open_with(&x, FORWARD("unconditional", TO("+492211")));
		exchange_put(&x, "lock", ids[i],
			     "{\"locked_ms\":1,\"is_fraud\":true}");
		call_in(&x, "");
		expect_end(&x, "fraud_lock");
	}
}


/* So do its fraud rules: one above what is allowed locks the trunk. */
Test(call_forward, a_fraud_rule_counts_forwards)
{
	struct exchange x;

	open_with(&x, FORWARD("unconditional", TO("+492211")));
	exchange_put(&x, "fraud_rule", "frd_1",
		     "{\"trunk_id\":\"trk_1\",\"status\":\"active\","
		     "\"metric\":\"calls\",\"window_s\":60,\"lock\":0}");
	call_in(&x, "");
	cr_expect_eq(exchange_told(&x, EVENT_FRAUD_LOCKED), 1);
	expect_end(&x, "fraud_lock");
}


/* --- another tenant calls the number that is forwarded */

#define OTHER "10.1.0.9"

static void other_calls(struct exchange *x)
{
	exchange_put(x, "tenant", "ten_2",
		     "{\"name\":\"Two\",\"status\":\"active\"}");
	exchange_put(x, "account", "acc_2", "{\"tenant_id\":\"ten_2\","
		     "\"currency\":\"EUR\",\"status\":\"active\","
		     "\"type\":\"prepaid\"}");
	exchange_put(x, "trunk", "trk_2", "{\"tenant_id\":\"ten_2\","
		     "\"account_id\":\"acc_2\",\"rate_deck_id\":\"dck_1\","
		     "\"status\":\"active\",\"direction\":\"both\","
		     "\"cli_policy\":\"pass\",\"number_in\":[{\"prefix\":\"+\"}],"
		     "\"max_call_s\":600,\"ring_timeout_s\":60}");
	exchange_put(x, "address", "adr_9",
		     "{\"trunk_id\":\"trk_2\",\"cidr\":\"" OTHER "\"}");
	exchange_recv(x, OTHER,
		      "INVITE sip:+4930101@10.0.0.1 SIP/2.0\n"
		      "Via: SIP/2.0/UDP " OTHER ";branch=z9hG4bKon\n"
		      "Max-Forwards: 70\n"
		      "From: <sip:+4940200@" OTHER ">;tag=on\n"
		      "To: <sip:+4930101@10.0.0.1>\nCall-ID: on\n"
		      "CSeq: 1 INVITE\nContact: <sip:" OTHER ">\n",
		      SDP(OTHER));
	exchange_run(x, 10);
}


static void expect_told(const struct exchange *x, enum event_kind kind,
			const char *object_id)
{
	const struct event *ev = NULL;

	for (size_t i = 0; i < x->event_n && !ev; i++)
		if (x->events[i].kind == kind)
			ev = &x->events[i];

	cr_assert(ev != NULL);
	cr_expect_str_eq(ev->tenant_id, "ten_1");
	cr_expect_str_eq(ev->object_id, object_id);
}


/* What his account spends is nobody else's affair. */
Test(call_forward, who_forwards_hears_of_what_he_spends)
{
	struct exchange x;

	open_with(&x, FORWARD("unconditional", TO("+492211")));
	exchange_put(&x, "account", "acc_1", "{\"tenant_id\":\"ten_1\","
		     "\"currency\":\"EUR\",\"status\":\"active\","
		     "\"type\":\"prepaid\",\"daily_limit_micro\":500}");
	other_calls(&x);
	expect_told(&x, EVENT_SPEND_LIMITED, "acc_1");
	expect_end(&x, "limit_spend");
}


/* So is a warning, once money is held. */
Test(call_forward, and_of_a_warning)
{
	struct exchange x;

	open_with(&x, FORWARD("unconditional", TO("+492211")));
	exchange_put(&x, "account", "acc_1", "{\"tenant_id\":\"ten_1\","
		     "\"currency\":\"EUR\",\"status\":\"active\","
		     "\"type\":\"prepaid\",\"daily_limit_micro\":12000}");
	other_calls(&x);
	expect_told(&x, EVENT_SPEND_WARNED, "acc_1");
	exchange_answer(&x, FIRST, "INVITE", "486 Busy Here", "", NULL);
	exchange_run(&x, 10);
	exchange_close(&x);
}


Test(call_forward, nor_whom_he_may_call)
{
	struct exchange x;

	open_with(&x, FORWARD("unconditional", TO("+492211")));
	exchange_put(&x, "schedule", "sch_1",
		     "{\"ranges\":[],\"offsets\":[[0,0]]}");
	exchange_put(&x, "calling_window", "cwn_1",
		     "{\"trunk_id\":\"trk_1\",\"schedule_id\":\"sch_1\","
		     "\"calls_per_number\":3,\"status\":\"active\"}");
	other_calls(&x);
	expect_told(&x, EVENT_LIMIT_REACHED, "cwn_1");
	expect_end(&x, "calling_window");
}
