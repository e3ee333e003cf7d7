/**
 * @file client_address.c  Whom X-Forwarded-For and Forwarded may name, and
 * whom not.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include <string.h>
#include "client_address.h"


Test(client_address, who_is_believed)
{
	static const struct {
		const char *peer, *forwarded, *wanted;
	} cases[] = {
		/* nobody of ours is in between */
		{"198.51.100.1", NULL, "198.51.100.1"},
		{"198.51.100.1", "203.0.113.9", "198.51.100.1"},
		{"", "203.0.113.9", ""},
		/* a proxy of ours */
		{"10.1.2.3", NULL, "10.1.2.3"},
		{"10.1.2.3", "", "10.1.2.3"},
		{"10.1.2.3", "203.0.113.9", "203.0.113.9"},
		{"::ffff:10.1.2.3", "203.0.113.9", "203.0.113.9"},
		{"10.1.2.3", " 203.0.113.9\t", "203.0.113.9"},
		{"10.1.2.3", "203.0.113.9:4711", "203.0.113.9"},
		{"10.1.2.3", "2001:db8::9", "2001:db8::9"},
		{"10.1.2.3", "[2001:DB8::9]:443", "2001:db8::9"},
		/* the client says what it likes: the right-most counts */
		{"10.1.2.3", "203.0.113.9, 198.51.100.1", "198.51.100.1"},
		{"10.1.2.3", "10.9.9.9,203.0.113.9", "203.0.113.9"},
		/* two of ours */
		{"10.1.2.3", "203.0.113.9, 2001:db8:1::5", "203.0.113.9"},
		{"10.1.2.3", "192.0.2.1, 203.0.113.9, 2001:db8:1::5",
		 "203.0.113.9"},
		/* all of them */
		{"10.1.2.3", "10.0.0.1, 2001:db8:1::5", "10.0.0.1"},
		/* no addresses */
		{"10.1.2.3", "unknown", "10.1.2.3"},
		{"10.1.2.3", "203.0.113.9,", "10.1.2.3"},
		{"10.1.2.3", "203.0.113.9, nonsense, 2001:db8:1::5",
		 "2001:db8:1::5"},
		{"10.1.2.3", "[2001:db8::9", "10.1.2.3"},
		{"10.1.2.3", "203.0.113.999", "10.1.2.3"},
	};
	struct proxies *p;

	cr_assert_eq(proxies_read(&p, "10.0.0.0/8 , 2001:db8:1::5"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[CLIENT_ADDRESS_SIZE];

		client_address(p, cases[i].peer, cases[i].forwarded, buf);
		cr_expect_str_eq(buf, cases[i].wanted, "%s, %s: %s",
				 cases[i].peer, cases[i].forwarded, buf);
		client_address(NULL, cases[i].peer, cases[i].forwarded, buf);
		cr_expect_str_eq(buf, cases[i].peer, "without proxies");
	}
	mem_deref(p);
}


Test(client_address, networks)
{
	static const char *const bad[] = {"nonsense", "10.0.0.1/8",
					  "10.0.0.0/33", "10.0.0.0/8,,::1",
					  "10.0.0.0/8;::1"};
	char buf[CLIENT_ADDRESS_SIZE];
	struct proxies *p;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(proxies_read(&p, bad[i]), EBADMSG, "%s", bad[i]);
	cr_expect_eq(proxies_read(&p, "::1,::1,::1,::1,::1,::1,::1,::1,::1,"
				      "::1,::1,::1,::1,::1,::1,::1,::1"),
		     E2BIG);
	cr_assert_eq(proxies_read(&p, ""), 0);
	client_address(p, "127.0.0.1", "203.0.113.9", buf);
	cr_expect_str_eq(buf, "127.0.0.1");
	mem_deref(p);

	/* a part of a byte */
	cr_assert_eq(proxies_read(&p, "172.16.0.0/12"), 0);
	client_address(p, "172.31.0.1", "203.0.113.9", buf);
	cr_expect_str_eq(buf, "203.0.113.9");
	client_address(p, "172.32.0.1", "203.0.113.9", buf);
	cr_expect_str_eq(buf, "172.32.0.1");
	mem_deref(p);
}


