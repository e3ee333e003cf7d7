/**
 * @file trunk.c  /v1/trunks: a customer's PBX and what it may do.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("trk_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("account_id", "acc_", F_REQUIRED),
	FIELD_REFERENCE("rate_deck_id", "dck_", F_NULLABLE),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	{.name = "direction", .type = FIELD_CHOICE, .column = "direction",
	 .choices = (const char *const[]){"both", "in", "out", NULL}},
	FIELD_LIMIT("channels.in", "channels_in"),
	FIELD_LIMIT("channels.out", "channels_out"),
	FIELD_LIMIT("channels.total", "channels_total"),
	FIELD_LIMIT("cps", "cps"),
	{.name = "number_check", .type = FIELD_CHOICE,
	 .column = "number_check",
	 .choices = (const char *const[]){"off", "country", "length", NULL}},
	{.name = "cli_policy", .type = FIELD_CHOICE, .flags = F_PLATFORM,
	 .column = "cli_policy",
	 .choices = (const char *const[]){"owned", "default", "pass", NULL}},
	{.name = "default_cli", .type = FIELD_E164, .flags = F_NULLABLE,
	 .column = "default_cli"},
	{.name = "realm", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "realm", .min = 1, .max = 63, .form = form_is_realm,
	 .form_is = "a realm"},
	FIELD_ROW_RULES("number_in"),
	FIELD_ROW_RULES("number_out"),
	{.name = "origination.host", .type = FIELD_IP, .flags = F_NULLABLE,
	 .column = "uri_host"},
	{.name = "origination.port", .type = FIELD_NUMBER,
	 .flags = F_NULLABLE, .column = "uri_port", .min = 1, .max = 65535},
	{.name = "max_call_s", .type = FIELD_NUMBER, .column = "max_call_s",
	 .min = 1, .max = 86400},
	{.name = "ring_timeout_s", .type = FIELD_NUMBER,
	 .column = "ring_timeout_s", .min = 1, .max = 600},
	{.name = "media_timeout_s", .type = FIELD_NUMBER,
	 .column = "media_timeout_s", .min = 0, .max = 3600},
	{.name = "total_timeout_s", .type = FIELD_NUMBER,
	 .column = "total_timeout_s", .min = 0, .max = 600},
	{.name = "is_trusted", .type = FIELD_FLAG, .flags = F_PLATFORM,
	 .column = "is_trusted"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "trunk_tenant_id_fkey", .field = "tenant_id",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such tenant"},
	{.constraint = "trunk_account_id_tenant_id_fkey",
	 .field = "account_id", .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such account"},
	{.constraint = "trunk_rate_deck_id_fkey", .field = "rate_deck_id",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such rate deck"},
	{.constraint = "trunk_rate_deck_currency", .field = "rate_deck_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "the deck is not in the currency of the account"},
	{.constraint = "trunk_realm_fkey", .field = "realm",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such realm"},
	{.constraint = "trunk_credential_trunk_id_realm_fkey",
	 .field = "realm", .kind = PROBLEM_VALIDATION,
	 .detail = "cannot change while the trunk has credentials: a "
		   "password's hash depends on the realm"},
	{.constraint = "trunk_default_cli_given", .field = "default_cli",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "is needed when cli_policy is default"},
	{.constraint = "trunk_uri_port_needs_host",
	 .field = "origination.port", .kind = PROBLEM_VALIDATION,
	 .detail = "needs origination.host"},
	{.constraint = NULL},
};

const struct resource resource_trunk = {
	.kind = "trunk", .table = "core.trunk", .key = "id",
	.key_type = "text", .id_prefix = "trk_", .path = "/v1/trunks",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
