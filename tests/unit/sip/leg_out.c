/**
 * @file leg_out.c  A leg that we call: the INVITE as written, challenges,
 * silence, forks, answers that come twice or too late.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "fake_catalog.h"
#include "leg_pair.h"
#include "text.h"

#define CHALLENGE                                                            \
	"Proxy-Authenticate: Digest realm=\"carrier\", nonce=\"n1\", "       \
	"algorithm=MD5, qop=\"auth\"\n"
#define CONTACT "Contact: <sip:carol@127.0.0.3:5060>\n"

static struct pair *w;
static struct party *a, *b;


static void open_pair(void)
{
	pair_open(&w);
	a = pair_party(w, ALICE);
	b = pair_party(w, BOB);
}


static void close_pair(void)
{
	pair_close(w);
}

TestSuite(leg_out, .init = open_pair, .fini = close_pair);


static void dial(struct leg_out *out)
{
	cr_assert_eq(leg_dial(&a->leg, a->ep, out, (const uint8_t *)SDP,
			      SDP_LEN, leg_event_handler, a), 0);
	pair_run(w, 20);
}


/* Answer to the BYE by hand, so that it is not repeated for 32 s. */
static void carol_lets_go(void)
{
	leg_bye(a->leg, 0, NULL);
	a->leg = mem_deref(a->leg);
	pair_run(w, 20);
	pair_answer(w, CAROL, ALICE, "BYE", "200 OK", "", "");
}


Test(leg_out, invite_as_written)
{
	struct leg_out out;
	const char *text;

	pair_out(&out, CAROL);
	text_copy(out.pai, sizeof(out.pai), "+4989555");
	out.is_private = true;
	text_copy(out.headers, sizeof(out.headers), "Subject: x\r\n");
	text_copy(out.to_user, sizeof(out.to_user), "a@b");
	dial(&out);

	text = pair_last(w, ALICE, "INVITE");
	cr_assert(!strncmp(text, "INVITE sip:+4930123@127.0.0.3 SIP/2.0\r\n",
			   39));
	cr_assert(!strncmp(header(text, "Via"), "SIP/2.0/UDP 127.0.0.1:5060;"
			   "branch=z9hG4bK", 41));
	cr_assert(strstr(header(text, "Via"), ";rport"));
	cr_assert(!strncmp(header(text, "From"), "\"Al \\\"ice\\\"\" "
			   "<sip:+4989555@127.0.0.1>;tag=", 42));
	cr_assert_str_eq(header(text, "To"), "<sip:a%40b@127.0.0.3>");
	cr_assert_str_eq(header(text, "CSeq"), "1 INVITE");
	cr_assert_str_eq(header(text, "Max-Forwards"), "69");
	cr_assert_str_eq(header(text, "Contact"), "<sip:127.0.0.1:5060>");
	cr_assert_str_eq(header(text, "P-Asserted-Identity"),
			 "<sip:+4989555@127.0.0.1:5060>");
	cr_assert_str_eq(header(text, "Privacy"), "id");
	cr_assert_str_eq(header(text, "Subject"), "x");
	cr_assert_str_eq(header(text, "User-Agent"), "test");
	cr_assert_str_eq(header(text, "Content-Type"), "application/sdp");
	cr_assert(strstr(text, "\r\n\r\n" SDP));
	cr_assert_str_eq(leg_call_id(a->leg), header(text, "Call-ID"));
	leg_cancel(a->leg, 0);
}


Test(leg_out, nothing_is_smuggled)
{
	struct leg_out out;

	pair_out(&out, CAROL);
	text_copy(out.request_uri, sizeof(out.request_uri),
		  "sip:x@y\r\nX: y");
	cr_assert_eq(leg_dial(&a->leg, a->ep, &out, NULL, 0,
			      leg_event_handler, a), EINVAL);
	pair_out(&out, CAROL);
	text_copy(out.from_host, sizeof(out.from_host), "h>\r\nX: y");
	cr_assert_eq(leg_dial(&a->leg, a->ep, &out, NULL, 0,
			      leg_event_handler, a), EINVAL);
	pair_out(&out, CAROL);
	text_copy(out.headers, sizeof(out.headers), "Subject: x");
	cr_assert_eq(leg_dial(&a->leg, a->ep, &out, NULL, 0,
			      leg_event_handler, a), EINVAL);
	cr_assert_null(a->leg);
	cr_assert_eq(pair_count(w, ALICE, "INVITE"), 0);
}


static void dial_with_credential(void)
{
	struct leg_out out;

	pair_out(&out, CAROL);
	text_copy(out.credential.username, sizeof(out.credential.username),
		  "us");
	text_copy(out.credential.realm, sizeof(out.credential.realm),
		  "carrier");
	fake_ha1(&out.credential, "secret");
	dial(&out);
}