Test(client_address, forwarded)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{"for=203.0.113.9", "203.0.113.9"},
		{"For=\"[2001:db8:cafe::17]:4711\"",
		 "[2001:db8:cafe::17]:4711"},
		{"for=192.0.2.60;proto=http;by=203.0.113.43", "192.0.2.60"},
		{"proto=https ; FOR = x", NULL},
		{"by=10.0.0.1; for=192.0.2.1 , for=198.51.100.17",
		 "192.0.2.1,198.51.100.17"},
		{"for=192.0.2.43,for=\"[2001:db8::1]\",for=unknown",
		 "192.0.2.43,[2001:db8::1],unknown"},
		/* who is not named is nobody */
		{"", "unknown"},
		{"proto=http", "unknown"},
		{"for=192.0.2.1,,for=192.0.2.2", "192.0.2.1,unknown,192.0.2.2"},
		{"for=_hidden;;", "_hidden"},
		/* commas and semicolons of a quoted-string divide nothing */
		{"host=\"a,for=10.0.0.1\";for=192.0.2.1", "192.0.2.1"},
		{"host=\"\\\",for=10.0.0.1\";for=192.0.2.1", "192.0.2.1"},
		/* and no address has one */
		{"for=\"192.0.2.1,10.0.0.1\"", NULL},
		/* no such header */
		{"for=192.0.2.1;for=10.0.0.1", NULL},
		{"for=\"192.0.2.1", NULL},
		{"for=\"192.0.2.1\\", NULL},
		{"for=\"192.0.2.1\"x", NULL},
		{"for=", NULL},
		{"for", NULL},
		{"=192.0.2.1", NULL},
		{"for=2001:db8::1 x", NULL},
		{"192.0.2.1", NULL},
	};
	char buf[FORWARDED_SIZE], text[3 * FORWARDED_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const int err = forwarded_read(buf, cases[i].text);

		cr_expect_eq(err, cases[i].wanted ? 0 : EBADMSG, "%s",
			     cases[i].text);
		if (!err)
			cr_expect_str_eq(buf, cases[i].wanted, "%s: %s",
					 cases[i].text, buf);
	}

	/* bounded, and in its own buffer */
	(void)memset(text, ',', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	cr_expect_eq(forwarded_read(buf, text), EBADMSG);
	(void)strcpy(text, "for=");
	(void)memset(text + 4, '1', 64);
	text[68] = '\0';
	cr_expect_eq(forwarded_read(buf, text), EBADMSG);
	(void)strcpy(buf, "for=192.0.2.1");
	cr_assert_eq(forwarded_read(buf, buf), 0);
	cr_expect_str_eq(buf, "192.0.2.1");
}


Test(client_address, forwarded_is_believed_as_the_other_is)
{
	static const struct {
		const char *forwarded, *wanted;
	} cases[] = {
		{"for=203.0.113.9", "203.0.113.9"},
		{"for=10.9.9.9, for=203.0.113.9", "203.0.113.9"},
		{"for=203.0.113.9, for=\"[2001:db8:1::5]\"", "203.0.113.9"},
		{"for=203.0.113.9, proto=http", "10.1.2.3"},
		{"for=203.0.113.9, for=_ours", "10.1.2.3"},
		{"for=\"203.0.113.9:80\"", "203.0.113.9"},
	};
	struct proxies *p;

	cr_assert_eq(proxies_read(&p, "10.0.0.0/8 , 2001:db8:1::5"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char buf[FORWARDED_SIZE], ip[CLIENT_ADDRESS_SIZE];

		cr_assert_eq(forwarded_read(buf, cases[i].forwarded), 0);
		client_address(p, "10.1.2.3", buf, ip);
		cr_expect_str_eq(ip, cases[i].wanted, "%s: %s",
				 cases[i].forwarded, ip);
	}
	mem_deref(p);
}
