/**
 * @file catalog_rate.h  What a call costs by a deck of the catalog: the rate,
 * the deck of its origin, exchange and taxes, as one price. Lookups are pure
 * and thread safe.
 */
#ifndef CATALOG_RATE_H
#define CATALOG_RATE_H
#include "catalog.h"

/** Who calls whom. */
struct rate_query {
	const char *calling;  /**< digits, or "" when not known             */
	const char *called;   /**< digits                                   */
	int64_t wall_ms;
};

/** The row that was found, and where. Pointers are of the catalog. */
struct rate_hit {
	const struct deck *deck;
	const struct rate_terms *terms; /**< of the rate, or of its deck   */
	struct rate rate;
};

/** The longest prefix in the deck of the call's origin, or in the deck itself.
 *  @return is there any? It may be blocked. */
bool catalog_rate(const struct catalog *c, const struct deck *deck,
		  const struct rate_query *q, struct rate_hit *ret);

/** Terms by the id that a rate names; "": its deck's. NULL: none. */
const struct rate_terms *catalog_terms(const struct catalog *c,
				       const struct deck *deck,
				       const char *id);

/** The deck that calls from this number are looked up in first; NULL: none. */
const struct deck *catalog_origin_deck(const struct catalog *c,
				       const struct deck *deck,
				       const char *calling);

/** Units of quote for one of base at a moment [nano]; EXCHANGE_SAME for the
 *  same; 0: not known. */
int64_t catalog_exchange(const struct catalog *c, const char *base,
			 const char *quote, int64_t wall_ms);

/**
 * The price of a rate in the account's currency.
 * @param max_ms  windows are looked for so far
 * @return false: there is no exchange rate
 */
bool catalog_price(const struct catalog *c, const struct rate_hit *hit,
		   const char *currency, int64_t answered_wall_ms,
		   uint64_t max_ms, struct price *ret);

#endif
