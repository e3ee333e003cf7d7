/**
 * @file rate_quote.c  POST /v1/rate-quotes: what a call of so many seconds
 * from a trunk would cost, and how it is made up.
 */
#include <string.h>
#include "form.h"
#include "pg.h"
#include "resource.h"

static const struct field fields[] = {
	{.name = "trunk_id", .type = FIELD_ID, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "calling", .type = FIELD_E164, .flags = F_NULLABLE},
	{.name = "called", .type = FIELD_E164, .flags = F_REQUIRED},
	{.name = "at", .type = FIELD_TIME},
	{.name = "duration_ms", .type = FIELD_NUMBER, .flags = F_REQUIRED,
	 .min = 0, .max = 86400000},
};
static const struct field_set set = FIELD_SET(fields);

operation_h rate_quote;


/* Words for what rating.quote() refuses with */
static const char *why_not(const char *code)
{
	static const char *const words[][2] = {
		{"no_deck", "the trunk has no rate deck"},
		{"no_rate", "the deck has no rate for this number then"},
		{"blocked", "the rate of this number is blocked"},
		{"no_exchange_rate", "there is no exchange rate then from the "
				     "deck's currency to the account's"},
		{"by_cost", "the trunk's rate_policy takes a carrier's cost: a "
			    "route test says the price"},
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(code, words[i][0]))
			return words[i][1];
	}

	return code;
}


static void quote(struct request *req, const struct record *rec)
{
	const char *calling = record_text(rec, "calling");
	const char *params[] = {
		record_text(rec, "trunk_id"), calling ? calling + 1 : "",
		record_text(rec, "called") + 1, record_text(rec, "at"),
		record_text(rec, "duration_ms"),
	};
	PGresult *result = NULL;
	json_t *answer = NULL;
	const char *refused;
	int err = pg_exec(req->pg,
			  "SELECT rating.quote($1, $2, $3, coalesce("
			  "$4::timestamptz, now()), $5::bigint)",
			  5, params, &result);

	if (!err)
		answer = json_loads(PQgetvalue(result, 0, 0), 0, NULL);
	refused = json_string_value(json_object_get(answer, "refused"));
	if (err)
		request_pg_failed(req, err);
	else if (!answer)
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	else if (refused)
		problem_add(&req->problem, "/called", refused, NULL, "%s",
			    why_not(refused));
	else
		request_answer(req, 200, json_incref(answer));

	json_decref(answer);
	PQclear(result);
}


void rate_quote(struct request *req)
{
	struct record *rec = NULL;
	json_t *body = request_json(req), *trunk;

	if (!body)
		return;

	if (record_decode(&rec, &set, body, "", &req->problem)) {
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	}
	else if (!problem_is_set(&req->problem)) {
		trunk = resource_need(req, &resource_trunk,
				      record_text(rec, "trunk_id"), false,
				      NULL);
		if (trunk)
			quote(req, rec);
		json_decref(trunk);
	}

	mem_deref(rec);
	json_decref(body);
}
