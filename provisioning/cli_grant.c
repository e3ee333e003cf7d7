/**
 * @file cli_grant.c  /v1/cli-grants: calling numbers that a customer may use
 * though they are not ours.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("clg_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE),
	{.name = "e164", .type = FIELD_E164, .flags = F_REQUIRED | F_FILTER,
	 .column = "e164"},
	{.name = "e164_last", .type = FIELD_E164, .flags = F_NULLABLE,
	 .column = "e164_last"},
	{.name = "valid_from", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "valid_from"},
	{.name = "valid_to", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "valid_to"},
	{.name = "reference", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "reference", .min = 1, .max = 255, .form = form_is_name,
	 .form_is = "free of control characters"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("cli_grant_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "cli_grant_trunk_id_tenant_id_fkey",
	 .field = "trunk_id", .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	{.constraint = "cli_grant_no_overlap", .field = "e164",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "another grant of the trunk or tenant has these numbers"},
	{.constraint = "cli_grant_form", .field = "e164_last",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must be above e164 and as long"},
	{.constraint = "cli_grant_span", .field = "valid_to",
	 .kind = PROBLEM_VALIDATION, .detail = "must be after valid_from"},
	{.constraint = NULL},
};

const struct resource resource_cli_grant = {
	.kind = "cli_grant", .table = "core.cli_grant", .key = "id",
	.key_type = "text", .id_prefix = "clg_", .path = "/v1/cli-grants",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
