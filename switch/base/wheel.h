/**
 * @file wheel.h  Hierarchical timer wheel: 4 levels x 256 slots, 10 ms tick,
 * intrusive timers. Start, restart and stop are O(1) whatever is pending.
 * Not thread safe: a wheel belongs to one worker.
 */
#ifndef WHEEL_H
#define WHEEL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_TICK_MS 10

typedef void(wheel_h)(void *arg);

struct wheel;

/** Embedded in the owner; zeroed memory is a stopped timer. */
struct wheel_timer {
	struct wheel_timer *next, *prev; /**< NULL when not running */
	uint64_t due_tick;
	wheel_h *h;
	void *arg;
};

/** @return 0 or ENOMEM. Free with mem_deref(). */
int wheel_alloc(struct wheel **wp, uint64_t now_ms);

/**
 * Start or restart. Fires in wheel_advance() at or after now + delay_ms
 * (rounded up to a tick), never early. The handler may start or stop any
 * timer, also this one.
 */
void wheel_start(struct wheel *w, struct wheel_timer *t, uint64_t delay_ms,
		 wheel_h *h, void *arg);

/** Idempotent. */
void wheel_stop(struct wheel *w, struct wheel_timer *t);

static inline bool wheel_running(const struct wheel_timer *t)
{
	return t->next != NULL;
}

/** Milliseconds until t fires; 0 when due or not running. */
uint64_t wheel_left_ms(const struct wheel *w, const struct wheel_timer *t);

/**
 * Move time forward and fire nothing: what is started from here on counts
 * from this moment, however long ago the last wheel_advance() was.
 */
void wheel_turn(struct wheel *w, uint64_t now_ms);

/**
 * Move time forward and fire what is due, in order of due tick and, within a
 * tick, of start. At most max_fired handlers run (0: no bound); the rest fire
 * in the next call.
 *
 * @return handlers run
 */
size_t wheel_advance(struct wheel *w, uint64_t now_ms, size_t max_fired);

/**
 * Milliseconds from the wheel's now to the next moment at which
 * wheel_advance() may have work (a cascade counts); UINT64_MAX when empty.
 */
uint64_t wheel_next_ms(const struct wheel *w);

size_t wheel_pending(const struct wheel *w);

#endif
