/**
 * @file tests/unit/base/ring.c  Bounds, order, and when the consumer is
 * woken. With several threads: race.c.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include "ring.h"


static bool is_readable(const struct ring *r)
{
	struct pollfd pfd = {.fd = ring_fd(r), .events = POLLIN};

	return poll(&pfd, 1, 0) == 1;
}


Test(ring, is_bounded_and_ordered)
{
	struct ring *r;
	uint32_t i, v;

	cr_assert_eq(ring_alloc(&r, 5, sizeof(v)), 0); /* becomes 8 */
	cr_assert(!ring_pop(r, &v));
	for (i = 0; i < 8; i++)
		cr_assert_eq(ring_push(r, &i), 0);
	cr_assert_eq(ring_push(r, &i), EAGAIN);
	cr_assert_eq(ring_depth(r), 8);

	for (i = 0; i < 8; i++) {
		cr_assert(ring_pop(r, &v));
		cr_assert_eq(v, i);
	}
	cr_assert(!ring_pop(r, &v));
	cr_assert_eq(ring_depth(r), 0);
	cr_assert_eq(ring_high_water(r), 8);

	for (i = 0; i < 100; i++) {
		cr_assert_eq(ring_push(r, &i), 0);
		cr_assert(ring_pop(r, &v));
		cr_assert_eq(v, i);
	}
	ring_free(r);
	ring_free(NULL);
}


Test(ring, refuses_silly_sizes)
{
	struct ring *r;

	cr_assert_eq(ring_alloc(&r, 0, 4), EINVAL);
	cr_assert_eq(ring_alloc(&r, 4, 0), EINVAL);
	cr_assert_eq(ring_alloc(NULL, 4, 4), EINVAL);
}


Test(ring, wakes_only_a_sleeper)
{
	struct ring *r;
	int v = 1;

	cr_assert_eq(ring_alloc(&r, 8, sizeof(v)), 0);
	cr_assert_eq(ring_push(r, &v), 0);
	cr_assert(!is_readable(r), "woken though awake");
	cr_assert(!ring_sleep(r), "may not sleep on a message");

	cr_assert(ring_pop(r, &v));
	cr_assert(ring_sleep(r));
	cr_assert(!is_readable(r));
	cr_assert_eq(ring_push(r, &v), 0);
	cr_assert(is_readable(r));

	ring_wake_clear(r);
	cr_assert(!is_readable(r));
	cr_assert_eq(ring_push(r, &v), 0);
	cr_assert(!is_readable(r), "woken twice in one batch");
	ring_free(r);
}
