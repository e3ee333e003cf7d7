/** @file emergency.c  The nearest row counts; the emergency route is the last
 *  of them. */
#include <criterion/criterion.h>
#include <string.h>
#include "json.h"
#include "catalog_store.h"
#include "emergency.h"

static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct snapshot *snap;
static const struct catalog *cat;


static void put(const char *kind, const char *id, const char *text)
{
	static uint64_t version;
	char why[128] = "";
	json_t *json = json_loads(text, 0, NULL);

	cr_assert(json);
	cr_assert_eq(catalog_store_put(store, kind, id, ++version, json, why,
				       sizeof(why)), 0, "%s: %s", id, why);
	json_decref(json);
}


static void publish(void)
{
	snapshot_release(snap);
	cr_assert_eq(catalog_store_publish(store, slot), 0);
	snap = snapshot_acquire(slot);
	cat = snapshot_data(snap);
}


static void number(const char *id, const char *text)
{
	put("emergency_number", id, text);
	publish();
}


static void world_open(void)
{
	cr_assert_eq(catalog_store_alloc(&store), 0);
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	put("tenant", "ten_1", "{\"status\":\"active\",\"country\":\"DE\"}");
	put("account", "acc_1", "{\"tenant_id\":\"ten_1\",\"type\":"
	    "\"prepaid\",\"currency\":\"EUR\",\"status\":\"active\"}");
	put("location", "loc_1", "{\"country\":\"DE\",\"a3\":\"Berlin\"}");
	put("trunk", "trk_1", "{\"tenant_id\":\"ten_1\",\"account_id\":"
	    "\"acc_1\",\"status\":\"active\",\"default_cli\":\"+4930555\","
	    "\"location_id\":\"loc_1\"}");
	put("trunk", "trk_2", "{\"tenant_id\":\"ten_1\",\"account_id\":"
	    "\"acc_1\",\"status\":\"active\",\"country\":\"US\","
	    "\"default_cli\":\"+4930555\",\"emergency_cli\":\"+1212555\"}");
	put("carrier", "car_1", "{\"status\":\"active\"}");
	put("gateway", "gwy_1", "{\"carrier_id\":\"car_1\",\"status\":"
	    "\"active\",\"address\":\"192.0.2.1\"}");
	put("route", "rte_1", "{\"kind\":\"emergency\",\"prefix\":\"112\","
	    "\"status\":\"active\",\"targets\":[]}");
	publish();
}


static void world_close(void)
{
	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);
}

TestSuite(emergency, .init = world_open, .fini = world_close);


static const char *found(const char *trunk, const char *dialled)
{
	struct emergency_hit hit;

	if (!emergency_find(cat, catalog_trunk(cat, trunk), NULL, dialled,
			    &hit))
		return "none";

	cr_expect(hit.route->is_emergency);

	return hit.route->id;
}


Test(emergency, the_nearest_row_counts)
{
	cr_expect_str_eq(found("trk_1", "112"), "rte_1");
	number("emn_all", "{\"number\":\"112\",\"kind\":\"emergency\",\"status\":\"active\"}");
	cr_expect_str_eq(found("trk_1", "112"), "emn_all");
	number("emn_de", "{\"number\":\"112\",\"kind\":\"emergency\",\"status\":\"active\","
	       "\"country\":\"DE\"}");
	cr_expect_str_eq(found("trk_1", "112"), "emn_de");
	cr_expect_str_eq(found("trk_2", "112"), "emn_all", "in the US");
	number("emn_ten", "{\"number\":\"112\",\"kind\":\"emergency\",\"status\":\"active\","
	       "\"tenant_id\":\"ten_1\"}");
	cr_expect_str_eq(found("trk_2", "112"), "emn_ten");
	number("emn_trk", "{\"number\":\"112\",\"kind\":\"emergency\",\"status\":\"active\","
	       "\"trunk_id\":\"trk_2\"}");
	cr_expect_str_eq(found("trk_2", "112"), "emn_trk");
	cr_expect_str_eq(found("trk_1", "112"), "emn_ten");
}


Test(emergency, what_is_suspended_or_another_number_is_not_found)
{
	number("emn_1", "{\"number\":\"110\",\"kind\":\"emergency\",\"status\":\"suspended\"}");
	cr_expect_str_eq(found("trk_1", "110"), "none");
	cr_expect_str_eq(found("trk_1", "11"), "none");
	cr_expect_str_eq(found("trk_1", "1122"), "none");
	cr_expect_str_eq(found("trk_1", ""), "none");
	cr_expect_str_eq(found("trk_1", "00000000000000000000000112"),
			 "none");
}


