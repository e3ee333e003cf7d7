/**
 * @file target_set.h  Who is sought: keyed digests, sorted, in locked memory.
 * The set always has the same size; what is no target is a random digest, so
 * that a lookup does the same and touches the same whether nobody is sought,
 * one or all.
 */
#ifndef TARGET_SET_H
#define TARGET_SET_H
#include "poi_target.h"

struct target_set;

struct target_ref {
	uint32_t id;
	uint8_t want;       /**< enum poi_want, or-ed */
};

#define TARGETS_OF_ONE 8 /**< that one identity may be */

/** Nobody is sought. @return 0, ENOMEM or errno of guarded_alloc() */
int target_set_alloc(struct target_set **sp);
void target_set_free(struct target_set *s);

/** Forget all. With key NULL it has one that nobody knows. */
void target_set_begin(struct target_set *s, const struct poi_key *key);
/** @return 0 or ENOSPC */
int target_set_add(struct target_set *s, const struct poi_target *t);
/** No more come: it may be looked up in. @return how many were added */
uint32_t target_set_close(struct target_set *s);

/** @return how many, 0..TARGETS_OF_ONE */
size_t target_set_find(const struct target_set *s, const char *identity,
		       struct target_ref ret[TARGETS_OF_ONE]);

#endif