Test(leg_out, challenge_is_answered)
{
	const char *first, *second, *ack;

	dial_with_credential();
	first = pair_last(w, ALICE, "INVITE");
	pair_answer(w, CAROL, ALICE, "INVITE", "407 No", "c0", CHALLENGE);
	heard_is(a, "");

	second = pair_last(w, ALICE, "INVITE");
	cr_assert_str_eq(header(second, "CSeq"), "2 INVITE");
	cr_assert_str_eq(header(second, "Call-ID"), header(first, "Call-ID"));
	cr_assert_str_eq(header(second, "From"), header(first, "From"));
	cr_assert_str_eq(header(second, "To"), header(first, "To"));
	cr_assert_str_neq(header(second, "Via"), header(first, "Via"));
	cr_assert(!strncmp(header(second, "Proxy-Authorization"),
			   "Digest ", 7));
	cr_assert(strstr(second, "\r\n\r\n" SDP));

	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	heard_is(a, "ANSWERED:200");
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	pair_run(w, 10);
	ack = pair_last(w, ALICE, "ACK");
	cr_assert_str_eq(header(ack, "CSeq"), "2 ACK");
	cr_assert_str_eq(header(ack, "Proxy-Authorization"),
			 header(second, "Proxy-Authorization"));
	cr_assert_str_eq(tag_of(header(ack, "To")), "c1");
	carol_lets_go();
}


Test(leg_out, bye_is_challenged_too)
{
	dial_with_credential();
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	leg_bye(a->leg, 0, NULL);
	a->leg = mem_deref(a->leg);
	pair_run(w, 10);
	pair_answer(w, CAROL, ALICE, "BYE", "407 No", "", CHALLENGE);
	cr_assert_str_eq(header(pair_last(w, ALICE, "BYE"), "CSeq"),
			 "3 BYE");
	cr_assert(header(pair_last(w, ALICE, "BYE"),
			 "Proxy-Authorization")[0]);
	pair_answer(w, CAROL, ALICE, "BYE", "200 OK", "", "");
	pair_run(w, 1000);
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 2);
}


Test(leg_out, second_challenge_is_a_failure)
{
	dial_with_credential();
	pair_answer(w, CAROL, ALICE, "INVITE", "407 No", "c0", CHALLENGE);
	pair_answer(w, CAROL, ALICE, "INVITE", "407 No", "c0", CHALLENGE);
	heard_is(a, "FAILED:407");
	cr_assert_eq(pair_count(w, ALICE, "INVITE"), 2);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 2);
}


Test(leg_out, challenge_without_credential_is_a_failure)
{
	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "401 No", "c0", CHALLENGE);
	heard_is(a, "FAILED:401");
}


Test(leg_out, repeated_200_is_acked_with_the_same_bytes)
{
	const char *ack;

	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	heard_is(a, "ANSWERED:200");
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 0);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	ack = pair_last(w, ALICE, "ACK");
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 2);
	cr_assert_str_eq(pair_last(w, ALICE, "ACK"), ack);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), ENOENT);
	heard_is(a, "ANSWERED:200");
	carol_lets_go();

	/* the peer missed our ACK and BYE alike */
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 3);
}


Test(leg_out, fork_is_acked_and_released)
{
	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "180 Ringing", "c1", CONTACT);
	pair_answer(w, CAROL, ALICE, "INVITE", "180 Ringing", "c2", CONTACT);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c2", CONTACT);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1",
		     "Contact: <sip:fork@127.0.0.3:5060>\n");
	heard_is(a, "PROGRESS:180 PROGRESS:180 ANSWERED:200");
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 2);
	cr_assert_str_eq(tag_of(header(pair_last(w, ALICE, "ACK"), "To")),
			 "c1");
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 1);
	cr_assert(strstr(pair_last(w, ALICE, "BYE"), "BYE sip:fork@"));
	cr_assert_str_eq(tag_of(header(pair_last(w, ALICE, "BYE"), "To")),
			 "c1");

	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 3);
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 1);
	pair_answer(w, CAROL, ALICE, "BYE", "200 OK", "", "");
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 4);
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 1);
	cr_assert(leg_is_up(a->leg));
	carol_lets_go();
}


Test(leg_out, many_forks_are_bounded)
{
	char tag[16];
	int i;

	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c", CONTACT);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	for (i = 0; i < 40; i++) {
		snprintf(tag, sizeof(tag), "c%d", i);
		pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", tag,
			     CONTACT);
	}

	cr_assert_leq(pair_count(w, ALICE, "BYE"), 16);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 41);
	pair_run(w, 2 * T64_MS);
	carol_lets_go();
}


static void dial_silent(uint32_t ms)
{
	struct leg_out out;

	pair_out(&out, CAROL);
	out.no_response_ms = ms;
	dial(&out);
}


Test(leg_out, silence)
{
	dial_silent(4000);
	pair_run(w, 3900);
	heard_is(a, "");
	pair_run(w, 100);
	heard_is(a, "FAILED");
	cr_assert_eq(a->last.err, ETIMEDOUT);
	a->leg = mem_deref(a->leg);
	pair_run(w, 2 * T64_MS);
	cr_assert_eq(pair_count(w, ALICE, "CANCEL"), 0);
	cr_assert_eq(pair_count(w, ALICE, "INVITE"), 7);
}


