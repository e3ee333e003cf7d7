/**
 * @file registrar_contact.c  Tests: Contact headers of a REGISTER.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "fake_catalog.h"
#include "registrar_contact.h"


static int decode(struct contact_list *list, const char *headers)
{
	struct sip_msg *msg = fake_message("REGISTER sip:a SIP/2.0\n"
					   "CSeq: 1 REGISTER\n%s\n", headers);
	int err = contact_list_decode(list, msg, 600);

	mem_deref(msg);
	return err;
}


Test(registrar_contact, lists_and_several_headers)
{
	struct contact_list l;

	cr_assert_eq(decode(&l, "Contact: \"a, <b\\\"\" <sip:x@192.0.2.1;a>"
			    ";expires=60;q=0.5,\n  sip:y@h;q=1\n"
			    "m: <sip:z@h;x=\"1\">\n"), EBADMSG, "quote in it");
	cr_assert_eq(decode(&l, "Contact: \"a, <b\\\"\" <sip:x@192.0.2.1;a>"
			    ";expires=60;q=0.5,\n  sip:y@h;q=1\n"
			    "m: <sip:z@[2001:db8::1]:5062;x=1>\n"), 0);
	cr_assert_eq(l.n, 3);
	cr_expect_str_eq(l.wishes[0].uri, "sip:x@192.0.2.1;a");
	cr_expect_eq(l.wishes[0].expires_s, 60);
	cr_expect_eq(l.wishes[0].q, 500);
	cr_expect_str_eq(l.wishes[1].uri, "sip:y@h");
	cr_expect_eq(l.wishes[1].expires_s, 600);
	cr_expect_eq(l.wishes[1].q, 1000);
	cr_expect_str_eq(l.wishes[2].uri, "sip:z@[2001:db8::1]:5062;x=1");
}


Test(registrar_contact, expires_of_contact_header_and_default)
{
	struct contact_list l;

	cr_assert_eq(decode(&l, "Contact: <sip:x@h>\nExpires: 120\n"), 0);
	cr_expect_eq(l.wishes[0].expires_s, 120);
	cr_assert_eq(decode(&l, "Contact: <sip:x@h>;Expires=90\n"
				"Expires: 120\n"), 0);
	cr_expect_eq(l.wishes[0].expires_s, 90);
	cr_assert_eq(decode(&l, "Contact: <sip:x@h>;expires=soon\n"), 0);
	cr_expect_eq(l.wishes[0].expires_s, 3600);
	cr_assert_eq(decode(&l, "Contact: <sip:x@h>\n"
				"Expires: 4294967296\n"), 0);
	cr_expect_eq(l.wishes[0].expires_s, 3600);
	cr_assert_eq(decode(&l, "Contact: <sip:x@h>;q=7\n"), 0);
	cr_expect_eq(l.wishes[0].q, 1000);
	cr_assert_eq(decode(&l, "Contact: <sip:x@h>;q=0.123\n"), 0);
	cr_expect_eq(l.wishes[0].q, 123);
}


Test(registrar_contact, star)
{
	struct contact_list l;

	cr_assert_eq(decode(&l, "Contact: *\nExpires: 0\n"), 0);
	cr_expect(l.is_star);
	cr_expect_eq(decode(&l, "Contact: *\n"), EBADMSG);
	cr_expect_eq(decode(&l, "Contact: *\nExpires: 1\n"), EBADMSG);
	cr_expect_eq(decode(&l, "Contact: *, <sip:x@h>\nExpires: 0\n"),
		     EBADMSG);
	cr_expect_eq(decode(&l, "Contact: <sip:x@h>, *\nExpires: 0\n"),
		     EBADMSG);
}


Test(registrar_contact, refuses)
{
	static const char *const bad[] = {
		"Contact: \n",
		"Contact: <sip:x@h>,\n",
		"Contact: <>\n",
		"Contact: <tel:+49123>\n",
		"Contact: <sips:x@h>\n",
		"Contact: <:sip:x@h>\n",
		"Contact: <sip:x@h?Route=sip:y>\n",
		"Contact: <sip:x@h>, <sip:x@H>\n",
		"Contact: <sip:x y@h>\n",
		"Contact: <sip:x@h\n",
		"Contact: <sip:\xc3\xa4@h>\n",
	};
	struct contact_list l;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(decode(&l, bad[i]), EBADMSG, "%s", bad[i]);
}


Test(registrar_contact, bounds)
{
	char headers[CONTACT_URI_SIZE + 64] = "Contact: <sip:";
	struct contact_list l;
	size_t n;

	cr_expect_eq(decode(&l, "Contact: <sip:1@h>,<sip:2@h>,<sip:3@h>,"
		"<sip:4@h>,<sip:5@h>,<sip:6@h>,<sip:7@h>,<sip:8@h>\n"), 0);
	cr_expect_eq(l.n, CONTACTS_MAX);
	cr_expect_eq(decode(&l, "Contact: <sip:1@h>,<sip:2@h>,<sip:3@h>,"
		"<sip:4@h>,<sip:5@h>,<sip:6@h>,<sip:7@h>,<sip:8@h>,"
		"<sip:9@h>\n"), EOVERFLOW);

	/* "sip:" + user + "@h" */
	n = strlen(headers);
	memset(headers + n, 'x', CONTACT_URI_SIZE - 7);
	strcpy(headers + n + CONTACT_URI_SIZE - 7, "@h>\n");
	cr_expect_eq(decode(&l, headers), 0);
	strcpy(headers + n + CONTACT_URI_SIZE - 7, "x@h>\n");
	cr_expect_eq(decode(&l, headers), EBADMSG);
}


Test(registrar_contact, equal_uris)
{
	cr_expect(contact_uri_equal("sip:a@h:5060", "sip:a@H:5060"));
	cr_expect(contact_uri_equal("sip:a@h;Transport=UDP",
				    "sip:a@h;transport=udp"));
	cr_expect(contact_uri_equal("sip:h", "sip:h"));
	cr_expect_not(contact_uri_equal("sip:a@h", "sip:A@h"));
	cr_expect_not(contact_uri_equal("sip:a@h", "sip:a@h:5060"));
	cr_expect_not(contact_uri_equal("sip:a@h", "sip:a@h;x"));
	cr_expect_not(contact_uri_equal("sip:a@h", "sip:h"));
}
