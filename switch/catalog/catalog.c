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
	free(c->endpoints);
	free(c->forwards);
	free(c->decision_urls);
	free(c->disconnects);
	free(c->disconnect_rules);
	free(c->dids);
	free(c->ranges);
	free(c->numbering);
	free(c->numbers.entries);
	number_lists_free(c);
	free(c->rule_sets);
	free(c->grants);
	free(c->short_codes);
	free(c->routes);
	free(c->targets);
	free(c->route_decks);
	free(c->scopes);
	prefix_tree_clear(&c->route_tree);
	free(c->plans);
	free(c->schedules);
	free(c->groups);
	free(c->carrier_rules);
	free(c->locks);
	free(c->fraud_rules);
	free(c->windows);
	free(c->subscriptions);
	free(c->spend_starts);
	free(c->zones);
	zone_index_clear(&c->zone_index);
	free(c->locations);
	free(c->emergencies);
	free(c->addresses);
	free(c->decks);
	free(c->deck_uses);
	free(c->rate_terms);
	free(c->origin_sets);
	free(c->exchanges);
	free(c->taxes);
	free(c);
}


uint64_t catalog_version(const struct catalog *c)
{
	return c->version;
}


uint64_t catalog_usable(const struct catalog *c)
{
	return c->usable;
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


const struct tenant *catalog_tenant(const struct catalog *c, const char *id)
{
	return find(id, c->tenants, c->tenant_n, sizeof(*c->tenants));
}


const struct carrier *catalog_carrier(const struct catalog *c, const char *id)
{
	return find(id, c->carriers, c->carrier_n, sizeof(*c->carriers));
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


const struct lock *catalog_lock(const struct catalog *c, const char *id)
{
	return find(id, c->locks, c->lock_n, sizeof(*c->locks));
}


const char *spend_period_name(enum spend_period period)
{
	return period == SPEND_DAY ? "day" : "month";
}


void spend_key(char key[SPEND_KEY_SIZE], const char *id,
	       enum spend_period period)
{
	(void)text_format(key, SPEND_KEY_SIZE, "%s %s", id,
			  spend_period_name(period));
}


const struct spend_start *catalog_spend_start(const struct catalog *c,
					      const char *key)
{
	return find(key, c->spend_starts, c->spend_start_n,
		    sizeof(*c->spend_starts));
}


/** What rows of a scope begin with. */
struct scoped {
	char scope[ID_SIZE], id[ID_SIZE];
};
_Static_assert(offsetof(struct fraud_rule, id) == ID_SIZE &&
	       offsetof(struct calling_window, id) == ID_SIZE,
	       "scope and id come first");


int scoped_compare(const void *a, const void *b)
{
	const struct scoped *x = a, *y = b;
	int order = strcmp(x->scope, y->scope);

	return order ? order : strcmp(x->id, y->id);
}


/* The first of a scope, and how many follow it */
static uint32_t scoped_find(const void *rows, uint32_t rows_n, size_t size,
			    const char *scope, uint32_t *ret_n)
{
	const char *at = rows;
	uint32_t from = 0, to = rows_n, n = 0;

	while (from < to) {
		const uint32_t mid = from + (to - from) / 2;

		if (strcmp(at + mid * size, scope) < 0)
			from = mid + 1;
		else
			to = mid;
	}
	while (from + n < rows_n && !strcmp(at + (from + n) * size, scope))
		n++;
	*ret_n = n;

	return from;
}


const struct fraud_rule *catalog_fraud_rules(const struct catalog *c,
					     const char *scope,
					     uint32_t *ret_n)
{
	const uint32_t from = scoped_find(c->fraud_rules, c->fraud_rule_n,
					  sizeof(*c->fraud_rules), scope,
					  ret_n);

	return c->fraud_rules ? c->fraud_rules + from : NULL;
}


const struct calling_window *catalog_calling_windows(const struct catalog *c,
						     const char *scope,
						     uint32_t *ret_n)
{
	const uint32_t from = scoped_find(c->windows, c->window_n,
					  sizeof(*c->windows), scope, ret_n);

	return c->windows ? c->windows + from : NULL;
}


bool catalog_has_calling_windows(const struct catalog *c)
{
	return c->window_n > 0;
}


uint16_t catalog_zone_count(const struct catalog *c)
{
	return (uint16_t)c->zone_n;
}


const struct zone *catalog_zone_at(const struct catalog *c, uint16_t bit)
{
	return &c->zones[bit];
}


void catalog_zones(const struct catalog *c, const char *e164,
		   const struct numbering *n, struct zone_set *ret)
{
	zone_index_find(&c->zone_index, e164 + (*e164 == '+'),
			n ? n->country : "",
			n ? n->type : NUMBERING_UNKNOWN, ret);
}


int emergency_compare(const void *a, const void *b)
{
	const struct emergency *x = a, *y = b;
	int order = strcmp(x->number, y->number);

	return order ? order : strcmp(x->scope, y->scope);
}


const struct emergency *catalog_emergency_number(const struct catalog *c,
						 const char *dialled,
						 const char *scope)
{
	struct emergency key;

	if (!c->emergency_n ||
	    text_copy(key.number, sizeof(key.number), dialled) ||
	    text_copy(key.scope, sizeof(key.scope), scope))
		return NULL;

	return bsearch(&key, c->emergencies, c->emergency_n, sizeof(key),
		       emergency_compare);
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
	if (!order)
		order = (int)x->port - (int)y->port;
	if (!order)
		order = strcmp(x->token_sha256, y->token_sha256);

	return order ? order : strcmp(x->tech_prefix, y->tech_prefix);
}


static const struct address *address_find(const struct catalog *c,
					  const struct address *key)
{
	return bsearch(key, c->addresses, c->address_n, sizeof(*key),
		       address_compare);
}


/* The first row of a network and port, whatever its marks. */
static const struct address *address_first(const struct catalog *c,
					   const struct address *key)
{
	uint32_t low = 0, high = c->address_n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (address_compare(&c->addresses[mid], key) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == c->address_n || c->addresses[low].bits != key->bits ||
	    c->addresses[low].port != key->port ||
	    memcmp(c->addresses[low].net, key->net, sizeof(key->net)))
		return NULL;

	return &c->addresses[low];
}


static const struct address *address_prefixed(const struct catalog *c,
					      struct address *key,
					      const char *called)
{
	size_t n = strnlen(called, c->tech_prefix_max);
	const struct address *hit = NULL;

	for (; n && !hit; n--) {
		memcpy(key->tech_prefix, called, n);
		key->tech_prefix[n] = '\0';
		hit = address_find(c, key);
	}
	key->tech_prefix[0] = '\0';

	return hit;
}


/* The row of one network and port that a call's marks fit. */
static const struct address *address_marked(const struct catalog *c,
					    struct address *key,
					    const struct peer_marks *marks)
{
	const struct address *hit = NULL;

	if (marks->token_sha256) {
		(void)text_copy(key->token_sha256, sizeof(key->token_sha256),
				marks->token_sha256);
		hit = address_find(c, key);
		key->token_sha256[0] = '\0';
	}
	if (!hit && marks->called)
		hit = address_prefixed(c, key, marks->called);

	return hit ? hit : address_find(c, key);
}


/* Each network that a source is in: long ones first, and of each the port
 * before any port, until the handler has found what it wants. */
typedef bool(network_h)(const struct catalog *c, struct address *key,
			void *arg);

static bool network_each(const struct catalog *c, const struct sa *src,
			 network_h *h, void *arg)
{
	struct address key;
	bool is_found = false;
	uint8_t i;

	memset(&key, 0, sizeof(key));
	if (!address_set(key.net, src))
		return false;

	/* each length is shorter than the one before: masking adds up */
	for (i = 0; i < c->length_n && !is_found; i++) {
		key.bits = c->lengths[i];
		address_mask(key.net, key.bits);
		key.port = sa_port(src);
		is_found = h(c, &key, arg);
		key.port = 0;
		is_found = is_found || h(c, &key, arg);
	}

	return is_found;
}


static bool peer_find(const struct catalog *c, struct address *key, void *arg)
{
	const struct address *hit = address_first(c, key);
	struct peer *peer = arg;

	if (hit)
		*peer = hit->peer;

	return hit;
}


struct peer catalog_peer(const struct catalog *c, const struct sa *src)
{
	struct peer peer = {0};

	(void)network_each(c, src, peer_find, &peer);

	return peer;
}


struct calling {
	const struct peer_marks *marks;
	struct peer peer;
};


static bool caller_find(const struct catalog *c, struct address *key,
			void *arg)
{
	struct calling *calling = arg;
	const struct address *hit = address_marked(c, key, calling->marks);

	if (!hit)
		return false;

	calling->peer = hit->peer;
	calling->peer.tech_prefix_n = (uint8_t)strlen(hit->tech_prefix);
	calling->peer.is_by_token = hit->token_sha256[0];

	return true;
}


struct peer catalog_caller(const struct catalog *c, const struct sa *src,
			   const struct peer_marks *marks)
{
	struct calling calling = {.marks = marks};

	(void)network_each(c, src, caller_find, &calling);

	return calling.peer;
}


static bool source_find(const struct catalog *c, struct address *key,
			void *arg)
{
	const struct address *a = address_first(c, key);
	const struct address *end = c->addresses + c->address_n;

	for (; a && a < end && a->bits == key->bits && a->port == key->port &&
	       !memcmp(a->net, key->net, sizeof(a->net)); a++)
		if (a->peer.trunk == arg)
			return true;

	return false;
}


bool catalog_is_source(const struct catalog *c, const struct sa *src,
		       const struct trunk *trunk)
{
	return network_each(c, src, source_find, (void *)(uintptr_t)trunk);
}


bool catalog_has_tokens(const struct catalog *c)
{
	return c->has_tokens;
}
