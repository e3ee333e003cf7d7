/** @file tests/unit/catalog/prefix.c  Longest prefixes. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "prefix.h"


Test(prefix, key_orders_as_the_text_does)
{
	static const char *const sorted[] = {
		"0", "1", "10", "100", "1000000", "11", "12", "2", "49", "491",
		"4915", "49150", "50", "9", "999999999999999", "*", "*21",
		"*21#", "#",
	};

	for (size_t i = 1; i < sizeof(sorted) / sizeof(sorted[0]); i++)
		cr_expect_lt(prefix_key(sorted[i - 1]), prefix_key(sorted[i]),
			     "%s", sorted[i]);
	cr_expect_eq(prefix_key("+49"), prefix_key("49"));
}


Test(prefix, key_of_what_is_no_number)
{
	cr_expect_eq(prefix_key(""), 0);
	cr_expect_eq(prefix_key("+"), 0);
	cr_expect_eq(prefix_key("++1"), 0);
	cr_expect_eq(prefix_key("1a"), 0);
	cr_expect_eq(prefix_key("1234567890123456"), 0);
	cr_expect_neq(prefix_key("123456789012345"), 0);
}


Test(prefix, longest_and_then_shorter_ones)
{
	static const char *const list[] = {"4930", "49", "491", "4915", "44",
					   "4930123"};
	struct prefix_index t;
	uint32_t i;

	cr_assert_eq(prefix_index_alloc(&t, 6), 0);
	for (i = 0; i < 6; i++)
		prefix_index_add(&t, prefix_key(list[i]), i);
	prefix_index_build(&t);

	i = prefix_find(&t, "+49151234567");
	cr_assert_neq(i, PREFIX_NONE);
	cr_expect_eq(t.entries[i].value, 3);
	cr_expect_not(prefix_is_whole(&t.entries[i], "+49151234567"));
	i = t.entries[i].up;
	cr_expect_eq(t.entries[i].value, 2);
	i = t.entries[i].up;
	cr_expect_eq(t.entries[i].value, 1);
	cr_expect_eq(t.entries[i].up, PREFIX_NONE);

	/* between 4930 and 4930123 */
	i = prefix_find(&t, "4930122");
	cr_expect_eq(t.entries[i].value, 0);
	i = prefix_find(&t, "4930123");
	cr_expect_eq(t.entries[i].value, 5);
	cr_expect(prefix_is_whole(&t.entries[i], "+4930123"));

	cr_expect_eq(prefix_find(&t, "4"), PREFIX_NONE);
	cr_expect_eq(prefix_find(&t, "45"), PREFIX_NONE);
	cr_expect_eq(prefix_find(&t, "1"), PREFIX_NONE);
	cr_expect_eq(prefix_find(&t, ""), PREFIX_NONE);
	cr_expect_eq(prefix_find(&t, "x"), PREFIX_NONE);
	free(t.entries);
}


Test(prefix, empty_table)
{
	struct prefix_index t;

	cr_assert_eq(prefix_index_alloc(&t, 0), 0);
	prefix_index_build(&t);
	cr_expect_eq(prefix_find(&t, "49"), PREFIX_NONE);
	free(t.entries);
}


/* The same as looking at every entry. */
Test(prefix, random_tables_against_a_scan)
{
	uint32_t seed = 1;

	for (unsigned round = 0; round < 200; round++) {
		char list[40][8];
		struct prefix_index t;
		uint32_t n = 0;

		cr_assert_eq(prefix_index_alloc(&t, 40), 0);
		while (n < 40) {
			uint32_t k;

			seed = seed * 1103515245 + 12345;
			(void)snprintf(list[n], sizeof(list[n]), "%u",
				       (seed >> 16) % 2000 >> (seed >> 8) % 9);
			for (k = 0; k < n && strcmp(list[k], list[n]); k++)
				;
			if (k < n)
				continue;
			prefix_index_add(&t, prefix_key(list[n]), n);
			++n;
		}
		prefix_index_build(&t);

		for (unsigned number = 0; number < 3000; number += 7) {
			uint32_t best = PREFIX_NONE, hit;
			char text[8];

			(void)snprintf(text, sizeof(text), "%u", number);
			for (uint32_t k = 0; k < n; k++)
				if (!strncmp(text, list[k], strlen(list[k])) &&
				    (best == PREFIX_NONE ||
				     strlen(list[k]) > strlen(list[best])))
					best = k;
			hit = prefix_find(&t, text);
			cr_assert_eq(hit == PREFIX_NONE ? PREFIX_NONE
							: t.entries[hit].value,
				     best, "%s", text);
		}
		free(t.entries);
	}
}
