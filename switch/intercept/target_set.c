/**
 * @file target_set.c  One array of 2^16 entries and a search of 16 steps. It
 * is sorted in place: qsort() would lay a copy on the heap.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include "guarded.h"
#include "target_set.h"

#define ENTRIES POI_TARGETS_MAX

_Static_assert((ENTRIES & (ENTRIES - 1)) == 0, "the search halves");

struct entry {
	uint8_t digest[POI_DIGEST_SIZE];
	struct target_ref ref; /* want 0: nobody */
};

struct target_set {
	struct poi_key key;
	uint8_t unknown[POI_KEY_SIZE]; /* of which a key is made */
	uint32_t n;
	struct entry entries[ENTRIES];
};


static void randomize(void *p, size_t size)
{
	uint8_t *at = p;

	/* it does not fail once the system has begun, but may be cut short */
	while (size) {
		const ssize_t n = getrandom(at, size, 0);

		if (n > 0) {
			at += n;
			size -= (size_t)n;
		}
	}
}


int target_set_alloc(struct target_set **sp)
{
	struct target_set *s = guarded_alloc(sizeof(*s), true);

	if (!s)
		return errno;

	target_set_begin(s, NULL);
	(void)target_set_close(s);
	*sp = s;

	return 0;
}


void target_set_free(struct target_set *s)
{
	guarded_free(s, sizeof(*s));
}


void target_set_begin(struct target_set *s, const struct poi_key *key)
{
	s->n = 0;
	if (key) {
		s->key = *key;
		return;
	}

	randomize(s->unknown, sizeof(s->unknown));
	poi_key_init(&s->key, s->unknown);
}


int target_set_add(struct target_set *s, const struct poi_target *t)
{
	struct entry *e;

	if (s->n == ENTRIES)
		return ENOSPC;

	e = &s->entries[s->n++];
	memcpy(e->digest, t->digest, sizeof(e->digest));
	e->ref.id = t->id;
	e->ref.want = t->want;

	return 0;
}


static bool is_less(const struct entry *a, const uint8_t *digest)
{
	return memcmp(a->digest, digest, POI_DIGEST_SIZE) < 0;
}


static void swap(struct entry *a, struct entry *b)
{
	const struct entry keep = *a;

	*a = *b;
	*b = keep;
}


/* The heap's first n entries, of which only root may be out of place */
static void sift(struct entry *e, size_t root, size_t n)
{
	size_t child;

	while ((child = 2 * root + 1) < n) {
		if (child + 1 < n && is_less(&e[child], e[child + 1].digest))
			child++;
		if (!is_less(&e[root], e[child].digest))
			return;
		swap(&e[root], &e[child]);
		root = child;
	}
}


static void sort(struct entry *e)
{
	size_t i;

	for (i = ENTRIES / 2; i-- > 0;)
		sift(e, i, ENTRIES);
	for (i = ENTRIES; i-- > 1;) {
		swap(&e[0], &e[i]);
		sift(e, 0, i);
	}
}


uint32_t target_set_close(struct target_set *s)
{
	struct entry *rest = &s->entries[s->n];
	const size_t n = ENTRIES - s->n;

	randomize(rest, n * sizeof(*rest));
	for (size_t i = 0; i < n; i++)
		rest[i].ref = (struct target_ref){0, 0};
	sort(s->entries);

	return s->n;
}


/* The first that is not less; always the same number of steps */
static size_t lower_bound(const struct entry *e, const uint8_t *digest)
{
	size_t at = 0;

	for (size_t half = ENTRIES / 2; half; half /= 2)
		at += is_less(&e[at + half - 1], digest) ? half : 0;

	return at;
}


size_t target_set_find(const struct target_set *s, const char *identity,
		       struct target_ref ret[TARGETS_OF_ONE])
{
	uint8_t digest[POI_DIGEST_SIZE];
	size_t at, n = 0;

	poi_digest(digest, &s->key, identity);
	at = lower_bound(s->entries, digest);
	for (; at < ENTRIES && n < TARGETS_OF_ONE; at++) {
		const struct entry *e = &s->entries[at];

		if (memcmp(e->digest, digest, sizeof(digest)) != 0)
			break;
		if (e->ref.want)
			ret[n++] = e->ref;
	}

	return n;
}
