/**
 * @file client_address.c  From where a request comes.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "client_address.h"
#include "form.h"
#include "text.h"

/** An address as 16 bytes; one of IPv4 as it is mapped into IPv6 (RFC 4291
 *  2.5.5.2), so that both ways to write it are the same. */
struct address {
	unsigned char v[16];
};

struct proxies {
	struct {
		struct address net;
		unsigned bits;
	} v[PROXIES_MAX];
	size_t n;
};


static int address_read(struct address *ret, const char *text)
{
	static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (strchr(text, ':'))
		return inet_pton(AF_INET6, text, ret->v) == 1 ? 0 : EBADMSG;

	memcpy(ret->v, mapped, sizeof(mapped));
	return inet_pton(AF_INET, text, ret->v + 12) == 1 ? 0 : EBADMSG;
}


/* Without the blanks around it; 0 or EBADMSG: it does not fit */
static int trim(char *buf, size_t size, const char *text, size_t len)
{
	while (len && strchr(" \t", *text)) {
		++text;
		--len;
	}
	while (len && strchr(" \t", text[len - 1]))
		--len;
	return text_set(buf, size, text, len) ? EBADMSG : 0;
}


static int network_add(struct proxies *p, const char *text)
{
	char network[64], *slash;
	unsigned bits;

	if (p->n >= PROXIES_MAX)
		return E2BIG;
	if (form_cidr(network, sizeof(network), text))
		return EBADMSG;

	slash = strchr(network, '/');
	*slash++ = '\0';
	bits = (unsigned)strtoul(slash, NULL, 10);
	if (address_read(&p->v[p->n].net, network))
		return EBADMSG;
	p->v[p->n++].bits = strchr(network, ':') ? bits : bits + 96;
	return 0;
}


int proxies_read(struct proxies **pp, const char *text)
{
	struct proxies *p = mem_zalloc(sizeof(*p), NULL);
	int err = p ? 0 : ENOMEM;

	while (!err && *text) {
		const size_t len = strcspn(text, ",");
		char one[64];

		err = trim(one, sizeof(one), text, len);
		if (!err)
			err = network_add(p, one);
		text += len + (text[len] == ',');
	}
	if (err)
		mem_deref(p);
	else
		*pp = p;
	return err;
}


static bool is_within(const struct address *a, const struct address *net,
		      unsigned bits)
{
	const unsigned whole = bits / 8, rest = bits % 8;
	const unsigned mask = 0xff00u >> rest & 0xff;

	return !memcmp(a->v, net->v, whole) &&
	       (!rest || (a->v[whole] & mask) == (net->v[whole] & mask));
}


static bool is_proxy(const struct proxies *p, const char *text)
{
	struct address a;

	if (!p || address_read(&a, text))
		return false;
	for (size_t i = 0; i < p->n; i++) {
		if (is_within(&a, &p->v[i].net, p->v[i].bits))
			return true;
	}
	return false;
}


/* "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80" */
static int element_read(char buf[CLIENT_ADDRESS_SIZE], const char *text,
			size_t len)
{
	char one[64], *host = one, *end;

	if (trim(one, sizeof(one), text, len))
		return EBADMSG;
	if (*one == '[') {
		end = strchr(++host, ']');
		if (!end)
			return EBADMSG;
		*end = '\0';
	} else {
		end = strchr(one, ':');
		if (end && !strchr(end + 1, ':'))
			*end = '\0';
	}
	return form_ip(buf, CLIENT_ADDRESS_SIZE, host);
}


void client_address(const struct proxies *p, const char *peer,
		    const char *forwarded, char buf[CLIENT_ADDRESS_SIZE])
{
	size_t end = forwarded ? strlen(forwarded) : 0;

	(void)text_copy(buf, CLIENT_ADDRESS_SIZE, peer);
	while (end && is_proxy(p, buf)) {
		char named[CLIENT_ADDRESS_SIZE];
		size_t begin = end;

		while (begin && forwarded[begin - 1] != ',')
			--begin;
		/* what is no address names nobody: the proxy it stays */
		if (element_read(named, forwarded + begin, end - begin))
			return;
		(void)text_copy(buf, CLIENT_ADDRESS_SIZE, named);
		end = begin ? begin - 1 : 0;
	}
}


/* --- Forwarded */

/** One pair of an element: "for=192.0.2.1". */
struct pair {
	const char *name;
	size_t name_len;
	char value[64];
};


static const char *blanks_skip(const char *p)
{
	return p + strspn(p, " \t");
}


/* After the quote, up to behind the other one. NULL: there is none, or it is
   longer than any address */
static const char *quoted_read(char *buf, size_t size, const char *p)
{
	size_t n = 0;

	for (; *p && *p != '"'; p++) {
		if (*p == '\\' && !*++p)
			return NULL;
		if (n + 1 >= size)
			return NULL;
		buf[n++] = *p;
	}
	buf[n] = '\0';
	return *p ? p + 1 : NULL;
}


static const char *pair_read(struct pair *pair, const char *p)
{
	size_t len;

	pair->name = p;
	pair->name_len = strcspn(p, "=;, \t\"");
	p += pair->name_len;
	if (!pair->name_len || *p++ != '=')
		return NULL;
	if (*p == '"')
		return quoted_read(pair->value, sizeof(pair->value), p + 1);

	len = strcspn(p, ";, \t\"");
	if (!len || text_set(pair->value, sizeof(pair->value), p, len))
		return NULL;
	return p + len;
}


/* Up to the comma behind it, or the end. A name stands once in an element; a
   value with a comma in it would be two. */
static const char *element_scan(char host[64], const char *p)
{
	bool is_said = false;
	struct pair pair;

	(void)text_copy(host, 64, "unknown");
	for (;;) {
		p = blanks_skip(p);
		if (*p && *p != ';' && *p != ',') {
			p = pair_read(&pair, p);
			if (!p)
				return NULL;
			p = blanks_skip(p);
			if (pair.name_len == 3 &&
			    !strncasecmp(pair.name, "for", 3)) {
				if (is_said || strchr(pair.value, ','))
					return NULL;
				is_said = true;
				(void)text_copy(host, 64, pair.value);
			}
		}
		if (*p != ';')
			return !*p || *p == ',' ? p : NULL;
		++p;
	}
}


int forwarded_read(char buf[FORWARDED_SIZE], const char *text)
{
	char made[FORWARDED_SIZE] = "", host[64];
	const char *p = text;
	size_t n = 0;

	for (;;) {
		p = element_scan(host, p);
		if (!p || text_format(made + n, sizeof(made) - n, "%s%s",
				      n ? "," : "", host))
			return EBADMSG;
		n += strlen(made + n);
		if (!*p)
			break;
		++p;
	}
	return text_copy(buf, FORWARDED_SIZE, made) ? EBADMSG : 0;
}
