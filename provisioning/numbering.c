/**
 * @file numbering.c  /v1/numbering: which country, network and type the
 * numbers of a prefix have.
 */
#include <ctype.h>
#include <string.h>
#include "form.h"
#include "resource.h"


static bool is_country(const char *text)
{
	return strlen(text) == 2 && isupper((unsigned char)text[0]) &&
	       isupper((unsigned char)text[1]);
}


static const struct field fields[] = {
	{.name = "prefix", .type = FIELD_TEXT, .flags = F_REQUIRED | F_FIXED,
	 .column = "prefix", .min = 1, .max = 15, .form = form_is_rate_prefix,
	 .form_is = "1 to 15 digits without '+'"},
	{.name = "country", .type = FIELD_TEXT,
	 .flags = F_NULLABLE | F_FILTER, .column = "country", .min = 2,
	 .max = 2, .form = is_country, .form_is = "as DE (ISO 3166-1)"},
	{.name = "network", .type = FIELD_TEXT, .flags = F_REQUIRED,
	 .column = "network", .min = 1, .max = 47, .form = form_is_name,
	 .form_is = "free of control characters"},
	{.name = "type", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "type",
	 .choices = (const char *const[]){"unknown", "geographic", "mobile",
		"voip", "toll_free", "shared_cost", "premium", "personal",
		"pager", "corporate", "satellite", "service",
		"international", "emergency", NULL}},
	{.name = "min_len", .type = FIELD_NUMBER, .column = "min_len",
	 .min = 3, .max = 15},
	{.name = "max_len", .type = FIELD_NUMBER, .column = "max_len",
	 .min = 3, .max = 15},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "numbering_pkey", .field = "prefix",
	 .kind = PROBLEM_CONFLICT, .detail = "this prefix is there"},
	{.constraint = "numbering_prefix_check", .field = "prefix",
	 .kind = PROBLEM_VALIDATION, .detail = "must not begin with 0"},
	{.constraint = "numbering_lengths", .field = "max_len",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must not be below min_len"},
	{.constraint = NULL},
};

const struct resource resource_numbering = {
	.kind = "numbering", .table = "core.numbering", .key = "prefix",
	.key_type = "text", .path = "/v1/numbering", .is_versioned = true,
	.set = &set, .refusals = refusals,
};
