/**
 * @file catalog.c  Lookups: binary searches in the sorted arrays of one
 * immutable snapshot.
 */
#include <stdlib.h>
#include <string.h>
#include "catalog_data.h"
#include "text.h"


/** All of these begin with their id or name, which is what ids compare. */
static int key_compare(const void *key, const void *entry)
{
	return strcmp(key, entry);
}


static void *find(const char *key, const void *array, uint32_t n, size_t size)
{
	return n ? bsearch(key, array, n, size, key_compare) : NULL;
}


void catalog_free(void *catalog)
{
	struct catalog *c = catalog;
	uint32_t i;

	if (!c)
		return;

	for (i = 0; i < c->deck_n; i++)
		deck_unref(c->decks[i]);

	free(c->tenants);
	free(c->accounts);
	free(c->realms);
	free(c->trunks);
	free(c->sites);
	free(c->credentials);
	free(c->carriers);
	free(c->gateways);
	free(c->disconnects);
	free(c->disconnect_rules);
	free(c->dids);
	free(c->ranges);
	free(c->numbering);
	free(c->numbers.entries);
	free(c->routes);
	free(c->targets);
	free(c->route_decks);
	free(c->scopes);
	prefix_tree_clear(&c->route_tree);
	free(c->plans);
	free(c->schedules);
	free(c->groups);
	free(c->carrier_rules);
	free(c->addresses);
	free(c->decks);
	free(c);
}


uint64_t catalog_version(const struct catalog *c)
{
	return c->version;
}


const struct realm *catalog_realm(const struct catalog *c, const char *name)
{
	return find(name, c->realms, c->realm_n, sizeof(*c->realms));
}


const struct realm *catalog_realm_only(const struct catalog *c)
{
	return c->realm_n == 1 ? c->realms : NULL;
}


const struct trunk *catalog_trunk(const struct catalog *c, const char *id)
{
	return find(id, c->trunks, c->trunk_n, sizeof(*c->trunks));
}


const struct site *catalog_site(const struct catalog *c, const char *id)
{
	return find(id, c->sites, c->site_n, sizeof(*c->sites));
}


const struct account *catalog_account(const struct catalog *c, const char *id)
{
	return find(id, c->accounts, c->account_n, sizeof(*c->accounts));
}


const struct gateway *catalog_gateway(const struct catalog *c, const char *id)
{
	return find(id, c->gateways, c->gateway_n, sizeof(*c->gateways));
}


uint32_t catalog_gateway_count(const struct catalog *c)
{
	return c->gateway_n;
}


const struct gateway *catalog_gateway_at(const struct catalog *c, uint32_t i)
{
	return i < c->gateway_n ? &c->gateways[i] : NULL;
}


int credential_compare(const void *a, const void *b)
{
	const struct credential *x = a, *y = b;
	int order = strcmp(x->realm, y->realm);

	return order ? order : strcmp(x->username, y->username);
}


const struct credential *catalog_credential(const struct catalog *c,
					    const char *realm,
					    const char *username)
{
	struct credential key;

	if (!c->credential_n ||
	    text_copy(key.realm, sizeof(key.realm), realm) ||
	    text_copy(key.username, sizeof(key.username), username))
		return NULL;

	return bsearch(&key, c->credentials, c->credential_n, sizeof(key),
		       credential_compare);
}


const struct tag_table *catalog_tags(const struct catalog *c)
{
	return &c->tags;
}


bool address_set(uint8_t net[ADDRESS_BYTES], const struct sa *sa)
{
	static const uint8_t v4[] = {0, 0, 0, 0, 0,    0,
				     0, 0, 0, 0, 0xff, 0xff};
	uint32_t in;

	if (sa_af(sa) == AF_INET6) {
		sa_in6(sa, net);
		return true;
	}
	if (sa_af(sa) != AF_INET)
		return false;

	in = htonl(sa_in(sa));
	memcpy(net, v4, sizeof(v4));
	memcpy(net + sizeof(v4), &in, sizeof(in));

	return true;
}


void address_mask(uint8_t net[ADDRESS_BYTES], uint8_t bits)
{
	size_t whole = bits / 8;

	if (whole >= ADDRESS_BYTES)
		return;

	net[whole] &= (uint8_t)(0xff00 >> (bits % 8));
	memset(net + whole + 1, 0, ADDRESS_BYTES - whole - 1);
}


int address_compare(const void *a, const void *b)
{
	const struct address *x = a, *y = b;
	int order = (int)y->bits - (int)x->bits;

	if (!order)
		order = memcmp(x->net, y->net, sizeof(x->net));

	return order ? order : (int)x->port - (int)y->port;
}


static const struct address *address_find(const struct catalog *c,
					  struct address *key, uint16_t port)
{
	key->port = port;

	return bsearch(key, c->addresses, c->address_n, sizeof(*key),
		       address_compare);
}


struct peer catalog_peer(const struct catalog *c, const struct sa *src)
{
	const struct peer nobody = {NULL, NULL, NULL};
	const struct address *hit = NULL;
	struct address key;
	uint8_t i;

	if (!address_set(key.net, src))
		return nobody;

	/* each length is shorter than the one before: masking adds up */
	for (i = 0; i < c->length_n && !hit; i++) {
		key.bits = c->lengths[i];
		address_mask(key.net, key.bits);
		hit = address_find(c, &key, sa_port(src));
		if (!hit)
			hit = address_find(c, &key, 0);
	}

	return hit ? hit->peer : nobody;
}
