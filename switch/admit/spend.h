/**
 * @file spend.h  What accounts and trunks have spent today on this node, in
 * their tenant's time zone. A day is a number, worked out from the zone's
 * offsets: a change of the clock makes it shorter or longer and nothing else.
 * One owner: the worker.
 */
#ifndef SPEND_H
#define SPEND_H
#include "catalog.h"

struct spends;
struct spend; /**< of one account or trunk */

/** @param key 16 secret bytes for the table. mem_deref() frees. */
int spends_alloc(struct spends **sp, const uint8_t key[16]);

/** Days since 1970-01-01 there. Pure. */
int32_t spend_day(const struct day_clock *clock, int64_t wall_ms);

/**
 * The spend of this row as it is provisioned now: it takes over limit and
 * clock, begins a new day, starts from what the database knew at our start
 * and, after an unlock, from 0. A new reference.
 * @return NULL: no memory
 */
struct spend *spend_get(struct spends *s, const struct catalog *cat,
			const char *id, const struct spend_policy *policy,
			const struct day_clock *clock, int64_t wall_ms);

/** Could that be spent without getting above the limit? */
bool spend_allows(struct spend *s, int64_t micro, int64_t wall_ms);

/** Are running calls cut when it does not? */
bool spend_cuts(const struct spend *s);
/** Does the lock last until somebody unlocks? */
bool spend_locks(const struct spend *s);

/**
 * Held (more than 0) or given back. What was held the day before and comes
 * back today is not today's.
 * @return true: the warning is due, once a day
 */
bool spend_add(struct spend *s, int64_t micro, int64_t wall_ms);

int64_t spend_micro(const struct spend *s);
const char *spend_id(const struct spend *s);
int64_t spend_limit(const struct spend *s);
/** True for the first who asks in a day: somebody has to be told once. */
bool spend_tell_limit(struct spend *s);

#endif
