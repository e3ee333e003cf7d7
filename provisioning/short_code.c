/**
 * @file short_code.c  /v1/short-codes: what a customer dials instead of a
 * number.
 */
#include <string.h>
#include "form.h"
#include "resource.h"


static bool is_code(const char *text)
{
	return text[0] && !text[strspn(text, "0123456789*#")];
}


static const struct field fields[] = {
	FIELD_ROW_ID("shc_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE),
	{.name = "code", .type = FIELD_TEXT, .flags = F_REQUIRED | F_FILTER,
	 .column = "code", .min = 1, .max = 8, .form = is_code,
	 .form_is = "digits, '*' and '#'"},
	{.name = "e164", .type = FIELD_E164, .flags = F_REQUIRED,
	 .column = "e164"},
	FIELD_ROW_NAME,
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("short_code_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "short_code_trunk_id_tenant_id_fkey",
	 .field = "trunk_id", .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	{.constraint = "short_code_once", .field = "code",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "the trunk or tenant has this code"},
	{.constraint = "short_code_emergency", .field = "code",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "is an emergency number, which nothing may shadow"},
	{.constraint = NULL},
};

const struct resource resource_short_code = {
	.kind = "short_code", .table = "core.short_code", .key = "id",
	.key_type = "text", .id_prefix = "shc_", .path = "/v1/short-codes",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
