/** @file tests/unit/catalog/catalog_number.c  Ranges, dates, the plan. */
#include <criterion/criterion.h>
#include <errno.h>
#include "fixture.h"

#define DID(first, last, more) "{\"e164\":\"" first "\",\"e164_last\":\"" \
	last "\",\"trunk_id\":\"trk_1\",\"status\":\"active\"" more "}"
#define PLAN "{\"rows\":[[\"49\",\"DE\",\"Germany\",\"geographic\",7,15]," \
	"[\"4915\",\"DE\",\"Germany\",\"mobile\",12,13]," \
	"[\"881\",\"\",\"Satellite\",\"satellite\",8,15]," \
	"[\"7\",\"RU\",\"Russia\",\"moon\",11,11]]}"

static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct snapshot *snap;


static const struct catalog *publish(void)
{
	snapshot_release(snap);
	snap = fixture_publish(store, slot);

	return snapshot_data(snap);
}


static void setup(void)
{
	store = fixture_world();
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
}


static void teardown(void)
{
	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);
}

TestSuite(catalog_number, .init = setup, .fini = teardown);


static const char *owner(const struct catalog *c, const char *e164)
{
	const struct did *d = catalog_did(c, e164);

	return d ? d->id : "nobody";
}


Test(catalog_number, range_and_the_number_inside)
{
	const struct catalog *c;

	cr_assert_eq(fixture_put(store, "did", "did_r", 100,
				 DID("+4989100", "+4989199", "")), 0);
	cr_assert_eq(fixture_put(store, "did", "did_s", 101,
				 DID("+49892000", "+49892999", "")), 0);
	cr_assert_eq(fixture_put(store, "did", "did_i", 102,
				 "{\"e164\":\"+4989150\",\"trunk_id\":"
				 "\"trk_2\",\"status\":\"active\"}"), 0);
	c = publish();

	cr_expect_str_eq(owner(c, "+4989100"), "did_r");
	cr_expect_str_eq(owner(c, "+4989149"), "did_r");
	cr_expect_str_eq(owner(c, "+4989150"), "did_i");
	cr_expect_str_eq(owner(c, "+4989199"), "did_r");
	cr_expect_str_eq(owner(c, "+49892500"), "did_s");
	cr_expect_str_eq(owner(c, "+4989099"), "nobody");
	cr_expect_str_eq(owner(c, "+4989200"), "nobody");
	cr_expect_str_eq(owner(c, "+49891500"), "nobody");
	cr_expect_str_eq(owner(c, "+498915"), "nobody");
	cr_expect_str_eq(owner(c, "+4989x00"), "nobody");
	cr_expect_str_eq(owner(c, "+99999999999999999999"), "nobody");
}


Test(catalog_number, range_of_nonsense)
{
	cr_expect_eq(fixture_put(store, "did", "did_r", 100,
				 DID("+4989100", "+49891990", "")), EINVAL);
	cr_expect_eq(fixture_put(store, "did", "did_r", 100,
				 DID("+4989100", "+4989100", "")), EINVAL);
	cr_expect_eq(fixture_put(store, "did", "did_r", 100,
				 DID("+4989100", "x", "")), EINVAL);
}


Test(catalog_number, in_service_between_its_dates)
{
	const struct did *d;

	cr_assert_eq(fixture_put(store, "did", "did_r", 100,
				 DID("+4989100", "+4989199",
				     ",\"from_ms\":1000,\"to_ms\":2000,"
				     "\"channels\":7,\"cnam\":\"Shop\"")), 0);
	d = catalog_did(publish(), "+4989100");
	cr_assert(d);
	cr_expect_not(did_is_in_service(d, 999));
	cr_expect(did_is_in_service(d, 1000));
	cr_expect(did_is_in_service(d, 1999));
	cr_expect_not(did_is_in_service(d, 2000));
	cr_expect_eq(d->limits.total, 7);
	cr_expect_str_eq(d->cnam, "Shop");

	d = catalog_did(publish(), "+4930111222");
	cr_expect(did_is_in_service(d, 0));
	cr_expect(did_is_in_service(d, 4102444800000));
	cr_expect_eq(d->limits.total, -1);
	d = catalog_did(publish(), "+4930111223");
	cr_expect_not(did_is_in_service(d, 5), "suspended");
}


