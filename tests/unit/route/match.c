/**
 * @file match.c  Which route of a plan takes a call: prefix, position and each
 * condition.
 */
#include "json.h"
#include <criterion/criterion.h>
#include <string.h>
#include "catalog_store.h"
#include "match.h"

#define ACTIVE "\"status\":\"active\""
#define ROUTE(prefix, more) "{\"kind\":\"prefix\",\"prefix\":\"" prefix \
	"\"," ACTIVE ",\"plan_id\":\"pln_1\",\"targets\":[]" more "}"

static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct snapshot *snap;
static const struct catalog *cat;
static struct why *why;
static struct match_query query;
static struct tag_set tags;

static const struct {
	const char *kind, *id, *json;
} rows[] = {
	{"routing_plan", "pln_1", "{\"name\":\"P\"," ACTIVE
	 ",\"strategy\":\"lcr\"}"},
	{"routing_plan", "pln_2", "{\"name\":\"Q\",\"status\":\"suspended\"}"},
	{"tenant", "ten_1", "{" ACTIVE ",\"routing_plan_id\":\"pln_1\"}"},
	{"account", "acc_1", "{\"tenant_id\":\"ten_1\",\"currency\":\"EUR\","
	 ACTIVE ",\"type\":\"prepaid\"}"},
	{"trunk", "trk_1", "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
	 ACTIVE ",\"tags\":[\"gold\"]}"},
	{"trunk", "trk_2", "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
	 ACTIVE ",\"routing_plan_id\":\"pln_2\"}"},
	/* Monday, Thursday 08:00 to 18:00 UTC */
	{"schedule", "sch_1", "{\"ranges\":[{\"days\":[\"mon\",\"thu\"],"
	 "\"from\":\"08:00\",\"to\":\"18:00\"}],\"offsets\":[[0,0]]}"},
	{"route", "rte_all", ROUTE("", "")},
	{"route", "rte_long", ROUTE("49", ",\"called_min\":12")},
	{"route", "rte_from", ROUTE("49", ",\"position\":1,"
				    "\"calling_prefix\":\"4930\"")},
	{"route", "rte_gold", ROUTE("44", ",\"tags\":[\"gold\"]")},
	{"route", "rte_open", ROUTE("33", ",\"position\":1,\"schedule_id\":"
				    "\"sch_1\",\"schedule_is\":\"open\"")},
	{"route", "rte_shut", ROUTE("33", ",\"position\":2,\"schedule_id\":"
				    "\"sch_1\",\"schedule_is\":\"closed\"")},
	{"route", "rte_soon", ROUTE("39", ",\"valid_from_ms\":1000,"
				    "\"valid_to_ms\":2000")},
};


static void setup(void)
{
	char reason[128];

	cr_assert_eq(catalog_store_alloc(&store), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		json_t *json = json_loads(rows[i].json, 0, NULL);

		cr_assert_eq(catalog_store_put(store, rows[i].kind,
					       rows[i].id, i + 1, json,
					       reason, sizeof(reason)),
			     0, "%s: %s", rows[i].id, reason);
		json_decref(json);
	}
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	cr_assert_eq(catalog_store_publish(store, slot), 0);
	snap = snapshot_acquire(slot);
	cat = snapshot_data(snap);
	cr_assert_eq(why_alloc(&why), 0);
	memset(&tags, 0, sizeof(tags));
	query = (struct match_query){
		.plan = match_plan(catalog_trunk(cat, "trk_1")),
		.tenant = catalog_trunk(cat, "trk_1")->tenant,
		.calling = "", .tags = &tags,
	};
}


static void teardown(void)
{
	mem_deref(why);
	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);
}

TestSuite(match, .init = setup, .fini = teardown);


static const char *match(const char *called)
{
	const struct route *r;

	query.called = called;
	r = match_route(cat, &query, why);

	return r ? r->id : "none";
}


Test(match, conditions_of_a_route)
{
	cr_expect_str_eq(match("15551234"), "rte_all");
	cr_expect_str_eq(match("493012345678"), "rte_long");
	cr_expect_str_eq(match("49301234"), "rte_all", "too short");
	query.calling = "4930999";
	cr_expect_str_eq(match("493012345678"), "rte_from");
	query.calling = "493";
	cr_expect_str_eq(match("493012345678"), "rte_long");
}


Test(match, tags)
{
	cr_expect_str_eq(match("4420"), "rte_all");
	tag_set_join(&tags, &catalog_trunk(cat, "trk_1")->tags);
	cr_expect_str_eq(match("4420"), "rte_gold");
}


/* The epoch is a Thursday. */
Test(match, time)
{
	query.wall_ms = 9 * 3600000;
	cr_expect_str_eq(match("331"), "rte_open");
	query.wall_ms = 19 * 3600000;
	cr_expect_str_eq(match("331"), "rte_shut");
	query.wall_ms = 999;
	cr_expect_str_eq(match("391"), "rte_all");
	query.wall_ms = 1000;
	cr_expect_str_eq(match("391"), "rte_soon");
	query.wall_ms = 2000;
	cr_expect_str_eq(match("391"), "rte_all");
}


Test(match, plan_of_the_trunk_before_the_tenants)
{
	query.plan = match_plan(catalog_trunk(cat, "trk_2"));
	cr_expect_str_eq(query.plan->id, "pln_2");
	cr_expect_str_eq(match("1"), "none", "suspended");
	cr_expect(strstr(why_json(why), "suspended"));

	query.plan = NULL; /* there are only routes of plans */
	cr_expect_str_eq(match("1"), "none");
}


Test(match, notes_say_what_was_passed_over)
{
	const char *json;

	cr_expect_str_eq(match("49301234"), "rte_all");
	json = why_json(why);
	cr_expect(strstr(json, "\"id\":\"rte_from\",\"prefix\":\"49\","
			       "\"passed_over\":\"calling_prefix\""), "%s",
		  json);
	cr_expect(strstr(json, "\"passed_over\":\"called_length\""), "%s",
		  json);
	cr_expect(strstr(json, "\"outcome\":\"ok\",\"id\":\"rte_all\","
			       "\"plan\":\"pln_1\""), "%s", json);
}