Test(emergency, what_is_sent_and_the_test_number)
{
	struct emergency_hit hit;

	number("emn_1", "{\"number\":\"110\",\"status\":\"active\","
	       "\"send_as\":\"+49110\",\"kind\":\"test\",\"targets\":["
	       "{\"gateway_id\":\"gwy_1\",\"priority\":1,\"weight\":1}]}");
	cr_assert(emergency_find(cat, catalog_trunk(cat, "trk_1"), NULL,
				 "110", &hit));
	cr_expect_str_eq(hit.number, "+49110");
	cr_expect(hit.is_test);
	cr_assert_eq(hit.route->target_n, 1);
	cr_expect_str_eq(hit.route->targets[0].gateway->id, "gwy_1");
	cr_assert(emergency_find(cat, catalog_trunk(cat, "trk_1"), NULL,
				 "112", &hit));
	cr_expect_str_eq(hit.number, "112");
	cr_expect_not(hit.is_test);
}


static const char *found_service(const char *trunk, const char *service)
{
	struct emergency_hit hit;

	return emergency_find_service(cat, catalog_trunk(cat, trunk), NULL,
				      service, &hit)
		       ? hit.route->id : "none";
}


/* The nearest scope decides among the common numbers: who is in the US does
   not get Europe's 112. */
Test(emergency, a_service_is_its_row_or_the_common_number)
{
	cr_expect_str_eq(found_service("trk_2", "sos.police"), "rte_1");
	number("emn_us", "{\"number\":\"911\",\"kind\":\"emergency\",\"status\":"
	       "\"active\",\"country\":\"US\"}");
	cr_expect_str_eq(found_service("trk_2", "sos"), "emn_us");
	cr_expect_str_eq(found_service("trk_2", "sos.police"), "emn_us");
	cr_expect_str_eq(found_service("trk_1", "sos.police"), "rte_1");
	number("emn_pol", "{\"number\":\"sos.police\",\"send_as\":\"110\","
	       "\"kind\":\"emergency\",\"status\":\"active\","
	       "\"country\":\"DE\"}");
	cr_expect_str_eq(found_service("trk_1", "sos.police"), "emn_pol");
	cr_expect_str_eq(found_service("trk_1", "sos.police.of-the-land"),
			 "emn_pol");
	cr_expect_str_eq(found_service("trk_1", "sos.fire"), "rte_1");
	cr_expect_str_eq(found_service("trk_2", "sos.police"), "emn_us");
	number("emn_sos", "{\"number\":\"sos\",\"send_as\":\"1120\","
	       "\"kind\":\"emergency\",\"status\":\"active\","
	       "\"tenant_id\":\"ten_1\"}");
	cr_expect_str_eq(found_service("trk_1", "sos.fire"), "emn_sos");
}


Test(emergency, a_test_of_a_service_wakes_nobody)
{
	cr_expect_str_eq(found_service("trk_1", "test.sos"), "none");
	cr_expect_str_eq(found_service("trk_1", "test.sos.police"), "none");
	number("emn_tst", "{\"number\":\"test.sos\",\"send_as\":\"999\","
	       "\"kind\":\"test\",\"status\":\"active\"}");
	cr_expect_str_eq(found_service("trk_1", "test.sos.police"),
			 "emn_tst");
}


Test(emergency, who_calls)
{
	cr_expect_str_eq(emergency_calling(catalog_trunk(cat, "trk_1"), NULL),
			 "+4930555");
	cr_expect_str_eq(emergency_calling(catalog_trunk(cat, "trk_2"), NULL),
			 "+1212555");
}


Test(emergency, a_site_is_nearer_than_its_trunk)
{
	const struct trunk *trunk = catalog_trunk(cat, "trk_1");
	const struct location there = {.id = "loc_2", .uri = "https://x"};
	struct site site = {.id = "sit_1", .country = "US",
			    .main_number = "+1212556", .location = &there};
	const struct gateway gw = {.emergency_location = LOCATION_REFERENCE};
	struct emergency_hit hit;

	number("emn_us", "{\"number\":\"112\",\"kind\":\"emergency\","
	       "\"status\":\"active\",\"country\":\"US\"}");
	trunk = catalog_trunk(cat, "trk_1");
	cr_assert(emergency_find(cat, trunk, &site, "112", &hit));
	cr_expect_str_eq(hit.route->id, "emn_us");
	number("emn_sit", "{\"number\":\"112\",\"kind\":\"emergency\","
	       "\"status\":\"active\",\"site_id\":\"sit_1\"}");
	trunk = catalog_trunk(cat, "trk_1");
	cr_assert(emergency_find(cat, trunk, &site, "112", &hit));
	cr_expect_str_eq(hit.route->id, "emn_sit");
	cr_expect_str_eq(emergency_calling(trunk, &site), "+1212556");
	cr_expect_eq(emergency_location(trunk, &site, &gw), &there);
}


Test(emergency, place_only_when_asked_and_known)
{
	const struct trunk *with = catalog_trunk(cat, "trk_1");
	const struct trunk *without = catalog_trunk(cat, "trk_2");
	struct gateway gw = {.emergency_location = LOCATION_NONE};

	cr_expect_null(emergency_location(with, NULL, &gw));
	gw.emergency_location = LOCATION_VALUE;
	cr_expect_eq(emergency_location(with, NULL, &gw), with->location);
	cr_expect_null(emergency_location(without, NULL, &gw));
	gw.emergency_location = LOCATION_REFERENCE;
	cr_expect_null(emergency_location(with, NULL, &gw), "it has no URI");
}
