/**
 * @file deck.c  Rate deck: rows sorted by prefix and time in few bytes, and
 * over them a digit tree.
 */
#include <errno.h>
#include <re.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "deck.h"
#include "pool.h"
#include "prefix_tree.h"

#define ROWS_MAX INT32_MAX
#define WALKS 32 /* side by side */
#define BLOCKED UINT32_C(0x80000000)


struct span {
	int64_t from_ms, to_ms;
};

/** What rates have in common: nothing that one prefix adds. */
struct shared {
	struct tariff tariff;
	uint32_t terms, unused;
};

/** A rate: its prefix, and where the rest of it stands. */
struct row {
	uint32_t prefix[2]; /**< 15 digits of 4 bits, then the length     */
	uint32_t shared, destination;
	uint32_t span;      /**< highest bit: is_blocked                  */
};

struct deck {
	atomic_uint refs;
	char id[DECK_ID_SIZE];
	char currency[4];
	uint64_t version;
	struct rounding rounding;

	struct row *rows;
	size_t row_n, prefix_n;
	struct pool shared, terms, spans, destinations;
	struct prefix_tree tree;
	int32_t root;
};

struct deck_builder {
	struct deck head; /**< what is known of the deck; no rows, no tree */
	struct rate *rows;
	size_t row_n, row_size;
};


static void builder_destructor(void *arg)
{
	struct deck_builder *b = arg;

	free(b->rows);
}


static bool digits_check(const char *s)
{
	size_t len = strspn(s, "0123456789");

	return len > 0 && s[len] == '\0';
}


int deck_builder_alloc(struct deck_builder **bp, const char *id,
		       uint64_t version, const char currency[4],
		       struct rounding rounding)
{
	struct deck_builder *b;

	if (!bp || !id || !currency)
		return EINVAL;
	if (strlen(id) >= DECK_ID_SIZE || strnlen(currency, 4) != 3)
		return EINVAL;
	if (rounding_check(rounding))
		return EINVAL;

	b = mem_zalloc(sizeof(*b), builder_destructor);
	if (!b)
		return ENOMEM;

	memcpy(b->head.id, id, strlen(id) + 1);
	memcpy(b->head.currency, currency, 4);
	b->head.version = version;
	b->head.rounding = rounding;

	*bp = b;
	return 0;
}


static int rate_check(const struct rate *rate)
{
	if (!memchr(rate->prefix, '\0', sizeof(rate->prefix)) ||
	    !memchr(rate->terms, '\0', sizeof(rate->terms)) ||
	    !memchr(rate->destination, '\0', sizeof(rate->destination)))
		return EINVAL;

	/* an empty prefix is a blank line of a price list more often than a
	 * price for the whole world */
	if (!digits_check(rate->prefix) || rate->from_ms >= rate->to_ms)
		return EINVAL;

	return tariff_check(&rate->tariff);
}


int deck_builder_add(struct deck_builder *b, const struct rate *rate)
{
	int err;

	if (!b || !rate)
		return EINVAL;

	err = rate_check(rate);
	if (err)
		return err;

	if (b->row_n == b->row_size) {
		size_t size = b->row_size ? 2 * b->row_size : 64;
		struct rate *rows;

		if (size > ROWS_MAX)
			return ENOMEM;
		rows = realloc(b->rows, size * sizeof(*rows));
		if (!rows)
			return ENOMEM;
		b->rows = rows;
		b->row_size = size;
	}

	b->rows[b->row_n++] = *rate;
	return 0;
}


static int rate_compare(const void *a, const void *b)
{
	const struct rate *x = a, *y = b;
	int c = strcmp(x->prefix, y->prefix);

	if (c)
		return c;

	return (x->from_ms > y->from_ms) - (x->from_ms < y->from_ms);
}


/* Sorted rates: no two of one prefix may be valid at the same moment. */
static int rates_check(struct deck *d, const struct rate *rates, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		const struct rate *a = &rates[i - !!i], *b = &rates[i];

		if (!i || strcmp(a->prefix, b->prefix))
			++d->prefix_n;
		else if (a->to_ms > b->from_ms)
			return EEXIST;
	}

	return 0;
}


static const char *rate_prefix(const void *rates, size_t i)
{
	return ((const struct rate *)rates)[i].prefix;
}


static void prefix_pack(uint32_t ret[2], const char *prefix)
{
	uint64_t packed = 0;
	unsigned len = 0;

	for (; prefix[len]; len++)
		packed |= (uint64_t)(prefix[len] - '0') << (60 - 4 * len);

	packed |= len;
	ret[0] = (uint32_t)(packed >> 32);
	ret[1] = (uint32_t)packed;
}


