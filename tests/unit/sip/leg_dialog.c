/**
 * @file leg_dialog.c  Inside the dialog: re-INVITE and its races, BYE and its
 * races, what is refused.
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
	pair_up(w);
}


static void close_pair(void)
{
	pair_close(w);
}

TestSuite(leg_dialog, .init = open_pair, .fini = close_pair);


static int offer(struct party *p)
{
	return leg_offer(p->leg, (const uint8_t *)SDP, SDP_LEN);
}


static void accept_offer(struct party *p)
{
	cr_assert_eq(leg_offer_reply(p->leg, 200, "OK", (const uint8_t *)SDP,
				     SDP_LEN), 0);
	pair_run(w, 20);
}


/* A request of Alice's dialog that her leg did not write. */
static void forge(const char *method, unsigned cseq, const char *more)
{
	static unsigned n;
	const char *invite = pair_last(w, ALICE, "INVITE");
	const char *ok = pair_last(w, BOB, "200 INVITE");

	pair_inject(w, ALICE, BOB,
		     "%s sip:127.0.0.2 SIP/2.0\n"
		     "Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKf%u;"
		     "rport\n"
		     "From: %s\nTo: %s\nCall-ID: %s\nCSeq: %u %s\n"
		     "Max-Forwards: 70\n%s%s",
		     method, ++n, header(invite, "From"), header(ok, "To"),
		     header(invite, "Call-ID"), cseq, method, more,
		     strstr(more, "Content-Length") ? "" :
		     "Content-Length: 0\n\n");
	pair_run(w, 20);
}


static void expect_one(const char *key)
{
	cr_assert_eq(pair_count(w, BOB, key), 1, "%s", key);
}


static void hang_up(void)
{
	leg_bye(a->leg, 0, NULL);
	a->leg = mem_deref(a->leg);
	pair_run(w, 20);
}


Test(leg_dialog, offer_and_answer)
{
	cr_assert_eq(offer(a), 0);
	cr_assert_eq(offer(a), EBUSY);
	pair_run(w, 20);
	heard_is(b, "OFFER");
	cr_assert(b->had_sdp);
	cr_assert_eq(offer(b), EBUSY);
	accept_offer(b);
	heard_is(a, "OFFER_ANSWERED:200");
	cr_assert(a->had_sdp);
	cr_assert_eq(offer(a), EBUSY);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	pair_run(w, 20);
	heard_is(b, "OFFER OFFER_ACKED");
	cr_assert_eq(offer(b), 0);
	pair_run(w, 20);
	heard_is(a, "OFFER_ANSWERED:200 OFFER");
	cr_assert_eq(leg_offer_reply(a->leg, 488, "Not Acceptable Here",
				     NULL, 0), 0);
	pair_run(w, 20);
	heard_is(b, "OFFER OFFER_ACKED OFFER_REFUSED:488");
	hang_up();
	heard_is(b, "OFFER OFFER_ACKED OFFER_REFUSED:488 BYE");
}


Test(leg_dialog, late_offer_and_lost_ack)
{
	pair_rule(w, ALICE, "ACK", 1, WIRE_DROP, 0);
	cr_assert_eq(leg_offer(a->leg, NULL, 0), 0);
	pair_run(w, 20);
	heard_is(b, "OFFER");
	cr_assert_not(b->had_sdp);
	accept_offer(b);
	cr_assert_eq(leg_ack(a->leg, (const uint8_t *)SDP, SDP_LEN), 0);
	pair_run(w, 20);
	heard_is(b, "OFFER");
	pair_run(w, 500);
	heard_is(b, "OFFER OFFER_ACKED");
	cr_assert(b->had_sdp);
	hang_up();
}


Test(leg_dialog, ack_of_an_offer_never_comes)
{
	cr_assert_eq(offer(a), 0);
	pair_run(w, 20);
	accept_offer(b);
	pair_run(w, T64_MS + 100);
	heard_is(b, "OFFER ACK_LOST");
	leg_bye(b->leg, 0, NULL);
	pair_run(w, 20);
	heard_is(a, "OFFER_ANSWERED:200 BYE");
}


