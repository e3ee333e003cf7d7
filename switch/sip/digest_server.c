/**
 * @file digest_server.c  Challenges and their check. The nonce carries its
 * own proof; only the counts of nonces that were used rightly are kept.
 */
#include <ctype.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include "digest.h"
#include "digest_fields.h"
#include "digest_hash.h"
#include "message.h"
#include "metric.h"
#include "recent.h"
#include "text.h"

/*
 *   0         1            5              9                       25
 *   | version | second, BE | serial, BE   | HMAC-SHA-256, 16 bytes |
 *
 * The serial tells apart two challenges of one second to one source: two
 * PBXs behind one NAT, or one that starts two calls at once.
 */
enum {
	NONCE_VERSION = 1,
	NONCE_HEAD = 9,
	NONCE_MAC = 16,
	NONCE_LEN = NONCE_HEAD + NONCE_MAC,
	NONCE_HEX = 2 * NONCE_LEN,
	COUNT_WINDOW = 64,
};

struct digest_server {
	EVP_MAC_CTX *mac;       /**< keyed with the secret                  */
	uint32_t life_s;
	uint32_t serial;
	uint32_t floor_s;       /**< unknown nonces as old as this are stale*/
	struct recent *uses;    /**< struct nonce_use                       */
	struct metric *dropped;
};

/** Counts of one nonce: the highest, and which of the 64 up to it. */
struct nonce_use {
	struct recent_entry entry;
	uint32_t second;
	uint32_t last;
	uint64_t seen;          /**< bit n: last - n was used               */
};

struct nonce {
	uint8_t bytes[NONCE_LEN];
	uint32_t second;
};


static void destructor(void *arg)
{
	struct digest_server *d = arg;

	EVP_MAC_CTX_free(d->mac);
	mem_deref(d->uses);
}


static int mac_start(EVP_MAC_CTX **ctxp, const uint8_t secret[32])
{
	char digest[] = "SHA256";
	const OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST,
						 digest, 0),
		OSSL_PARAM_construct_end(),
	};
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;

	EVP_MAC_free(mac);
	if (!ctx)
		return ENOMEM;

	if (!EVP_MAC_init(ctx, secret, 32, params)) {
		EVP_MAC_CTX_free(ctx);
		return ENOTSUP;
	}

	*ctxp = ctx;
	return 0;
}


static int mac_compute(struct digest_server *d, uint8_t mac[NONCE_MAC],
		       const struct pl *parts, size_t n)
{
	uint8_t md[EVP_MAX_MD_SIZE];
	size_t len, i;
	bool ok;

	/* no key given: the context begins again with the one it has */
	ok = EVP_MAC_init(d->mac, NULL, 0, NULL);
	for (i = 0; i < n && ok; i++)
		ok = EVP_MAC_update(d->mac, (const uint8_t *)parts[i].p,
				    parts[i].l);
	ok = ok && EVP_MAC_final(d->mac, md, &len, sizeof(md));
	if (!ok || len < NONCE_MAC)
		return ENOTSUP;

	memcpy(mac, md, NONCE_MAC);
	return 0;
}


int digest_server_alloc(struct digest_server **dp, const uint8_t secret[32],
			uint32_t nonce_life_s, size_t nonces_max)
{
	struct digest_server *d;
	uint8_t key[16];
	int err;

	if (!dp || !secret || !nonce_life_s || !nonces_max)
		return EINVAL;

	d = mem_zalloc(sizeof(*d), destructor);
	if (!d)
		return ENOMEM;

	d->life_s = nonce_life_s;
	d->dropped = metric_counter("strowger_digest_nonces_dropped_total",
				    NULL, "Nonce counts forgotten early");

	err = mac_start(&d->mac, secret);
	if (err)
		goto out;

	err = digest_server_key(d, "nonce counts", key);
	if (err)
		goto out;

	err = recent_alloc(&d->uses, nonces_max, sizeof(struct nonce_use),
			   key);

out:
	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}


