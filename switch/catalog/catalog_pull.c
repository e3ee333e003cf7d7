/**
 * @file catalog_pull.c  What changed in the database since the last pull. All
 * of it is read in one snapshot before the first row is applied.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "catalog_store_data.h"
#include "log.h"
#include "pg.h"
#include "text.h"

#define PAGE 1000

struct pulled {
	struct le le;
	PGresult *changes;
	PGresult **rates;  /**< per row of changes; NULL: not a deck, or kept */
};

struct pull {
	struct catalog_store *s;
	struct pg *pg;
	struct list pages;
	bool is_whole;     /**< another database: nothing we have counts     */
	uint64_t since;
	char feed[FEED_SIZE];
};

enum { COL_VERSION, COL_KIND, COL_ID, COL_ROW };


static void pulled_destructor(void *arg)
{
	struct pulled *p = arg;
	int i;

	list_unlink(&p->le);
	for (i = 0; p->rates && i < PQntuples(p->changes); i++)
		PQclear(p->rates[i]);
	free(p->rates);
	PQclear(p->changes);
}


static const char *field(const PGresult *res, int row, int col)
{
	return PQgetisnull(res, row, col) ? NULL : PQgetvalue(res, row, col);
}


static uint64_t field_u64(const PGresult *res, int row, int col)
{
	const char *text = field(res, row, col);
	uint64_t v = 0;

	if (text)
		(void)text_u64(&v, text, strlen(text), INT64_MAX);

	return v;
}


/**
 * Where does the feed stand? A restored backup goes back in versions, a new
 * database has another name: then everything is read again.
 */
static int feed_read(struct pull *p)
{
	PGresult *res = NULL;
	const char *name;
	int err;

	err = pg_exec(p->pg, "select feed, version from api_v1.feed()", 0,
		      NULL, &res);
	if (err)
		goto out;

	name = PQntuples(res) == 1 ? field(res, 0, 0) : NULL;
	if (!name || text_copy(p->feed, sizeof(p->feed), name)) {
		err = EBADMSG;
		goto out;
	}

	p->is_whole = strcmp(p->feed, p->s->feed) != 0 ||
		      field_u64(res, 0, 1) < p->s->version;
	p->since = p->is_whole ? 0 : p->s->version;

 out:
	PQclear(res);
	return err;
}


static bool wants_rates(const struct pull *p, const PGresult *res, int row)
{
	const char *text = field(res, row, COL_ROW);
	json_t *json;
	bool wants;

	if (!text || strcmp(PQgetvalue(res, row, COL_KIND), "rate_deck") != 0)
		return false;
	if (p->is_whole)
		return true;

	json = json_loads(text, 0, NULL);
	wants = json && catalog_store_wants_rates(
				p->s, PQgetvalue(res, row, COL_ID), json);
	json_decref(json);

	return wants;
}


static int rates_read(const struct pull *p, struct pulled *page)
{
	const int n = PQntuples(page->changes);
	const char *id;
	int err = 0, i;

	page->rates = calloc((size_t)n + 1, sizeof(PGresult *));
	if (!page->rates)
		return ENOMEM;

	for (i = 0; i < n && !err; i++) {
		if (!wants_rates(p, page->changes, i))
			continue;

		id = PQgetvalue(page->changes, i, COL_ID);
		err = pg_exec(p->pg,
			      "select prefix, destination, rate_per_min_nano,"
			      " connect_fee_micro, first_ms, next_ms, from_ms,"
			      " to_ms, is_blocked, terms_id"
			      " from api_v1.deck_rates_terms($1)",
			      1, &id, &page->rates[i]);
	}

	return err;
}


static int page_read(struct pull *p, int *ret_n)
{
	struct pulled *page;
	char since[24], max[24];
	const char *params[] = {since, max};
	int err;

	page = mem_zalloc(sizeof(*page), pulled_destructor);
	if (!page)
		return ENOMEM;
	list_append(&p->pages, &page->le, page);

	(void)text_format(since, sizeof(since), "%" PRIu64, p->since);
	(void)text_format(max, sizeof(max), "%d", PAGE);
	err = pg_exec(p->pg, "select version, kind, id, \"row\""
		      " from api_v1.changes($1::bigint, $2::integer)",
		      2, params, &page->changes);
	if (err)
		return err;

	*ret_n = PQntuples(page->changes);
	if (*ret_n)
		p->since = field_u64(page->changes, *ret_n - 1, COL_VERSION);

	return rates_read(p, page);
}


static int pages_read(struct pull *p)
{
	int n = 0, err;

	do {
		err = page_read(p, &n);
	} while (!err && n == PAGE);

	return err;
}


static int snapshot_read(struct pull *p)
{
	int err;

	err = pg_exec(p->pg,
		      "begin isolation level repeatable read read only", 0,
		      NULL, NULL);
	if (err)
		return err;

	err = feed_read(p);
	if (!err)
		err = pages_read(p);

	if (err != ECONNRESET) {
		int end = pg_exec(p->pg, err ? "rollback" : "commit", 0, NULL,
				  NULL);

		if (!err)
			err = end;
	}

	return err;
}


/* --- applying */

static int64_t field_i64(const PGresult *res, int row, int col,
			 int64_t fallback)
{
	const char *text = field(res, row, col);

	return text ? strtoll(text, NULL, 10) : fallback;
}


