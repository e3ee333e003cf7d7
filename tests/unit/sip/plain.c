/** @file plain.c  What our decoder reads, it reads as libre does. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <re.h>
#include "guard.h"
#include "plain.h"
#include "plain_same.h"

#define REST "Call-ID: c1@h\r\nCSeq: 7 INVITE\r\n"
#define VIA "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\n"
#define FROM "From: \"A B\" <sip:a@example.com>;tag=1\r\n"
#define TO "To: <sip:b@example.com>\r\n"
#define INVITE "INVITE sip:+4930@192.0.2.9 SIP/2.0\r\n"

static const char *const plains[] = {
	INVITE VIA FROM TO REST "\r\n",
	INVITE VIA FROM TO REST "Content-Type: application/sdp\r\n"
				"Content-Length: 3\r\n\r\nv=0",
	INVITE "v: SIP/2.0/UDP 192.0.2.1;rport=5;received=192.0.2.7;"
	       "branch=z9hG4bKabc\r\n"
	       "Via: SIP/2.0/TCP [2001:db8::1]:5060;branch=z9hG4bKx\r\n"
	       "f: <sip:a@example.com:5070;transport=udp;user=phone>;x;tag=1\r\n"
	       "t:<sip:example.com>;Tag=2;tag=3\r\ni: c\r\nCSeq: 7 INVITE\r\n"
	       "m: <sip:a@192.0.2.1>\r\nMax-Forwards: 70\r\nExpires:  60 \r\n"
	       "Allow: INVITE, ACK, BYE\r\nX-Other: \"a, b\"\r\n"
	       "Record-Route: <sip:p1;lr>\r\nRecord-Route: <sip:p2;lr>\r\n"
	       "Route: <sip:p3;lr>\r\nReason: Q.850;cause=16\r\n"
	       "Authorization: Digest username=\"u\", realm=\"r\"\r\n\r\n",
	"SIP/2.0 200 OK\r\n" VIA FROM TO REST "\r\n",
	"SIP/2.0 183 Session Progress\r\n" VIA
	"From: \"\" <sip:a@example.com>;tag=1\r\n"
	"To: \"B\"<sip:b@192.0.2.3:5062>;tag=x-1.2~3\r\n" REST "\r\nbody",
	"SIP/2.0 401 Unauthorized\r\n" VIA FROM TO REST
	"WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n\r\n",
	"ACK sip:example.com:5060;lr SIP/2.0\r\n" VIA FROM TO
	"Call-ID: c1\r\nCSeq: 2147483647 ACK\r\n\r\n",
};

/* all of it good SIP, or for libre to refuse */
static const char *const others[] = {
	INVITE VIA FROM "To:\r\n <sip:b@example.com>\r\n" REST "\r\n",
	INVITE VIA FROM "To : <sip:b@example.com>\r\n" REST "\r\n",
	INVITE VIA FROM "To: sip:b@example.com\r\n" REST "\r\n",
	INVITE VIA FROM "To: B <sip:b@example.com>\r\n" REST "\r\n",
	INVITE VIA FROM "To: \"B\\\"\" <sip:b@example.com>\r\n" REST "\r\n",
	INVITE VIA FROM "To: <sip:b@example.com?x=y>\r\n" REST "\r\n",
	INVITE VIA FROM "To: <sip:b:pw@example.com>\r\n" REST "\r\n",
	INVITE VIA FROM "To: <tel:+4930>\r\n" REST "\r\n",
	INVITE VIA FROM "To: <sip:b@[2001:db8::1]>\r\n" REST "\r\n",
	INVITE VIA FROM "To: <sip:b@example.com> ;tag=2\r\n" REST "\r\n",
	INVITE VIA FROM "To: <sip:b@example.com>;tag=\"2\"\r\n" REST "\r\n",
	INVITE VIA FROM "To: <sip:b@example.com:99999>\r\n" REST "\r\n",
	INVITE VIA FROM TO REST "Contact: <sip:a@h>, <sip:b@h>\r\n\r\n",
	INVITE VIA FROM TO REST "X-Empty:\r\n\r\n",
	INVITE "Via: SIP/2.0/UDP h.example;branch=z9hG4bKabc\r\n" FROM TO REST
	"\r\n",
	INVITE "Via: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKabc\r\n" FROM TO REST
	"\r\n",
	"INVITE sips:b@example.com SIP/2.0\r\n" VIA FROM TO REST "\r\n",
};


static struct mbuf *guarded(const char *text)
{
	struct mbuf *mb = mbuf_alloc(strlen(text));
	size_t len;

	cr_assert_eq(guard_check((const uint8_t *)text, strlen(text), &len),
		     GUARD_OK, "%s", text);
	cr_assert_not_null(mb);
	cr_assert_eq(mbuf_write_mem(mb, (const uint8_t *)text, len), 0);
	mb->pos = 0;

	return mb;
}


/** @return is it plain? What is, must be as libre reads it. */
static bool compare(const char *text)
{
	struct mbuf *a = guarded(text), *b = guarded(text);
	struct sip_msg *ours = NULL, *libres = NULL;
	const char *differs;
	const int err = plain_decode(&ours, a);

	if (!err) {
		cr_assert_eq(sip_msg_decode(&libres, b), 0, "%s", text);
		differs = plain_same(ours, libres);
		cr_assert_null(differs, "%s in\n%s", differs, text);
	}
	mem_deref(ours);
	mem_deref(libres);
	mem_deref(a);
	mem_deref(b);

	return !err;
}


Test(plain, reads_as_libre_does)
{
	for (size_t i = 0; i < ARRAY_SIZE(plains); i++)
		cr_assert(compare(plains[i]), "%s", plains[i]);
}


Test(plain, leaves_the_rest_to_libre)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		struct mbuf *mb = guarded(others[i]);
		struct sip_msg *msg = NULL;

		cr_assert_eq(plain_decode(&msg, mb), ENOTSUP, "%s", others[i]);
		cr_assert_null(msg);
		cr_assert_eq(mb->pos, 0);
		mem_deref(mb);
	}
}


/* Read as libre does, or not at all. No byte that may stand in a name: libre
 * knows names by a hash, which message_decode() sees to. */
Test(plain, one_byte_changed)
{
	static const char bytes[] = " \t\";,<>@:=?/\\[]()";
	char text[1024];
	unsigned n = 0;
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(plains); i++) {
		const size_t size = strlen(plains[i]);

		for (size_t at = 0; at < size * (sizeof(bytes) - 1); at++) {
			memcpy(text, plains[i], size + 1);
			text[at / (sizeof(bytes) - 1)] =
				bytes[at % (sizeof(bytes) - 1)];
			if (!guard_check((const uint8_t *)text, size, &len))
				n += compare(text);
		}
	}

	cr_assert_gt(n, 1000);
}
