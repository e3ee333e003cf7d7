/** @file call_media.c  Which description is in force, and when silence ends. */
#include <criterion/criterion.h>
#include <string.h>
#include "exchange.h"


static void up(struct exchange *x)
{
	exchange_open(x);
	exchange_invite(x, "one", "00492211", "",
			exchange_sdp(PBX, 6000, ""));
	exchange_answer(x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, ""));
	exchange_in_dialog(x, "one", "ACK", 1, "", NULL);
}


static void down(struct exchange *x, unsigned cseq)
{
	exchange_in_dialog(x, "one", "BYE", cseq, "", NULL);
	exchange_answer(x, FIRST, "BYE", "200 OK", "", NULL);
	exchange_close(x);
}


Test(call_media, both_sides_are_pointed)
{
	struct exchange x;

	up(&x);
	cr_expect_eq(sa_port(&x.pointed[MEDIA_A]), 6000);
	cr_expect_eq(sa_port(&x.pointed[MEDIA_B]), 7000);
	down(&x, 2);
}


/* RFC 3261 14.1: a refused re-INVITE leaves the session as it was. */
Test(call_media, a_refused_offer_moves_nothing)
{
	struct exchange x;

	up(&x);
	exchange_in_dialog(&x, "one", "INVITE", 2, "",
			   exchange_sdp(PBX, 6100, ""));
	exchange_answer(&x, FIRST, "INVITE", "488 Not Acceptable Here", "",
			NULL);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 488"));
	cr_expect_eq(sa_port(&x.pointed[MEDIA_A]), 6000);
	exchange_in_dialog(&x, "one", "ACK", 2, "", NULL);

	exchange_in_dialog(&x, "one", "INVITE", 3, "",
			   exchange_sdp(PBX, 6200, ""));
	cr_expect_eq(sa_port(&x.pointed[MEDIA_A]), 6000);
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7200, ""));
	cr_expect_eq(sa_port(&x.pointed[MEDIA_A]), 6200);
	cr_expect_eq(sa_port(&x.pointed[MEDIA_B]), 7200);
	exchange_in_dialog(&x, "one", "ACK", 3, "", NULL);
	down(&x, 4);
}


/* An offer in the 2xx is in force with the answer in the ACK. */
Test(call_media, late_offer_in_the_dialog)
{
	struct exchange x;

	up(&x);
	exchange_in_dialog(&x, "one", "INVITE", 2, "", NULL);
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7300, ""));
	cr_expect_eq(sa_port(&x.pointed[MEDIA_B]), 7000);
	exchange_in_dialog(&x, "one", "ACK", 2, "",
			   exchange_sdp(PBX, 6300, ""));
	cr_expect_eq(sa_port(&x.pointed[MEDIA_B]), 7300);
	cr_expect_eq(sa_port(&x.pointed[MEDIA_A]), 6300);
	down(&x, 3);
}


Test(call_media, silence_ends_the_call)
{
	struct exchange x;

	up(&x);
	x.is_quiet = true;
	exchange_run(&x, 30000);
	cr_expect(exchange_last(&x, PBX, "BYE"));
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "media_lost");
	exchange_answer(&x, PBX, "BYE", "200 OK", "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	exchange_close(&x);
}


/* On hold nobody has to speak; after it silence counts again. */
Test(call_media, a_held_call_may_be_silent)
{
	struct exchange x;

	up(&x);
	x.is_quiet = true;
	exchange_in_dialog(&x, "one", "INVITE", 2, "",
			   exchange_sdp(PBX, 6000, "a=inactive\r\n"));
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, "a=inactive\r\n"));
	exchange_in_dialog(&x, "one", "ACK", 2, "", NULL);
	exchange_run(&x, 120000);
	cr_expect_eq(x.end_n, 0);

	exchange_in_dialog(&x, "one", "INVITE", 3, "",
			   exchange_sdp(PBX, 6000, ""));
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, ""));
	exchange_in_dialog(&x, "one", "ACK", 3, "", NULL);
	exchange_run(&x, 30000);
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "media_lost");
	exchange_close(&x);
}


Test(call_media, secure_media_is_refused_and_not_passed_on)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "00492211", "",
			exchange_sdp(PBX, 6000,
				     "a=fingerprint:sha-256 00:11\r\n"));
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 488"));
	cr_expect_null(exchange_last(&x, FIRST, "INVITE"));
	cr_expect_str_eq(exchange_record(&x)->call.outcome,
			 "media_unsupported");
	exchange_close(&x);
}


/* An INVITE without an offer: what is wrong with B's is what A is told. */
Test(call_media, a_late_offer_of_no_use_says_why)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "00492211", "", NULL);
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000,
				     "a=fingerprint:sha-256 00:11\r\n"));
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 488"));
	cr_expect(exchange_last(&x, FIRST, "ACK"));
	cr_expect(exchange_last(&x, FIRST, "BYE"));
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	cr_expect_str_eq(exchange_record(&x)->call.outcome,
			 "media_unsupported");
	exchange_close(&x);
}
