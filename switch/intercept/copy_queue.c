/**
 * @file copy_queue.c  Positions only grow. A record does not wrap: what is
 * left of the end is skipped by a record without content.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "copy_queue.h"
#include "guarded.h"

#define LINE 64
#define HEAD 8   /* octets before each record */

struct head {
	uint32_t size; /* of all, head included */
	uint32_t is_skip;
};

struct copy_queue {
	size_t size;
	_Alignas(LINE) _Atomic uint64_t head; /* the producer's */
	uint64_t reserved;                    /* what commit makes of it */
	uint64_t tail_seen;
	_Alignas(LINE) _Atomic uint64_t tail; /* the consumer's */
	_Alignas(LINE) uint8_t bytes[];
};


int copy_queue_alloc(struct copy_queue **qp, size_t size)
{
	struct copy_queue *q;

	if (size < 4096 || (size & (size - 1)))
		return EINVAL;

	q = guarded_alloc(sizeof(*q) + size, false);
	if (!q)
		return ENOMEM;

	q->size = size;
	*qp = q;

	return 0;
}


void copy_queue_free(struct copy_queue *q)
{
	if (q)
		guarded_free(q, sizeof(*q) + q->size);
}


static struct head *head_at(struct copy_queue *q, uint64_t position)
{
	return (void *)&q->bytes[position & (q->size - 1)];
}


static bool has_room(struct copy_queue *q, uint64_t until)
{
	if (until - q->tail_seen <= q->size)
		return true;

	q->tail_seen = atomic_load_explicit(&q->tail, memory_order_acquire);

	return until - q->tail_seen <= q->size;
}


void *copy_queue_reserve(struct copy_queue *q, size_t len, size_t spare)
{
	const size_t size = HEAD + ((len + 7) & ~(size_t)7);
	uint64_t at = atomic_load_explicit(&q->head, memory_order_relaxed);
	const size_t left = q->size - (at & (q->size - 1));
	const uint64_t begin = size > left ? at + left : at;
	struct head *head;

	if (size > q->size || !has_room(q, begin + size + spare))
		return NULL;

	if (begin != at)
		*head_at(q, at) = (struct head){(uint32_t)left, 1};
	head = head_at(q, begin);
	*head = (struct head){(uint32_t)size, 0};
	q->reserved = begin + size;

	return head + 1;
}


void copy_queue_commit(struct copy_queue *q)
{
	atomic_store_explicit(&q->head, q->reserved, memory_order_release);
}


uint64_t copy_queue_mark(const struct copy_queue *q)
{
	return atomic_load_explicit(&q->head, memory_order_acquire);
}


static void skip(struct copy_queue *q, uint64_t tail)
{
	atomic_store_explicit(&q->tail, tail + head_at(q, tail)->size,
			      memory_order_release);
}


const void *copy_queue_front(struct copy_queue *q, uint64_t mark)
{
	uint64_t tail;

	for (;;) {
		tail = atomic_load_explicit(&q->tail, memory_order_relaxed);
		if (tail >= mark)
			return NULL;
		if (!head_at(q, tail)->is_skip)
			return head_at(q, tail) + 1;
		skip(q, tail);
	}
}


void copy_queue_pop(struct copy_queue *q)
{
	skip(q, atomic_load_explicit(&q->tail, memory_order_relaxed));
}
