/**
 * @file deck.c  Tests of the rate deck: longest prefix, spans of time, refusal
 * of overlaps, and agreement with a plain search over random decks.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <re.h>
#include <string.h>
#include "deck.h"
#include "random.h"

static const struct rounding up4 = {ROUND_UP, 4, 0, 0};


static struct deck_builder *builder(void)
{
	struct deck_builder *b = NULL;

	cr_assert(zero(int, deck_builder_alloc(&b, "deck_1", 7, "EUR", up4)));
	return b;
}


static struct rate row(const char *prefix, int64_t from_ms, int64_t to_ms)
{
	struct rate r = {
		.tariff = {.rate_per_min_nano = from_ms +
						(int64_t)strlen(prefix),
			   .first_ms = 1,
			   .next_ms = 1},
		.from_ms = from_ms,
		.to_ms = to_ms,
	};

	snprintf(r.prefix, sizeof(r.prefix), "%s", prefix);
	snprintf(r.destination, sizeof(r.destination), "to %s", prefix);
	return r;
}


static int add(struct deck_builder *b, const char *prefix, int64_t from_ms,
	       int64_t to_ms)
{
	const struct rate r = row(prefix, from_ms, to_ms);

	return deck_builder_add(b, &r);
}


static const char *found(const struct deck *d, const char *e164, int64_t at)
{
	static struct rate buf;
	const struct rate *r = deck_find(d, e164, at, &buf);

	return r ? r->prefix : "none";
}


Test(deck, longest_prefix_wins)
{
	struct deck_builder *b = builder();
	struct deck *d;

	cr_assert(zero(int, add(b, "49", 0, INT64_MAX)));
	cr_assert(zero(int, add(b, "4915", 0, INT64_MAX)));
	cr_assert(zero(int, add(b, "49151", 0, INT64_MAX)));
	cr_assert(zero(int, add(b, "1", 0, INT64_MAX)));
	cr_assert(zero(int, add(b, "123456789012345", 0, INT64_MAX)));
	cr_assert(zero(int, deck_build(&d, b)));
	mem_deref(b);

	cr_expect(eq(str, (char *)found(d, "4930123", 1), "49"));
	cr_expect(eq(str, (char *)found(d, "49150", 1), "4915"));
	cr_expect(eq(str, (char *)found(d, "491512", 1), "49151"));
	cr_expect(eq(str, (char *)found(d, "4915", 1), "4915"));
	cr_expect(eq(str, (char *)found(d, "491", 1), "49"));
	cr_expect(eq(str, (char *)found(d, "12345678901234", 1), "1"));
	cr_expect(eq(str, (char *)found(d, "1234567890123456", 1),
		     "123456789012345"));
	cr_expect(eq(str, (char *)found(d, "4", 1), "none"));
	cr_expect(eq(str, (char *)found(d, "", 1), "none"));
	cr_expect(eq(str, (char *)found(d, "33", 1), "none"));
	cr_expect(eq(str, (char *)found(d, "49x", 1), "49"));
	cr_expect(eq(ptr, (void *)deck_find(NULL, "49", 1, NULL), NULL));
	deck_unref(d);
}


Test(deck, spans_of_time)
{
	struct deck_builder *b = builder();
	struct rate r;
	struct deck *d;

	cr_assert(zero(int, add(b, "4915", 300, 400)));
	cr_assert(zero(int, add(b, "49", 0, 1000)));
	cr_assert(zero(int, add(b, "4915", 100, 200)));
	cr_assert(zero(int, add(b, "4915", 200, 250)));
	cr_assert(zero(int, deck_build(&d, b)));
	mem_deref(b);

	cr_expect(eq(i64, deck_find(d, "49151", 100, &r)->from_ms, 100));
	cr_expect(eq(i64, deck_find(d, "49151", 199, &r)->from_ms, 100));
	cr_expect(eq(i64, deck_find(d, "49151", 200, &r)->from_ms, 200));
	cr_expect(eq(i64, deck_find(d, "49151", 399, &r)->from_ms, 300));
	/* between and outside its spans the shorter prefix holds */
	cr_expect(eq(str, (char *)found(d, "49151", 250), "49"));
	cr_expect(eq(str, (char *)found(d, "49151", 99), "49"));
	cr_expect(eq(str, (char *)found(d, "49151", 400), "49"));
	cr_expect(eq(str, (char *)found(d, "49151", 1000), "none"));
	cr_expect(eq(sz, deck_count(d), 4));
	cr_expect(eq(sz, deck_prefix_count(d), 2));
	deck_unref(d);
}


