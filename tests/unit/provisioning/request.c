/* What handlers need of their request. */
#include "json.h"
#include <criterion/criterion.h>
#include <string.h>
#include "request.h"

static const char *const known[] = {"limit", "cursor", NULL};
static const struct operation op = {.method = "GET", .path = "/", .id = "x",
				    .query = known};


static struct request with(const char *name, const char *value)
{
	struct request req = {.op = &op, .query_n = 1};

	req.query[0].name = name;
	req.query[0].value = value;
	return req;
}


static int limit(const char *text)
{
	struct request req = with("limit", text);
	int n = request_limit(&req);

	return problem_is_set(&req.problem) ? -1 : n;
}


Test(request, limits)
{
	struct request req = {.op = &op};

	cr_assert_eq(request_limit(&req), LIMIT_DEFAULT);
	cr_assert_eq(limit("1"), 1);
	cr_assert_eq(limit("500"), 500);
	cr_assert_eq(limit("0"), -1);
	cr_assert_eq(limit("501"), -1);
	cr_assert_eq(limit("-1"), -1);
	cr_assert_eq(limit("1x"), -1);
	cr_assert_eq(limit(""), -1);
	cr_assert_eq(limit("99999999999999999999"), -1);
}


Test(request, parameters_have_to_be_documented)
{
	struct request req = with("nonsense", "1");

	request_check_query(&req);
	cr_assert_eq(req.problem.kind, PROBLEM_BAD_PARAMETER);

	req = with("limit", NULL);
	request_check_query(&req);
	cr_assert_eq(req.problem.kind, PROBLEM_BAD_PARAMETER);

	req = with("limit", "1");
	request_check_query(&req);
	cr_assert_not(problem_is_set(&req.problem));
	req.query[1] = req.query[0];
	req.query_n = 2;
	request_check_query(&req);
	cr_assert_eq(req.problem.kind, PROBLEM_BAD_PARAMETER, "twice");
}


Test(request, etags_tell_what_is_shown)
{
	struct request req = {.op = &op};
	json_t *one = json_pack("{s:i}", "a", 1);
	json_t *two = json_pack("{s:i}", "a", 2);
	char first[48];

	request_etag(&req, "18446744073709551615", one);
	strcpy(first, req.answer.etag);
	cr_assert(etag_matches(first, "18446744073709551615"));
	request_etag(&req, "18446744073709551615", two);
	cr_assert_str_neq(first, req.answer.etag);
	request_etag(&req, "18446744073709551615", one);
	cr_assert_str_eq(first, req.answer.etag);
	json_decref(one);
	json_decref(two);

	cr_assert(etag_is_known("\"7-1\"", "\"7-1\""));
	cr_assert(etag_is_known("\"6-1\", W/\"7-1\"", "\"7-1\""),
		  "weak comparison (RFC 9110 13.1.2)");
	cr_assert(etag_is_known("*", "\"7-1\""));
	cr_assert_not(etag_is_known("\"7-2\"", "\"7-1\""));
	cr_assert_not(etag_is_known(NULL, "\"7-1\""));
	cr_assert_not(etag_is_known("", "\"7-1\""));
	cr_assert_not(etag_is_known(" ,, ", "\"7-1\""));
}


Test(request, dry_run_is_a_flag)
{
	static const char *const names[] = {"dry_run", NULL};
	static const struct operation write = {.method = "POST", .id = "w",
					       .query = names,
					       .is_dry_able = true};
	static const struct {
		const char *value;
		bool is_dry, is_bad;
	} cases[] = {{"1", true, false}, {"true", true, false},
		     {"0", false, false}, {"false", false, false},
		     {"yes", true, true}, {"", true, true}};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request req = with("dry_run", cases[i].value);

		req.op = &write;
		request_check_query(&req);
		cr_assert_eq(req.is_dry, cases[i].is_dry, "%zu", i);
		cr_assert_eq(problem_is_set(&req.problem), cases[i].is_bad);
	}
}


Test(request, etags)
{
	cr_assert(etag_matches(NULL, "5"));
	cr_assert(etag_matches("\"5\"", "5"));
	cr_assert(etag_matches("*", "5"));
	cr_assert(etag_matches("\"4\" , \"5\"", "5"));
	cr_assert_not(etag_matches("\"4\"", "5"));
	cr_assert_not(etag_matches("\"55\"", "5"));
	cr_assert(etag_matches("\"5-00000000000000ff\"", "5"));
	cr_assert_not(etag_matches("\"55-00000000000000ff\"", "5"));
	cr_assert_not(etag_matches("W/\"5\"", "5"),
		      "strong comparison (RFC 9110 13.1.1)");
	cr_assert_not(etag_matches("5", "5"));
	cr_assert_not(etag_matches("", "5"));
	cr_assert_not(etag_matches(",,,", "5"));
}


Test(request, depth_of_json)
{
	static const char deep[] = "[[{\"a\":[1]}]]";
	static const char quoted[] = "\"[[[[\\\"[[[\"";

	cr_assert_eq(json_depth(deep, strlen(deep)), 4);
	cr_assert_eq(json_depth(quoted, strlen(quoted)), 0);
	cr_assert_eq(json_depth("]]]][", 5), 1);
	cr_assert_eq(json_depth("\"\\", 2), 0);
}


static enum problem_kind read_body(const char *text)
{
	struct request req = {.op = &op, .body = (char *)text,
			      .body_len = strlen(text)};
	json_t *json = request_json(&req);
	const enum problem_kind kind = req.problem.kind;

	cr_assert_neq(json != NULL, problem_is_set(&req.problem));
	json_decref(json);
	request_reset(&req);
	return kind;
}


Test(request, bodies)
{
	char deep[2 * JSON_DEPTH_MAX + 3];

	cr_assert_eq(read_body("{\"a\":[1,2]}"), PROBLEM_NONE);
	cr_assert_eq(read_body(""), PROBLEM_BAD_JSON);
	cr_assert_eq(read_body("{"), PROBLEM_BAD_JSON);
	cr_assert_eq(read_body("{} x"), PROBLEM_BAD_JSON);
	cr_assert_eq(read_body("{\"a\":1,\"a\":2}"), PROBLEM_BAD_JSON);
	cr_assert_eq(read_body("{\"a\":\"\\u0000\"}"), PROBLEM_BAD_JSON);
	cr_assert_eq(read_body("{\"a\":\"\xff\"}"), PROBLEM_BAD_JSON);
	cr_assert_eq(read_body("{\"a\":99999999999999999999}"),
		     PROBLEM_BAD_JSON);

	memset(deep, '[', JSON_DEPTH_MAX + 1);
	memset(deep + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	deep[2 * JSON_DEPTH_MAX + 2] = '\0';
	cr_assert_eq(read_body(deep), PROBLEM_BAD_JSON);
	deep[2 * JSON_DEPTH_MAX + 1] = '\0';
	cr_assert_eq(read_body(deep + 1), PROBLEM_NONE);
}
