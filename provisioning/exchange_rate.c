/**
 * @file exchange_rate.c  /v1/exchange-rates: units of one currency for one of
 * another, from a moment on.
 */
#include "form.h"
#include "resource.h"

#define CURRENCY(name_) \
	{.name = (name_), .type = FIELD_TEXT, \
	 .flags = F_REQUIRED | F_FIXED | F_FILTER, .column = (name_), \
	 .min = 3, .max = 3, .form = form_is_currency, \
	 .form_is = "as EUR (ISO 4217)"}

static const struct field fields[] = {
	FIELD_ROW_ID("fxr_"),
	CURRENCY("base"),
	CURRENCY("quote"),
	{.name = "rate", .type = FIELD_RATE, .flags = F_REQUIRED,
	 .column = "rate_nano", .min = 1, .max = INT64_C(1000000000000000)},
	{.name = "effective_from", .type = FIELD_TIME,
	 .column = "effective_from"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "exchange_rate_pair", .field = "quote",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must be another currency than base"},
	{.constraint = "exchange_rate_once", .field = "effective_from",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "there is a rate of this pair from this moment on"},
	{.constraint = NULL},
};

const struct resource resource_exchange_rate = {
	.kind = "exchange_rate", .table = "core.exchange_rate", .key = "id",
	.key_type = "text", .id_prefix = "fxr_", .path = "/v1/exchange-rates",
	.is_versioned = true, .set = &set, .refusals = refusals,
};
