/**
 * @file auth_failure.c  /v1/auth-failures: requests that were refused for who
 * sent them, newest first. What was sent as a proof is nowhere.
 */
#include "resource.h"

static const struct field fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	{.name = "at", .type = FIELD_TIME, .column = "at"},
	{.name = "node", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "node"},
	{.name = "tenant_id", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "tenant_id"},
	{.name = "trunk_id", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "trunk_id"},
	{.name = "reason", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "reason",
	 .choices = (const char *const[]){"wrong_password", "unknown_user",
		"malformed", "source_denied", "suspended", NULL}},
	{.name = "source", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "source"},
	{.name = "port", .type = FIELD_NUMBER, .column = "port"},
	{.name = "method", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "method"},
	{.name = "username", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "username"},
	{.name = "realm", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "realm"},
	{.name = "from", .type = FIELD_TEXT, .column = "from_header"},
	{.name = "to", .type = FIELD_TEXT, .column = "to_header"},
	{.name = "identity", .type = FIELD_TEXT, .column = "identity"},
	{.name = "user_agent", .type = FIELD_TEXT, .column = "user_agent"},
	{.name = "sip_call_id", .type = FIELD_TEXT, .column = "sip_call_id"},
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_auth_failure = {
	.kind = "auth_failure", .table = "core.auth_failure", .key = "id",
	.key_type = "uuid", .path = "/v1/auth-failures",
	.owner = "t.tenant_id", .since = "at", .newest_first = true,
	.set = &set,
};
