/**
 * @file account.c  /v1/accounts with their ledger: money comes and goes by
 * postings only, which are never changed.
 */
#include <string.h>
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

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
	FIELDS_PRICE_CAP,
	FIELDS_SPEND("account"),
	{.name = "low_balance_threshold", .type = FIELD_MONEY,
	 .flags = F_NULLABLE, .column = "low_balance_micro",
	 .min = -MONEY_MAX, .max = MONEY_MAX},
	FIELD_REFERENCE("tax_profile_id", "tax_", F_NULLABLE | F_PLATFORM),
	{.name = "critical_balance_threshold", .type = FIELD_MONEY,
	 .flags = F_NULLABLE, .column = "critical_balance_micro",
	 .min = -MONEY_MAX, .max = MONEY_MAX},
	{.name = "high_balance_threshold", .type = FIELD_MONEY,
	 .flags = F_NULLABLE, .column = "high_balance_micro",
	 .min = -MONEY_MAX, .max = MONEY_MAX},
	{.name = "balance_margin", .type = FIELD_MONEY,
	 .column = "balance_margin_micro", .min = 0, .max = MONEY_MAX},
	{.name = "balance_alarms", .type = FIELD_JSON, .flags = F_READ_ONLY,
	 .read = "to_jsonb(t.balance_alarms)"},
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
	REFUSAL_NO_ROW("account_tenant_id_fkey", "tenant_id", "tenant"),
	REFUSAL_NO_ROW("account_tax_profile_id_fkey", "tax_profile_id",
		       "tax profile"),
	{.constraint = "account_leased_covered", .field = "credit_limit",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "money is leased to calls on this credit"},
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
	{.name = "reference", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .read = "(SELECT s.reference FROM core.posting_source s "
		 "WHERE s.posting_id = t.id)"},
	{.name = "other_account_id", .type = FIELD_TEXT,
	 .flags = F_READ_ONLY,
	 .read = "(SELECT s.other_account_id FROM core.posting_source s "
		 "WHERE s.posting_id = t.id)"},
	{.name = "created_at", .type = FIELD_TIME, .column = "created_at"},
};
static const struct field_set posting_set = FIELD_SET(posting_fields);

const struct resource resource_posting = {
	.kind = "posting", .table = "core.ledger_posting", .key = "id",
	.key_type = "bigint", .path = "/ledger",
	.owner = OWNER_BY("account", "account_id"),
	.newest_first = true, .parent = &resource_account,
	.parent_column = "account_id", .set = &posting_set,
};

static const struct field lease_fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	FIELD_REFERENCE("account_id", "acc_", F_READ_ONLY),
	{.name = "node", .type = FIELD_TEXT, .column = "node"},
	{.name = "epoch", .type = FIELD_NUMBER, .column = "epoch"},
	{.name = "state", .type = FIELD_TEXT, .column = "state"},
	{.name = "until", .type = FIELD_TIME, .column = "until"},
	{.name = "granted", .type = FIELD_MONEY, .column = "granted_micro"},
	{.name = "settled", .type = FIELD_MONEY, .column = "settled_micro"},
	{.name = "left", .type = FIELD_MONEY, .column = "left_micro"},
};
static const struct field_set lease_set = FIELD_SET(lease_fields);

const struct resource resource_lease = {
	.kind = "lease", .table = "core.lease_state", .key = "id",
	.key_type = "text", .path = "/leases",
	.owner = OWNER_BY("account", "account_id"),
	.parent = &resource_account, .parent_column = "account_id",
	.set = &lease_set,
};

#define REFERENCE_FIELD \
	{.name = "reference", .type = FIELD_TEXT, .flags = F_NULLABLE, \
	 .min = 1, .max = 255, .form = form_is_name, \
	 .form_is = "free of control characters"}
#define NOTE_FIELD \
	{.name = "note", .type = FIELD_TEXT, .flags = F_NULLABLE, .min = 1, \
	 .max = 255, .form = form_is_name, \
	 .form_is = "free of control characters"}

static const struct field payment_fields[] = {
	{.name = "amount", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .min = 1, .max = MONEY_MAX},
	NOTE_FIELD,
	REFERENCE_FIELD,
};
static const struct field adjustment_fields[] = {
	{.name = "amount", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .min = -MONEY_MAX, .max = MONEY_MAX},
	NOTE_FIELD,
	REFERENCE_FIELD,
};
static const struct field transfer_fields[] = {
	FIELD_REFERENCE("to_account_id", "acc_", F_REQUIRED),
	{.name = "amount", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .min = 1, .max = MONEY_MAX},
	NOTE_FIELD,
	REFERENCE_FIELD,
};
static const struct field release_fields[] = {
	{.name = "node", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 1,
	 .max = 63, .form = form_is_name,
	 .form_is = "free of control characters"},
	NOTE_FIELD,
};
static const struct field_set payment_set = FIELD_SET(payment_fields);
static const struct field_set adjustment_set = FIELD_SET(adjustment_fields);
static const struct field_set transfer_set = FIELD_SET(transfer_fields);
static const struct field_set release_set = FIELD_SET(release_fields);


/* The account that the path names is there for this caller, and a transaction
   has begun. */
static bool begin(struct request *req)
{
	return resource_parent_is_seen(req, &resource_posting) &&
	       change_begin(req);
}


