/**
 * @file dialog.c  Dialog state: route sets, targets, order, destinations.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "dialog.h"
#include "fake_catalog.h"

#define TAG "abcdefghijklmnopqrstuvwxyz"

static struct sip_path path_make(const char *peer)
{
	struct sip_path path = {.transport = SIP_TRANSP_UDP};

	path.local = fake_sa("192.0.2.9", 5060);
	path.peer = fake_sa(peer, 5062);
	return path;
}


static struct sip_msg *invite(const char *more)
{
	return fake_message("INVITE sip:b@192.0.2.9 SIP/2.0\n"
			    "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKabc\n"
			    "From: \"A\" <sip:a@example.com>;tag=their\n"
			    "To: <sip:b@example.com>\n"
			    "Call-ID: c1\n"
			    "CSeq: 7 INVITE\n"
			    "%s"
			    "Content-Length: 0\n\n", more);
}


static struct dialog *accept_one(const char *more, const char *peer)
{
	const struct sip_path path = path_make(peer);
	struct sip_msg *msg = invite(more);
	struct dialog *d = NULL;

	cr_assert_eq(dialog_accept(&d, msg, &path, TAG), 0);
	mem_deref(msg);
	return d;
}


static struct dialog *start_one(void)
{
	const struct sip_path path = path_make("192.0.2.1");
	struct dialog *d = NULL;

	cr_assert_eq(dialog_start(&d, &path, "c1", TAG, "<sip:a@x>",
				  "<sip:b@y>", "sip:b@y"), 0);
	return d;
}


static struct sip_msg *ok(const char *tag, const char *more)
{
	return fake_message("SIP/2.0 200 OK\n"
			    "Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKabc\n"
			    "From: <sip:a@x>;tag=" TAG "\n"
			    "To: <sip:b@y>%s\n"
			    "Call-ID: c1\n"
			    "CSeq: 1 INVITE\n"
			    "%s"
			    "Content-Length: 0\n\n", tag, more);
}


static char *written(const struct dialog *d)
{
	static char text[2048];
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert_eq(dialog_request(mb, d, "BYE", "z9hG4bKx", 8, 70), 0);
	cr_assert_lt(mb->end, sizeof(text));
	memcpy(text, mb->buf, mb->end);
	text[mb->end] = '\0';
	mem_deref(mb);
	return text;
}


static void dest_is(const struct dialog *d, const char *ip, uint16_t port)
{
	const struct sa want = fake_sa(ip, port);
	struct sip_path path;

	dialog_dest(d, &path);
	cr_assert(sa_cmp(&path.peer, &want, SA_ALL));
}


Test(dialog, accepted_one_writes_requests)
{
	struct dialog *d = accept_one("Contact: <sip:a@192.0.2.1:5070>\n"
				      "Record-Route: <sip:p1.example;lr>, "
				      "<sip:p2.example;lr>\n", "192.0.2.1");

	cr_assert_str_eq(written(d),
			 "BYE sip:a@192.0.2.1:5070 SIP/2.0\r\n"
			 "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=z9hG4bKx;"
			 "rport\r\n"
			 "Route: <sip:p1.example;lr>, <sip:p2.example;lr>\r\n"
			 "Max-Forwards: 70\r\n"
			 "From: <sip:b@example.com>;tag=" TAG "\r\n"
			 "To: <sip:a@example.com>;tag=their\r\n"
			 "Call-ID: c1\r\n"
			 "CSeq: 8 BYE\r\n");
	mem_deref(d);
}


Test(dialog, confirmed_one_reverses_the_routes)
{
	struct dialog *d = start_one();
	struct sip_msg *msg = ok(";tag=t2", "Contact: <sip:b@10.0.0.1>\n"
				 "Record-Route: <sip:192.0.2.77:5080;lr>\n"
				 "Record-Route: <sip:192.0.2.78;lr>\n");

	cr_assert_eq(dialog_confirm(d, msg), 0);
	cr_assert(strstr(written(d), "Route: <sip:192.0.2.78;lr>, "
			 "<sip:192.0.2.77:5080;lr>\r\n"));
	cr_assert(strstr(written(d), "To: <sip:b@y>;tag=t2\r\n"));
	cr_assert(strstr(written(d), "BYE sip:b@10.0.0.1 SIP"));
	cr_assert(dialog_is_from(d, msg));
	dest_is(d, "192.0.2.78", 5060);
	mem_deref(msg);

	msg = ok(";tag=t3", "");
	cr_assert_not(dialog_is_from(d, msg));
	mem_deref(msg);
	mem_deref(d);
}


Test(dialog, destination)
{
	struct dialog *d;

	/* own port of a peer that sends from another one */
	d = accept_one("Contact: <sip:a@192.0.2.1:5070>\n", "192.0.2.1");
	dest_is(d, "192.0.2.1", 5070);
	mem_deref(d);

	/* behind NAT */
	d = accept_one("Contact: <sip:a@10.0.0.1:5070>\n", "192.0.2.1");
	dest_is(d, "192.0.2.1", 5062);
	mem_deref(d);

	/* a name */
	d = accept_one("Contact: <sip:a@example.com>\n", "192.0.2.1");
	dest_is(d, "192.0.2.1", 5062);
	mem_deref(d);

	/* a stream has its connection */
	d = accept_one("Contact: <sip:a@192.0.2.1:5070>\n", "192.0.2.1");
	d->path.transport = SIP_TRANSP_TCP;
	dest_is(d, "192.0.2.1", 5062);
	mem_deref(d);
}


