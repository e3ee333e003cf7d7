/**
 * @file number_list.c  /v1/number-lists and their entries.
 */
#include "form.h"
#include "resource.h"
#include "tag.h"

static const struct field fields[] = {
	FIELD_ROW_ID("nls_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE),
	FIELD_ROW_NAME,
	{.name = "kind", .type = FIELD_CHOICE, .flags = F_REQUIRED | F_FILTER,
	 .column = "kind", .choices = (const char *const[]){"allow", "deny",
		"rewrite", "tag", NULL}},
	{.name = "subject", .type = FIELD_CHOICE,
	 .flags = F_REQUIRED | F_FILTER, .column = "subject",
	 .choices = (const char *const[]){"calling", "called", NULL}},
	{.name = "tags", .type = FIELD_CHOICES, .column = "tags", .min = 0,
	 .max = 7, .form = tag_is_valid,
	 .form_is = "lower-case letters, digits, '_' and '-', at most 31"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("number_list_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "number_list_tags", .field = "tags",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a list of kind tag needs tags, others have none"},
	{.constraint = "number_list_used", .kind = PROBLEM_CONFLICT,
	 .detail = "a tenant, trunk, gateway or routing plan uses it"},
	{.constraint = NULL},
};

const struct resource resource_number_list = {
	.kind = "number_list", .table = "core.number_list", .key = "id",
	.key_type = "text", .id_prefix = "nls_", .path = "/v1/number-lists",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};


static const struct field entry_fields[] = {
	FIELD_ROW_ID("nle_"),
	{.name = "number", .type = FIELD_TEXT, .flags = F_REQUIRED | F_FILTER,
	 .column = "number", .min = 1, .max = 15, .form = form_is_digits,
	 .form_is = "digits of an E.164 number without '+'"},
	{.name = "is_prefix", .type = FIELD_FLAG, .column = "is_prefix"},
	{.name = "replacement", .type = FIELD_E164, .flags = F_NULLABLE,
	 .column = "replacement"},
	{.name = "expires_at", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "expires_at"},
	FIELD_ROW_TIMES,
};
static const struct field_set entry_set = FIELD_SET(entry_fields);

static const struct refusal entry_refusals[] = {
	{.constraint = "number_list_entry_once", .field = "number",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "the list has an entry for this number"},
	{.constraint = NULL},
};

const struct resource resource_number_list_entry = {
	.kind = "number_list_entry", .table = "core.number_list_entry",
	.key = "id", .key_type = "text", .id_prefix = "nle_",
	.path = "/entries",
	.owner = OWNER_BY("number_list", "list_id"),
	.is_versioned = true, .parent = &resource_number_list,
	.parent_column = "list_id", .set = &entry_set,
	.refusals = entry_refusals,
};
