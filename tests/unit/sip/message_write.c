/**
 * @file message_write.c  Responses, where they go, ACK and CANCEL, quoting.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <re.h>
#include "message.h"

#define TAIL                                                                 \
	"From: \"A\" <sip:a@example.com>;tag=1\r\n"                          \
	"To: <sip:b@example.com>\r\n"                                        \
	"Call-ID: c1\r\n"                                                    \
	"CSeq: 1 INVITE\r\n"

static char reply[2048];


static struct sip_path path_make(void)
{
	struct sip_path path = {.transport = SIP_TRANSP_UDP, .sock = 3};

	(void)sa_set_str(&path.local, "192.0.2.9", 5060);
	(void)sa_set_str(&path.peer, "192.0.2.1", 40000);

	return path;
}


static struct sip_msg *request_make(const char *lines)
{
	const struct sip_path path = path_make();
	struct sip_msg *msg = NULL;
	char text[2048];
	int verdict;

	(void)re_snprintf(text, sizeof(text), "INVITE sip:b@sw SIP/2.0\r\n"
			  "%s" TAIL "\r\n", lines);
	cr_assert_eq(message_decode(&msg, &path, (uint8_t *)text,
				    strlen(text), &verdict), 0);

	return msg;
}


static struct pl text_of(struct mbuf *mb)
{
	const struct pl pl = {(char *)mb->buf, mb->end};

	(void)pl_strcpy(&pl, reply, sizeof(reply));

	return pl;
}


static const char *answer(const char *lines, uint16_t scode, const char *tag)
{
	const struct sip_path path = path_make();
	struct sip_msg *msg = request_make(lines);
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert_eq(message_reply(mb, msg, &path, scode, "Phrase", tag, NULL,
				   NULL, 0, "X-Extra: %d\r\n", 5), 0);
	(void)text_of(mb);
	mem_deref(mb);
	mem_deref(msg);

	return reply;
}


static uint16_t port_of(const char *lines, uint8_t transport)
{
	struct sip_path path = path_make(), to;
	struct sip_msg *msg = request_make(lines);

	path.transport = transport;
	message_reply_path(msg, &path, &to);
	cr_expect(sa_cmp(&to.peer, &path.peer, SA_ADDR));
	cr_expect_eq(to.sock, 3);
	mem_deref(msg);

	return sa_port(&to.peer);
}


Test(message_write, whole_reply)
{
	cr_assert_str_eq(
		answer("Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa\r\n"
		       "v: SIP/2.0/UDP p1;branch=z9hG4bKb, SIP/2.0/TCP p2\r\n",
		       404, "tt"),
		"SIP/2.0 404 Phrase\r\n"
		"Via: SIP/2.0/UDP 192.0.2.1:5062;branch=z9hG4bKa\r\n"
		"Via: SIP/2.0/UDP p1;branch=z9hG4bKb\r\n"
		"Via: SIP/2.0/TCP p2\r\n"
		"From: \"A\" <sip:a@example.com>;tag=1\r\n"
		"Call-ID: c1\r\n"
		"CSeq: 1 INVITE\r\n"
		"To: <sip:b@example.com>;tag=tt\r\n"
		"X-Extra: 5\r\n"
		"Content-Length: 0\r\n\r\n");
}


Test(message_write, received_and_rport)
{
	/* RFC 3261 18.2.1: the sent-by is a name, or another address */
	cr_expect(strstr(answer("Via: SIP/2.0/UDP host.example;"
				"branch=z9hG4bKa\r\n", 404, NULL),
			 "host.example;branch=z9hG4bKa;received=192.0.2.1"
			 "\r\n"));
	cr_expect(strstr(answer("Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKa"
				"\r\n", 404, NULL), ";received=192.0.2.1\r\n"));

	/* RFC 3581 4: with rport, received even when it is the same */
	cr_expect(strstr(answer("Via: SIP/2.0/UDP 192.0.2.1;rport;"
				"branch=z9hG4bKa\r\n", 404, NULL),
			 "192.0.2.1;branch=z9hG4bKa;received=192.0.2.1;"
			 "rport=40000\r\n"));
}


Test(message_write, what_the_sender_claims_is_replaced)
{
	cr_expect(strstr(answer("Via: SIP/2.0/UDP 10.0.0.1;received=8.8.8.8;"
				"x=\"a;b\";RPORT=1;branch=z9hG4bKa;"
				"receivedx=1\r\n", 404, NULL),
			 "Via: SIP/2.0/UDP 10.0.0.1;x=\"a;b\";"
			 "branch=z9hG4bKa;receivedx=1;received=192.0.2.1;"
			 "rport=40000\r\n"));
}


Test(message_write, reply_port)
{
	cr_expect_eq(port_of("Via: SIP/2.0/UDP 10.0.0.1:5066;rport;"
			     "branch=z9hG4bKa\r\n", SIP_TRANSP_UDP), 40000);
	cr_expect_eq(port_of("Via: SIP/2.0/UDP 10.0.0.1:5066;"
			     "branch=z9hG4bKa\r\n", SIP_TRANSP_UDP), 5066);
	cr_expect_eq(port_of("Via: SIP/2.0/UDP 10.0.0.1;maddr=9.9.9.9;"
			     "branch=z9hG4bKa\r\n", SIP_TRANSP_UDP), 5060);
	cr_expect_eq(port_of("Via: SIP/2.0/TCP 10.0.0.1:5066;"
			     "branch=z9hG4bKa\r\n", SIP_TRANSP_TCP), 40000);
}


