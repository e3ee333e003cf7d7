/** @file tests/unit/catalog/tag.c  Words become bits of one catalog. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include "fixture.h"
#include "tag.h"
#include "text.h"


static int decode(struct tag_list *ret, const char *text)
{
	json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
	int err = tag_list_decode(ret, json);

	json_decref(json);

	return err;
}


Test(tag, list_is_checked)
{
	static const char *const bad[] = {
		"\"a\"", "{}", "[1]", "[\"\"]", "[\"A\"]", "[\"a b\"]",
		"[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\",\"i\"]",
		"[\"abcdefghijabcdefghijabcdefghijab\"]",
		"[\"abcdefghijabcdefghijabcdefghija\","
		"\"abcdefghijabcdefghijabcdefghijb\","
		"\"abcdefghijabcdefghijabcdefghijc\","
		"\"abcdefghijabcdefghijabcdefghijd\"]",
	};
	struct tag_list list;

	cr_expect_eq(decode(&list, "[]"), 0);
	cr_expect_str_eq(list.words, "");
	cr_expect_eq(decode(&list, "[\"premium\",\"a-1_2\"]"), 0);
	cr_expect_str_eq(list.words, "premium a-1_2 ");
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		cr_expect_eq(decode(&list, bad[i]), EINVAL, "%s", bad[i]);
}


Test(tag, sets)
{
	static struct tag_table table;
	struct tag_list list;
	struct tag_set a, b, none = {{0}};
	char text[64], small[8];

	cr_assert_eq(decode(&list, "[\"x\",\"premium\"]"), 0);
	cr_assert_eq(tag_intern(&a, &table, &list), 0);
	cr_assert_eq(decode(&list, "[\"premium\"]"), 0);
	cr_assert_eq(tag_intern(&b, &table, &list), 0);
	cr_expect_eq(table.n, 2);

	cr_expect(tag_set_has(&a, &b));
	cr_expect_not(tag_set_has(&b, &a));
	cr_expect(tag_set_has(&none, &none));
	cr_expect_not(tag_set_has(&none, &b));
	tag_set_join(&none, &a);
	cr_expect(tag_set_has(&none, &a));
	cr_expect_str_eq(tag_set_format(text, sizeof(text), &table, &a),
			 "x premium");
	cr_expect_str_eq(tag_set_format(small, sizeof(small), &table, &a),
			 "x premi");
}


Test(tag, different_words_are_bounded)
{
	static struct tag_table table;
	struct tag_list list;
	struct tag_set set;

	for (unsigned i = 0; i < TAG_MAX; i++) {
		(void)text_format(list.words, sizeof(list.words), "t%u ", i);
		cr_assert_eq(tag_intern(&set, &table, &list), 0);
	}
	cr_expect(set.bits[3] >> 63);
	cr_expect_eq(tag_intern(&set, &table, &list), 0, "known already");
	(void)text_copy(list.words, sizeof(list.words), "new ");
	cr_expect_eq(tag_intern(&set, &table, &list), ENOSPC);
}
