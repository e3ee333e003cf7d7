/**
 * @file catalog_store.h  Keeps the newest provisioned rows by kind and id,
 * applies row deltas, and builds immutable catalogs from them. Decks that did
 * not change are shared between builds. Runs on the catalog thread (may wait).
 */
#ifndef CATALOG_STORE_H
#define CATALOG_STORE_H
#include "catalog.h"
#include "snapshot.h"

struct catalog_store;
struct pg;

int catalog_store_alloc(struct catalog_store **sp);

/**
 * Fetch what changed since the last version (api_v1.changes) and apply it.
 * @param ret_changed  true when a new build is worth while
 * @return 0; errno of pg: nothing was applied; ENOMEM: applied in part, the
 *         next pull reads everything
 */
int catalog_store_pull(struct catalog_store *s, struct pg *pg,
		       bool *ret_changed);

/**
 * One row: kind "trunk", id, JSON object (NULL: deleted). The door for tests
 * and the simulator as well.
 * @param why  names the faulty member; @return 0 or EINVAL (row not applied)
 */
int catalog_store_put(struct catalog_store *s, const char *kind,
		      const char *id, uint64_t version,
		      const struct json_t *row, char *why, size_t size);

/** Has a day or month been limited since catalog_store_pull_spent()? */
bool catalog_store_lacks_spent(const struct catalog_store *s);

/**
 * What accounts and trunks with limits spent in this day and month in calls
 * that began before a moment (UTC ms); those that were asked before keep what
 * they have. The next build has it.
 * @return 0; errno of pg; ENOMEM
 */
int catalog_store_pull_spent(struct catalog_store *s, struct pg *pg,
			     int64_t before_ms);

/** One rate of a deck put before it; for tests, files and bulk loads. */
int catalog_store_put_rate(struct catalog_store *s, const char *deck_id,
			   const struct rate *rate);

/** Build and publish; the previous catalog goes when its last call ends. */
int catalog_store_publish(struct catalog_store *s, struct snapshot_slot *slot);

/** The last good rows on disk: written to FILE.new, synced, renamed. */
int catalog_store_save(struct catalog_store *s, const char *file);
int catalog_store_load(struct catalog_store *s, const char *file);

#endif
