/**
 * @file leg_in.c  A leg that called us: provisional and final answers,
 * CANCEL, the ACK that is lost, late or repeated.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "leg_pair.h"

static struct pair *w;
static struct party *a, *b;


static void open_pair(void)
{
	pair_open(&w);
	a = pair_party(w, ALICE);
	b = pair_party(w, BOB);
}


static void ring(void)
{
	pair_dial(w, BOB);
	pair_run(w, 30);
	cr_assert(b->leg);
}


static void answer(void)
{
	cr_assert_eq(leg_answer(b->leg, (const uint8_t *)SDP, SDP_LEN), 0);
}


static void close_pair(void)
{
	pair_close(w);
}

TestSuite(leg_in, .init = open_pair, .fini = close_pair);


Test(leg_in, answers_carry_contact_and_allow)
{
	const char *text;

	ring();
	answer();
	pair_run(w, 20);
	text = pair_last(w, BOB, "200 INVITE");
	cr_assert_str_eq(header(text, "Contact"), "<sip:127.0.0.2:5060>");
	cr_assert_str_eq(header(text, "Allow"),
			 "INVITE, ACK, CANCEL, BYE, OPTIONS");
	cr_assert_str_eq(header(text, "Supported"), "");
	cr_assert(strstr(text, "\r\nSupported: \r\n"));
	cr_assert_eq(strlen(tag_of(header(text, "To"))), TOKEN_LEN);
	leg_bye(b->leg, 0, NULL);
}


Test(leg_in, reject)
{
	ring();
	cr_assert_eq(leg_reject(b->leg, 486, "Busy Here", 17,
				"Retry-After: 5\r\n"), 0);
	cr_assert_eq(leg_answer(b->leg, NULL, 0), ENOTCONN);
	pair_run(w, 20);
	heard_is(a, "TRYING:100 FAILED:486");
	heard_is(b, "");
	cr_assert_eq(a->last.q850, 17);
	cr_assert_eq(a->last.retry_after_s, 5);
	cr_assert_str_eq(a->last.reason, "Busy Here");
	cr_assert_str_eq(header(pair_last(w, BOB, "486 INVITE"), "Reason"),
			 "Q.850;cause=17;text=\"Busy Here\"");
}


Test(leg_in, bye_before_the_answer_rejects)
{
	ring();
	leg_bye(b->leg, 0, NULL);
	b->leg = mem_deref(b->leg);
	pair_run(w, 20);
	heard_is(a, "TRYING:100 FAILED:480");
}


Test(leg_in, cancel)
{
	ring();
	leg_cancel(a->leg, 16);
	pair_run(w, 20);
	heard_is(b, "CANCELLED");
	cr_assert_eq(b->last.q850, 16);
	heard_is(a, "TRYING:100 FAILED:487");
	cr_assert_eq(pair_count(w, BOB, "200 CANCEL"), 1);
	cr_assert_eq(pair_count(w, BOB, "487 INVITE"), 1);
}


Test(leg_in, the_owner_may_let_go_in_the_handler)
{
	b->let_go = a->let_go = true;
	ring();
	cr_assert(b->leg && !a->leg); /* at 100: nobody waits for the call */
	cr_assert_eq(pair_count(w, NULL, "BYE"), 0);
	b->leg = mem_deref(b->leg);
	pair_run(w, 20);
	cr_assert_eq(pair_count(w, BOB, "500 INVITE"), 1);
}


Test(leg_in, lost_200_is_repeated)
{
	pair_rule(w, BOB, "200 INVITE", 3, WIRE_DROP, 0);
	ring();
	answer();
	pair_run(w, 450);
	cr_assert_eq(pair_count(w, BOB, "200 INVITE"), 1);
	pair_run(w, 100);
	cr_assert_eq(pair_count(w, BOB, "200 INVITE"), 2);
	pair_run(w, 1000);
	cr_assert_eq(pair_count(w, BOB, "200 INVITE"), 3);
	heard_is(a, "TRYING:100");
	pair_run(w, 2000);
	heard_is(a, "TRYING:100 ANSWERED:200");
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	pair_run(w, 8000);
	heard_is(b, "ACKED");
	cr_assert_eq(pair_count(w, BOB, "200 INVITE"), 4);
	leg_bye(b->leg, 0, NULL);
}


Test(leg_in, lost_ack)
{
	const char *first;

	pair_rule(w, ALICE, "ACK", 2, WIRE_DROP, 0);
	ring();
	answer();
	pair_run(w, 20);
	cr_assert_eq(leg_ack(a->leg, (const uint8_t *)SDP, SDP_LEN), 0);
	first = pair_last(w, ALICE, "ACK");
	pair_run(w, 4000);
	heard_is(b, "ACKED");
	cr_assert(b->had_sdp);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 3);
	cr_assert_str_eq(pair_last(w, ALICE, "ACK"), first);
	heard_is(a, "TRYING:100 ANSWERED:200");
	leg_bye(a->leg, 0, NULL);
}


