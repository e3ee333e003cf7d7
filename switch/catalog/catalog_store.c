/**
 * @file catalog_store.c  The newest rows by kind and id.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "catalog_store_data.h"
#include "log.h"
#include "metric.h"
#include "text.h"

#define BUCKETS 1024

struct row_key {
	enum row_kind kind;
	const char *id;
};


static bool row_equal(const void *data, const void *key)
{
	const struct row *row = data;
	const struct row_key *k = key;

	return row->kind == k->kind && !strcmp(row->id, k->id);
}


static uint64_t row_hash(const struct catalog_store *s, enum row_kind kind,
			 const char *id)
{
	const uint8_t k = (uint8_t)kind;

	return htab_mix(s->rows, htab_hash(s->rows, &k, 1), id, strlen(id));
}


struct row *catalog_store_find(const struct catalog_store *s,
			       enum row_kind kind, const char *id)
{
	const struct row_key key = {kind, id};

	return htab_find(s->rows, row_hash(s, kind, id), row_equal, &key);
}


static void row_destructor(void *arg)
{
	struct row *row = arg;

	mem_deref(row->builder);
	deck_unref(row->deck);
	free(row->body);
	free(row->json);
}


static int row_alloc(struct row **rp, enum row_kind kind, const char *id)
{
	struct row *row = mem_zalloc(sizeof(*row), row_destructor);

	if (!row)
		return ENOMEM;

	row->kind = kind;
	(void)text_copy(row->id, sizeof(row->id), id);
	*rp = row;

	return 0;
}


static void row_remove(struct catalog_store *s, struct row *row)
{
	if (!row)
		return;

	htab_remove(s->rows, &row->node);
	--s->counts[row->kind];
	mem_deref(row);
}


static bool row_remove_each(void *data, void *arg)
{
	row_remove(arg, data);

	return false;
}


void catalog_store_clear(struct catalog_store *s)
{
	(void)htab_each(s->rows, row_remove_each, s);
	s->version = 0;
	s->feed[0] = '\0';
}


static void store_destructor(void *arg)
{
	struct catalog_store *s = arg;

	if (s->rows)
		catalog_store_clear(s);
	free(s->spend_starts);
	mem_deref(s->rows);
}


int catalog_store_alloc(struct catalog_store **sp)
{
	/* ids are made by the operator's API: nobody outside can aim them */
	static const uint8_t key[16];
	struct catalog_store *s;
	int err;

	if (!sp)
		return EINVAL;

	s = mem_zalloc(sizeof(*s), store_destructor);
	if (!s)
		return ENOMEM;

	err = htab_alloc(&s->rows, BUCKETS, key);
	if (err)
		mem_deref(s);
	else
		*sp = s;
	return err;
}


void catalog_row_skipped(const char *kind, const char *id, const char *why)
{
	char shown[64], reason[128];

	log_event(LOG_WARN, "catalog", "row_skipped", "kind=%s id=%s why=%s "
		  "fix=\"change the row through the API\"",
		  kind, log_text(shown, sizeof(shown), id, strlen(id)),
		  log_text(reason, sizeof(reason), why, strlen(why)));
	metric_add(metric_counter("strowger_catalog_rows_skipped_total", NULL,
				  "provisioned rows that could not be used"),
		   1);
}


/* --- decks */

static bool deck_is_same(const struct deck_row *a, const struct deck_row *b)
{
	return a->rate_version >= 0 && a->rate_version == b->rate_version &&
	       a->rounding.mode == b->rounding.mode &&
	       a->rounding.decimals == b->rounding.decimals &&
	       a->rounding.duration == b->rounding.duration &&
	       a->rounding.is_per_interval == b->rounding.is_per_interval &&
	       !strcmp(a->currency, b->currency);
}


bool catalog_store_wants_rates(const struct catalog_store *s, const char *id,
			       const struct json_t *json)
{
	const struct row *row = catalog_store_find(s, ROW_RATE_DECK, id);
	struct row_body *body;
	char why[64];
	bool is_same;

	if (!row || row_decode(&body, ROW_RATE_DECK, id, json, why,
			       sizeof(why)))
		return true;

	is_same = deck_is_same(&row->body->deck, &body->deck);
	free(body);

	return !is_same;
}


/** Begin to collect the rates of a deck. */
static int deck_begin(struct row *row, const struct row_body *body,
		      uint64_t version)
{
	struct deck_builder *builder;
	int err;

	err = deck_builder_alloc(&builder, row->id, version,
				 body->deck.currency, body->deck.rounding);
	if (err)
		return err;

	mem_deref(row->builder);
	row->builder = builder;
	deck_unref(row->deck);
	row->deck = NULL;

	return 0;
}


static int rate_again(const struct rate *rate, void *arg)
{
	return deck_builder_add(arg, rate);
}


/** A built deck takes one more rate: collect again what it has. */
static int deck_reopen(struct row *row)
{
	struct deck *deck = deck_ref(row->deck);
	int err;

	err = deck_begin(row, row->body, row->version);
	if (!err)
		err = deck_each(deck, rate_again, row->builder);

	deck_unref(deck);

	return err;
}


