/**
 * @file message.c  Reading: decoding behind the guard, headers, bodies, users.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <re.h>
#include "guard.h"
#include "message.h"

#define HEAD                                                                 \
	"INVITE sip:+4930123@sw.example SIP/2.0\r\n"                         \
	"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc\r\n"              \
	"From: \"A\" <sip:a@example.com>;tag=1\r\n"                          \
	"To: <sip:b@example.com>\r\n"                                        \
	"Call-ID: c1\r\n"                                                    \
	"CSeq: 1 INVITE\r\n"


static struct sip_path path_make(void)
{
	struct sip_path path = {.transport = SIP_TRANSP_UDP, .sock = 3};

	(void)sa_set_str(&path.local, "192.0.2.9", 5060);
	(void)sa_set_str(&path.peer, "192.0.2.1", 5062);

	return path;
}


static int decode(struct sip_msg **msgp, const char *text, int *verdict)
{
	const struct sip_path path = path_make();

	return message_decode(msgp, &path, (const uint8_t *)text,
			      strlen(text), verdict);
}


static struct sip_msg *must_decode(const char *text)
{
	struct sip_msg *msg = NULL;
	int verdict = -1;

	cr_assert_eq(decode(&msg, text, &verdict), 0, "verdict %s",
		     guard_name((enum guard_verdict)verdict));
	cr_assert_eq(verdict, GUARD_OK);

	return msg;
}


Test(message, decode_keeps_path_and_body)
{
	struct sip_msg *msg = must_decode(HEAD "Content-Length: 4\r\n\r\n"
					  "bodyREST");

	cr_assert(msg->req);
	cr_assert(message_is(msg, "INVITE"));
	cr_assert_not(message_is(msg, "INVIT"));
	cr_assert_eq(sa_port(&msg->src), 5062);
	cr_assert_eq(mbuf_get_left(msg->mb), 4);
	mem_deref(msg);
}


Test(message, decode_says_why_not)
{
	struct sip_msg *msg = NULL;
	int verdict;

	cr_assert_eq(decode(&msg, "\r\n\r\n", &verdict), EBADMSG);
	cr_assert_eq(verdict, GUARD_KEEPALIVE);

	/* the guard does not look into addresses: libre does */
	cr_assert_eq(decode(&msg, "OPTIONS sip:x SIP/2.0\r\n"
			    "Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\n"
			    "From: <>\r\nTo: sip:b@x\r\nCall-ID: c\r\n"
			    "CSeq: 1 OPTIONS\r\n\r\n", &verdict), EBADMSG);
	cr_assert_eq(verdict, GUARD_OK);
	cr_assert_null(msg);
}


/** Made-up names with the hashes of To and Via: libre would be misled. */
Test(message, a_name_with_the_same_hash_is_not_the_same)
{
	static const int ids[] = {SIP_HDR_TO, SIP_HDR_VIA};
	struct sip_msg *msg;
	char name[16], text[1024];
	int i, k;

	for (k = 0; k < 2; k++) {
		for (i = 0; i < 1000000; i++) {
			(void)re_snprintf(name, sizeof(name), "Yy%d", i);
			if ((int)(hash_joaat_ci(name, strlen(name)) & 0xfff) ==
			    ids[k])
				break;
		}

		(void)re_snprintf(text, sizeof(text), "INVITE sip:x SIP/2.0"
				  "\r\n%s : <sip:evil@x>;tag=9\r\n%s\r\n",
				  name, strchr(HEAD, '\n') + 1);
		msg = must_decode(text);
		cr_assert_eq(pl_strcmp(&msg->to.val, "<sip:b@example.com>"),
			     0);
		cr_assert_not(pl_isset(&msg->to.tag));
		cr_assert_eq(pl_strcmp(&msg->via.branch, "z9hG4bKabc"), 0);
		mem_deref(msg);
	}
}


Test(message, an_honest_name_with_the_same_hash_passes)
{
	struct sip_msg *msg = must_decode(HEAD "DC-Info: a;b\r\n\r\n");

	cr_assert_eq(pl_strcmp(&msg->callid, "c1"), 0);
	mem_deref(msg);
}


