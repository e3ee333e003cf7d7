/**
 * @file forward.c  /v1/forwards: what becomes of calls that a number's trunk
 * does not take.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("fwd_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("did_id", "did_", F_NULLABLE),
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE),
	{.name = "condition", .type = FIELD_CHOICE, .flags = F_REQUIRED,
	 .column = "condition",
	 .choices = (const char *const[]){"unconditional", "busy",
		 "no_answer", "unreachable", "rejected", "codes", NULL}},
	{.name = "codes", .type = FIELD_CHOICES, .column = "codes", .min = 0,
	 .max = 16, .form = form_is_failure_code,
	 .form_is = "the texts of SIP codes 400 to 699"},
	{.name = "to_number", .type = FIELD_E164, .flags = F_NULLABLE,
	 .column = "to_number"},
	{.name = "to_trunk_id", .type = FIELD_ID, .flags = F_NULLABLE,
	 .column = "to_trunk_id",
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "after_s", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "after_s", .min = 1, .max = 600},
	{.name = "priority", .type = FIELD_NUMBER, .column = "priority",
	 .min = 0, .max = 65535},
	FIELD_ROW_STATUS,
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "forward_one_owner", .field = "did_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "either did_id or trunk_id is needed"},
	{.constraint = "forward_one_target", .field = "to_number",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "either to_number or to_trunk_id is needed"},
	{.constraint = "forward_codes", .field = "codes",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "are there when condition is codes, and only then"},
	{.constraint = "forward_after", .field = "after_s",
	 .kind = PROBLEM_VALIDATION, .detail = "is for no_answer alone"},
	REFUSAL_NO_ROW("forward_did_id_fkey", "did_id", "number"),
	{.constraint = "forward_did_tenant", .field = "did_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such number"},
	{.constraint = "forward_trunk", .field = "trunk_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	{.constraint = "forward_to_trunk", .field = "to_trunk_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	REFUSAL_NO_ROW("forward_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = NULL},
};

const struct resource resource_forward = {
	.kind = "forward", .table = "core.forward", .key = "id",
	.key_type = "text", .id_prefix = "fwd_", .path = "/v1/forwards",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
