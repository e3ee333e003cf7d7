/**
 * @file site.c  /v1/trunks/{id}/sites: the places of a customer that share
 * the channels of one trunk.
 */
#include "form.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("sit_"),
	{.name = "trunk_id", .type = FIELD_ID, .flags = F_READ_ONLY,
	 .column = "trunk_id",
	 .choices = (const char *const[]){"trk_", NULL}},
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	{.name = "main_number", .type = FIELD_E164, .flags = F_NULLABLE,
	 .column = "main_number"},
	{.name = "country", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "country", .min = 2, .max = 2, .form = form_is_country,
	 .form_is = "as DE (ISO 3166-1)"},
	{.name = "location_id", .type = FIELD_ID, .flags = F_NULLABLE,
	 .column = "location_id",
	 .choices = (const char *const[]){"loc_", NULL}},
	FIELD_LIMIT("channels.in", "channels_in"),
	FIELD_LIMIT("channels.out", "channels_out"),
	FIELD_LIMIT("channels.total", "channels_total"),
	FIELD_LIMIT("cps", "cps"),
	FIELD_ROW_BURST,
	FIELD_ROW_LIMIT_ACTION,
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "site_location_id_fkey", .field = "location_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such location"},
	{.constraint = "site_one_name", .field = "name",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "another site of the trunk has this name"},
	{.constraint = NULL},
};

const struct resource resource_site = {
	.kind = "site", .table = "core.site", .key = "id",
	.key_type = "text", .id_prefix = "sit_", .path = "/sites",
	.owner = OWNER_BY("trunk", "trunk_id"),
	.is_versioned = true, .parent = &resource_trunk,
	.parent_column = "trunk_id", .set = &set, .refusals = refusals,
};
