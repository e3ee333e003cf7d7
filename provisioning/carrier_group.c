/**
 * @file carrier_group.c  /v1/carrier-groups: gateways that a route names as
 * one target; and /v1/carrier-rules: carriers that a customer may not use, or
 * the only ones it may.
 */
#include "form.h"
#include "pg.h"
#include "resource.h"

static const struct field member_fields[] = {
	{.name = "gateway_id", .type = FIELD_ID, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"gwy_", NULL}},
	{.name = "priority", .type = FIELD_NUMBER, .min = 0, .max = 65535},
	{.name = "weight", .type = FIELD_NUMBER, .min = 0, .max = 65535},
};
static const struct field_set member_set = FIELD_SET(member_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("cgr_"),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	{.name = "gateways", .type = FIELD_LIST, .flags = F_REQUIRED,
	 .read = "(SELECT coalesce(jsonb_agg(jsonb_build_object("
		 "'gateway_id', m.gateway_id, 'priority', m.priority, "
		 "'weight', m.weight) ORDER BY m.priority, m.gateway_id), "
		 "'[]') FROM core.carrier_group_member m "
		 "WHERE m.group_id = t.id)",
	 .min = 1, .max = 50, .items = &member_set},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "carrier_group_member_gateway_id_fkey",
	 .field = "gateways", .kind = PROBLEM_VALIDATION,
	 .detail = "one of the gateways does not exist"},
	{.constraint = "carrier_group_member_pkey", .field = "gateways",
	 .kind = PROBLEM_VALIDATION, .detail = "a gateway is there twice"},
	{.constraint = NULL},
};


/* The members are replaced as a whole */
static int settle(struct request *req, const struct record *rec,
		  const char *id, PGresult **retp)
{
	const char *params[] = {id, record_text(rec, "gateways")};
	int err = pg_exec(req->pg,
			  "DELETE FROM core.carrier_group_member "
			  "WHERE group_id = $1",
			  1, params, NULL);

	if (err)
		return err;

	return pg_exec(req->pg,
		       "INSERT INTO core.carrier_group_member (group_id, "
		       "gateway_id, priority, weight) SELECT $1, gateway_id, "
		       "coalesce(priority, 1), coalesce(weight, 100) FROM "
		       "jsonb_to_recordset($2::jsonb) AS x(gateway_id text, "
		       "priority integer, weight integer)",
		       2, params, retp);
}


const struct resource resource_carrier_group = {
	.kind = "carrier_group", .table = "core.carrier_group", .key = "id",
	.key_type = "text", .id_prefix = "cgr_", .path = "/v1/carrier-groups",
	.is_versioned = true, .set = &set, .refusals = refusals,
	.settle = settle,
};


static const struct field rule_fields[] = {
	FIELD_ROW_ID("crl_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE | F_FIXED),
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE | F_FIXED),
	FIELD_REFERENCE("carrier_id", "car_", F_REQUIRED | F_FIXED),
	{.name = "rule", .type = FIELD_CHOICE, .flags = F_REQUIRED | F_FILTER,
	 .column = "rule",
	 .choices = (const char *const[]){"blocked", "only", NULL}},
	FIELD_ROW_TIMES,
};
static const struct field_set rule_set = FIELD_SET(rule_fields);

static const struct refusal rule_refusals[] = {
	{.constraint = "carrier_rule_owner", .field = "trunk_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "either a tenant or a trunk has the rule"},
	{.constraint = "carrier_rule_one", .field = "carrier_id",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "there is a rule for this carrier",
	 .clash_sql = "SELECT id FROM core.carrier_rule WHERE carrier_id = $1 "
		      "AND coalesce(tenant_id, trunk_id) = $2",
	 .clash_fields = {"carrier_id", "trunk_id"}},
	REFUSAL_NO_ROW("carrier_rule_tenant_id_fkey", "tenant_id", "tenant"),
	REFUSAL_NO_ROW("carrier_rule_trunk_id_fkey", "trunk_id", "trunk"),
	REFUSAL_NO_ROW("carrier_rule_carrier_id_fkey", "carrier_id", "carrier"),
	{.constraint = NULL},
};

const struct resource resource_carrier_rule = {
	.kind = "carrier_rule", .table = "core.carrier_rule", .key = "id",
	.key_type = "text", .id_prefix = "crl_", .path = "/v1/carrier-rules",
	.is_versioned = true, .set = &rule_set, .refusals = rule_refusals,
};
