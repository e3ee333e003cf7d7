#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <criterion/criterion.h>
#include "fixture.h"
#include "catalog_store_data.h"
#include "metric.h"

static struct catalog_store *store;
static struct snapshot_slot *slot;


static void setup(void)
{
	store = fixture_world();
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
}


static void teardown(void)
{
	snapshot_slot_free(slot);
	mem_deref(store);
}

TestSuite(catalog_store, .init = setup, .fini = teardown);


static int64_t skipped(void)
{
	return metric_value(metric_counter(
		"strowger_catalog_rows_skipped_total", NULL,
		"provisioned rows that could not be used"));
}


static const struct deck *deck_of(const struct snapshot *snap)
{
	return catalog_trunk(snapshot_data(snap), "trk_1")->deck;
}


Test(catalog_store, version_is_the_highest_put)
{
	struct snapshot *snap;

	cr_assert_eq(fixture_put(store, "tenant", "ten_9", 900,
				 "{\"status\":\"active\"}"), 0);
	cr_assert_eq(fixture_put(store, "tenant", "ten_8", 800,
				 "{\"status\":\"active\"}"), 0);
	snap = fixture_publish(store, slot);
	cr_expect_eq(snapshot_version(snap), 900);
	cr_expect_eq(catalog_version(snapshot_data(snap)), 900);
	snapshot_release(snap);
}


Test(catalog_store, put_replaces_and_null_deletes)
{
	struct snapshot *old = fixture_publish(store, slot), *snap;

	cr_assert_eq(fixture_put(store, "did", "did_1", 100,
				 "{\"e164\":\"+4930999\",\"status\":\"active\""
				 ",\"trunk_id\":\"trk_2\"}"), 0);
	cr_assert_eq(fixture_put(store, "did", "did_2", 101, NULL), 0);
	cr_assert_eq(fixture_put(store, "did", "did_never", 102, NULL), 0);
	snap = fixture_publish(store, slot);

	cr_expect_null(catalog_did(snapshot_data(snap), "+4930111222"));
	cr_expect_null(catalog_did(snapshot_data(snap), "+4930111223"));
	cr_expect(catalog_did(snapshot_data(snap), "+4930999"));
	/* who holds the old one sees the old one */
	cr_expect(catalog_did(snapshot_data(old), "+4930111222"));

	snapshot_release(snap);
	snapshot_release(old);
}


Test(catalog_store, broken_reference_is_left_out)
{
	const int64_t before = skipped();
	struct snapshot *snap;

	cr_assert_eq(fixture_put(store, "account", "acc_1", 100, NULL), 0);
	snap = fixture_publish(store, slot);

	/* the trunk, its site, credential, four addresses and the DID */
	cr_expect_null(catalog_trunk(snapshot_data(snap), "trk_1"));
	cr_expect_null(catalog_credential(snapshot_data(snap), "sip.example",
					  "pbx"));
	cr_expect_null(catalog_did(snapshot_data(snap), "+4930111222"));
	cr_expect_eq(skipped() - before, 8);
	/* the rest works */
	cr_expect(catalog_trunk(snapshot_data(snap), "trk_2"));
	cr_expect(catalog_did(snapshot_data(snap), "+4930111223"));
	snapshot_release(snap);
}


Test(catalog_store, account_of_another_tenant_is_broken)
{
	struct snapshot *snap;

	cr_assert_eq(fixture_put(store, "account", "acc_1", 100,
				 "{\"tenant_id\":\"ten_2\",\"currency\":"
				 "\"EUR\",\"status\":\"active\",\"type\":"
				 "\"prepaid\"}"), 0);
	snap = fixture_publish(store, slot);
	cr_expect_null(catalog_trunk(snapshot_data(snap), "trk_1"));
	snapshot_release(snap);
}


Test(catalog_store, target_without_gateway_is_left_out)
{
	struct snapshot *snap;
	const struct route *r;

	cr_assert_eq(fixture_put(store, "gateway", "gwy_1", 100, NULL), 0);
	snap = fixture_publish(store, slot);
	r = fixture_route(snapshot_data(snap), "+4940", NULL);
	cr_assert_eq(r->target_n, 1);
	cr_expect_str_eq(r->targets[0].gateway->id, "gwy_2");
	cr_expect_eq(catalog_emergency(snapshot_data(snap), "112")->target_n,
		     0);
	snapshot_release(snap);
}


