/* Problem documents. */
#include "json.h"
#include <criterion/criterion.h>
#include <string.h>
#include "problem.h"


Test(problem, document)
{
	struct problem p = {0};
	json_t *doc, *want, *value = json_string("x");

	problem_add(&p, "/name", "bad_form", value, "must be %s", "fine");
	doc = problem_encode(&p, "/v1/tenants", "req_1");
	want = json_loads(
		"{\"type\":\"/problems/validation_failed\",\"title\":"
		"\"Validation failed\",\"status\":422,\"detail\":\"errors[] "
		"names every faulty member\",\"instance\":\"/v1/tenants\","
		"\"code\":\"validation_failed\",\"request_id\":\"req_1\","
		"\"errors\":[{\"pointer\":\"/name\",\"code\":\"bad_form\","
		"\"detail\":\"must be fine\",\"value\":\"x\"}]}", 0, NULL);
	cr_assert(json_equal(doc, want));
	json_decref(doc);
	json_decref(want);
	json_decref(value);
	problem_clear(&p);
	cr_assert_not(problem_is_set(&p));
}


Test(problem, the_first_refusal_stays)
{
	struct problem p = {0};

	problem_set(&p, PROBLEM_CONFLICT, "first");
	problem_set(&p, PROBLEM_INTERNAL, "second");
	problem_add(&p, "/x", "taken", NULL, "third");
	cr_assert_eq(problem_status(&p), 409);
	cr_assert_str_eq(p.detail, "first");
	cr_assert_eq(json_array_size(p.errors), 1);
	problem_clear(&p);
}


Test(problem, is_bounded)
{
	struct problem p = {0};
	char text[300];
	json_t *big, *doc;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	big = json_string(text);
	for (size_t i = 0; i < PROBLEM_ERRORS_MAX + 7; i++)
		problem_add(&p, "/x", "y", big, "%s", text);

	cr_assert_eq(json_array_size(p.errors), PROBLEM_ERRORS_MAX);
	cr_assert_null(json_object_get(json_array_get(p.errors, 0), "value"));
	doc = problem_encode(&p, "/", "r");
	cr_assert_eq(json_integer_value(json_object_get(doc,
						"errors_omitted")), 7);
	json_decref(doc);
	json_decref(big);
	problem_clear(&p);
}


Test(problem, cut_text_is_still_utf8)
{
	struct problem p = {0};
	char text[400];
	json_t *doc;

	for (size_t shift = 0; shift < 4; shift++) {
		memset(text, 'x', shift);
		for (size_t i = shift; i + 4 < sizeof(text); i += 4)
			memcpy(text + i, "\xf0\x9f\x93\x9e", 5);
		problem_set(&p, PROBLEM_CONFLICT, "%s", text);
		problem_add(&p, "", "y", NULL, "%s", text);
		doc = problem_encode(&p, "/", "r");
		cr_assert_not_null(doc, "shift %zu", shift);
		cr_assert_not_null(json_object_get(
			json_array_get(json_object_get(doc, "errors"), 0),
			"detail"));
		json_decref(doc);
		problem_clear(&p);
	}
}


/* The parser quotes what it could not read. */
Test(problem, what_is_no_utf8_is_shown_as_such)
{
	static const char *const odd[] = {"\xd8\x80`", "\xd8", "\xc0\xaf",
					  "\xed\xa0\x80", "\xf4\x90\x80\x80",
					  "\xff\xfe", "\xe2\x82", "\x80"};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		struct problem p = {0};
		json_t *doc;

		problem_set(&p, PROBLEM_BAD_JSON, "near '%s'", odd[i]);
		doc = problem_encode(&p, "/", "r");
		cr_assert_not_null(doc, "text %zu", i);
		json_decref(doc);
		problem_clear(&p);
	}
}


Test(problem, pointers_are_escaped_and_cut)
{
	char buf[16];

	cr_assert_str_eq(pointer_join(buf, sizeof(buf), "/a", "b/c~d"),
			 "/a/b~1c~0d");
	cr_assert_str_eq(pointer_join(buf, sizeof(buf), "", ""), "/");
	pointer_join(buf, sizeof(buf), "/0123456789abcdef", "x");
	cr_assert_lt(strlen(buf), sizeof(buf));
	pointer_join(buf, sizeof(buf), "/012345678",
		     "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
	cr_assert_str_eq(buf, "/012345678/\xc3\xa4", "room is kept for an "
							"escape");
}


Test(problem, kinds_are_told_apart)
{
	for (size_t i = PROBLEM_NONE + 1; i < PROBLEM_N; i++) {
		const struct problem_row *row =
			problem_row((enum problem_kind)i);

		cr_assert_eq(problem_find(row->code), row);
		cr_assert(row->status >= 400 && row->status < 600);
		cr_assert(*row->title && *row->help);
	}
	cr_assert_null(problem_find("nonsense"));
	cr_assert_null(problem_find("none"));
}