Test(leg_in, repeated_ack_is_heard_once)
{
	pair_rule(w, ALICE, "ACK", 1, WIRE_DOUBLE, 0);
	ring();
	answer();
	pair_run(w, 20);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	pair_run(w, 20);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 2);
	heard_is(b, "ACKED");
	leg_bye(a->leg, 0, NULL);
}


Test(leg_in, no_ack_at_all)
{
	ring();
	answer();
	pair_run(w, T64_MS - 500);
	heard_is(b, "");
	/* T1 doubled to T2: 0, .5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s */
	cr_assert_eq(pair_count(w, BOB, "200 INVITE"), 11);
	pair_run(w, 600);
	heard_is(b, "ACK_LOST");
	cr_assert(leg_is_up(b->leg));
	leg_bye(b->leg, 102, "ACK timeout");
	b->leg = mem_deref(b->leg);
	pair_run(w, 50);
	cr_assert_eq(pair_count(w, BOB, "BYE"), 1);
	cr_assert_eq(pair_count(w, ALICE, "200 BYE"), 1);
	heard_is(a, "TRYING:100 ANSWERED:200 BYE");
}


Test(leg_in, bye_waits_for_the_ack)
{
	ring();
	answer();
	leg_bye(b->leg, 0, NULL);
	b->leg = mem_deref(b->leg);
	pair_run(w, 3000);
	cr_assert_eq(pair_count(w, BOB, "BYE"), 0);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	pair_run(w, 20);
	cr_assert_eq(pair_count(w, BOB, "BYE"), 1);
	heard_is(a, "TRYING:100 ANSWERED:200 BYE");
	heard_is(b, "");
}


Test(leg_in, bye_waits_for_the_ack_64_t1)
{
	ring();
	answer();
	leg_bye(b->leg, 0, NULL);
	b->leg = mem_deref(b->leg);
	pair_run(w, T64_MS - 100);
	cr_assert_eq(pair_count(w, BOB, "BYE"), 0);
	pair_run(w, 200);
	cr_assert_eq(pair_count(w, BOB, "BYE"), 1);
}


Test(leg_in, bye_of_theirs_while_ours_waits)
{
	ring();
	answer();
	leg_bye(b->leg, 0, NULL);
	b->leg = mem_deref(b->leg);
	pair_rule(w, ALICE, "ACK", 1, WIRE_DROP, 0);
	pair_run(w, 20);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	leg_bye(a->leg, 0, NULL);
	pair_run(w, 40000);
	cr_assert_eq(pair_count(w, BOB, "200 BYE"), 1);
	cr_assert_eq(pair_count(w, BOB, "BYE"), 0);
	cr_assert_eq(pair_count(w, BOB, "200 INVITE"), 1);
}


Test(leg_in, answer_and_cancel_cross)
{
	pair_latency(w, 100);
	pair_dial(w, BOB);
	pair_run(w, 250);
	leg_cancel(a->leg, 0);
	a->leg = mem_deref(a->leg);
	answer();
	pair_run(w, 600);

	heard_is(b, "ACKED BYE");
	cr_assert_eq(pair_count(w, BOB, "200 CANCEL"), 1);
	cr_assert_eq(pair_count(w, BOB, "487 INVITE"), 0);
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 1);
	heard_is(a, "TRYING:100");
}


Test(leg_in, bye_in_the_early_dialog)
{
	const char *ringing, *invite;

	ring();
	cr_assert_eq(leg_progress(b->leg, 180, "Ringing", NULL, 0), 0);
	pair_run(w, 20);
	ringing = pair_last(w, BOB, "180 INVITE");
	invite = pair_last(w, ALICE, "INVITE");
	pair_inject(w, ALICE, BOB,
		     "BYE sip:127.0.0.2 SIP/2.0\n"
		     "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKe1;rport\n"
		     "From: %s\nTo: %s\nCall-ID: %s\nCSeq: 2 BYE\n"
		     "Max-Forwards: 70\nContent-Length: 0\n\n",
		     header(invite, "From"), header(ringing, "To"),
		     header(invite, "Call-ID"));
	pair_run(w, 20);
	heard_is(b, "CANCELLED");
	cr_assert_eq(pair_count(w, BOB, "200 BYE"), 1);
	heard_is(a, "TRYING:100 PROGRESS:180 FAILED:487");
}


Test(leg_in, late_offer)
{
	struct leg_out out;

	pair_out(&out, BOB);
	cr_assert_eq(leg_dial(&a->leg, a->ep, &out, NULL, 0,
			      leg_event_handler, a), 0);
	pair_run(w, 20);
	answer();
	pair_run(w, 20);
	cr_assert(a->had_sdp);
	cr_assert_eq(leg_ack(a->leg, (const uint8_t *)SDP, SDP_LEN), 0);
	pair_run(w, 20);
	heard_is(b, "ACKED");
	cr_assert(b->had_sdp);
	leg_bye(a->leg, 0, NULL);
}
