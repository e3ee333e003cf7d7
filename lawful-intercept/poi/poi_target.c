/**
 * @file poi_target.c  Identities in one form, and their keyed digests.
 */
/* HMAC of OpenSSL's new interface keeps the key on the heap, where a core of
 * the process would show it; the old hash is a plain value */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <ctype.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <string.h>
#include <strings.h>
#include "poi_target.h"
#include "text.h"

#define BLOCK 64 /* of SHA-256 */
#define DIGITS_MAX 64 /* of a number as written, prefixes and all */

_Static_assert(sizeof(SHA256_CTX) <= sizeof(((struct poi_key *)0)->inner),
	       "the state of the hash does not fit");


/* Digits without what is written for the eye (RFC 3966 5.1.1) */
static int digits_read(char digits[DIGITS_MAX + 1], bool *is_global,
		       const char *text, size_t len)
{
	size_t i, n = 0;

	*is_global = len > 0 && text[0] == '+';
	for (i = *is_global ? 1 : 0; i < len; i++) {
		if (text[i] != '\0' && strchr("-.() ", text[i]))
			continue;
		if (text[i] < '0' || text[i] > '9' || n == DIGITS_MAX)
			return EBADMSG;
		digits[n++] = text[i];
	}
	digits[n] = '\0';

	return 0;
}


static bool begins(const char *digits, const char *prefix)
{
	return prefix[0] && !strncmp(digits, prefix, strlen(prefix));
}


static int number_put(char id[POI_IDENTITY_SIZE], const char *country,
		      const char *digits)
{
	const size_t n = strlen(country) + strlen(digits);

	if (!digits[0] || n > POI_E164_MAX)
		return EBADMSG;

	return text_format(id, POI_IDENTITY_SIZE, "tel:%s%s", country, digits);
}


int poi_identity_number(char id[POI_IDENTITY_SIZE], const char *text,
			size_t len, const struct poi_numbering *plan)
{
	char digits[DIGITS_MAX + 1];
	bool is_global;
	int err = digits_read(digits, &is_global, text, len);

	if (err)
		return err;
	if (is_global || !plan)
		return number_put(id, "", digits);

	/* the longer one first: "00" begins with "0" */
	if (begins(digits, plan->international))
		return number_put(id, "",
				  digits + strlen(plan->international));
	if (begins(digits, plan->national))
		return number_put(id, plan->country,
				  digits + strlen(plan->national));

	return number_put(id, "", digits);
}


/* ;name=value among parameters; @return its value and length, or NULL */
static const char *param(const char *p, size_t len, const char *name,
			 size_t *ret_len)
{
	const char *end = p + len;
	const size_t n = strlen(name);

	while (p < end && *p == ';') {
		const char *next = memchr(p + 1, ';', (size_t)(end - p - 1));

		next = next ? next : end;
		p++;
		if ((size_t)(next - p) > n && p[n] == '=' &&
		    !strncasecmp(p, name, n)) {
			*ret_len = (size_t)(next - p) - n - 1;
			return p + n + 1;
		}
		p = next;
	}

	return NULL;
}


/* A number that is only known within a country: phone-context=+49. A longer
 * context is an area, and does not say how the number goes on (RFC 3966
 * 5.1.5). */
static int local_number(char id[POI_IDENTITY_SIZE], const char *text,
			size_t len, const char *context, size_t context_len,
			const struct poi_numbering *plan)
{
	char digits[DIGITS_MAX + 1], country[DIGITS_MAX + 1];
	bool is_global;
	size_t skip = 0;

	if (digits_read(country, &is_global, context, context_len) ||
	    !is_global || !country[0] || strlen(country) > 3)
		return EBADMSG;
	if (digits_read(digits, &is_global, text, len) || is_global)
		return EBADMSG;

	if (plan && !strcmp(plan->country, country) &&
	    begins(digits, plan->national))
		skip = strlen(plan->national);

	return number_put(id, country, digits + skip);
}


static int tel_uri(char id[POI_IDENTITY_SIZE], const char *p, size_t len,
		   const struct poi_numbering *plan)
{
	const char *semi = memchr(p, ';', len), *context;
	const size_t n = semi ? (size_t)(semi - p) : len;
	size_t context_len;

	context = semi ? param(semi, len - n, "phone-context", &context_len)
		       : NULL;
	if (context && n && p[0] != '+')
		return local_number(id, p, n, context, context_len, plan);

	return poi_identity_number(id, p, n, plan);
}


static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)tolower((unsigned char)c);

	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}


/* Escapes undone (RFC 3261 19.1.4); nothing that would end a text or a line */
static int user_read(char *buf, size_t size, const char *p, size_t len)
{
	size_t i, n = 0;

	for (i = 0; i < len; i++) {
		int c = (unsigned char)p[i];

		if (c == '%') {
			const int hi = i + 2 < len ? hex_value(p[i + 1]) : -1;
			const int lo = i + 2 < len ? hex_value(p[i + 2]) : -1;

			if (hi < 0 || lo < 0)
				return EBADMSG;
			c = hi << 4 | lo;
			i += 2;
		}
		if (c <= ' ' || c == 127 || n + 1 >= size)
			return EBADMSG;
		buf[n++] = (char)c;
	}
	buf[n] = '\0';

	return n ? 0 : EBADMSG;
}


