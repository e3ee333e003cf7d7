/**
 * @file routing_plan.c  /v1/routing-plans: in which order the gateways of a
 * route are tried, and the margin that each has to leave.
 */
#include "form.h"
#include "number_field.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("pln_"),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	{.name = "strategy", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "strategy",
	 .choices = (const char *const[]){
		 "priority", "weight", "percentage", "lcr", "lcr_priority",
		 "priority_lcr", "quality", "quality_lcr", NULL}},
	{.name = "max_attempts", .type = FIELD_NUMBER,
	 .column = "max_attempts", .min = 1, .max = 10},
	{.name = "total_timeout_s", .type = FIELD_NUMBER,
	 .column = "total_timeout_s", .min = 0, .max = 600},
	{.name = "margin_floor.per_min", .type = FIELD_RATE,
	 .flags = F_NULLABLE, .column = "margin_per_min_nano", .min = 0,
	 .max = INT64_MAX},
	{.name = "margin_floor.percent", .type = FIELD_NUMBER,
	 .flags = F_NULLABLE, .column = "margin_percent", .min = 0,
	 .max = 99},
	FIELD_ROW_TAGS(0),
	FIELD_NUMBER_LISTS("number_lists"),
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("number_lists_exist", "number_lists", "list"),
	{.constraint = NULL},
};

const struct resource resource_routing_plan = {
	.kind = "routing_plan", .table = "core.routing_plan", .key = "id",
	.key_type = "text", .id_prefix = "pln_", .path = "/v1/routing-plans",
	.is_versioned = true, .set = &set, .refusals = refusals,
};
