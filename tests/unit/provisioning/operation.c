/* Paths and scopes. */
#include <criterion/criterion.h>
#include <string.h>
#include "operation.h"

static const char *const none[] = {NULL};

#define ROW(method_, path_, id_) \
	{.method = (method_), .path = (path_), .id = (id_), \
	 .members = none, .query = none, .media = none}

static const struct operation table[] = {
	ROW("GET", "/v1/trunks", "list"),
	ROW("POST", "/v1/trunks", "create"),
	ROW("GET", "/v1/trunks/{id}", "get"),
	ROW("DELETE", "/v1/trunks/{id}/acls/{acl}", "drop"),
};


static const char *find(const char *method, const char *path,
			struct path_match *match)
{
	const struct operation *op = operation_find(table, 4, method, path,
						    match);

	return op ? op->id : "";
}


Test(operation, by_method_and_path)
{
	struct path_match m;

	cr_assert_str_eq(find("GET", "/v1/trunks", &m), "list");
	cr_assert_str_eq(find("POST", "/v1/trunks", &m), "create");
	cr_assert_str_eq(find("GET", "/v1/trunks/trk_1", &m), "get");
	cr_assert_str_eq(m.params[0], "trk_1");
	cr_assert_str_eq(find("DELETE", "/v1/trunks/a/acls/b", &m), "drop");
	cr_assert_str_eq(m.params[0], "a");
	cr_assert_str_eq(m.params[1], "b");
}


Test(operation, names_the_methods_of_a_path)
{
	struct path_match m;

	cr_assert_str_eq(find("PUT", "/v1/trunks", &m), "");
	cr_assert_str_eq(m.allow, "GET, POST");
	cr_assert_str_eq(find("GET", "/v1/nonsense", &m), "");
	cr_assert_str_eq(m.allow, "");
}


Test(operation, whole_segments_only)
{
	static const char *const bad[] = {
		"", "/", "/v1/trunks/", "/v1/trunks/a/", "/v1/trunksx",
		"/v1/trunks//acls/b", "/v1/trunks/a/acls", "v1/trunks"};
	char path[200] = "/v1/trunks/";
	struct path_match m;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_str_eq(find("GET", bad[i], &m), "", "%s", bad[i]);
	memset(path + 11, 'x', 80);
	cr_assert_str_eq(find("GET", path, &m), "", "a key is bounded");
}


Test(operation, a_key_gives_no_more_than_it_has)
{
	static const unsigned write = SCOPE_PLATFORM_WRITE;

	cr_assert(scope_grants(write, SCOPE_PLATFORM_WRITE));
	cr_assert(scope_grants(write, SCOPE_RESELLER));
	cr_assert(scope_grants(write, SCOPE_BILLING));
	cr_assert(scope_grants(SCOPE_RESELLER, SCOPE_RESELLER));
	cr_assert(scope_grants(SCOPE_RESELLER, SCOPE_TENANT_READ));
	cr_assert(scope_grants(SCOPE_TENANT_WRITE, SCOPE_TENANT_WRITE));
	cr_assert_not(scope_grants(SCOPE_TENANT_WRITE, SCOPE_RESELLER));
	cr_assert_not(scope_grants(SCOPE_RESELLER, SCOPE_PLATFORM_READ));
	cr_assert_not(scope_grants(SCOPE_PLATFORM_READ, SCOPE_TENANT_READ));
	cr_assert_not(scope_grants(SCOPE_NOC, SCOPE_NOC));
	cr_assert_not(scope_grants(SCOPE_BILLING, SCOPE_TENANT_WRITE));
	cr_assert_not(scope_grants(SCOPE_NONE, SCOPE_TENANT_READ));
}


Test(operation, is_for_the_scopes_that_it_names)
{
	const struct operation op = {.scope = SCOPE_TENANT_READ,
				     .may = SCOPE_TENANT_READ | SCOPE_NOC};
	const struct operation open = {.scope = SCOPE_NONE};

	cr_assert(operation_allows(&op, SCOPE_NOC));
	cr_assert(operation_allows(&op, SCOPE_NOC | SCOPE_BILLING));
	cr_assert_not(operation_allows(&op, SCOPE_BILLING));
	cr_assert_not(operation_allows(&op, 0));
	cr_assert(operation_allows(&open, 0));
	cr_assert_eq(scope_parse("platform:write"), SCOPE_PLATFORM_WRITE);
	cr_assert_eq(scope_parse("platform"), SCOPE_NONE);
	cr_assert_str_eq(scope_name(SCOPE_TENANT_READ), "tenant:read");
}


Test(operation, the_served_table_is_whole)
{
	struct path_match m;

	cr_assert_gt(operation_n, 60);
	for (size_t i = 0; i < operation_n; i++) {
		const struct operation *op = &operations[i];

		cr_assert_not_null(op->handler, "%s", op->id);
		cr_assert(op->scope != SCOPE_NONE ||
			  !strncmp(op->path, "/", 1), "%s", op->id);
		cr_assert(strncmp(op->path, "/v1/", 4) ||
			  op->scope != SCOPE_NONE,
			  "%s is open to everybody", op->id);
		cr_assert_eq(!op->body_max, !op->media[0], "%s", op->id);
	}
	cr_assert_not_null(operation_find(operations, operation_n, "GET",
					  "/openapi.json", &m));
}
