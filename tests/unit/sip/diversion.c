/** @file tests/unit/sip/diversion.c  Diversion and History-Info. */
#include <criterion/criterion.h>
#include <string.h>
#include "diversion.h"
#include "fake_catalog.h"


static size_t read_from(struct diversion *list, const char *headers)
{
	struct sip_msg *msg = fake_message(
		"INVITE sip:+4930123@sw.example SIP/2.0\n"
		"Via: SIP/2.0/UDP 10.1.2.3:5060;branch=z9hG4bKabc\n"
		"From: <sip:1@x>;tag=1\n"
		"To: <sip:b@example.com>\n"
		"Call-ID: c1\n"
		"CSeq: 1 INVITE\n"
		"%s"
		"Content-Length: 0\n\n", headers);
	const size_t n = diversion_read(list, msg);

	mem_deref(msg);

	return n;
}


Test(diversion, read)
{
	struct diversion d[DIVERSIONS_MAX];

	cr_expect_eq(read_from(d, ""), 0);
	cr_assert_eq(read_from(d, "Diversion: <sip:+49301@x>;reason=no-answer;"
			       "counter=1, <tel:+49302>;privacy=full\n"
			       "Diversion: <<<\n"
			       "Diversion: \"x\" <sip:3@x>;reason=\"a b\"\n"),
		     3);
	cr_expect_str_eq(d[0].number, "+49301");
	cr_expect_str_eq(d[0].reason, "no-answer");
	cr_expect_not(d[0].is_private);
	cr_expect_str_eq(d[1].number, "+49302");
	cr_expect_str_eq(d[1].reason, "unknown");
	cr_expect(d[1].is_private);
	cr_expect_str_eq(d[2].reason, "unknown");
}


Test(diversion, no_more_than_fit)
{
	struct diversion d[DIVERSIONS_MAX];

	cr_expect_eq(read_from(d, "Diversion: <sip:1@x>,<sip:2@x>,<sip:3@x>,"
			       "<sip:4@x>,<sip:5@x>,<sip:6@x>\n"),
		     DIVERSIONS_MAX);
	cr_expect_str_eq(d[4].number, "5");
}


Test(diversion, history)
{
	struct diversion d[DIVERSIONS_MAX];

	cr_assert_eq(read_from(d, "History-Info: <sip:+49301@x>;index=1,"
			       "<sip:+49302@x;cause=486>;index=1.1;mp=1\n"
			       "History-Info: <sip:+49303@x;cause=408?Privacy="
			       "history>;index=1.1.1;mp=1.1,"
			       "<sip:+49304@x;cause=999>;index=1.1.1.1\n"), 3);
	cr_expect_str_eq(d[0].number, "+49303");
	cr_expect_str_eq(d[0].reason, "unknown");
	cr_expect(d[0].is_private);
	cr_expect_str_eq(d[1].number, "+49302");
	cr_expect_str_eq(d[1].reason, "no-answer");
	cr_expect_str_eq(d[2].number, "+49301");
	cr_expect_str_eq(d[2].reason, "user-busy");
	cr_expect_not(d[2].is_private);

	/* nobody forwarded */
	cr_expect_eq(read_from(d, "History-Info: <sip:1@x>;index=1,"
			       "<sip:2@x>;index=1.1\n"), 0);
	cr_expect_eq(read_from(d, "History-Info: <sip:1@x;cause=486>\n"), 0);
}


static void expect_text(const struct mbuf *mb, const char *text)
{
	cr_expect_eq(mb->end, strlen(text), "%.*s", (int)mb->end,
		     (char *)mb->buf);
	cr_expect(!memcmp(mb->buf, text, mb->end), "%.*s", (int)mb->end,
		  (char *)mb->buf);
}


Test(diversion, print)
{
	static const struct diversion d[] = {
		{"+49302", "no-answer", true}, {"+49301", "user-busy", false},
	};
	struct mbuf *mb = mbuf_alloc(16);

	cr_assert_eq(diversion_print(mb, d, 2, "192.0.2.1"), 0);
	expect_text(mb, "Diversion: <sip:anonymous@anonymous.invalid>;"
		    "reason=no-answer;privacy=full\r\n"
		    "Diversion: <sip:+49301@192.0.2.1>;reason=user-busy\r\n");
	mbuf_reset(mb);
	cr_assert_eq(diversion_print_history(mb, d, 2, "+49303", "h"), 0);
	expect_text(mb, "History-Info: <sip:+49301@h>;index=1, "
		    "<sip:anonymous@anonymous.invalid;cause=486"
		    "?Privacy=history>;index=1.1;mp=1, "
		    "<sip:+49303@h;cause=408>;index=1.1.1;mp=1.1\r\n");
	mem_deref(mb);
}


/* What comes in is written so that it cannot end the line. */
Test(diversion, number_of_hostile_characters)
{
	struct diversion d[DIVERSIONS_MAX];
	struct mbuf *mb = mbuf_alloc(16);

	cr_assert_eq(read_from(d, "Diversion: <sip:a%3e%20%3b@x>\n"), 1);
	cr_expect_str_eq(d[0].number, "a> ;");
	cr_assert_eq(diversion_print(mb, d, 1, "h"), 0);
	expect_text(mb, "Diversion: <sip:a%3E%20;@h>;reason=unknown\r\n");
	mem_deref(mb);
}
