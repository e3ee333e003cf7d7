/**
 * @file rate_terms.c  /v1/rate-terms: what rates may have beside their price
 * per minute; /v1/origin-sets: calling numbers that a price list tells apart.
 */
#include "form.h"
#include "resource.h"

#define FEE_MAX INT64_C(1000000000000)
#define RATE_MAX INT64_C(1000000000000000) /* a million a minute */
#define PERCENT_MAX INT64_C(1000000000)    /* ten times the rate */
#define DAY_MS 86400000

/* One of the first two; a percentage is of the rate's own price */
#define VALUE_FIELDS \
	{.name = "rate_per_min", .type = FIELD_RATE, .flags = F_NULLABLE, \
	 .min = 0, .max = RATE_MAX}, \
	{.name = "percent", .type = FIELD_MONEY, .flags = F_NULLABLE, \
	 .min = 0, .max = PERCENT_MAX}, \
	{.name = "increment_ms", .type = FIELD_NUMBER, .flags = F_NULLABLE, \
	 .min = 1, .max = DAY_MS}

static const struct field tier_fields[] = {
	{.name = "from_s", .type = FIELD_NUMBER, .flags = F_REQUIRED,
	 .min = 1, .max = 86400},
	VALUE_FIELDS,
};
static const struct field_set tier_set = FIELD_SET(tier_fields);

static const struct field window_fields[] = {
	{.name = "schedule_id", .type = FIELD_ID, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"sch_", NULL}},
	VALUE_FIELDS,
};
static const struct field_set window_set = FIELD_SET(window_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("trm_"),
	FIELD_ROW_NAME,
	{.name = "attempt_fee", .type = FIELD_MONEY,
	 .column = "attempt_fee_micro", .min = 0, .max = FEE_MAX},
	{.name = "minimum", .type = FIELD_MONEY, .column = "minimum_micro",
	 .min = 0, .max = FEE_MAX},
	{.name = "cap", .type = FIELD_MONEY, .flags = F_NULLABLE,
	 .column = "cap_micro", .min = 0, .max = FEE_MAX},
	{.name = "cap_action", .type = FIELD_CHOICE, .column = "cap_action",
	 .choices = (const char *const[]){"free", "cut", NULL}},
	{.name = "free_ms", .type = FIELD_NUMBER, .column = "free_ms",
	 .min = 0, .max = 3600000},
	{.name = "reverse", .type = FIELD_FLAG, .column = "is_reverse"},
	{.name = "tiers", .type = FIELD_LIST, .column = "tiers", .min = 0,
	 .max = 8, .items = &tier_set},
	{.name = "windows", .type = FIELD_LIST, .column = "windows",
	 .min = 0, .max = 4, .items = &window_set},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "rate_terms_schedule", .field = "windows",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a window names a schedule that there is not"},
	{.constraint = "rate_terms_tiers_check", .field = "tiers",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "tiers rise by from_s, and each has either rate_per_min or "
		   "percent (at most 4 decimals)"},
	{.constraint = "rate_terms_windows_check", .field = "windows",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a window has either rate_per_min or percent (at most 4 "
		   "decimals)"},
	{.constraint = NULL},
};

const struct resource resource_rate_terms = {
	.kind = "rate_terms", .table = "core.rate_terms", .key = "id",
	.key_type = "text", .id_prefix = "trm_", .path = "/v1/rate-terms",
	.is_versioned = true, .set = &set, .refusals = refusals,
};

static const struct field origin_fields[] = {
	FIELD_ROW_ID("ors_"),
	FIELD_ROW_NAME,
	{.name = "prefixes", .type = FIELD_CHOICES, .flags = F_REQUIRED,
	 .column = "prefixes", .min = 1, .max = 64,
	 .form = form_is_country_prefix,
	 .form_is = "1 to 15 digits, the first not 0"},
	FIELD_ROW_TIMES,
};
static const struct field_set origin_fields_set = FIELD_SET(origin_fields);

const struct resource resource_origin_set = {
	.kind = "origin_set", .table = "core.origin_set", .key = "id",
	.key_type = "text", .id_prefix = "ors_", .path = "/v1/origin-sets",
	.is_versioned = true, .set = &origin_fields_set,
};
