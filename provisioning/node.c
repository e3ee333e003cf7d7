/**
 * @file node.c  /v1/nodes and /v1/audit-events: which version of the
 * provisioned data each switch has applied, and who changed what.
 */
#include "resource.h"

static const struct field fields[] = {
	{.name = "name", .type = FIELD_TEXT, .column = "name"},
	{.name = "version", .type = FIELD_TEXT, .column = "version"},
	{.name = "applied_version", .type = FIELD_NUMBER,
	 .column = "applied_version"},
	{.name = "current_version", .type = FIELD_NUMBER,
	 .read = "(SELECT version FROM core.state)"},
	{.name = "seen_at", .type = FIELD_TIME, .column = "seen_at"},
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_node = {
	.kind = "node", .table = "core.node", .key = "name",
	.key_type = "text", .path = "/v1/nodes", .set = &set,
};

static const struct field audit_fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	{.name = "at", .type = FIELD_TIME, .column = "at"},
	{.name = "key_id", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "key_id"},
	{.name = "ip", .type = FIELD_IP, .column = "ip"},
	{.name = "request_id", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "request_id"},
	{.name = "method", .type = FIELD_TEXT, .column = "method"},
	{.name = "path", .type = FIELD_TEXT, .column = "path"},
	{.name = "kind", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "kind"},
	{.name = "object_id", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "object_id"},
	{.name = "before", .type = FIELD_JSON, .column = "before"},
	{.name = "after", .type = FIELD_JSON, .column = "after"},
};
static const struct field_set audit_set = FIELD_SET(audit_fields);

const struct resource resource_audit_event = {
	.kind = "audit_event", .table = "core.audit", .key = "id",
	.key_type = "bigint", .path = "/v1/audit-events",
	.newest_first = true, .set = &audit_set,
};
