/**
 * @file rate.c  /v1/rate-decks/{id}/rates: fields, list, delete.
 */
#include "change.h"
#include "form.h"
#include "pg.h"
#include "rate.h"
#include "resource.h"
#include "text.h"

#define RATE_MAX INT64_C(1000000000000000) /* a million a minute */
#define FEE_MAX INT64_C(1000000000000)
#define DAY_MS 86400000

static const struct field fields[] = {
	{.name = "prefix", .type = FIELD_TEXT,
	 .flags = F_REQUIRED | F_FILTER | F_BEGINS,
	 .column = "prefix", .min = 1, .max = 15, .form = form_is_rate_prefix,
	 .form_is = "1 to 15 digits without '+'"},
	{.name = "destination", .type = FIELD_TEXT, .column = "destination",
	 .min = 0, .max = 47, .form = form_is_name,
	 .form_is = "free of control characters"},
	{.name = "rate_per_min", .type = FIELD_RATE, .flags = F_REQUIRED,
	 .column = "rate_per_min_nano", .min = 0, .max = RATE_MAX},
	{.name = "connect_fee", .type = FIELD_MONEY,
	 .column = "connect_fee_micro", .min = 0, .max = FEE_MAX},
	{.name = "initial_ms", .type = FIELD_NUMBER, .column = "first_ms",
	 .min = 1, .max = DAY_MS},
	{.name = "increment_ms", .type = FIELD_NUMBER, .column = "next_ms",
	 .min = 1, .max = DAY_MS},
	{.name = "effective_from", .type = FIELD_TIME,
	 .column = "effective_from"},
	{.name = "effective_to", .type = FIELD_TIME, .flags = F_NULLABLE,
	 .column = "effective_to"},
	{.name = "blocked", .type = FIELD_FLAG, .column = "is_blocked"},
	FIELD_REFERENCE("terms_id", "trm_", F_NULLABLE),
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "rate_no_overlap", .kind = PROBLEM_CONFLICT,
	 .detail = "two rates of one prefix overlap in time"},
	{.constraint = "rate_span", .kind = PROBLEM_VALIDATION,
	 .detail = "effective_to must be after effective_from"},
	{.constraint = "rate_terms_id_fkey", .kind = PROBLEM_VALIDATION,
	 .detail = "there are no such rate terms"},
	{.constraint = "rate_destination_check", .kind = PROBLEM_VALIDATION,
	 .detail = "destination must not exceed 47 bytes"},
	{.constraint = NULL},
};

const struct resource resource_rate = {
	.kind = "rate", .table = "core.rate", .key = "prefix",
	.key_type = "text", .key2 = "effective_from",
	.key2_type = "timestamptz", .path = "/rates", .parent = &resource_rate_deck,
	.parent_column = "deck_id", .set = &set, .refusals = refusals,
};


/* --- the version of all rates of a deck --------------------------------- */

/* false: a problem is set; not_found, too */
static bool version_read(struct request *req, bool for_update,
			 char version[24])
{
	const char *deck = req->path_params[0];
	PGresult *result = NULL;
	const int err = pg_exec(
		req->pg,
		for_update ? "SELECT rate_version FROM core.rate_deck "
			     "WHERE id = $1 FOR UPDATE"
			   : "SELECT rate_version FROM core.rate_deck "
			     "WHERE id = $1",
		1, &deck, &result);

	if (err)
		request_pg_failed(req, err);
	else if (PQntuples(result) != 1)
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no rate_deck %s", deck);
	else
		text_copy(version, 24, PQgetvalue(result, 0, 0));
	PQclear(result);
	return !problem_is_set(&req->problem);
}


bool rates_lock(struct request *req)
{
	char version[24] = "";

	if (version_read(req, true, version) &&
	    !etag_matches(req->if_match, version))
		problem_set(&req->problem, PROBLEM_PRECONDITION,
			    "the rates are at version \"%s\"", version);
	if (problem_is_set(&req->problem))
		change_abort(req);
	return !problem_is_set(&req->problem);
}


operation_h rate_list, rate_delete;


/* The version is read first: rates that move between are newer than it says,
   and a change by this tag is refused */
void rate_list(struct request *req)
{
	char version[24] = "";

	if (!version_read(req, false, version))
		return;
	resource_list(req);
	if (!problem_is_set(&req->problem))
		request_etag(req, version, req->answer.json);
}


/* --- delete ------------------------------------------------------------ */

/* All rates of exactly this prefix */
void rate_delete(struct request *req)
{
	const char *params[] = {req->path_params[0], req->path_params[1]};
	PGresult *result = NULL;
	json_t *before = NULL;
	int err;

	if (!resource_parent_is_seen(req, &resource_rate) ||
	    !change_begin(req) || !rates_lock(req))
		return;

	err = pg_exec(req->pg,
		      "WITH gone AS (DELETE FROM core.rate WHERE deck_id = $1 "
		      "AND prefix = $2 RETURNING *) SELECT count(*), "
		      "coalesce(jsonb_agg(to_jsonb(gone) - 'deck_id'), '[]') "
		      "FROM gone",
		      2, params, &result);
	if (err) {
		change_refused(req, &resource_rate, NULL, err, result);
		goto out;
	}
	if (*PQgetvalue(result, 0, 0) == '0') {
		change_abort(req);
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "the deck has no rate for prefix %s", params[1]);
		goto out;
	}

	before = json_loads(PQgetvalue(result, 0, 1), 0, NULL);
	if (change_audit(req, "rate", params[0], before, NULL) &&
	    change_commit(req))
		request_answer(req, 204, NULL);

 out:
	json_decref(before);
	PQclear(result);
}
