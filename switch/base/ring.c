/**
 * @file ring.c  Each cell carries a turn number (after D. Vyukov's bounded
 * queue): at position p it is p when free for the producer, p + 1 when the
 * message is there, p + slots when the consumer has taken it.
 *
 * No wake-up is lost: a producer publishes, then looks whether the consumer
 * sleeps; the consumer says that it sleeps, then looks for a message. Both
 * pairs are sequentially consistent, so one of the two sees the other.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "ring.h"

#define CACHE_LINE 64
#define SLOTS_MAX ((size_t)1 << 24)

struct cell {
	atomic_size_t turn;
	uint8_t msg[];
};

/* Producers' and consumer's words lie apart on purpose, so that they do not
   take each other's cache line. NOLINTNEXTLINE(*Padding) */
struct ring {
	uint8_t *cells;
	size_t mask, size, stride;
	int fd;
	_Alignas(CACHE_LINE) atomic_size_t head; /**< producers' next       */
	_Alignas(CACHE_LINE) atomic_size_t tail; /**< written by consumer   */
	atomic_size_t high_water;
	_Alignas(CACHE_LINE) atomic_bool sleeps;
};


static inline struct cell *cell_at(const struct ring *r, size_t pos)
{
	return (struct cell *)(void *)(r->cells + (pos & r->mask) * r->stride);
}


int ring_alloc(struct ring **rp, size_t slots, size_t size)
{
	const size_t align = _Alignof(struct cell);
	struct ring *r;
	size_t n = 2, i;

	if (!rp || !slots || slots > SLOTS_MAX || !size || size > UINT16_MAX)
		return EINVAL;

	while (n < slots)
		n *= 2;

	r = aligned_alloc(CACHE_LINE, sizeof(*r));
	if (!r)
		return ENOMEM;

	memset(r, 0, sizeof(*r));
	r->mask = n - 1;
	r->size = size;
	r->stride = (sizeof(struct cell) + size + align - 1) / align * align;
	r->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (r->fd < 0) {
		int err = errno;

		free(r);
		return err;
	}

	r->cells = calloc(n, r->stride);
	if (!r->cells) {
		ring_free(r);
		return ENOMEM;
	}

	for (i = 0; i < n; i++)
		atomic_init(&cell_at(r, i)->turn, i);

	*rp = r;

	return 0;
}


void ring_free(struct ring *r)
{
	if (!r)
		return;

	(void)close(r->fd);
	free(r->cells);
	free(r);
}


static void high_water_raise(struct ring *r, size_t depth)
{
	size_t seen = atomic_load_explicit(&r->high_water,
					   memory_order_relaxed);

	while (depth > seen &&
	       !atomic_compare_exchange_weak_explicit(
		       &r->high_water, &seen, depth, memory_order_relaxed,
		       memory_order_relaxed))
		;
}


/** Win the next cell. @return NULL when full */
static struct cell *claim(struct ring *r, size_t *ret_pos)
{
	size_t pos = atomic_load_explicit(&r->head, memory_order_relaxed);
	struct cell *cell;
	ptrdiff_t ahead;

	for (;;) {
		cell = cell_at(r, pos);
		ahead = (ptrdiff_t)(atomic_load_explicit(
				&cell->turn, memory_order_acquire) - pos);

		if (ahead < 0)
			return NULL;

		if (ahead > 0) {
			pos = atomic_load_explicit(&r->head,
						   memory_order_relaxed);
			continue;
		}

		if (atomic_compare_exchange_weak_explicit(
			    &r->head, &pos, pos + 1, memory_order_relaxed,
			    memory_order_relaxed))
			break;
	}

	*ret_pos = pos;

	return cell;
}


static void wake(struct ring *r)
{
	const uint64_t one = 1;

	/* only a full counter can refuse, and then the fd is readable */
	if (write(r->fd, &one, sizeof(one)) < 0)
		return;
}


int ring_push(struct ring *r, const void *msg)
{
	struct cell *cell;
	size_t pos;

	cell = claim(r, &pos);
	if (!cell) {
		high_water_raise(r, r->mask + 1);
		return EAGAIN;
	}

	memcpy(cell->msg, msg, r->size);
	atomic_store(&cell->turn, pos + 1);

	/* the load first: an exchange by every producer would cost more */
	if (atomic_load(&r->sleeps) && atomic_exchange(&r->sleeps, false))
		wake(r);

	return 0;
}


bool ring_pop(struct ring *r, void *msg)
{
	const size_t pos = atomic_load_explicit(&r->tail,
						memory_order_relaxed);
	struct cell *cell = cell_at(r, pos);

	if (atomic_load_explicit(&cell->turn, memory_order_acquire) !=
	    pos + 1)
		return false;

	high_water_raise(r, atomic_load_explicit(&r->head,
						 memory_order_relaxed) - pos);

	memcpy(msg, cell->msg, r->size);
	atomic_store_explicit(&cell->turn, pos + r->mask + 1,
			      memory_order_release);
	atomic_store_explicit(&r->tail, pos + 1, memory_order_relaxed);

	return true;
}


int ring_fd(const struct ring *r)
{
	return r->fd;
}


void ring_wake_clear(struct ring *r)
{
	uint64_t count;

	/* not readable: nobody woke us, which is as good */
	if (read(r->fd, &count, sizeof(count)) < 0)
		return;
}


bool ring_sleep(struct ring *r)
{
	const size_t pos = atomic_load_explicit(&r->tail,
						memory_order_relaxed);

	atomic_store(&r->sleeps, true);
	if (atomic_load(&cell_at(r, pos)->turn) != pos + 1)
		return true;

	atomic_store(&r->sleeps, false);

	return false;
}


size_t ring_depth(const struct ring *r)
{
	size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

	/* read one after the other: another thread may have moved both */
	return head - tail <= r->mask + 1 ? head - tail : r->mask + 1;
}


size_t ring_high_water(const struct ring *r)
{
	return atomic_load_explicit(&r->high_water, memory_order_relaxed);
}
