/**
 * @file client_address.c  Whom X-Forwarded-For may name, and whom not.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
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
