/**
 * @file charge_row.c  /v1/charges and /v1/discounts: what an account is asked
 * for beside its calls, and what it is let off.
 */
#include "party_field.h"
#include "resource.h"

#define MONEY_MAX INT64_C(1000000000000)
#define SPAN_REFUSAL(constraint_) \
	{.constraint = (constraint_), .field = "ends_on", \
	 .kind = PROBLEM_VALIDATION, \
	 .detail = "must not be before the day before starts_on"}

static const struct field charge_fields[] = {
	FIELD_ROW_ID("chg_"),
	FIELD_REFERENCE("account_id", "acc_", F_REQUIRED | F_FIXED),
	{.name = "kind", .type = FIELD_CHOICE, .flags = F_REQUIRED | F_FIXED,
	 .column = "kind",
	 .choices = (const char *const[]){"trunk", "channels", "number",
					  "service", NULL}},
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE | F_FIXED),
	FIELD_REFERENCE("did_id", "did_", F_NULLABLE | F_FIXED),
	FIELD_ROW_NAME,
	{.name = "amount", .type = FIELD_MONEY, .flags = F_REQUIRED | F_FIXED,
	 .column = "amount_micro", .min = 0, .max = MONEY_MAX},
	{.name = "quantity", .type = FIELD_NUMBER, .flags = F_FIXED,
	 .column = "quantity", .min = 1, .max = 1000000},
	{.name = "every", .type = FIELD_CHOICE, .flags = F_FIXED,
	 .column = "every",
	 .choices = (const char *const[]){"month", "once", NULL}},
	{.name = "paid", .type = FIELD_CHOICE, .flags = F_FIXED,
	 .column = "paid",
	 .choices = (const char *const[]){"advance", "arrears", NULL}},
	{.name = "prorated", .type = FIELD_FLAG, .flags = F_FIXED,
	 .column = "is_prorated"},
	FIELD_DATE("starts_on", F_REQUIRED | F_FIXED),
	FIELD_DATE("ends_on", F_NULLABLE),
	FIELD_ROW_TIMES,
};
static const struct field_set charge_set = FIELD_SET(charge_fields);

static const struct refusal charge_refusals[] = {
	REFUSAL_NO_ROW("charge_account_id_fkey", "account_id", "account"),
	REFUSAL_NO_ROW("charge_trunk_id_fkey", "trunk_id", "trunk"),
	REFUSAL_NO_ROW("charge_did_id_fkey", "did_id", "number"),
	{.constraint = "charge_of_tenant", .field = "account_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "trunk or number belong to another tenant"},
	SPAN_REFUSAL("charge_span"),
	{.constraint = "charge_starts_on_check", .field = "starts_on",
	 .kind = PROBLEM_VALIDATION, .detail = "in the years 2000 to 2099"},
	{.constraint = "charge_once_open", .field = "ends_on",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a charge that comes once has no end"},
	{.constraint = NULL},
};

const struct resource resource_charge = {
	.kind = "charge", .table = "billing.charge", .key = "id",
	.key_type = "text", .id_prefix = "chg_", .path = "/v1/charges",
	.owner = OWNER_BY("account", "account_id"), .is_versioned = true,
	.set = &charge_set, .refusals = charge_refusals,
};

static const struct field discount_fields[] = {
	FIELD_ROW_ID("dsc_"),
	FIELD_REFERENCE("account_id", "acc_", F_REQUIRED | F_FIXED),
	FIELD_ROW_NAME,
	{.name = "percent", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .column = "percent_micro", .min = 1, .max = INT64_C(100000000)},
	{.name = "applies_to", .type = FIELD_CHOICE, .column = "applies_to",
	 .choices = (const char *const[]){"usage", "charges", "all", NULL}},
	{.name = "minimum", .type = FIELD_MONEY, .column = "minimum_micro",
	 .min = 0, .max = MONEY_MAX},
	FIELD_DATE("starts_on", F_REQUIRED),
	FIELD_DATE("ends_on", F_NULLABLE),
	FIELD_ROW_TIMES,
};
static const struct field_set discount_set = FIELD_SET(discount_fields);

static const struct refusal discount_refusals[] = {
	REFUSAL_NO_ROW("discount_account_id_fkey", "account_id", "account"),
	SPAN_REFUSAL("discount_span"),
	{.constraint = "discount_starts_on_check", .field = "starts_on",
	 .kind = PROBLEM_VALIDATION, .detail = "in the years 2000 to 2099"},
	{.constraint = NULL},
};

const struct resource resource_discount = {
	.kind = "discount", .table = "billing.discount", .key = "id",
	.key_type = "text", .id_prefix = "dsc_", .path = "/v1/discounts",
	.owner = OWNER_BY("account", "account_id"), .is_versioned = true,
	.set = &discount_set, .refusals = discount_refusals,
};
