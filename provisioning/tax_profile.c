/**
 * @file tax_profile.c  /v1/tax-profiles: the taxes of a jurisdiction, on top
 * of prices or within them.
 */
#include "form.h"
#include "resource.h"

static const struct field line_fields[] = {
	{.name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 1,
	 .max = 15, .form = form_is_name,
	 .form_is = "free of control characters"},
	{.name = "percent", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .min = 0, .max = INT64_C(100000000)},
	{.name = "countries", .type = FIELD_CHOICES, .min = 0, .max = 50,
	 .form = form_is_country, .form_is = "as DE (ISO 3166-1)"},
};
static const struct field_set line_set = FIELD_SET(line_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("tax_"),
	FIELD_ROW_NAME,
	{.name = "included", .type = FIELD_FLAG, .column = "is_included"},
	{.name = "lines", .type = FIELD_LIST, .flags = F_REQUIRED,
	 .column = "lines", .min = 1, .max = 4, .items = &line_set},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "tax_profile_lines_check", .field = "lines",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "names are ASCII, percentages have at most 4 decimals"},
	{.constraint = NULL},
};

const struct resource resource_tax_profile = {
	.kind = "tax_profile", .table = "core.tax_profile", .key = "id",
	.key_type = "text", .id_prefix = "tax_", .path = "/v1/tax-profiles",
	.is_versioned = true, .set = &set, .refusals = refusals,
};
