/**
 * @file did.c  /v1/dids: numbers that belong to tenants.
 */
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("did_"),
	{.name = "e164", .type = FIELD_E164,
	 .flags = F_REQUIRED | F_FIXED | F_FILTER, .column = "e164"},
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED),
	FIELD_REFERENCE("trunk_id", "trk_", F_REQUIRED),
	FIELD_REFERENCE("site_id", "sit_", F_NULLABLE),
	FIELD_REFERENCE("carrier_id", "car_", F_NULLABLE),
	FIELD_ROW_STATUS,
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "did_e164_key", .field = "e164",
	 .kind = PROBLEM_CONFLICT, .detail = "this number is taken",
	 .clash_sql = "SELECT id FROM core.did WHERE e164 = $1",
	 .clash_fields = {"e164"}},
	{.constraint = "did_tenant_id_fkey", .field = "tenant_id",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such tenant"},
	{.constraint = "did_trunk_id_tenant_id_fkey", .field = "trunk_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	{.constraint = "did_site", .field = "site_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "the number's trunk has no such site"},
	{.constraint = "did_carrier_id_fkey", .field = "carrier_id",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such carrier"},
	{.constraint = NULL},
};

const struct resource resource_did = {
	.kind = "did", .table = "core.did", .key = "id", .key_type = "text",
	.id_prefix = "did_", .path = "/v1/dids",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
