/**
 * @file tests/unit/base/snapshot.c  The last reader frees, once. With several
 * threads: race.c.
 */
#include <criterion/criterion.h>
#include <stdatomic.h>
#include <stdlib.h>
#include "snapshot.h"

static atomic_uint freed;


static void count_free(void *data)
{
	++freed;
	free(data);
}


static void *value(uint64_t v)
{
	uint64_t *p = malloc(sizeof(*p));

	*p = v;

	return p;
}


Test(snapshot, the_last_one_frees)
{
	struct snapshot_slot *slot;
	struct snapshot *one, *again;

	cr_assert_eq(snapshot_slot_alloc(&slot), 0);
	cr_assert_null(snapshot_acquire(slot));
	cr_assert_eq(snapshot_publish(slot, value(1), 1, count_free), 0);

	one = snapshot_acquire(slot);
	again = snapshot_ref(one);
	cr_assert_eq(snapshot_publish(slot, value(2), 2, count_free), 0);
	cr_assert_eq(freed, 0);
	cr_assert_eq(snapshot_version(one), 1);
	cr_assert_eq(*(uint64_t *)snapshot_data(one), 1);

	snapshot_release(one);
	cr_assert_eq(freed, 0);
	snapshot_release(again);
	cr_assert_eq(freed, 1);

	snapshot_slot_free(slot);
	cr_assert_eq(freed, 2);
	snapshot_release(NULL);
	snapshot_slot_free(NULL);
}
