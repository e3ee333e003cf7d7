/**
 * @file tests/unit/catalog/catalog_forward.c  Decision URLs and forwards: rows
 * that are refused, rows that are left out, and whose they are.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "fixture.h"

#define ACTIVE "\"status\":\"active\""
#define DECISION(more) "{" ACTIVE ",\"url\":\"https://one.example/\"," \
	"\"timeout_ms\":1500,\"conditions\":[\"busy\",\"failure\"]," more "}"


Test(catalog_forward, decision_urls_of_numbers_and_trunks)
{
	struct catalog_store *store = fixture_world();
	struct snapshot_slot *slot = NULL;
	const struct decision_url *d;
	struct snapshot *snap;
	const struct catalog *c;
	uint64_t v = fixture_rows();

	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	cr_assert_eq(fixture_put(store, "decision_url", "dcu_1", ++v, DECISION(
		"\"trunk_id\":\"trk_2\",\"fallback\":\"forward\","
		"\"fallback_trunk_id\":\"trk_1\",\"secret_box\":\"\\\\x00\","
		"\"previous_until_ms\":1795000000000")), 0);
	cr_assert_eq(fixture_put(store, "decision_url", "dcu_2", ++v, DECISION(
		"\"did_id\":\"did_1\",\"fallback\":\"refuse\","
		"\"secret_box\":null")), 0);
	/* its fallback is gone; one that nobody shall ask */
	cr_assert_eq(fixture_put(store, "decision_url", "dcu_3", ++v, DECISION(
		"\"did_id\":\"did_3\",\"fallback\":\"forward\","
		"\"fallback_trunk_id\":\"trk_9\"")), 0);
	cr_assert_eq(fixture_put(store, "decision_url", "dcu_4", ++v,
				 "{\"status\":\"suspended\",\"url\":"
				 "\"https://one.example/\",\"trunk_id\":"
				 "\"trk_1\",\"conditions\":[\"busy\"]}"), 0);

	snap = fixture_publish(store, slot);
	c = snapshot_data(snap);
	d = catalog_decision_url(c, "trk_2");
	cr_assert_not_null(d);
	cr_expect_str_eq(d->id, "dcu_1");
	cr_expect_str_eq(d->url, "https://one.example/");
	cr_expect_str_eq(d->secret_box, "\\x00");
	cr_expect_eq(d->timeout_ms, 1500);
	cr_expect_eq(d->conditions, ASK_BUSY | ASK_FAILURE);
	cr_expect_eq(d->fallback, FALLBACK_FORWARD);
	cr_expect_str_eq(d->to_trunk->id, "trk_1");
	cr_expect_eq(d->previous_until_ms, 1795000000000);
	d = catalog_decision_url(c, "did_1");
	cr_assert_not_null(d);
	cr_expect_eq(d->fallback, FALLBACK_REFUSE);
	cr_expect_str_empty(d->secret_box);
	cr_expect_null(catalog_decision_url(c, "did_3"));
	cr_expect_null(catalog_decision_url(c, "trk_1"));
	cr_expect_null(catalog_decision_url(c, ""));

	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);
}


Test(catalog_forward, what_a_decision_url_may_not_be)
{
	static const char *const bad[] = {
		DECISION("\"fallback\":\"continue\""),
		DECISION("\"trunk_id\":\"trk_1\",\"did_id\":\"did_1\""),
		DECISION("\"trunk_id\":\"trk_1\",\"fallback\":\"forward\""),
		DECISION("\"trunk_id\":\"trk_1\",\"fallback\":\"ring\""),
		DECISION("\"trunk_id\":\"trk_1\",\"fallback_number\":\"+4930\""),
		DECISION("\"trunk_id\":\"trk_1\",\"fallback\":\"forward\","
			 "\"fallback_number\":\"12\""),
		DECISION("\"trunk_id\":\"trk_1\",\"timeout_ms\":20000"),
		"{" ACTIVE ",\"trunk_id\":\"trk_1\",\"conditions\":[\"busy\"]}",
		"{" ACTIVE ",\"trunk_id\":\"trk_1\",\"url\":\"http://x/\","
		"\"conditions\":[\"sometimes\"]}",
		"{" ACTIVE ",\"trunk_id\":\"trk_1\",\"url\":\"http://x/\","
		"\"timeout_ms\":5,\"conditions\":[]}",
	};
	struct catalog_store *store = fixture_world();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(fixture_put(store, "decision_url", "dcu_1",
					 fixture_rows() + i + 1, bad[i]),
			     EINVAL, "%s", bad[i]);
	mem_deref(store);
}