Test(message, decode_bounds_vias)
{
	char text[4096] = HEAD;
	struct sip_msg *msg = NULL;
	int verdict, i;

	for (i = 1; i < 70; i++)
		strcat(text, i % 2 ? "v: SIP/2.0/UDP h" : ",SIP/2.0/UDP h\r\n");
	strcat(text, "\r\n\r\n");
	cr_assert_eq(decode(&msg, text, &verdict), 0);
	msg = mem_deref(msg);

	strcpy(text + strlen(text) - 4, ",SIP/2.0/UDP h\r\n\r\n");
	cr_assert_eq(decode(&msg, text, &verdict), EBADMSG);
	cr_assert_eq(decode(&msg, HEAD "Via: ,\r\n\r\n", &verdict), EBADMSG);
}


Test(message, response_has_the_method_of_its_cseq)
{
	struct sip_msg *msg = must_decode(
		"SIP/2.0 180 Ringing\r\n"
		"Via: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: sip:a@x\r\n"
		"To: sip:b@x;tag=2\r\nCall-ID: c\r\nCSeq: 7 INVITE\r\n\r\n");

	cr_assert(message_is(msg, "INVITE"));
	cr_assert_eq(msg->scode, 180);
	mem_deref(msg);
}


Test(message, header_by_long_and_compact_name)
{
	struct sip_msg *msg = must_decode(
		HEAD "m: <sip:x@h>\r\nk: timer\r\nSubject: one\r\n"
		"subject: two\r\nX-Empty:\r\n\r\n");
	struct pl pl;

	pl = message_header(msg, "Contact");
	cr_assert_eq(pl_strcmp(&pl, "<sip:x@h>"), 0);
	pl = message_header(msg, "SUBJECT");
	cr_assert_eq(pl_strcmp(&pl, "one"), 0);
	pl = message_header(msg, "Call-ID");
	cr_assert_eq(pl_strcmp(&pl, "c1"), 0);
	pl = message_header(msg, "Expires");
	cr_assert_null(pl.p);
	mem_deref(msg);
}


Test(message, lists)
{
	struct sip_msg *msg = must_decode(
		HEAD "Supported: timer , 100rel;x=y\r\nk: path\r\n\r\n");

	cr_assert(message_lists(msg, "Supported", "timer"));
	cr_assert(message_lists(msg, "Supported", "100REL"));
	cr_assert(message_lists(msg, "Supported", "path"));
	cr_assert_not(message_lists(msg, "Supported", "100"));
	cr_assert_not(message_lists(msg, "Require", "timer"));
	mem_deref(msg);
}


static void expect_sdp(const char *text, const char *want)
{
	struct sip_msg *msg = must_decode(text);
	const uint8_t *sdp = NULL;
	size_t len = 0;
	const int err = message_sdp(msg, &sdp, &len);

	cr_expect_eq(err, want ? 0 : ENOENT, "%d for %s", err, text);
	if (want && !err) {
		cr_expect_eq(len, strlen(want));
		cr_expect_eq(memcmp(sdp, want, len), 0);
	}

	mem_deref(msg);
}


Test(message, sdp)
{
	expect_sdp(HEAD "c: Application/SDP ;x=y\r\n\r\nv=0\r\n", "v=0\r\n");
	expect_sdp(HEAD "Content-Type: application/sdp\r\n\r\n", NULL);
	expect_sdp(HEAD "Content-Type: text/plain\r\n\r\nv=0\r\n", NULL);
	expect_sdp(HEAD "\r\nv=0\r\n", NULL);
}


#define PART(type, body) "Content-Type: " type "\r\n\r\n" body "\r\n"

Test(message, sdp_in_multipart)
{
	expect_sdp(HEAD "Content-Type: multipart/mixed;boundary=xx\r\n\r\n"
		   "--xx\r\n" PART("application/isup", "abc")
		   "--xx\r\n" PART("application/sdp", "v=0\r\n")
		   "--xx--\r\n", "v=0\r\n");
	expect_sdp(HEAD "Content-Type: multipart/mixed; boundary=\"x y\"\r\n"
		   "\r\npreamble\r\n--x y\r\nContent-ID: 1\r\n"
		   PART("application/sdp", "v=0") "--x y--", "v=0");
	expect_sdp(HEAD "Content-Type: multipart/mixed\r\n\r\n--xx\r\n"
		   PART("application/sdp", "v=0") "--xx--", NULL);
	expect_sdp(HEAD "Content-Type: multipart/mixed;boundary=xx\r\n\r\n"
		   "--xx\r\n" PART("text/plain", "v=0") "--xx--", NULL);
	expect_sdp(HEAD "Content-Type: multipart/mixed;boundary=xx\r\n\r\n"
		   "--xx\r\n" PART("application/sdp", "v=0") "cut", NULL);
}


