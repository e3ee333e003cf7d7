/**
 * @file ring.h  Bounded multi-producer single-consumer ring of fixed-size
 * value messages with one eventfd. Bytes cross threads, objects never do.
 */
#ifndef RING_H
#define RING_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ring;

/**
 * @param slots  Rounded up to a power of two
 * @param size   Bytes per message
 * @return 0, ENOMEM or the eventfd's errno. Free with ring_free().
 */
int ring_alloc(struct ring **rp, size_t slots, size_t size);
void ring_free(struct ring *r);

/**
 * Copy one message in. Any thread. The consumer is woken once per batch: the
 * eventfd is written only when the consumer said that it sleeps.
 *
 * @return 0, or EAGAIN when full (counted by the caller)
 */
int ring_push(struct ring *r, const void *msg);

/** Copy one message out; false when empty. Consumer thread only. */
bool ring_pop(struct ring *r, void *msg);

/** The eventfd, for epoll. */
int ring_fd(const struct ring *r);

/**
 * Consumer: clear the eventfd before popping; returns nothing of interest.
 * Then pop until empty, then ring_sleep().
 */
void ring_wake_clear(struct ring *r);

/** Consumer is about to wait. @return false if messages came meanwhile. */
bool ring_sleep(struct ring *r);

/** Messages waiting (approximate) and the highest ever seen. */
size_t ring_depth(const struct ring *r);
size_t ring_high_water(const struct ring *r);

#endif
