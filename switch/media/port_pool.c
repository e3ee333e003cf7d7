/**
 * @file port_pool.c  A circle of slots. Ports leave at the front and come
 * back behind the last one, so times of return ascend and the front alone
 * says whether any port has rested enough.
 */
#include "port_pool.h"

#include <assert.h>
#include <re.h>

#include "rng.h"

struct slot {
	uint64_t free_ms; /* not before this moment */
	uint16_t port;
};

struct port_pool {
	struct slot *slots;
	size_t size, head, used;
	uint32_t rest_ms;
};


static void destructor(void *arg)
{
	struct port_pool *p = arg;

	mem_deref(p->slots);
}


static void shuffle(struct port_pool *p, struct rng *rng)
{
	size_t i;

	for (i = p->size - 1; i > 0; i--) {
		const size_t k = rng_below(rng, (uint32_t)i + 1);
		const struct slot swap = p->slots[i];

		p->slots[i] = p->slots[k];
		p->slots[k] = swap;
	}
}


int port_pool_alloc(struct port_pool **pp, uint16_t min, uint16_t max,
		    uint32_t rest_ms, struct rng *rng)
{
	const uint32_t first = min + (min & 1u);
	struct port_pool *p;
	size_t i;

	if (!pp || !rng || !min || first + 1 > max)
		return EINVAL;

	p = mem_zalloc(sizeof(*p), destructor);
	if (!p)
		return ENOMEM;

	p->rest_ms = rest_ms;
	p->size = (max - first + 1u) / 2;
	p->slots = mem_zalloc(p->size * sizeof(*p->slots), NULL);
	if (!p->slots) {
		mem_deref(p);
		return ENOMEM;
	}

	for (i = 0; i < p->size; i++)
		p->slots[i].port = (uint16_t)(first + 2 * i);
	shuffle(p, rng);

	*pp = p;

	return 0;
}


int port_pool_take(struct port_pool *p, uint64_t now_ms, uint16_t *ret_port)
{
	const struct slot *slot = &p->slots[p->head];

	if (p->used == p->size || slot->free_ms > now_ms)
		return ENOSPC;

	p->head = (p->head + 1) % p->size;
	p->used++;
	*ret_port = slot->port;

	return 0;
}


void port_pool_give(struct port_pool *p, uint64_t now_ms, uint16_t port)
{
	struct slot *slot;

	assert(p->used > 0);

	slot = &p->slots[(p->head + p->size - p->used) % p->size];
	slot->port = port;
	slot->free_ms = now_ms + p->rest_ms;
	p->used--;
}


size_t port_pool_size(const struct port_pool *p)
{
	return p->size;
}


size_t port_pool_used(const struct port_pool *p)
{
	return p->used;
}
