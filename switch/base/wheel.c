/**
 * @file wheel.c  A timer stands at the level of the highest byte in which its
 * due tick differs from the present tick, in the slot named by that byte:
 *
 *   due  = 00 00 03 7f      level 1, slot 03: moves down to level 0, slot 7f
 *   tick = 00 00 01 20      when the tick reaches 00 00 03 00
 *
 * So all timers of one due tick share one list, lists keep the order of start,
 * everything on a lower level is due before everything on a higher one, and
 * the first set bit above the present byte is the next moment with work:
 * empty time is jumped over whatever its length.
 */
#include <assert.h>
#include <errno.h>
#include <re.h>
#include "wheel.h"

enum {
	LEVEL_N = 4,
	SLOT_N = 256,
	LIST_BEYOND = LEVEL_N * SLOT_N, /**< due past the highest level    */
	LIST_READY,                     /**< due, fired by the next advance */
	LIST_FIRING,                    /**< due, fired by this advance     */
	LIST_N,
	LEVEL_BITS = 8,
	TICK_BITS = LEVEL_N * LEVEL_BITS,
};

/* keeps now + delay inside 64 bits */
#define DELAY_MAX_MS ((uint64_t)1 << 62)

struct wheel {
	uint64_t now_ms;
	uint64_t tick;
	size_t pending;
	uint64_t occupied[LIST_N / 64 + 1]; /**< one bit per list        */
	struct wheel_timer list[LIST_N];    /**< heads: next, prev only   */
};


static inline void chain_append(struct wheel *w, size_t i,
				struct wheel_timer *t)
{
	struct wheel_timer *head = &w->list[i];

	t->next = head;
	t->prev = head->prev;
	head->prev->next = t;
	head->prev = t;
	w->occupied[i / 64] |= (uint64_t)1 << (i % 64);
}


static inline void chain_unlink(struct wheel *w, struct wheel_timer *t)
{
	assert(t->next && t->prev);

	/* alone: both neighbours are the head, which knows its bit */
	if (t->next == t->prev) {
		size_t i = (size_t)(t->next - w->list);

		w->occupied[i / 64] &= ~((uint64_t)1 << (i % 64));
	}

	t->next->prev = t->prev;
	t->prev->next = t->next;
	t->next = NULL;
	t->prev = NULL;
}


static inline struct wheel_timer *chain_first(struct wheel *w, size_t i)
{
	struct wheel_timer *head = &w->list[i];

	return head->next == head ? NULL : head->next;
}


static inline bool chain_isempty(const struct wheel *w, size_t i)
{
	return w->list[i].next == &w->list[i];
}


/** Where a timer stands, seen from the present tick. */
static inline size_t list_of(const struct wheel *w, uint64_t due)
{
	size_t level;

	if (due <= w->tick)
		return LIST_READY;

	level = (63 - (size_t)__builtin_clzll(due ^ w->tick)) / LEVEL_BITS;
	if (level >= LEVEL_N)
		return LIST_BEYOND;

	return level * SLOT_N + ((due >> (level * LEVEL_BITS)) & (SLOT_N - 1));
}


/** Put every timer of one list where it stands now, in order. */
static void chain_move(struct wheel *w, size_t from)
{
	struct wheel_timer *head = &w->list[from], *t = head->next, *next;

	head->next = head->prev = head;
	w->occupied[from / 64] &= ~((uint64_t)1 << (from % 64));

	for (; t != head; t = next) {
		next = t->next;
		chain_append(w, list_of(w, t->due_tick), t);
	}
}


/** First occupied slot of a level above a slot; SLOT_N when none. */
static unsigned slot_above(const struct wheel *w, unsigned level,
			   unsigned slot)
{
	const uint64_t *bits = &w->occupied[level * SLOT_N / 64];
	unsigned i = ++slot / 64;
	uint64_t word;

	if (slot >= SLOT_N)
		return SLOT_N;

	word = bits[i] & (~(uint64_t)0 << (slot % 64));
	while (!word && ++i < SLOT_N / 64)
		word = bits[i];

	return word ? i * 64 + (unsigned)__builtin_ctzll(word) : SLOT_N;
}


/**
 * The next tick at which a list is due or has to move down.
 *
 * @param ret_list  That list
 * @return UINT64_MAX when there is none
 */