/* What the functions that move money refuse, by the members of their bodies */
static const struct refusal move_refusals[] = {
	{.constraint = "account_leased_covered", .field = "amount",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "balance and credit do not cover it"},
	{.constraint = "posting_reference_once", .field = "reference",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "that reference is of another posting"},
	{.constraint = "transfer_within_tenant", .field = "to_account_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "must be another account of the same tenant"},
	{.constraint = "transfer_one_currency", .field = "to_account_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "has another currency"},
	{.constraint = "transfer_covered", .field = "amount",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "more than balance less leased"},
	{.constraint = NULL},
};

static const struct resource moves = {
	.kind = "posting", .refusals = move_refusals,
};


/* One row of a function that moves money; NULL: refused, said and undone. */
static PGresult *moved(struct request *req, const char *sql, int n,
		       const char *const *params)
{
	PGresult *result = NULL;
	const int err = pg_exec(req->pg, sql, n, params, &result);

	if (!err)
		return result;

	change_refused(req, &moves, NULL, err, result);
	PQclear(result);

	return NULL;
}


static bool is_new(const PGresult *result, int column)
{
	return PQgetvalue(result, 0, column)[0] == 't';
}


/* 201, or 200 when the reference was known; what is new is audited. */
static void finish(struct request *req, bool is_made, const char *kind,
		   const char *id, json_t *answer)
{
	if (!answer) {
		change_abort(req);
		return;
	}

	request_answer(req, is_made ? 201 : 200, answer);
	if (!is_made || change_audit(req, kind, id, NULL, answer))
		(void)change_commit(req);
}


static void post(struct request *req, const char *kind,
		 const struct record *rec)
{
	const char *params[] = {req->path_params[0], kind,
				record_text(rec, "amount"),
				record_text(rec, "note"),
				record_text(rec, "reference")};
	PGresult *result;
	const char *id;

	if (!begin(req))
		return;

	result = moved(req, "SELECT posting_id, is_new FROM "
		       "core.post_once($1, $2, $3, $4, $5)", 5, params);
	if (!result)
		return;

	id = PQgetvalue(result, 0, 0);
	finish(req, is_new(result, 1), "posting", id,
	       resource_need(req, &resource_posting, id, false, NULL));
	PQclear(result);
}


static void payment(struct request *req, const struct record *rec)
{
	post(req, "payment", rec);
}


static void adjustment(struct request *req, const struct record *rec)
{
	post(req, "adjustment", rec);
}


/* The posting of the other account stands in another ledger. */
static json_t *transfer_read(struct request *req, const struct record *rec,
			     const PGresult *result)
{
	char from[64];
	json_t *given, *taken;

	given = resource_need(req, &resource_posting,
			      PQgetvalue(result, 0, 0), false, NULL);
	if (!given)
		return NULL;

	(void)text_copy(from, sizeof(from), req->path_params[0]);
	(void)text_copy(req->path_params[0], sizeof(req->path_params[0]),
			record_text(rec, "to_account_id"));
	taken = resource_need(req, &resource_posting,
			      PQgetvalue(result, 0, 1), false, NULL);
	(void)text_copy(req->path_params[0], sizeof(req->path_params[0]),
			from);
	if (!taken) {
		json_decref(given);
		return NULL;
	}

	return json_pack("{s:o, s:o}", "from", given, "to", taken);
}


static void transfer(struct request *req, const struct record *rec)
{
	const char *params[] = {req->path_params[0],
				record_text(rec, "to_account_id"),
				record_text(rec, "amount"),
				record_text(rec, "note"),
				record_text(rec, "reference")};
	PGresult *result;

	if (!begin(req))
		return;

	result = moved(req, "SELECT from_posting_id, to_posting_id, is_new "
		       "FROM core.transfer($1, $2, $3, $4, $5)", 5, params);
	if (!result)
		return;

	finish(req, is_new(result, 2), "transfer", PQgetvalue(result, 0, 0),
	       transfer_read(req, rec, result));
	PQclear(result);
}


static void release(struct request *req, const struct record *rec)
{
	const char *params[] = {req->path_params[0],
				record_text(rec, "node"),
				record_text(rec, "note")};
	json_t *answer;
	PGresult *result;

	if (!begin(req))
		return;

	result = moved(req, "SELECT (core.lease_release_node($1, $2, $3) "
		       "/ 1000000.0)::numeric(20, 6)", 3, params);
	if (!result)
		return;

	answer = json_pack("{s:s, s:s, s:s, s:s?}", "account_id", params[0],
			   "node", params[1], "released",
			   PQgetvalue(result, 0, 0), "note", params[2]);
	PQclear(result);
	request_answer(req, 200, answer);
	if (change_audit(req, "lease", params[0], NULL, answer))
		(void)change_commit(req);
}


static void move(struct request *req, const struct field_set *body_set,
		 void (*h)(struct request *req, const struct record *rec))
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
		h(req, rec);

 out:
	mem_deref(rec);
	json_decref(body);
}


operation_h account_payment_create, account_adjustment_create,
	account_transfer_create, account_lease_release;


void account_payment_create(struct request *req)
{
	move(req, &payment_set, payment);
}


void account_adjustment_create(struct request *req)
{
	move(req, &adjustment_set, adjustment);
}


void account_transfer_create(struct request *req)
{
	move(req, &transfer_set, transfer);
}


/* Only what is pending: the database knows which sessions are over. */
void account_lease_release(struct request *req)
{
	move(req, &release_set, release);
}
