/**
 * @file catalog_build.c  Rows into a catalog: references become pointers. A
 * row whose reference is broken is left out, logged and counted; the rest of
 * the catalog works.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "catalog_build.h"
#include "catalog_forward.h"
#include "catalog_row_number.h"


static int id_compare(const void *key, const void *entry)
{
	return strcmp(key, entry);
}


static const struct disconnect_policy *find_disconnect(
	const struct catalog *c, const char *id)
{
	return c->disconnect_n ? bsearch(id, c->disconnects, c->disconnect_n,
					 sizeof(*c->disconnects), id_compare)
			       : NULL;
}


static int deck_compare(const void *key, const void *entry)
{
	const struct deck *const *deck = entry;

	return strcmp(key, deck_id(*deck));
}


/** NULL also for a deck that is not active or could not be built. */
static const struct deck *find_deck(const struct catalog *c, const char *id)
{
	struct deck *const *hit;

	if (!id[0] || !c->deck_n)
		return NULL;

	hit = bsearch(id, c->decks, c->deck_n, sizeof(void *),
		      deck_compare);

	return hit ? *hit : NULL;
}


/* --- one function per kind */

/* What is not there is left out: a call is rated without it. */
static const struct schedule *find_schedule(const struct catalog *c,
					    const char *id)
{
	return c->schedule_n ? bsearch(id, c->schedules, c->schedule_n,
				       sizeof(*c->schedules), id_compare)
			     : NULL;
}


static const char *rate_terms_add(struct build *b, const struct row *row)
{
	struct rate_terms t = row->body->rate_terms;

	for (uint8_t i = 0; i < t.window_n; i++) {
		t.windows[i].schedule =
			find_schedule(b->c, t.windows[i].schedule_id);
		if (!t.windows[i].schedule)
			return "windows: schedule_id";
	}
	b->c->rate_terms[b->c->rate_terms_n++] = t;

	return NULL;
}


static const char *origin_set_add(struct build *b, const struct row *row)
{
	b->c->origin_sets[b->c->origin_set_n++] = row->body->origin_set;

	return NULL;
}


static const char *exchange_add(struct build *b, const struct row *row)
{
	if (row->body->exchange.rate_nano <= 0)
		return "rate_nano";

	b->c->exchanges[b->c->exchange_n++] = row->body->exchange;

	return NULL;
}


static const char *tax_add(struct build *b, const struct row *row)
{
	b->c->taxes[b->c->tax_n++] = row->body->tax;

	return NULL;
}


static const struct tax_profile *find_tax(const struct catalog *c,
					  const char *id)
{
	return c->tax_n ? bsearch(id, c->taxes, c->tax_n, sizeof(*c->taxes),
				  id_compare)
			: NULL;
}


static const char *tenant_add(struct build *b, const struct row *row)
{
	const char *plan = row->body->refs.plan;
	struct tenant t = row->body->tenant;
	const char *broken;

	t.plan = build_plan(b->c, plan);
	if (plan[0] && !t.plan)
		return "routing_plan_id";
	t.tax = find_tax(b->c, row->body->refs.tax);

	broken = build_lists(b->c, &t.lists, row->body);
	if (!broken)
		b->c->tenants[b->c->tenant_n++] = t;

	return broken;
}


/* Resellers may stand behind their customers: all are there by now. */
static void tenants_link(struct build *b)
{
	for (uint32_t i = 0; i < b->c->tenant_n; i++) {
		const struct row *row = b->rows[ROW_TENANT][i];

		b->c->tenants[i].parent =
			catalog_tenant(b->c, row->body->refs.parent);
	}
}


static const char *deck_add(struct build *b, const struct row *row)
{
	if (row->deck && row->body->deck.is_active)
		b->c->decks[b->c->deck_n++] = deck_ref(row->deck);

	return NULL;
}


