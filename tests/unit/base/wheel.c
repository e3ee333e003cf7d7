/**
 * @file tests/unit/base/wheel.c  The wheel against a plain list of timers that
 * is searched whole, under random starts, stops, jumps and bounds.
 */
#include <criterion/criterion.h>
#include <re.h>
#include "rng.h"
#include "wheel.h"

#define N 200

struct world;

struct item {
	struct wheel_timer t;
	struct world *world;
	unsigned id;
	bool on;           /* the model's view from here on */
	uint64_t due_ms;
	uint64_t order;
};

struct world {
	struct wheel *w;
	struct rng *rng;
	struct item item[N];
	uint64_t now_ms, order, advances;
	uint64_t last_tick, last_order; /* of the last one fired */
	size_t fired;
};


static void fire(void *arg);


/* Delays as signalling has them, with a few of days and years. */
static uint64_t delay(struct rng *rng)
{
	static const uint64_t most[] = {1,     50,	 500,	 4000,
					32000, 180000, 7200000, 864000000,
					60000000000};

	const uint32_t i = rng_below(rng, sizeof(most) / sizeof(most[0]));

	return rng_u64(rng) % (most[i] + 1);
}


static void start(struct world *world, struct item *it, uint64_t delay_ms)
{
	it->world = world;
	it->on = true;
	it->due_ms = world->now_ms + delay_ms;
	it->order = ++world->order;
	wheel_start(world->w, &it->t, delay_ms, fire, it);
}


static void stop(struct world *world, struct item *it)
{
	it->on = false;
	wheel_stop(world->w, &it->t);
}


