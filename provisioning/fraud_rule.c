/**
 * @file fraud_rule.c  /v1/fraud-rules, what they found (/v1/fraud-events), and
 * the end of a lock.
 */
#include <errno.h>
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("frd_"),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE),
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE),
	FIELD_REFERENCE("zone_id", "zon_", F_NULLABLE),
	{.name = "prefix", .type = FIELD_TEXT, .column = "prefix", .min = 0,
	 .max = 15, .form = form_is_digits,
	 .form_is = "digits without '+'"},
	{.name = "metric", .type = FIELD_CHOICE,
	 .flags = F_REQUIRED | F_FILTER, .column = "metric",
	 .choices = (const char *const[]){"calls", "concurrent",
		"same_number", "different_numbers", "short_calls",
		"duration", NULL}},
	{.name = "window_s", .type = FIELD_NUMBER, .column = "window_s",
	 .min = 1, .max = 86400},
	{.name = "short_s", .type = FIELD_NUMBER, .column = "short_s",
	 .min = 1, .max = 600},
	FIELD_LIMIT("warn", "warn"),
	FIELD_LIMIT("limit", "limit_n"),
	FIELD_LIMIT("lock", "lock"),
	{.name = "lock_min", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "lock_min", .min = 1, .max = 44640},
	FIELD_REFERENCE("schedule_id", "sch_", F_NULLABLE),
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "fraud_rule_one_scope", .field = "tenant_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "only one of tenant_id and trunk_id"},
	{.constraint = "fraud_rule_does_something", .field = "warn",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "one of warn, limit and lock is needed"},
	REFUSAL_NO_ROW("fraud_rule_tenant_id_fkey", "tenant_id", "tenant"),
	REFUSAL_NO_ROW("fraud_rule_trunk_id_fkey", "trunk_id", "trunk"),
	REFUSAL_NO_ROW("fraud_rule_zone_id_fkey", "zone_id", "zone"),
	REFUSAL_NO_ROW("fraud_rule_schedule_id_fkey", "schedule_id",
		       "schedule"),
	{.constraint = NULL},
};

const struct resource resource_fraud_rule = {
	.kind = "fraud_rule", .table = "core.fraud_rule", .key = "id",
	.key_type = "text", .id_prefix = "frd_", .path = "/v1/fraud-rules",
	.is_versioned = true, .set = &set, .refusals = refusals,
};

operation_h trunk_unlock, account_unlock;


static void unlock(struct request *req, const struct resource *res)
{
	const char *id = req->path_params[0];
	json_t *before, *after;

	if (!change_begin(req))
		return;

	before = resource_need(req, res, id, true, NULL);
	if (!before) {
		change_abort(req);
		return;
	}
	if (pg_exec(req->pg, "SELECT core.unlock($1)", 1, &id, NULL)) {
		change_refused(req, res, NULL, EIO, NULL);
		goto out;
	}

	after = resource_need(req, res, id, false, NULL);
	if (!after) {
		change_abort(req);
		goto out;
	}
	request_answer(req, 200, row_seen(req, res, after));
	if (change_audit(req, res->kind, id, before, after))
		(void)change_commit(req);
	json_decref(after);

 out:
	json_decref(before);
}


void trunk_unlock(struct request *req)
{
	unlock(req, &resource_trunk);
}


void account_unlock(struct request *req)
{
	unlock(req, &resource_account);
}