/* Decks name each other: all are there by now. */
static void decks_link(struct build *b)
{
	struct catalog *c = b->c;
	uint32_t at = 0;

	for (size_t i = 0; i < b->n[ROW_RATE_DECK]; i++) {
		const struct row *row = b->rows[ROW_RATE_DECK][i];
		const struct deck_row *d = &row->body->deck;
		struct deck_use *use = &c->deck_uses[at];

		if (!row->deck || !d->is_active)
			continue;
		++at;
		use->terms = c->rate_terms_n
			? bsearch(row->body->refs.terms, c->rate_terms,
				  c->rate_terms_n, sizeof(*c->rate_terms),
				  id_compare)
			: NULL;
		for (uint8_t k = 0; k < d->origin_n; k++) {
			const struct deck *deck =
				find_deck(c, d->origins[k].deck);
			const struct origin_set *set = c->origin_set_n
				? bsearch(d->origins[k].set, c->origin_sets,
					  c->origin_set_n,
					  sizeof(*c->origin_sets), id_compare)
				: NULL;

			if (!deck || !set)
				continue;
			use->origins[use->origin_n].deck = deck;
			use->origins[use->origin_n++].set = set;
		}
	}
}


static const char *account_add(struct build *b, const struct row *row)
{
	struct account a = row->body->account;

	a.tenant = catalog_tenant(b->c, row->body->refs.tenant);
	if (!a.tenant)
		return "tenant_id";

	a.tax = find_tax(b->c, row->body->refs.tax);
	a.index = b->c->account_n;
	b->c->accounts[b->c->account_n++] = a;

	return NULL;
}


static const char *realm_add(struct build *b, const struct row *row)
{
	b->c->realms[b->c->realm_n++] = row->body->realm;

	return NULL;
}


static const char *zone_add(struct build *b, const struct row *row)
{
	struct zone z = row->body->zone;

	if (b->c->zone_n == ZONES_MAX)
		return "id: more zones than fit";

	z.bit = (uint16_t)b->c->zone_n;
	b->c->zones[b->c->zone_n++] = z;

	return NULL;
}


static const char *lock_add(struct build *b, const struct row *row)
{
	b->c->locks[b->c->lock_n++] = row->body->lock;

	return NULL;
}


static const struct zone *find_zone(const struct catalog *c, const char *id)
{
	return c->zone_n ? bsearch(id, c->zones, c->zone_n, sizeof(*c->zones),
				   id_compare)
			 : NULL;
}


static const char *fraud_rule_add(struct build *b, const struct row *row)
{
	const struct row_refs *refs = &row->body->refs;
	struct fraud_rule r = row->body->fraud_rule;
	const struct zone *z = find_zone(b->c, refs->zone);

	if (!row->body->is_active)
		return NULL;
	if (refs->zone[0] && !z)
		return "zone_id";

	r.zone_bit = z ? (int16_t)z->bit : -1;
	r.schedule = find_schedule(b->c, refs->schedule);
	if (refs->schedule[0] && !r.schedule)
		return "schedule_id";

	b->c->fraud_rules[b->c->fraud_rule_n++] = r;

	return NULL;
}


static const char *calling_window_add(struct build *b, const struct row *row)
{
	const struct row_refs *refs = &row->body->refs;
	struct calling_window w = row->body->calling_window;
	const struct zone *z = find_zone(b->c, refs->zone);

	if (!row->body->is_active)
		return NULL;
	if (refs->zone[0] && !z)
		return "zone_id";

	w.zone_bit = z ? (int16_t)z->bit : -1;
	w.schedule = find_schedule(b->c, refs->schedule);
	if (!w.schedule)
		return "schedule_id";

	b->c->windows[b->c->window_n++] = w;

	return NULL;
}


/* Zones that the catalog has; false: one is not there. */
static bool package_zones_set(const struct catalog *c,
			      const struct package_zones *from,
			      struct zone_set *ret)
{
	for (uint8_t i = 0; i < from->n; i++) {
		const struct zone *z = find_zone(c, from->ids[i]);

		if (!z)
			return false;
		zone_set_add(ret, z->bit);
	}

	return true;
}


static const char *subscription_add(struct build *b, const struct row *row)
{
	struct catalog *c = b->c;
	struct subscription s = row->body->subscription.is;

	/* what has ended stays: routes are tested as of another day, too */
	if (!s.is_active)
		return NULL;

	s.tenant = catalog_tenant(c, row->body->refs.tenant);
	s.account = catalog_account(c, row->body->refs.account);
	s.list = s.list_id[0] ? catalog_number_list(c, s.list_id) : NULL;
	if (!s.tenant)
		return "tenant_id";
	if (!s.account)
		return "account_id";
	if (s.list_id[0] && !s.list)
		return "number_list_id";

	s.has_zones = row->body->subscription.zones.n != 0;
	if (!package_zones_set(c, &row->body->subscription.zones, &s.zones) ||
	    !package_zones_set(c, &row->body->subscription.excluded,
			       &s.excluded))
		return "zone_ids";

	c->subscriptions[c->subscription_n++] = s;

	return NULL;
}