static int rate_apply(struct catalog_store *s, const char *deck_id,
		      const PGresult *res, int i)
{
	struct rate r = {0};
	int err;

	err = text_copy(r.prefix, sizeof(r.prefix), PQgetvalue(res, i, 0));
	if (!err)
		err = text_copy(r.destination, sizeof(r.destination),
				PQgetvalue(res, i, 1));
	if (!err)
		err = text_copy(r.terms, sizeof(r.terms),
				PQgetvalue(res, i, 9));

	r.tariff.rate_per_min_nano = field_i64(res, i, 2, -1);
	r.tariff.connect_fee_micro = field_i64(res, i, 3, -1);
	r.tariff.first_ms = (uint32_t)field_i64(res, i, 4, 0);
	r.tariff.next_ms = (uint32_t)field_i64(res, i, 5, 0);
	r.from_ms = field_i64(res, i, 6, 0);
	r.to_ms = field_i64(res, i, 7, INT64_MAX);
	r.is_blocked = PQgetvalue(res, i, 8)[0] == 't';

	if (!err)
		err = catalog_store_put_rate(s, deck_id, &r);
	if (err == ENOMEM)
		return err;
	if (err)
		catalog_row_skipped("rate", r.prefix, strerror(err));

	return 0;
}


/** A row that is not accepted is left out; only want of memory stops. */
static int change_apply(struct catalog_store *s, const struct pulled *page,
			int i)
{
	const char *kind = PQgetvalue(page->changes, i, COL_KIND);
	const char *id = PQgetvalue(page->changes, i, COL_ID);
	const char *text = field(page->changes, i, COL_ROW);
	json_t *json = text ? json_loads(text, 0, NULL) : NULL;
	const PGresult *rates = page->rates[i];
	char why[128];
	int err, n;

	if (text && !json)
		return ENOMEM; /* the server's JSON is right */

	err = catalog_store_put(s, kind, id,
				field_u64(page->changes, i, COL_VERSION),
				json, why, sizeof(why));
	json_decref(json);
	if (err == EINVAL) {
		catalog_row_skipped(kind, id, why);
		return 0;
	}

	for (n = 0; !err && rates && n < PQntuples(rates); n++)
		err = rate_apply(s, id, rates, n);

	return err;
}


static int page_apply(struct catalog_store *s, const struct pulled *page)
{
	int err = 0, i;

	for (i = 0; !err && i < PQntuples(page->changes); i++)
		err = change_apply(s, page, i);

	return err;
}


/** What was applied in part is read whole the next time. */
static int pages_apply(struct pull *p)
{
	struct le *le;
	int err = 0;

	if (p->is_whole)
		catalog_store_clear(p->s);

	for (le = list_head(&p->pages); le && !err; le = le->next)
		err = page_apply(p->s, le->data);

	if (err) {
		p->s->feed[0] = '\0';
		return err;
	}

	p->s->version = p->since;
	(void)text_copy(p->s->feed, sizeof(p->s->feed), p->feed);

	return 0;
}


static int start_compare(const void *a, const void *b)
{
	const struct spend_start *x = a, *y = b;

	return strcmp(x->key, y->key);
}


/* The keys that we have, as text[]: ids need no quoting, their blank none. */
static char *known_alloc(const struct catalog_store *s)
{
	const size_t size = (size_t)s->spend_start_n * SPEND_KEY_SIZE + 3;
	char *text = malloc(size), *end = text;

	if (!text)
		return NULL;

	*end++ = '{';
	for (uint32_t i = 0; i < s->spend_start_n; i++) {
		if (i)
			*end++ = ',';
		end = stpcpy(end, s->spend_starts[i].key);
	}
	*end++ = '}';
	*end = '\0';

	return text;
}


static int starts_add(struct catalog_store *s, PGresult *res,
		      int64_t before_ms)
{
	const uint32_t n = (uint32_t)PQntuples(res);
	struct spend_start *starts, *start;

	starts = realloc(s->spend_starts,
			 (s->spend_start_n + n + 1) * sizeof(*starts));
	if (!starts)
		return ENOMEM;

	s->spend_starts = starts;
	for (uint32_t i = 0; i < n; i++) {
		start = &starts[s->spend_start_n++];
		TEXT_FILL(start->key, PQgetvalue(res, (int)i, 0));
		start->number = (int32_t)field_i64(res, (int)i, 1, 0);
		start->micro = field_i64(res, (int)i, 2, 0);
		start->read_ms = before_ms;
	}
	qsort(starts, s->spend_start_n, sizeof(*starts), start_compare);

	return 0;
}


int catalog_store_pull_spent(struct catalog_store *s, struct pg *pg,
			     int64_t before_ms)
{
	char before[24], *known = known_alloc(s);
	const char *params[2] = {before, known};
	PGresult *res = NULL;
	int err;

	if (!known)
		return ENOMEM;

	(void)text_format(before, sizeof(before), "%" PRId64, before_ms);
	err = pg_exec(pg, "select key, number, micro from api_v1.spent_so_far("
		      "$1::bigint, $2::text[])", 2, params, &res);
	if (!err)
		err = starts_add(s, res, before_ms);
	if (!err)
		s->lacks_spent = false;

	PQclear(res);
	free(known);
	return err;
}


int catalog_store_pull(struct catalog_store *s, struct pg *pg,
		       bool *ret_changed)
{
	struct pull p = {.s = s, .pg = pg};
	bool is_changed;
	int err;

	err = pg_ready(pg);
	if (err)
		return err;

	list_init(&p.pages);
	err = snapshot_read(&p);
	is_changed = p.is_whole || p.since != s->version;
	if (!err && is_changed)
		err = pages_apply(&p);
	if (!err)
		*ret_changed = is_changed;
	list_flush(&p.pages);

	return err;
}
