/**
 * @file recent.c  Tests: the oldest goes, a touched one stays.
 */
#include <criterion/criterion.h>
#include "recent.h"

struct thing {
	struct recent_entry entry;
	int value;
};

static const uint8_t key[16] = {1, 2, 3};


static uint64_t id_of(const struct recent *r, const char *name)
{
	return recent_id(r, 0, name, strlen(name));
}


Test(recent, full_drops_the_oldest)
{
	struct recent *r;
	struct thing *a, *b;

	cr_assert_eq(recent_alloc(&r, 2, sizeof(struct thing), key), 0);
	a = recent_add(r, id_of(r, "a"));
	b = recent_add(r, id_of(r, "b"));
	a->value = 1;
	cr_expect_eq(recent_victim(r), a);

	recent_touch(r, a);
	cr_expect_eq(recent_victim(r), b);

	cr_assert(recent_add(r, id_of(r, "c")));
	cr_expect_eq(recent_count(r), 2);
	cr_expect_null(recent_find(r, id_of(r, "b")));
	cr_expect_eq(recent_find(r, id_of(r, "a")), a);
	cr_expect_eq(a->value, 1);

	mem_deref(r);
}


Test(recent, drop_makes_room)
{
	struct recent *r;

	cr_assert_eq(recent_alloc(&r, 1, sizeof(struct thing), key), 0);
	recent_drop(r, recent_add(r, id_of(r, "a")));
	cr_expect_eq(recent_count(r), 0);
	cr_expect_null(recent_victim(r));
	cr_expect_null(recent_find(r, id_of(r, "a")));

	mem_deref(r);
}


Test(recent, ids_are_chained_and_keyed)
{
	static const uint8_t other[16] = {9};
	struct recent *r, *s;

	cr_assert_eq(recent_alloc(&r, 1, sizeof(struct thing), key), 0);
	cr_assert_eq(recent_alloc(&s, 1, sizeof(struct thing), other), 0);

	cr_expect_neq(recent_id(r, id_of(r, "a"), "b", 1), id_of(r, "ab"));
	cr_expect_neq(id_of(r, "a"), id_of(s, "a"));
	cr_expect_eq(recent_alloc(&r, 0, sizeof(struct thing), key), EINVAL);
	cr_expect_eq(recent_alloc(&r, 1, 1, key), EINVAL);

	mem_deref(r);
	mem_deref(s);
}
