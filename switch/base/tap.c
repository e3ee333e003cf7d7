/**
 * @file tap.c  A few slots. An emitter counts itself into a slot before it
 * reads the handler; whoever detaches takes the handler out, then waits until
 * the count is zero. All of it sequentially consistent: either the emitter
 * sees the empty slot or the detacher sees the emitter.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include "tap.h"

struct observer {
	_Atomic(tap_h *) h; /**< NULL: free; written last */
	_Atomic(void *) arg;
	atomic_uint inside; /**< emitters in this slot    */
};

static struct observer observers[TAP_OBSERVERS];
static atomic_uint observer_n;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;


int tap_attach(tap_h *h, void *arg)
{
	int err = ENOSPC;
	size_t i;

	if (!h)
		return EINVAL;

	(void)pthread_mutex_lock(&lock);
	for (i = 0; i < TAP_OBSERVERS; i++) {
		if (atomic_load(&observers[i].h))
			continue;

		atomic_store(&observers[i].arg, arg);
		atomic_store(&observers[i].h, h);
		atomic_fetch_add(&observer_n, 1);
		err = 0;
		break;
	}
	(void)pthread_mutex_unlock(&lock);

	return err;
}


void tap_detach(tap_h *h, void *arg)
{
	size_t i;

	(void)pthread_mutex_lock(&lock);
	for (i = 0; i < TAP_OBSERVERS; i++) {
		struct observer *o = &observers[i];

		if (atomic_load(&o->h) != h || atomic_load(&o->arg) != arg)
			continue;

		atomic_store(&o->h, NULL);
		atomic_fetch_sub(&observer_n, 1);
		while (atomic_load(&o->inside))
			(void)sched_yield();
		break;
	}
	(void)pthread_mutex_unlock(&lock);
}


bool tap_active(void)
{
	return atomic_load_explicit(&observer_n, memory_order_relaxed) > 0;
}


void tap_emit(const struct tap_event *ev)
{
	size_t i;

	if (!tap_active())
		return;

	for (i = 0; i < TAP_OBSERVERS; i++) {
		struct observer *o = &observers[i];
		tap_h *h;

		/* who finds it empty does not hold a detacher up */
		if (!atomic_load_explicit(&o->h, memory_order_relaxed))
			continue;

		atomic_fetch_add(&o->inside, 1);
		h = atomic_load(&o->h);
		if (h)
			h(ev, atomic_load(&o->arg));
		atomic_fetch_sub(&o->inside, 1);
	}
}