static const char *zone_rule_add(struct build *b, const struct row *row)
{
	struct catalog *c = b->c;
	struct trunk *t = c->trunk_n ? bsearch(row->body->refs.trunk,
					       c->trunks, c->trunk_n,
					       sizeof(*t), id_compare)
				     : NULL;
	const struct zone *z = find_zone(c, row->body->refs.zone);

	if (!t || !z)
		return t ? "zone_id" : "trunk_id";

	zone_set_add(row->body->is_zone_denied ? &t->zones.denied
					       : &t->zones.allowed, z->bit);

	return NULL;
}


static const char *location_add(struct build *b, const struct row *row)
{
	b->c->locations[b->c->location_n++] = row->body->location;

	return NULL;
}


static const struct location *find_location(const struct catalog *c,
					    const char *id)
{
	return c->location_n ? bsearch(id, c->locations, c->location_n,
				       sizeof(*c->locations), id_compare)
			     : NULL;
}


static const char *trunk_add(struct build *b, const struct row *row)
{
	const struct row_refs *refs = &row->body->refs;
	struct trunk t = row->body->trunk;
	const char *broken;

	t.tenant = catalog_tenant(b->c, refs->tenant);
	if (!t.tenant)
		return "tenant_id";

	t.account = catalog_account(b->c, refs->account);
	if (!t.account || t.account->tenant != t.tenant)
		return "account_id";

	t.plan = build_plan(b->c, refs->plan);
	if (refs->plan[0] && !t.plan)
		return "routing_plan_id";
	if (tag_intern(&t.tags, &b->c->tags, &row->body->tags))
		return "tags: more different ones than fit";

	t.deck = find_deck(b->c, refs->deck);
	t.onnet_deck = find_deck(b->c, refs->onnet_deck);
	t.location = find_location(b->c, refs->location);
	t.is_active = t.is_active && t.tenant->is_active;
	broken = build_policy(b->c, &t.numbers, row->body);
	if (!broken)
		b->c->trunks[b->c->trunk_n++] = t;

	return broken;
}


static const char *site_add(struct build *b, const struct row *row)
{
	struct site s = row->body->site;

	s.trunk = catalog_trunk(b->c, row->body->refs.trunk);
	if (!s.trunk)
		return "trunk_id";

	s.location = find_location(b->c, row->body->refs.location);
	s.limits.mode = s.trunk->limits.mode;
	b->c->sites[b->c->site_n++] = s;

	return NULL;
}


/* The site a row names; NULL also when it is of another trunk. */
static const struct site *find_site(const struct build *b,
				    const struct row *row,
				    const struct trunk *trunk)
{
	const struct site *s = catalog_site(b->c, row->body->refs.site);

	return s && s->trunk == trunk ? s : NULL;
}


static const char *credential_add(struct build *b, const struct row *row)
{
	struct credential c = row->body->credential;

	c.trunk = catalog_trunk(b->c, row->body->refs.trunk);
	if (!c.trunk)
		return "trunk_id";

	c.site = find_site(b, row, c.trunk);
	b->c->credentials[b->c->credential_n++] = c;

	return NULL;
}


static int disconnect_rule_compare(const void *a, const void *b)
{
	const struct disconnect_rule *x = a, *y = b;

	if (x->is_q850 != y->is_q850)
		return x->is_q850 ? 1 : -1;

	return (int)x->code - (int)y->code;
}


static const char *disconnect_add(struct build *b, const struct row *row)
{
	struct disconnect_policy p = row->body->disconnect;
	struct disconnect_rule *rules = b->c->disconnect_rules +
					b->c->disconnect_rule_n;

	memcpy(rules, row->body->rules, p.rule_n * sizeof(*rules));
	qsort(rules, p.rule_n, sizeof(*rules), disconnect_rule_compare);
	p.rules = rules;
	b->c->disconnect_rule_n += p.rule_n;
	b->c->disconnects[b->c->disconnect_n++] = p;

	return NULL;
}


