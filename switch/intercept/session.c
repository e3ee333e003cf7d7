/**
 * @file session.c  Ids stand in a sparse array, each within WINDOW places of
 * where its bits say. A lookup reads the whole window: there is no end to be
 * found sooner, and whoever takes an id out moves no other.
 */
#include <errno.h>
#include <string.h>
#include "guarded.h"
#include "session.h"

#define PLACES 16384 /* a quarter is ever in use */
#define WINDOW 16

_Static_assert(PLACES == 4 * SESSIONS_MAX, "sparse");

struct sessions {
	_Atomic uint64_t ids[PLACES + WINDOW];  /* 0: empty */
	_Atomic uint32_t index[PLACES + WINDOW];
	uint32_t serial, next;
	_Atomic uint32_t attempts;              /* in use */
	struct session all[SESSIONS_MAX];
};


int sessions_alloc(struct sessions **sp)
{
	struct sessions *s = guarded_alloc(sizeof(*s), true);

	if (!s)
		return errno;

	for (uint32_t i = 0; i < SESSIONS_MAX; i++)
		s->all[i].index = i;
	*sp = s;

	return 0;
}


void sessions_free(struct sessions *s)
{
	guarded_free(s, sizeof(*s));
}


/* The last half of a UUIDv7 is random but for two bits, which are not 0; an
   attempt's id is random as a whole */
static uint64_t id_of(const uint8_t call[POI_ID_SIZE])
{
	uint64_t id;

	memcpy(&id, call + 8, sizeof(id));

	return id ? id : 1;
}


static size_t place_of(uint64_t id)
{
	return (id >> 16) & (PLACES - 1);
}


struct session *sessions_find(struct sessions *s,
			      const uint8_t call[POI_ID_SIZE])
{
	const uint64_t id = id_of(call);
	const size_t from = place_of(id);
	size_t found = SIZE_MAX;

	for (size_t i = from; i < from + WINDOW; i++)
		if (atomic_load_explicit(&s->ids[i], memory_order_acquire) ==
		    id)
			found = i;

	return found == SIZE_MAX
		       ? NULL
		       : &s->all[atomic_load_explicit(&s->index[found],
						      memory_order_relaxed)];
}


struct session *sessions_at(struct sessions *s, uint32_t index)
{
	return &s->all[index];
}


/* In this order: whoever reads the serial of a later use sees that the id of
 * the earlier one is gone */
uint32_t session_serial(const struct session *one,
			const uint8_t call[POI_ID_SIZE])
{
	const uint32_t serial = atomic_load_explicit(&one->serial,
						     memory_order_acquire);

	return atomic_load_explicit(&one->id, memory_order_acquire) ==
			       id_of(call)
		       ? serial : 0;
}


static struct session *take_free(struct sessions *s)
{
	for (uint32_t i = 0; i < SESSIONS_MAX; i++) {
		struct session *one = &s->all[s->next++ % SESSIONS_MAX];

		if (!atomic_load_explicit(&one->serial, memory_order_acquire))
			return one;
	}

	return NULL;
}


static bool empty_place(const struct sessions *s, uint64_t id,
			uint32_t *ret_place)
{
	const size_t from = place_of(id);

	for (size_t i = from; i < from + WINDOW; i++) {
		if (!atomic_load_explicit(&s->ids[i], memory_order_relaxed)) {
			*ret_place = (uint32_t)i;
			return true;
		}
	}

	return false;
}


struct session *sessions_claim(struct sessions *s,
			       const uint8_t call[POI_ID_SIZE],
			       const uint8_t told[POI_ID_SIZE])
{
	const uint64_t id = id_of(call);
	struct session *one;
	uint32_t place;

	if (!empty_place(s, id, &place))
		return NULL;
	one = take_free(s);
	if (!one)
		return NULL;

	memcpy(one->told, told, sizeof(one->told));
	one->is_attempt = one->is_register = false;
	one->place = place;
	one->match_n = one->told_n = 0;
	atomic_store_explicit(&one->wants_rtp, false, memory_order_relaxed);
	for (int i = 0; i < SESSION_SOURCES; i++)
		atomic_store_explicit(&one->lost[i].n, 0,
				      memory_order_relaxed);
	s->serial = s->serial + 1 ? s->serial + 1 : 1;
	atomic_store_explicit(&one->serial, s->serial, memory_order_release);
	atomic_store_explicit(&one->id, id, memory_order_release);

	atomic_store_explicit(&s->index[place], one->index,
			      memory_order_relaxed);
	atomic_store_explicit(&s->ids[place], id, memory_order_release);

	return one;
}


struct session *sessions_claim_attempt(struct sessions *s,
				       const uint8_t told[POI_ID_SIZE])
{
	struct session *one;

	if (atomic_load_explicit(&s->attempts, memory_order_relaxed) >=
	    ATTEMPTS_MAX)
		return NULL;
	one = sessions_claim(s, told, told);
	if (!one)
		return NULL;

	one->is_attempt = true;
	atomic_fetch_add_explicit(&s->attempts, 1, memory_order_relaxed);

	return one;
}


void session_want_rtp(struct session *one)
{
	uint8_t want = 0;

	for (uint8_t i = 0; i < one->match_n; i++)
		want |= one->matches[i].want;

	atomic_store_explicit(&one->wants_rtp, want & POI_WANT_RTP,
			      memory_order_release);
}


void sessions_hide(struct sessions *s, struct session *one)
{
	atomic_store_explicit(&one->wants_rtp, false, memory_order_release);
	atomic_store_explicit(&one->id, 0, memory_order_release);
	atomic_store_explicit(&s->ids[one->place], 0, memory_order_release);
}


void sessions_release(struct sessions *s, struct session *one)
{
	if (one->is_attempt)
		atomic_fetch_sub_explicit(&s->attempts, 1,
					  memory_order_relaxed);
	one->told_serial = 0;
	memset(one->sent, 0, sizeof(one->sent));
	memset(one->matches, 0, sizeof(one->matches));
	atomic_store_explicit(&one->serial, 0, memory_order_release);
}


void session_lose(struct session_lost *lost, uint32_t more, int64_t from_ns,
		  int64_t to_ns)
{
	if (!atomic_load_explicit(&lost->n, memory_order_relaxed))
		atomic_store_explicit(&lost->from_ns, from_ns,
				      memory_order_relaxed);
	atomic_store_explicit(&lost->to_ns, to_ns, memory_order_relaxed);
	atomic_fetch_add_explicit(&lost->n, more, memory_order_release);
}