Test(leg_dialog, glare)
{
	cr_assert_eq(offer(a), 0);
	cr_assert_eq(offer(b), 0);
	pair_run(w, 50);
	heard_is(a, "OFFER_REFUSED:491");
	heard_is(b, "OFFER_REFUSED:491");
	cr_assert_eq(offer(b), 0);
	pair_run(w, 20);
	heard_is(a, "OFFER_REFUSED:491 OFFER");
	cr_assert_eq(leg_offer_reply(a->leg, 200, "OK", NULL, 0), 0);
	pair_run(w, 20);
	cr_assert_eq(leg_ack(b->leg, NULL, 0), 0);
	hang_up();
}


Test(leg_dialog, offer_cancelled)
{
	cr_assert_eq(offer(a), 0);
	pair_run(w, 20);
	cr_assert_eq(leg_offer_reply(b->leg, 183, "Wait", NULL, 0), 0);
	pair_run(w, 20);
	leg_cancel(a->leg, 0);
	pair_run(w, 50);
	heard_is(b, "OFFER OFFER_CANCELLED");
	heard_is(a, "OFFER_REFUSED:487");
	cr_assert(leg_is_up(a->leg) && leg_is_up(b->leg));
	cr_assert_eq(leg_offer_reply(b->leg, 200, "OK", NULL, 0), ENOENT);
	hang_up();
}


Test(leg_dialog, cancel_without_an_offer_changes_nothing)
{
	leg_cancel(a->leg, 0);
	pair_run(w, 50);
	heard_is(b, "");
	cr_assert(leg_is_up(a->leg));
	hang_up();
}


Test(leg_dialog, second_offer_while_one_is_pending)
{
	cr_assert_eq(offer(a), 0);
	pair_run(w, 20);
	forge("INVITE", 9, "");
	expect_one("500 INVITE");
	cr_assert(header(pair_last(w, BOB, "500 INVITE"), "Retry-After")[0]);
	heard_is(b, "OFFER");
	accept_offer(b);
	forge("INVITE", 10, "");
	expect_one("491 INVITE");
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	pair_run(w, 20);
	heard_is(b, "OFFER OFFER_ACKED");
	hang_up();
}


Test(leg_dialog, offer_with_a_body_of_another_type)
{
	forge("INVITE", 9, "Content-Type: text/plain\n"
	      "Content-Length: 2\n\nhi");
	expect_one("415 INVITE");
	heard_is(b, "");
	hang_up();
}


Test(leg_dialog, target_refresh)
{
	const char *more = "Contact: <sip:new@127.0.0.1:5060>\n";

	forge("INVITE", 9, more);
	heard_is(b, "OFFER");
	accept_offer(b);
	forge("ACK", 9, "");
	heard_is(b, "OFFER OFFER_ACKED");
	leg_bye(b->leg, 0, NULL);
	pair_run(w, 20);
	cr_assert(!strncmp(pair_last(w, BOB, "BYE"),
			   "BYE sip:new@127.0.0.1:5060 SIP", 30));
}


Test(leg_dialog, refused_offer_does_not_move_the_target)
{
	forge("INVITE", 9, "Contact: <sip:new@127.0.0.1:5060>\n");
	cr_assert_eq(leg_offer_reply(b->leg, 488, "No", NULL, 0), 0);
	leg_bye(b->leg, 0, NULL);
	pair_run(w, 20);
	cr_assert(!strncmp(pair_last(w, BOB, "BYE"),
			   "BYE sip:127.0.0.1:5060 SIP", 26));
}


