/**
 * @file webhook_target.c  Where a webhook may go.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include "text.h"
#include "webhook_target.h"

/** What of IPv4 is not everybody's (RFC 6890 and its registry). */
static const struct {
	uint32_t net;
	unsigned bits;
} special[] = {
	{0x00000000, 8},  /* this network                  */
	{0x0a000000, 8},  /* private                       */
	{0x64400000, 10}, /* behind carriers' NAT          */
	{0x7f000000, 8},  /* loopback                      */
	{0xa9fe0000, 16}, /* link-local, cloud metadata    */
	{0xac100000, 12}, /* private                       */
	{0xc0000000, 24}, /* protocol assignments          */
	{0xc0000200, 24}, /* documentation                 */
	{0xc0586300, 24}, /* 6to4 relays                   */
	{0xc0a80000, 16}, /* private                       */
	{0xc6120000, 15}, /* benchmarks                    */
	{0xc6336400, 24}, /* documentation                 */
	{0xcb007100, 24}, /* documentation                 */
	{0xe0000000, 3},  /* multicast, reserved, all      */
};


static bool v4_is_public(uint32_t addr)
{
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (!((addr ^ special[i].net) >> (32 - special[i].bits)))
			return false;
	}

	return true;
}


static uint32_t v4_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}


/* Of IPv6 only 2000::/3 is given out */
static bool v6_is_public(const uint8_t a[16])
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (!memcmp(a, mapped, sizeof(mapped)))
		return v4_is_public(v4_at(a + 12));
	if ((a[0] & 0xe0) != 0x20)
		return false;
	if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
		return v4_is_public(v4_at(a + 2));
	if (a[0] == 0x20 && a[1] == 0x01 &&
	    ((a[2] == 0x0d && a[3] == 0xb8) || a[2] < 0x02))
		return false; /* documentation, Teredo and other protocols */

	return a[0] != 0x3f || (a[1] != 0xff && a[1] != 0xfe);
}


bool webhook_address_is_public(const struct sockaddr *sa)
{
	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, sa, sizeof(in));
		return v4_is_public(ntohl(in.sin_addr.s_addr));
	}
	if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, sa, sizeof(in6));
		return v6_is_public(in6.sin6_addr.s6_addr);
	}

	return false;
}


/* @return false: no such part */
static bool part(CURLU *u, CURLUPart what, char *buf, size_t size)
{
	char *text = NULL;
	bool ok = !curl_url_get(u, what, &text, 0) && text;

	ok = ok && !text_copy(buf, size, text);
	curl_free(text);

	return ok;
}


static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;

	return true;
}


/* The host, or "" when the URL is not sound */
static void host_of(const char *url, char *buf, size_t size)
{
	char scheme[8], other[WEBHOOK_URL_MAX + 1];
	CURLU *u = curl_url();
	bool ok = u && strlen(url) <= WEBHOOK_URL_MAX && is_printable(url) &&
		  !strstr(url, ":///") &&
		  !curl_url_set(u, CURLUPART_URL, url, 0);

	ok = ok && part(u, CURLUPART_SCHEME, scheme, sizeof(scheme)) &&
	     (!strcmp(scheme, "http") || !strcmp(scheme, "https")) &&
	     !part(u, CURLUPART_USER, other, sizeof(other)) &&
	     !part(u, CURLUPART_PASSWORD, other, sizeof(other)) &&
	     !part(u, CURLUPART_FRAGMENT, other, sizeof(other)) &&
	     part(u, CURLUPART_HOST, buf, size);
	if (!ok)
		*buf = '\0';
	curl_url_cleanup(u);
}


bool webhook_url_is_sound(const char *url)
{
	char host[WEBHOOK_URL_MAX + 1] = "";

	host_of(url, host, sizeof(host));

	return *host != '\0';
}


bool webhook_url_is_private(const char *url)
{
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6};
	struct sockaddr_in in = {.sin_family = AF_INET};
	char host[WEBHOOK_URL_MAX + 1] = "";
	size_t len;

	host_of(url, host, sizeof(host));
	len = strlen(host);
	if (*host == '[' && host[len - 1] == ']') {
		host[len - 1] = '\0';
		return inet_pton(AF_INET6, host + 1, &in6.sin6_addr) != 1 ||
		       !webhook_address_is_public((const void *)&in6);
	}
	if (inet_pton(AF_INET, host, &in.sin_addr) == 1)
		return !webhook_address_is_public((const void *)&in);

	return !strcmp(host, "localhost");
}
