/**
 * @file rate.c  /v1/rate-decks/{id}/rates: fields, list, delete.
 */
#include "change.h"
#include "cursor.h"
#include "form.h"
#include "pg.h"
#include "query.h"
#include "resource.h"

#define RATE_MAX INT64_C(1000000000000000) /* a million a minute */
#define FEE_MAX INT64_C(1000000000000)
#define DAY_MS 86400000

static const struct field fields[] = {
	{.name = "prefix", .type = FIELD_TEXT, .flags = F_REQUIRED,
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
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "rate_no_overlap", .kind = PROBLEM_CONFLICT,
	 .detail = "two rates of one prefix overlap in time"},
	{.constraint = "rate_span", .kind = PROBLEM_VALIDATION,
	 .detail = "effective_to must be after effective_from"},
	{.constraint = "rate_destination_check", .kind = PROBLEM_VALIDATION,
	 .detail = "destination must not exceed 47 bytes"},
	{.constraint = NULL},
};

/* Not for the generic verbs: its key has two columns */
const struct resource resource_rate = {
	.kind = "rate", .table = "core.rate", .key = "prefix",
	.key_type = "text", .path = "/rates", .parent = &resource_rate_deck,
	.parent_column = "deck_id", .set = &set, .refusals = refusals,
};


/* --- list -------------------------------------------------------------- */

static const char *key_of(const json_t *row, size_t i, const void *arg)
{
	static const char *const keys[] = {"prefix", "effective_from"};
	const char *text = json_string_value(json_object_get(row, keys[i]));

	(void)arg;
	return text ? text : "";
}


static void list_query(struct query *q, const struct request *req,
		       const struct cursor *cursor, int limit)
{
	const char *prefix = request_query(req, "prefix");

	query_text(q, "SELECT NULL, ");
	if (!q->err)
		q->err = field_select(q->mb, &set);
	query_text(q, " FROM core.rate t WHERE t.deck_id = ");
	query_param(q, req->path_params[0]);
	if (prefix) {
		query_text(q, " AND starts_with(t.prefix, ");
		query_param(q, prefix);
		query_text(q, ")");
	}
	if (cursor->n) {
		query_text(q, " AND (t.prefix, t.effective_from) > (");
		query_param(q, cursor->keys[0]);
		query_text(q, ", ");
		query_param(q, cursor->keys[1]);
		query_text(q, "::timestamptz)");
	}
	query_text(q, " ORDER BY t.prefix, t.effective_from LIMIT %d",
		   limit + 1);
}


operation_h rate_list, rate_delete;


void rate_list(struct request *req)
{
	const int limit = request_limit(req);
	const char *text = request_query(req, "cursor");
	struct cursor cursor = {.n = 0};
	PGresult *result = NULL;
	json_t *rows;
	struct query q;
	int err;

	if (text && cursor_decode(&cursor, text, req->op->id, 2))
		problem_set(&req->problem, PROBLEM_BAD_CURSOR, "%s", "");
	if (problem_is_set(&req->problem) ||
	    !resource_parent_is_seen(req, &resource_rate))
		return;

	query_init(&q);
	list_query(&q, req, &cursor, limit);
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err) {
		request_pg_failed(req, err);
		PQclear(result);
		return;
	}

	rows = json_array();
	for (int i = 0; i < PQntuples(result); i++)
		json_array_append_new(rows, row_encode(&set, result, i, 1));
	PQclear(result);
	page_answer(req, rows, (size_t)limit, key_of, 2, NULL);
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
	    !change_begin(req))
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
