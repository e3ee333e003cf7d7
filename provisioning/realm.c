/**
 * @file realm.c  /v1/realms: digest realms and the algorithms they offer, in
 * this order (RFC 8760 2.4).
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	{.name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED | F_FIXED,
	 .column = "name", .min = 1, .max = 63, .form = form_is_realm,
	 .form_is = "free of quotes, backslashes and control characters"},
	{.name = "algorithms", .type = FIELD_CHOICES, .column = "algorithms",
	 .min = 1, .max = 3,
	 .choices = (const char *const[]){"MD5", "SHA-256", "SHA-512-256",
					  NULL}},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "realm_pkey", .field = "name",
	 .kind = PROBLEM_CONFLICT, .detail = "this realm exists"},
	{.constraint = NULL},
};

const struct resource resource_realm = {
	.kind = "realm", .table = "core.realm", .key = "name",
	.key_type = "text", .path = "/v1/realms", .is_versioned = true,
	.set = &set, .refusals = refusals,
};
