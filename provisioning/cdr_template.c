/**
 * @file cdr_template.c  /v1/cdr-export-templates: the form in which a recipient
 * gets call records, when, and where to; /v1/cdr-export-files: what it got.
 */
#include <string.h>
#include "cdr_export.h"
#include "form.h"
#include "report.h"
#include "resource.h"
#include "text.h"


static bool is_column(const char *text)
{
	return cdr_export_has(text, true);
}


static bool is_url(const char *text)
{
	return (!strncmp(text, "http://", 7) || !strncmp(text, "https://", 8) ||
		!strncmp(text, "sftp://", 7)) && form_is_token(text) &&
	       !strchr(text, '"');
}


static bool is_report(const char *text)
{
	return report_find(text) != NULL;
}


static const struct field fields[] = {
	FIELD_ROW_ID("cet_"),
	FIELD_ROW_NAME,
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE | F_FIXED),
	{.name = "status", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "status",
	 .choices = (const char *const[]){"active", "suspended", NULL}},
	{.name = "format", .type = FIELD_CHOICE, .column = "format",
	 .choices = (const char *const[]){"csv", "ndjson", "json", "html",
					  NULL}},
	{.name = "report", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "report", .min = 1, .max = 63, .form = is_report,
	 .form_is = "a report (GET /v1/reports)"},
	{.name = "columns", .type = FIELD_CHOICES, .flags = F_NULLABLE,
	 .column = "columns", .min = 1, .max = 64, .form = is_column,
	 .form_is = "a column of exports"},
	{.name = "headings", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "headings", .min = 1, .max = 2000, .form = form_is_name,
	 .form_is = "free of control characters"},
	{.name = "has_header", .type = FIELD_FLAG, .column = "has_header"},
	{.name = "separator", .type = FIELD_CHOICE, .column = "separator",
	 .choices = (const char *const[]){",", ";", "|", "\t", NULL}},
	{.name = "decimal_mark", .type = FIELD_CHOICE,
	 .column = "decimal_mark",
	 .choices = (const char *const[]){".", ",", NULL}},
	{.name = "time_zone", .type = FIELD_TEXT, .column = "time_zone",
	 .min = 1, .max = 63, .form = form_is_zone,
	 .form_is = "as Europe/Berlin"},
	{.name = "schedule", .type = FIELD_CHOICE, .column = "schedule",
	 .choices = (const char *const[]){"none", "hourly", "daily",
					  "monthly", NULL}},
	{.name = "delay_min", .type = FIELD_NUMBER, .column = "delay_min",
	 .min = 0, .max = 10080},
	{.name = "url", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "url", .min = 10, .max = 500, .form = is_url,
	 .form_is = "an http, https or sftp URL"},
	{.name = "sequence", .type = FIELD_NUMBER, .flags = F_READ_ONLY,
	 .column = "sequence"},
	{.name = "covered_to", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "covered_to"},
	/* numbers of which there is no file (any more) */
	{.name = "missing_files", .type = FIELD_NUMBER, .flags = F_READ_ONLY,
	 .read = "t.sequence - (SELECT count(*) FROM cdr.export_file f WHERE "
		 "f.template_id = t.id)"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "export_template_tenant_id_fkey", .field = "tenant_id",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such tenant"},
	{.constraint = "export_template_name_key", .field = "name",
	 .kind = PROBLEM_CONFLICT, .detail = "another template has this name"},
	{.constraint = "export_template_headings", .field = "headings",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "as many as columns, separated by commas"},
	{.constraint = "export_template_what", .field = "columns",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "either columns (of records) or a report"},
	{.constraint = "export_template_form", .field = "format",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "records are csv or ndjson, reports csv, json or html, "
		   "without headings of their own"},
	{.constraint = "export_template_marks", .field = "decimal_mark",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must differ from the separator"},
	{.constraint = "export_template_vendor", .field = "columns",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "carriers and cost are for templates without tenant"},
	{.constraint = "export_template_zone", .field = "time_zone",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such time zone"},
	{.constraint = NULL},
};

/* What is the platform's goes to no tenant */
static int check_report(struct request *req, struct record *rec,
			const json_t *before)
{
	const char *name = record_text(rec, "report");
	const char *tenant = record_text(rec, "tenant_id");
	const struct report *r = name ? report_find(name) : NULL;

	if (!tenant)
		tenant = json_string_value(json_object_get(before,
							   "tenant_id"));
	if (r && tenant && !r->is_tenant)
		problem_add(&req->problem, "/report", "not_allowed", NULL,
			    "this report is for templates without tenant");
	return 0;
}


const struct resource resource_cdr_export_template = {
	.kind = "cdr_export_template", .table = "cdr.export_template",
	.key = "id", .key_type = "text", .id_prefix = "cet_",
	.path = "/v1/cdr-export-templates", .is_versioned = true, .set = &set,
	.refusals = refusals, .prepare = check_report,
};

static const struct field file_fields[] = {
	FIELD_ROW_ID("cef_"),
	FIELD_REFERENCE("template_id", "cet_", F_READ_ONLY),
	{.name = "sequence", .type = FIELD_NUMBER, .column = "sequence"},
	{.name = "name", .type = FIELD_TEXT, .column = "name"},
	{.name = "from", .type = FIELD_TIME, .column = "from_at"},
	{.name = "to", .type = FIELD_TIME, .column = "to_at"},
	{.name = "job_id", .type = FIELD_TEXT, .column = "job_id"},
	{.name = "records", .type = FIELD_NUMBER, .column = "records"},
	{.name = "bytes", .type = FIELD_NUMBER, .column = "bytes"},
	{.name = "sha256", .type = FIELD_TEXT, .column = "sha256"},
	/* a report that was made once more, since records came late */
	{.name = "corrects_id", .type = FIELD_TEXT, .column = "corrects_id"},
	{.name = "revision", .type = FIELD_NUMBER, .column = "revision"},
	{.name = "status", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "status"},
	{.name = "tries", .type = FIELD_NUMBER, .column = "tries"},
	{.name = "next_try_at", .type = FIELD_TIME, .column = "next_try_at"},
	{.name = "delivered_at", .type = FIELD_TIME, .column = "delivered_at"},
	{.name = "error", .type = FIELD_TEXT, .column = "error"},
	{.name = "created_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "created_at"},
};
static const struct field_set file_set = FIELD_SET(file_fields);

const struct resource resource_cdr_export_file = {
	.kind = "cdr_export_file", .table = "cdr.export_file", .key = "id",
	.key_type = "text", .id_prefix = "cef_",
	.path = "/v1/cdr-export-files", .newest_first = true,
	.set = &file_set,
};
