/**
 * @file calling_window.c  /v1/calling-windows: when calls may be made, and how
 * often to one number meanwhile.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("cwn_"),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE),
	FIELD_REFERENCE("routing_plan_id", "pln_", F_NULLABLE),
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE),
	FIELD_REFERENCE("zone_id", "zon_", F_NULLABLE),
	{.name = "prefix", .type = FIELD_TEXT, .column = "prefix", .min = 0,
	 .max = 15, .form = form_is_digits,
	 .form_is = "digits without '+'"},
	FIELD_REFERENCE("schedule_id", "sch_", F_REQUIRED),
	FIELD_LIMIT("calls_per_number", "calls_per_number"),
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "calling_window_one_scope", .field = "tenant_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "only one of tenant_id, routing_plan_id and trunk_id"},
	REFUSAL_NO_ROW("calling_window_tenant_id_fkey", "tenant_id", "tenant"),
	REFUSAL_NO_ROW("calling_window_routing_plan_id_fkey",
		       "routing_plan_id", "plan"),
	REFUSAL_NO_ROW("calling_window_trunk_id_fkey", "trunk_id", "trunk"),
	REFUSAL_NO_ROW("calling_window_zone_id_fkey", "zone_id", "zone"),
	REFUSAL_NO_ROW("calling_window_schedule_id_fkey", "schedule_id",
		       "schedule"),
	{.constraint = NULL},
};

const struct resource resource_calling_window = {
	.kind = "calling_window", .table = "core.calling_window", .key = "id",
	.key_type = "text", .id_prefix = "cwn_",
	.path = "/v1/calling-windows", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
