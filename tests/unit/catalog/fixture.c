/**
 * @file fixture.c  A small provisioned world, put row by row.
 */
#include <criterion/criterion.h>
#include "fixture.h"
#include "text.h"

static char why[256];

static const struct {
	const char *kind, *id, *json;
} world[] = {
	{"tenant", TENANT_1, "{\"name\":\"One\",\"status\":\"active\"}"},
	{"tenant", TENANT_2, "{\"name\":\"Two\",\"status\":\"suspended\"}"},
	{"account", "acc_1", "{\"tenant_id\":\"ten_1\",\"currency\":\"EUR\","
	 "\"status\":\"active\",\"type\":\"prepaid\"}"},
	{"account", "acc_2", "{\"tenant_id\":\"ten_2\",\"currency\":\"USD\","
	 "\"status\":\"active\",\"type\":\"postpaid\"}"},
	{"rate_deck", "dck_1", "{\"currency\":\"EUR\",\"status\":\"active\","
	 "\"rounding_mode\":\"half_even\",\"rounding_decimals\":4,"
	 "\"rate_version\":1}"},
	{"realm", "sip.example", "{\"algorithms\":[\"SHA-256\",\"MD5\"]}"},
	{"trunk", "trk_1", "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
	 "\"rate_deck_id\":\"dck_1\",\"name\":\"PBX\",\"status\":\"active\","
	 "\"direction\":\"out\",\"cli_policy\":\"pass\",\"channels_in\":5,"
	 "\"channels_out\":null,\"default_cli\":\"+4930123456\","
	 "\"realm\":\"sip.example\",\"is_trusted\":true,"
	 "\"number_in\":[{\"prefix\":\"00\",\"strip\":2,\"add\":\"+\"}],"
	 "\"uri_host\":\"192.0.2.9\",\"uri_port\":5070,\"max_call_s\":60}"},
	{"trunk", "trk_2", "{\"tenant_id\":\"ten_2\",\"account_id\":\"acc_2\","
	 "\"status\":\"active\"}"},
	{"site", "sit_1", "{\"trunk_id\":\"trk_1\",\"name\":\"Hamburg\","
	 "\"status\":\"active\",\"main_number\":\"+4940111\","
	 "\"channels_total\":8}"},
	{"site", "sit_2", "{\"trunk_id\":\"trk_2\",\"name\":\"Other\","
	 "\"status\":\"suspended\"}"},
	{"credential", "cre_1", "{\"trunk_id\":\"trk_1\",\"site_id\":\"sit_1\","
	 "\"realm\":\"sip.example\",\"username\":\"pbx\","
	 "\"ha1_md5\":\"0123456789abcdef0123456789abcdef\"}"},
	{"carrier", "car_1", "{\"name\":\"C1\",\"status\":\"active\"}"},
	{"carrier", "car_2", "{\"name\":\"C2\",\"status\":\"suspended\"}"},
	{"gateway", "gwy_1", "{\"carrier_id\":\"car_1\",\"status\":\"active\","
	 "\"address\":\"198.51.100.1\",\"port\":5060,\"channels\":30}"},
	{"gateway", "gwy_2", "{\"carrier_id\":\"car_2\",\"status\":\"active\","
	 "\"address\":\"2001:db8::2\",\"port\":5062,\"identity\":\"from\"}"},
	{"address", "adr_1", "{\"trunk_id\":\"trk_1\","
	 "\"cidr\":\"192.0.2.0/24\"}"},
	{"address", "adr_2", "{\"trunk_id\":\"trk_2\","
	 "\"cidr\":\"192.0.2.128/25\"}"},
	{"address", "adr_3", "{\"gateway_id\":\"gwy_1\","
	 "\"cidr\":\"192.0.2.200/32\",\"port\":5062}"},
	{"address", "adr_4", "{\"gateway_id\":\"gwy_2\","
	 "\"cidr\":\"2001:db8::/32\"}"},
	{"address", "adr_5", "{\"trunk_id\":\"trk_1\",\"site_id\":\"sit_1\","
	 "\"cidr\":\"2001:db8:1::/48\"}"},
	{"address", "adr_6", "{\"trunk_id\":\"trk_1\","
	 "\"cidr\":\"198.18.0.1/32\",\"tech_prefix\":\"77#\"}"},
	{"address", "adr_7", "{\"trunk_id\":\"trk_1\","
	 "\"cidr\":\"198.18.0.1/32\",\"tech_prefix\":\"77\"}"},
	{"address", "adr_8", "{\"trunk_id\":\"trk_2\","
	 "\"cidr\":\"198.18.0.1/32\",\"token_sha256\":\"0b1c\"}"},
	{"did", "did_1", "{\"e164\":\"+4930111222\",\"trunk_id\":\"trk_1\","
	 "\"status\":\"active\"}"},
	{"did", "did_2", "{\"e164\":\"+4930111223\",\"trunk_id\":\"trk_2\","
	 "\"site_id\":\"sit_2\","
	 "\"status\":\"suspended\"}"},
	{"route", "rte_0", "{\"kind\":\"prefix\",\"prefix\":\"\","
	 "\"status\":\"active\",\"targets\":[]}"},
	{"route", "rte_1", "{\"kind\":\"prefix\",\"prefix\":\"49\","
	 "\"status\":\"active\",\"targets\":["
	 "{\"gateway_id\":\"gwy_2\",\"priority\":2,\"weight\":10},"
	 "{\"gateway_id\":\"gwy_1\",\"priority\":1,\"weight\":20}]}"},
	{"route", "rte_2", "{\"kind\":\"prefix\",\"prefix\":\"4930\","
	 "\"status\":\"active\",\"targets\":[]}"},
	{"route", "rte_3", "{\"kind\":\"prefix\",\"prefix\":\"4930\","
	 "\"tenant_id\":\"ten_1\",\"status\":\"active\",\"targets\":[]}"},
	{"route", "rte_4", "{\"kind\":\"prefix\",\"prefix\":\"49301\","
	 "\"status\":\"suspended\",\"targets\":[]}"},
	{"route", "rte_5", "{\"kind\":\"emergency\",\"prefix\":\"112\","
	 "\"status\":\"active\",\"max_attempts\":2,\"targets\":["
	 "{\"gateway_id\":\"gwy_1\",\"priority\":1,\"weight\":1}]}"},
};


