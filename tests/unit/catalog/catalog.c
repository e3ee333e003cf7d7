#include <string.h>
#include <criterion/criterion.h>
#include "fixture.h"

static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct snapshot *snap;
static const struct catalog *c;


static void setup(void)
{
	store = fixture_world();
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	snap = fixture_publish(store, slot);
	c = snapshot_data(snap);
}


static void teardown(void)
{
	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);
}

TestSuite(catalog, .init = setup, .fini = teardown);


Test(catalog, trunk_members)
{
	const struct trunk *t = catalog_trunk(c, "trk_1");

	cr_assert(t);
	cr_expect_str_eq(t->name, "PBX");
	cr_expect_str_eq(t->tenant->id, TENANT_1);
	cr_expect_str_eq(t->account->id, "acc_1");
	cr_expect(t->account->is_prepaid);
	cr_expect_eq(t->direction, TRUNK_OUT);
	cr_expect_eq(t->cli_policy, CLI_PASS);
	cr_expect_eq(t->limits.in, 5);
	cr_expect_eq(t->limits.out, -1);
	cr_expect_eq(t->limits.cps, -1);
	cr_expect_eq(t->max_call_s, 60);
	cr_expect_eq(t->ring_timeout_s, 120);
	cr_expect_str_eq(t->uri_host, "192.0.2.9");
	cr_expect_eq(t->uri_port, 5070);
	cr_expect(t->is_trusted);
	cr_expect_eq(t->number_in.n, 1);
	cr_expect(t->deck);
	cr_expect_eq(deck_rounding(t->deck).mode, ROUND_HALF_EVEN);
	cr_expect_eq(deck_count(t->deck), 2);
	cr_expect_null(catalog_trunk(c, "trk_3"));
}


Test(catalog, suspended_above_is_suspended_below)
{
	cr_expect(catalog_trunk(c, "trk_1")->is_active);
	cr_expect_not(catalog_trunk(c, "trk_2")->is_active);
	cr_expect(catalog_gateway(c, "gwy_1")->is_active);
	cr_expect_not(catalog_gateway(c, "gwy_2")->is_active);
}


static void expect_peer(const char *host, uint16_t port, const char *trunk,
			const char *gateway)
{
	struct sa sa = fixture_sa(host, port);
	struct peer p = catalog_peer(c, &sa);

	cr_expect_str_eq(p.trunk ? p.trunk->id : "", trunk, "%s", host);
	cr_expect_str_eq(p.gateway ? p.gateway->id : "", gateway, "%s", host);
}


Test(catalog, peer_longest_network_then_port)
{
	expect_peer("192.0.2.1", 5060, "trk_1", "");
	expect_peer("192.0.2.127", 5060, "trk_1", "");
	expect_peer("192.0.2.128", 5060, "trk_2", "");
	expect_peer("192.0.2.200", 5062, "", "gwy_1");
	expect_peer("192.0.2.200", 5060, "trk_2", "");
	expect_peer("192.0.3.1", 5060, "", "");
	expect_peer("2001:db8::77", 5060, "", "gwy_2");
	expect_peer("2001:db8:1::77", 5060, "trk_1", "");
	expect_peer("2001:db9::1", 5060, "", "");
	/* a dual-stack socket shows IPv4 like this (RFC 4291 2.5.5.2) */
	expect_peer("::ffff:192.0.2.1", 5060, "trk_1", "");
}


Test(catalog, site)
{
	const struct sa sa = fixture_sa("2001:db8:1::77", 5060);
	const struct site *s = catalog_site(c, "sit_1");

	cr_assert(s);
	cr_expect_str_eq(s->name, "Hamburg");
	cr_expect_str_eq(s->main_number, "+4940111");
	cr_expect_str_eq(s->trunk->id, "trk_1");
	cr_expect_eq(s->limits.total, 8);
	cr_expect_eq(s->limits.in, -1);
	cr_expect(s->is_active);
	cr_expect_eq(catalog_peer(c, &sa).site, s);
	cr_expect_eq(catalog_credential(c, "sip.example", "pbx")->site, s);
	cr_expect_null(catalog_did(c, "+4930111222")->site);
	cr_expect_not(catalog_did(c, "+4930111223")->site->is_active);
	cr_expect_null(catalog_site(c, "sit_9"));
}


