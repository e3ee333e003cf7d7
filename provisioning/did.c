/**
 * @file did.c  /v1/dids: numbers that belong to tenants.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("did_"),
	{.name = "e164", .type = FIELD_E164,
	 .flags = F_REQUIRED | F_FIXED | F_FILTER, .column = "e164"},
	{.name = "e164_last", .type = FIELD_E164,
	 .flags = F_NULLABLE | F_FIXED, .column = "e164_last"},
	{.name = "count", .type = FIELD_NUMBER, .flags = F_READ_ONLY,
	 .read = "(substr(coalesce(t.e164_last, t.e164), 2)::bigint "
		 "- substr(t.e164, 2)::bigint + 1)"},
	{.name = "name", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "name", .min = 1, .max = 63, .form = form_is_name,
	 .form_is = "free of control characters"},
	{.name = "cnam", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "cnam", .min = 1, .max = 63, .form = form_is_name,
	 .form_is = "free of control characters"},
	FIELD_LIMIT("channels", "channels"),
	{.name = "in_service_from", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "in_service_from"},
	{.name = "in_service_to", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "in_service_to"},
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED),
	FIELD_REFERENCE("trunk_id", "trk_", F_REQUIRED),
	FIELD_REFERENCE("site_id", "sit_", F_NULLABLE),
	FIELD_REFERENCE("subscriber_id", "sbr_", F_NULLABLE),
	FIELD_REFERENCE("carrier_id", "car_", F_NULLABLE),
	FIELD_ROW_STATUS,
	FIELD_LIMIT("cps", "cps"),
	FIELD_ROW_BURST,
	FIELD_ROW_LIMIT_ACTION,
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "did_e164_key", .field = "e164",
	 .kind = PROBLEM_CONFLICT, .detail = "this number is taken",
	 .clash_sql = "SELECT id FROM core.did WHERE e164 = $1",
	 .clash_fields = {"e164"}},
	{.constraint = "did_no_overlap", .field = "e164",
	 .kind = PROBLEM_CONFLICT, .detail = "another range has these numbers",
	 .clash_sql = "SELECT id FROM core.did WHERE e164_last IS NOT NULL AND "
		      "substr(e164, 2)::bigint <= substr($2, 2)::bigint AND "
		      "substr(e164_last, 2)::bigint >= substr($1, 2)::bigint "
		      "ORDER BY e164 LIMIT 1",
	 .clash_fields = {"e164", "e164_last"}},
	{.constraint = "did_range_form", .field = "e164_last",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must be above e164 and as long"},
	{.constraint = "did_service_span", .field = "in_service_to",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must be after in_service_from"},
	{.constraint = "did_subscriber", .field = "subscriber_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such subscriber"},
	REFUSAL_NO_ROW("did_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "did_trunk_id_tenant_id_fkey", .field = "trunk_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	{.constraint = "did_site", .field = "site_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "the number's trunk has no such site"},
	REFUSAL_NO_ROW("did_carrier_id_fkey", "carrier_id", "carrier"),
	{.constraint = NULL},
};

const struct resource resource_did = {
	.kind = "did", .table = "core.did", .key = "id", .key_type = "text",
	.id_prefix = "did_", .path = "/v1/dids",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
