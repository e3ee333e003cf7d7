/**
 * @file reason.c  The Reason header, read and written.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "fake_catalog.h"
#include "reason.h"

static struct sip_msg *bye(const char *reason)
{
	return fake_message("BYE sip:x@192.0.2.1 SIP/2.0\n"
			    "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKabc\n"
			    "From: <sip:a@example.com>;tag=1\n"
			    "To: <sip:b@example.com>;tag=2\n"
			    "Call-ID: c1\n"
			    "CSeq: 2 BYE\n"
			    "%s"
			    "Content-Length: 0\n\n", reason);
}


static void expect(const char *header, uint8_t q850, const char *text)
{
	struct sip_msg *msg = bye(header);
	char buf[80];

	cr_assert_eq(reason_read(msg, buf, sizeof(buf)), q850, "%s", header);
	cr_assert_str_eq(buf, text);
	mem_deref(msg);
}


Test(reason, read)
{
	expect("", 0, "");
	expect("Reason: Q.850;cause=16;text=\"bye\"\n", 16,
	       "Q.850;cause=16;text=\"bye\"");
	expect("Reason: q.850 ;cause=17\n", 17, "q.850 ;cause=17");
	expect("Reason: SIP;cause=487;text=\"x\", Q.850;cause=31\n", 31,
	       "SIP;cause=487;text=\"x\"");
	expect("Reason: SIP;cause=487\nReason: Q.850;cause=34\n", 34,
	       "SIP;cause=487");
}


Test(reason, read_nonsense)
{
	expect("Reason: Q.850;cause=128\n", 0, "Q.850;cause=128");
	expect("Reason: Q.850;cause=16x\n", 0, "Q.850;cause=16x");
	expect("Reason: Q.850;cause=\n", 0, "Q.850;cause=");
	expect("Reason: Q.850\n", 0, "Q.850");
	expect("Reason: ;;;\n", 0, ";;;");
}


Test(reason, long_text_is_cut)
{
	char header[300], want[80];
	struct sip_msg *msg;

	snprintf(header, sizeof(header), "Reason: Q.850;cause=16;text=\"%0150d"
		 "\"\n", 1);
	snprintf(want, sizeof(want), "%.79s", header + strlen("Reason: "));
	msg = bye(header);
	{
		char buf[80];

		cr_assert_eq(reason_read(msg, buf, sizeof(buf)), 16);
		cr_assert_str_eq(buf, want);
	}
	mem_deref(msg);
}


Test(reason, value)
{
	char buf[80];

	cr_assert_eq(reason_value(buf, sizeof(buf), 16, NULL), 0);
	cr_assert_str_eq(buf, "Q.850;cause=16");
	cr_assert_eq(reason_value(buf, sizeof(buf), 16, "a \"b\""), 0);
	cr_assert_str_eq(buf, "Q.850;cause=16;text=\"a \\\"b\\\"\"");
	cr_assert_neq(reason_value(buf, 10, 16, "a"), 0);
}
