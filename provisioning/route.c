/**
 * @file route.c  /v1/routes: which gateways and groups take which calls.
 */
#include "form.h"
#include "pg.h"
#include "resource.h"

static const struct field target_fields[] = {
	{.name = "gateway_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"gwy_", NULL}},
	{.name = "group_id", .type = FIELD_ID,
	 .choices = (const char *const[]){"cgr_", NULL}},
	{.name = "priority", .type = FIELD_NUMBER, .min = 0, .max = 65535},
	{.name = "weight", .type = FIELD_NUMBER, .min = 0, .max = 65535},
};
static const struct field_set target_set = FIELD_SET(target_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("rte_"),
	{.name = "kind", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "kind",
	 .choices = (const char *const[]){"prefix", "emergency", NULL}},
	{.name = "prefix", .type = FIELD_TEXT, .flags = F_REQUIRED | F_FILTER,
	 .column = "prefix", .min = 0, .max = 15, .form = form_is_digits,
	 .form_is = "digits without '+'"},
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	{.name = "max_attempts", .type = FIELD_NUMBER,
	 .column = "max_attempts", .min = 1, .max = 20},
	FIELD_REFERENCE("plan_id", "pln_", F_NULLABLE),
	{.name = "position", .type = FIELD_NUMBER, .column = "position",
	 .min = 0, .max = 65535},
	{.name = "called_length.min", .type = FIELD_NUMBER,
	 .column = "called_min", .min = 0, .max = 15},
	{.name = "called_length.max", .type = FIELD_NUMBER,
	 .column = "called_max", .min = 0, .max = 15},
	{.name = "calling_prefix", .type = FIELD_TEXT,
	 .column = "calling_prefix", .min = 0, .max = 15,
	 .form = form_is_digits, .form_is = "digits without '+'"},
	FIELD_ROW_TAGS(0),
	FIELD_REFERENCE("schedule_id", "sch_", F_NULLABLE),
	{.name = "schedule_is", .type = FIELD_CHOICE, .column = "schedule_is",
	 .choices = (const char *const[]){"open", "closed", NULL}},
	{.name = "valid_from", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "valid_from"},
	{.name = "valid_to", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "valid_to"},
	{.name = "targets", .type = FIELD_LIST, .flags = F_REQUIRED,
	 .read = "(SELECT coalesce(jsonb_agg(jsonb_strip_nulls("
		 "jsonb_build_object('gateway_id', g.gateway_id, "
		 "'group_id', g.group_id, 'priority', g.priority, "
		 "'weight', g.weight)) ORDER BY g.priority, g.gateway_id, "
		 "g.group_id), '[]') FROM core.route_target g "
		 "WHERE g.route_id = t.id)",
	 .min = 1, .max = 50, .items = &target_set},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "route_one_prefix", .field = "prefix",
	 .kind = PROBLEM_CONFLICT, .detail = "there is a route for this",
	 .clash_sql = "SELECT id FROM core.route WHERE prefix = $1 AND "
		      "coalesce(tenant_id, '') = coalesce($2, '') AND "
		      "plan_id IS NULL "
		      "ORDER BY id LIMIT 1",
	 .clash_fields = {"prefix", "tenant_id"}},
	{.constraint = "route_prefix_form", .field = "prefix",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must be the digits of an E.164 number, or for an "
		   "emergency route 2 to 8 digits as dialled"},
	REFUSAL_NO_ROW("route_tenant_id_fkey", "tenant_id", "tenant"),
	REFUSAL_NO_ROW("route_plan_id_fkey", "plan_id", "plan"),
	{.constraint = "route_emergency_planless", .field = "plan_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "an emergency route belongs to no plan"},
	REFUSAL_NO_ROW("route_schedule_id_fkey", "schedule_id", "schedule"),
	{.constraint = "route_span", .field = "valid_to",
	 .kind = PROBLEM_VALIDATION, .detail = "must be after valid_from"},
	{.constraint = "route_lengths", .field = "called_length.max",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must not be below called_length.min"},
	{.constraint = "route_target_one", .field = "targets",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a target is either a gateway or a group"},
	{.constraint = "route_target_group_id_fkey", .field = "targets",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "one of the groups does not exist"},
	{.constraint = "route_target_gateway_id_fkey", .field = "targets",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "one of the gateways does not exist"},
	{.constraint = "route_target_once", .field = "targets",
	 .kind = PROBLEM_VALIDATION, .detail = "a gateway is there twice"},
	{.constraint = NULL},
};


/* The targets are replaced as a whole */
static int settle(struct request *req, const struct record *rec,
		  const char *id, PGresult **retp)
{
	const char *params[] = {id, record_text(rec, "targets")};
	int err = pg_exec(req->pg,
			  "DELETE FROM core.route_target WHERE route_id = $1",
			  1, params, NULL);

	if (err)
		return err;

	return pg_exec(req->pg,
		       "INSERT INTO core.route_target (route_id, gateway_id, "
		       "group_id, priority, weight) SELECT $1, gateway_id, "
		       "group_id, coalesce(priority, 1), "
		       "coalesce(weight, 100) FROM "
		       "jsonb_to_recordset($2::jsonb) AS x(gateway_id text, "
		       "group_id text, priority integer, weight integer)",
		       2, params, retp);
}


const struct resource resource_route = {
	.kind = "route", .table = "core.route", .key = "id",
	.key_type = "text", .id_prefix = "rte_", .path = "/v1/routes",
	.is_versioned = true, .set = &set, .refusals = refusals,
	.settle = settle,
};
