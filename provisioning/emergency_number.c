/**
 * @file emergency_number.c  /v1/emergency-numbers: which numbers are emergency
 * numbers, where, and which gateways take their calls.
 */
#include "form.h"
#include "pg.h"
#include "resource.h"

static const struct field target_fields[] = {
	{.name = "gateway_id", .type = FIELD_ID, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"gwy_", NULL}},
	{.name = "priority", .type = FIELD_NUMBER, .min = 0, .max = 65535},
	{.name = "weight", .type = FIELD_NUMBER, .min = 0, .max = 65535},
};
static const struct field_set target_set = FIELD_SET(target_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("emn_"),
	{.name = "number", .type = FIELD_TEXT, .flags = F_REQUIRED | F_FILTER,
	 .column = "number", .min = 2, .max = 19,
	 .form = form_is_emergency_number,
	 .form_is = "2 to 16 of 0..9, * and #, maybe with '+'; or sos, "
		    "sos.police and the like, test.sos"},
	{.name = "send_as", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "send_as", .min = 2, .max = 17,
	 .form = form_is_service_number,
	 .form_is = "2 to 16 of 0..9, * and #, maybe with '+'"},
	{.name = "kind", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "kind",
	 .choices = (const char *const[]){"emergency", "test", NULL}},
	{.name = "country", .type = FIELD_TEXT,
	 .flags = F_NULLABLE | F_FILTER, .column = "country", .min = 2,
	 .max = 2, .form = form_is_country,
	 .form_is = "as DE (ISO 3166-1)"},
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE),
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE),
	FIELD_REFERENCE("site_id", "sit_", F_NULLABLE),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	{.name = "max_attempts", .type = FIELD_NUMBER,
	 .column = "max_attempts", .min = 1, .max = 20},
	{.name = "targets", .type = FIELD_LIST, .flags = F_REQUIRED,
	 .read = "(SELECT coalesce(jsonb_agg(jsonb_build_object("
		 "'gateway_id', g.gateway_id, 'priority', g.priority, "
		 "'weight', g.weight) ORDER BY g.priority, g.gateway_id), "
		 "'[]') FROM core.emergency_target g "
		 "WHERE g.emergency_number_id = t.id)",
	 .min = 1, .max = 50, .items = &target_set},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "emergency_number_once", .field = "number",
	 .kind = PROBLEM_CONFLICT, .detail = "this number is there",
	 .clash_sql = "SELECT id FROM core.emergency_number WHERE "
		      "number = $1 ORDER BY coalesce(country, tenant_id, "
		      "trunk_id, site_id, '') = coalesce($2, '') DESC, id LIMIT 1",
	 .clash_fields = {"number", "country"}},
	{.constraint = "emergency_number_one_scope", .field = "country",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "only one of country, tenant_id, trunk_id and site_id"},
	{.constraint = "emergency_number_number_check", .field = "number",
	 .kind = PROBLEM_VALIDATION, .detail = "not that long"},
	{.constraint = "emergency_number_service", .field = "send_as",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a service needs the number that is sent"},
	{.constraint = "emergency_number_service_test", .field = "kind",
	 .kind = PROBLEM_VALIDATION, .detail = "test.sos is for tests"},
	REFUSAL_NO_ROW("emergency_number_tenant_id_fkey", "tenant_id",
		       "tenant"),
	REFUSAL_NO_ROW("emergency_number_trunk_id_fkey", "trunk_id", "trunk"),
	REFUSAL_NO_ROW("emergency_number_site_id_fkey", "site_id", "site"),
	{.constraint = "emergency_target_gateway_id_fkey",
	 .field = "targets", .kind = PROBLEM_VALIDATION,
	 .detail = "one of the gateways does not exist"},
	{.constraint = "emergency_target_pkey", .field = "targets",
	 .kind = PROBLEM_VALIDATION, .detail = "a gateway is there twice"},
	{.constraint = NULL},
};


/* The targets are replaced as a whole */
static int settle(struct request *req, const struct record *rec,
		  const char *id, PGresult **retp)
{
	const char *params[] = {id, record_text(rec, "targets")};
	int err = pg_exec(req->pg,
			  "DELETE FROM core.emergency_target "
			  "WHERE emergency_number_id = $1",
			  1, params, NULL);

	if (err)
		return err;

	return pg_exec(req->pg,
		       "INSERT INTO core.emergency_target "
		       "(emergency_number_id, gateway_id, priority, weight) "
		       "SELECT $1, gateway_id, coalesce(priority, 1), "
		       "coalesce(weight, 100) FROM "
		       "jsonb_to_recordset($2::jsonb) AS x(gateway_id text, "
		       "priority integer, weight integer)",
		       2, params, retp);
}


const struct resource resource_emergency_number = {
	.kind = "emergency_number", .table = "core.emergency_number",
	.key = "id", .key_type = "text", .id_prefix = "emn_",
	.path = "/v1/emergency-numbers", .is_versioned = true, .set = &set,
	.refusals = refusals, .settle = settle,
};