static uint64_t tick_of(const struct item *it)
{
	return (it->due_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
}


static void fire(void *arg)
{
	struct item *it = arg;
	struct world *world = it->world;
	struct item *other = &world->item[rng_below(world->rng, N)];

	cr_assert(it->on, "a stopped timer fired");
	cr_assert(world->now_ms >= it->due_ms, "fired early");
	cr_assert(!wheel_running(&it->t));

	/* order: due tick, then start */
	cr_assert(tick_of(it) >= world->last_tick);
	cr_assert(tick_of(it) > world->last_tick ||
		  it->order > world->last_order);
	world->last_tick = tick_of(it);
	world->last_order = it->order;

	it->on = false;
	++world->fired;

	switch (rng_below(world->rng, 6)) {
	case 0:
		start(world, it, delay(world->rng));
		break;
	case 1:
		start(world, other, delay(world->rng));
		break;
	case 2:
		stop(world, other);
		break;
	default:
		break;
	}
}


/* The model: which are on, and the earliest due tick among them. */
static size_t model(const struct world *world, uint64_t *ret_tick)
{
	size_t i, n = 0;

	*ret_tick = UINT64_MAX;
	for (i = 0; i < N; i++) {
		const struct item *it = &world->item[i];

		if (!it->on)
			continue;
		++n;
		if (tick_of(it) < *ret_tick)
			*ret_tick = tick_of(it);
	}

	return n;
}


static void check(const struct world *world, bool bounded)
{
	uint64_t tick, next = wheel_next_ms(world->w);
	size_t n = model(world, &tick), i;

	cr_assert_eq(wheel_pending(world->w), n);
	cr_assert_eq(next == UINT64_MAX, n == 0);
	if (!n)
		return;

	/* it may wake early to move timers down, never late */
	cr_assert(world->now_ms + next <= tick * WHEEL_TICK_MS ||
		  (next == 0 && tick * WHEEL_TICK_MS <= world->now_ms));
	if (!bounded && tick * WHEEL_TICK_MS > world->now_ms)
		cr_assert(next > 0);

	for (i = 0; i < N; i++) {
		const struct item *it = &world->item[i];
		uint64_t due = tick_of(it) * WHEEL_TICK_MS;

		cr_assert_eq(wheel_running(&it->t), it->on);
		if (it->on)
			cr_assert_eq(wheel_left_ms(world->w, &it->t),
				     due > world->now_ms
					     ? due - world->now_ms
					     : 0);
	}
}


static void advance(struct world *world)
{
	const size_t bound =
		rng_below(world->rng, 4) ? 0 : 1 + rng_below(world->rng, 3);
	size_t before = world->fired, fired;
	uint64_t tick;

	switch (rng_below(world->rng, 8)) {
	case 0:
		world->now_ms += delay(world->rng);
		break;
	case 1:
		if (wheel_next_ms(world->w) != UINT64_MAX)
			world->now_ms += wheel_next_ms(world->w);
		break;
	case 2:
		break;
	default:
		world->now_ms += rng_below(world->rng, 300);
		break;
	}

	/* with no bound everything due is fired; what a handler starts for
	   now waits for the next call, so a second one may be needed */
	world->last_tick = 0;
	world->last_order = 0;
	fired = wheel_advance(world->w, world->now_ms, bound);
	cr_assert_eq(fired, world->fired - before);
	if (bound)
		cr_assert(fired <= bound);

	(void)model(world, &tick);
	if (tick * WHEEL_TICK_MS <= world->now_ms)
		cr_assert_eq(wheel_next_ms(world->w), 0);
	check(world, true);
}


static void play(uint64_t seed, uint64_t begin_ms)
{
	struct world *world = calloc(1, sizeof(*world));
	unsigned i;

	world->now_ms = begin_ms;
	cr_assert_eq(rng_seeded(&world->rng, seed), 0);
	cr_assert_eq(wheel_alloc(&world->w, begin_ms), 0);

	for (i = 0; i < 4000; i++) {
		struct item *it = &world->item[rng_below(world->rng, N)];

		switch (rng_below(world->rng, 4)) {
		case 0:
		case 1:
			start(world, it, delay(world->rng));
			break;
		case 2:
			stop(world, it);
			break;
		default:
			advance(world);
			break;
		}
		check(world, false);
	}

	cr_assert(world->fired > 100, "only %zu fired", world->fired);
	mem_deref(world->w);
	mem_deref(world->rng);
	free(world);
}


Test(wheel, agrees_with_the_model)
{
	uint64_t seed;

	for (seed = 1; seed <= 8; seed++)
		play(seed, seed * 123457);
}


Test(wheel, agrees_across_the_highest_level)
{
	const uint64_t turn = ((uint64_t)1 << 32) * WHEEL_TICK_MS;

	play(11, turn - 5000);
	play(12, turn * 3 - 20);
}


static void count(void *arg)
{
	++*(unsigned *)arg;
}


Test(wheel, never_early_and_at_most_one_tick_late)
{
	struct wheel_timer t = {0};
	struct wheel *w;
	unsigned n = 0;

	cr_assert_eq(wheel_alloc(&w, 1003), 0);
	wheel_start(w, &t, 20, count, &n); /* due at 1023 */
	cr_assert_eq(wheel_left_ms(w, &t), 27);
	wheel_advance(w, 1029, 0);
	cr_assert_eq(n, 0);
	cr_assert_eq(wheel_next_ms(w), 1);
	wheel_advance(w, 1030, 0);
	cr_assert_eq(n, 1);
	cr_assert_eq(wheel_left_ms(w, &t), 0);
	mem_deref(w);
}


Test(wheel, no_delay_fires_in_the_next_advance)
{
	struct wheel_timer t = {0};
	struct wheel *w;
	unsigned n = 0;

	cr_assert_eq(wheel_alloc(&w, 500), 0);
	wheel_start(w, &t, 0, count, &n);
	cr_assert_eq(wheel_next_ms(w), 0);
	cr_assert_eq(wheel_advance(w, 500, 0), 1);
	cr_assert_eq(n, 1);
	mem_deref(w);
}


struct chain {
	struct wheel *w;
	struct wheel_timer t;
	unsigned n;
};


static void again(void *arg)
{
	struct chain *c = arg;

	++c->n;
	wheel_start(c->w, &c->t, 0, again, c);
}


Test(wheel, a_handler_cannot_hold_the_advance)
{
	struct chain c = {0};

	cr_assert_eq(wheel_alloc(&c.w, 0), 0);
	wheel_start(c.w, &c.t, 0, again, &c);
	cr_assert_eq(wheel_advance(c.w, 0, 0), 1);
	cr_assert_eq(wheel_advance(c.w, 100, 0), 1);
	cr_assert_eq(c.n, 2);
	mem_deref(c.w);
	cr_assert(!wheel_running(&c.t));
}


Test(wheel, a_bound_leaves_the_rest_for_the_next_advance)
{
	struct wheel_timer t[5] = {{0}};
	struct wheel *w;
	unsigned n = 0, i;

	cr_assert_eq(wheel_alloc(&w, 0), 0);
	for (i = 0; i < 5; i++)
		wheel_start(w, &t[i], 10 * i, count, &n);

	cr_assert_eq(wheel_advance(w, 1000, 2), 2);
	cr_assert(!wheel_running(&t[1]) && wheel_running(&t[2]));
	cr_assert_eq(wheel_next_ms(w), 0);
	cr_assert_eq(wheel_left_ms(w, &t[2]), 0);
	wheel_stop(w, &t[3]);
	cr_assert_eq(wheel_advance(w, 1000, 2), 2);
	cr_assert_eq(wheel_advance(w, 1000, 2), 0);
	cr_assert_eq(n, 4);
	mem_deref(w);
}


Test(wheel, next_forgets_what_was_stopped)
{
	struct wheel_timer a = {0}, b = {0};
	struct wheel *w;
	unsigned n = 0;

	cr_assert_eq(wheel_alloc(&w, 0), 0);
	wheel_start(w, &a, 100, count, &n);
	wheel_start(w, &b, 200, count, &n);
	cr_assert_eq(wheel_next_ms(w), 100);
	wheel_stop(w, &a);
	cr_assert_eq(wheel_next_ms(w), 200);
	wheel_start(w, &b, 50, count, &n);
	cr_assert_eq(wheel_next_ms(w), 50);
	wheel_stop(w, &b);
	cr_assert_eq(wheel_next_ms(w), UINT64_MAX);
	mem_deref(w);
}


Test(wheel, time_that_goes_back_is_ignored)
{
	struct wheel_timer t = {0};
	struct wheel *w;
	unsigned n = 0;

	cr_assert_eq(wheel_alloc(&w, 10000), 0);
	cr_assert_eq(wheel_advance(w, 20, 0), 0);
	wheel_start(w, &t, 100, count, &n);
	wheel_advance(w, 10090, 0);
	cr_assert_eq(n, 0);
	wheel_advance(w, 10100, 0);
	cr_assert_eq(n, 1);
	mem_deref(w);
}


/* A tick-by-tick wheel would need 10^17 steps for this one. */
Test(wheel, a_jump_costs_what_is_pending)
{
	struct wheel_timer t = {0}, never = {0};
	struct wheel *w;
	unsigned n = 0;

	cr_assert_eq(wheel_alloc(&w, 0), 0);
	cr_assert_eq(wheel_next_ms(w), UINT64_MAX);
	wheel_start(w, &t, (uint64_t)1 << 60, count, &n);
	wheel_start(w, &never, UINT64_MAX, count, &n);
	cr_assert_eq(wheel_advance(w, ((uint64_t)1 << 60) + 10, 0), 1);
	cr_assert_eq(wheel_pending(w), 1);
	wheel_stop(w, &never);
	wheel_stop(w, &never);
	cr_assert_eq(wheel_pending(w), 0);
	cr_assert_eq(wheel_next_ms(w), UINT64_MAX);
	mem_deref(w);
}
