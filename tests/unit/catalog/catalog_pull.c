#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "fixture.h"
#include "pg.h"
#include "text.h"

/*
 * Against a real database that is migrated and empty: sql/test/run gives one
 * in STROWGER_TEST_DSN; without it there is nothing to pull from.
 */

#define ID(prefix) prefix "_00000000000000000000000001"

static struct pg *pg, *writer;
static struct catalog_store *store;
static struct snapshot_slot *slot;

static const char *const world[] = {
	"insert into core.tenant (id, name, currency)"
	" values ('" ID("ten") "', 'T', 'EUR')",
	"insert into core.account (id, tenant_id, name, type, currency)"
	" values ('" ID("acc") "', '" ID("ten") "', 'A', 'prepaid', 'EUR')",
	"insert into core.rate_deck (id, name, currency)"
	" values ('" ID("dck") "', 'D', 'EUR')",
	"insert into core.rate (deck_id, prefix, rate_per_min_nano,"
	" effective_from) select '" ID("dck") "', (1000 + n)::text, n,"
	" '2026-01-01Z' from generate_series(1, 3000) n",
	"insert into core.realm (name) values ('sip.example')",
	"insert into core.trunk (id, tenant_id, account_id, rate_deck_id,"
	" name, realm, uri_host) values ('" ID("trk") "', '" ID("ten") "',"
	" '" ID("acc") "', '" ID("dck") "', 'T', 'sip.example', '192.0.2.9')",
	"insert into core.trunk_credential (id, trunk_id, realm, username,"
	" ha1_md5) values ('" ID("cre") "', '" ID("trk") "', 'sip.example',"
	" 'pbx', repeat('a', 32))",
	"insert into core.carrier (id, name, currency)"
	" values ('" ID("car") "', 'C', 'EUR')",
	"insert into core.gateway (id, carrier_id, name, address)"
	" values ('" ID("gwy") "', '" ID("car") "', 'G', '198.51.100.1')",
	"insert into core.did (id, e164, tenant_id, trunk_id) select"
	" 'did_' || lpad(n::text, 26, '0'), '+4930' || (100000 + n), "
	"'" ID("ten") "', '" ID("trk") "' from generate_series(1, 1100) n",
	"insert into core.route (id, prefix, name)"
	" values ('" ID("rte") "', '', 'R')",
	"insert into core.route_target (route_id, gateway_id)"
	" values ('" ID("rte") "', '" ID("gwy") "')",
};

static const char *const sweep[] = {
	"delete from core.route", "delete from core.did",
	"delete from core.source_address", "delete from core.gateway",
	"delete from core.carrier", "delete from core.trunk",
	"delete from core.realm", "delete from core.account",
	"delete from core.rate_deck", "delete from core.tenant",
};


static void run(const char *sql)
{
	cr_assert_eq(pg_exec(writer, sql, 0, NULL, NULL), 0, "%s: %s", sql,
		     pg_error(writer));
}


static void setup(void)
{
	const char *dsn = getenv("STROWGER_TEST_DSN");
	size_t i;

	if (!dsn)
		cr_skip_test("no database");

	cr_assert_eq(pg_alloc(&pg, dsn, "test"), 0);
	cr_assert_eq(pg_alloc(&writer, dsn, "test"), 0);
	cr_assert_eq(pg_ready(writer), 0, "%s", pg_error(writer));
	for (i = 0; i < sizeof(sweep) / sizeof(sweep[0]); i++)
		run(sweep[i]);
	for (i = 0; i < sizeof(world) / sizeof(world[0]); i++)
		run(world[i]);
	cr_assert_eq(catalog_store_alloc(&store), 0);
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
}


static void teardown(void)
{
	if (slot)
		snapshot_slot_free(slot);
	mem_deref(store);
	mem_deref(writer);
	mem_deref(pg);
}

TestSuite(catalog_pull, .init = setup, .fini = teardown);


static bool pull(void)
{
	bool is_changed = false;

	cr_assert_eq(catalog_store_pull(store, pg, &is_changed), 0, "%s",
		     pg_error(pg));

	return is_changed;
}


static const struct trunk *trunk_of(const struct snapshot *snap)
{
	return catalog_trunk(snapshot_data(snap), ID("trk"));
}


Test(catalog_pull, everything_then_nothing)
{
	const struct catalog *c;
	struct snapshot *snap;
	struct rate rate;

	cr_expect(pull());
	snap = fixture_publish(store, slot);
	c = snapshot_data(snap);

	cr_assert(trunk_of(snap));
	cr_expect_str_eq(trunk_of(snap)->uri_host, "192.0.2.9");
	cr_assert(trunk_of(snap)->deck);
	cr_expect_eq(deck_count(trunk_of(snap)->deck), 3000);
	cr_assert(deck_find(trunk_of(snap)->deck, "1001", 1767225600000,
			    &rate));
	cr_expect_eq(rate.from_ms, 1767225600000);
	cr_expect(catalog_credential(c, "sip.example", "pbx"));
	cr_expect(catalog_did(c, "+4930101100"));
	cr_expect_eq(fixture_route(c, "+1", NULL)->target_n, 1);
	cr_expect_not(pull());
	snapshot_release(snap);
}


