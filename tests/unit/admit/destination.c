/** @file destination.c  Where a trunk may call, and for how much. */
#include <criterion/criterion.h>
#include "json.h"
#include "catalog_store.h"
#include "destination.h"

#define TRUNK(more) "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\"," \
	"\"status\":\"active\"" more "}"

static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct snapshot *snap;
static const struct catalog *cat;


static void put(const char *kind, const char *id, const char *text)
{
	static uint64_t version;
	char why[160] = "";
	json_t *json = json_loads(text, 0, NULL);

	cr_assert(json, "%s", text);
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


static void open_world(void)
{
	cr_assert_eq(catalog_store_alloc(&store), 0);
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	put("tenant", "ten_1", "{\"status\":\"active\",\"country\":\"DE\"}");
	put("account", "acc_1", "{\"tenant_id\":\"ten_1\",\"type\":"
	    "\"prepaid\",\"currency\":\"EUR\",\"status\":\"active\","
	    "\"max_price_per_min_nano\":500,\"max_connect_fee_micro\":50}");
	put("numbering", "e164", "{\"rows\":["
	    "[\"49\",\"DE\",\"Germany\",\"geographic\",7,15],"
	    "[\"49900\",\"DE\",\"Germany\",\"premium\",7,15],"
	    "[\"44\",\"GB\",\"UK\",\"geographic\",7,15],"
	    "[\"800\",\"\",\"Free\",\"toll_free\",7,15]]}");
	put("zone", "zon_1", "{\"name\":\"London\",\"prefixes\":[\"4420\"],"
	    "\"countries\":[],\"types\":[]}");
	put("trunk", "trk_1", TRUNK(",\"international\":\"denied\","
				    "\"premium\":\"denied\""));
	put("site", "sit_1", "{\"trunk_id\":\"trk_1\",\"status\":\"active\","
	    "\"country\":\"GB\"}");
	publish();
}


static void close_world(void)
{
	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);
}

TestSuite(destination, .init = open_world, .fini = close_world);


static void expect(const char *site, const char *e164, enum outcome out,
		   const char *reason)
{
	struct destination_verdict v;

	destination_check(cat, catalog_trunk(cat, "trk_1"),
			  site ? catalog_site(cat, site) : NULL, e164, &v);
	cr_expect_eq(v.outcome, out, "%s: %s", e164, v.reason);
	cr_expect_str_eq(v.reason, reason, "%s", e164);
}


Test(destination, home_is_where_the_caller_is)
{
	expect(NULL, "+493012345", OUT_OK, "default");
	expect(NULL, "+442071838750", OUT_ZONE_DENIED, "international");
	expect("sit_1", "+442071838750", OUT_OK, "default");
	expect("sit_1", "+493012345", OUT_ZONE_DENIED, "international");
	expect(NULL, "+19995550100", OUT_ZONE_DENIED, "international");
	expect(NULL, "+80012345678", OUT_OK, "default");
	expect(NULL, "+499001234567", OUT_ZONE_DENIED, "premium");
}


Test(destination, who_is_at_home_nowhere_calls_abroad_everywhere)
{
	put("tenant", "ten_1", "{\"status\":\"active\"}");
	publish();
	expect(NULL, "+493012345", OUT_ZONE_DENIED, "international");
	expect(NULL, "+80012345678", OUT_OK, "default");
}


Test(destination, zones_come_before_the_rest)
{
	struct destination_verdict v;

	put("zone_rule", "zrl_1", "{\"trunk_id\":\"trk_1\",\"zone_id\":"
	    "\"zon_1\",\"action\":\"allow\"}");
	publish();
	expect(NULL, "+442071838750", OUT_OK, "allowed");
	expect(NULL, "+441611234567", OUT_ZONE_DENIED, "international");

	put("zone_rule", "zrl_2", "{\"trunk_id\":\"trk_1\",\"zone_id\":"
	    "\"zon_1\",\"action\":\"deny\"}");
	publish();
	expect(NULL, "+442071838750", OUT_ZONE_DENIED, "denied");
	destination_check(cat, catalog_trunk(cat, "trk_1"), NULL,
			  "+442071838750", &v);
	cr_expect_str_eq(v.zone_id, "zon_1");
	cr_expect_str_eq(v.country, "GB");
	cr_expect_str_eq(v.home, "DE");
	cr_expect_str_eq(v.type, "geographic");

	put("trunk", "trk_1", TRUNK(",\"other_zones\":\"denied\""));
	publish();
	expect(NULL, "+493012345", OUT_ZONE_DENIED, "other_zones");
}


Test(destination, caps_of_trunk_and_account)
{
	struct tariff t = {.rate_per_min_nano = 500, .connect_fee_micro = 50};
	const struct trunk *trunk = catalog_trunk(cat, "trk_1");

	cr_expect_null(destination_cap(trunk, &t), "as much is not above");
	t.connect_fee_micro = 51;
	cr_expect_str_eq(destination_cap(trunk, &t), "acc_1");
	t = (struct tariff){.rate_per_min_nano = 501};
	cr_expect_str_eq(destination_cap(trunk, &t), "acc_1");

	put("trunk", "trk_1", TRUNK(",\"max_price_per_min_nano\":0"));
	publish();
	trunk = catalog_trunk(cat, "trk_1");
	cr_expect_str_eq(destination_cap(trunk, &t), "trk_1");
	t.rate_per_min_nano = 0;
	cr_expect_null(destination_cap(trunk, &t));
}
