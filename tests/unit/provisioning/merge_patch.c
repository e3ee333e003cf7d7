/* JSON Merge Patch: the examples of RFC 7396, appendix A. */
#include "json.h"
#include <criterion/criterion.h>
#include "field.h"

static const struct {
	const char *target, *patch, *result;
} cases[] = {
	{"{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	{"{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}"},
	{"{\"a\":\"b\"}", "{\"a\":null}", "{}"},
	{"{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}"},
	{"{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}"},
	{"{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}"},
	{"{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}",
	 "{\"a\":{\"b\":\"d\"}}"},
	{"{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}"},
	{"[\"a\",\"b\"]", "[\"c\",\"d\"]", "[\"c\",\"d\"]"},
	{"{\"a\":\"b\"}", "[\"c\"]", "[\"c\"]"},
	{"{\"a\":\"foo\"}", "null", "null"},
	{"{\"a\":\"foo\"}", "\"bar\"", "\"bar\""},
	{"{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}"},
	{"[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}"},
	{"{}", "{\"a\":{\"bb\":{\"ccc\":null}}}",
	 "{\"a\":{\"bb\":{}}}"},
};


Test(merge_patch, does_as_the_rfc_shows)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		json_t *target = json_loads(cases[i].target,
					    JSON_DECODE_ANY, NULL);
		json_t *patch = json_loads(cases[i].patch, JSON_DECODE_ANY,
					   NULL);
		json_t *want = json_loads(cases[i].result, JSON_DECODE_ANY,
					  NULL);
		json_t *before = json_deep_copy(target);
		json_t *got = merge_patch(target, patch);

		cr_assert(json_equal(got, want), "case %zu", i);
		cr_assert(json_equal(target, before),
			  "case %zu: the target stays as it was", i);
		json_decref(got);
		json_decref(want);
		json_decref(before);
		json_decref(patch);
		json_decref(target);
	}
}


Test(merge_patch, starts_from_what_may_be_written)
{
	static const struct field fields[] = {
		{.name = "id", .type = FIELD_TEXT, .flags = F_READ_ONLY,
		 .column = "id"},
		{.name = "limits.in", .type = FIELD_NUMBER, .column = "i"},
		{.name = "limits.out", .type = FIELD_NUMBER, .column = "o"},
	};
	static const struct field_set set = FIELD_SET(fields);
	json_t *doc = json_loads("{\"id\":\"x\",\"limits\":{\"in\":null,"
				 "\"out\":2},\"more\":1}", 0, NULL);
	json_t *want = json_loads("{\"limits\":{\"in\":null,\"out\":2}}", 0,
				  NULL);
	json_t *got = field_writable(&set, doc);

	cr_assert(json_equal(got, want));
	json_decref(got);
	json_decref(want);
	json_decref(doc);
}
