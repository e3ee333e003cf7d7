/**
 * @file tests/unit/catalog/catalog_route.c  Routes of plans in their order,
 * groups resolved into gateways, rules given to their owners.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "fixture.h"

#define ACTIVE "\"status\":\"active\""
#define TARGET "\"targets\":[{\"gateway_id\":\"gwy_1\",\"priority\":1," \
	       "\"weight\":1}]"

static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct snapshot *snap;
static const struct catalog *c;

static const struct {
	const char *kind, *id, *json;
} rows[] = {
	{"routing_plan", "pln_1", "{\"name\":\"P\"," ACTIVE
	 ",\"strategy\":\"lcr_priority\",\"tags\":[\"gold\"],"
	 "\"margin_per_min_nano\":5,\"margin_percent\":null}"},
	{"tenant", TENANT_1, "{\"name\":\"One\"," ACTIVE
	 ",\"routing_plan_id\":\"pln_1\"}"},
	{"schedule", "sch_1", "{\"ranges\":[],\"offsets\":[[0,0]]}"},
	{"carrier_group", "cgr_1", "{" ACTIVE ",\"targets\":["
	 "{\"gateway_id\":\"gwy_1\",\"priority\":2,\"weight\":3},"
	 "{\"gateway_id\":\"gwy_2\",\"priority\":1,\"weight\":4},"
	 "{\"gateway_id\":\"gwy_9\",\"priority\":1,\"weight\":4}]}"},
	{"carrier_group", "cgr_2", "{\"status\":\"suspended\","
	 TARGET "}"},
	{"carrier_rule", "crl_1", "{\"trunk_id\":\"trk_1\",\"carrier_id\":"
	 "\"car_2\",\"rule\":\"blocked\"}"},
	{"carrier_rule", "crl_2", "{\"tenant_id\":\"ten_1\",\"carrier_id\":"
	 "\"car_1\",\"rule\":\"only\"}"},
	{"carrier_rule", "crl_3", "{\"trunk_id\":\"trk_1\",\"carrier_id\":"
	 "\"car_1\",\"rule\":\"blocked\"}"},
	{"carrier_rule", "crl_4", "{\"trunk_id\":\"trk_9\",\"carrier_id\":"
	 "\"car_1\",\"rule\":\"blocked\"}"},
	{"route", "rte_a", "{\"kind\":\"prefix\",\"prefix\":\"49\"," ACTIVE
	 ",\"plan_id\":\"pln_1\",\"position\":2," TARGET "}"},
	{"route", "rte_b", "{\"kind\":\"prefix\",\"prefix\":\"49\"," ACTIVE
	 ",\"plan_id\":\"pln_1\",\"position\":1,\"targets\":["
	 "{\"group_id\":\"cgr_1\",\"priority\":1,\"weight\":1},"
	 "{\"group_id\":\"cgr_2\",\"priority\":1,\"weight\":1},"
	 "{\"group_id\":\"cgr_9\",\"priority\":1,\"weight\":1},"
	 "{\"gateway_id\":\"gwy_1\",\"priority\":0,\"weight\":9}]}"},
	{"route", "rte_c", "{\"kind\":\"prefix\",\"prefix\":\"\"," ACTIVE
	 ",\"plan_id\":\"pln_1\",\"schedule_id\":\"sch_1\",\"schedule_is\":"
	 "\"closed\",\"tags\":[\"gold\"],\"targets\":[]}"},
	{"route", "rte_d", "{\"kind\":\"prefix\",\"prefix\":\"4930\"," ACTIVE
	 ",\"plan_id\":\"pln_1\",\"tenant_id\":\"ten_1\",\"targets\":[]}"},
	{"route", "rte_e", "{\"kind\":\"prefix\",\"prefix\":\"4930\"," ACTIVE
	 ",\"plan_id\":\"pln_1\",\"targets\":[]}"},
	{"route", "rte_f", "{\"kind\":\"prefix\",\"prefix\":\"49\"," ACTIVE
	 ",\"plan_id\":\"pln_9\",\"targets\":[]}"},
	{"route", "rte_g", "{\"kind\":\"prefix\",\"prefix\":\"49\"," ACTIVE
	 ",\"schedule_id\":\"sch_9\",\"targets\":[]}"},
};


static void setup(void)
{
	store = fixture_world();
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		cr_assert_eq(fixture_put(store, rows[i].kind, rows[i].id,
					 100 + i, rows[i].json),
			     0, "%s: %s", rows[i].id, fixture_why());
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

TestSuite(catalog_route, .init = setup, .fini = teardown);


static void expect_routes(const struct tenant *tenant, const char *digits,
			  const char *ids)
{
	const struct trunk *trunk = catalog_trunk(c, "trk_1");
	char got[200] = "";
	struct route_hits hits;

	catalog_routes(c, trunk->tenant->plan, tenant, digits, &hits);
	for (uint8_t i = 0; i < hits.n; i++) {
		for (uint32_t k = 0; k < hits.spans[i].n; k++) {
			strcat(got, hits.spans[i].first[k].id + 4);
			strcat(got, k + 1 < hits.spans[i].n ? "," : " ");
		}
	}
	cr_expect_str_eq(got, ids);
}


Test(catalog_route, longest_then_own_then_position)
{
	const struct tenant *tenant = catalog_trunk(c, "trk_1")->tenant;

	expect_routes(tenant, "493012345", "d e b,a c ");
	expect_routes(NULL, "493012345", "e b,a c ");
	expect_routes(tenant, "4940", "b,a c ");
	expect_routes(tenant, "1", "c ");
	/* nothing of what is in no plan, and the other way round */
	cr_expect_str_eq(fixture_route(c, "+4940", NULL)->id, "rte_1");
}


