/**
 * @file billing_profile.c  /v1/billing-profiles: who buys. An account that has
 * one is invoiced.
 */
#include "party_field.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("bpr_"),
	FIELD_REFERENCE("account_id", "acc_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("seller_id", "sel_", F_REQUIRED),
	FIELD_ROW_STATUS,
	FIELD_ROW_NAME,
	FIELDS_PARTY,
	FIELD_LINE("buyer_reference", F_NULLABLE, 63),
	FIELD_LINE("order_reference", F_NULLABLE, 63),
	{.name = "payment_days", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "payment_days", .min = 0, .max = 365},
	{.name = "untaxed_category", .type = FIELD_CHOICE,
	 .column = "untaxed_category",
	 .choices = (const char *const[]){"Z", "E", "AE", "G", "K", "O",
					  NULL}},
	FIELD_LINE("untaxed_reason", F_NULLABLE, 255),
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("profile_account_id_fkey", "account_id", "account"),
	REFUSAL_NO_ROW("profile_seller_id_fkey", "seller_id", "seller"),
	{.constraint = "profile_account_id_key", .field = "account_id",
	 .kind = PROBLEM_CONFLICT, .detail = "the account has a profile"},
	{.constraint = "profile_untaxed_said", .field = "untaxed_reason",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "is needed with every category but Z, and not with that"},
	{.constraint = "profile_email_check", .field = "email",
	 .kind = PROBLEM_VALIDATION, .detail = "at least 3 characters"},
	{.constraint = NULL},
};

const struct resource resource_billing_profile = {
	.kind = "billing_profile", .table = "billing.profile", .key = "id",
	.key_type = "text", .id_prefix = "bpr_",
	.path = "/v1/billing-profiles",
	.owner = OWNER_BY("account", "account_id"), .is_versioned = true,
	.set = &set, .refusals = refusals,
};
