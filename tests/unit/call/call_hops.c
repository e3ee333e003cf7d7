/** @file call_hops.c  A call that comes back with our own Call-ID, other numbers
 *  or not, is let through as a forward is, and no more than five times. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "exchange.h"

#define SDP(host) exchange_sdp(host, 6000, "")

static const char trunk[] =
	"{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\",\"rate_deck_id\":"
	"\"dck_1\",\"status\":\"active\",\"direction\":\"both\","
	"\"cli_policy\":\"owned\",\"default_cli\":\"+4930100\","
	"\"number_in\":[{\"prefix\":\"+\"}],\"uri_host\":\"10.1.0.1\","
	"\"uri_port\":5060,\"max_call_s\":600,\"ring_timeout_s\":60,"
	"\"media_timeout_s\":20}";


/* A proxy: what came last goes back, to another number. */
static void send_back(struct exchange *x, const char *peer, const char *to,
		      unsigned n)
{
	const char *invite = exchange_last(x, peer, "INVITE");
	char head[1024];

	cr_assert(invite, "no INVITE at %s, round %u", peer, n);
	(void)snprintf(head, sizeof(head),
		       "INVITE sip:%s@10.0.0.1 SIP/2.0\n"
		       "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bKback%u\n"
		       "Max-Forwards: 60\n"
		       "From: <sip:+49221%u@%s>;tag=b%u\n"
		       "To: <sip:%s@10.0.0.1>\nCall-ID: %s\nCSeq: 7 INVITE\n"
		       "Contact: <sip:b@%s>\n", to, peer, n, n, peer, n, to,
		       exchange_header(invite, "Call-ID"), peer);
	exchange_recv(x, peer, head, SDP(peer));
	exchange_run(x, 10);
}


Test(call_hops, five_rounds_and_no_more)
{
	struct exchange x;
	unsigned n;

	exchange_open(&x);
	exchange_put(&x, "trunk", "trk_1", trunk);
	exchange_invite(&x, "first", "+492211000", "", SDP(PBX));
	exchange_run(&x, 10);
	for (n = 1; n <= 6 && !exchange_last(&x, FIRST, "SIP/2.0 482") &&
		    !exchange_last(&x, PBX, "SIP/2.0 482"); n++) {
		char to[24];

		(void)snprintf(to, sizeof(to), "+4922110%u", n);
		if (n % 2)
			send_back(&x, FIRST, "+4930100", n);
		else
			send_back(&x, PBX, to, n);
	}
	cr_expect_eq(n, 6, "refused in round %u", n - 1);
	cr_expect_eq(exchange_count(&x, FIRST, "INVITE") +
		     exchange_count(&x, PBX, "INVITE"), 5);
	exchange_close(&x);
}


/* An emergency call that its gateway sends back is no second emergency. */
Test(call_hops, an_emergency_call_comes_back_once)
{
	struct exchange x;

	exchange_open(&x);
	exchange_put(&x, "trunk", "trk_1", trunk);
	exchange_put(&x, "address", "adr_2",
		     "{\"trunk_id\":\"trk_1\",\"cidr\":\"10.2.0.1\"}");
	exchange_invite(&x, "help", "112", "", SDP(PBX));
	exchange_run(&x, 10);
	send_back(&x, FIRST, "112", 1);
	cr_expect(exchange_last(&x, FIRST, "SIP/2.0 482"));
	cr_expect_eq(exchange_count(&x, FIRST, "INVITE sip:112@"), 1);
	exchange_answer(&x, FIRST, "INVITE", "486 Busy Here", "", NULL);
	exchange_close(&x);
}
