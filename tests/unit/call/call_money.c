/** @file call_money.c  Paid before it is consumed; never more than was held. */
#include <criterion/criterion.h>
#include "exchange.h"


static void dial(struct exchange *x, const char *id)
{
	exchange_invite(x, id, "00492211", "", exchange_sdp(PBX, 6000, ""));
}


static void answer(struct exchange *x, const char *id)
{
	exchange_answer(x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, ""));
	exchange_in_dialog(x, id, "ACK", 1, "", NULL);
}


Test(call_money, no_balance_no_call)
{
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 999; /* a second costs 1000 */
	dial(&x, "one");
	exchange_run(&x, 2000);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 402"));
	cr_expect_null(exchange_last(&x, FIRST, "INVITE"));
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "no_credit");
	cr_expect_eq(x.balance_micro, 999);
	exchange_close(&x);
}


Test(call_money, a_ledger_that_does_not_answer)
{
	struct exchange x;

	exchange_open(&x);
	x.is_ledger_silent = true;
	dial(&x, "one");
	exchange_run(&x, 2000);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 503"));
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "credit_unknown");
	x.is_ledger_silent = false; /* the late grant goes back */
	exchange_close(&x);
	cr_expect_eq(x.balance_micro, 10000000);
}


/* 25 seconds are covered: it ends there, to the second, and costs that. */
Test(call_money, the_call_ends_when_the_money_does)
{
	const struct cdr_call *r;
	struct exchange x;
	int64_t price;

	exchange_open(&x);
	x.balance_micro = 25000;
	dial(&x, "one");
	answer(&x, "one");
	exchange_run(&x, 60000);
	cr_expect(exchange_last(&x, PBX, "BYE"));
	cr_expect(exchange_last(&x, FIRST, "BYE"));
	r = exchange_record(&x);
	cr_expect_str_eq(r->call.outcome, "credit_ended");
	price = r->call.price_micro;
	cr_expect_leq(price, 25000);
	cr_expect_geq(price, 24000);
	exchange_close(&x);
	cr_expect_eq(x.balance_micro, 25000 - price);
}


/* Two calls ask at once and the slice of both is too much: each is offered
   its first interval before anyone is turned away. */
Test(call_money, a_tight_balance_serves_both)
{
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 3000;
	x.is_ledger_silent = true;
	dial(&x, "one");
	dial(&x, "two");
	x.is_ledger_silent = false;
	exchange_run(&x, 100);
	cr_expect_eq(exchange_count(&x, FIRST, "INVITE"), 2);
	exchange_run(&x, 70000); /* nobody answers */
	exchange_close(&x);
	cr_expect_eq(x.balance_micro, 3000);
}


/* A late timer is our loss: what is billed was held. */
Test(call_money, a_late_timer_does_not_overdraw)
{
	const struct cdr_call *r;
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 10000;
	dial(&x, "one");
	answer(&x, "one");
	x.now.mono_us += 40000000; /* the worker sleeps */
	x.now.wall_us += 40000000;
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	r = exchange_record(&x);
	cr_expect_leq(r->call.price_micro, 10000);
	cr_expect_eq(r->call.duration_ms, 40000);
	exchange_close(&x);
	cr_expect_geq(x.balance_micro, 0);
}


Test(call_money, calls_in_cost_nothing_here)
{
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 0;
	exchange_recv(&x, FIRST,
		      "INVITE sip:+4930100@10.0.0.1 SIP/2.0\n"
		      "Via: SIP/2.0/UDP 10.2.0.1:5060;branch=z9hG4bKi\n"
		      "From: <sip:+44123@10.2.0.1>;tag=i\n"
		      "To: <sip:+4930100@10.0.0.1>\nCall-ID: i\n"
		      "CSeq: 1 INVITE\nContact: <sip:c@10.2.0.1>\n",
		      exchange_sdp(FIRST, 7000, ""));
	cr_expect(exchange_last(&x, PBX, "INVITE sip:+4930100@10.1.0.1"));
	exchange_answer(&x, PBX, "INVITE", "486 Busy", "", NULL);
	cr_expect_str_eq(exchange_record(&x)->call.direction, "inbound");
	cr_expect_str_eq(exchange_record(&x)->call.calling, "+44123");
	exchange_close(&x);
}