Test(deck, overlap_is_refused)
{
	struct deck_builder *b = builder();
	struct deck *d = NULL;

	cr_assert(zero(int, add(b, "49", 0, 100)));
	cr_assert(zero(int, add(b, "49", 100, INT64_MAX)));
	cr_assert(zero(int, deck_build(&d, b)));
	deck_unref(d);

	d = NULL;
	cr_assert(zero(int, add(b, "49", 99, 100)));
	cr_assert(eq(int, deck_build(&d, b), EEXIST));
	cr_assert(eq(ptr, d, NULL));
	mem_deref(b);
}


Test(deck, bad_rows_are_refused)
{
	struct deck_builder *b = builder();
	struct rate r = row("49", 0, 1);

	cr_expect(eq(int, add(b, "", 0, 1), EINVAL));
	cr_expect(eq(int, add(b, "+49", 0, 1), EINVAL));
	cr_expect(eq(int, add(b, "49a", 0, 1), EINVAL));
	cr_expect(eq(int, add(b, "49", 1, 1), EINVAL));
	r.tariff.next_ms = 0;
	cr_expect(eq(int, deck_builder_add(b, &r), EINVAL));
	r = row("49", 0, 1);
	memset(r.prefix, '1', sizeof(r.prefix));
	cr_expect(eq(int, deck_builder_add(b, &r), EINVAL));
	mem_deref(b);
}


Test(deck, head)
{
	struct deck_builder *b = builder(), *none = NULL;
	const struct rounding unknown = {ROUND_MODE_N, 0, 0, 0};
	struct deck *d;

	cr_assert(eq(int, deck_builder_alloc(&none, "x", 1, "EU\0", up4),
		     EINVAL));
	cr_assert(eq(int, deck_builder_alloc(&none, "x", 1, "EUR", unknown),
		     EINVAL));

	cr_assert(zero(int, deck_build(&d, b)));
	mem_deref(b);
	cr_expect(eq(str, (char *)deck_id(d), "deck_1"));
	cr_expect(eq(str, (char *)deck_currency(d), "EUR"));
	cr_expect(eq(u64, deck_version(d), 7));
	cr_expect(eq(u8, deck_rounding(d).decimals, 4));
	cr_expect(eq(sz, deck_count(d), 0));
	cr_expect(eq(str, (char *)found(d, "49", 1), "none"));
	cr_expect(eq(ptr, deck_ref(d), d));
	deck_unref(d);
	deck_unref(d);
	deck_unref(NULL);
}


/* Longest valid row by looking at all of them. */
static const struct rate *plain_find(const struct rate *rows, size_t n,
				     const char *e164, int64_t at)
{
	const struct rate *best = NULL;
	size_t i;

	for (i = 0; i < n; i++) {
		const struct rate *r = &rows[i];
		const size_t len = strlen(r->prefix);

		if (strncmp(r->prefix, e164, len) || at < r->from_ms ||
		    at >= r->to_ms)
			continue;
		if (!best || len > strlen(best->prefix))
			best = r;
	}

	return best;
}


/* Three digits only, so that prefixes share their beginnings. */
static void random_digits(uint64_t *seed, char *buf, size_t max)
{
	const size_t len = 1 + random_below(seed, max);
	size_t i;

	for (i = 0; i < len; i++)
		buf[i] = (char)('1' + random_below(seed, 3));
	buf[len] = '\0';
}


static void expect_same(const struct rate *want, const struct rate *got)
{
	cr_assert(eq(str, (char *)want->prefix, (char *)got->prefix));
	cr_assert(eq(str, (char *)want->destination,
		     (char *)got->destination));
	cr_assert(eq(i64, want->from_ms, got->from_ms));
	cr_assert(eq(i64, want->to_ms, got->to_ms));
	cr_assert(eq(int, want->is_blocked, got->is_blocked));
	cr_assert(zero(int, memcmp(&want->tariff, &got->tariff,
				   sizeof(want->tariff))));
}