Test(message, sdp_in_bad_multipart)
{
	char boundary[72], text[512];

	memset(boundary, 'x', 71);
	boundary[71] = '\0';
	(void)re_snprintf(text, sizeof(text), HEAD
			  "Content-Type: multipart/mixed;boundary=%s\r\n\r\n"
			  "--%s\r\n" PART("application/sdp", "v=0") "--%s--",
			  boundary, boundary, boundary);
	expect_sdp(text, NULL);
	expect_sdp(HEAD "Content-Type: multipart/mixed;boundary=xx\r\n\r\n"
		   "no mark at all", NULL);
	expect_sdp(HEAD "Content-Type: multipart/mixed;boundary=xx\r\n\r\n"
		   "--xx\r\nno end of head\r\n--xx\r\n"
		   PART("application/sdp", "v=0") "--xx--", "v=0");
	expect_sdp(HEAD "Content-Type: multipart/mixed;boundary=xx\r\n\r\n"
		   "--xx\r\nContent-ID: 1\r\n\r\nv=0\r\n--xx--", NULL);
}


static void expect_user(const char *text, int err, const char *want)
{
	char buf[16] = "?";
	struct pl pl;

	pl_set_str(&pl, text);
	cr_expect_eq(message_user(&pl, buf, sizeof(buf)), err, "%s", text);
	cr_expect_str_eq(buf, want, "%s", text);
}


Test(message, user)
{
	char buf[4] = "?";

	expect_user("+49301234", 0, "+49301234");
	expect_user("%2b49;phone-context=x", 0, "+49");
	expect_user("", 0, "");
	expect_user("a%00b", EBADMSG, "");
	expect_user("a%0d%0ab", EBADMSG, "");
	expect_user("a%2", EBADMSG, "");
	expect_user("a%zz", EBADMSG, "");
	expect_user("123456789012345", 0, "123456789012345");
	expect_user("1234567890123456", EOVERFLOW, "");

	cr_assert_eq(message_user(&pl_null, buf, sizeof(buf)), 0);
	cr_assert_str_eq(buf, "");
}


static void expect_number(const char *text, const char *want)
{
	struct uri uri;
	struct pl pl;
	char buf[16];

	pl_set_str(&pl, text);
	cr_assert_eq(uri_decode(&uri, &pl), 0, "%s", text);
	cr_expect_eq(message_number(&uri, buf, sizeof(buf)), 0, "%s", text);
	cr_expect_str_eq(buf, want, "%s", text);
}


Test(message, number)
{
	expect_number("sip:+49301234@192.0.2.1", "+49301234");
	expect_number("sip:192.0.2.1", "");
	expect_number("tel:+49-30-(12)34", "+49301234");
	expect_number("TEL:112;phone-context=x", "112");
}


Test(message, service)
{
	static const struct {
		const char *text, *want;
		int err;
	} cases[] = {
		{"urn:service:sos", "urn:service:sos", 0},
		{"URN:Service:SOS.Police", "urn:service:sos.police", 0},
		{"urn:service:test.sos.fire", "urn:service:test.sos.fire", 0},
		{"urn:service:sosx", "", ENOENT},
		{"urn:service:counseling", "", ENOENT},
		{"urn:service:", "", ENOENT},
		{"urn:service:sos@x", "", ENOENT},
		{"sip:sos@x", "", ENOENT},
		{"urn:service:sos.animal-control.of-a-far-country", "",
		 EOVERFLOW},
	};
	char buf[40];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pl pl;

		pl_set_str(&pl, cases[i].text);
		cr_expect_eq(message_service(&pl, buf, sizeof(buf)),
			     cases[i].err, "%s", cases[i].text);
		cr_expect_str_eq(buf, cases[i].want, "%s", cases[i].text);
	}
}
