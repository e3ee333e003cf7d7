/**
 * @file trunk_credential.c  /v1/trunks/{id}/credentials: user names and
 * passwords of a trunk. Only hashes are stored; a password is never sent.
 */
#include <errno.h>
#include <string.h>
#include "form.h"
#include "ha1.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

static const struct field fields[] = {
	FIELD_ROW_ID("cre_"),
	{.name = "trunk_id", .type = FIELD_ID, .flags = F_READ_ONLY,
	 .column = "trunk_id",
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "username", .type = FIELD_TEXT, .flags = F_REQUIRED,
	 .column = "username", .min = 1, .max = 63,
	 .form = form_is_username,
	 .form_is = "free of colons, quotes and control characters"},
	{.name = "realm", .type = FIELD_TEXT, .flags = F_FIXED,
	 .column = "realm", .min = 1, .max = 63, .form = form_is_realm,
	 .form_is = "a realm"},
	{.name = "password", .type = FIELD_SECRET, .min = 1,
	 .max = PASSWORD_MAX, .form = form_is_name,
	 .form_is = "free of control characters"},
	HA1_FIELDS,
	FIELD_REFERENCE("site_id", "sit_", F_NULLABLE),
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "trunk_credential_realm_username_key",
	 .field = "username", .kind = PROBLEM_CONFLICT,
	 .detail = "this user name is taken in the realm",
	 .clash_sql = "SELECT trunk_id || '/credentials/' || id FROM "
		      "core.trunk_credential WHERE realm = $1 AND "
		      "username = $2",
	 .clash_fields = {"realm", "username"}},
	{.constraint = "trunk_credential_trunk_id_realm_fkey",
	 .field = "realm", .kind = PROBLEM_VALIDATION,
	 .detail = "is not the realm of the trunk"},
	{.constraint = "trunk_credential_site", .field = "site_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this trunk has no such site"},
	{.constraint = NULL},
};


/* The realm of the trunk, and what it offers */
static int realm_read(struct request *req, char realm[64],
		      char algorithms[64])
{
	const char *trunk = req->path_params[0];
	PGresult *result = NULL;
	int err = pg_exec(req->pg,
			  "SELECT r.name, array_to_string(r.algorithms, ' ') "
			  "FROM core.trunk t JOIN core.realm r "
			  "ON r.name = t.realm WHERE t.id = $1",
			  1, &trunk, &result);

	if (!err && PQntuples(result) != 1)
		problem_add(&req->problem, "/realm", "required", NULL,
			    "the trunk has no realm: PATCH the trunk first");
	else if (!err)
		err = text_copy(realm, 64, PQgetvalue(result, 0, 0)) ||
				      text_copy(algorithms, 64,
						PQgetvalue(result, 0, 1))
			      ? EOVERFLOW
			      : 0;
	PQclear(result);
	return err;
}


/* A hash depends on the user name, so that a new name needs the password */
static bool password_is_missing(const struct record *rec,
				const json_t *before)
{
	const char *name = record_text(rec, "username");
	const char *old = json_string_value(json_object_get(before,
							    "username"));

	return !record_text(rec, "password") &&
	       (!old || strcmp(old, name) != 0);
}


static int prepare(struct request *req, struct record *rec,
		   const json_t *before)
{
	char realm[64], algorithms[64];
	int err;

	if (password_is_missing(rec, before))
		problem_add(&req->problem, "/password", "required", NULL,
			    "is needed with a new user name");
	if (problem_is_set(&req->problem) || !record_text(rec, "password"))
		return 0;

	err = realm_read(req, realm, algorithms);
	if (err || problem_is_set(&req->problem))
		return err;
	if (!record_text(rec, "realm"))
		err = record_put(rec, "realm", realm);
	if (err)
		return err;

	return ha1_put(rec, record_text(rec, "username"),
		       record_text(rec, "realm"),
		       record_text(rec, "password"), algorithms);
}


const struct resource resource_credential = {
	.kind = "credential", .table = "core.trunk_credential", .key = "id",
	.key_type = "text", .id_prefix = "cre_", .path = "/credentials",
	.owner = OWNER_BY("trunk", "trunk_id"),
	.is_versioned = true, .parent = &resource_trunk,
	.parent_column = "trunk_id", .set = &set, .refusals = refusals,
	.prepare = prepare,
};
