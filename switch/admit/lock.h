/**
 * @file lock.h  Trunks and accounts that this node has locked, at once and
 * whether or not the database has heard of it: a lock holds until its time is
 * over or a later unlock is provisioned. One owner: the worker.
 */
#ifndef LOCK_H
#define LOCK_H
#include "catalog.h"
#include "outcome.h"

struct locks;

/** @param key 16 secret bytes for the table. mem_deref() frees. */
int locks_alloc(struct locks **lp, const uint8_t key[16]);

/**
 * Lock it from now on; until_ms INT64_MAX: until it is unlocked. UTC.
 * @param out  OUT_FRAUD_LOCK or OUT_LIMIT_SPEND
 * @return 0 or ENOMEM
 */
int lock_set(struct locks *l, const char *id, enum outcome out,
	     int64_t now_ms, int64_t until_ms);

/** OUT_OK, or by what it is locked, here or by the catalog. */
enum outcome lock_check(const struct locks *l, const struct catalog *cat,
			const char *id, int64_t now_ms);

#endif
