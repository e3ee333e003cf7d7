/**
 * @file tests/unit/base/tap.c  Everybody hears everything while attached. With
 * several threads: race.c.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdatomic.h>
#include "tap.h"


static void count(const struct tap_event *ev, void *arg)
{
	atomic_uint *n = arg;

	cr_assert_eq(ev->kind, TAP_SIP);
	++*n;
}


Test(tap, all_hear_until_detached)
{
	const struct tap_event ev = {.kind = TAP_SIP};
	atomic_uint a = 0, b = 0;

	cr_assert(!tap_active());
	tap_emit(&ev);

	cr_assert_eq(tap_attach(count, &a), 0);
	cr_assert(tap_active());
	tap_emit(&ev);
	cr_assert_eq(tap_attach(count, &b), 0);
	tap_emit(&ev);
	cr_assert_eq(a, 2);
	cr_assert_eq(b, 1);

	tap_detach(count, &a);
	tap_emit(&ev);
	cr_assert_eq(a, 2);
	cr_assert_eq(b, 2);

	tap_detach(count, &a);
	cr_assert(tap_active());
	tap_detach(count, &b);
	cr_assert(!tap_active());
}


Test(tap, is_bounded)
{
	atomic_uint n[TAP_OBSERVERS + 1];
	size_t i;

	for (i = 0; i < TAP_OBSERVERS; i++)
		cr_assert_eq(tap_attach(count, &n[i]), 0);
	cr_assert_eq(tap_attach(count, &n[i]), ENOSPC);
	cr_assert_eq(tap_attach(NULL, NULL), EINVAL);

	tap_detach(count, &n[1]);
	cr_assert_eq(tap_attach(count, &n[i]), 0);
}