int digest_server_key(struct digest_server *d, const char *purpose,
		      uint8_t key[16])
{
	/* a nonce's input begins with its version, this one with 0 */
	struct pl parts[2] = {{"\0", 1}, PL_INIT};

	if (!d || !purpose || !key)
		return EINVAL;

	pl_set_str(&parts[1], purpose);
	return mac_compute(d, key, parts, 2);
}


static uint32_t wall_second(const struct moment *now)
{
	return (uint32_t)(now->wall_us / 1000000);
}


static void put_u32(uint8_t *p, uint32_t v)
{
	v = htonl(v);
	memcpy(p, &v, sizeof(v));
}


static int nonce_mac(struct digest_server *d, uint8_t mac[NONCE_MAC],
		     const uint8_t *head, const struct realm *realm,
		     const struct sa *src)
{
	uint8_t ip[16] = {0};
	struct pl parts[3] = {
		{(const char *)head, NONCE_HEAD},
		{(const char *)ip, sizeof(ip)},
	};

	if (sa_af(src) == AF_INET)
		put_u32(ip, sa_in(src));
	else
		sa_in6(src, ip);

	pl_set_str(&parts[2], realm->name);
	return mac_compute(d, mac, parts, 3);
}


static int nonce_make(char hex[NONCE_HEX + 1], struct digest_server *d,
		      const struct moment *now, const struct realm *realm,
		      const struct sa *src)
{
	uint8_t bytes[NONCE_LEN];
	int err;

	bytes[0] = NONCE_VERSION;
	put_u32(bytes + 1, wall_second(now));
	put_u32(bytes + 5, ++d->serial);

	err = nonce_mac(d, bytes + NONCE_HEAD, bytes, realm, src);
	if (err)
		return err;

	text_hex(hex, bytes, sizeof(bytes));
	return 0;
}


/* Made by this secret, for this source and realm? Age is another question. */
static bool nonce_open(struct nonce *ret_nonce, struct digest_server *d,
		       const struct pl *text, const struct realm *realm,
		       const struct sa *src)
{
	uint8_t mac[NONCE_MAC];
	char hex[NONCE_HEX + 1];
	struct nonce n;

	if (text->l != NONCE_HEX || pl_strcpy(text, hex, sizeof(hex)) ||
	    text_unhex(n.bytes, NONCE_LEN, hex))
		return false;

	if (n.bytes[0] != NONCE_VERSION ||
	    nonce_mac(d, mac, n.bytes, realm, src) ||
	    CRYPTO_memcmp(mac, n.bytes + NONCE_HEAD, NONCE_MAC))
		return false;

	memcpy(&n.second, n.bytes + 1, sizeof(n.second));
	n.second = ntohl(n.second);

	*ret_nonce = n;
	return true;
}


static bool nonce_is_stale(const struct digest_server *d,
			   const struct nonce *n, const struct moment *now)
{
	/* from the future: the wall clock was set back */
	int64_t age = (int64_t)wall_second(now) - n->second;

	return age > (int64_t)d->life_s || -age > (int64_t)d->life_s;
}


static bool count_is_new(struct nonce_use *u, uint32_t nc)
{
	uint32_t step;

	if (nc > u->last) {
		step = nc - u->last;
		u->seen = step < COUNT_WINDOW ? u->seen << step : 0;
		u->seen |= 1;
		u->last = nc;
		return true;
	}

	step = u->last - nc;
	if (step >= COUNT_WINDOW || (u->seen >> step & 1))
		return false;

	u->seen |= UINT64_C(1) << step;
	return true;
}


