/**
 * @file copy_queue.h  A bounded queue of records of any size from one thread
 * to one other, in guarded memory. No lock, no allocation: a producer that
 * finds it full goes on at once.
 */
#ifndef COPY_QUEUE_H
#define COPY_QUEUE_H
#include <stddef.h>
#include <stdint.h>

struct copy_queue;

/** @param size  octets; a power of two. @return 0, EINVAL, ENOMEM */
int copy_queue_alloc(struct copy_queue **qp, size_t size);
void copy_queue_free(struct copy_queue *q);

/* --- the producer */
/**
 * Room for a record, aligned to 8; it counts when it is committed.
 * @param spare  octets that shall be left when it is in
 * @return NULL: full
 */
void *copy_queue_reserve(struct copy_queue *q, size_t len, size_t spare);
void copy_queue_commit(struct copy_queue *q);

/** How far it is filled, for copy_queue_front(). Any thread. */
uint64_t copy_queue_mark(const struct copy_queue *q);

/* --- the consumer */
/** The oldest record that was committed before the mark; NULL: none. */
const void *copy_queue_front(struct copy_queue *q, uint64_t mark);
void copy_queue_pop(struct copy_queue *q);

#endif
