/**
 * @file event.c  /v1/events: what happened, newest first.
 */
#include "resource.h"

static const struct field fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	{.name = "kind", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "kind"},
	{.name = "at", .type = FIELD_TIME, .column = "at"},
	{.name = "node", .type = FIELD_TEXT, .column = "node"},
	{.name = "tenant_id", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "tenant_id"},
	{.name = "object_id", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "object_id"},
	{.name = "call_id", .type = FIELD_TEXT, .column = "call_id"},
	{.name = "data", .type = FIELD_JSON, .column = "data"},
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_event = {
	.kind = "event", .table = "core.event", .key = "id",
	.key_type = "uuid", .path = "/v1/events", .owner = "t.tenant_id",
	.since = "at", .newest_first = true, .set = &set,
};

const struct resource resource_fraud_event = {
	.kind = "event", .table = "core.event", .key = "id",
	.key_type = "uuid", .path = "/v1/fraud-events",
	.visible = "t.kind LIKE 'fraud.%'", .owner = "t.tenant_id",
	.since = "at", .newest_first = true, .set = &set,
};
