/** @file call_end.c  CANCEL, limits and the reasons that are told. */
#include <criterion/criterion.h>
#include <string.h>
#include "exchange.h"

#define SDP exchange_sdp(PBX, 6000, "")


static void cancel(struct exchange *x, const char *id, const char *extra)
{
	char head[1024];

	(void)re_snprintf(head, sizeof(head),
			  "CANCEL sip:00492211@10.0.0.1 SIP/2.0\n"
			  "Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK%s\n"
			  "From: <sip:+4930100@10.1.0.1>;tag=%s\n"
			  "To: <sip:00492211@10.0.0.1>\nCall-ID: %s\n"
			  "CSeq: 1 CANCEL\n%s", id, id, id, extra);
	exchange_recv(x, PBX, head, NULL);
}


/* RFC 3326: the reason of a CANCEL is for whoever rang. */
Test(call_end, a_cancel_takes_its_reason_along)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "00492211", "", SDP);
	exchange_answer(&x, FIRST, "INVITE", "180 Ringing", "", NULL);
	cancel(&x, "one", "Reason: Q.850;cause=26\n");
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 487"));
	cr_expect(strstr(exchange_last(&x, FIRST, "CANCEL"), "cause=26"));
	exchange_answer(&x, FIRST, "CANCEL", "200 OK", "", NULL);
	exchange_answer(&x, FIRST, "INVITE", "487 Request Terminated", "",
			NULL);
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "cancelled");
	cr_expect_str_eq(exchange_record(&x)->call.reason_received,
			 "Q.850;cause=26");
	cr_expect_eq(exchange_record(&x)->call.q850, 26);
	exchange_close(&x);
}


/* The answer crosses the CANCEL: it is ACKed and ended, and costs nothing. */
Test(call_end, a_cancel_that_crosses_the_answer)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "00492211", "", SDP);
	exchange_answer(&x, FIRST, "INVITE", "180 Ringing", "", NULL);
	cancel(&x, "one", "");
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, ""));
	cr_expect(exchange_last(&x, FIRST, "ACK"));
	cr_expect(exchange_last(&x, FIRST, "BYE"));
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	cr_expect_eq(exchange_record(&x)->charge_n, 0);
	exchange_close(&x);
}


Test(call_end, a_full_trunk)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "00492211", "", SDP);
	exchange_invite(&x, "two", "00492211", "", SDP);
	exchange_invite(&x, "three", "00492211", "", SDP);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 486"));
	cr_expect_str_eq(exchange_record(&x)->call.outcome,
			 "limit_channels_out");
	cr_expect_str_eq(exchange_record(&x)->call.limit_hit, "trk_1");

	/* an emergency passes by every limit */
	exchange_invite(&x, "four", "112", "", SDP);
	cr_expect(exchange_last(&x, FIRST, "INVITE sip:112@"));
	exchange_run(&x, 70000);
	exchange_close(&x);
}


/* A gateway that is full is passed by; the call is none the worse. */
Test(call_end, a_full_gateway_is_not_the_calls_limit)
{
	struct exchange x;

	exchange_open(&x);
	exchange_put(&x, "gateway", "gwy_1",
		     "{\"carrier_id\":\"car_1\",\"status\":\"active\","
		     "\"address\":\"10.2.0.1\",\"port\":5060,"
		     "\"channels\":0}");
	exchange_invite(&x, "one", "00492211", "", SDP);
	cr_expect(exchange_last(&x, SECOND, "INVITE"));
	exchange_answer(&x, SECOND, "INVITE", "486 Busy", "", NULL);
	cr_expect_str_eq(exchange_record(&x)->call.limit_hit, "");
	exchange_close(&x);
}


Test(call_end, nobody_answers)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "00492211", "", SDP);
	exchange_answer(&x, FIRST, "INVITE", "180 Ringing", "", NULL);
	exchange_run(&x, 61000);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 480"));
	cr_expect(exchange_last(&x, FIRST, "CANCEL"));
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "no_answer");
	exchange_close(&x);
}


/* A carrier that is silent is given up after its time. */
Test(call_end, a_silent_carrier)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "00492211", "", SDP);
	exchange_run(&x, 4500);
	cr_expect(exchange_last(&x, SECOND, "INVITE"));
	exchange_answer(&x, SECOND, "INVITE", "404 Not Found", "", NULL);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 404"));
	cr_expect_str_eq(exchange_record(&x)->attempts[0].outcome,
			 "carrier_silent");
	exchange_close(&x);
}
