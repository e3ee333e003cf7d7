/** @file call_numbers.c  Numbers of a call, and of one that is refused. */
#include <criterion/criterion.h>
#include <string.h>
#include "exchange.h"

#define SDP exchange_sdp(PBX, 6000, "")


static const struct cdr *only(const struct exchange *x)
{
	return &exchange_record(x)->call;
}


/* Whatever the reason: who called whom stands in the record. */
Test(call_numbers, a_refused_call_has_its_numbers)
{
	static const struct {
		const char *extra, *outcome;
	} cases[] = {
		{"Max-Forwards: 0\n", "too_many_hops"},
		{"Require: 100rel\n", "bad_extension"},
	};
	struct exchange x;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		exchange_open(&x);
		exchange_invite(&x, "one", "00492211", cases[i].extra, SDP);
		cr_expect_str_eq(only(&x)->outcome, cases[i].outcome);
		cr_expect_str_eq(only(&x)->called_received, "00492211");
		cr_expect_str_eq(only(&x)->called, "+492211");
		cr_expect_str_eq(only(&x)->calling, "+4930100");
		exchange_close(&x);
	}
}


Test(call_numbers, a_suspended_trunk_has_its_numbers)
{
	struct exchange x;

	exchange_open(&x);
	exchange_put(&x, "tenant", "ten_1",
		     "{\"name\":\"One\",\"status\":\"suspended\"}");
	exchange_invite(&x, "one", "00492211", "", SDP);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 403"));
	cr_expect_str_eq(only(&x)->outcome, "trunk_disabled");
	cr_expect_str_eq(only(&x)->called, "+492211");
	cr_expect_str_eq(only(&x)->trunk_id, "trk_1");

	/* but it may call for help */
	exchange_invite(&x, "two", "112", "", SDP);
	cr_expect(exchange_last(&x, FIRST, "INVITE sip:112@"));
	exchange_answer(&x, FIRST, "INVITE", "486 Busy", "", NULL);
	exchange_close(&x);
}


Test(call_numbers, what_no_rule_fits_is_incomplete)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "77", "", SDP);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 484"));
	cr_expect_str_eq(only(&x)->called_received, "77");
	cr_expect_str_eq(only(&x)->called, "");
	exchange_close(&x);
}


/* A number that is not the customer's own is replaced by the trunk's. */
Test(call_numbers, calling_number_is_owned_or_the_default)
{
	const char *invite;
	struct exchange x;

	exchange_open(&x);
	exchange_recv(&x, PBX,
		      "INVITE sip:00492211@10.0.0.1 SIP/2.0\n"
		      "Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bKx\n"
		      "From: \"Eve\" <sip:+49999@10.1.0.1>;tag=x\n"
		      "To: <sip:00492211@10.0.0.1>\nCall-ID: x\n"
		      "CSeq: 1 INVITE\nContact: <sip:pbx@10.1.0.1>\n", SDP);
	invite = exchange_last(&x, FIRST, "INVITE");
	cr_assert(invite);
	cr_expect(strstr(exchange_header(invite, "From"), "sip:+4930100@"));
	cr_expect_null(strstr(invite, "49999"));
	exchange_answer(&x, FIRST, "INVITE", "486 Busy", "", NULL);
	cr_expect_str_eq(only(&x)->calling_received, "+49999");
	cr_expect_str_eq(only(&x)->calling, "+4930100");
	exchange_close(&x);
}


Test(call_numbers, anonymous_callers_are_in_no_header_of_a_stranger)
{
	const char *invite;
	struct exchange x;

	exchange_open(&x);
	exchange_put(&x, "gateway", "gwy_1",
		     "{\"carrier_id\":\"car_1\",\"status\":\"active\","
		     "\"address\":\"10.2.0.1\",\"port\":5060,\"identity\":"
		     "\"from\"}");
	exchange_invite(&x, "one", "00492211", "Privacy: id\n", SDP);
	invite = exchange_last(&x, FIRST, "INVITE");
	cr_assert(invite);
	cr_expect(strstr(exchange_header(invite, "From"),
			 "sip:anonymous@anonymous.invalid"));
	cr_expect_null(strstr(invite, "4930100"));
	exchange_answer(&x, FIRST, "INVITE", "486 Busy", "", NULL);
	exchange_close(&x);
}