static void prefix_unpack(char ret[RATE_PREFIX_MAX + 1],
			  const uint32_t prefix[2])
{
	const uint64_t packed = (uint64_t)prefix[0] << 32 | prefix[1];
	const unsigned len = packed & 15;

	for (unsigned i = 0; i < len; i++)
		ret[i] = (char)('0' + (packed >> (60 - 4 * i) & 15));

	ret[len] = '\0';
}


static int row_pack(struct deck *d, struct row *row, const struct rate *rate)
{
	const struct span span = {rate->from_ms, rate->to_ms};
	char destination[RATE_DESTINATION_SIZE] = "";
	char terms[DECK_ID_SIZE] = "";
	struct shared shared = {.tariff = rate->tariff};
	int err;

	memcpy(destination, rate->destination, strlen(rate->destination));
	memcpy(terms, rate->terms, strlen(rate->terms));
	prefix_pack(row->prefix, rate->prefix);
	err = pool_put(&d->terms, terms, &shared.terms);
	if (!err)
		err = pool_put(&d->shared, &shared, &row->shared);
	if (!err)
		err = pool_put(&d->spans, &span, &row->span);
	if (!err)
		err = pool_put(&d->destinations, destination,
			       &row->destination);
	if (rate->is_blocked)
		row->span |= BLOCKED;

	return err;
}


static int rows_pack(struct deck *d, const struct rate *rates, size_t n)
{
	int err = 0;

	pool_init(&d->shared, sizeof(struct shared));
	pool_init(&d->terms, DECK_ID_SIZE);
	pool_init(&d->spans, sizeof(struct span));
	pool_init(&d->destinations, RATE_DESTINATION_SIZE);

	/* one more: an empty deck is a deck */
	d->rows = prefix_table_alloc((n + 1) * sizeof(*d->rows));
	if (!d->rows)
		return ENOMEM;

	for (d->row_n = 0; d->row_n < n && !err; d->row_n++)
		err = row_pack(d, &d->rows[d->row_n], &rates[d->row_n]);
	if (!err)
		err = pool_fit(&d->shared);
	if (!err)
		err = pool_fit(&d->terms);
	if (!err)
		err = pool_fit(&d->spans);
	if (!err)
		err = pool_fit(&d->destinations);

	return err;
}


static void deck_free(struct deck *d)
{
	free(d->rows);
	pool_clear(&d->shared);
	pool_clear(&d->terms);
	pool_clear(&d->spans);
	pool_clear(&d->destinations);
	prefix_tree_clear(&d->tree);
	free(d);
}


static int deck_fill(struct deck *d, const struct rate *rates, size_t n)
{
	int err = rates_check(d, rates, n);

	if (!err)
		err = rows_pack(d, rates, n);
	if (!err)
		err = prefix_tree_add(&d->tree, rate_prefix, rates, 0, n,
				      &d->root);

	return err ? err : prefix_tree_fit(&d->tree);
}


int deck_build(struct deck **dp, const struct deck_builder *b)
{
	struct rate *sorted;
	struct deck *d;
	int err;

	if (!dp || !b)
		return EINVAL;

	d = malloc(sizeof(*d));
	sorted = malloc((b->row_n + 1) * sizeof(*sorted));
	if (!d || !sorted) {
		free(d);
		free(sorted);
		return ENOMEM;
	}

	*d = b->head;
	atomic_init(&d->refs, 1);
	if (b->row_n)
		memcpy(sorted, b->rows, b->row_n * sizeof(*sorted));
	qsort(sorted, b->row_n, sizeof(*sorted), rate_compare);

	err = deck_fill(d, sorted, b->row_n);
	free(sorted);
	if (err)
		deck_free(d);
	else
		*dp = d;
	return err;
}


static const struct span *row_span(const struct deck *d, const struct row *row)
{
	return pool_at(&d->spans, row->span & ~BLOCKED);
}


/* The row of this prefix that is valid at at_ms. */
static const struct row *row_find(const struct deck *d, size_t first,
				  int64_t at_ms)
{
	const struct row *row = &d->rows[first];
	const struct row *const end = d->rows + d->row_n;
	const uint32_t *prefix = row->prefix;

	do {
		const struct span *span = row_span(d, row);

		if (at_ms < span->from_ms)
			return NULL;
		if (at_ms < span->to_ms)
			return row;
		++row;
	} while (row < end && !memcmp(row->prefix, prefix,
				      sizeof(row->prefix)));

	return NULL;
}


static const struct rate *row_unpack(const struct deck *d,
				     const struct row *row, struct rate *buf)
{
	const struct span *span = row_span(d, row);
	const struct shared *shared;

	memset(buf, 0, sizeof(*buf));
	prefix_unpack(buf->prefix, row->prefix);
	buf->from_ms = span->from_ms;
	buf->to_ms = span->to_ms;
	shared = pool_at(&d->shared, row->shared);
	buf->tariff = shared->tariff;
	memcpy(buf->terms, pool_at(&d->terms, shared->terms),
	       sizeof(buf->terms));
	buf->is_blocked = !!(row->span & BLOCKED);
	memcpy(buf->destination, pool_at(&d->destinations, row->destination),
	       sizeof(buf->destination));

	return buf;
}


