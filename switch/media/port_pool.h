/**
 * @file port_pool.h  The even ports of one address, oldest free first: a port
 * that was given back rests before it is used again, so that late packets of
 * an old call do not reach a new one. It opens no socket. One thread.
 */
#ifndef PORT_POOL_H
#define PORT_POOL_H
#include <stddef.h>
#include <stdint.h>

struct port_pool;
struct rng;

/**
 * The first round is in random order: a stranger cannot count along.
 * @param min, max  RTP ports lie in min..max - 1 and are even; RTCP is +1
 * @param rest_ms   how long a port rests after it was given back
 * @return 0, EINVAL (no port in the range), ENOMEM. Free with mem_deref().
 */
int port_pool_alloc(struct port_pool **pp, uint16_t min, uint16_t max,
		    uint32_t rest_ms, struct rng *rng);

/** @return 0, or ENOSPC: none is free, or all that are free still rest */
int port_pool_take(struct port_pool *p, uint64_t now_ms, uint16_t *ret_port);

/** Give back a port that was taken here. */
void port_pool_give(struct port_pool *p, uint64_t now_ms, uint16_t port);

/** Pairs of ports in the pool, used or not. */
size_t port_pool_size(const struct port_pool *p);
size_t port_pool_used(const struct port_pool *p);

#endif
