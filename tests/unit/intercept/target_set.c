/** @file tests/unit/intercept/target_set.c  Who is sought is found, nobody else. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "target_set.h"

static const uint8_t secret[POI_KEY_SIZE] = "0123456789abcdef0123456789abcdef";


static int add(struct target_set *s, const struct poi_key *key,
	       const char *identity, uint32_t id, uint8_t want)
{
	struct poi_target t = {.id = id, .want = want};

	poi_digest(t.digest, key, identity);

	return target_set_add(s, &t);
}


Test(target_set, finds_each_of_many_and_nobody_else)
{
	struct target_ref refs[TARGETS_OF_ONE];
	struct target_set *s;
	struct poi_key key;
	char text[32];

	cr_assert_eq(target_set_alloc(&s), 0);
	cr_expect_eq(target_set_find(s, "tel:1", refs), 0);

	poi_key_init(&key, secret);
	target_set_begin(s, &key);
	for (uint32_t i = 0; i < POI_TARGETS_MAX; i++) {
		snprintf(text, sizeof(text), "tel:%u", i);
		cr_assert_eq(add(s, &key, text, i, POI_WANT_ALL), 0);
	}
	cr_expect_eq(add(s, &key, "tel:x", 1, POI_WANT_ALL), ENOSPC);
	cr_expect_eq(target_set_close(s), POI_TARGETS_MAX);
	for (uint32_t i = 0; i < POI_TARGETS_MAX; i += 97) {
		snprintf(text, sizeof(text), "tel:%u", i);
		cr_assert_eq(target_set_find(s, text, refs), 1, "%s", text);
		cr_assert_eq(refs[0].id, i);
	}
	cr_expect_eq(target_set_find(s, "tel:65536", refs), 0);

	/* one that two ask for, and the rest forgotten */
	target_set_begin(s, &key);
	cr_assert_eq(add(s, &key, "sip:a@b", 7, POI_WANT_SIP), 0);
	cr_assert_eq(add(s, &key, "sip:a@b", 8, POI_WANT_ALL), 0);
	cr_expect_eq(target_set_close(s), 2);
	cr_expect_eq(target_set_find(s, "tel:1", refs), 0);
	cr_assert_eq(target_set_find(s, "sip:a@b", refs), 2);
	cr_expect_eq(refs[0].id + refs[1].id, 15);

	/* under another key nobody is found */
	target_set_begin(s, NULL);
	cr_assert_eq(add(s, &key, "sip:a@b", 7, POI_WANT_SIP), 0);
	(void)target_set_close(s);
	cr_expect_eq(target_set_find(s, "sip:a@b", refs), 0);
	target_set_free(s);
}