Test(catalog_store, decks_are_shared_while_rates_stand)
{
	struct snapshot *a = fixture_publish(store, slot), *b, *c;

	/* renamed, and something else changed */
	cr_assert_eq(fixture_put(store, "rate_deck", "dck_1", 100,
				 "{\"currency\":\"EUR\",\"name\":\"new\","
				 "\"status\":\"active\",\"rounding_mode\":"
				 "\"half_even\",\"rounding_decimals\":4,"
				 "\"rate_version\":1}"), 0);
	b = fixture_publish(store, slot);
	cr_expect_eq(deck_of(a), deck_of(b));

	cr_assert_eq(fixture_put(store, "rate_deck", "dck_1", 101,
				 "{\"currency\":\"EUR\","
				 "\"status\":\"active\",\"rounding_mode\":"
				 "\"half_even\",\"rounding_decimals\":4,"
				 "\"rate_version\":2}"), 0);
	cr_assert_eq(fixture_rate(store, "dck_1", "1"), 0);
	c = fixture_publish(store, slot);
	cr_expect_neq(deck_of(a), deck_of(c));
	cr_expect_eq(deck_count(deck_of(c)), 1);
	cr_expect_eq(deck_version(deck_of(c)), 101);
	cr_expect_eq(deck_count(deck_of(a)), 2);

	snapshot_release(a);
	snapshot_release(b);
	snapshot_release(c);
}


Test(catalog_store, rate_after_publish_keeps_the_others)
{
	struct snapshot *a = fixture_publish(store, slot), *b;

	cr_assert_eq(fixture_rate(store, "dck_1", "33"), 0);
	b = fixture_publish(store, slot);
	cr_expect_eq(deck_count(deck_of(a)), 2);
	cr_expect_eq(deck_count(deck_of(b)), 3);
	snapshot_release(a);
	snapshot_release(b);
}


Test(catalog_store, overlapping_rates_make_no_deck)
{
	const int64_t before = skipped();
	struct snapshot *snap;

	cr_assert_eq(fixture_rate(store, "dck_1", "49"), 0);
	snap = fixture_publish(store, slot);
	cr_expect_null(deck_of(snap));
	cr_expect_eq(skipped() - before, 1);
	snapshot_release(snap);
}


Test(catalog_store, suspended_deck_is_no_deck)
{
	struct snapshot *snap;

	cr_assert_eq(fixture_put(store, "rate_deck", "dck_1", 100,
				 "{\"currency\":\"EUR\",\"status\":"
				 "\"suspended\",\"rate_version\":1}"), 0);
	snap = fixture_publish(store, slot);
	cr_expect_null(deck_of(snap));
	snapshot_release(snap);
}


Test(catalog_store, rate_of_no_deck)
{
	cr_expect_eq(fixture_rate(store, "dck_9", "49"), ENOENT);
	cr_expect_eq(fixture_rate(store, "dck_1", "4x"), EINVAL);
}