int catalog_store_put_rate(struct catalog_store *s, const char *deck_id,
			   const struct rate *rate)
{
	struct row *row = catalog_store_find(s, ROW_RATE_DECK, deck_id);
	int err = 0;

	if (!row)
		return ENOENT;

	if (!row->builder)
		err = row->deck ? deck_reopen(row)
				: deck_begin(row, row->body, row->version);

	return err ? err : deck_builder_add(row->builder, rate);
}


/** A deck with a fault is none until its rates change; one there was no
 *  memory for is built the next time. */
static bool deck_build_each(void *data, void *arg)
{
	struct row *row = data;
	int *err = arg;

	if (!row->builder)
		return false;

	*err = deck_build(&row->deck, row->builder);
	if (*err == ENOMEM)
		return true;

	if (*err)
		catalog_row_skipped("rate_deck", row->id,
				    *err == EEXIST ? "rates overlap in time"
						   : strerror(*err));
	row->builder = mem_deref(row->builder);
	*err = 0;

	return false;
}


int catalog_store_build_decks(struct catalog_store *s)
{
	int err = 0;

	(void)htab_each(s->rows, deck_build_each, &err);

	return err;
}


/* --- what was spent before we counted */

static int spend_compare(const void *key, const void *start)
{
	return strcmp(key, ((const struct spend_start *)start)->key);
}


static struct spend_start *spend_find(const struct catalog_store *s,
				      const char *id, enum spend_period period)
{
	char key[SPEND_KEY_SIZE];

	spend_key(key, id, period);

	return s->spend_start_n
		       ? bsearch(key, s->spend_starts, s->spend_start_n,
				 sizeof(*s->spend_starts), spend_compare)
		       : NULL;
}


/* Without a limit nobody counts: what was read is no longer true when there is
   one again. */
static void spend_forget(struct catalog_store *s, struct spend_start *start)
{
	const struct spend_start *end = &s->spend_starts[s->spend_start_n];

	memmove(start, start + 1,
		(size_t)(end - start - 1) * sizeof(*start));
	s->spend_start_n--;
}


static void spends_look(struct catalog_store *s, const char *id,
			const struct spend_policy *policies)
{
	for (enum spend_period p = 0; p < SPEND_PERIOD_N; p++) {
		struct spend_start *start = spend_find(s, id, p);
		const bool has_limit = policies[p].limit_micro >= 0;

		if (has_limit && !start)
			s->lacks_spent = true;
		if (!has_limit && start)
			spend_forget(s, start);
	}
}


bool catalog_store_lacks_spent(const struct catalog_store *s)
{
	return s->lacks_spent;
}


/* --- rows */

/** The row takes what was decoded; on failure it is as it was. */
static int row_set(struct row *row, struct row_body *body, char *json,
		   uint64_t version)
{
	int err = 0;

	if (row->kind == ROW_RATE_DECK &&
	    (!row->body || !deck_is_same(&row->body->deck, &body->deck)))
		err = deck_begin(row, body, version);
	if (err)
		return err;

	free(row->body);
	free(row->json);
	row->body = body;
	row->json = json;
	row->version = version;

	return 0;
}


static int row_put(struct catalog_store *s, enum row_kind kind,
		   const char *id, uint64_t version, struct row_body *body,
		   char *json)
{
	struct row *row = catalog_store_find(s, kind, id);
	struct row *added = NULL;
	int err;

	if (!row) {
		err = row_alloc(&added, kind, id);
		if (err)
			return err;
		row = added;
	}

	err = row_set(row, body, json, version);
	if (err) {
		mem_deref(added);
		return err;
	}

	if (kind == ROW_ACCOUNT)
		spends_look(s, id, body->account.spend);
	if (kind == ROW_TRUNK)
		spends_look(s, id, body->trunk.spend);

	if (added) {
		htab_insert(s->rows, &row->node, row_hash(s, kind, id), row);
		++s->counts[kind];
	}

	return 0;
}


int catalog_store_put(struct catalog_store *s, const char *kind_name,
		      const char *id, uint64_t version,
		      const struct json_t *json, char *why, size_t size)
{
	struct row_body *body = NULL;
	enum row_kind kind;
	char *text = NULL;
	int err;

	if (row_kind_parse(&kind, kind_name)) {
		(void)text_format(why, size, "kind: \"%s\" is not known",
				  kind_name);
		return EINVAL;
	}

	if (!json || json_is_null(json)) {
		row_remove(s, catalog_store_find(s, kind, id));
		goto applied;
	}

	err = row_decode(&body, kind, id, json, why, size);
	if (err)
		return err;

	text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
	err = text ? row_put(s, kind, id, version, body, text) : ENOMEM;
	if (err) {
		free(text);
		free(body);
		return err;
	}

 applied:
	if (version > s->version)
		s->version = version;

	return 0;
}
