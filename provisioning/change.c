/**
 * @file change.c  A write: row, audit and change feed in one transaction.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "idempotency.h"
#include "metric.h"
#include "pg.h"
#include "text.h"


bool change_begin(struct request *req)
{
	const int err = pg_exec(req->pg, "BEGIN", 0, NULL, NULL);

	if (err) {
		request_pg_failed(req, err);
		return false;
	}
	if (!idempotency_begin(req)) {
		change_abort(req);
		return false;
	}
	return true;
}


void change_abort(struct request *req)
{
	(void)pg_exec(req->pg, "ROLLBACK", 0, NULL, NULL);
}


static char *dump(const json_t *json)
{
	return json ? json_dumps(json, JSON_COMPACT) : NULL;
}


bool change_audit(struct request *req, const char *kind, const char *id,
		  const json_t *before, const json_t *after)
{
	char *texts[2] = {dump(before), dump(after)};
	const char *params[] = {
		req->caller.key_id, *req->ip ? req->ip : NULL, req->id,
		req->op->method,    req->path, kind, id, texts[0], texts[1]};
	int err = pg_exec(req->pg,
			  "INSERT INTO core.audit (key_id, ip, request_id, "
			  "method, path, kind, object_id, before, after) "
			  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
			  9, params, NULL);

	free(texts[0]);
	free(texts[1]);
	if (err) {
		request_pg_failed(req, err);
		change_abort(req);
	}
	return !err;
}


/* The deferred triggers run now, and the version they took is read */
static int version_read(struct request *req)
{
	PGresult *res = NULL;
	int err = pg_exec(req->pg, "SET CONSTRAINTS ALL IMMEDIATE", 0, NULL,
			  NULL);

	if (!err)
		err = pg_exec(req->pg, "SELECT version FROM core.state", 0,
			      NULL, &res);
	if (!err && PQntuples(res) == 1)
		req->answer.version =
			strtoull(PQgetvalue(res, 0, 0), NULL, 10);
	PQclear(res);

	return err;
}


/* What the answer names was never there */
static void dry_end(struct request *req)
{
	change_abort(req);
	req->answer.version = 0;
	*req->answer.etag = *req->answer.location = '\0';
}


bool change_commit(struct request *req)
{
	int err = idempotency_end(req);

	if (!err)
		err = version_read(req);
	if (err) {
		request_pg_failed(req, err);
		change_abort(req);
		return false;
	}

	if (req->is_dry) {
		dry_end(req);
		return true;
	}
	err = pg_exec(req->pg, "COMMIT", 0, NULL, NULL);
	if (err == ECONNRESET)
		problem_set(&req->problem, PROBLEM_DATABASE,
			    "the connection broke during COMMIT: GET tells "
			    "whether the change was made");
	if (err)
		request_pg_failed(req, err);
	return !err;
}


static const struct refusal *refusal_find(const struct resource *res,
					  const char *constraint)
{
	const struct refusal *r = res->refusals;

	while (r && r->constraint && strcmp(r->constraint, constraint) != 0)
		++r;
	return r && r->constraint ? r : NULL;
}


/* Which row has the value already; another tenant's is not named */
static void clash_name(struct request *req, const struct refusal *refusal,
		       const struct record *rec, char *buf, size_t size)
{
	const char *params[2];
	PGresult *result = NULL;

	if (!refusal->clash_sql || !rec || request_tenant(req))
		return;

	for (size_t i = 0; i < 2; i++)
		params[i] = refusal->clash_fields[i]
				    ? record_text(rec,
						  refusal->clash_fields[i])
				    : NULL;
	if (!pg_exec(req->pg, refusal->clash_sql,
		     refusal->clash_fields[1] ? 2 : 1, params, &result) &&
	    PQntuples(result) == 1)
		text_format(buf, size, ": %s", PQgetvalue(result, 0, 0));
	PQclear(result);
}


static void refuse(struct request *req, const struct refusal *refusal,
		   const struct record *rec)
{
	const char *text = refusal->field && rec
				   ? record_text(rec, refusal->field)
				   : NULL;
	json_t *value = text ? json_string(text) : NULL;
	char pointer[96] = "", who[512] = "";

	if (refusal->field)
		field_pointer(pointer, sizeof(pointer), "", refusal->field);
	if (refusal->kind == PROBLEM_CONFLICT) {
		clash_name(req, refusal, rec, who, sizeof(who));
		problem_set(&req->problem, PROBLEM_CONFLICT, "%s%s",
			    refusal->detail, who);
	}
	problem_add(&req->problem, pointer,
		    refusal->kind == PROBLEM_CONFLICT ? "taken"
						      : "not_allowed",
		    value, "%s%s", refusal->detail, who);
	json_decref(value);
}


/* A constraint without a row in the resource's table of refusals */
static void refuse_generic(struct request *req, const char *state,
			   const char *constraint)
{
	if (!strcmp(state, "23505"))
		problem_set(&req->problem, PROBLEM_CONFLICT,
			    "another row has this value (%s)", constraint);
	else
		problem_set(&req->problem, PROBLEM_VALIDATION,
			    "the database refuses it (%s)", constraint);
}


static const char *diag(const PGresult *result, int field)
{
	const char *text = result ? PQresultErrorField(result, field) : NULL;

	return text ? text : "";
}


void change_refused(struct request *req, const struct resource *res,
		    const struct record *rec, int err, const PGresult *result)
{
	const struct refusal *refusal;
	char state[8], constraint[64], table[64];

	text_copy(state, sizeof(state), pg_sqlstate(req->pg));
	text_copy(constraint, sizeof(constraint),
		  diag(result, PG_DIAG_CONSTRAINT_NAME));
	text_copy(table, sizeof(table), diag(result, PG_DIAG_TABLE_NAME));
	if (err == EPROTO && !strncmp(state, "22", 2)) {
		change_abort(req);
		problem_set(&req->problem, PROBLEM_VALIDATION,
			    "a value or a sum is out of range");
		return;
	}
	if (err != EPROTO || strncmp(state, "23", 2) != 0) {
		request_pg_failed(req, err);
		change_abort(req);
		return;
	}

	change_abort(req);
	refusal = refusal_find(res, constraint);
	if (!strcmp(req->op->method, "DELETE")) {
		/* a reference of the row itself is told in other words */
		if (refusal && refusal->kind == PROBLEM_CONFLICT)
			problem_set(&req->problem, PROBLEM_IN_USE, "%s",
				    refusal->detail);
		else
			problem_set(&req->problem, PROBLEM_IN_USE,
				    "rows of %s still refer to it", table);
		return;
	}
	metric_add(metric_counter("strowger_api_constraint_total", NULL,
				  "writes refused by a constraint"), 1);
	if (refusal)
		refuse(req, refusal, rec);
	else
		refuse_generic(req, state, constraint);
}
