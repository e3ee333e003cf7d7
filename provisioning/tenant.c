/**
 * @file tenant.c  /v1/tenants: who the customers are.
 */
#include "form.h"
#include "number_field.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("ten_"),
	{.name = "external_id", .type = FIELD_TEXT,
	 .flags = F_NULLABLE | F_FILTER, .column = "external_id", .min = 1,
	 .max = 255, .form = form_is_name,
	 .form_is = "free of control characters"},
	FIELD_REFERENCE("parent_id", "ten_", F_NULLABLE),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	FIELD_ROW_CURRENCY(0),
	FIELD_REFERENCE("routing_plan_id", "pln_", F_NULLABLE | F_PLATFORM),
	FIELD_REFERENCE("tax_profile_id", "tax_", F_NULLABLE | F_PLATFORM),
	{.name = "time_zone", .type = FIELD_TEXT, .column = "time_zone",
	 .min = 1, .max = 63, .form = form_is_zone,
	 .form_is = "as Europe/Berlin"},
	{.name = "country", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "country", .min = 2, .max = 2, .form = form_is_country,
	 .form_is = "as DE (ISO 3166-1)"},
	/* the pool is what a reseller was sold: it does not widen it */
	{.name = "channels", .type = FIELD_NUMBER,
	 .flags = F_NULLABLE | F_PLATFORM, .column = "channels", .min = 0,
	 .max = 1000000},
	{.name = "cps", .type = FIELD_NUMBER,
	 .flags = F_NULLABLE | F_PLATFORM, .column = "cps", .min = 0,
	 .max = 1000000},
	{.name = "burst_percent", .type = FIELD_NUMBER, .flags = F_PLATFORM,
	 .column = "burst_percent", .min = 0, .max = 100},
	{.name = "limit_action", .type = FIELD_CHOICE, .flags = F_PLATFORM,
	 .column = "limit_action",
	 .choices = (const char *const[]){"reject", "mark", NULL}},
	FIELD_NUMBER_LISTS("number_lists"),
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "tenant_external_id_key", .field = "external_id",
	 .kind = PROBLEM_CONFLICT, .detail = "another tenant has this id",
	 .clash_sql = "SELECT id FROM core.tenant WHERE external_id = $1",
	 .clash_fields = {"external_id"}},
	REFUSAL_NO_ROW("tenant_tax_profile_id_fkey", "tax_profile_id",
		       "tax profile"),
	REFUSAL_NO_ROW("tenant_routing_plan_id_fkey", "routing_plan_id",
		       "plan"),
	REFUSAL_NO_ROW("number_lists_exist", "number_lists", "list"),
	REFUSAL_NO_ROW("tenant_parent_id_fkey", "parent_id", "tenant"),
	{.constraint = "tenant_parent_ring", .field = "parent_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "stands below this tenant itself"},
	{.constraint = "tenant_tree_depth", .field = "parent_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a tree of tenants has at most four levels"},
	{.constraint = NULL},
};


/* What a reseller makes stands below it; only the platform makes roots */
static int prepare(struct request *req, struct record *rec,
		   const json_t *before)
{
	const char *reseller = request_tenant(req);

	(void)before;
	if (!reseller || record_text(rec, "parent_id"))
		return 0;

	return record_put(rec, "parent_id", reseller);
}


const struct resource resource_tenant = {
	.kind = "tenant", .table = "core.tenant", .key = "id",
	.key_type = "text", .id_prefix = "ten_", .path = "/v1/tenants",
	.owner = "t.id", .is_versioned = true, .set = &set,
	.refusals = refusals, .prepare = prepare,
};
