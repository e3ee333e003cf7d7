/**
 * @file rate_deck.c  /v1/rate-decks: a list of rates in one currency with its
 * rounding.
 */
#include "form.h"
#include "pg.h"
#include "resource.h"

static const struct field origin_fields[] = {
	{.name = "origin_set_id", .type = FIELD_ID, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"ors_", NULL}},
	{.name = "rate_deck_id", .type = FIELD_ID, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"dck_", NULL}},
};
static const struct field_set origin_set = FIELD_SET(origin_fields);

static const struct field fields[] = {
	FIELD_ROW_ID("dck_"),
	FIELD_ROW_NAME,
	FIELD_ROW_CURRENCY(F_FIXED),
	{.name = "rounding.mode", .type = FIELD_CHOICE,
	 .column = "rounding_mode",
	 .choices = (const char *const[]){"up", "down", "half_up",
					  "half_even", NULL}},
	{.name = "rounding.decimals", .type = FIELD_NUMBER,
	 .column = "rounding_decimals", .min = 0, .max = 6},
	{.name = "rounding.duration", .type = FIELD_CHOICE,
	 .column = "duration_rounding",
	 .choices = (const char *const[]){"exact", "up", "down", "half_up",
					  NULL}},
	{.name = "rounding.per", .type = FIELD_CHOICE,
	 .column = "rounding_per",
	 .choices = (const char *const[]){"call", "interval", NULL}},
	FIELD_REFERENCE("terms_id", "trm_", F_NULLABLE),
	{.name = "origins", .type = FIELD_LIST,
	 .read = "(SELECT coalesce(jsonb_agg(jsonb_build_object("
		 "'origin_set_id', o.origin_set_id, 'rate_deck_id', "
		 "o.origin_deck_id) ORDER BY o.position), '[]') "
		 "FROM core.rate_deck_origin o WHERE o.deck_id = t.id)",
	 .min = 0, .max = 8, .items = &origin_set},
	FIELD_ROW_STATUS,
	{.name = "rate_version", .type = FIELD_NUMBER, .flags = F_READ_ONLY,
	 .column = "rate_version"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "rate_deck_terms_id_fkey", .field = "terms_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "there are no such rate terms"},
	{.constraint = "rate_deck_origin_origin_set_id_fkey",
	 .field = "origins", .kind = PROBLEM_VALIDATION,
	 .detail = "one of the origin sets does not exist"},
	{.constraint = "rate_deck_origin_origin_deck_id_fkey",
	 .field = "origins", .kind = PROBLEM_VALIDATION,
	 .detail = "one of the decks does not exist"},
	{.constraint = "rate_deck_origin_other", .field = "origins",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "a deck is no deck of its own origins"},
	{.constraint = "rate_deck_origin_currency", .field = "origins",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "the decks of origins have the currency of their deck"},
	{.constraint = NULL},
};


/* The origins are replaced as a whole; the first counts first */
static int settle(struct request *req, const struct record *rec,
		  const char *id, PGresult **retp)
{
	const char *params[] = {id, record_text(rec, "origins")};
	int err = pg_exec(req->pg,
			  "DELETE FROM core.rate_deck_origin "
			  "WHERE deck_id = $1",
			  1, params, NULL);

	if (err || !params[1])
		return err;

	return pg_exec(req->pg,
		       "INSERT INTO core.rate_deck_origin (deck_id, position, "
		       "origin_set_id, origin_deck_id) SELECT $1, o, "
		       "x->>'origin_set_id', x->>'rate_deck_id' FROM "
		       "jsonb_array_elements($2::jsonb) WITH ORDINALITY "
		       "AS l(x, o)",
		       2, params, retp);
}


const struct resource resource_rate_deck = {
	.kind = "rate_deck", .table = "core.rate_deck", .key = "id",
	.key_type = "text", .id_prefix = "dck_", .path = "/v1/rate-decks",
	.is_versioned = true, .set = &set, .refusals = refusals,
	.settle = settle,
};
