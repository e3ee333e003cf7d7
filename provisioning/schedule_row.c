/**
 * @file schedule_row.c  /v1/schedules: ranges of a week and holidays in a time
 * zone, for routes that hold at some times only.
 */
#include <string.h>
#include "form.h"
#include "resource.h"


static bool is_time_of_day(const char *text)
{
	return strlen(text) == 5 && strspn(text, "0123456789") == 2 &&
	       text[2] == ':' && strspn(text + 3, "0123456789") == 2 &&
	       text[3] <= '5' &&
	       (strncmp(text, "24", 2) < 0 || !strcmp(text, "24:00"));
}


static bool is_start(const char *text)
{
	return is_time_of_day(text) && strcmp(text, "24:00") != 0;
}


/* A day of the calendar, up to 2105: as RFC 3339 5.6 with midnight */
static bool is_date(const char *text)
{
	char time[32];
	int64_t ms;

	if (strlen(text) != 10 || strcmp(text, "2106") >= 0)
		return false;

	memcpy(time, text, 10);
	memcpy(time + 10, "T00:00:00Z", 11);

	return !form_time(&ms, time);
}


static const struct field range_fields[] = {
	{.name = "days", .type = FIELD_CHOICES, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"mon", "tue", "wed", "thu", "fri",
					  "sat", "sun", NULL},
	 .min = 1, .max = 7},
	{.name = "from", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 5,
	 .max = 5, .form = is_start, .form_is = "a time as 08:30"},
	{.name = "to", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 5,
	 .max = 5, .form = is_time_of_day,
	 .form_is = "a time as 18:00, up to 24:00"},
};
static const struct field_set range_set = FIELD_SET(range_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("sch_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE),
	FIELD_ROW_NAME,
	{.name = "time_zone", .type = FIELD_TEXT, .column = "time_zone",
	 .min = 1, .max = 63, .form = form_is_zone,
	 .form_is = "a name of the tz database, as Europe/Berlin"},
	{.name = "ranges", .type = FIELD_LIST, .flags = F_REQUIRED,
	 .column = "ranges", .min = 0, .max = 50, .items = &range_set},
	{.name = "holidays", .type = FIELD_CHOICES, .column = "holidays",
	 .min = 0, .max = 64, .form = is_date,
	 .form_is = "a date as 2026-12-25"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "schedule_zone_known", .field = "time_zone",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "is no zone of the tz database"},
	REFUSAL_NO_ROW("schedule_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = NULL},
};

const struct resource resource_schedule = {
	.kind = "schedule", .table = "core.schedule", .key = "id",
	.key_type = "text", .id_prefix = "sch_", .path = "/v1/schedules",
	.is_versioned = true, .set = &set, .refusals = refusals,
};