static const char *carrier_add(struct build *b, const struct row *row)
{
	struct carrier c = row->body->carrier;

	c.deck = find_deck(b->c, row->body->refs.deck);
	c.disconnect = find_disconnect(b->c, row->body->refs.disconnect);
	b->c->carriers[b->c->carrier_n++] = c;

	return NULL;
}


static const char *gateway_add(struct build *b, const struct row *row)
{
	struct gateway g = row->body->gateway;
	const char *broken;

	g.carrier = catalog_carrier(b->c, row->body->refs.carrier);
	if (!g.carrier)
		return "carrier_id";

	if (tag_intern(&g.tags, &b->c->tags, &row->body->tags))
		return "tags: more different ones than fit";

	g.is_active = g.is_active && g.carrier->is_active;
	g.disconnect = find_disconnect(b->c, row->body->refs.disconnect);
	if (!g.disconnect)
		g.disconnect = g.carrier->disconnect;
	broken = build_policy(b->c, &g.numbers, row->body);
	if (broken)
		return broken;

	g.index = b->c->gateway_n;
	b->c->gateways[b->c->gateway_n++] = g;

	return NULL;
}


static const char *address_add(struct build *b, const struct row *row)
{
	const struct row_refs *refs = &row->body->refs;
	struct address a = row->body->address;

	a.peer.trunk = catalog_trunk(b->c, refs->trunk);
	a.peer.gateway = catalog_gateway(b->c, refs->gateway);
	if (!a.peer.trunk && !a.peer.gateway)
		return "trunk_id or gateway_id";

	a.peer.site = find_site(b, row, a.peer.trunk);
	b->c->has_tokens |= a.token_sha256[0] != '\0';
	b->c->tech_prefix_max = MAX(b->c->tech_prefix_max,
				    (uint8_t)strlen(a.tech_prefix));
	b->c->addresses[b->c->address_n++] = a;

	return NULL;
}


static const char *did_add(struct build *b, const struct row *row)
{
	struct did d = row->body->did;

	d.trunk = catalog_trunk(b->c, row->body->refs.trunk);
	if (!d.trunk)
		return "trunk_id";

	d.site = find_site(b, row, d.trunk);
	if (d.e164_last[0])
		b->c->ranges[b->c->range_n++] = d;
	else
		b->c->dids[b->c->did_n++] = d;

	return NULL;
}


/* --- the order in which references can be followed */

static const struct step {
	enum row_kind kind;
	add_h *add;
} steps[] = {
	{ROW_RULE_SET, rule_set_add}, {ROW_NUMBER_LIST, number_list_add},
	{ROW_ROUTING_PLAN, plan_add}, {ROW_SCHEDULE, schedule_add},
	{ROW_RATE_TERMS, rate_terms_add}, {ROW_ORIGIN_SET, origin_set_add},
	{ROW_EXCHANGE_RATE, exchange_add}, {ROW_TAX_PROFILE, tax_add},
	{ROW_TENANT, tenant_add},   {ROW_RATE_DECK, deck_add},
	{ROW_ACCOUNT, account_add}, {ROW_REALM, realm_add},
	{ROW_LOCATION, location_add}, {ROW_ZONE, zone_add},
	{ROW_TRUNK, trunk_add},	    {ROW_SITE, site_add},
	{ROW_CREDENTIAL, credential_add},
	{ROW_DISCONNECT, disconnect_add},
	{ROW_CARRIER, carrier_add}, {ROW_GATEWAY, gateway_add},
	{ROW_ADDRESS, address_add}, {ROW_DID, did_add},
	{ROW_CARRIER_GROUP, group_add},
	{ROW_ROUTE, route_add},
	{ROW_CARRIER_RULE, carrier_rule_add},
	{ROW_EMERGENCY_NUMBER, emergency_add},
	{ROW_NUMBERING, numbering_add}, {ROW_GRANT, grant_add},
	{ROW_SHORT_CODE, short_code_add},
	{ROW_ZONE_RULE, zone_rule_add}, {ROW_LOCK, lock_add},
	{ROW_FRAUD_RULE, fraud_rule_add},
	{ROW_CALLING_WINDOW, calling_window_add},
	{ROW_SUBSCRIPTION, subscription_add},
	{ROW_ENDPOINT, endpoint_add}, {ROW_FORWARD, forward_add},
	{ROW_DECISION_URL, decision_url_add},
};