Test(message_write, dialog_and_trying_headers)
{
	static const char lines[] =
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n"
		"Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n"
		"Timestamp: 54\r\n";

	cr_expect(strstr(answer(lines, 180, "tt"),
			 "Record-Route: <sip:p2;lr>, <sip:p1;lr>\r\n"));
	cr_expect(strstr(answer(lines, 200, "tt"), "Record-Route:"));
	cr_expect_not(strstr(reply, "Timestamp"));
	cr_expect_not(strstr(answer(lines, 486, "tt"), "Record-Route:"));
	cr_expect_not(strstr(answer(lines, 100, NULL), "Record-Route:"));
	cr_expect(strstr(reply, "Timestamp: 54\r\n"));
	cr_expect(strstr(reply, "To: <sip:b@example.com>\r\n"));
}


Test(message_write, body_and_hostile_phrase)
{
	const struct sip_path path = path_make();
	struct sip_msg *msg = request_make(
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa\r\n");
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert_eq(message_reply(mb, msg, &path, 200, "OK\r\nX: y", "t",
				   "application/sdp", (uint8_t *)"v=0\r\n", 5,
				   NULL), 0);
	(void)text_of(mb);
	cr_assert_eq(strncmp(reply, "SIP/2.0 200 OK\r\nVia:", 20), 0);
	cr_assert(strstr(reply, "Content-Type: application/sdp\r\n"
				"Content-Length: 5\r\n\r\nv=0\r\n"));
	cr_assert_eq(message_reply(mb, msg, &path, 700, "x", NULL, NULL, NULL,
				   0, NULL), EINVAL);
	mem_deref(mb);
	mem_deref(msg);
}


static const char invite[] =
	"INVITE sip:b@carrier SIP/2.0\r\n"
	"Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKours;rport\r\n"
	"Max-Forwards: 69\r\n"
	"Route: <sip:edge;lr>\r\n"
	"From: <sip:a@sw>;tag=ours\r\n"
	"To: <sip:b@carrier>\r\n"
	"Call-ID: ours-1\r\n"
	"CSeq: 17 INVITE\r\n"
	"Contact: <sip:192.0.2.9:5060>\r\n"
	"Content-Type: application/sdp\r\n"
	"Content-Length: 10\r\n\r\nTo: body\r\n";


Test(message_write, ack_of_a_failure)
{
	const struct pl to = PL("<sip:b@carrier>;tag=theirs");
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert_eq(message_derive(mb, (const uint8_t *)invite,
				    strlen(invite), "ACK", &to, NULL), 0);
	(void)text_of(mb);
	cr_assert_str_eq(reply,
		"ACK sip:b@carrier SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKours;rport\r\n"
		"Route: <sip:edge;lr>\r\n"
		"From: <sip:a@sw>;tag=ours\r\n"
		"To: <sip:b@carrier>;tag=theirs\r\n"
		"Call-ID: ours-1\r\n"
		"CSeq: 17 ACK\r\n"
		"Max-Forwards: 70\r\n"
		"Content-Length: 0\r\n\r\n");
	mem_deref(mb);
}


Test(message_write, cancel)
{
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert_eq(message_derive(mb, (const uint8_t *)invite,
				    strlen(invite), "CANCEL", NULL,
				    "Reason: Q.850;cause=16\r\n"), 0);
	(void)text_of(mb);
	cr_assert(strstr(reply, "To: <sip:b@carrier>\r\n"));
	cr_assert(strstr(reply, "CSeq: 17 CANCEL\r\n"));
	cr_assert(strstr(reply, "Reason: Q.850;cause=16\r\n"));

	cr_assert_eq(message_derive(mb, (const uint8_t *)"x", 1, "ACK", NULL,
				    NULL), EBADMSG);
	mem_deref(mb);
}


Test(message_write, quote)
{
	char buf[12];

	cr_expect_eq(message_quote(buf, sizeof(buf), "a \"b\\"), 0);
	cr_expect_str_eq(buf, "\"a \\\"b\\\\\"");
	cr_expect_eq(message_quote(buf, sizeof(buf), "a\r\nb"), 0);
	cr_expect_str_eq(buf, "\"a  b\"");
	cr_expect_eq(message_quote(buf, sizeof(buf), "123456789"), 0);
	cr_expect_eq(message_quote(buf, sizeof(buf), "1234567890"),
		     EOVERFLOW);
	cr_expect_str_eq(buf, "");
	cr_expect_eq(message_quote(buf, 2, ""), EOVERFLOW);
}


Test(message_write, unquote_takes_the_backslashes)
{
	char buf[6];
	struct pl text;

	pl_set_str(&text, "a\\\"b\\\\");
	cr_expect_eq(message_unquote(buf, sizeof(buf), &text), 0);
	cr_expect_str_eq(buf, "a\"b\\");
	pl_set_str(&text, "a\\");
	cr_expect_eq(message_unquote(buf, sizeof(buf), &text), 0);
	cr_expect_str_eq(buf, "a\\", "nothing follows it");
	cr_expect_eq(message_unquote(buf, sizeof(buf), &pl_null), 0);
	cr_expect_str_eq(buf, "");
	pl_set_str(&text, "1234\xc3\xbc");
	cr_expect_eq(message_unquote(buf, sizeof(buf), &text), EOVERFLOW);
	cr_expect_str_eq(buf, "1234", "no half characters");
}
