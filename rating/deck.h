/**
 * @file deck.h  An immutable rate deck: prefix -> rate, valid in a span of
 * time. Longest prefix wins; a lookup walks a digit tree, then reads one row.
 */
#ifndef DECK_H
#define DECK_H
#include "charge.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECK_ID_SIZE 36
#define RATE_PREFIX_MAX 15
#define RATE_DESTINATION_SIZE 48

/** One row: what a call to this prefix costs. A deck keeps it in 8 bytes:
 *  tariffs with their spans, and destinations, stand once for all rows that
 *  share them, and the prefix is in the tree. */
struct rate {
	char prefix[RATE_PREFIX_MAX + 1];       /**< digits, no '+'          */
	int64_t from_ms, to_ms; /**< UTC [ms]; to_ms INT64_MAX: open end     */
	struct tariff tariff;
	bool is_blocked;        /**< listed, but not to be called            */
	char terms[DECK_ID_SIZE]; /**< id of what else there is to it; ""    */
	char destination[RATE_DESTINATION_SIZE];/**< "Germany mobile"        */
};

struct deck;

struct deck_builder;
/** Collect rows in any order, then build. mem_deref() frees the builder.
 *  @return 0, EINVAL (id too long, currency not three letters, unknown
 *  rounding) or ENOMEM */
int deck_builder_alloc(struct deck_builder **bp, const char *id,
		       uint64_t version, const char currency[4],
		       struct rounding rounding);
/** @return 0, EINVAL (prefix empty or not digits, empty span of time, bad
 *  tariff) or ENOMEM */
int deck_builder_add(struct deck_builder *b, const struct rate *rate);
/** @param dp  one reference, given up by deck_unref(); b stays usable
 *  @return 0, EEXIST (two rows of a prefix valid at once) or ENOMEM */
int deck_build(struct deck **dp, const struct deck_builder *b);

/**
 * Longest prefix of e164 whose rate is valid at at_ms.
 * @param e164  digits only, no '+'
 * @param buf  the row, whole
 * @return buf, NULL when none
 * Pure; any thread.
 */
const struct rate *deck_find(const struct deck *deck, const char *e164,
			     int64_t at_ms, struct rate *buf);

/** What a deck says of a number, without the words. */
struct deck_price {
	const struct tariff *tariff; /**< of the deck; NULL: no rate         */
	const char *terms;           /**< of the deck: id, or ""             */
	bool is_blocked;
};

/**
 * deck_find() in several decks at once: the walks go side by side, so that
 * they wait for memory together. A deck may be NULL. Pure; any thread.
 */
void deck_find_many(const struct deck *const *decks, size_t n,
		    const char *e164, int64_t at_ms, struct deck_price *ret);

const char *deck_id(const struct deck *deck);
const char *deck_currency(const struct deck *deck);
uint64_t deck_version(const struct deck *deck);
struct rounding deck_rounding(const struct deck *deck);
size_t deck_count(const struct deck *deck);        /**< rows               */
/** @return 0 to go on */
typedef int (deck_rate_h)(const struct rate *rate, void *arg);
/** Every row, a shorter prefix before those that continue it and the rows of
 *  one by time; to save or copy a deck. @return what h returned at last */
int deck_each(const struct deck *deck, deck_rate_h *h, void *arg);
/** What a deck takes in memory, for measurements. */
size_t deck_bytes(const struct deck *deck);
size_t deck_prefix_count(const struct deck *deck); /**< different prefixes */

/** Decks are shared between threads: own atomic count, not libre's. */
struct deck *deck_ref(struct deck *deck);
void deck_unref(struct deck *deck);

#endif
