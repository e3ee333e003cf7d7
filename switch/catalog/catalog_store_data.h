/**
 * @file catalog_store_data.h  The inside of the store, for the files that
 * fill, save and build from it. One thread.
 */
#ifndef CATALOG_STORE_DATA_H
#define CATALOG_STORE_DATA_H
#include "catalog_row.h"
#include "catalog_store.h"
#include "htab.h"

#define FEED_SIZE 40 /**< a UUID as text */

/** The newest version of one object. */
struct row {
	struct htab_node node;
	enum row_kind kind;
	char id[REALM_SIZE];
	uint64_t version;
	char *json;                   /**< compact text, for the file       */
	struct row_body *body;
	/* rate decks: either rates are being collected or a deck is built */
	struct deck_builder *builder;
	struct deck *deck;
};

struct catalog_store {
	struct htab *rows;
	size_t counts[ROW_KIND_N];
	uint64_t version;
	struct spend_start *spend_starts; /**< by key                       */
	uint32_t spend_start_n;
	bool lacks_spent;     /**< a limit came that is not among these     */
	char feed[FEED_SIZE]; /**< which database the rows are from; "" none */
};

struct row *catalog_store_find(const struct catalog_store *s,
			       enum row_kind kind, const char *id);

/** Forget every row. */
void catalog_store_clear(struct catalog_store *s);

/**
 * Would this row need its rates again? False when the deck in the store was
 * made from the same rates and rounding.
 */
bool catalog_store_wants_rates(const struct catalog_store *s, const char *id,
			       const struct json_t *row);

/** Build the decks whose rates have been collected. @return 0 or ENOMEM */
int catalog_store_build_decks(struct catalog_store *s);

/** Build a catalog from the rows. @return 0 or ENOMEM */
int catalog_build(struct catalog **cp, struct catalog_store *s);

/** One line in the log and one in the counter. */
void catalog_row_skipped(const char *kind, const char *id, const char *why);

#endif