static bool row_collect(void *data, void *arg)
{
	struct row *row = data;
	struct build *b = arg;

	b->rows[row->kind][b->n[row->kind]++] = row;

	return false;
}


static int row_compare(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;

	return strcmp((*x)->id, (*y)->id);
}


static int rows_collect(struct build *b, const struct catalog_store *s)
{
	size_t i;

	for (i = 0; i < ROW_KIND_N; i++) {
		b->rows[i] = calloc(s->counts[i] + 1, sizeof(void *));
		if (!b->rows[i])
			return ENOMEM;
	}

	(void)htab_each(s->rows, row_collect, b);

	for (i = 0; i < ROW_KIND_N; i++)
		qsort(b->rows[i], b->n[i], sizeof(void *), row_compare);

	return 0;
}


static size_t rule_sum(const struct build *b)
{
	size_t i, sum = 0;

	for (i = 0; i < b->n[ROW_DISCONNECT]; i++)
		sum += b->rows[ROW_DISCONNECT][i]->body->disconnect.rule_n;

	return sum;
}


/** calloc() that gives a block for n = 0 as well. */
#define ARRAY(field, n) ((field) = calloc((n) + 1, sizeof(*(field))))

static int arrays_alloc(struct build *b)
{
	const size_t targets = build_target_sum(b);
	struct catalog *c = b->c;
	const size_t *n = b->n;

	c->decks = calloc(n[ROW_RATE_DECK] + 1, sizeof(void *));
	if (!c->decks || !ARRAY(c->deck_uses, n[ROW_RATE_DECK]) ||
	    !ARRAY(c->rate_terms, n[ROW_RATE_TERMS]) ||
	    !ARRAY(c->origin_sets, n[ROW_ORIGIN_SET]) ||
	    !ARRAY(c->exchanges, n[ROW_EXCHANGE_RATE]) ||
	    !ARRAY(c->taxes, n[ROW_TAX_PROFILE]) ||
	    !ARRAY(c->subscriptions, n[ROW_SUBSCRIPTION]) ||
	    !ARRAY(c->tenants, n[ROW_TENANT]) ||
	    !ARRAY(c->accounts, n[ROW_ACCOUNT]) ||
	    !ARRAY(c->realms, n[ROW_REALM]) ||
	    !ARRAY(c->trunks, n[ROW_TRUNK]) ||
	    !ARRAY(c->sites, n[ROW_SITE]) ||
	    !ARRAY(c->credentials, n[ROW_CREDENTIAL]) ||
	    !ARRAY(c->carriers, n[ROW_CARRIER]) ||
	    !ARRAY(c->gateways, n[ROW_GATEWAY]) ||
	    !ARRAY(c->dids, n[ROW_DID]) ||
	    !ARRAY(c->ranges, n[ROW_DID]) ||
	    !ARRAY(c->routes, n[ROW_ROUTE]) ||
	    !ARRAY(c->zones, n[ROW_ZONE]) ||
	    !ARRAY(c->locks, n[ROW_LOCK]) ||
	    !ARRAY(c->fraud_rules, n[ROW_FRAUD_RULE]) ||
	    !ARRAY(c->windows, n[ROW_CALLING_WINDOW]) ||
	    !ARRAY(c->locations, n[ROW_LOCATION]) ||
	    !ARRAY(c->emergencies, n[ROW_EMERGENCY_NUMBER]) ||
	    !ARRAY(c->addresses, n[ROW_ADDRESS]) ||
	    !ARRAY(c->endpoints, n[ROW_ENDPOINT]) ||
	    !ARRAY(c->forwards, n[ROW_FORWARD]) ||
	    !ARRAY(c->decision_urls, n[ROW_DECISION_URL]) ||
	    !ARRAY(c->disconnects, n[ROW_DISCONNECT]) ||
	    !ARRAY(c->disconnect_rules, rule_sum(b)) ||
	    !ARRAY(c->targets, targets) ||
	    !(c->route_decks = calloc(targets + 1, sizeof(void *))) ||
	    !ARRAY(c->scopes, n[ROW_ROUTE]) ||
	    !ARRAY(c->plans, n[ROW_ROUTING_PLAN]) ||
	    !ARRAY(c->schedules, n[ROW_SCHEDULE]) ||
	    !ARRAY(c->groups, n[ROW_CARRIER_GROUP]) ||
	    !ARRAY(c->carrier_rules, n[ROW_CARRIER_RULE]) ||
	    !ARRAY(c->numbering, build_numbering_sum(b)) ||
	    prefix_index_alloc(&c->numbers, build_numbering_sum(b)) ||
	    !ARRAY(c->rule_sets, n[ROW_RULE_SET]) ||
	    !ARRAY(c->number_lists, n[ROW_NUMBER_LIST]) ||
	    !ARRAY(c->grants, n[ROW_GRANT]) ||
	    !ARRAY(c->short_codes, n[ROW_SHORT_CODE]))
		return ENOMEM;

	return 0;
}


