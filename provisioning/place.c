/**
 * @file place.c  /v1/locations: where the callers of trunks are, told by
 * emergency calls.
 */
#include <string.h>
#include "form.h"
#include "resource.h"

#define CIVIC(name_) \
	{.name = "civic." name_, .type = FIELD_TEXT, .flags = F_NULLABLE, \
	 .column = name_, .min = 1, .max = 95, .form = form_is_name, \
	 .form_is = "free of control characters"}
#define DEGREES(name_, max_) \
	{.name = "point." name_, .type = FIELD_TEXT, .flags = F_NULLABLE, \
	 .column = name_, .min = 1, .max = (max_), .form = form_is_degrees, \
	 .form_is = "degrees with at most 8 decimals"}

static const struct field fields[] = {
	FIELD_ROW_ID("loc_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	FIELD_ROW_NAME,
	{.name = "civic.country", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "country", .min = 2, .max = 2, .form = form_is_country,
	 .form_is = "as DE (ISO 3166-1)"},
	CIVIC("a1"), CIVIC("a2"), CIVIC("a3"), CIVIC("a4"), CIVIC("rd"),
	CIVIC("hno"), CIVIC("hns"), CIVIC("lmk"), CIVIC("loc"), CIVIC("nam"),
	CIVIC("pc"), CIVIC("bld"), CIVIC("unit"), CIVIC("flr"),
	CIVIC("room"),
	DEGREES("latitude", 12),
	DEGREES("longitude", 13),
	{.name = "point.radius_m", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "radius_m", .min = 1, .max = 1000000},
	{.name = "uri", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "uri", .min = 9, .max = 200, .form = form_is_location_uri,
	 .form_is = "a https:, sips: or pres: URI"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("location_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "location_latitude_check", .field = "point.latitude",
	 .kind = PROBLEM_VALIDATION, .detail = "must be within -90..90"},
	{.constraint = "location_longitude_check",
	 .field = "point.longitude", .kind = PROBLEM_VALIDATION,
	 .detail = "must be within -180..180"},
	{.constraint = "location_point_whole", .field = "point",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "latitude and longitude go together"},
	{.constraint = "location_civic_whole", .field = "civic.country",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "is needed for a civic address"},
	{.constraint = "location_says_something", .field = "civic",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "one of civic, point and uri is needed"},
	{.constraint = NULL},
};

const struct resource resource_place = {
	.kind = "location", .table = "core.location", .key = "id",
	.key_type = "text", .id_prefix = "loc_", .path = "/v1/locations",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};
