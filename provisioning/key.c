/**
 * @file key.c  /v1/api-keys: keys made, read, revoked and rotated. A key gives
 * no more than it has: neither scopes, nor tenants, nor a longer life.
 */
#include <openssl/crypto.h>
#include <string.h>
#include "api_key.h"
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

#define DAY_S 86400

static const struct field fields[] = {
	FIELD_ROW_ID("key_"),
	FIELD_ROW_NAME,
	FIELD_REFERENCE("tenant_id", "ten_", F_FIXED | F_NULLABLE),
	{.name = "scopes", .type = FIELD_CHOICES,
	 .flags = F_REQUIRED | F_FIXED, .column = "scopes", .min = 1,
	 .max = 7,
	 .choices = (const char *const[]){"tenant:read", "tenant:write",
					  "reseller", "platform:read",
					  "platform:write", "noc", "billing",
					  NULL}},
	{.name = "ip_acls", .type = FIELD_CIDRS, .column = "ip_acls",
	 .min = 0, .max = 32},
	{.name = "expires_at", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "expires_at"},
	{.name = "status", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "status",
	 .choices = (const char *const[]){"active", "revoked", NULL}},
	{.name = "last_used_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "last_used_at"},
	{.name = "made_by", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "made_by"},
	{.name = "secret_sha256", .type = FIELD_SECRET,
	 .flags = F_READ_ONLY, .column = "secret_sha256"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("api_key_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = NULL},
};


/* "{noc,billing}" as bits */
static unsigned scopes_of(const char *array)
{
	char list[256];

	if (!array || text_copy(list, sizeof(list), array))
		return 0;
	for (char *s = list; *s; s++) {
		if (strchr("{},", *s))
			*s = ' ';
	}
	return api_key_scopes(list + strspn(list, " "));
}


static void refuse(struct request *req, const char *pointer, const char *why)
{
	problem_set(&req->problem, PROBLEM_FORBIDDEN, "%s", why);
	problem_add(&req->problem, pointer, "forbidden", NULL, "%s", why);
}


static void check_scopes(struct request *req, unsigned wanted,
			 const char *tenant)
{
	for (unsigned bit = 1; bit && bit <= wanted; bit <<= 1) {
		if ((wanted & bit) &&
		    !scope_grants(req->caller.scopes, (enum scope)bit))
			refuse(req, "/scopes",
			       "this key may not give a scope that it has not");
	}
	if (wanted & (tenant ? SCOPES_OF_PLATFORM : SCOPES_OF_TENANTS))
		problem_add(&req->problem, "/scopes", "not_allowed", NULL,
			    "a key with tenant_id has scopes of tenants "
			    "(tenant:read, tenant:write, reseller), one "
			    "without has the others");
}


/* A key that ends makes none that lasts longer */
static int check_end(struct request *req, const char *expires_at)
{
	const char *params[] = {req->caller.key_id, expires_at};
	PGresult *result = NULL;
	int err = pg_exec(req->pg,
			  "SELECT FROM core.api_key WHERE id = $1 AND "
			  "expires_at IS NOT NULL AND ($2::timestamptz IS NULL "
			  "OR $2::timestamptz > expires_at)",
			  2, params, &result);

	if (!err && PQntuples(result))
		refuse(req, "/expires_at", "this key itself ends before that");
	PQclear(result);
	return err;
}


static int secret_make(struct request *req, struct record *rec)
{
	char hex[65], bytes[72];
	int err = api_key_secret(req->rng, req->secret, hex);

	if (err)
		return err;
	text_format(bytes, sizeof(bytes), "\\x%s", hex);
	return record_put(rec, "secret_sha256", bytes);
}


static int prepare(struct request *req, struct record *rec,
		   const json_t *before)
{
	const char *was = json_string_value(json_object_get(before,
							    "status"));
	const char *status = record_text(rec, "status");
	int err = 0;

	if (!before && !record_text(rec, "tenant_id") && request_tenant(req))
		err = record_put(rec, "tenant_id", request_tenant(req));
	if (err)
		return err;

	check_scopes(req, scopes_of(record_text(rec, "scopes")),
		     record_text(rec, "tenant_id"));
	if (was && !strcmp(was, "revoked") && status &&
	    strcmp(status, was) != 0)
		problem_add(&req->problem, "/status", "not_allowed", NULL,
			    "a revoked key stays so: make another");
	err = check_end(req, record_text(rec, "expires_at"));
	if (err || before)
		return err;
	return secret_make(req, rec);
}


static void show_key(struct request *req, const char *id)
{
	char text[API_KEY_TEXT_SIZE];

	if (req->is_dry || api_key_text(text, id, req->secret))
		(void)text_copy(text, sizeof(text), "");
	json_object_set_new(req->answer.json, "key",
			    *text ? json_string(text) : json_null());
	req->answer.once = "key";
	OPENSSL_cleanse(text, sizeof(text));
	OPENSSL_cleanse(req->secret, sizeof(req->secret));
}


static int settle(struct request *req, const struct record *rec,
		  const char *id, PGresult **retp)
{
	const char *params[] = {id, req->caller.key_id};

	(void)rec;
	return pg_exec(req->pg,
		       "UPDATE core.api_key SET made_by = $2 WHERE id = $1 "
		       "AND made_by IS NULL",
		       2, params, retp);
}


const struct resource resource_api_key = {
	.kind = "api_key", .table = "core.api_key", .key = "id",
	.key_type = "text", .id_prefix = "key_", .path = "/v1/api-keys",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals, .prepare = prepare, .settle = settle,
	.reveal = show_key,
};


/* --- rotation ----------------------------------------------------------- */

static const struct field rotate_fields[] = {
	{.name = "grace_s", .type = FIELD_NUMBER, .min = 0,
	 .max = 7 * DAY_S},
};
static const struct field_set rotate_set = FIELD_SET(rotate_fields);


/* Whoever may give these scopes may have the key */
static void check_row(struct request *req, const json_t *row)
{
	const json_t *scopes = json_object_get(row, "scopes");
	char list[256] = "";

	for (size_t i = 0; i < json_array_size(scopes); i++) {
		const size_t n = strlen(list);

		text_format(list + n, sizeof(list) - n, "%s ",
			    json_string_value(json_array_get(scopes, i)));
	}
	check_scopes(req, api_key_scopes(list),
		     json_string_value(json_object_get(row, "tenant_id")));
	if (strcmp(json_string_value(json_object_get(row, "status")),
		   "active") != 0)
		problem_add(&req->problem, "", "not_allowed", NULL,
			    "the key is revoked");
}


static int secret_change(struct request *req, const char *id,
			 const char *grace_s)
{
	char hex[65];
	const char *params[] = {id, hex, grace_s ? grace_s : "0"};
	int err = api_key_secret(req->rng, req->secret, hex);

	if (err)
		return err;
	return pg_exec(req->pg,
		       "UPDATE core.api_key SET old_sha256 = secret_sha256, "
		       "old_until = now() + $3::integer * interval '1 s', "
		       "secret_sha256 = decode($2, 'hex') WHERE id = $1",
		       3, params, NULL);
}


static void rotate(struct request *req, const char *grace_s)
{
	const char *id = req->path_params[0];
	json_t *before, *after = NULL;
	char version[24];
	int err = 0;

	if (!change_begin(req))
		return;
	before = resource_need(req, &resource_api_key, id, true, version);
	if (before)
		check_row(req, before);
	if (!problem_is_set(&req->problem))
		err = secret_change(req, id, grace_s);
	if (err)
		request_pg_failed(req, err);
	if (!problem_is_set(&req->problem))
		after = resource_need(req, &resource_api_key, id, false,
				      version);
	if (problem_is_set(&req->problem)) {
		change_abort(req);
	} else if (change_audit(req, "api_key", id, before, after)) {
		request_etag(req, version, after);
		request_answer(req, 200, json_incref(after));
		show_key(req, id);
		(void)change_commit(req);
	}
	json_decref(before);
	json_decref(after);
}


operation_h api_key_rotate;


void api_key_rotate(struct request *req)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);

	if (!body)
		return;

	if (record_decode(&rec, &rotate_set, body, "", &req->problem))
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	if (!problem_is_set(&req->problem))
		rotate(req, record_text(rec, "grace_s"));

	mem_deref(rec);
	json_decref(body);
}
