/** @file tests/unit/sip/identity.c  Who calls, and what may be told of it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "fake_catalog.h"
#include "identity.h"
#include "message.h"

#define FROM "\"A, B\" <sip:+4930100@pbx.example>;tag=1"


static struct sip_msg *invite(const char *from, const char *headers)
{
	return fake_message("INVITE sip:+4930123@sw.example SIP/2.0\n"
			    "Via: SIP/2.0/UDP 10.1.2.3:5060;branch=z9hG4bKabc\n"
			    "From: %s\n"
			    "To: <sip:b@example.com>\n"
			    "Call-ID: c1\n"
			    "CSeq: 1 INVITE\n"
			    "%s"
			    "Content-Length: 0\n\n", from, headers);
}


static void expect(enum identity_header header, const char *headers,
		   const char *number, const char *name)
{
	struct sip_msg *msg = invite(FROM, headers);
	struct identity id;
	const int err = identity_read(&id, msg, header);

	cr_expect_eq(err, number ? 0 : ENOENT, "%s", headers);
	cr_expect_str_eq(id.number, number ? number : "", "%s", headers);
	cr_expect_str_eq(id.name, name);
	mem_deref(msg);
}


Test(identity, from)
{
	expect(IDENTITY_HEADER_FROM, "", "+4930100", "A, B");
}


Test(identity, asserted_and_preferred)
{
	expect(IDENTITY_HEADER_PAI, "", NULL, "");
	expect(IDENTITY_HEADER_PAI,
	       "P-Asserted-Identity: \"X\" <sip:+49301@x>, <tel:+49302>\n",
	       "+49301", "X");
	expect(IDENTITY_HEADER_PAI,
	       "P-Asserted-Identity: <sip:x.example>\n"
	       "P-Asserted-Identity: <tel:+49-30-2>\n", "+49302", "");
	expect(IDENTITY_HEADER_PAI, "P-Asserted-Identity: <<>>, ,\n", NULL,
	       "");
	expect(IDENTITY_HEADER_PPI, "P-Preferred-Identity: <sip:7@x>\n", "7",
	       "");
	expect(IDENTITY_HEADER_PAI, "P-Preferred-Identity: <sip:7@x>\n", NULL,
	       "");
}


Test(identity, remote_party_is_the_calling_one)
{
	expect(IDENTITY_HEADER_RPID,
	       "Remote-Party-ID: <sip:1@x>;party=called, "
	       "\"C\" <sip:2@x>;party=calling;screen=yes\n", "2", "C");
	expect(IDENTITY_HEADER_RPID, "Remote-Party-ID: <sip:3@x>\n", "3", "");
	expect(IDENTITY_HEADER_RPID,
	       "Remote-Party-ID: <sip:3@x>;party=called\n", NULL, "");
}


static unsigned privacy(const char *from, const char *headers)
{
	struct sip_msg *msg = invite(from, headers);
	const unsigned p = privacy_read(msg);

	mem_deref(msg);

	return p;
}


Test(identity, privacy)
{
	cr_expect_eq(privacy(FROM, ""), 0);
	cr_expect_eq(privacy(FROM, "Privacy: id\n"), PRIVACY_ID);
	cr_expect_eq(privacy(FROM, "Privacy: ID ; User;critical\n"),
		     PRIVACY_ID | PRIVACY_USER | PRIVACY_CRITICAL);
	cr_expect_eq(privacy(FROM, "Privacy: header, session\n"
				   "Privacy: history\n"),
		     PRIVACY_HEADER | PRIVACY_SESSION | PRIVACY_HISTORY);
	cr_expect_eq(privacy(FROM, "Privacy: none\n"), PRIVACY_NONE);
	cr_expect_eq(privacy(FROM, "Privacy: idea;;\n"), PRIVACY_UNKNOWN);
	cr_expect_eq(privacy("<sip:x@anonymous.invalid>;tag=1", ""),
		     PRIVACY_ID);
	cr_expect_eq(privacy("<sip:anonymous@x.example>;tag=1", ""),
		     PRIVACY_ID);
	cr_expect_eq(privacy(FROM, "Remote-Party-ID: <sip:3@x>;privacy=full"
			     "\n"), PRIVACY_ID);
	cr_expect_eq(privacy(FROM, "Remote-Party-ID: <sip:3@x>;privacy=off"
			     "\n"), 0);
}


Test(identity, privacy_that_nobody_knows)
{
	static const char *const cases[][2] = {
		{"Privacy: id;critical\n", ""},
		{"Privacy: invisible;critical\n", "invisible"},
		{"Privacy: a;;user, b ;critical\nPrivacy: c-d\n",
		 "a, b, c-d"},
		{"Privacy: \"x\";%0d;ok\n", "ok"},
		{"Privacy: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;b;c\n", "b, c"},
	};
	char buf[24];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sip_msg *msg = invite(FROM, cases[i][0]);

		privacy_unknown(msg, buf, sizeof(buf));
		cr_expect_str_eq(buf, cases[i][1], "%s", cases[i][0]);
		mem_deref(msg);
	}
}


Test(identity, what_privacy_means)
{
	cr_expect_not(privacy_hides_number(0));
	cr_expect_not(privacy_hides_number(PRIVACY_NONE));
	cr_expect_not(privacy_hides_number(PRIVACY_SESSION));
	cr_expect(privacy_hides_number(PRIVACY_ID));
	cr_expect(privacy_hides_number(PRIVACY_USER));
	cr_expect(privacy_hides_number(PRIVACY_HEADER));
	cr_expect(privacy_hides_number(PRIVACY_UNKNOWN));
	cr_expect_not(privacy_is_impossible(PRIVACY_CRITICAL | PRIVACY_ID));
	cr_expect_not(privacy_is_impossible(PRIVACY_UNKNOWN));
	cr_expect(privacy_is_impossible(PRIVACY_CRITICAL | PRIVACY_UNKNOWN));
}
