/**
 * @file pool.h  Values of one size, each kept once and known by its number:
 * what many rows share costs each of them four bytes.
 */
#ifndef POOL_H
#define POOL_H
#include <stddef.h>
#include <stdint.h>

struct pool {
	uint8_t *items;
	uint32_t *slots;   /**< 1 + number, by hash; NULL once it fits    */
	size_t item_size, n, size, slot_n;
};

void pool_init(struct pool *p, size_t item_size);

/** @param item  item_size bytes without padding
 *  @param ret   its number
 *  @return 0 or ENOMEM */
int pool_put(struct pool *p, const void *item, uint32_t *ret);

/** Nothing more is put: give back what only that needed. 0 or ENOMEM */
int pool_fit(struct pool *p);

static inline const void *pool_at(const struct pool *p, uint32_t number)
{
	return p->items + number * p->item_size;
}

size_t pool_bytes(const struct pool *p);
void pool_clear(struct pool *p);

#endif
