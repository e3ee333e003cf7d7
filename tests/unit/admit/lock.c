/** @file lock.c  Locks set here and provisioned ones: what holds, until when. */
#include <criterion/criterion.h>
#include <errno.h>
#include "json.h"
#include "catalog_store.h"
#include "lock.h"

static struct catalog_store *store;
static struct snapshot_slot *slot;
static struct snapshot *snap;
static const struct catalog *cat;
static struct locks *locks;


static void provision(const char *text)
{
	static uint64_t version;
	char why[128] = "";
	json_t *json = json_loads(text, 0, NULL);

	cr_assert_eq(catalog_store_put(store, "lock", "trk_1", ++version,
				       json, why, sizeof(why)), 0, "%s", why);
	json_decref(json);
	snapshot_release(snap);
	cr_assert_eq(catalog_store_publish(store, slot), 0);
	snap = snapshot_acquire(slot);
	cat = snapshot_data(snap);
}


static void open_all(void)
{
	const uint8_t key[16] = {7};

	cr_assert_eq(catalog_store_alloc(&store), 0);
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	cr_assert_eq(locks_alloc(&locks, key), 0);
	provision("{}");
}


static void close_all(void)
{
	locks = mem_deref(locks);
	snapshot_release(snap);
	snapshot_slot_free(slot);
	mem_deref(store);
}

TestSuite(lock, .init = open_all, .fini = close_all);


static enum outcome at(int64_t now_ms)
{
	return lock_check(locks, cat, "trk_1", now_ms);
}


Test(lock, holds_at_once_and_until_its_time)
{
	cr_expect_eq(at(1000), OUT_OK);
	cr_assert_eq(lock_set(locks, "trk_1", OUT_FRAUD_LOCK, 1000, 5000), 0);
	cr_expect_eq(at(1000), OUT_FRAUD_LOCK);
	cr_expect_eq(at(4999), OUT_FRAUD_LOCK);
	cr_expect_eq(at(5000), OUT_OK);
	cr_expect_eq(lock_check(locks, cat, "trk_2", 1000), OUT_OK,
		     "of one row alone");
}


Test(lock, the_last_one_counts)
{
	cr_assert_eq(lock_set(locks, "trk_1", OUT_FRAUD_LOCK, 1000, 5000), 0);
	cr_assert_eq(lock_set(locks, "trk_1", OUT_LIMIT_SPEND, 2000,
			      INT64_MAX), 0);
	cr_expect_eq(at(900000), OUT_LIMIT_SPEND);
}


/* The database says later than the lock that somebody unlocked. */
Test(lock, a_later_unlock_ends_it)
{
	cr_assert_eq(lock_set(locks, "trk_1", OUT_FRAUD_LOCK, 2000,
			      INT64_MAX), 0);
	provision("{\"unlocked_ms\":1999}");
	cr_expect_eq(at(3000), OUT_FRAUD_LOCK, "one before it does not");
	provision("{\"unlocked_ms\":2000}");
	cr_expect_eq(at(3000), OUT_OK);
	cr_assert_eq(lock_set(locks, "trk_1", OUT_FRAUD_LOCK, 4000,
			      INT64_MAX), 0);
	cr_expect_eq(at(4000), OUT_FRAUD_LOCK, "it may be locked again");
}


Test(lock, a_provisioned_one_holds_after_a_restart)
{
	provision("{\"locked_ms\":1000,\"until_ms\":5000,\"is_fraud\":true}");
	cr_expect_eq(at(4999), OUT_FRAUD_LOCK);
	cr_expect_eq(at(5000), OUT_OK);
	provision("{\"locked_ms\":1000}");
	cr_expect_eq(at(INT64_MAX - 1), OUT_LIMIT_SPEND);
	provision("{\"locked_ms\":1000,\"unlocked_ms\":1000}");
	cr_expect_eq(at(1001), OUT_OK);
}
