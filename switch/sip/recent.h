/**
 * @file recent.h  Bounded memory of keyed things: when it is full the oldest
 * goes. What nonces, guesses and known sources are kept in.
 */
#ifndef RECENT_H
#define RECENT_H
#include <re.h>
#include "htab.h"

struct recent;

/** First member of every entry. */
struct recent_entry {
	struct htab_node node;
	struct le le;           /**< oldest first                           */
	uint64_t id;
};

/**
 * @param max   entries kept, > 0
 * @param size  of one entry, which begins with struct recent_entry
 * @param key   16 secret bytes: peers choose what is kept here
 * mem_deref() frees the entries as well. One thread.
 */
int recent_alloc(struct recent **rp, size_t max, size_t size,
		 const uint8_t key[16]);

/** Identity of some bytes; chain by giving the last one as seed (first: 0). */
uint64_t recent_id(const struct recent *r, uint64_t seed, const void *bytes,
		   size_t len);

void *recent_find(const struct recent *r, uint64_t id);

/** The entry that the next recent_add() drops, or NULL when there is room. */
void *recent_victim(const struct recent *r);

/** A new zeroed entry as the youngest; NULL without memory. Borrowed: it is
 *  gone after any later recent_add() that finds it the oldest. */
void *recent_add(struct recent *r, uint64_t id);

/** Make it the youngest. */
void recent_touch(struct recent *r, void *entry);

void recent_drop(struct recent *r, void *entry);
size_t recent_count(const struct recent *r);

#endif
