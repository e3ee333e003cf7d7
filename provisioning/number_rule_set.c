/**
 * @file number_rule_set.c  /v1/number-rule-sets: rules that several peers use,
 * and the members by which peers do.
 */
#include <string.h>
#include "number_field.h"
#include "resource.h"


bool number_list_id_is_sound(const char *text)
{
	return form_is_id(text, "nls_");
}


bool number_domain_is_sound(const char *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "0123456789.-";

	return text[0] && !text[strspn(text, allowed)];
}


static const struct field use_fields[] = {
	{.name = "direction", .type = FIELD_CHOICE, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"in", "out", NULL}},
	{.name = "subject", .type = FIELD_CHOICE, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"calling", "called", "diversion",
					  "identity", "name", NULL}},
	{.name = "rule_set_id", .type = FIELD_ID, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"nrs_", NULL}},
};
const struct field_set number_use_set = FIELD_SET(use_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("nrs_"),
	FIELD_ROW_NAME,
	FIELD_ROW_RULES("rules"),
	{.name = "name_rules", .type = FIELD_NAME_RULES,
	 .column = "name_rules"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "number_rule_set_used", .kind = PROBLEM_CONFLICT,
	 .detail = "a trunk or gateway uses it"},
	{.constraint = NULL},
};

const struct resource resource_number_rule_set = {
	.kind = "number_rule_set", .table = "core.number_rule_set",
	.key = "id", .key_type = "text", .id_prefix = "nrs_",
	.path = "/v1/number-rule-sets", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
