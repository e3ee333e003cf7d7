/**
 * @file htab.h  Intrusive hash table keyed by SipHash-2-4 with a secret key:
 * peers choose Call-IDs and branches, so an unkeyed hash could be aimed at.
 * Grows by doubling, a few buckets with each insert. Not thread safe.
 */
#ifndef HTAB_H
#define HTAB_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct htab;

/** Embedded in the entry; zeroed memory is "not in a table". */
struct htab_node {
	struct htab_node *next, **link;
	uint64_t hash;
	void *data; /**< the entry */
};

typedef bool(htab_equal_h)(const void *data, const void *key);
typedef bool(htab_each_h)(void *data, void *arg); /**< true stops */

/**
 * @param entries  Expected number; more are welcome
 * @param key      16 secret bytes
 * @return 0 or ENOMEM. mem_deref() to free (entries untouched).
 */
int htab_alloc(struct htab **hp, size_t entries, const uint8_t key[16]);

uint64_t htab_hash(const struct htab *h, const void *bytes, size_t len);

/** Chain two inputs: htab_mix(h, htab_hash(a), b, len) */
uint64_t htab_mix(const struct htab *h, uint64_t seed, const void *bytes,
		  size_t len);

/** A find with this hash is about to come: its place is fetched meanwhile. */
void htab_expect(const struct htab *h, uint64_t hash);

void htab_insert(struct htab *h, struct htab_node *n, uint64_t hash,
		 void *data);
void htab_remove(struct htab *h, struct htab_node *n); /**< idempotent */

/** First entry with this hash for which equal(data, key); NULL if none. */
void *htab_find(const struct htab *h, uint64_t hash, htab_equal_h *equal,
		const void *key);

/** The handler may remove the entry it is given; it may not insert. */
void *htab_each(const struct htab *h, htab_each_h *each, void *arg);
size_t htab_count(const struct htab *h);

uint64_t siphash24(const uint8_t key[16], const void *bytes, size_t len);

#endif
