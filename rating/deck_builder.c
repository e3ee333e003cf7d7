/** @file deck_builder.c  A deck from rows in any order. */
#include <errno.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "deck_private.h"
#include "huge.h"

#define ROWS_MAX INT32_MAX


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


static int row_pack(struct deck *d, struct row *row, const struct rate *rate)
{
	char destination[RATE_DESTINATION_SIZE] = "";
	char terms[DECK_ID_SIZE] = "";
	struct shared shared = {
		.tariff = rate->tariff,
		.from_ms = rate->from_ms,
		.to_ms = rate->to_ms,
		.is_blocked = rate->is_blocked,
	};
	int err;

	memcpy(destination, rate->destination, strlen(rate->destination));
	memcpy(terms, rate->terms, strlen(rate->terms));
	err = pool_put(&d->terms, terms, &shared.terms);
	if (!err)
		err = pool_put(&d->shared, &shared, &row->shared);
	if (!err)
		err = pool_put(&d->destinations, destination,
			       &row->destination);

	return err;
}


/* Each where the tree wants it. Sorted rates of one prefix stand together
   there, too. */
static int rows_pack(struct deck *d, const struct rate *rates, size_t n,
		     const uint32_t *order)
{
	int err = 0;

	for (d->row_n = 0; d->row_n < n && !err; d->row_n++) {
		const size_t i = order[d->row_n];
		struct row *row = &d->rows[d->row_n];

		err = row_pack(d, row, &rates[i]);
		if (i + 1 == n || strcmp(rates[i].prefix, rates[i + 1].prefix))
			row->shared |= ROW_LAST;
	}

	return err;
}


static int deck_fill(struct deck *d, const struct rate *rates, size_t n,
		     uint32_t *order)
{
	int err;

	pool_init(&d->shared, sizeof(struct shared));
	pool_init(&d->terms, DECK_ID_SIZE);
	pool_init(&d->destinations, RATE_DESTINATION_SIZE);
	/* one more: an empty deck is a deck */
	d->rows = huge_alloc((n + 1) * sizeof(*d->rows));
	if (!d->rows)
		return ENOMEM;

	err = rates_check(d, rates, n);
	if (!err)
		err = deck_tree_build(&d->tree, rate_prefix, rates, n, order);
	if (!err)
		err = rows_pack(d, rates, n, order);
	if (!err)
		err = pool_fit(&d->shared);
	if (!err)
		err = pool_fit(&d->terms);

	return err ? err : pool_fit(&d->destinations);
}


int deck_build(struct deck **dp, const struct deck_builder *b)
{
	struct rate *sorted;
	uint32_t *order;
	struct deck *d;
	int err = ENOMEM;

	if (!dp || !b)
		return EINVAL;

	d = malloc(sizeof(*d));
	sorted = malloc((b->row_n + 1) * sizeof(*sorted));
	order = malloc((b->row_n + 1) * sizeof(*order));
	if (!d || !sorted || !order) {
		free(d);
		goto out;
	}

	*d = b->head;
	atomic_init(&d->refs, 1);
	if (b->row_n)
		memcpy(sorted, b->rows, b->row_n * sizeof(*sorted));
	qsort(sorted, b->row_n, sizeof(*sorted), rate_compare);

	err = deck_fill(d, sorted, b->row_n, order);
	if (err)
		deck_free(d);
	else
		*dp = d;

 out:
	free(order);
	free(sorted);
	return err;
}
