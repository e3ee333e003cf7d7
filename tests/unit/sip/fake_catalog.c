/**
 * @file fake_catalog.c  Catalog lookups over plain arrays.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "digest_hash.h"
#include "fake_catalog.h"
#include "text.h"


struct catalog *fake_catalog(void)
{
	struct catalog *c = mem_zalloc(sizeof(*c), NULL);

	cr_assert(c);
	c->tenant.is_active = true;
	c->account.is_active = true;
	c->account.tenant = &c->tenant;
	c->carrier.is_active = true;

	return c;
}


struct realm *fake_realm(struct catalog *c, const char *name, unsigned first,
			 unsigned second, unsigned third)
{
	const unsigned order[] = {first, second, third};
	struct realm *r = &c->realms[c->realm_n++];
	unsigned i;

	cr_assert(c->realm_n <= FAKE_MAX);
	text_copy(r->name, sizeof(r->name), name);
	for (i = 0; i < 3 && order[i] < HA1_N; i++)
		r->algorithms[r->algorithm_n++] = (uint8_t)order[i];

	return r;
}


struct trunk *fake_trunk(struct catalog *c, const char *id)
{
	struct trunk *t = &c->trunks[c->trunk_n++];

	cr_assert(c->trunk_n <= FAKE_MAX);
	text_copy(t->id, sizeof(t->id), id);
	t->tenant = &c->tenant;
	t->account = &c->account;
	t->is_active = true;

	return t;
}


void fake_ha1(struct credential *cred, const char *password)
{
	char text[256];
	struct pl pl;
	unsigned i;

	text_format(text, sizeof(text), "%s:%s:%s", cred->username,
		    cred->realm, password);
	pl_set_str(&pl, text);
	for (i = 0; i < HA1_N; i++)
		cr_assert_eq(digest_hash_hex(cred->ha1[i], i, &pl, 1), 0);
}


struct credential *fake_credential(struct catalog *c, const char *realm,
				   const char *username, const char *password,
				   const struct trunk *trunk)
{
	struct credential *cred = &c->credentials[c->credential_n++];

	cr_assert(c->credential_n <= FAKE_MAX);
	text_copy(cred->username, sizeof(cred->username), username);
	text_copy(cred->realm, sizeof(cred->realm), realm);
	cred->trunk = trunk;
	fake_ha1(cred, password);

	return cred;
}


struct gateway *fake_gateway(struct catalog *c, const char *id,
			     const char *ip, uint16_t port)
{
	struct gateway *g = &c->gateways[c->gateway_n];

	g->index = c->gateway_n++;
	cr_assert(c->gateway_n <= FAKE_MAX);
	text_copy(g->id, sizeof(g->id), id);
	cr_assert_eq(sa_set_str(&g->addr, ip, port), 0);
	g->carrier = &c->carrier;
	g->is_active = true;

	return g;
}


void fake_peer(struct catalog *c, const char *ip, const struct trunk *trunk,
	       const struct gateway *gateway)
{
	cr_assert(c->peer_n < FAKE_MAX);
	cr_assert_eq(sa_set_str(&c->peers[c->peer_n].addr, ip, 0), 0);
	c->peers[c->peer_n].peer.trunk = trunk;
	c->peers[c->peer_n].peer.gateway = gateway;
	++c->peer_n;
}


struct sa fake_sa(const char *ip, uint16_t port)
{
	struct sa sa;

	cr_assert_eq(sa_set_str(&sa, ip, port), 0);
	return sa;
}


struct sip_msg *fake_message(const char *fmt, ...)
{
	struct mbuf *mb = mbuf_alloc(1024);
	struct sip_msg *msg = NULL;
	char *text = NULL, *p;
	va_list ap;

	va_start(ap, fmt);
	cr_assert_eq(re_vsdprintf(&text, fmt, ap), 0);
	va_end(ap);

	for (p = text; *p; ++p) {
		if (*p == '\n')
			mbuf_write_u8(mb, '\r');
		mbuf_write_u8(mb, (uint8_t)*p);
	}

	mb->pos = 0;
	cr_assert_eq(sip_msg_decode(&msg, mb), 0, "message: %s", text);
	mem_deref(text);
	mem_deref(mb);

	return msg;
}


/* --- the lookups of catalog.h that sip uses */

struct peer catalog_peer(const struct catalog *c, const struct sa *src)
{
	unsigned i;

	for (i = 0; i < c->peer_n; i++)
		if (sa_cmp(&c->peers[i].addr, src, SA_ADDR))
			return c->peers[i].peer;

	return (struct peer){0};
}


struct peer catalog_caller(const struct catalog *c, const struct sa *src,
			   const struct peer_marks *marks)
{
	for (unsigned i = 0; i < c->peer_n; i++) {
		struct peer peer = c->peers[i].peer;
		const char *prefix = c->peers[i].prefix;
		const char *token = c->peers[i].token_sha256;

		if (!sa_cmp(&c->peers[i].addr, src, SA_ADDR))
			continue;
		if (prefix && strncmp(marks->called, prefix, strlen(prefix)))
			continue;
		if (token && (!marks->token_sha256 ||
			      strcmp(marks->token_sha256, token)))
			continue;
		peer.tech_prefix_n = prefix ? (uint8_t)strlen(prefix) : 0;
		peer.is_by_token = token;
		return peer;
	}

	return (struct peer){0};
}


bool catalog_is_source(const struct catalog *c, const struct sa *src,
		       const struct trunk *trunk)
{
	for (unsigned i = 0; i < c->peer_n; i++)
		if (sa_cmp(&c->peers[i].addr, src, SA_ADDR) &&
		    c->peers[i].peer.trunk == trunk)
			return true;

	return false;
}


bool catalog_has_tokens(const struct catalog *c)
{
	for (unsigned i = 0; i < c->peer_n; i++)
		if (c->peers[i].token_sha256)
			return true;

	return false;
}


const struct route *catalog_emergency(const struct catalog *c,
				      const char *dialled)
{
	return c->emergency.prefix[0] && !strcmp(c->emergency.prefix, dialled)
		       ? &c->emergency : NULL;
}


const struct realm *catalog_realm(const struct catalog *c, const char *name)
{
	unsigned i;

	for (i = 0; i < c->realm_n; i++)
		if (!strcmp(c->realms[i].name, name))
			return &c->realms[i];

	return NULL;
}


const struct realm *catalog_realm_only(const struct catalog *c)
{
	return c->realm_n == 1 ? &c->realms[0] : NULL;
}


const struct credential *catalog_credential(const struct catalog *c,
					    const char *realm,
					    const char *username)
{
	unsigned i;

	for (i = 0; i < c->credential_n; i++)
		if (!strcmp(c->credentials[i].realm, realm) &&
		    !strcmp(c->credentials[i].username, username))
			return &c->credentials[i];

	return NULL;
}


const struct trunk *catalog_trunk(const struct catalog *c, const char *id)
{
	unsigned i;

	for (i = 0; i < c->trunk_n; i++)
		if (!strcmp(c->trunks[i].id, id))
			return &c->trunks[i];

	return NULL;
}


const struct gateway *catalog_gateway(const struct catalog *c, const char *id)
{
	unsigned i;

	for (i = 0; i < c->gateway_n; i++)
		if (!strcmp(c->gateways[i].id, id))
			return &c->gateways[i];

	return NULL;
}


uint32_t catalog_gateway_count(const struct catalog *c)
{
	return c->gateway_n;
}


const struct gateway *catalog_gateway_at(const struct catalog *c, uint32_t i)
{
	return i < c->gateway_n ? &c->gateways[i] : NULL;
}
