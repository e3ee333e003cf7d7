/**
 * @file rate_deck.c  /v1/rate-decks: a list of rates in one currency with its
 * rounding.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("dck_"),
	FIELD_ROW_NAME,
	FIELD_ROW_CURRENCY(F_FIXED),
	{.name = "rounding.mode", .type = FIELD_CHOICE,
	 .column = "rounding_mode",
	 .choices = (const char *const[]){"up", "down", "half_up",
					  "half_even", NULL}},
	{.name = "rounding.decimals", .type = FIELD_NUMBER,
	 .column = "rounding_decimals", .min = 0, .max = 6},
	FIELD_ROW_STATUS,
	{.name = "rate_version", .type = FIELD_NUMBER, .flags = F_READ_ONLY,
	 .column = "rate_version"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_rate_deck = {
	.kind = "rate_deck", .table = "core.rate_deck", .key = "id",
	.key_type = "text", .id_prefix = "dck_", .path = "/v1/rate-decks",
	.is_versioned = true, .set = &set,
};
