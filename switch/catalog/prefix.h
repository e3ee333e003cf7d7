/**
 * @file prefix.h  Digit prefixes to values, for lookups by the longest one:
 * a sorted array of packed keys, each with the next shorter prefix of it that
 * is there too. 16 bytes an entry; a lookup is one binary search and at most
 * 15 steps up. Plain memory: built on one thread, read on any.
 */
#ifndef PREFIX_H
#define PREFIX_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PREFIX_DIGITS_MAX 15
#define PREFIX_NONE UINT32_MAX

struct prefix_entry {
	uint64_t key;
	uint32_t up;      /**< index of the next shorter prefix            */
	uint32_t value;
};

struct prefix_index {
	struct prefix_entry *entries;
	uint32_t n;
};

/**
 * 0-9, '*' and '#', at most 15, after an optional '+', as a number whose
 * order is the order of the texts. 0: nothing, or something else.
 */
uint64_t prefix_key(const char *digits);

/** Room for max entries. @return 0 or ENOMEM; free() t->entries. */
int prefix_index_alloc(struct prefix_index *t, uint32_t max);

/** key is of prefix_key(), not 0. No two may be equal. */
void prefix_index_add(struct prefix_index *t, uint64_t key, uint32_t value);

/** After the last prefix_index_add(). */
void prefix_index_build(struct prefix_index *t);

/** The longest entry that is a prefix of, or is, the number: its index; or
 *  PREFIX_NONE. Its next shorter one is entries[i].up. */
uint32_t prefix_find(const struct prefix_index *t, const char *number);

/** Has the entry as many digits as the number that found it? */
bool prefix_is_whole(const struct prefix_entry *e, const char *number);

#endif
