/**
 * @file snapshot.c  A short lock makes "read the pointer, count a reference"
 * one step; it is taken once per call, never per packet. Nothing is built or
 * freed while it is held.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include "snapshot.h"

struct snapshot_slot {
	pthread_mutex_t lock;
	struct snapshot *newest;
};

struct snapshot {
	atomic_uint refs;
	uint64_t version;
	void *data;
	snapshot_free_h *freeh;
};


int snapshot_slot_alloc(struct snapshot_slot **sp)
{
	struct snapshot_slot *s;
	int err;

	if (!sp)
		return EINVAL;

	s = calloc(1, sizeof(*s));
	if (!s)
		return ENOMEM;

	err = pthread_mutex_init(&s->lock, NULL);
	if (err) {
		free(s);
		return err;
	}

	*sp = s;

	return 0;
}


void snapshot_slot_free(struct snapshot_slot *s)
{
	if (!s)
		return;

	snapshot_release(s->newest);
	(void)pthread_mutex_destroy(&s->lock);
	free(s);
}


int snapshot_publish(struct snapshot_slot *s, void *data, uint64_t version,
		     snapshot_free_h *freeh)
{
	struct snapshot *snap, *previous;

	snap = calloc(1, sizeof(*snap));
	if (!snap)
		return ENOMEM;

	atomic_init(&snap->refs, 1); /* the slot's */
	snap->version = version;
	snap->data = data;
	snap->freeh = freeh;

	(void)pthread_mutex_lock(&s->lock);
	previous = s->newest;
	s->newest = snap;
	(void)pthread_mutex_unlock(&s->lock);

	snapshot_release(previous);

	return 0;
}


struct snapshot *snapshot_acquire(struct snapshot_slot *s)
{
	struct snapshot *snap;

	(void)pthread_mutex_lock(&s->lock);
	snap = s->newest;
	if (snap)
		(void)snapshot_ref(snap);
	(void)pthread_mutex_unlock(&s->lock);

	return snap;
}


struct snapshot *snapshot_ref(struct snapshot *snap)
{
	unsigned before = atomic_fetch_add_explicit(&snap->refs, 1,
						    memory_order_relaxed);

	assert(before > 0);
	(void)before;

	return snap;
}


void snapshot_release(struct snapshot *snap)
{
	unsigned before;

	if (!snap)
		return;

	before = atomic_fetch_sub_explicit(&snap->refs, 1,
					   memory_order_acq_rel);
	assert(before > 0);
	if (before > 1)
		return;

	if (snap->freeh)
		snap->freeh(snap->data);
	free(snap);
}


void *snapshot_data(const struct snapshot *snap)
{
	return snap ? snap->data : NULL;
}


uint64_t snapshot_version(const struct snapshot *snap)
{
	return snap ? snap->version : 0;
}