int fixture_put(struct catalog_store *s, const char *kind, const char *id,
		uint64_t version, const char *json)
{
	json_t *row = json ? json_loads(json, 0, NULL) : NULL;
	int err;

	cr_assert(row || !json, "bad JSON in the test: %s", json);
	why[0] = '\0';
	err = catalog_store_put(s, kind, id, version, row, why, sizeof(why));
	json_decref(row);

	return err;
}


const char *fixture_why(void)
{
	return why;
}


int fixture_rate(struct catalog_store *s, const char *deck,
		 const char *prefix)
{
	struct rate r = {.tariff = {.rate_per_min_nano = 12000000,
				    .first_ms = 60000,
				    .next_ms = 60000},
			 .to_ms = INT64_MAX};

	(void)text_copy(r.prefix, sizeof(r.prefix), prefix);
	(void)text_copy(r.destination, sizeof(r.destination), "Land \"x\"");

	return catalog_store_put_rate(s, deck, &r);
}


uint64_t fixture_rows(void)
{
	return ARRAY_SIZE(world);
}


struct catalog_store *fixture_world(void)
{
	struct catalog_store *s;
	size_t i;

	cr_assert_eq(catalog_store_alloc(&s), 0);
	for (i = 0; i < sizeof(world) / sizeof(world[0]); i++)
		cr_assert_eq(fixture_put(s, world[i].kind, world[i].id, i + 1,
					 world[i].json),
			     0, "%s: %s", world[i].id, why);
	cr_assert_eq(fixture_rate(s, "dck_1", "49"), 0);
	cr_assert_eq(fixture_rate(s, "dck_1", "4915"), 0);

	return s;
}


struct snapshot *fixture_publish(struct catalog_store *s,
				 struct snapshot_slot *slot)
{
	cr_assert_eq(catalog_store_publish(s, slot), 0);

	return snapshot_acquire(slot);
}


struct sa fixture_sa(const char *host, uint16_t port)
{
	struct sa sa;

	cr_assert_eq(sa_set_str(&sa, host, port), 0);

	return sa;
}


const struct route *fixture_route(const struct catalog *c, const char *e164,
				  const struct tenant *tenant)
{
	struct route_hits hits;

	catalog_routes(c, NULL, tenant, e164 + 1, &hits);

	return hits.n ? hits.spans[0].first : NULL;
}
