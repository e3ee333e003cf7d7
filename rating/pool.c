/** @file pool.c  See pool.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "huge.h"
#include "pool.h"


#define ITEMS_MAX INT32_MAX


void pool_init(struct pool *p, size_t item_size)
{
	memset(p, 0, sizeof(*p));
	p->item_size = item_size;
}


/* FNV-1a. The values are the operator's own: nobody aims them. */
static size_t hash(const uint8_t *item, size_t size)
{
	uint64_t h = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < size; i++)
		h = (h ^ item[i]) * UINT64_C(1099511628211);

	return (size_t)(h ^ h >> 32);
}


/* The slot of the item, or the free one where it goes */
static uint32_t *slot_of(const struct pool *p, const void *item)
{
	size_t at = hash(item, p->item_size) & (p->slot_n - 1);

	while (p->slots[at] && memcmp(pool_at(p, p->slots[at] - 1), item,
				      p->item_size) != 0)
		at = (at + 1) & (p->slot_n - 1);

	return &p->slots[at];
}


/* Room for twice as many; slots are never more than half full */
static int grow(struct pool *p)
{
	const size_t size = p->size ? 2 * p->size : 16;
	uint8_t *items;
	uint32_t *slots;

	if (size > ITEMS_MAX)
		return ENOMEM;

	items = realloc(p->items, size * p->item_size);
	if (!items)
		return ENOMEM;
	p->items = items;

	slots = calloc(2 * size, sizeof(*slots));
	if (!slots)
		return ENOMEM;
	free(p->slots);
	p->slots = slots;
	p->slot_n = 2 * size;
	p->size = size;
	for (size_t i = 0; i < p->n; i++)
		*slot_of(p, pool_at(p, (uint32_t)i)) = (uint32_t)i + 1;

	return 0;
}


int pool_put(struct pool *p, const void *item, uint32_t *ret)
{
	uint32_t *slot;

	if (p->n == p->size && grow(p))
		return ENOMEM;

	slot = slot_of(p, item);
	if (!*slot) {
		memcpy(p->items + p->n * p->item_size, item, p->item_size);
		*slot = (uint32_t)++p->n;
	}
	*ret = *slot - 1;

	return 0;
}


int pool_fit(struct pool *p)
{
	uint8_t *items = huge_alloc(p->n * p->item_size + 1);

	if (!items)
		return ENOMEM;

	if (p->n)
		memcpy(items, p->items, p->n * p->item_size);
	free(p->items);
	free(p->slots);
	p->items = items;
	p->slots = NULL;
	p->size = p->n;
	p->slot_n = 0;

	return 0;
}


size_t pool_bytes(const struct pool *p)
{
	return p->size * p->item_size + p->slot_n * sizeof(*p->slots);
}


void pool_clear(struct pool *p)
{
	free(p->items);
	free(p->slots);
	pool_init(p, p->item_size);
}