static enum digest_verdict count_check(struct digest_server *d,
				       const struct nonce *n, uint32_t nc)
{
	uint64_t id = recent_id(d->uses, 0, n->bytes, NONCE_LEN);
	struct nonce_use *u = recent_find(d->uses, id), *victim;

	if (!u) {
		/* it may be one whose counts were forgotten */
		if (n->second <= d->floor_s)
			return DIGEST_STALE;

		victim = recent_victim(d->uses);
		if (victim) {
			d->floor_s = MAX(d->floor_s, victim->second);
			metric_add(d->dropped, 1);
		}

		u = recent_add(d->uses, id);
		if (!u)
			return DIGEST_STALE;
		u->second = n->second;
	}

	return count_is_new(u, nc) ? DIGEST_OK : DIGEST_REPLAY;
}


/** Looking for the credentials of one realm. */
struct search {
	const struct realm *realm;
	struct digest_fields fields;
	bool is_malformed;      /**< some header was; it may have been ours */
};


static bool search_handler(const struct sip_hdr *hdr,
			   const struct sip_msg *msg, void *arg)
{
	struct search *s = arg;
	struct digest_fields f;
	char name[REALM_SIZE];
	int err;
	(void)msg;

	err = digest_fields_decode(&f, &hdr->val);
	if (err) {
		s->is_malformed |= err == EBADMSG;
		return false;
	}

	if (!f.realm.p) {
		s->is_malformed = true;
		return false;
	}

	if (digest_fields_text(name, sizeof(name), &f.realm) ||
	    strcmp(name, s->realm->name) != 0)
		return false;

	s->fields = f;
	return true;
}


static int search_credentials(struct digest_fields *f,
			      const struct sip_msg *msg,
			      const struct realm *realm, bool is_proxy)
{
	struct search s = {.realm = realm};
	enum sip_hdrid id = is_proxy ? SIP_HDR_PROXY_AUTHORIZATION
				     : SIP_HDR_AUTHORIZATION;

	if (!sip_msg_hdr_apply(msg, true, id, search_handler, &s))
		return s.is_malformed ? EBADMSG : ENOENT;

	*f = s.fields;
	return 0;
}


int digest_user(const struct sip_msg *msg, const struct realm *realm,
		bool is_proxy, char *buf, size_t size)
{
	struct digest_fields f;
	int err;

	if (!msg || !realm || !buf || !size)
		return EINVAL;

	err = search_credentials(&f, msg, realm, is_proxy);
	if (err)
		return err;

	return digest_fields_text(buf, size, &f.username);
}


static bool user_equal(const struct pl *a, const struct pl *b)
{
	char ua[256], ub[256];

	return !message_user(a, ua, sizeof(ua)) &&
	       !message_user(b, ub, sizeof(ub)) && !strcmp(ua, ub);
}


static bool uri_is_meant(const struct pl *text, const struct sip_msg *msg)
{
	struct uri uri;

	if (pl_strcmp(&msg->met, "INVITE"))
		return true;

	if (text->l == msg->ruri.l && !pl_cmp(text, &msg->ruri))
		return true;

	if (uri_decode(&uri, text))
		return false;

	return user_equal(&uri.user, &msg->uri.user) &&
	       pl_isset(&uri.host) &&
	       !pl_casecmp(&uri.host, &msg->uri.host);
}


/* 8 hex digits (RFC 7616 3.4), never 0. */
static int count_decode(uint32_t *ret_nc, const struct pl *text)
{
	size_t i;

	if (text->l != 8)
		return EBADMSG;

	for (i = 0; i < text->l; i++)
		if (!isxdigit((unsigned char)text->p[i]))
			return EBADMSG;

	*ret_nc = pl_x32(text);
	return *ret_nc ? 0 : EBADMSG;
}


static bool realm_offers(const struct realm *realm, unsigned algorithm)
{
	unsigned i;

	for (i = 0; i < realm->algorithm_n && i < HA1_N; i++)
		if (realm->algorithms[i] == algorithm)
			return true;

	return false;
}


/*
 * Both for a user that exists and for one that does not: the same lookups,
 * hashes and comparison.
 */