Test(catalog_route, plan_and_conditions)
{
	const struct routing_plan *plan =
		catalog_trunk(c, "trk_1")->tenant->plan;
	struct route_hits hits;
	const struct route *r;

	cr_assert(plan);
	cr_expect_str_eq(plan->id, "pln_1");
	cr_expect_eq(plan->strategy, STRATEGY_LCR_PRIORITY);
	cr_expect_eq(plan->margin_per_min_nano, 5);
	cr_expect_eq(plan->margin_percent, -1);
	catalog_routes(c, plan, NULL, "1", &hits);
	cr_assert_eq(hits.n, 1);
	r = hits.spans[0].first;
	cr_expect_str_eq(r->schedule->id, "sch_1");
	cr_expect_eq(r->schedule_is, 1);
	cr_expect(tag_set_has(&plan->tags, &r->tags));
	cr_expect_eq(r->called_max, 15);
	cr_expect_eq(r->valid_to_ms, INT64_MAX);
}


/* gwy_1 stands alone and in the group: it is tried once, where it is named
   first; who does not exist is left out. */
Test(catalog_route, groups_become_gateways)
{
	struct route_hits hits;
	const struct route *r;

	catalog_routes(c, catalog_trunk(c, "trk_1")->tenant->plan, NULL,
		       "4940", &hits);
	r = &hits.spans[0].first[0];
	cr_assert_str_eq(r->id, "rte_b");
	cr_assert_eq(r->target_n, 2);
	cr_expect_str_eq(r->targets[0].gateway->id, "gwy_2");
	cr_expect_str_eq(r->targets[0].group, "cgr_1");
	cr_expect_eq(r->targets[0].member_priority, 1);
	cr_expect_eq(r->targets[0].member_weight, 4);
	cr_expect_str_eq(r->targets[1].gateway->id, "gwy_1");
	cr_expect_eq(r->deck_n, 0);
	cr_expect_eq(r->targets[0].deck, DECK_NONE);
}


Test(catalog_route, rules_of_carriers)
{
	const struct trunk *t = catalog_trunk(c, "trk_1");

	cr_assert_eq(t->carriers.n, 2);
	cr_expect_not(t->carriers.has_only);
	cr_expect_str_eq(t->carriers.rules[0].carrier->id, "car_1");
	cr_expect_str_eq(t->carriers.rules[1].carrier->id, "car_2");
	cr_assert_eq(t->tenant->carriers.n, 1);
	cr_expect(t->tenant->carriers.has_only);
	cr_expect_eq(catalog_trunk(c, "trk_2")->carriers.n, 0);
}


Test(catalog_route, what_is_not_one_is_refused)
{
	static const char *const bad[][2] = {
		{"routing_plan", "{\"status\":\"active\",\"strategy\":\"x\"}"},
		{"routing_plan", "{\"status\":\"active\",\"tags\":[\"A\"]}"},
		{"schedule", "{\"ranges\":[]}"},
		{"carrier_group", "{" ACTIVE ",\"targets\":[{\"group_id\":"
		 "\"cgr_1\",\"priority\":1,\"weight\":1}]}"},
		{"carrier_rule", "{\"carrier_id\":\"car_1\",\"rule\":"
		 "\"only\"}"},
		{"route", "{\"kind\":\"prefix\",\"prefix\":\"4\"," ACTIVE
		 ",\"targets\":[{\"priority\":1,\"weight\":1}]}"},
		{"route", "{\"kind\":\"prefix\",\"prefix\":\"4\"," ACTIVE
		 ",\"calling_prefix\":\"x\",\"targets\":[]}"},
		{"route", "{\"kind\":\"emergency\",\"prefix\":\"110\","
		 ACTIVE ",\"plan_id\":\"pln_1\",\"targets\":[]}"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_neq(fixture_put(store, bad[i][0], "x", 900,
					  bad[i][1]), 0, "%s", bad[i][1]);
}
