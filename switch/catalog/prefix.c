/**
 * @file prefix.c  Sorted prefixes with links upwards. Between a prefix of a
 * number and the number itself, in the order of the keys, everything begins
 * with that prefix: so the last entry that is not above the number has all of
 * its prefixes above it.
 */
#include <errno.h>
#include <stdlib.h>
#include "prefix.h"

/* four bits a character from the top, the length in the lowest four */
#define LENGTH_MASK 15u


static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';

	return c == '*' ? 10 : c == '#' ? 11 : -1;
}


uint64_t prefix_key(const char *digits)
{
	uint64_t key = 0;
	unsigned len = 0;

	if (*digits == '+')
		++digits;

	for (; digits[len]; len++) {
		const int n = nibble(digits[len]);

		if (n < 0 || len == PREFIX_DIGITS_MAX)
			return 0;
		key |= (uint64_t)n << (60 - 4 * len);
	}

	return len ? key | len : 0;
}


int prefix_index_alloc(struct prefix_index *t, uint32_t max)
{
	t->n = 0;
	t->entries = calloc((size_t)max + 1, sizeof(*t->entries));

	return t->entries ? 0 : ENOMEM;
}


void prefix_index_add(struct prefix_index *t, uint64_t key, uint32_t value)
{
	t->entries[t->n++] = (struct prefix_entry){.key = key,
						   .value = value};
}


static int entry_compare(const void *a, const void *b)
{
	const struct prefix_entry *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}


static bool is_prefix(uint64_t key, uint64_t of)
{
	const unsigned len = key & LENGTH_MASK;
	const uint64_t mask = ~UINT64_C(0) << (64 - 4 * len);

	return len <= (of & LENGTH_MASK) && !((key ^ of) & mask);
}


static uint32_t climb(const struct prefix_index *t, uint32_t i, uint64_t key)
{
	while (i != PREFIX_NONE && !is_prefix(t->entries[i].key, key))
		i = t->entries[i].up;

	return i;
}


void prefix_index_build(struct prefix_index *t)
{
	uint32_t i;

	qsort(t->entries, t->n, sizeof(*t->entries), entry_compare);
	for (i = 0; i < t->n; i++)
		t->entries[i].up = climb(t, i ? i - 1 : PREFIX_NONE,
					 t->entries[i].key);
}


uint32_t prefix_find(const struct prefix_index *t, const char *number)
{
	const uint64_t key = prefix_key(number);
	uint32_t from = 0, to = t->n;

	if (!key)
		return PREFIX_NONE;

	while (from < to) {
		const uint32_t mid = from + (to - from) / 2;

		if (t->entries[mid].key <= key)
			from = mid + 1;
		else
			to = mid;
	}

	return climb(t, from ? from - 1 : PREFIX_NONE, key);
}


bool prefix_is_whole(const struct prefix_entry *e, const char *number)
{
	return e->key == prefix_key(number);
}
