/** @file redirect.c  Contacts of a 3xx, by q. */
#include <criterion/criterion.h>
#include <string.h>
#include "fake_catalog.h"
#include "redirect.h"


static size_t read_from(struct redirect_contact *ret, const char *headers)
{
	struct sip_msg *msg = fake_message("SIP/2.0 302 Moved\n"
					   "CSeq: 1 INVITE\n%s\n", headers);
	const size_t n = redirect_read(ret, msg);

	mem_deref(msg);

	return n;
}


Test(redirect, by_q_and_in_their_order)
{
	struct redirect_contact c[REDIRECT_CONTACTS_MAX];

	cr_assert_eq(read_from(c, "Contact: <sip:+491@192.0.2.1>;q=0.2, "
			       "<sip:+492@192.0.2.2:5062;user=phone>\n"
			       "Contact: <sip:+493@host.example>;q=0.2\n"
			       "m: <sip:+494@[2001:db8::1]>;q=0.9\n"), 4);
	cr_expect_str_eq(c[0].number, "+492", "no q is 1");
	cr_expect_str_eq(c[1].number, "+494");
	cr_expect_str_eq(c[2].number, "+491");
	cr_expect_str_eq(c[3].number, "+493");
	cr_expect_str_eq(c[0].uri, "sip:+492@192.0.2.2:5062;user=phone");
	cr_expect_eq(sa_port(&c[0].addr), 5062);
	cr_expect_eq(sa_af(&c[1].addr), AF_INET6);
	cr_expect_eq(sa_port(&c[1].addr), SIP_PORT);
	cr_expect_not(sa_isset(&c[3].addr, SA_ADDR), "names are not resolved");
	cr_expect_eq(c[3].q, 200);
}


Test(redirect, what_cannot_be_read_is_not_followed)
{
	struct redirect_contact c[REDIRECT_CONTACTS_MAX];

	cr_expect_eq(read_from(c, ""), 0);
	cr_expect_eq(read_from(c, "Contact: *\n"), 0);
	cr_expect_eq(read_from(c, "Contact: <tel:+491>\n"), 0);
	cr_expect_eq(read_from(c, "Contact: <sip:+491@192.0.2.1>, <<\n"), 0);
	cr_expect_eq(read_from(c, "Contact: <sip:+4%%0d9@192.0.2.1>\n"), 0);
	cr_expect_eq(read_from(c, "Contact: <sip:1@a>, <sip:2@a>, <sip:3@a>, "
			       "<sip:4@a>, <sip:5@a>, <sip:6@a>, <sip:7@a>, "
			       "<sip:8@a>, <sip:9@a>\n"), 0, "too many");
}
