/** @file tests/unit/base/why.c  Notes of a decision. */
#include "json.h"
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include "why.h"


Test(why, no_notes_is_an_empty_array)
{
	struct why *why = NULL;

	cr_expect_str_eq(why_json(NULL), "[]");
	cr_assert_eq(why_alloc(&why), 0);
	cr_expect_str_eq(why_json(why), "[]");
	mem_deref(why);
}


Test(why, a_note_has_its_step_outcome_id_and_facts)
{
	struct why *why = NULL;

	cr_assert_eq(why_alloc(&why), 0);
	WHY(why, WHY_LIMIT, OUT_LIMIT_IN, "trk_1", WHY_COUNT("used", 3),
	    WHY_TEXT("level", "trunk"), WHY_TEXT("left_out", ""));
	why_note(why, WHY_EMERGENCY, OUT_NONE, NULL, NULL, 0);
	cr_expect_str_eq(why_json(why),
			 "[{\"step\":\"limit\",\"outcome\":"
			 "\"limit_channels_in\",\"id\":\"trk_1\",\"used\":3,"
			 "\"level\":\"trunk\"},{\"step\":\"emergency\"}]");
	/* reading it changes nothing */
	why_note(why, WHY_END, OUT_OK, NULL, NULL, 0);
	cr_expect(strstr(why_json(why), "},{\"step\":\"end\",\"outcome\":"
					"\"ok\"}]") != NULL);
	mem_deref(why);
}


Test(why, numbers_of_any_size_and_notes_after_a_shrink)
{
	struct why *why = NULL;

	cr_assert_eq(why_alloc(&why), 0);
	WHY(why, WHY_PRICE, OUT_NONE, "", WHY_COUNT("least", INT64_MIN),
	    WHY_COUNT("most", INT64_MAX), WHY_COUNT("zero", 0));
	why_shrink(why);
	why_note(why, WHY_END, OUT_OK, NULL, NULL, 0);
	cr_expect_str_eq(why_json(why),
			 "[{\"step\":\"price\",\"least\":"
			 "-9223372036854775808,\"most\":"
			 "9223372036854775807,\"zero\":0},"
			 "{\"step\":\"end\",\"outcome\":\"ok\"}]");
	why_shrink(NULL);
	mem_deref(why);
}


Test(why, what_a_peer_sent_is_escaped)
{
	struct why *why = NULL;
	json_t *doc;

	cr_assert_eq(why_alloc(&why), 0);
	WHY(why, WHY_NUMBER, OUT_OK, "a\"b\\",
	    WHY_TEXT("received", "1\"2\\3\n\x01\xff"),
	    WHY_TEXT("name", "J\xc3\xbcrgen \xc3"));
	doc = json_loads(why_json(why), 0, NULL);
	cr_assert(doc != NULL);
	cr_expect_str_eq(json_string_value(json_object_get(
				 json_array_get(doc, 0), "id")), "a\"b\\");
	cr_expect_str_eq(json_string_value(json_object_get(
				 json_array_get(doc, 0), "name")),
			 "J\xc3\xbcrgen \xc3\x83", "UTF-8 as it is");
	json_decref(doc);
	mem_deref(why);
}


Test(why, what_does_not_fit_is_counted)
{
	struct why *why = NULL;
	const json_t *last;
	json_t *doc;

	cr_assert_eq(why_alloc(&why), 0);
	for (int i = 0; i < 1000; i++)
		WHY(why, WHY_CANDIDATE, OUT_OK, "gwy_0123456789",
		    WHY_COUNT("rank", i));
	cr_expect(strlen(why_json(why)) < WHY_SIZE_MAX);
	doc = json_loads(why_json(why), 0, NULL);
	cr_assert(doc != NULL);
	last = json_array_get(doc, json_array_size(doc) - 1);
	cr_expect_eq((size_t)json_integer_value(
			     json_object_get(last, "dropped")),
		     1000 - json_array_size(doc) + 1);
	json_decref(doc);
	mem_deref(why);
}
