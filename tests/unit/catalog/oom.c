/**
 * @file tests/unit/catalog/oom.c  Storing, building and reading with the
 * first, second, ... allocation failing: each says ENOMEM, leaks nothing,
 * takes nothing away, and works the next time. The linker leads the
 * allocators of our libraries through here.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "fixture.h"

#define NEVER UINT_MAX
#define TRIES 3000

void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__real_realloc(void *p, size_t size);
void *__real_mem_zalloc(size_t size, mem_destroy_h *dh);

void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh);

static unsigned left = NEVER; /* allocations until one fails */
static struct catalog_store *store, *other;
static struct snapshot_slot *slot;
static char file[] = "/tmp/catalog.XXXXXX";


static bool fails(void)
{
	return left != NEVER && left-- == 0;
}


void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}


void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}


void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}


void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh)
{
	return fails() ? NULL : __real_mem_zalloc(size, dh);
}


static void setup(void)
{
	int fd = mkstemp(file);

	cr_assert(fd >= 0);
	(void)close(fd);
	store = fixture_world();
	cr_assert_eq(catalog_store_alloc(&other), 0);
	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	cr_assert_eq(catalog_store_save(store, file), 0);
}


static void teardown(void)
{
	(void)unlink(file);
	snapshot_slot_free(slot);
	mem_deref(store);
	mem_deref(other);
}

TestSuite(oom, .init = setup, .fini = teardown);


/** @return allocations that the step needs; at each of them it says so */
static unsigned starve(int (*step)(void))
{
	unsigned n;
	int err;

	for (n = 0; n < TRIES; n++) {
		left = n;
		err = step();
		left = NEVER;
		if (!err)
			return n;
		cr_assert_eq(err, ENOMEM, "allocation %u: %d", n, err);
	}

	return n;
}


static int publish(void)
{
	return catalog_store_publish(store, slot);
}


static int load(void)
{
	return catalog_store_load(other, file);
}


static int put(void)
{
	static json_t *row;
	char why[64];

	if (!row) {
		unsigned kept = left;

		left = NEVER;
		row = json_loads("{\"e164\":\"+4930777\",\"status\":"
				 "\"active\",\"trunk_id\":\"trk_1\"}", 0,
				 NULL);
		left = kept;
	}

	return catalog_store_put(store, "did", "did_new", 100, row, why,
				 sizeof(why));
}


static const struct catalog *newest(struct catalog_store *s)
{
	struct snapshot *snap = fixture_publish(s, slot);
	const struct catalog *c = snapshot_data(snap);

	snapshot_release(snap); /* the slot keeps it */

	return c;
}


Test(oom, publish)
{
	const unsigned n = starve(publish);

	cr_expect_gt(n, 20);
	cr_expect_lt(n, TRIES);
	cr_expect_eq(deck_count(catalog_trunk(newest(store), "trk_1")->deck),
		     2);
}


Test(oom, publish_with_rates_to_build)
{
	const struct catalog *c;

	(void)newest(store);
	cr_assert_eq(fixture_rate(store, "dck_1", "33"), 0);
	cr_expect_lt(starve(publish), TRIES);
	c = newest(store);
	cr_expect_eq(deck_count(catalog_trunk(c, "trk_1")->deck), 3);
}


Test(oom, load)
{
	const unsigned n = starve(load);

	cr_expect_gt(n, 50);
	cr_expect_lt(n, TRIES);
	cr_expect(catalog_did(newest(other), "+4930111222"));
}


Test(oom, put)
{
	const unsigned n = starve(put);

	cr_expect_gt(n, 1);
	cr_expect(catalog_did(newest(store), "+4930777"));
}


Test(oom, store)
{
	struct catalog_store *s = NULL;

	left = 0;
	cr_expect_eq(catalog_store_alloc(&s), ENOMEM);
	left = 1;
	cr_expect_eq(catalog_store_alloc(&s), ENOMEM);
	left = NEVER;
	cr_expect_null(s);
}