/* Many decks at once say what each says alone. */
static void expect_many(const struct deck *d, const char *e164, int64_t at,
			const struct rate *want)
{
	const struct deck *decks[40] = {NULL};
	struct deck_price prices[40];

	decks[0] = decks[31] = decks[39] = d;
	deck_find_many(decks, 40, e164, at, prices);
	cr_assert(eq(ptr, (void *)prices[1].tariff, NULL));
	for (int i = 0; i < 3; i++) {
		const struct deck_price *p = &prices[i ? 23 + 8 * i : 0];

		cr_assert(eq(int, !want, !p->tariff));
		if (!want)
			continue;
		cr_assert(zero(int, memcmp(p->tariff, &want->tariff,
					   sizeof(want->tariff))));
		cr_assert(eq(int, p->is_blocked, want->is_blocked));
	}
}


/** What deck_each() told so far. */
struct told {
	const struct rate *rows;
	size_t n, count;
	char prefix[RATE_PREFIX_MAX + 1];
	int64_t to_ms;
};


/* One of the rows, and not before what belongs before it */
static int rate_told(const struct rate *rate, void *arg)
{
	struct told *told = arg;
	size_t i = 0;

	while (i < told->n && (strcmp(told->rows[i].prefix, rate->prefix) ||
			       told->rows[i].from_ms != rate->from_ms))
		++i;
	cr_assert(lt(sz, i, told->n));
	expect_same(&told->rows[i], rate);
	if (strcmp(told->prefix, rate->prefix) != 0)
		cr_assert(ne(int, strncmp(told->prefix, rate->prefix,
					  strlen(rate->prefix)), 0));
	else
		cr_assert(le(i64, told->to_ms, rate->from_ms));
	(void)snprintf(told->prefix, sizeof(told->prefix), "%s",
		       rate->prefix);
	told->to_ms = rate->to_ms;
	++told->count;

	return 0;
}


static int third_refused(const struct rate *rate, void *arg)
{
	int *n = arg;

	(void)rate;
	return ++*n == 3 ? EIO : 0;
}


static void expect_each(const struct deck *d, const struct rate *rows,
			size_t n)
{
	struct told told = {.rows = rows, .n = n, .prefix = "x"};
	int asked = 0;

	cr_assert(zero(int, deck_each(d, rate_told, &told)));
	cr_assert(eq(sz, told.count, n));
	cr_assert(eq(sz, deck_count(d), n));
	cr_assert(eq(int, deck_each(d, third_refused, &asked), EIO));
	cr_assert(eq(int, asked, 3));
}


Test(deck, agrees_with_a_plain_search)
{
	enum { ROWS = 400, ASKED = 3000 };
	struct rate rows[ROWS];
	uint64_t seed = 3;
	int round, i;

	for (round = 0; round < 10; round++) {
		struct deck_builder *b = builder();
		struct deck *d;
		size_t n = 0;

		for (i = 0; i < ROWS; i++) {
			const int64_t from =
				(int64_t)random_below(&seed, 4) * 10;
			char prefix[16];

			random_digits(&seed, prefix, 7);
			rows[n] = row(prefix, from, from + 10);
			if (plain_find(rows, n, prefix, from) &&
			    !strcmp(plain_find(rows, n, prefix, from)->prefix,
				    prefix))
				continue;
			cr_assert(zero(int, deck_builder_add(b, &rows[n])));
			++n;
		}
		cr_assert(zero(int, deck_build(&d, b)));
		mem_deref(b);
		expect_each(d, rows, n);

		for (i = 0; i < ASKED; i++) {
			const int64_t at = (int64_t)random_below(&seed, 42);
			const struct rate *want, *got;
			struct rate buf;
			char e164[16];

			random_digits(&seed, e164, 12);
			want = plain_find(rows, n, e164, at);
			got = deck_find(d, e164, at, &buf);
			expect_many(d, e164, at, got);
			cr_assert(eq(int, !want, !got));
			if (want)
				expect_same(want, got);
		}
		deck_unref(d);
	}
}