Test(leg_dialog, offer_to_a_peer_that_lost_the_dialog)
{
	/* Bob's side forgets; Alice's offer then meets 481 */
	b->leg = mem_deref(b->leg);
	cr_assert_eq(offer(a), 0);
	pair_run(w, 50);
	heard_is(a, "OFFER_REFUSED:481 BYE:481");
	a->leg = mem_deref(a->leg);
	pair_run(w, 50);
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 1);
	expect_one("481 BYE");
}


Test(leg_dialog, offer_to_a_peer_that_is_gone)
{
	pair_rule(w, ALICE, "INVITE", 100, WIRE_DROP, 0);
	cr_assert_eq(offer(a), 0);
	pair_run(w, T64_MS + 50);
	heard_is(a, "OFFER_REFUSED BYE");
	cr_assert_eq(a->last.err, ETIMEDOUT);
	heard_is(b, "BYE");
}


Test(leg_dialog, both_hang_up)
{
	leg_bye(a->leg, 0, NULL);
	leg_bye(b->leg, 0, NULL);
	leg_bye(b->leg, 0, NULL);
	a->leg = mem_deref(a->leg);
	b->leg = mem_deref(b->leg);
	pair_run(w, 50);
	heard_is(a, "");
	heard_is(b, "");
	cr_assert_eq(pair_count(w, ALICE, "200 BYE"), 1);
	cr_assert_eq(pair_count(w, BOB, "200 BYE"), 1);
	cr_assert_eq(pair_count(w, NULL, "BYE"), 2);
}


Test(leg_dialog, bye_meets_our_offer)
{
	cr_assert_eq(offer(b), 0);
	leg_bye(a->leg, 0, NULL);
	pair_run(w, 50);
	heard_is(b, "BYE");
	cr_assert_eq(pair_count(w, ALICE, "481 INVITE"), 1);
	heard_is(a, "");
}


Test(leg_dialog, bye_while_their_offer_is_pending)
{
	cr_assert_eq(offer(a), 0);
	pair_run(w, 20);
	leg_bye(a->leg, 0, NULL);
	pair_run(w, 20);
	heard_is(b, "OFFER BYE");
	expect_one("487 INVITE");
	expect_one("200 BYE");
}


Test(leg_dialog, we_hang_up_while_their_offer_is_pending)
{
	cr_assert_eq(offer(a), 0);
	pair_run(w, 20);
	leg_bye(b->leg, 0, NULL);
	b->leg = mem_deref(b->leg);
	pair_run(w, 20);
	heard_is(a, "OFFER_REFUSED:487 BYE");
	expect_one("487 INVITE");
	expect_one("BYE");
}


Test(leg_dialog, bye_between_200_and_ack_of_our_offer)
{
	cr_assert_eq(offer(a), 0);
	pair_run(w, 20);
	accept_offer(b);
	leg_bye(a->leg, 0, NULL);
	a->leg = mem_deref(a->leg);
	pair_run(w, 20);
	heard_is(b, "OFFER OFFER_ACKED BYE");
}


Test(leg_dialog, lost_bye_is_repeated)
{
	pair_rule(w, ALICE, "BYE", 3, WIRE_DROP, 0);
	leg_bye(a->leg, 0, NULL);
	a->leg = mem_deref(a->leg);
	pair_run(w, 4000);
	heard_is(b, "BYE");
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 4);
}


Test(leg_dialog, nobody_answers_the_bye)
{
	struct endpoint_census census;

	pair_rule(w, ALICE, "BYE", 100, WIRE_DROP, 0);
	leg_bye(a->leg, 0, NULL);
	a->leg = mem_deref(a->leg);
	pair_run(w, T64_MS + 1000);
	endpoint_census(a->ep, &census);
	cr_assert_eq(census.dialogs, 0);
	cr_assert_eq(census.client_tx, 0);
	b->leg = mem_deref(b->leg);
}


Test(leg_dialog, after_the_end_is_481)
{
	hang_up();
	forge("INVITE", 9, "");
	forge("OPTIONS", 10, "");
	forge("BYE", 11, "");
	expect_one("481 INVITE");
	expect_one("481 OPTIONS");
	expect_one("481 BYE");
	heard_is(b, "BYE");
}


