/**
 * @file deck.c  Rate deck: rows sorted by prefix and time, and over them a
 * digit tree that holds nodes for branching prefixes only.
 *
 *   link  0        nothing below
 *         n > 0    node n
 *         n < 0    rows from -n - 1 on, and no longer prefix
 *
 * A prefix that no other one continues (most of a real deck) costs its row
 * and no node.
 */
#include <errno.h>
#include <re.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include "deck.h"

#define ROWS_MAX INT32_MAX
#define HUGE_PAGE ((size_t)2 << 20)


struct node {
	int32_t rows;      /**< 1 + first row of this prefix, 0: none  */
	int32_t links[10];
};

struct deck {
	atomic_uint refs;
	char id[DECK_ID_SIZE];
	char currency[4];
	uint64_t version;
	struct rounding rounding;

	struct rate *rows;
	size_t row_n, prefix_n;
	struct node *nodes; /**< [0] is the root */
	size_t node_n, node_size;
};

struct deck_builder {
	struct deck head; /**< what is known of the deck; no rows, no nodes */
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
	if (rounding.mode >= ROUND_MODE_N || rounding.decimals > 6)
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


/* Sorted rows: no two of one prefix may be valid at the same moment. */
static int rows_check(struct deck *d)
{
	size_t i;

	for (i = 0; i < d->row_n; i++) {
		const struct rate *a = &d->rows[i - !!i], *b = &d->rows[i];

		if (!i || strcmp(a->prefix, b->prefix))
			++d->prefix_n;
		else if (a->to_ms > b->from_ms)
			return EEXIST;
	}

	return 0;
}


static int node_add(struct deck *d, int32_t *ret_node)
{
	if (d->node_n == d->node_size) {
		size_t size = d->node_size ? 2 * d->node_size : 64;
		struct node *nodes;

		if (size > ROWS_MAX)
			return ENOMEM;
		nodes = realloc(d->nodes, size * sizeof(*nodes));
		if (!nodes)
			return ENOMEM;
		d->nodes = nodes;
		d->node_size = size;
	}

	memset(&d->nodes[d->node_n], 0, sizeof(*d->nodes));
	*ret_node = (int32_t)d->node_n++;
	return 0;
}


static int node_build(struct deck *d, size_t lo, size_t hi, size_t depth,
		      int32_t *ret_link);


/* Give each digit at depth its rows of lo..hi, all longer than depth. */
static int links_build(struct deck *d, int32_t node, size_t lo, size_t hi,
		       size_t depth)
{
	while (lo < hi) {
		const char digit = d->rows[lo].prefix[depth];
		size_t end = lo + 1;
		int32_t link;
		int err;

		while (end < hi && d->rows[end].prefix[depth] == digit)
			++end;

		err = node_build(d, lo, end, depth + 1, &link);
		if (err)
			return err;

		d->nodes[node].links[digit - '0'] = link;
		lo = end;
	}

	return 0;
}


/*
 * Rows lo..hi share their first depth digits; those with no more digits stand
 * first. The recursion is as deep as a prefix is long.
 */
static int node_build(struct deck *d, size_t lo, size_t hi, size_t depth,
		      int32_t *ret_link)
{
	const int32_t first = (int32_t)lo;
	size_t longer = lo;
	int32_t node;
	int err;

	while (longer < hi && !d->rows[longer].prefix[depth])
		++longer;

	if (longer == hi && depth) {
		*ret_link = -first - 1;
		return 0;
	}

	err = node_add(d, &node);
	if (err)
		return err;

	if (longer > lo)
		d->nodes[node].rows = first + 1;

	err = links_build(d, node, longer, hi, depth);
	if (err)
		return err;

	*ret_link = node;
	return 0;
}


/*
 * Memory that is read at random: in huge pages where the system gives them,
 * since a lookup would wait for page tables as long as for the data.
 */
static void *table_alloc(size_t bytes)
{
	void *table;

	if (bytes < 2 * HUGE_PAGE)
		return malloc(bytes);

	bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	table = aligned_alloc(HUGE_PAGE, bytes);
	if (table)
		(void)madvise(table, bytes, MADV_HUGEPAGE);

	return table;
}


static int tree_build(struct deck *d)
{
	struct node *nodes;
	int32_t root;
	int err;

	err = node_build(d, 0, d->row_n, 0, &root);
	if (err)
		return err;

	/* from what grew by doubling to what is needed */
	nodes = table_alloc(d->node_n * sizeof(*nodes));
	if (!nodes)
		return ENOMEM;

	memcpy(nodes, d->nodes, d->node_n * sizeof(*nodes));
	free(d->nodes);
	d->nodes = nodes;
	d->node_size = d->node_n;
	return 0;
}


static void deck_free(struct deck *d)
{
	free(d->rows);
	free(d->nodes);
	free(d);
}


int deck_build(struct deck **dp, const struct deck_builder *b)
{
	struct deck *d;
	int err = ENOMEM;

	if (!dp || !b)
		return EINVAL;

	d = malloc(sizeof(*d));
	if (!d)
		return ENOMEM;

	*d = b->head;
	atomic_init(&d->refs, 1);

	/* one more: an empty deck is a deck */
	d->rows = table_alloc((b->row_n + 1) * sizeof(*d->rows));
	if (!d->rows)
		goto out;

	if (b->row_n)
		memcpy(d->rows, b->rows, b->row_n * sizeof(*d->rows));
	d->row_n = b->row_n;
	qsort(d->rows, d->row_n, sizeof(*d->rows), rate_compare);

	err = rows_check(d);
	if (!err)
		err = tree_build(d);

 out:
	if (err)
		deck_free(d);
	else
		*dp = d;
	return err;
}


/* The row of this prefix that is valid at at_ms. */
static const struct rate *row_find(const struct deck *d, size_t first,
				   int64_t at_ms)
{
	const struct rate *row = &d->rows[first];
	const struct rate *const end = d->rows + d->row_n;
	const char *prefix = row->prefix;

	do {
		if (at_ms < row->from_ms)
			return NULL;
		if (at_ms < row->to_ms)
			return row;
		++row;
	} while (row < end && 0 == strcmp(row->prefix, prefix));

	return NULL;
}


const struct rate *deck_find(const struct deck *deck, const char *e164,
			     int64_t at_ms)
{
	int32_t found[RATE_PREFIX_MAX + 1], link = 0;
	size_t n = 0;

	if (!deck || !e164)
		return NULL;

	/* collect every prefix on the way down, then ask the longest first:
	 * rows of shorter ones are not touched */
	do {
		const struct node *node = &deck->nodes[link];
		const unsigned digit = (unsigned)*e164 - '0';

		if (node->rows)
			found[n++] = node->rows;
		if (digit > 9)
			break;

		link = node->links[digit];
		++e164;
	} while (link > 0);

	if (link < 0)
		found[n++] = -link;

	while (n--) {
		const struct rate *row =
			row_find(deck, (size_t)found[n] - 1, at_ms);

		if (row)
			return row;
	}

	return NULL;
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


const struct rate *deck_at(const struct deck *deck, size_t i)
{
	return deck && i < deck->row_n ? &deck->rows[i] : NULL;
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
