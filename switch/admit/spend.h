/**
 * @file spend.h  What accounts and trunks have spent in this day or month on
 * this node, in their tenant's time zone. A day or month is a number, worked
 * out from the zone's offsets: a change of the clock makes it shorter or
 * longer and nothing else. One owner: the worker.
 */
#ifndef SPEND_H
#define SPEND_H
#include "catalog.h"

struct spends;
struct spend; /**< of one account or trunk, in days or months */

/** @param key 16 secret bytes for the table. mem_deref() frees. */
int spends_alloc(struct spends **sp, const uint8_t key[16]);

/** Spends of a call that is not made, or made on another day: as those of
 *  base, which does not change while this one lives and is changed by nothing
 *  here. */
int spends_draft(struct spends **sp, const struct spends *base);

/** Days or months since 1970-01-01 there. Pure. */
int32_t spend_number(const struct day_clock *clock, enum spend_period period,
		     int64_t wall_ms);

/**
 * The spend of this row as it is provisioned now: it takes over limit and
 * clock, begins a new period, starts from what the database knew at our start
 * and, after an unlock, from 0; the month only when its limit had locked. A
 * new reference.
 * @return NULL: no memory
 */
struct spend *spend_get(struct spends *s, const struct catalog *cat,
			const char *id, enum spend_period period,
			const struct spend_policy *policy,
			const struct day_clock *clock, int64_t wall_ms);

/** Could that be spent without getting above the limit? */
bool spend_allows(struct spend *s, int64_t micro, int64_t wall_ms);

/** Are running calls cut when it does not? */
bool spend_cuts(const struct spend *s);
/** Does the lock last until somebody unlocks? */
bool spend_locks(const struct spend *s);

/**
 * Held (more than 0) or given back. What was held in the period before and
 * comes back in this one is not this one's.
 * @return true: the warning is due, once in a period
 */
bool spend_add(struct spend *s, int64_t micro, int64_t wall_ms);

int64_t spend_micro(const struct spend *s);
const char *spend_id(const struct spend *s);
enum spend_period spend_period(const struct spend *s);
int64_t spend_limit(const struct spend *s);
/** True for the first who asks in a period: somebody has to be told once. */
bool spend_tell_limit(struct spend *s);

#endif
