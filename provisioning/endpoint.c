/**
 * @file endpoint.c  /v1/trunks/{id}/endpoints: where calls to a trunk arrive,
 * in order.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("ept_"),
	{.name = "trunk_id", .type = FIELD_ID, .flags = F_READ_ONLY,
	 .column = "trunk_id",
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "host", .type = FIELD_IP, .flags = F_NULLABLE,
	 .column = "host"},
	{.name = "port", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "port", .min = 1, .max = 65535},
	{.name = "priority", .type = FIELD_NUMBER, .column = "priority",
	 .min = 0, .max = 65535},
	{.name = "weight", .type = FIELD_NUMBER, .column = "weight",
	 .min = 0, .max = 65535},
	FIELD_ROW_STATUS,
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "trunk_endpoint_port_needs_host", .field = "port",
	 .kind = PROBLEM_VALIDATION, .detail = "needs host"},
	{.constraint = "trunk_endpoint_once", .field = "host",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "the trunk has this endpoint already"},
	{.constraint = NULL},
};

const struct resource resource_endpoint = {
	.kind = "endpoint", .table = "core.trunk_endpoint", .key = "id",
	.key_type = "text", .id_prefix = "ept_", .path = "/endpoints",
	.owner = OWNER_BY("trunk", "trunk_id"),
	.is_versioned = true, .parent = &resource_trunk,
	.parent_column = "trunk_id", .set = &set, .refusals = refusals,
};
