/**
 * @file disconnect_policy.c  /v1/disconnect-policies: what follows when a
 * carrier refuses, by its codes.
 */
#include "form.h"
#include "pg.h"
#include "resource.h"

static const struct field rule_fields[] = {
	{.name = "sip_code", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .min = 300, .max = 699},
	{.name = "q850", .type = FIELD_NUMBER, .flags = F_NULLABLE, .min = 1,
	 .max = 127},
	{.name = "action", .type = FIELD_CHOICE, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"stop", "next", NULL}},
	{.name = "rewrite_code", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .min = 400, .max = 699},
	{.name = "rewrite_reason", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .min = 1, .max = 47, .form = form_is_name,
	 .form_is = "free of control characters"},
	{.name = "pass_reason", .type = FIELD_FLAG},
};
static const struct field_set rule_set = FIELD_SET(rule_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("dsp_"),
	FIELD_ROW_NAME,
	{.name = "rules", .type = FIELD_LIST, .flags = F_REQUIRED,
	 .read = "(SELECT coalesce(jsonb_agg(jsonb_build_object("
		 "'sip_code', r.sip_code, 'q850', r.q850, 'action', r.action, "
		 "'rewrite_code', r.rewrite_code, 'rewrite_reason', "
		 "r.rewrite_reason, 'pass_reason', r.pass_reason) "
		 "ORDER BY r.q850, r.sip_code), '[]') "
		 "FROM core.disconnect_rule r WHERE r.policy_id = t.id)",
	 .min = 1, .max = 64, .items = &rule_set},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "disconnect_rule_one_code", .field = "rules",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a rule has either sip_code or q850"},
	{.constraint = "disconnect_rule_reason_needs_code", .field = "rules",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "rewrite_reason needs rewrite_code"},
	{.constraint = "disconnect_rule_once", .field = "rules",
	 .kind = PROBLEM_VALIDATION, .detail = "a code is there twice"},
	{.constraint = NULL},
};


/* The rules are replaced as a whole */
static int settle(struct request *req, const struct record *rec,
		  const char *id, PGresult **retp)
{
	const char *params[] = {id, record_text(rec, "rules")};
	int err = pg_exec(req->pg,
			  "DELETE FROM core.disconnect_rule "
			  "WHERE policy_id = $1",
			  1, params, NULL);

	if (err)
		return err;

	return pg_exec(req->pg,
		       "INSERT INTO core.disconnect_rule (policy_id, "
		       "sip_code, q850, action, rewrite_code, rewrite_reason, "
		       "pass_reason) SELECT $1, sip_code, q850, action, "
		       "rewrite_code, rewrite_reason, "
		       "coalesce(pass_reason, false) FROM "
		       "jsonb_to_recordset($2::jsonb) AS x(sip_code integer, "
		       "q850 integer, action text, rewrite_code integer, "
		       "rewrite_reason text, pass_reason boolean)",
		       2, params, retp);
}


const struct resource resource_disconnect_policy = {
	.kind = "disconnect_policy", .table = "core.disconnect_policy",
	.key = "id", .key_type = "text", .id_prefix = "dsp_",
	.path = "/v1/disconnect-policies", .is_versioned = true, .set = &set,
	.refusals = refusals, .settle = settle,
};
