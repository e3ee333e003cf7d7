/**
 * @file seller.c  /v1/sellers: whose name stands at the head of invoices, and
 * whose numbers they have.
 */
#include <string.h>
#include "party_field.h"
#include "resource.h"

static bool is_number_prefix(const char *text)
{
	return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
		      "abcdefghijklmnopqrstuvwxyz0123456789/._-") ==
	       strlen(text);
}


static bool is_bic(const char *text)
{
	const size_t len = strlen(text);

	return (len == 8 || len == 11) &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") >= 6 &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len;
}


static const struct field fields[] = {
	FIELD_ROW_ID("sel_"),
	FIELD_ROW_NAME,
	FIELDS_PARTY,
	FIELD_LINE("registration", F_NULLABLE, 63),
	FIELD_LINE("tax_number", F_NULLABLE, 63),
	FIELD_LINE("phone", F_NULLABLE, 63),
	{.name = "iban", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "iban", .min = 15, .max = 34, .form = form_is_iban,
	 .form_is = "an IBAN without blanks"},
	{.name = "bic", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "bic", .min = 8, .max = 11, .form = is_bic,
	 .form_is = "a BIC of 8 or 11 characters"},
	FIELD_LINE("footer", F_NULLABLE, 1023),
	{.name = "payment_days", .type = FIELD_NUMBER,
	 .column = "payment_days", .min = 0, .max = 365},
	{.name = "number_prefix", .type = FIELD_TEXT,
	 .column = "number_prefix", .min = 0, .max = 15,
	 .form = is_number_prefix,
	 .form_is = "letters, digits, '/', '.', '_', '-'"},
	{.name = "next_number", .type = FIELD_NUMBER, .flags = F_READ_ONLY,
	 .column = "next_number"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "seller_email_check", .field = "email",
	 .kind = PROBLEM_VALIDATION, .detail = "at least 3 characters"},
	{.constraint = "seller_phone_check", .field = "phone",
	 .kind = PROBLEM_VALIDATION, .detail = "at least 3 characters"},
	{.constraint = NULL},
};

const struct resource resource_seller = {
	.kind = "seller", .table = "billing.seller", .key = "id",
	.key_type = "text", .id_prefix = "sel_", .path = "/v1/sellers",
	.is_versioned = true, .set = &set, .refusals = refusals,
};
