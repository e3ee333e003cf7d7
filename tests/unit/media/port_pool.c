#include <criterion/criterion.h>
#include <re.h>
#include "port_pool.h"
#include "rng.h"


static struct port_pool *pool(uint16_t min, uint16_t max)
{
	struct port_pool *p;
	struct rng *rng;

	cr_assert_eq(rng_seeded(&rng, 1), 0);
	cr_assert_eq(port_pool_alloc(&p, min, max, 2000, rng), 0);
	mem_deref(rng);

	return p;
}


Test(port_pool, only_pairs_inside_the_range)
{
	struct port_pool *p = pool(10001, 10006);
	bool seen[2] = {false, false};
	uint16_t port;

	cr_assert_eq(port_pool_size(p), 2); /* 10002, 10004 */
	while (!port_pool_take(p, 0, &port)) {
		cr_assert(port == 10002 || port == 10004);
		cr_assert(!seen[(port - 10002) / 2]);
		seen[(port - 10002) / 2] = true;
	}
	cr_assert(seen[0] && seen[1]);
	cr_assert_eq(port_pool_used(p), 2);
	mem_deref(p);
}


Test(port_pool, last_port_of_all)
{
	struct port_pool *p = pool(65534, 65535);
	uint16_t port;

	cr_assert_eq(port_pool_take(p, 0, &port), 0);
	cr_assert_eq(port, 65534);
	mem_deref(p);
}


Test(port_pool, refuses_an_empty_range)
{
	struct port_pool *p;
	struct rng *rng;

	cr_assert_eq(rng_seeded(&rng, 1), 0);
	cr_assert_eq(port_pool_alloc(&p, 10000, 10000, 0, rng), EINVAL);
	cr_assert_eq(port_pool_alloc(&p, 10002, 10000, 0, rng), EINVAL);
	cr_assert_eq(port_pool_alloc(&p, 0, 10000, 0, rng), EINVAL);
	cr_assert_eq(port_pool_alloc(&p, 65535, 65535, 0, rng), EINVAL);
	mem_deref(rng);
}


Test(port_pool, a_port_rests)
{
	struct port_pool *p = pool(10000, 10001);
	uint16_t port;

	cr_assert_eq(port_pool_take(p, 5000, &port), 0);
	cr_assert_eq(port_pool_take(p, 5000, &port), ENOSPC);
	port_pool_give(p, 6000, port);
	cr_assert_eq(port_pool_used(p), 0);
	cr_assert_eq(port_pool_take(p, 7999, &port), ENOSPC);
	cr_assert_eq(port_pool_take(p, 8000, &port), 0);
	cr_assert_eq(port, 10000);
	mem_deref(p);
}


Test(port_pool, oldest_free_first)
{
	struct port_pool *p = pool(10000, 10007);
	uint16_t port[4], again;
	int i;

	for (i = 0; i < 4; i++)
		cr_assert_eq(port_pool_take(p, 0, &port[i]), 0);

	port_pool_give(p, 10, port[2]);
	port_pool_give(p, 20, port[0]);
	port_pool_give(p, 30, port[3]);
	cr_assert_eq(port_pool_take(p, 9000, &again), 0);
	cr_assert_eq(again, port[2]);
	cr_assert_eq(port_pool_take(p, 9000, &again), 0);
	cr_assert_eq(again, port[0]);
	port_pool_give(p, 9000, port[1]);
	cr_assert_eq(port_pool_take(p, 9000, &again), 0);
	cr_assert_eq(again, port[3]);
	cr_assert_eq(port_pool_take(p, 9000, &again), ENOSPC);
	mem_deref(p);
}


/* Whatever is taken and given, no port is out twice and none is lost. */
Test(port_pool, conserves_ports)
{
	struct port_pool *p = pool(10000, 10063);
	bool is_out[32] = {false};
	uint16_t held[32], port;
	size_t n = 0, i;
	uint64_t now = 0;
	struct rng *rng;

	cr_assert_eq(rng_seeded(&rng, 7), 0);

	for (i = 0; i < 20000; i++) {
		now += rng_below(rng, 200);
		if (rng_below(rng, 2) && n) {
			const size_t k = rng_below(rng, (uint32_t)n);

			port = held[k];
			held[k] = held[--n];
			is_out[(port - 10000) / 2] = false;
			port_pool_give(p, now, port);
		}
		else if (!port_pool_take(p, now, &port)) {
			cr_assert(!is_out[(port - 10000) / 2]);
			is_out[(port - 10000) / 2] = true;
			held[n++] = port;
		}
		cr_assert_eq(port_pool_used(p), n);
	}

	mem_deref(rng);
	mem_deref(p);
}
