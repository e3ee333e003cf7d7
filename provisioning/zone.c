/**
 * @file zone.c  /v1/zones and /v1/zone-rules: named sets of numbers, and
 * which of them a trunk may or may not call.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("zon_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE | F_FIXED),
	FIELD_ROW_NAME,
	{.name = "prefixes", .type = FIELD_CHOICES, .column = "prefixes",
	 .min = 0, .max = 64, .form = form_is_country_prefix,
	 .form_is = "1 to 15 digits, the first not 0"},
	{.name = "countries", .type = FIELD_CHOICES, .column = "countries",
	 .min = 0, .max = 64, .form = form_is_country,
	 .form_is = "as DE (ISO 3166-1)"},
	{.name = "types", .type = FIELD_CHOICES, .column = "types",
	 .min = 0, .max = 14,
	 .choices = (const char *const[]){"unknown", "geographic", "mobile",
		"voip", "toll_free", "shared_cost", "premium", "personal",
		"pager", "corporate", "satellite", "service",
		"international", "emergency", NULL}},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("zone_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "zone_says_something", .field = "prefixes",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "one of prefixes, countries and types is needed"},
	{.constraint = NULL},
};

const struct resource resource_zone = {
	.kind = "zone", .table = "core.zone", .key = "id",
	.key_type = "text", .id_prefix = "zon_", .path = "/v1/zones",
	.is_versioned = true, .set = &set, .refusals = refusals,
};

static const struct field rule_fields[] = {
	FIELD_ROW_ID("zrl_"),
	FIELD_REFERENCE("trunk_id", "trk_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("zone_id", "zon_", F_REQUIRED | F_FIXED),
	{.name = "action", .type = FIELD_CHOICE, .flags = F_REQUIRED,
	 .column = "action",
	 .choices = (const char *const[]){"allow", "deny", NULL}},
	FIELD_ROW_TIMES,
};
static const struct field_set rule_set = FIELD_SET(rule_fields);

static const struct refusal rule_refusals[] = {
	{.constraint = "zone_rule_once", .field = "zone_id",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "the trunk has a rule for this zone",
	 .clash_sql = "SELECT id FROM core.zone_rule WHERE zone_id = $1 AND "
		      "trunk_id = $2",
	 .clash_fields = {"zone_id", "trunk_id"}},
	REFUSAL_NO_ROW("zone_rule_trunk_id_fkey", "trunk_id", "trunk"),
	REFUSAL_NO_ROW("zone_rule_zone_id_fkey", "zone_id", "zone"),
	{.constraint = NULL},
};

const struct resource resource_zone_rule = {
	.kind = "zone_rule", .table = "core.zone_rule", .key = "id",
	.key_type = "text", .id_prefix = "zrl_", .path = "/v1/zone-rules",
	.owner = OWNER_BY("trunk", "trunk_id"),
	.is_versioned = true, .set = &rule_set, .refusals = rule_refusals,
};
