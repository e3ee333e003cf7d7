/**
 * @file deck_private.h  How a deck stands in memory: for those who build it
 * and those who look up.
 */
#ifndef DECK_PRIVATE_H
#define DECK_PRIVATE_H
#include <stdatomic.h>
#include "deck.h"
#include "deck_tree.h"
#include "pool.h"

#define ROW_LAST UINT32_C(0x80000000)

/** What rates have in common: nothing that one prefix adds. */
struct shared {
	struct tariff tariff;
	int64_t from_ms, to_ms;
	uint32_t terms;
	uint32_t is_blocked;
};

/** A rate. Its prefix is where the tree has it. */
struct row {
	uint32_t shared;      /**< ROW_LAST: no more rows of this prefix   */
	uint32_t destination;
};

struct deck {
	atomic_uint refs;
	char id[DECK_ID_SIZE];
	char currency[4];
	uint64_t version;
	struct rounding rounding;

	struct deck_tree tree;
	struct row *rows;     /**< as the tree has them; of one prefix by time */
	size_t row_n, prefix_n;
	struct pool shared, terms, destinations;
};

/** What a build left unfinished, too. */
void deck_free(struct deck *d);

#endif