Test(catalog_store, faulty_rows_change_nothing)
{
	static const struct {
		const char *kind, *json, *why;
	} faults[] = {
		{"planet", "{}", "kind"},
		{"tenant", "[]", "object"},
		{"tenant", "{}", "status"},
		{"tenant", "{\"status\":7}", "status"},
		{"account", "{\"tenant_id\":\"ten_1\",\"currency\":\"EURO\"}",
		 "currency"},
		{"trunk", "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
		 "\"status\":\"active\",\"direction\":\"up\"}", "direction"},
		{"trunk", "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
		 "\"status\":\"active\",\"cps\":-2}", "cps"},
		{"trunk", "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
		 "\"status\":\"active\",\"is_trusted\":1}", "is_trusted"},
		{"trunk", "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
		 "\"status\":\"active\",\"number_in\":[{\"strip\":99}]}",
		 "number_in[0].strip"},
		{"realm", "{\"algorithms\":[]}", "algorithms"},
		{"realm", "{\"algorithms\":[\"SHA-1\"]}", "algorithms"},
		{"address", "{\"trunk_id\":\"trk_1\",\"cidr\":\"1.2.3.4/33\"}",
		 "cidr"},
		{"address", "{\"trunk_id\":\"trk_1\",\"cidr\":\"host\"}",
		 "cidr"},
		{"address", "{\"cidr\":\"192.0.2.1\"}", "cidr"},
		{"address", "{\"trunk_id\":\"trk_1\",\"gateway_id\":\"gwy_1\","
		 "\"cidr\":\"192.0.2.1\"}", "cidr"},
		{"gateway", "{\"carrier_id\":\"car_1\",\"status\":\"active\","
		 "\"address\":\"sip.example\"}", "address"},
		{"gateway", "{\"carrier_id\":\"car_1\",\"status\":\"active\","
		 "\"address\":\"192.0.2.1\",\"port\":0}", "address"},
		{"did", "{\"e164\":\"030111\",\"trunk_id\":\"trk_1\","
		 "\"status\":\"active\"}", "e164"},
		{"route", "{\"kind\":\"prefix\",\"prefix\":\"4x\","
		 "\"status\":\"active\"}", "prefix"},
		{"route", "{\"kind\":\"prefix\",\"prefix\":\"4\",\"status\":"
		 "\"active\",\"targets\":[{\"priority\":1}]}", "targets"},
		{"rate_deck", "{\"currency\":\"EUR\",\"status\":\"active\","
		 "\"rounding_decimals\":7}", "rounding_decimals"},
	};
	struct snapshot *snap;
	size_t i;

	for (i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		cr_expect_eq(fixture_put(store, faults[i].kind, "trk_1", 999,
					 faults[i].json),
			     EINVAL, "%s %s", faults[i].kind, faults[i].json);
		cr_expect(strstr(fixture_why(), faults[i].why), "%s: %s",
			  faults[i].json, fixture_why());
	}

	snap = fixture_publish(store, slot);
	cr_expect_lt(snapshot_version(snap), 999);
	cr_expect(catalog_trunk(snapshot_data(snap), "trk_1"));
	snapshot_release(snap);
}


Test(catalog_store, members_of_a_newer_database_pass)
{
	cr_expect_eq(fixture_put(store, "tenant", "ten_1", 100,
				 "{\"status\":\"active\",\"colour\":\"red\"}"),
		     0);
}


static void *reader(void *arg)
{
	snapshot_release(arg);

	return NULL;
}


Test(catalog_store, last_reader_on_another_thread_frees)
{
	struct snapshot *snap = fixture_publish(store, slot);
	pthread_t thread;

	snapshot_release(fixture_publish(store, slot));
	/* the decks of the old catalog live on in the new one */
	cr_assert_eq(pthread_create(&thread, NULL, reader, snap), 0);
	(void)pthread_join(thread, NULL);

	snap = snapshot_acquire(slot);
	cr_expect_eq(deck_count(deck_of(snap)), 2);
	snapshot_release(snap);
}


static bool lacks_with(uint64_t version, const char *limit)
{
	char row[160];

	(void)re_snprintf(row, sizeof(row), "{\"tenant_id\":\"ten_1\","
			  "\"currency\":\"EUR\",\"type\":\"prepaid\","
			  "\"status\":\"active\"%s}", limit);
	cr_assert_eq(fixture_put(store, "account", "acc_s", version, row), 0,
		     "%s", fixture_why());

	return catalog_store_lacks_spent(store);
}


/* Nobody counts while there is no limit: what was spent by then has to be read
   when there is one again. */
Test(catalog_store, a_limit_taken_away_forgets_what_was_spent)
{
	static const char limit[] = ",\"daily_limit_micro\":5";
	static const struct spend_start read[] = {
		{.key = "acc_r day", .micro = 1}, {.key = "acc_s day"},
		{.key = "acc_t day", .micro = 3},
	};

	cr_expect(lacks_with(901, limit));
	store->spend_starts = malloc(sizeof(read));
	cr_assert(store->spend_starts);
	memcpy(store->spend_starts, read, sizeof(read));
	store->spend_start_n = 3;
	store->lacks_spent = false;
	cr_expect_not(lacks_with(902, limit));
	cr_expect_not(lacks_with(903, ""));
	cr_expect_eq(store->spend_start_n, 2);
	cr_expect_str_eq(store->spend_starts[1].key, "acc_t day");
	cr_expect(lacks_with(904, limit));
}
