/**
 * @file subscriber.c  /v1/subscribers: who the subscriber of trunks and numbers
 * is, by law, and whether somebody has looked.
 */
#include "form.h"
#include "resource.h"

#define PERSONAL(name_, column_, flags_) \
	{.name = (name_), .type = FIELD_TEXT, .flags = (flags_), \
	 .column = (column_), .min = 1, .max = 95, .form = form_is_name, \
	 .form_is = "free of control characters"}

static const struct field fields[] = {
	FIELD_ROW_ID("sbr_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	PERSONAL("legal_name", "legal_name", F_REQUIRED),
	PERSONAL("address.street", "street", F_REQUIRED),
	PERSONAL("address.postal_code", "postal_code", F_NULLABLE),
	PERSONAL("address.city", "city", F_REQUIRED),
	{.name = "address.country", .type = FIELD_TEXT, .flags = F_REQUIRED,
	 .column = "country", .min = 2, .max = 2, .form = form_is_country,
	 .form_is = "as DE (ISO 3166-1)"},
	PERSONAL("contact.name", "contact_name", F_NULLABLE),
	{.name = "contact.phone", .type = FIELD_E164, .flags = F_NULLABLE,
	 .column = "contact_phone"},
	PERSONAL("contact.email", "contact_email", F_NULLABLE),
	{.name = "is_verified", .type = FIELD_FLAG, .flags = F_PLATFORM,
	 .column = "is_verified"},
	PERSONAL("verified_by", "verified_by", F_NULLABLE | F_PLATFORM),
	{.name = "verified_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "verified_at"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("subscriber_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "subscriber_contact_email_check",
	 .field = "contact.email", .kind = PROBLEM_VALIDATION,
	 .detail = "must be an address as a@example.net"},
	{.constraint = "subscriber_verified_by", .field = "verified_by",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "says who verified it, and is needed with is_verified"},
	{.constraint = NULL},
};

const struct resource resource_subscriber = {
	.kind = "subscriber", .table = "core.subscriber", .key = "id",
	.key_type = "text", .id_prefix = "sbr_", .path = "/v1/subscribers",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
