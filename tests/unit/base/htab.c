/**
 * @file tests/unit/base/htab.c  SipHash vectors; finding, growing, removing.
 */
#include <criterion/criterion.h>
#include <re.h>
#include <string.h>
#include "htab.h"

#define N 5000

struct entry {
	struct htab_node node;
	uint32_t id;
};

static const uint8_t key[16] = {0, 1, 2,  3,  4,  5,  6,  7,
				8, 9, 10, 11, 12, 13, 14, 15};


static bool is_id(const void *data, const void *id)
{
	const struct entry *e = data;

	return e->id == *(const uint32_t *)id;
}


static void *find(const struct htab *h, uint32_t id)
{
	return htab_find(h, htab_hash(h, &id, sizeof(id)), is_id, &id);
}


static void insert(struct htab *h, struct entry *e, uint32_t id)
{
	e->id = id;
	htab_insert(h, &e->node, htab_hash(h, &id, sizeof(id)), e);
}


/* The authors' vectors: message 00 01 02 ..., key as above. */
Test(htab, siphash_vectors)
{
	uint8_t msg[64];
	size_t i;

	for (i = 0; i < sizeof(msg); i++)
		msg[i] = (uint8_t)i;

	cr_assert_eq(siphash24(key, msg, 0), 0x726fdb47dd0e0e31u);
	cr_assert_eq(siphash24(key, msg, 1), 0x74f839c593dc67fdu);
	cr_assert_eq(siphash24(key, msg, 8), 0x93f5f5799a932462u);
	cr_assert_eq(siphash24(key, msg, 15), 0xa129ca6149be45e5u);
	cr_assert_eq(siphash24(key, msg, 63), 0x958a324ceb064572u);
}


Test(htab, mix_is_the_hash_of_both_inputs)
{
	struct htab *h;
	uint8_t msg[12];
	const uint64_t seed = 0x0706050403020100u;
	size_t i;

	for (i = 0; i < sizeof(msg); i++)
		msg[i] = (uint8_t)i;

	cr_assert_eq(htab_alloc(&h, 0, key), 0);
	cr_assert_eq(htab_mix(h, seed, msg + 8, 4), siphash24(key, msg, 12));
	cr_assert_neq(htab_mix(h, seed + 1, msg + 8, 4),
		      siphash24(key, msg, 12));
	mem_deref(h);
}


Test(htab, finds_what_is_in_and_nothing_else)
{
	static struct entry entries[N];
	struct htab *h;
	uint32_t i;

	cr_assert_eq(htab_alloc(&h, 4, key), 0);
	for (i = 0; i < N; i++) {
		insert(h, &entries[i], i);
		cr_assert_eq(find(h, i), &entries[i]);
		cr_assert_eq(find(h, i / 2), &entries[i / 2]);
		cr_assert_null(find(h, i + 1));
	}
	cr_assert_eq(htab_count(h), N);

	for (i = 0; i < N; i += 2) {
		htab_remove(h, &entries[i].node);
		htab_remove(h, &entries[i].node);
	}
	cr_assert_eq(htab_count(h), N / 2);

	for (i = 0; i < N; i++)
		cr_assert_eq(find(h, i), i % 2 ? &entries[i] : NULL);
	cr_assert_null(find(h, N));

	insert(h, &entries[0], 0);
	cr_assert_eq(find(h, 0), &entries[0]);
	mem_deref(h);
}


Test(htab, equal_decides_when_hashes_agree)
{
	struct entry a = {.id = 1}, b = {.id = 2};
	const uint32_t one = 1, three = 3;
	struct htab *h;

	cr_assert_eq(htab_alloc(&h, 0, key), 0);
	htab_insert(h, &a.node, 7, &a);
	htab_insert(h, &b.node, 7, &b);

	cr_assert_eq(htab_find(h, 7, is_id, &one), &a);
	cr_assert_null(htab_find(h, 7, is_id, &three));
	cr_assert_null(htab_find(h, 8, is_id, &one));

	/* the same bucket, and equal() would say yes */
	cr_assert_null(htab_find(h, 7 + ((uint64_t)1 << 40), is_id, &one));
	mem_deref(h);
}


static bool remove_odd(void *data, void *arg)
{
	struct entry *e = data;

	if (e->id % 2)
		htab_remove(arg, &e->node);

	return false;
}


static bool is_seven(void *data, void *arg)
{
	const struct entry *e = data;

	(void)arg;

	return e->id == 7;
}


static bool count_one(void *data, void *arg)
{
	struct entry *e = data;
	bool *seen = arg;

	cr_assert(!seen[e->id], "met twice");
	seen[e->id] = true;

	return false;
}


/* At each of these sizes some entries are still in the old buckets. */
Test(htab, each_meets_all_while_growing)
{
	static struct entry entries[1000];
	struct htab *h;
	uint32_t i, j;

	cr_assert_eq(htab_alloc(&h, 0, key), 0);
	for (i = 0; i < 1000; i++) {
		bool seen[1000] = {false};

		insert(h, &entries[i], i);
		cr_assert_null(htab_each(h, count_one, seen));
		for (j = 0; j <= i; j++)
			cr_assert(seen[j]);
	}
	mem_deref(h);
}


Test(htab, each_may_remove_its_entry)
{
	static struct entry entries[100];
	struct htab *h;
	uint32_t i;

	cr_assert_eq(htab_alloc(&h, 100, key), 0);
	for (i = 0; i < 100; i++)
		insert(h, &entries[i], i);

	cr_assert_eq(htab_each(h, is_seven, NULL), &entries[7]);
	cr_assert_null(htab_each(h, remove_odd, h));
	cr_assert_eq(htab_count(h), 50);
	cr_assert_null(htab_each(h, is_seven, NULL));
	mem_deref(h);
}
