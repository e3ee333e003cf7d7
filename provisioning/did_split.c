/**
 * @file did_split.c  POST /v1/dids/{id}/split: a part of a range gets another
 * owner, and what remains keeps its own.
 */
#include "change.h"
#include "id.h"
#include "moment.h"
#include "pg.h"
#include "resource.h"

static const struct field fields[] = {
	{.name = "first", .type = FIELD_E164, .flags = F_REQUIRED},
	{.name = "last", .type = FIELD_E164, .flags = F_REQUIRED},
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED),
	FIELD_REFERENCE("trunk_id", "trk_", F_REQUIRED),
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "did_split_inside", .field = "first",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "first to last is no part of the row's numbers"},
	REFUSAL_NO_ROW("did_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = "did_trunk_id_tenant_id_fkey", .field = "trunk_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	{.constraint = "did_site", .field = "trunk_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "the numbers' site is one of another trunk"},
	{.constraint = NULL},
};

/* What a body of this operation is refused for: it has fields of its own */
static const struct resource resource_did_part = {
	.kind = "did", .set = &set, .refusals = refusals,
};

operation_h did_split;


/* The part and its rest, should there be one, get these ids */
static int run(struct request *req, const struct record *rec,
	       PGresult **retp)
{
	char part[ID_TEXT_SIZE], rest[ID_TEXT_SIZE];
	const char *params[] = {req->path_params[0],
				record_text(rec, "first"),
				record_text(rec, "last"),
				record_text(rec, "tenant_id"),
				record_text(rec, "trunk_id"), part, rest};
	struct moment now;

	moment_read(&now);
	id_make(part, "did_", req->rng, moment_wall_ms(&now));
	id_make(rest, "did_", req->rng, moment_wall_ms(&now));

	return pg_exec(req->pg,
		       "SELECT core.did_split($1, $2, $3, $4, $5, "
		       "ARRAY[$6, $7]::text[])", 7, params, retp);
}


static void split(struct request *req, const struct record *rec)
{
	const char *id = req->path_params[0];
	PGresult *result = NULL;
	json_t *before = NULL, *after;
	int err;

	if (!change_begin(req))
		return;

	before = resource_need(req, &resource_did, id, true, NULL);
	if (!before) {
		change_abort(req);
		return;
	}

	err = run(req, rec, &result);
	if (err) {
		change_refused(req, &resource_did_part, rec, err, result);
		goto out;
	}

	after = resource_need(req, &resource_did, PQgetvalue(result, 0, 0),
			      false, NULL);
	if (!after) {
		change_abort(req);
		goto out;
	}
	request_answer(req, 200, after);
	if (change_audit(req, "did", id, before, after))
		(void)change_commit(req);

 out:
	json_decref(before);
	PQclear(result);
}


void did_split(struct request *req)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);

	if (!body)
		return;

	if (record_decode(&rec, &set, body, "", &req->problem))
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	else if (!problem_is_set(&req->problem))
		split(req, rec);

	mem_deref(rec);
	json_decref(body);
}
