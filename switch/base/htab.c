/**
 * @file htab.c  Chained buckets; the hash is kept in the node so that a find
 * touches a key only when all 64 bits agree, and growing hashes nothing again.
 * Growing is spread over the inserts that follow, so that none of a million
 * entries' owners waits for the move of all.
 */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <re.h>
#include "htab.h"

#define BUCKETS_MIN 16
#define BUCKETS_MAX ((size_t)1 << 28)
#define MOVE_STEP 4 /**< old buckets an insert moves; 2 would be enough */

struct bucket {
	struct htab_node *first;
};

struct htab {
	struct bucket *bucket;
	size_t mask;
	size_t count;
	struct bucket *old; /**< NULL, or what is still being emptied     */
	size_t old_mask, moved; /**< old buckets below moved are empty    */
	uint8_t key[16];
};

struct sip_state {
	uint64_t v0, v1, v2, v3;
};


static inline uint64_t rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}


static inline uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));

	return le64toh(v);
}


static inline void sip_round(struct sip_state *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}


static inline void sip_begin(struct sip_state *s, const uint8_t key[16])
{
	uint64_t k0 = load_le64(key);
	uint64_t k1 = load_le64(key + 8);

	s->v0 = k0 ^ 0x736f6d6570736575u;
	s->v1 = k1 ^ 0x646f72616e646f6du;
	s->v2 = k0 ^ 0x6c7967656e657261u;
	s->v3 = k1 ^ 0x7465646279746573u;
}


static inline void sip_word(struct sip_state *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	sip_round(s);
	s->v0 ^= m;
}


/** @param total  Bytes of the whole message, what sip_word() took included */
static uint64_t sip_end(struct sip_state *s, const uint8_t *p, size_t len,
			size_t total)
{
	uint64_t last = (uint64_t)total << 56;
	size_t i;

	for (; len >= 8; p += 8, len -= 8)
		sip_word(s, load_le64(p));

	for (i = 0; i < len; i++)
		last |= (uint64_t)p[i] << (8 * i);

	sip_word(s, last);

	s->v2 ^= 0xff;
	sip_round(s);
	sip_round(s);
	sip_round(s);
	sip_round(s);

	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}


uint64_t siphash24(const uint8_t key[16], const void *bytes, size_t len)
{
	struct sip_state s;

	sip_begin(&s, key);

	return sip_end(&s, bytes, len, len);
}


static void destructor(void *arg)
{
	struct htab *h = arg;

	OPENSSL_cleanse(h->key, sizeof(h->key));
	free(h->bucket);
	free(h->old);
}


int htab_alloc(struct htab **hp, size_t entries, const uint8_t key[16])
{
	struct htab *h;
	size_t n = BUCKETS_MIN;

	if (!hp || !key)
		return EINVAL;

	while (n / 2 < entries && n < BUCKETS_MAX)
		n *= 2;

	h = mem_zalloc(sizeof(*h), destructor);
	if (!h)
		return ENOMEM;

	h->bucket = calloc(n, sizeof(*h->bucket));
	if (!h->bucket) {
		mem_deref(h);
		return ENOMEM;
	}

	h->mask = n - 1;
	memcpy(h->key, key, sizeof(h->key));
	*hp = h;

	return 0;
}


uint64_t htab_hash(const struct htab *h, const void *bytes, size_t len)
{
	return siphash24(h->key, bytes, len);
}


uint64_t htab_mix(const struct htab *h, uint64_t seed, const void *bytes,
		  size_t len)
{
	struct sip_state s;

	sip_begin(&s, h->key);
	sip_word(&s, seed);

	return sip_end(&s, bytes, len, len + sizeof(seed));
}


static void link_node(struct bucket *bucket, struct htab_node *n)
{
	n->next = bucket->first;
	if (n->next)
		n->next->link = &n->next;

	n->link = &bucket->first;
	bucket->first = n;
}


/** Empty a few old buckets into the new ones. */
static void move_some(struct htab *h)
{
	struct htab_node *n, *next;
	unsigned i;

	for (i = 0; i < MOVE_STEP && h->moved <= h->old_mask; i++) {

		for (n = h->old[h->moved].first; n; n = next) {
			next = n->next;
			link_node(&h->bucket[n->hash & h->mask], n);
		}

		h->old[h->moved++].first = NULL;
	}

	if (h->moved > h->old_mask) {
		free(h->old);
		h->old = NULL;
	}
}


/** Without memory the chains get longer: slower, never wrong. */
static void grow(struct htab *h)
{
	struct bucket *bucket;

	if (h->mask + 1 >= BUCKETS_MAX)
		return;

	/* calloc: fresh pages are zero without being touched */
	bucket = calloc((h->mask + 1) * 2, sizeof(*bucket));
	if (!bucket)
		return;

	h->old = h->bucket;
	h->old_mask = h->mask;
	h->moved = 0;
	h->bucket = bucket;
	h->mask = h->mask * 2 + 1;
}


void htab_insert(struct htab *h, struct htab_node *n, uint64_t hash,
		 void *data)
{
	assert(!n->link);

	/* at most half full: every node passed on the way is a cache miss */
	if (h->count * 2 > h->mask && !h->old)
		grow(h);
	if (h->old)
		move_some(h);

	n->hash = hash;
	n->data = data;
	link_node(&h->bucket[hash & h->mask], n);
	++h->count;
}


void htab_remove(struct htab *h, struct htab_node *n)
{
	if (!n->link)
		return;

	*n->link = n->next;
	if (n->next)
		n->next->link = n->link;

	n->next = NULL;
	n->link = NULL;
	--h->count;
}


static void *chain_find(const struct htab_node *n, uint64_t hash,
			htab_equal_h *equal, const void *key)
{
	for (; n; n = n->next) {
		if (n->hash == hash && equal(n->data, key))
			return n->data;
	}

	return NULL;
}


void htab_expect(const struct htab *h, uint64_t hash)
{
	__builtin_prefetch(&h->bucket[hash & h->mask]);
}


void *htab_find(const struct htab *h, uint64_t hash, htab_equal_h *equal,
		const void *key)
{
	void *data;

	if (!h)
		return NULL;

	data = chain_find(h->bucket[hash & h->mask].first, hash, equal,
			  key);
	if (!data && h->old)
		data = chain_find(h->old[hash & h->old_mask].first, hash,
				  equal, key);

	return data;
}


static void *buckets_each(const struct bucket *bucket, size_t mask,
			  htab_each_h *each, void *arg)
{
	struct htab_node *n, *next;
	void *data;
	size_t i;

	for (i = 0; i <= mask; i++) {
		for (n = bucket[i].first; n; n = next) {
			next = n->next;
			data = n->data;
			if (each(data, arg))
				return data;
		}
	}

	return NULL;
}


void *htab_each(const struct htab *h, htab_each_h *each, void *arg)
{
	void *data = NULL;

	if (!h)
		return NULL;

	if (h->old)
		data = buckets_each(h->old, h->old_mask, each, arg);
	if (!data)
		data = buckets_each(h->bucket, h->mask, each, arg);

	return data;
}


size_t htab_count(const struct htab *h)
{
	return h ? h->count : 0;
}
