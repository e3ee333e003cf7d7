/**
 * @file idempotency.c  A repeated POST is done once.
 */
#include "json.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "idempotency.h"
#include "pg.h"
#include "request.h"
#include "text.h"

/* What is older than a day is forgotten by whoever comes next */
static const char forget_sql[] =
	"DELETE FROM core.idempotency WHERE key_id = $1 AND "
	"created_at < now() - interval '24 hours'";

static const char claim_sql[] =
	"INSERT INTO core.idempotency (key_id, idempotency_key, "
	"request_sha256) VALUES ($1, $2, decode($3, 'hex')) "
	"ON CONFLICT DO NOTHING RETURNING 1";

/* Held until the transaction of the first request ends */
static const char lock_sql[] =
	"SELECT pg_try_advisory_xact_lock(hashtextextended("
	"'core.idempotency ' || $1 || ' ' || $2, 0))";

static const char stored_sql[] =
	"SELECT status, body, encode(request_sha256, 'hex'), location, etag "
	"FROM core.idempotency WHERE key_id = $1 AND idempotency_key = $2";

static const char end_sql[] =
	"UPDATE core.idempotency SET status = $3, body = $4, "
	"location = $5, etag = $6 WHERE key_id = $1 AND idempotency_key = $2";


static bool is_wanted(const struct request *req)
{
	return req->idempotency_key && !req->is_dry &&
	       !strcmp(req->op->method, "POST");
}


/* Of method, path and body: the same key with another request is a mistake */
static int fingerprint(const struct request *req, char hex[65])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t md[32];
	int ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		 EVP_DigestUpdate(ctx, req->op->id, strlen(req->op->id)) &&
		 EVP_DigestUpdate(ctx, req->path, strlen(req->path) + 1) &&
		 EVP_DigestUpdate(ctx, req->body, req->body_len) &&
		 EVP_DigestFinal_ex(ctx, md, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	if (ok)
		text_hex(hex, md, sizeof(md));
	return ok ? 0 : ENOMEM;
}


static void replay(struct request *req, const PGresult *stored,
		   const char *hex)
{
	if (strcmp(PQgetvalue(stored, 0, 2), hex) != 0) {
		problem_set(&req->problem, PROBLEM_VALIDATION,
			    "this Idempotency-Key was used for another "
			    "request");
		return;
	}
	request_answer(req, (int)strtol(PQgetvalue(stored, 0, 0), NULL, 10),
		       json_loads(PQgetvalue(stored, 0, 1), 0, NULL));
	text_copy(req->answer.location, sizeof(req->answer.location),
		  PQgetvalue(stored, 0, 3));
	text_copy(req->answer.etag, sizeof(req->answer.etag),
		  PQgetvalue(stored, 0, 4));
	req->answer.is_replayed = true;
}


/* A problem is set when the first request is still at work. As pg_exec() */
static int lock(struct request *req, const char *const params[2])
{
	PGresult *result = NULL;
	int err = pg_exec(req->pg, lock_sql, 2, params, &result);

	if (!err && *PQgetvalue(result, 0, 0) != 't')
		problem_set(&req->problem, PROBLEM_IN_FLIGHT, "%s", "");
	PQclear(result);
	return err;
}


bool idempotency_begin(struct request *req)
{
	char hex[65];
	const char *params[] = {req->caller.key_id, req->idempotency_key,
				hex};
	PGresult *claimed = NULL, *stored = NULL;
	bool go_on = false;
	int err;

	if (!is_wanted(req))
		return true;

	err = fingerprint(req, hex);
	if (!err)
		err = lock(req, params);
	if (problem_is_set(&req->problem))
		return false;
	if (!err)
		err = pg_exec(req->pg, forget_sql, 1, params, NULL);
	if (!err)
		err = pg_exec(req->pg, claim_sql, 3, params, &claimed);
	if (!err && PQntuples(claimed) == 1)
		go_on = true;
	else if (!err)
		err = pg_exec(req->pg, stored_sql, 2, params, &stored);

	if (err)
		request_pg_failed(req, err);
	else if (!go_on && PQntuples(stored) == 1)
		replay(req, stored, hex);
	else if (!go_on)
		problem_set(&req->problem, PROBLEM_BUSY, "repeat it");

	PQclear(claimed);
	PQclear(stored);
	return go_on && !err;
}


int idempotency_end(struct request *req)
{
	char status[8], *body;
	const char *params[] = {req->caller.key_id, req->idempotency_key,
				status, NULL, req->answer.location,
				req->answer.etag};
	json_t *kept;
	int err;

	if (!is_wanted(req))
		return 0;

	kept = json_copy(req->answer.json);
	if (req->answer.once)
		json_object_set_new(kept, req->answer.once, json_null());
	body = kept ? json_dumps(kept, JSON_COMPACT) : NULL;
	json_decref(kept);
	if (!body)
		return ENOMEM;

	text_format(status, sizeof(status), "%d", req->answer.status);
	params[3] = body;
	err = pg_exec(req->pg, end_sql, 6, params, NULL);
	free(body);
	return err;
}