static uint64_t next_tick(const struct wheel *w, size_t *ret_list)
{
	unsigned level, slot, shift;
	uint64_t upper;

	for (level = 0; level < LEVEL_N; level++) {

		shift = level * LEVEL_BITS;
		slot = slot_above(w, level, (w->tick >> shift) & (SLOT_N - 1));
		if (slot == SLOT_N)
			continue;

		upper = w->tick >> (shift + LEVEL_BITS);
		*ret_list = (size_t)level * SLOT_N + slot;
		return ((upper << LEVEL_BITS) | slot) << shift;
	}

	if (!chain_isempty(w, LIST_BEYOND)) {
		*ret_list = LIST_BEYOND;
		return ((w->tick >> TICK_BITS) + 1) << TICK_BITS;
	}

	return UINT64_MAX;
}


static void destructor(void *arg)
{
	struct wheel *w = arg;
	struct wheel_timer *t;
	size_t i;

	for (i = 0; i < LIST_N; i++) {
		while ((t = chain_first(w, i)))
			chain_unlink(w, t);
	}
}


int wheel_alloc(struct wheel **wp, uint64_t now_ms)
{
	struct wheel *w;
	size_t i;

	if (!wp)
		return EINVAL;

	w = mem_zalloc(sizeof(*w), destructor);
	if (!w)
		return ENOMEM;

	for (i = 0; i < LIST_N; i++)
		w->list[i].next = w->list[i].prev = &w->list[i];

	w->now_ms = now_ms;
	w->tick = now_ms / WHEEL_TICK_MS;
	*wp = w;

	return 0;
}


void wheel_start(struct wheel *w, struct wheel_timer *t, uint64_t delay_ms,
		 wheel_h *h, void *arg)
{
	uint64_t due_ms;

	if (delay_ms > DELAY_MAX_MS)
		delay_ms = DELAY_MAX_MS;

	due_ms = w->now_ms + delay_ms;

	if (t->next)
		chain_unlink(w, t);
	else
		++w->pending;

	t->due_tick = (due_ms + WHEEL_TICK_MS - 1) / WHEEL_TICK_MS;
	t->h = h;
	t->arg = arg;
	chain_append(w, list_of(w, t->due_tick), t);
}


void wheel_stop(struct wheel *w, struct wheel_timer *t)
{
	if (!t->next)
		return;

	chain_unlink(w, t);
	--w->pending;
}


uint64_t wheel_left_ms(const struct wheel *w, const struct wheel_timer *t)
{
	uint64_t due_ms = t->due_tick * WHEEL_TICK_MS;

	if (!t->next || due_ms <= w->now_ms)
		return 0;

	return due_ms - w->now_ms;
}


/** Bring the tick to now; what became due is in LIST_READY, in order. */
static void turn(struct wheel *w, uint64_t now_ms)
{
	const uint64_t target = now_ms / WHEEL_TICK_MS;
	uint64_t next;
	size_t list;

	while ((next = next_tick(w, &list)) <= target) {
		w->tick = next;
		chain_move(w, list);
	}

	w->tick = target;
	w->now_ms = now_ms;
}


void wheel_turn(struct wheel *w, uint64_t now_ms)
{
	if (now_ms > w->now_ms)
		turn(w, now_ms);
}


size_t wheel_advance(struct wheel *w, uint64_t now_ms, size_t max_fired)
{
	struct wheel_timer *t;
	size_t fired = 0;

	wheel_turn(w, now_ms);

	/* what a handler starts without delay waits for the next advance */
	while ((t = chain_first(w, LIST_READY))) {
		chain_unlink(w, t);
		chain_append(w, LIST_FIRING, t);
	}

	while ((t = chain_first(w, LIST_FIRING))) {

		if (max_fired && fired == max_fired)
			break;

		chain_unlink(w, t);
		--w->pending;
		++fired;
		t->h(t->arg);
	}

	return fired;
}


uint64_t wheel_next_ms(const struct wheel *w)
{
	uint64_t next;
	size_t list;

	if (!chain_isempty(w, LIST_READY) || !chain_isempty(w, LIST_FIRING))
		return 0;

	next = next_tick(w, &list);

	return next == UINT64_MAX ? next : next * WHEEL_TICK_MS - w->now_ms;
}


size_t wheel_pending(const struct wheel *w)
{
	return w->pending;
}
