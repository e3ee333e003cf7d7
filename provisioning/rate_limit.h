/**
 * @file rate_limit.h  How many requests a key may make: a token bucket for
 * each, in this process. Thread safe.
 */
#ifndef RATE_LIMIT_H
#define RATE_LIMIT_H
#include <stdbool.h>
#include <stdint.h>

struct rate_limit;

/** What is told to the client. */
struct rate_state {
	uint32_t burst;   /**< tokens of a full bucket                     */
	uint32_t window_s; /**< in which an empty one fills                */
	uint32_t left;    /**< tokens that are left                        */
	uint32_t wait_s;  /**< until there is one again, 0: there is       */
};

/**
 * @param per_s  tokens that come in a second; 0: no limit
 * @param burst  tokens that a bucket holds
 * 0, ENOMEM or EINVAL. mem_deref() frees.
 */
int rate_limit_alloc(struct rate_limit **rp, uint32_t per_s, uint32_t burst);

/** Take one token of this key. false: there is none. */
bool rate_limit_take(struct rate_limit *r, const char *key, uint64_t now_ms,
		     struct rate_state *state);

#endif
