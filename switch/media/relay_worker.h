/**
 * @file relay_worker.h  The media thread: waits for packets of the lanes that
 * were handed to it, relays them, and does what their mailboxes say.
 */
#ifndef RELAY_WORKER_H
#define RELAY_WORKER_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lane;
struct relay_worker;

/**
 * Start the thread.
 * @param lanes_max  lanes alive at a time, those that close included
 */
int relay_worker_alloc(struct relay_worker **wp, size_t lanes_max);

/** Stop the thread; lanes that were handed over and closed are freed. */
void relay_worker_free(struct relay_worker *w);

/**
 * Before all other threads of the machine but those of a higher priority
 * (SCHED_RR).
 *
 * @param priority  from 1; 0: as any thread
 * @return 0; EPERM: this process may not, nothing has changed
 */
int relay_worker_set_priority(struct relay_worker *w, int priority);

/** Reserve room for one lane. @return false: lanes_max are alive */
bool relay_worker_reserve(struct relay_worker *w);
void relay_worker_unreserve(struct relay_worker *w);

/** Where lanes speak to the worker. */
struct ring *relay_worker_ring(struct relay_worker *w);

#endif