/* A site of another trunk is none of this one's. */
Test(catalog, site_of_another_trunk)
{
	struct snapshot *other;

	cr_assert_eq(fixture_put(store, "did", "did_1", 99,
				 "{\"e164\":\"+4930111222\","
				 "\"trunk_id\":\"trk_1\","
				 "\"site_id\":\"sit_2\","
				 "\"status\":\"active\"}"), 0);
	other = fixture_publish(store, slot);
	cr_expect_null(catalog_did(snapshot_data(other), "+4930111222")
			       ->site);
	snapshot_release(other);
}


static void expect_caller(const char *host, const char *called,
			  const char *token, const char *trunk, uint8_t strip)
{
	const struct peer_marks marks = {called, token};
	struct sa sa = fixture_sa(host, 5060);
	struct peer p = catalog_caller(c, &sa, &marks);

	cr_expect_str_eq(p.trunk ? p.trunk->id : "", trunk, "%s %s", host,
			 called);
	cr_expect_eq(p.tech_prefix_n, strip);
	cr_expect_eq(p.is_by_token, token && trunk[0] && !strip);
}


/* token, then the longest tech prefix, then the row without marks, then the
 * next network */
Test(catalog, caller_by_marks)
{
	expect_caller("198.18.0.1", "77#49301", NULL, "trk_1", 3);
	expect_caller("198.18.0.1", "7749301", NULL, "trk_1", 2);
	expect_caller("198.18.0.1", "49301", NULL, "", 0);
	expect_caller("198.18.0.1", "77#49301", "0b1c", "trk_2", 0);
	expect_caller("198.18.0.1", "49301", "0b1d", "", 0);
	expect_caller("192.0.2.1", "77#49301", NULL, "trk_1", 0);
	expect_peer("198.18.0.1", 5060, "trk_1", "");
	cr_expect(catalog_has_tokens(c));
}


Test(catalog, source_of_a_trunk)
{
	struct sa sa = fixture_sa("198.18.0.1", 5060);

	cr_expect(catalog_is_source(c, &sa, catalog_trunk(c, "trk_1")));
	cr_expect(catalog_is_source(c, &sa, catalog_trunk(c, "trk_2")));
	sa = fixture_sa("192.0.2.1", 5060);
	cr_expect(catalog_is_source(c, &sa, catalog_trunk(c, "trk_1")));
	cr_expect_not(catalog_is_source(c, &sa, catalog_trunk(c, "trk_2")));
}


Test(catalog, peer_of_no_address)
{
	struct sa sa;

	sa_init(&sa, AF_UNSPEC);
	cr_expect_null(catalog_peer(c, &sa).trunk);
}


Test(catalog, did)
{
	const struct did *d = catalog_did(c, "+4930111222");

	cr_assert(d);
	cr_expect_str_eq(d->id, "did_1");
	cr_expect_str_eq(d->trunk->id, "trk_1");
	cr_expect(d->is_active);
	cr_expect_not(catalog_did(c, "+4930111223")->is_active);
	cr_expect_null(catalog_did(c, "4930111222"));
	cr_expect_null(catalog_did(c, "+493011122"));
}


static void expect_route(const char *e164, const char *tenant_of,
			 const char *route)
{
	const struct trunk *t = tenant_of ? catalog_trunk(c, tenant_of) : NULL;
	const struct route *r = fixture_route(c, e164,
					      t ? t->tenant : NULL);

	cr_expect_str_eq(r ? r->id : "", route, "%s", e164);
}


Test(catalog, route_longest_prefix_then_tenant)
{
	expect_route("+4930111", NULL, "rte_2");
	expect_route("+4930111", "trk_1", "rte_3");
	expect_route("+4930111", "trk_2", "rte_2");
	expect_route("+4940111", "trk_1", "rte_1");
	expect_route("+441", "trk_1", "rte_0");
	/* rte_4 is longer, but suspended */
	expect_route("+4930155", NULL, "rte_2");
	expect_route("+1234567890123456789012345", NULL, "rte_0");
}