Test(leg_out, silence_then_ringing)
{
	dial_silent(4000);
	pair_run(w, 4000);
	pair_answer(w, CAROL, ALICE, "INVITE", "180 Ringing", "c1", CONTACT);
	cr_assert_eq(pair_count(w, ALICE, "CANCEL"), 1);
	heard_is(a, "FAILED");
	pair_answer(w, CAROL, ALICE, "INVITE", "487 Terminated", "c1", "");
	heard_is(a, "FAILED");
}


Test(leg_out, silence_then_answer)
{
	dial_silent(4000);
	pair_run(w, 4000);
	a->leg = mem_deref(a->leg);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 1);
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 1);
	pair_answer(w, CAROL, ALICE, "BYE", "200 OK", "", "");
	heard_is(a, "FAILED");
}


Test(leg_out, a_100_ends_the_silence)
{
	dial_silent(4000);
	pair_answer(w, CAROL, ALICE, "INVITE", "100 Trying", "", "");
	pair_run(w, 10000);
	heard_is(a, "TRYING:100");
	leg_cancel(a->leg, 0);
	pair_answer(w, CAROL, ALICE, "INVITE", "487 Terminated", "c1", "");
}


Test(leg_out, timer_b)
{
	pair_dial(w, CAROL);
	pair_run(w, T64_MS + 20);
	heard_is(a, "FAILED");
	cr_assert_eq(a->last.err, ETIMEDOUT);
	cr_assert_eq(a->last.scode, 0);
}


Test(leg_out, cancelled_and_no_answer_to_it)
{
	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "180 Ringing", "c1", CONTACT);
	leg_cancel(a->leg, 0);
	leg_cancel(a->leg, 0);
	leg_bye(a->leg, 0, NULL);
	pair_run(w, T64_MS + 1000);
	heard_is(a, "PROGRESS:180 FAILED");
	cr_assert_eq(a->last.err, ETIMEDOUT);
}


Test(leg_out, cancel_between_answer_and_ack_is_bye)
{
	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT);
	leg_cancel(a->leg, 16);
	a->leg = mem_deref(a->leg);
	pair_run(w, 10);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 1);
	cr_assert_eq(pair_count(w, ALICE, "BYE"), 1);
	cr_assert_str_eq(header(pair_last(w, ALICE, "BYE"), "Reason"),
			 "Q.850;cause=16");
	pair_answer(w, CAROL, ALICE, "BYE", "481 Gone", "", "");
}


Test(leg_out, routes_are_followed)
{
	const struct sa hop = fake_sa("127.0.0.4", 5066);

	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1", CONTACT
		     "Record-Route: <sip:127.0.0.5;lr>\n"
		     "Record-Route: <sip:127.0.0.4:5066;lr>\n");
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	cr_assert(strstr(pair_last(w, ALICE, "ACK"),
			 "ACK sip:carol@127.0.0.3:5060 SIP/2.0\r\n"));
	cr_assert_str_eq(header(pair_last(w, ALICE, "ACK"), "Route"),
			 "<sip:127.0.0.4:5066;lr>, <sip:127.0.0.5;lr>");
	cr_assert(sa_cmp(pair_last_dest(w, ALICE, "ACK"), &hop, SA_ALL));
	carol_lets_go();
}


Test(leg_out, answer_without_a_usable_dialog)
{
	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1",
		     "Record-Route: nonsense\n" CONTACT);
	heard_is(a, "FAILED");
	cr_assert_eq(a->last.err, EBADMSG);
	pair_answer(w, CAROL, ALICE, "INVITE", "200 OK", "c1",
		     "Record-Route: nonsense\n" CONTACT);
	cr_assert_eq(pair_count(w, ALICE, "ACK"), 0);
}


Test(leg_out, bye_before_any_answer_was_seen)
{
	const char *invite;

	pair_dial(w, CAROL);
	pair_answer(w, CAROL, ALICE, "INVITE", "180 Ringing", "c1", CONTACT);
	invite = pair_last(w, ALICE, "INVITE");
	pair_inject(w, CAROL, ALICE,
		     "BYE sip:127.0.0.1 SIP/2.0\n"
		     "Via: SIP/2.0/UDP 127.0.0.3:5060;branch=z9hG4bKe1;rport\n"
		     "From: %s;tag=c1\nTo: %s\nCall-ID: %s\nCSeq: 1 BYE\n"
		     "Max-Forwards: 70\nContent-Length: 0\n\n",
		     header(invite, "To"), header(invite, "From"),
		     header(invite, "Call-ID"));
	cr_assert_eq(pair_count(w, ALICE, "200 BYE"), 1);
	heard_is(a, "PROGRESS:180 FAILED");
	cr_assert_eq(a->last.err, ECONNRESET);
	cr_assert_eq(pair_count(w, ALICE, "CANCEL"), 1);
	a->leg = mem_deref(a->leg);
	pair_answer(w, CAROL, ALICE, "INVITE", "487 Terminated", "c1", "");
}