Test(catalog_pull, peers_of_the_gateway)
{
	struct sa sa = fixture_sa("198.51.100.1", 5060);
	struct snapshot *snap;

	(void)pull();
	snap = fixture_publish(store, slot);
	cr_expect(catalog_peer(snapshot_data(snap), &sa).gateway);
	snapshot_release(snap);
}


Test(catalog_pull, what_moved)
{
	struct snapshot *a, *b, *c;

	(void)pull();
	a = fixture_publish(store, slot);
	run("update core.trunk set name = 'new'");
	run("delete from core.did where e164 = '+4930101100'");
	run("update core.rate_deck set name = 'new'");
	cr_expect(pull());
	b = fixture_publish(store, slot);
	cr_expect_str_eq(trunk_of(b)->name, "new");
	cr_expect_null(catalog_did(snapshot_data(b), "+4930101100"));
	cr_expect_eq(trunk_of(a)->deck, trunk_of(b)->deck, "deck not shared");

	run("delete from core.rate where prefix = '1001'");
	cr_expect(pull());
	c = fixture_publish(store, slot);
	cr_expect_eq(deck_count(trunk_of(c)->deck), 2999);
	cr_expect_eq(deck_version(trunk_of(c)->deck), snapshot_version(c));

	snapshot_release(a);
	snapshot_release(b);
	snapshot_release(c);
}


Test(catalog_pull, another_database_is_read_whole)
{
	struct snapshot *snap;

	(void)pull();
	cr_assert_eq(fixture_put(store, "tenant", "ten_ghost", 1,
				 "{\"status\":\"active\"}"), 0);
	run("update core.feed set feed = gen_random_uuid()");
	cr_expect(pull());
	cr_assert_eq(fixture_put(store, "account", "acc_ghost", 1,
				 "{\"tenant_id\":\"ten_ghost\",\"currency\":"
				 "\"EUR\",\"status\":\"active\",\"type\":"
				 "\"prepaid\"}"), 0);
	snap = fixture_publish(store, slot);
	cr_expect_null(catalog_account(snapshot_data(snap), "acc_ghost"));
	cr_expect(trunk_of(snap));
	snapshot_release(snap);
}


Test(catalog_pull, restored_backup_is_read_whole)
{
	struct snapshot *snap;

	(void)pull();
	/* the store has seen a version that the database has no more */
	cr_assert_eq(fixture_put(store, "tenant", "ten_ghost", INT64_MAX,
				 "{\"status\":\"active\"}"), 0);
	cr_expect(pull());
	snap = fixture_publish(store, slot);
	cr_expect_lt(snapshot_version(snap), INT64_MAX);
	cr_expect_not(pull());
	snapshot_release(snap);
}


Test(catalog_pull, saved_rows_go_on_from_there)
{
	char file[] = "/tmp/catalog.XXXXXX";
	struct catalog_store *other;
	struct snapshot *snap;
	bool is_changed = true;
	int fd = mkstemp(file);

	cr_assert(fd >= 0);
	(void)pull();
	cr_assert_eq(catalog_store_save(store, file), 0);
	cr_assert_eq(catalog_store_alloc(&other), 0);
	cr_assert_eq(catalog_store_load(other, file), 0);
	cr_assert_eq(catalog_store_pull(other, pg, &is_changed), 0);
	cr_expect_not(is_changed);
	snap = fixture_publish(other, slot);
	cr_expect_eq(deck_count(trunk_of(snap)->deck), 3000);

	snapshot_release(snap);
	mem_deref(other);
	(void)remove(file);
	(void)close(fd);
}


Test(catalog_pull, refused_leaves_the_store_alone)
{
	struct snapshot *snap;
	bool is_changed = false;

	(void)pull();
	run("alter function api_v1.changes(bigint, integer) rename to gone");
	run("update core.trunk set name = 'unseen'");
	cr_expect_eq(catalog_store_pull(store, pg, &is_changed), EPROTO);
	run("alter function api_v1.gone(bigint, integer) rename to changes");
	cr_expect_not(is_changed);
	snap = fixture_publish(store, slot);
	cr_expect_str_eq(trunk_of(snap)->name, "T");
	snapshot_release(snap);

	/* and the connection is fit for the next one */
	cr_expect(pull());
}


Test(catalog_pull, no_database)
{
	struct pg *nobody;
	bool is_changed;

	cr_assert_eq(pg_alloc(&nobody, "host=/nonexistent", "test"), 0);
	cr_expect_eq(catalog_store_pull(store, nobody, &is_changed),
		     ECONNREFUSED);
	mem_deref(nobody);
}