/* "[2001:db8::1]:5060" and "Host:5060" without the port */
static size_t host_len(const char *p, size_t len)
{
	const char *end;

	if (len && *p == '[') {
		end = memchr(p, ']', len);
		return end ? (size_t)(end - p) + 1 : 0;
	}
	end = memchr(p, ':', len);

	return end ? (size_t)(end - p) : len;
}


static int host_read(char *buf, size_t size, const char *p, size_t len)
{
	size_t i;

	if (!len || len >= size)
		return EBADMSG;

	for (i = 0; i < len; i++) {
		if (!isalnum((unsigned char)p[i]) && !strchr("-.[]:_", p[i]))
			return EBADMSG;
		buf[i] = (char)tolower((unsigned char)p[i]);
	}
	buf[len] = '\0';

	return 0;
}


static bool is_phone(const char *params, size_t len)
{
	size_t n;
	const char *user = param(params, len, "user", &n);

	return user && n == 5 && !strncasecmp(user, "phone", 5);
}


static int sip_uri(char id[POI_IDENTITY_SIZE], const char *p, size_t len,
		   const struct poi_numbering *plan)
{
	const char *at = memchr(p, '@', len), *rest, *q;
	char user[128], host[128];
	size_t user_len, n, rest_len;

	if (!at)
		return EBADMSG;

	user_len = (size_t)(at - p);
	q = memchr(p, ':', user_len);
	if (q)
		user_len = (size_t)(q - p);
	rest = at + 1;
	rest_len = len - (size_t)(rest - p);
	q = memchr(rest, '?', rest_len);
	if (q)
		rest_len = (size_t)(q - rest);
	q = memchr(rest, ';', rest_len);
	n = host_len(rest, q ? (size_t)(q - rest) : rest_len);

	if (user_read(user, sizeof(user), p, user_len) ||
	    host_read(host, sizeof(host), rest, n))
		return EBADMSG;
	if ((user[0] == '+' ||
	     (q && is_phone(q, rest_len - (size_t)(q - rest)))) &&
	    !tel_uri(id, user, strlen(user), plan))
		return 0;

	return text_format(id, POI_IDENTITY_SIZE, "sip:%s@%s", user, host)
		       ? EBADMSG : 0;
}


int poi_identity_uri(char id[POI_IDENTITY_SIZE], const char *uri, size_t len,
		     const struct poi_numbering *plan)
{
	if (len > 4 && !strncasecmp(uri, "tel:", 4))
		return tel_uri(id, uri + 4, len - 4, plan);
	if (len > 4 && !strncasecmp(uri, "sip:", 4))
		return sip_uri(id, uri + 4, len - 4, plan);
	if (len > 5 && !strncasecmp(uri, "sips:", 5))
		return sip_uri(id, uri + 5, len - 5, plan);

	return EBADMSG;
}


static void half_key(uint64_t state[16], const uint8_t key[POI_KEY_SIZE],
		     uint8_t pad)
{
	uint8_t block[BLOCK];
	SHA256_CTX ctx;
	size_t i;

	for (i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)((i < POI_KEY_SIZE ? key[i] : 0) ^ pad);
	(void)SHA256_Init(&ctx);
	(void)SHA256_Update(&ctx, block, sizeof(block));
	memset(state, 0, 16 * sizeof(*state));
	memcpy(state, &ctx, sizeof(ctx));
	OPENSSL_cleanse(block, sizeof(block));
	OPENSSL_cleanse(&ctx, sizeof(ctx));
}


void poi_key_init(struct poi_key *key, const uint8_t bytes[POI_KEY_SIZE])
{
	half_key(key->inner, bytes, 0x36);
	half_key(key->outer, bytes, 0x5c);
}


void poi_digest(uint8_t digest[POI_DIGEST_SIZE], const struct poi_key *key,
		const char *identity)
{
	uint8_t hash[SHA256_DIGEST_LENGTH];
	SHA256_CTX ctx;

	memcpy(&ctx, key->inner, sizeof(ctx));
	(void)SHA256_Update(&ctx, identity, strlen(identity));
	(void)SHA256_Final(hash, &ctx);
	memcpy(&ctx, key->outer, sizeof(ctx));
	(void)SHA256_Update(&ctx, hash, sizeof(hash));
	(void)SHA256_Final(hash, &ctx);
	memcpy(digest, hash, POI_DIGEST_SIZE);
	OPENSSL_cleanse(&ctx, sizeof(ctx));
	OPENSSL_cleanse(hash, sizeof(hash));
}