Test(leg_dialog, repeated_200_finds_its_ack_after_the_end)
{
	leg_bye(b->leg, 0, NULL);
	b->leg = mem_deref(b->leg);
	pair_run(w, 20);
	heard_is(a, "BYE");
	a->leg = mem_deref(a->leg);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 1);
	pair_inject(w, BOB, ALICE, "%s", pair_last(w, BOB, "200 INVITE"));
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 2);
}


Test(leg_dialog, other_methods)
{
	static const char *const refused[] = {
		"UPDATE", "INFO", "PRACK", "REFER", "SUBSCRIBE", "NOTIFY",
		"MESSAGE", "PUBLISH", "REGISTER",
	};
	unsigned i, cseq = 10;
	char key[32];

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		forge(refused[i], cseq++, "");
		snprintf(key, sizeof(key), "405 %s", refused[i]);
		expect_one(key);
		cr_assert(header(pair_last(w, BOB, key), "Allow")[0]);
	}

	forge("OPTIONS", cseq++, "");
	expect_one("200 OPTIONS");
	cr_assert_str_eq(header(pair_last(w, BOB, "200 OPTIONS"), "Allow"),
			 "INVITE, ACK, CANCEL, BYE, OPTIONS");
	forge("FROBNICATE", cseq++, "");
	expect_one("501 FROBNICATE");
	heard_is(b, "");
	hang_up();
}


Test(leg_dialog, required_extension)
{
	forge("INVITE", 9, "Require: 100rel, timer\n");
	expect_one("420 INVITE");
	cr_assert_str_eq(header(pair_last(w, BOB, "420 INVITE"),
				"Unsupported"), "100rel, timer");
	heard_is(b, "");
	forge("BYE", 10, "Require: timer\n");
	heard_is(b, "BYE");
	leg_bye(a->leg, 0, NULL);
}


Test(leg_dialog, out_of_order)
{
	forge("OPTIONS", 9, "");
	expect_one("200 OPTIONS");
	forge("OPTIONS", 8, "");
	expect_one("500 OPTIONS");
	forge("BYE", 1, "");
	expect_one("500 BYE");
	heard_is(b, "");
	leg_bye(b->leg, 0, NULL);
}


Test(leg_dialog, of_somebody_else)
{
	const char *invite = pair_last(w, ALICE, "INVITE");
	const char *ok = pair_last(w, BOB, "200 INVITE");

	pair_inject(w, CAROL, BOB,
		     "BYE sip:127.0.0.2 SIP/2.0\n"
		     "Via: SIP/2.0/UDP 127.0.0.3:5060;branch=z9hG4bKg;rport\n"
		     "From: <sip:x@y>;tag=wrong\nTo: %s\nCall-ID: %s\n"
		     "CSeq: 9 BYE\nMax-Forwards: 70\nContent-Length: 0\n\n",
		     header(ok, "To"), header(invite, "Call-ID"));
	expect_one("481 BYE");
	heard_is(b, "");
	leg_bye(b->leg, 0, NULL);
	pair_run(w, 20);
	heard_is(a, "BYE");
}


Test(leg_dialog, stray_ack)
{
	forge("ACK", 1, "");
	forge("ACK", 77, "");
	heard_is(b, "");
	hang_up();
}


Test(leg_dialog, too_many_offers_are_refused)
{
	int i, err = 0;

	for (i = 0; i < 40 && !err; i++) {
		err = offer(a);
		if (err)
			break;
		pair_run(w, 20);
		accept_offer(b);
		cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
		pair_run(w, 20);
	}

	cr_assert_eq(err, EBUSY);
	pair_run(w, T64_MS);
	cr_assert_eq(offer(a), 0);
	pair_run(w, 20);
	accept_offer(b);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	hang_up();
}
