/**
 * @file tenant.c  /v1/tenants: who the customers are.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("ten_"),
	{.name = "external_id", .type = FIELD_TEXT,
	 .flags = F_NULLABLE | F_FILTER, .column = "external_id", .min = 1,
	 .max = 255, .form = form_is_name,
	 .form_is = "free of control characters"},
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	FIELD_ROW_CURRENCY(0),
	{.name = "time_zone", .type = FIELD_TEXT, .column = "time_zone",
	 .min = 1, .max = 63, .form = form_is_zone,
	 .form_is = "as Europe/Berlin"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "tenant_external_id_key", .field = "external_id",
	 .kind = PROBLEM_CONFLICT, .detail = "another tenant has this id",
	 .clash_sql = "SELECT id FROM core.tenant WHERE external_id = $1",
	 .clash_fields = {"external_id"}},
	{.constraint = NULL},
};

const struct resource resource_tenant = {
	.kind = "tenant", .table = "core.tenant", .key = "id",
	.key_type = "text", .id_prefix = "ten_", .path = "/v1/tenants",
	.tenant = "t.id = $1", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
