/** @file deck.c  Rate deck: lookups. */
#include <stdlib.h>
#include <string.h>
#include "deck_private.h"


void deck_free(struct deck *d)
{
	free(d->rows);
	pool_clear(&d->shared);
	pool_clear(&d->terms);
	pool_clear(&d->destinations);
	deck_tree_clear(&d->tree);
	free(d);
}


static const struct shared *row_shared(const struct deck *d,
				       const struct row *row)
{
	return pool_at(&d->shared, row->shared & ~ROW_LAST);
}


static const struct row *rows_begin(const struct deck *d,
				    const struct deck_hit *hit)
{
	const struct row *row = &d->rows[hit->row];

	for (unsigned skip = hit->skip; skip; row++)
		skip -= !!(row->shared & ROW_LAST);

	return row;
}


/* The row of this prefix that is valid at at_ms. */
static const struct row *row_find(const struct deck *d,
				  const struct deck_hit *hit, int64_t at_ms)
{
	const struct row *row = rows_begin(d, hit);

	for (;;) {
		const struct shared *shared = row_shared(d, row);

		if (at_ms < shared->from_ms)
			return NULL;
		if (at_ms < shared->to_ms)
			return row;
		if (row->shared & ROW_LAST)
			return NULL;
		++row;
	}
}


static void row_unpack(const struct deck *d, const struct row *row,
		       struct rate *rate)
{
	const struct shared *shared = row_shared(d, row);

	rate->from_ms = shared->from_ms;
	rate->to_ms = shared->to_ms;
	rate->tariff = shared->tariff;
	rate->is_blocked = !!shared->is_blocked;
	memcpy(rate->terms, pool_at(&d->terms, shared->terms),
	       sizeof(rate->terms));
	memcpy(rate->destination, pool_at(&d->destinations, row->destination),
	       sizeof(rate->destination));
}


const struct rate *deck_find(const struct deck *deck, const char *e164,
			     int64_t at_ms, struct rate *buf)
{
	struct deck_walk walk;

	if (!deck || !e164)
		return NULL;

	/* every prefix on the way down, then the longest is asked first: rows
	 * of shorter ones are not touched */
	walk.tree = &deck->tree;
	deck_walk(&walk, e164);
	while (walk.n--) {
		const struct deck_hit *hit = &walk.hits[walk.n];
		const struct row *row = row_find(deck, hit, at_ms);

		if (!row)
			continue;
		memset(buf->prefix, 0, sizeof(buf->prefix));
		memcpy(buf->prefix, e164, hit->digits);
		row_unpack(deck, row, buf);
		return buf;
	}

	return NULL;
}


/* The longest prefix is known: its row is read soon. */
static void row_fetch(const struct deck *d, const struct deck_walk *w)
{
	if (w->n)
		__builtin_prefetch(&d->rows[w->hits[w->n - 1].row]);
}


static void shared_fetch(const struct deck *d, const struct deck_walk *w)
{
	if (w->n)
		__builtin_prefetch(row_shared(
			d, rows_begin(d, &w->hits[w->n - 1])));
}


static struct deck_price walk_price(const struct deck *d, struct deck_walk *w,
				    int64_t at_ms)
{
	while (w->n) {
		const struct row *row = row_find(d, &w->hits[--w->n], at_ms);
		const struct shared *shared;

		if (!row)
			continue;
		shared = row_shared(d, row);

		return (struct deck_price){
			.tariff = &shared->tariff,
			.terms = pool_at(&d->terms, shared->terms),
			.is_blocked = !!shared->is_blocked,
		};
	}

	return (struct deck_price){NULL, "", false};
}


/* At most DECK_WALKS_MAX decks, in steps that each wait for memory once. */
static void some_find(const struct deck *const *decks, size_t n,
		      const char *e164, int64_t at_ms, struct deck_price *ret)
{
	struct deck_walk walks[DECK_WALKS_MAX];

	for (size_t i = 0; i < n; i++)
		walks[i].tree = decks[i] ? &decks[i]->tree : NULL;
	deck_walk_all(walks, n, e164);
	for (size_t i = 0; i < n; i++)
		row_fetch(decks[i], &walks[i]);
	for (size_t i = 0; i < n; i++)
		shared_fetch(decks[i], &walks[i]);
	for (size_t i = 0; i < n; i++)
		ret[i] = walk_price(decks[i], &walks[i], at_ms);
}


void deck_find_many(const struct deck *const *decks, size_t n,
		    const char *e164, int64_t at_ms, struct deck_price *ret)
{
	for (size_t at = 0; at < n; at += DECK_WALKS_MAX) {
		const size_t left = n - at;

		some_find(&decks[at],
			  left < DECK_WALKS_MAX ? left : DECK_WALKS_MAX, e164,
			  at_ms, &ret[at]);
	}
}


/** Who asks for every rate. */
struct reading {
	const struct deck *deck;
	deck_rate_h *h;
	void *arg;
};


static int prefix_read(const char *prefix, const struct deck_hit *hit,
		       void *arg)
{
	const struct reading *r = arg;
	const struct row *row = rows_begin(r->deck, hit);
	struct rate rate;
	int err;

	memset(&rate, 0, sizeof(rate));
	memcpy(rate.prefix, prefix, hit->digits);
	do {
		row_unpack(r->deck, row, &rate);
		err = r->h(&rate, r->arg);
	} while (!err && !(row++->shared & ROW_LAST));

	return err;
}


int deck_each(const struct deck *deck, deck_rate_h *h, void *arg)
{
	struct reading r = {deck, h, arg};

	return deck ? deck_tree_each(&deck->tree, prefix_read, &r) : 0;
}


const char *deck_id(const struct deck *deck)
{
	return deck->id;
}


const char *deck_currency(const struct deck *deck)
{
	return deck->currency;
}


uint64_t deck_version(const struct deck *deck)
{
	return deck->version;
}


struct rounding deck_rounding(const struct deck *deck)
{
	return deck->rounding;
}


size_t deck_bytes(const struct deck *deck)
{
	return sizeof(*deck) + (deck->row_n + 1) * sizeof(*deck->rows) +
	       deck->tree.size * sizeof(*deck->tree.nodes) +
	       pool_bytes(&deck->shared) + pool_bytes(&deck->terms) +
	       pool_bytes(&deck->destinations);
}


size_t deck_count(const struct deck *deck)
{
	return deck->row_n;
}


size_t deck_prefix_count(const struct deck *deck)
{
	return deck->prefix_n;
}


struct deck *deck_ref(struct deck *deck)
{
	if (deck)
		atomic_fetch_add_explicit(&deck->refs, 1,
					  memory_order_relaxed);
	return deck;
}


void deck_unref(struct deck *deck)
{
	if (!deck)
		return;

	/* the last one must see what all others did before they let go */
	if (1 == atomic_fetch_sub_explicit(&deck->refs, 1,
					   memory_order_acq_rel))
		deck_free(deck);
}