const struct rate *deck_find(const struct deck *deck, const char *e164,
			     int64_t at_ms, struct rate *buf)
{
	int32_t found[PREFIX_DIGITS_MAX + 2];
	size_t n;

	if (!deck || !e164)
		return NULL;

	/* every prefix on the way down, then the longest is asked first: rows
	 * of shorter ones are not touched */
	n = prefix_tree_find(&deck->tree, deck->root, e164, found);
	while (n--) {
		const struct row *row =
			row_find(deck, (size_t)found[n] - 1, at_ms);

		if (row)
			return row_unpack(deck, row, buf);
	}

	return NULL;
}


/** One of the walks that go side by side. */
struct walk {
	const struct deck *deck;
	int32_t link;
	uint8_t n;
	int32_t found[PREFIX_DIGITS_MAX + 2];
};


/* The longest prefix is known: its row is read soon. */
static void walk_end(const struct walk *w)
{
	if (w->n)
		__builtin_prefetch(&w->deck->rows[w->found[w->n - 1] - 1]);
}


/* A step down; what the next one reads is asked for now.
   @return does it go on? */
static bool walk_step(struct walk *w, unsigned digit, unsigned next)
{
	const struct prefix_node *node = &w->deck->tree.nodes[w->link];

	if (node->rows)
		w->found[w->n++] = node->rows;
	if (digit > 9)
		return false;

	w->link = node->links[digit];
	if (w->link > 0) {
		node = &w->deck->tree.nodes[w->link];
		__builtin_prefetch(&node->rows);
		if (next <= 9)
			__builtin_prefetch(&node->links[next]);
		return true;
	}
	if (w->link < 0)
		w->found[w->n++] = -w->link;

	return false;
}


static void walks_run(struct walk *w, size_t n, const char *e164)
{
	uint8_t active[WALKS];
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		w[i].n = 0;
		if (!w[i].deck)
			continue;
		w[i].link = w[i].deck->root;
		active[left++] = (uint8_t)i;
	}

	for (; left; e164++) {
		const unsigned digit = (unsigned)*e164 - '0';
		const unsigned next = *e164 ? (unsigned)e164[1] - '0' : 10;
		size_t kept = 0;

		for (size_t k = 0; k < left; k++) {
			struct walk *walk = &w[active[k]];

			if (walk_step(walk, digit, next))
				active[kept++] = active[k];
			else
				walk_end(walk);
		}
		left = kept;
	}
}


/* tariff is that of a struct shared, which is here by now */
static const char *price_terms(const struct deck *d, const struct tariff *t)
{
	const struct shared *shared = (const void *)t;

	return pool_at(&d->terms, shared->terms);
}


static struct deck_price walk_price(struct walk *w, int64_t at_ms)
{
	struct deck_price price = {NULL, "", false};

	while (w->n && !price.tariff) {
		const struct row *row = row_find(
			w->deck, (size_t)w->found[--w->n] - 1, at_ms);
		const struct shared *shared;

		if (!row)
			continue;
		shared = pool_at(&w->deck->shared, row->shared);
		price.tariff = &shared->tariff;
		price.is_blocked = !!(row->span & BLOCKED);
		__builtin_prefetch(shared);
	}

	return price;
}


void deck_find_many(const struct deck *const *decks, size_t n,
		    const char *e164, int64_t at_ms, struct deck_price *ret)
{
	struct walk walks[WALKS];

	for (size_t at = 0; at < n; at += WALKS) {
		const size_t k = n - at < WALKS ? n - at : WALKS;

		for (size_t i = 0; i < k; i++)
			walks[i].deck = decks[at + i];
		walks_run(walks, k, e164);
		for (size_t i = 0; i < k; i++)
			ret[at + i] = walk_price(&walks[i], at_ms);
		for (size_t i = 0; i < k; i++) {
			if (ret[at + i].tariff)
				ret[at + i].terms =
					price_terms(decks[at + i],
						    ret[at + i].tariff);
		}
	}
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


const struct rate *deck_at(const struct deck *deck, size_t i,
			   struct rate *buf)
{
	return deck && i < deck->row_n ? row_unpack(deck, &deck->rows[i], buf)
				       : NULL;
}


size_t deck_bytes(const struct deck *deck)
{
	return sizeof(*deck) + (deck->row_n + 1) * sizeof(*deck->rows) +
	       deck->tree.size * sizeof(*deck->tree.nodes) +
	       pool_bytes(&deck->shared) +
	       pool_bytes(&deck->terms) + pool_bytes(&deck->spans) +
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
