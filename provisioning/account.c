/**
 * @file account.c  /v1/accounts with their ledger: money comes and goes by
 * postings only, which are never changed.
 */
#include <string.h>
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"

#define MONEY_MAX INT64_C(1000000000000000) /* 10^9 units of currency */

static const struct field fields[] = {
	FIELD_ROW_ID("acc_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	FIELD_ROW_NAME,
	{.name = "type", .type = FIELD_CHOICE, .flags = F_REQUIRED,
	 .column = "type",
	 .choices = (const char *const[]){"prepaid", "postpaid", NULL}},
	FIELD_ROW_STATUS,
	FIELD_ROW_CURRENCY(F_FIXED),
	{.name = "balance", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .column = "balance_micro"},
	{.name = "credit_limit", .type = FIELD_MONEY,
	 .flags = F_PLATFORM, .column = "credit_limit_micro", .min = 0, .max = MONEY_MAX},
	{.name = "leased", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .column = "leased_micro"},
	{.name = "overspent", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .column = "overspent_micro"},
	{.name = "at_exhaustion", .type = FIELD_CHOICE,
	 .flags = F_PLATFORM, .column = "at_exhaustion",
	 .choices = (const char *const[]){"cut", "finish", "allow", NULL}},
	{.name = "overdraft_limit", .type = FIELD_MONEY,
	 .flags = F_PLATFORM, .column = "overdraft_limit_micro", .min = 0,
	 .max = MONEY_MAX},
	{.name = "overdraft", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .column = "overdraft_micro"},
	{.name = "exhausted_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "exhausted_at"},
	{.name = "max_price_per_min", .type = FIELD_RATE,
	 .flags = F_NULLABLE, .column = "max_price_per_min_nano", .min = 0,
	 .max = INT64_C(1000000000000000000)},
	{.name = "max_connect_fee", .type = FIELD_MONEY,
	 .flags = F_NULLABLE, .column = "max_connect_fee_micro", .min = 0,
	 .max = INT64_C(1000000000000000)},
	{.name = "daily_limit", .type = FIELD_MONEY, .flags = F_NULLABLE,
	 .column = "daily_limit_micro", .min = 0,
	 .max = INT64_C(1000000000000000)},
	{.name = "daily_warn_percent", .type = FIELD_NUMBER,
	 .column = "daily_warn_percent", .min = 1, .max = 100},
	{.name = "daily_at_limit", .type = FIELD_CHOICE,
	 .column = "daily_at_limit",
	 .choices = (const char *const[]){"reject", "cut", NULL}},
	{.name = "daily_unlock", .type = FIELD_CHOICE,
	 .column = "daily_unlock",
	 .choices = (const char *const[]){"midnight", "manual", NULL}},
	{.name = "spent_today", .type = FIELD_MONEY, .flags = F_READ_ONLY,
	 .read = "(CASE WHEN t.daily_limit_micro IS NOT NULL THEN "
		 "core.account_spent(t.id, now()) END)"},
	{.name = "locked", .type = FIELD_JSON, .flags = F_READ_ONLY,
	 .read = "(SELECT jsonb_build_object('reason', l.reason, "
		 "'rule_id', l.rule_id, 'since', l.locked_at, "
		 "'until', l.until) FROM core.lock l "
		 "WHERE l.object_id = t.id AND l.locked_at IS NOT NULL "
		 "AND (l.until IS NULL OR l.until > now()))"},
	{.name = "low_balance_threshold", .type = FIELD_MONEY,
	 .flags = F_NULLABLE, .column = "low_balance_micro",
	 .min = -MONEY_MAX, .max = MONEY_MAX},
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
	{.constraint = "account_tenant_id_fkey", .field = "tenant_id",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such tenant"},
	{.constraint = "account_leased_covered", .field = "amount",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "balance and credit do not cover it"},
	{.constraint = NULL},
};

const struct resource resource_account = {
	.kind = "account", .table = "core.account", .key = "id",
	.key_type = "text", .id_prefix = "acc_", .path = "/v1/accounts",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals,
};

static const struct field posting_fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	FIELD_REFERENCE("account_id", "acc_", F_READ_ONLY),
	{.name = "kind", .type = FIELD_TEXT, .column = "kind"},
	{.name = "amount", .type = FIELD_MONEY, .column = "amount_micro"},
	{.name = "balance_after", .type = FIELD_MONEY,
	 .column = "balance_after_micro"},
	{.name = "currency", .type = FIELD_TEXT, .column = "currency"},
	{.name = "call_id", .type = FIELD_TEXT, .column = "call_id"},
	{.name = "attempt", .type = FIELD_NUMBER, .column = "attempt"},
	{.name = "note", .type = FIELD_TEXT, .column = "note"},
	{.name = "created_at", .type = FIELD_TIME, .column = "created_at"},
};
static const struct field_set posting_set = FIELD_SET(posting_fields);

const struct resource resource_posting = {
	.kind = "posting", .table = "core.ledger_posting", .key = "id",
	.key_type = "bigint", .path = "/ledger",
	.owner = "(SELECT a.tenant_id FROM core.account a "
		 "WHERE a.id = t.account_id)",
	.newest_first = true, .parent = &resource_account,
	.parent_column = "account_id", .set = &posting_set,
};

#define NOTE_FIELD \
	{.name = "note", .type = FIELD_TEXT, .flags = F_NULLABLE, .min = 1, \
	 .max = 255, .form = form_is_name, \
	 .form_is = "free of control characters"}

static const struct field payment_fields[] = {
	{.name = "amount", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .min = 1, .max = MONEY_MAX},
	NOTE_FIELD,
};
static const struct field adjustment_fields[] = {
	{.name = "amount", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .min = -MONEY_MAX, .max = MONEY_MAX},
	NOTE_FIELD,
};
static const struct field_set payment_set = FIELD_SET(payment_fields);
static const struct field_set adjustment_set = FIELD_SET(adjustment_fields);


static void post(struct request *req, const char *kind,
		 const struct record *rec)
{
	const char *params[] = {req->path_params[0], kind,
				record_text(rec, "amount"),
				record_text(rec, "note")};
	char id[24] = "";
	PGresult *result = NULL;
	json_t *posting;
	int err;

	if (!resource_parent_is_seen(req, &resource_posting) ||
	    !change_begin(req))
		return;

	err = pg_exec(req->pg, "SELECT id FROM core.post($1, $2, $3, $4)", 4,
		      params, &result);
	if (err) {
		change_refused(req, &resource_account, NULL, err, result);
		PQclear(result);
		return;
	}
	strncpy(id, PQgetvalue(result, 0, 0), sizeof(id) - 1);
	PQclear(result);

	posting = resource_need(req, &resource_posting, id, false, NULL);
	if (!posting) {
		change_abort(req);
		return;
	}
	request_answer(req, 201, posting);
	if (change_audit(req, "posting", id, NULL, posting))
		(void)change_commit(req);
}


static void post_body(struct request *req, const char *kind,
		      const struct field_set *body_set)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);
	const char *amount;

	if (!body)
		return;

	if (record_decode(&rec, body_set, body, "", &req->problem)) {
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
		goto out;
	}
	amount = record_text(rec, "amount");
	if (amount && !strcmp(amount, "0"))
		problem_add(&req->problem, "/amount", "out_of_range", NULL,
			    "must not be zero");
	if (!problem_is_set(&req->problem))
		post(req, kind, rec);

 out:
	mem_deref(rec);
	json_decref(body);
}


operation_h account_payment_create, account_adjustment_create;


void account_payment_create(struct request *req)
{
	post_body(req, "payment", &payment_set);
}


void account_adjustment_create(struct request *req)
{
	post_body(req, "adjustment", &adjustment_set);
}
