/**
 * @file hide.c  Which headers cross from one side to the other.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "fake_catalog.h"
#include "hide.h"

#define HEAD                                                                 \
	"INVITE sip:+4930123@sw.example SIP/2.0\n"                           \
	"Via: SIP/2.0/UDP 10.1.2.3:5060;branch=z9hG4bKabc\n"                 \
	"From: <sip:a@10.1.2.3>;tag=1\n"                                     \
	"To: <sip:b@example.com>\n"                                          \
	"Call-ID: c1@10.1.2.3\n"                                             \
	"CSeq: 1 INVITE\n"                                                   \
	"Contact: <sip:a@10.1.2.3>\n"


Test(hide, only_the_list_crosses)
{
	struct sip_msg *msg = fake_message(
		HEAD
		"User-Agent: pbx 10.1.2.3\n"
		"Record-Route: <sip:10.1.2.4;lr>\n"
		"P-Asserted-Identity: <sip:x@10.1.2.3>\n"
		"History-Info: <sip:x@10.1.2.3>;index=1\n"
		"Diversion: <sip:x@10.1.2.3>\n"
		"Call-Info: <http://10.1.2.3/x>\n"
		"X-Internal: 10.1.2.3\n"
		"Subject: dinner\n"
		"Priority: urgent\n"
		"User-to-User: 0011aa;encoding=hex\n"
		"Content-Length: 0\n\n");
	char buf[1024];
	const size_t n = hide_headers(msg, buf, sizeof(buf));

	cr_assert_str_eq(buf, "Subject: dinner\r\n"
			 "Priority: urgent\r\n"
			 "User-to-User: 0011aa;encoding=hex\r\n");
	cr_assert_eq(n, strlen(buf));
	mem_deref(msg);
}


Test(hide, compact_name_is_found)
{
	struct sip_msg *msg = fake_message(HEAD "s: dinner\n"
					   "Content-Length: 0\n\n");
	char buf[64];

	hide_headers(msg, buf, sizeof(buf));
	cr_assert_str_eq(buf, "Subject: dinner\r\n");
	mem_deref(msg);
}


Test(hide, folded_value_does_not_cross)
{
	struct sip_msg *msg = fake_message(HEAD "Subject: din\n ner\n"
					   "Priority: urgent\n"
					   "Content-Length: 0\n\n");
	char buf[128];

	hide_headers(msg, buf, sizeof(buf));
	cr_assert_str_eq(buf, "Priority: urgent\r\n");
	mem_deref(msg);
}


Test(hide, what_does_not_fit_is_left_out_whole)
{
	struct sip_msg *msg = fake_message(HEAD "Subject: dinner at eight\n"
					   "Priority: urgent\n"
					   "Content-Length: 0\n\n");
	char buf[sizeof("Priority: urgent\r\n")];

	cr_assert_eq(hide_headers(msg, buf, sizeof(buf)), sizeof(buf) - 1);
	cr_assert_str_eq(buf, "Priority: urgent\r\n");
	cr_assert_eq(hide_headers(msg, buf, sizeof(buf) - 1), 0);
	cr_assert_str_eq(buf, "");
	mem_deref(msg);
}


Test(hide, too_long_and_too_many)
{
	char text[4096], buf[4096];
	struct sip_msg *msg;
	unsigned i;
	size_t n;

	n = (size_t)snprintf(text, sizeof(text), HEAD "Subject: %0200d\n", 1);
	for (i = 0; i < 40; i++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "Priority: p%u\n", i);
	snprintf(text + n, sizeof(text) - n, "Content-Length: 0\n\n");

	msg = fake_message("%s", text);
	hide_headers(msg, buf, sizeof(buf));
	cr_assert_null(strstr(buf, "Subject"));
	cr_assert(strstr(buf, "Priority: p15\r\n"));
	cr_assert_null(strstr(buf, "Priority: p16"));
	mem_deref(msg);
}
