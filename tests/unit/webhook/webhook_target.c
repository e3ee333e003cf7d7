/** @file webhook_target.c  Where a webhook may go. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <netinet/in.h>
#include <string.h>
#include "webhook_target.h"


static bool is_public(const char *text)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return webhook_address_is_public((const void *)&in);
	cr_assert_eq(inet_pton(AF_INET6, text, &in6.sin6_addr), 1, "%s",
		     text);

	return webhook_address_is_public((const void *)&in6);
}


Test(webhook_target, addresses_of_the_internet)
{
	static const char *const good[] = {
		"1.1.1.1", "8.8.8.8", "172.15.255.255", "172.32.0.0",
		"100.63.255.255", "100.128.0.0", "169.253.255.255",
		"192.167.255.255", "198.17.255.255", "198.20.0.0",
		"223.255.255.255", "2a00:1450:4001:80b::200e",
		"2606:4700:4700::1111", "2002:808:808::1", "::ffff:8.8.8.8",
	};
	static const char *const bad[] = {
		"0.0.0.0", "10.0.0.1", "100.64.0.1", "127.0.0.1",
		"127.255.255.255", "169.254.169.254", "172.16.0.1",
		"172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1",
		"198.18.0.1", "198.19.255.255", "198.51.100.1",
		"203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"::", "::1", "fe80::1", "fc00::1", "fd12:3456::1", "ff02::1",
		"2001:db8::1", "2001::1", "64:ff9b::a00:1",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "2002:7f00:1::1",
		"2002:a00:1::1", "3fff::1",
	};
	const struct sockaddr local = {.sa_family = AF_UNIX};

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(is_public(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(!is_public(bad[i]), "%s", bad[i]);
	cr_expect(!webhook_address_is_public(&local));
}


Test(webhook_target, urls)
{
	static const char *const good[] = {
		"https://hooks.example.net/a/b?c=d", "http://8.8.8.8:8080/",
		"https://[2606:4700:4700::1111]/x", "https://example.net",
	};
	static const char *const bad[] = {
		"", "hooks.example.net", "ftp://example.net/",
		"file:///etc/passwd", "https://", "https:///x",
		"https://user:secret@example.net/", "https://u@example.net/",
		"https://example.net/#top", "https://exa mple.net/",
		"https://example.net/\r\nX: y", "gopher://example.net/",
	};
	char longest[WEBHOOK_URL_MAX + 2] = "https://example.net/";

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cr_expect(webhook_url_is_sound(good[i]), "%s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect(!webhook_url_is_sound(bad[i]), "%s", bad[i]);
	memset(longest + 20, 'x', WEBHOOK_URL_MAX - 19);
	cr_expect(!webhook_url_is_sound(longest));
	longest[WEBHOOK_URL_MAX] = '\0';
	cr_expect(webhook_url_is_sound(longest));
}


Test(webhook_target, private_hosts)
{
	cr_expect(webhook_url_is_private("http://127.0.0.1:9/x"));
	cr_expect(webhook_url_is_private("http://localhost/"));
	cr_expect(webhook_url_is_private("http://2130706433/"));
	cr_expect(webhook_url_is_private("https://[::1]/"));
	cr_expect(webhook_url_is_private("https://[fe80::1%25eth0]/"));
	cr_expect(webhook_url_is_private("http://169.254.169.254/latest"));
	cr_expect(!webhook_url_is_private("https://8.8.8.8/"));
	cr_expect(!webhook_url_is_private("https://hooks.example.net/"));
}