Test(catalog_number, plan_by_the_longest_prefix)
{
	const struct numbering *n;
	const struct catalog *c;

	cr_expect_null(catalog_numbering(publish(), "+4930"));
	cr_assert_eq(fixture_put(store, "numbering", "e164", 100, PLAN), 0);
	c = publish();
	n = catalog_numbering(c, "+4915112345678");
	cr_assert(n);
	cr_expect_str_eq(n->country, "DE");
	cr_expect_str_eq(n->network, "Germany");
	cr_expect_str_eq(numbering_type_name(n->type), "mobile");
	cr_expect(numbering_fits(n, "+491511234567"));
	cr_expect_not(numbering_fits(n, "+49151123456"));
	cr_expect_not(numbering_fits(n, "+49151123456789"));
	n = catalog_numbering(c, "+4930123");
	cr_expect_str_eq(numbering_type_name(n->type), "geographic");
	cr_expect_str_eq(catalog_numbering(c, "+8811")->country, "");
	/* a newer database knows more types */
	n = catalog_numbering(c, "+7495");
	cr_expect_str_eq(numbering_type_name(n->type), "unknown");
	cr_expect_null(catalog_numbering(c, "+33123456789"));
	cr_expect_null(catalog_numbering(c, ""));
}


Test(catalog_number, plan_of_nonsense)
{
	static const char *const cases[] = {
		"{}", "{\"rows\":1}", "{\"rows\":[1]}",
		"{\"rows\":[[\"\",\"DE\",\"x\",\"voip\",7,15]]}",
		"{\"rows\":[[\"49\",\"DEUT\",\"x\",\"voip\",7,15]]}",
		"{\"rows\":[[\"49\",\"DE\",\"x\",\"voip\",7,16]]}",
		"{\"rows\":[[\"49\",\"DE\",\"x\",\"voip\",9,8]]}",
		"{\"rows\":[[\"49\",\"DE\",\"x\",\"voip\",7]]}",
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_eq(fixture_put(store, "numbering", "e164", 100,
					 cases[i]), EINVAL, "%s", cases[i]);
}


#define LIST(kind, entries) "{\"name\":\"x\",\"kind\":\"" kind "\"," \
	"\"subject\":\"called\",\"tags\":[],\"entries\":[" entries "]}"


Test(catalog_number, list_by_the_longest_that_has_not_expired)
{
	const struct number_list *l;
	const struct list_entry *e;

	cr_assert_eq(fixture_put(store, "number_list", "nls_1", 100,
				 LIST("deny", "[\"49\",true,\"\",null],"
				      "[\"4930\",true,\"\",2000],"
				      "[\"493012\",false,\"+4940\",null]")),
		     0, "%s", fixture_why());
	l = catalog_number_list(publish(), "nls_1");
	cr_assert(l);
	cr_expect_eq(l->kind, LIST_DENY);
	e = number_list_find(l, "+493012", 1000);
	cr_assert(e);
	cr_expect_str_eq(e->replacement, "+4940");
	e = number_list_find(l, "+4930123", 1000);
	cr_expect_eq(e->expires_ms, 2000);
	e = number_list_find(l, "+4930123", 2000);
	cr_expect_eq(e->expires_ms, INT64_MAX);
	cr_expect_null(number_list_find(l, "+4412", 1000));
	cr_expect_null(number_list_find(l, "", 1000));
	cr_expect_null(catalog_number_list(publish(), "nls_2"));
}


Test(catalog_number, list_of_nonsense)
{
	cr_expect_eq(fixture_put(store, "number_list", "nls_1", 100,
				 LIST("never", "")), EINVAL);
	cr_expect_eq(fixture_put(store, "number_list", "nls_1", 100,
				 LIST("deny", "[\"x\",true,\"\",null]")),
		     EINVAL);
	cr_expect_eq(fixture_put(store, "number_list", "nls_1", 100,
				 LIST("deny", "[\"4\",1,\"\",null]")), EINVAL);
}


Test(catalog_number, grants_of_a_trunk_before_those_of_its_tenant)
{
	const struct catalog *c;
	const struct trunk *t;

	cr_assert_eq(fixture_put(store, "cli_grant", "cgr_1", 100,
				 "{\"tenant_id\":\"ten_1\",\"e164\":\"+441000\""
				 ",\"e164_last\":\"+441099\"}"), 0);
	cr_assert_eq(fixture_put(store, "cli_grant", "cgr_2", 101,
				 "{\"tenant_id\":\"ten_1\",\"trunk_id\":"
				 "\"trk_1\",\"e164\":\"+441050\",\"to_ms\":"
				 "500}"), 0);
	c = publish();
	t = catalog_trunk(c, "trk_1");
	cr_expect_str_eq(catalog_grant(c, t, "+441050", 100)->id, "cgr_2");
	cr_expect_str_eq(catalog_grant(c, t, "+441050", 500)->id, "cgr_1");
	cr_expect_str_eq(catalog_grant(c, t, "+441099", 0)->id, "cgr_1");
	cr_expect_null(catalog_grant(c, t, "+441100", 0));
	cr_expect_null(catalog_grant(c, t, "+4410500", 0));
	cr_expect_null(catalog_grant(c, catalog_trunk(c, "trk_2"), "+441050",
				     0));
}


Test(catalog_number, short_codes)
{
	const struct catalog *c;
	const struct trunk *t;

	cr_assert_eq(fixture_put(store, "short_code", "shc_1", 100,
				 "{\"tenant_id\":\"ten_1\",\"code\":\"*21\","
				 "\"e164\":\"+4930222\"}"), 0);
	cr_assert_eq(fixture_put(store, "short_code", "shc_2", 101,
				 "{\"tenant_id\":\"ten_1\",\"trunk_id\":"
				 "\"trk_1\",\"code\":\"*21\",\"e164\":"
				 "\"+4930333\"}"), 0);
	cr_expect_eq(fixture_put(store, "short_code", "shc_3", 102,
				 "{\"tenant_id\":\"ten_1\",\"code\":\"x\","
				 "\"e164\":\"+4930333\"}"), EINVAL);
	c = publish();
	t = catalog_trunk(c, "trk_1");
	cr_expect_str_eq(catalog_short_code(c, t, "*21")->id, "shc_2");
	cr_expect_null(catalog_short_code(c, t, "*2"));
	cr_expect_null(catalog_short_code(c, t, "0123456789012345"));
}


/* Who names what is not there is left out, and says so. */
Test(catalog_number, a_peer_without_its_list)
{
	cr_assert_eq(fixture_put(store, "gateway", "gwy_1", 100,
				 "{\"carrier_id\":\"car_1\",\"status\":"
				 "\"active\",\"address\":\"198.51.100.1\","
				 "\"port\":5060,\"number_lists\":[\"nls_9\"]}"),
		     0);
	cr_expect_null(catalog_gateway(publish(), "gwy_1"));
	cr_expect_eq(fixture_put(store, "gateway", "gwy_1", 101,
				 "{\"carrier_id\":\"car_1\",\"status\":"
				 "\"active\",\"address\":\"198.51.100.1\","
				 "\"port\":5060,\"calling_sources\":[\"x\"]}"),
		     EINVAL);
}


#define PLAN_OF(lists) "{\"name\":\"p\",\"status\":\"active\"," \
	"\"strategy\":\"lcr\",\"number_lists\":" lists "}"


Test(catalog_number, lists_of_a_routing_plan)
{
	const struct catalog *c;
	const struct routing_plan *plan;

	cr_assert_eq(fixture_put(store, "number_list", "nls_1", 100,
				 LIST("deny", "[\"49\",true,\"\",null]")), 0);
	cr_assert_eq(fixture_put(store, "number_list", "nls_2", 101,
				 LIST("rewrite", "")), 0);
	cr_assert_eq(fixture_put(store, "routing_plan", "pln_1", 102,
				 PLAN_OF("[\"nls_2\",\"nls_1\"]")), 0);
	cr_assert_eq(fixture_put(store, "tenant", TENANT_1, 103,
				 "{\"name\":\"One\",\"status\":\"active\","
				 "\"routing_plan_id\":\"pln_1\"}"), 0);
	c = publish();
	plan = catalog_tenant(c, TENANT_1)->plan;
	cr_assert(plan);
	cr_assert_eq(plan->lists.n, 2);
	cr_expect_str_eq(plan->lists.lists[0]->id, "nls_2", "in its order");
	cr_expect_str_eq(plan->lists.lists[1]->id, "nls_1");

	cr_expect_eq(fixture_put(store, "routing_plan", "pln_1", 104,
				 PLAN_OF("[1]")), EINVAL);
	/* without its list it would let through what that denies */
	cr_assert_eq(fixture_put(store, "number_list", "nls_1", 105, NULL),
		     0);
	cr_expect_null(catalog_tenant(publish(), TENANT_1));
}