static void rows_add(struct build *b)
{
	const char *broken;
	size_t i, n;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const enum row_kind kind = steps[i].kind;

		for (n = 0; n < b->n[kind]; n++) {
			broken = steps[i].add(b, b->rows[kind][n]);
			if (broken)
				catalog_row_skipped(row_kind_name(kind),
						    b->rows[kind][n]->id,
						    broken);
		}
		if (kind == ROW_TENANT)
			tenants_link(b);
		if (kind == ROW_RATE_DECK)
			decks_link(b);
	}
}


/** What is not looked up by id gets the order of its own key. */
static void arrays_sort(struct catalog *c)
{
	uint32_t i;

	qsort(c->credentials, c->credential_n, sizeof(*c->credentials),
	      credential_compare);
	qsort(c->dids, c->did_n, sizeof(*c->dids), did_compare);
	qsort(c->ranges, c->range_n, sizeof(*c->ranges), range_compare);
	qsort(c->fraud_rules, c->fraud_rule_n, sizeof(*c->fraud_rules),
	      scoped_compare);
	qsort(c->windows, c->window_n, sizeof(*c->windows), scoped_compare);
	qsort(c->subscriptions, c->subscription_n,
	      sizeof(*c->subscriptions), subscription_compare);
	qsort(c->emergencies, c->emergency_n, sizeof(*c->emergencies),
	      emergency_compare);
	qsort(c->addresses, c->address_n, sizeof(*c->addresses),
	      address_compare);

	for (i = 0; i < c->address_n; i++) {
		if (!i || c->addresses[i].bits != c->addresses[i - 1].bits)
			c->lengths[c->length_n++] = c->addresses[i].bits;
	}
}


/* A sum over ids (FNV-1a): the same set gives the same, in any order. */
static void usable_sum(struct catalog *c)
{
	for (uint32_t i = 0; i < c->trunk_n; i++) {
		uint64_t hash = UINT64_C(14695981039346656037);

		if (!trunk_is_usable(&c->trunks[i]))
			continue;
		for (const char *p = c->trunks[i].id; *p; p++)
			hash = (hash ^ (uint8_t)*p) * UINT64_C(1099511628211);
		c->usable += hash;
	}
}


/* Sorted by who put them there */
static int starts_copy(struct catalog *c, const struct catalog_store *s)
{
	c->spend_starts = calloc(s->spend_start_n + 1,
				 sizeof(*c->spend_starts));
	if (!c->spend_starts)
		return ENOMEM;

	if (s->spend_start_n)
		memcpy(c->spend_starts, s->spend_starts,
		       s->spend_start_n * sizeof(*c->spend_starts));
	c->spend_start_n = s->spend_start_n;

	return 0;
}


int catalog_build(struct catalog **cp, struct catalog_store *s)
{
	struct build b = {0};
	size_t i;
	int err;

	b.c = calloc(1, sizeof(*b.c));
	if (!b.c)
		return ENOMEM;

	b.c->version = s->version;
	err = catalog_store_build_decks(s);
	if (!err)
		err = rows_collect(&b, s);
	if (!err)
		err = arrays_alloc(&b);
	if (err)
		goto out;

	rows_add(&b);
	usable_sum(b.c);
	arrays_sort(b.c);
	build_carrier_rules(b.c);
	build_number_order(b.c);
	build_forward_order(b.c);
	err = b.err ? b.err : catalog_index_routes(b.c);
	if (!err)
		err = starts_copy(b.c, s);
	if (!err)
		err = zone_index_build(&b.c->zone_index, b.c->zones,
				       b.c->zone_n);

 out:
	for (i = 0; i < ROW_KIND_N; i++)
		free(b.rows[i]);
	if (err)
		catalog_free(b.c);
	else
		*cp = b.c;
	return err;
}
