/**
 * @file package.c  /v1/packages and /v1/subscriptions: minutes or money for a
 * period, who has them, and what is left. Balances move by postings of the
 * database only.
 */
#include <string.h>
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"

#define MONEY_MAX INT64_C(1000000000000)   /* a million units of currency */
#define SECONDS_MAX 1000000000
#define DAY_MS 86400000

#define ZONES(name_) \
	{.name = (name_), .type = FIELD_CHOICES, .column = (name_), \
	 .min = 0, .max = 16, .form = is_zone_id, \
	 .form_is = "ids of zones"}
#define AMOUNT(name_, column_) \
	{.name = (name_), .type = FIELD_TEXT, .flags = F_READ_ONLY, \
	 .column = (column_)}


static bool is_zone_id(const char *text)
{
	return !strncmp(text, "zon_", 4) && strlen(text) == 30;
}


static const struct field fields[] = {
	FIELD_ROW_ID("pkg_"),
	FIELD_ROW_NAME,
	FIELD_ROW_STATUS,
	{.name = "kind", .type = FIELD_CHOICE, .flags = F_REQUIRED | F_FIXED,
	 .column = "kind",
	 .choices = (const char *const[]){"minutes", "money", NULL}},
	FIELD_ROW_CURRENCY(F_FIXED),
	{.name = "seconds", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "seconds", .min = 1, .max = SECONDS_MAX},
	{.name = "money", .type = FIELD_MONEY, .flags = F_NULLABLE,
	 .column = "money_micro", .min = 1, .max = MONEY_MAX},
	{.name = "increment_ms", .type = FIELD_NUMBER, .flags = F_FIXED,
	 .column = "increment_ms", .min = 1, .max = DAY_MS},
	{.name = "direction", .type = FIELD_CHOICE, .column = "direction",
	 .choices = (const char *const[]){"out", "forward", "both", NULL}},
	ZONES("zone_ids"),
	ZONES("excluded_zone_ids"),
	FIELD_REFERENCE("number_list_id", "nls_", F_NULLABLE),
	{.name = "period", .type = FIELD_CHOICE,
	 .flags = F_REQUIRED | F_FIXED, .column = "period",
	 .choices = (const char *const[]){"day", "month", NULL}},
	{.name = "fee", .type = FIELD_MONEY, .column = "fee_micro", .min = 0,
	 .max = MONEY_MAX},
	{.name = "carry_periods", .type = FIELD_NUMBER,
	 .column = "carry_periods", .min = 0, .max = 3},
	{.name = "carry_seconds", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "carry_seconds", .min = 0, .max = SECONDS_MAX},
	{.name = "carry_money", .type = FIELD_MONEY, .flags = F_NULLABLE,
	 .column = "carry_money_micro", .min = 0, .max = MONEY_MAX},
	{.name = "priority", .type = FIELD_NUMBER, .column = "priority",
	 .min = 0, .max = 65535},
	{.name = "proration", .type = FIELD_CHOICE, .column = "proration",
	 .choices = (const char *const[]){"none", "days", NULL}},
	{.name = "low_percent", .type = FIELD_NUMBER, .column = "low_percent",
	 .min = 0, .max = 99},
	{.name = "valid_from", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "valid_from"},
	{.name = "valid_to", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "valid_to"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "package_amount", .field = "kind",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "minutes have seconds and no money, money has money, "
		   "neither seconds nor increment_ms"},
	{.constraint = "package_zones_exist", .field = "zone_ids",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such zone"},
	{.constraint = "package_zones_form", .field = "zone_ids",
	 .kind = PROBLEM_VALIDATION, .detail = "different ids of zones"},
	{.constraint = "package_span", .field = "valid_to",
	 .kind = PROBLEM_VALIDATION, .detail = "must be after valid_from"},
	REFUSAL_NO_ROW("package_number_list_id_fkey", "number_list_id",
		       "number list"),
	{.constraint = NULL},
};

const struct resource resource_package = {
	.kind = "package", .table = "core.package", .key = "id",
	.key_type = "text", .id_prefix = "pkg_", .path = "/v1/packages",
	.is_versioned = true, .set = &set, .refusals = refusals,
};

static const struct field subscription_fields[] = {
	FIELD_ROW_ID("sub_"),
	FIELD_REFERENCE("package_id", "pkg_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("account_id", "acc_", F_REQUIRED | F_FIXED),
	{.name = "shared", .type = FIELD_FLAG, .column = "is_shared"},
	FIELD_ROW_STATUS,
	{.name = "quantity", .type = FIELD_NUMBER, .column = "quantity",
	 .min = 1, .max = 10000},
	{.name = "anchor_day", .type = FIELD_NUMBER, .flags = F_FIXED,
	 .column = "anchor_day", .min = 1, .max = 28},
	{.name = "starts_at", .type = FIELD_TIME, .flags = F_FIXED,
	 .column = "starts_at"},
	{.name = "ends_at", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "ends_at"},
	{.name = "contents", .type = FIELD_JSON, .flags = F_READ_ONLY,
	 .read = "core.subscription_package(t.id)"},
	FIELD_ROW_TIMES,
};
static const struct field_set subscription_set =
	FIELD_SET(subscription_fields);

static const struct refusal subscription_refusals[] = {
	REFUSAL_NO_ROW("subscription_package_id_fkey", "package_id",
		       "package"),
	REFUSAL_NO_ROW("subscription_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "subscription_account_id_fkey", .field = "account_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such account"},
	{.constraint = "subscription_currency", .field = "package_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "is in another currency than the account"},
	{.constraint = "subscription_span", .field = "ends_at",
	 .kind = PROBLEM_VALIDATION, .detail = "must be after starts_at"},
	{.constraint = "subscription_had", .kind = PROBLEM_CONFLICT,
	 .detail = "it has had periods: end it with ends_at"},
	{.constraint = NULL},
};

const struct resource resource_subscription = {
	.kind = "subscription", .table = "core.subscription", .key = "id",
	.key_type = "text", .id_prefix = "sub_", .path = "/v1/subscriptions",
	.owner = "t.tenant_id", .is_versioned = true,
	.set = &subscription_set, .refusals = subscription_refusals,
};

static const struct field period_fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	FIELD_REFERENCE("subscription_id", "sub_", F_READ_ONLY),
	{.name = "period", .type = FIELD_NUMBER, .column = "period"},
	{.name = "starts_at", .type = FIELD_TIME, .column = "starts_at"},
	{.name = "ends_at", .type = FIELD_TIME, .column = "ends_at"},
	{.name = "usable_to", .type = FIELD_TIME, .column = "usable_to"},
	AMOUNT("unit", "unit"),
	AMOUNT("granted", "granted"),
	AMOUNT("used", "used"),
	AMOUNT("used_later", "used_later"),
	AMOUNT("leased", "leased"),
	AMOUNT("left", "left_amount"),
	AMOUNT("carries", "carries"),
	AMOUNT("over", "over"),
	AMOUNT("alarm", "alarm"),
};
static const struct field_set period_set = FIELD_SET(period_fields);

const struct resource resource_package_period = {
	.kind = "package_period", .table = "core.package_period",
	.key = "id", .key_type = "text", .path = "/periods",
	.owner = OWNER_BY("subscription", "subscription_id"),
	.newest_first = true, .parent = &resource_subscription,
	.parent_column = "subscription_id", .set = &period_set,
};

static const struct field usage_fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	FIELD_REFERENCE("subscription_id", "sub_", F_READ_ONLY),
	{.name = "period", .type = FIELD_NUMBER, .column = "period"},
	{.name = "kind", .type = FIELD_TEXT, .column = "kind"},
	{.name = "is_carried", .type = FIELD_FLAG, .column = "is_carried"},
	AMOUNT("amount", "amount"),
	AMOUNT("unit", "unit"),
	{.name = "started_at", .type = FIELD_TIME, .column = "started_at"},
	{.name = "call_id", .type = FIELD_TEXT, .column = "call_id"},
	{.name = "attempt", .type = FIELD_NUMBER, .column = "attempt"},
	{.name = "note", .type = FIELD_TEXT, .column = "note"},
	{.name = "created_at", .type = FIELD_TIME, .column = "created_at"},
};
static const struct field_set usage_set = FIELD_SET(usage_fields);

const struct resource resource_package_usage = {
	.kind = "package_usage", .table = "core.package_usage",
	.key = "id", .key_type = "bigint", .path = "/usage",
	.owner = OWNER_BY("subscription", "subscription_id"),
	.newest_first = true, .parent = &resource_subscription,
	.parent_column = "subscription_id", .set = &usage_set,
};

static const struct field lease_fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	FIELD_REFERENCE("subscription_id", "sub_", F_READ_ONLY),
	{.name = "period", .type = FIELD_NUMBER, .column = "period"},
	{.name = "is_carried", .type = FIELD_FLAG, .column = "is_carried"},
	{.name = "node", .type = FIELD_TEXT, .column = "node"},
	{.name = "epoch", .type = FIELD_NUMBER, .column = "epoch"},
	{.name = "state", .type = FIELD_TEXT, .column = "state"},
	{.name = "until", .type = FIELD_TIME, .column = "until"},
	AMOUNT("unit", "unit"),
	AMOUNT("granted", "granted_amount"),
	AMOUNT("settled", "settled_amount"),
	AMOUNT("left", "left_amount"),
};
static const struct field_set lease_set = FIELD_SET(lease_fields);

const struct resource resource_package_lease = {
	.kind = "package_lease", .table = "core.package_lease_state",
	.key = "id", .key_type = "text", .path = "/leases",
	.owner = OWNER_BY("subscription", "subscription_id"),
	.parent = &resource_subscription,
	.parent_column = "subscription_id", .set = &lease_set,
};

#define NOTE_FIELD \
	{.name = "note", .type = FIELD_TEXT, .flags = F_NULLABLE, .min = 1, \
	 .max = 255, .form = form_is_name, \
	 .form_is = "free of control characters"}

static const struct field adjustment_fields[] = {
	{.name = "amount", .type = FIELD_MONEY, .flags = F_REQUIRED,
	 .min = -MONEY_MAX * 1000, .max = MONEY_MAX * 1000},
	{.name = "period", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .min = 0, .max = 65535},
	NOTE_FIELD,
};
static const struct field_set adjustment_set = FIELD_SET(adjustment_fields);

static const struct field release_fields[] = {
	{.name = "node", .type = FIELD_TEXT, .flags = F_REQUIRED, .min = 1,
	 .max = 63, .form = form_is_name,
	 .form_is = "free of control characters"},
	NOTE_FIELD,
};
static const struct field_set release_set = FIELD_SET(release_fields);

static const struct refusal move_refusals[] = {
	{.constraint = "package_balance_covered", .field = "amount",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "more is used, or leased to calls that are up"},
	{.constraint = "package_amount_ms", .field = "amount",
	 .kind = PROBLEM_VALIDATION, .detail = "seconds have three decimals"},
	{.constraint = "package_period", .field = "period",
	 .kind = PROBLEM_VALIDATION, .detail = "there is no such period"},
	{.constraint = NULL},
};
static const struct resource moves = {
	.kind = "package_usage", .refusals = move_refusals,
};


/* In a transaction, on a subscription that the caller sees: one row of a
   function. NULL: refused, said and undone. */
static PGresult *moved(struct request *req, const char *sql, int n,
		       const char *const *params)
{
	PGresult *result = NULL;
	json_t *row;
	int err;

	if (!change_begin(req))
		return NULL;

	row = resource_need(req, &resource_subscription, req->path_params[0],
			    true, NULL);
	if (!row) {
		change_abort(req);
		return NULL;
	}
	json_decref(row);

	err = pg_exec(req->pg, sql, n, params, &result);
	if (!err)
		return result;

	change_refused(req, &moves, NULL, err, result);
	PQclear(result);

	return NULL;
}


static void finish(struct request *req, int status, const char *kind,
		   const char *id, json_t *answer)
{
	if (!answer) {
		change_abort(req);
		return;
	}

	request_answer(req, status, answer);
	if (change_audit(req, kind, id, NULL, answer))
		(void)change_commit(req);
}


static void adjust(struct request *req, const struct record *rec)
{
	const char *params[] = {req->path_params[0],
				record_text(rec, "period"),
				record_text(rec, "amount"),
				record_text(rec, "note")};
	const char *id;
	PGresult *result;

	if (!strcmp(params[2], "0")) {
		problem_add(&req->problem, "/amount", "out_of_range", NULL,
			    "must not be zero");
		return;
	}

	result = moved(req, "SELECT core.package_adjust($1, $2, $3, $4)", 4,
		       params);
	if (!result)
		return;

	id = PQgetvalue(result, 0, 0);
	finish(req, 201, "package_usage", id,
	       resource_need(req, &resource_package_usage, id, false, NULL));
	PQclear(result);
}


static void release(struct request *req, const struct record *rec)
{
	const char *params[] = {req->path_params[0],
				record_text(rec, "node"),
				record_text(rec, "note")};
	PGresult *result;

	result = moved(req, "SELECT core.package_amount(p.kind, "
		       "core.package_release(s.id, $2, $3)), "
		       "core.package_unit(p) FROM core.subscription s "
		       "JOIN core.package p ON p.id = s.package_id "
		       "WHERE s.id = $1", 3, params);
	if (!result)
		return;

	finish(req, 200, "package_lease", params[0],
	       json_pack("{s:s, s:s, s:s, s:s, s:s?}", "subscription_id",
			 params[0], "node", params[1], "released",
			 PQgetvalue(result, 0, 0), "unit",
			 PQgetvalue(result, 0, 1), "note", params[2]));
	PQclear(result);
}


static void act(struct request *req, const struct field_set *body_set,
		void (*h)(struct request *req, const struct record *rec))
{
	struct record *rec = NULL;
	json_t *body = request_json(req);

	if (!body)
		return;

	if (record_decode(&rec, body_set, body, "", &req->problem))
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	else if (!problem_is_set(&req->problem))
		h(req, rec);

	mem_deref(rec);
	json_decref(body);
}


operation_h package_adjustment_create, package_lease_release;


void package_adjustment_create(struct request *req)
{
	act(req, &adjustment_set, adjust);
}


/* Only what is pending: the database knows which sessions are over. */
void package_lease_release(struct request *req)
{
	act(req, &release_set, release);
}