static bool response_is_right(const struct digest_fields *f,
			      unsigned algorithm, const struct sip_msg *msg,
			      const struct credential *cred)
{
	static const char nobody[] = "0000000000000000" "0000000000000000"
				     "0000000000000000" "0000000000000000";
	size_t len = digest_hash_len(algorithm);
	struct digest_input in = {
		.nonce = f->nonce, .nc = f->nc, .cnonce = f->cnonce,
		.qop = f->qop, .method = msg->met, .uri = f->uri,
	};
	char hex[DIGEST_HEX_SIZE], given[DIGEST_HEX_SIZE] = "";
	bool is_known, is_equal;
	size_t i;

	is_known = cred && strlen(cred->ha1[algorithm]) == len;
	in.ha1 = is_known ? cred->ha1[algorithm] : nobody + 64 - len;

	if (digest_hash_response(hex, algorithm, &in))
		return false;

	for (i = 0; i < f->response.l && i < len; i++)
		given[i] = (char)tolower((unsigned char)f->response.p[i]);

	is_equal = !CRYPTO_memcmp(hex, given, len);

	return is_equal & is_known & (f->response.l == len);
}


enum digest_verdict digest_check(struct digest_server *d,
				 const struct moment *now,
				 const struct catalog *cat,
				 const struct realm *realm, bool is_proxy,
				 const struct sip_msg *msg,
				 const struct sa *src,
				 const struct credential **ret_cred)
{
	const struct credential *cred;
	struct digest_fields f;
	char user[USER_SIZE];
	enum digest_verdict v;
	unsigned algorithm;
	struct nonce nonce;
	uint32_t nc;
	int err;

	err = search_credentials(&f, msg, realm, is_proxy);
	if (err)
		return err == ENOENT ? DIGEST_NONE : DIGEST_MALFORMED;

	if (!f.username.p || !f.nonce.p || !f.uri.p || !f.response.p ||
	    !uri_is_meant(&f.uri, msg))
		return DIGEST_MALFORMED;

	if (!nonce_open(&nonce, d, &f.nonce, realm, src))
		return DIGEST_STALE;

	/* what was not offered counts as a wrong answer */
	algorithm = digest_hash_find(&f.algorithm);
	if (!realm_offers(realm, algorithm) || pl_strcasecmp(&f.qop, "auth"))
		return DIGEST_WRONG;

	if (count_decode(&nc, &f.nc) || !f.cnonce.l)
		return DIGEST_MALFORMED;

	/* a longer name than any we have is nobody's */
	if (digest_fields_text(user, sizeof(user), &f.username))
		user[0] = '\0';

	cred = catalog_credential(cat, realm->name, user);
	if (cred && !cred->trunk)
		cred = NULL; /* a gateway's: for our own answers only */

	if (!response_is_right(&f, algorithm, msg, cred))
		return DIGEST_WRONG;

	if (nonce_is_stale(d, &nonce, now))
		return DIGEST_STALE;

	v = count_check(d, &nonce, nc);
	if (v == DIGEST_OK && ret_cred)
		*ret_cred = cred;

	return v;
}


int digest_challenge(struct mbuf *mb, struct digest_server *d,
		     const struct moment *now, const struct realm *realm,
		     bool is_proxy, const struct sa *src, bool is_stale)
{
	char hex[NONCE_HEX + 1];
	unsigned i;
	int err;

	if (!mb || !d || !now || !realm || !src)
		return EINVAL;

	err = nonce_make(hex, d, now, realm, src);

	for (i = 0; i < realm->algorithm_n && i < HA1_N && !err; i++)
		err = mbuf_printf(mb,
				  "%s-Authenticate: Digest realm=\"%H\","
				  " nonce=\"%s\", algorithm=%s,"
				  " qop=\"auth\"%s\r\n",
				  is_proxy ? "Proxy" : "WWW",
				  digest_fields_escape, realm->name, hex,
				  digest_hash_name(realm->algorithms[i]),
				  is_stale ? ", stale=true" : "");

	return err;
}
