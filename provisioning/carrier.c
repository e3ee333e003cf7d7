/**
 * @file carrier.c  /v1/carriers: who takes our calls, and what it charges.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("car_"),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	FIELD_REFERENCE("rate_deck_id", "dck_", F_NULLABLE),
	FIELD_ROW_CURRENCY(F_FIXED),
	{.name = "disconnect_policy_id", .type = FIELD_ID,
	 .flags = F_NULLABLE, .column = "disconnect_policy_id",
	 .choices = (const char *const[]){"dsp_", NULL}},
	FIELD_LIMIT("channels", "channels"),
	FIELD_LIMIT("cps", "cps"),
	FIELD_ROW_BURST,
	FIELD_ROW_HOP_ACTION,
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("carrier_rate_deck_id_fkey", "rate_deck_id",
		       "rate deck"),
	{.constraint = "carrier_rate_deck_currency", .field = "rate_deck_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "the deck is not in the currency of the carrier"},
	REFUSAL_NO_ROW("carrier_disconnect_policy_id_fkey",
		       "disconnect_policy_id", "policy"),
	{.constraint = NULL},
};

const struct resource resource_carrier = {
	.kind = "carrier", .table = "core.carrier", .key = "id",
	.key_type = "text", .id_prefix = "car_", .path = "/v1/carriers",
	.is_versioned = true, .set = &set, .refusals = refusals,
};