Test(dialog, without_contact_the_from_uri_is_the_target)
{
	struct dialog *d = accept_one("", "192.0.2.1");

	cr_assert_str_eq(d->target, "sip:a@example.com");
	mem_deref(d);
}


Test(dialog, refresh)
{
	struct dialog *d = accept_one("Contact: <sip:a@192.0.2.1>\n",
				      "192.0.2.1");
	struct sip_msg *msg = invite("Contact: <sip:a@192.0.2.1:5099>\n");

	dialog_refresh(d, msg);
	dest_is(d, "192.0.2.1", 5099);
	mem_deref(msg);

	msg = invite("Contact: *\n");
	dialog_refresh(d, msg);
	dest_is(d, "192.0.2.1", 5099);
	mem_deref(msg);
	mem_deref(d);
}


Test(dialog, too_long_is_refused)
{
	const struct sip_path path = path_make("192.0.2.1");
	char more[3000];
	struct dialog *d = NULL;
	struct sip_msg *msg;
	size_t n = 0;
	int i;

	for (i = 0; i < 21; i++)
		n += (size_t)snprintf(more + n, sizeof(more) - n,
				      "Record-Route: <sip:p%d;lr>\n", i);
	msg = invite(more);
	cr_assert_eq(dialog_accept(&d, msg, &path, TAG), EBADMSG);
	mem_deref(msg);

	snprintf(more, sizeof(more), "Record-Route: <sip:p%0600d;lr>\n", 1);
	msg = invite(more);
	cr_assert_eq(dialog_accept(&d, msg, &path, TAG), EBADMSG);
	mem_deref(msg);
	cr_assert_null(d);
}


Test(dialog, order)
{
	struct dialog *d = accept_one("", "192.0.2.1");
	struct sip_msg *msg = invite("");

	cr_assert_not(dialog_take_seq(d, msg));
	msg->cseq.num = 6;
	cr_assert_not(dialog_take_seq(d, msg));
	msg->cseq.num = 9;
	cr_assert(dialog_take_seq(d, msg));
	cr_assert_not(dialog_take_seq(d, msg));
	mem_deref(msg);
	mem_deref(d);
}


Test(dialog, owns)
{
	struct dialog *d = accept_one("", "192.0.2.1");
	struct sip_msg *msg = fake_message(
		"BYE sip:b@192.0.2.9 SIP/2.0\n"
		"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKabd\n"
		"From: <sip:a@example.com>;tag=their\n"
		"To: <sip:b@example.com>;tag=" TAG "\n"
		"Call-ID: c1\n"
		"CSeq: 8 BYE\n"
		"Content-Length: 0\n\n");

	cr_assert(dialog_owns(d, msg));
	pl_set_str(&msg->from.tag, "other");
	cr_assert_not(dialog_owns(d, msg));
	msg->from.tag = pl_null;
	cr_assert_not(dialog_owns(d, msg));
	pl_set_str(&msg->from.tag, "their");
	pl_set_str(&msg->callid, "c2");
	cr_assert_not(dialog_owns(d, msg));
	mem_deref(msg);
	mem_deref(d);
}