Test(catalog, route_targets_by_priority)
{
	const struct route *r = fixture_route(c, "+4940", NULL);

	cr_assert_eq(r->target_n, 2);
	cr_expect_str_eq(r->targets[0].gateway->id, "gwy_1");
	cr_expect_eq(r->targets[0].weight, 20);
	cr_expect_str_eq(r->targets[1].gateway->id, "gwy_2");
	cr_expect_eq(r->targets[1].priority, 2);
}


Test(catalog, emergency_is_the_whole_number)
{
	const struct route *r = catalog_emergency(c, "112");

	cr_assert(r);
	cr_expect_str_eq(r->id, "rte_5");
	cr_expect_eq(r->max_attempts, 2);
	cr_expect_null(catalog_emergency(c, "1122"));
	cr_expect_null(catalog_emergency(c, "11"));
	cr_expect_null(catalog_emergency(c, "49"));
	/* nor is it a route for an E.164 number */
	expect_route("+112", NULL, "rte_0");
}


Test(catalog, credentials_by_realm_and_name)
{
	const struct credential *cr = catalog_credential(c, "sip.example",
							 "pbx");
	char longer[USER_SIZE + 1];

	cr_assert(cr);
	cr_expect_str_eq(cr->trunk->id, "trk_1");
	cr_expect_str_eq(cr->ha1[HA1_MD5], "0123456789abcdef0123456789abcdef");
	cr_expect_str_eq(cr->ha1[HA1_SHA256], "");
	cr_expect_null(catalog_credential(c, "sip.example", "pbx2"));
	cr_expect_null(catalog_credential(c, "other.example", "pbx"));

	memset(longer, 'p', sizeof(longer));
	longer[USER_SIZE] = '\0';
	cr_expect_null(catalog_credential(c, "sip.example", longer));
}


Test(catalog, realm_order)
{
	const struct realm *r = catalog_realm(c, "sip.example");

	cr_assert(r);
	cr_assert_eq(r->algorithm_n, 2);
	cr_expect_eq(r->algorithms[0], HA1_SHA256);
	cr_expect_eq(r->algorithms[1], HA1_MD5);
	cr_expect_null(catalog_realm(c, "x"));
	cr_expect_eq(catalog_realm_only(c), r);
	cr_assert_eq(fixture_put(store, "realm", "two.example", 100,
				 "{\"algorithms\":[\"MD5\"]}"), 0);
	snapshot_release(snap);
	snap = fixture_publish(store, slot);
	cr_expect_null(catalog_realm_only(snapshot_data(snap)));
}


Test(catalog, gateways_in_index_order)
{
	const struct gateway *g = catalog_gateway(c, "gwy_2");
	uint32_t i;

	cr_assert_eq(catalog_gateway_count(c), 2);
	for (i = 0; i < 2; i++)
		cr_expect_eq(catalog_gateway_at(c, i)->index, i);
	cr_expect_null(catalog_gateway_at(c, 2));
	cr_expect_eq(sa_port(&g->addr), 5062);
	cr_expect_eq(sa_af(&g->addr), AF_INET6);
	cr_expect_eq(g->identity, IDENTITY_FROM);
	cr_expect_eq(g->limits.total, -1);
	cr_expect_eq(g->no_response_ms, 4000);
}


Test(catalog, of_nothing)
{
	struct catalog_store *s;
	struct snapshot *empty;
	const struct catalog *e;
	struct sa sa = fixture_sa("192.0.2.1", 1);

	cr_assert_eq(catalog_store_alloc(&s), 0);
	empty = fixture_publish(s, slot);
	e = snapshot_data(empty);

	cr_expect_null(catalog_trunk(e, "trk_1"));
	cr_expect_null(catalog_did(e, "+4930111222"));
	cr_expect_null(fixture_route(e, "+4930111222", NULL));
	cr_expect_null(catalog_emergency(e, "112"));
	cr_expect_null(catalog_credential(e, "a", "b"));
	cr_expect_null(catalog_peer(e, &sa).trunk);

	snapshot_release(empty);
	mem_deref(s);
}
