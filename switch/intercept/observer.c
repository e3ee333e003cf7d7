/**
 * @file observer.c  From the tap into the queues. A queue that is full loses
 * what comes, which is counted with its call and told with the next record of
 * that call that fits, at the place where it is missing.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/random.h>
#include "guarded.h"
#include "observer_private.h"

#define CALLS 4096          /* expected; more are welcome */
#define RTP_HEADER 12

/* Of the queue of SIP the last part is for CALL and END, and of that the last
   for END alone: there is room for one of each session. */
#define END_ROOM (SESSIONS_MAX * (sizeof(struct copy) + 16))
#define CALL_ROOM (4 * END_ROOM)
#define SIP_SIZE_MIN (4 * CALL_ROOM)


static void ring(const struct observer *o)
{
	if (o->cfg.ringh)
		o->cfg.ringh(o->cfg.arg);
}


/* What this source has lost goes with the record. */
static void take_lost(struct copy *c, struct session *one,
		      enum session_source source)
{
	struct session_lost *lost = &one->lost[source];
	int64_t from, to;
	uint32_t n;

	if (!atomic_load_explicit(&lost->n, memory_order_relaxed))
		return;

	/* at the end of a call the media thread may be counting still */
	n = atomic_exchange_explicit(&lost->n, 0, memory_order_acquire);
	from = atomic_load_explicit(&lost->from_ns, memory_order_relaxed);
	to = atomic_load_explicit(&lost->to_ns, memory_order_relaxed);
	if (!c->lost_from_ns || from < c->lost_from_ns)
		c->lost_from_ns = from;
	if (to > c->lost_to_ns)
		c->lost_to_ns = to;
	c->lost[source] = n;
}


static struct copy *reserve(struct copy_queue *q, struct session *one,
			    enum copy_kind kind, int64_t wall_ns, size_t len,
			    size_t spare)
{
	struct copy *c = copy_queue_reserve(q, sizeof(*c) + len, spare);

	if (!c)
		return NULL;

	memset(c, 0, sizeof(*c));
	c->kind = (uint8_t)kind;
	c->session = one->index;
	c->serial = atomic_load_explicit(&one->serial, memory_order_relaxed);
	c->wall_ns = wall_ns;
	c->len = (uint32_t)len;

	return c;
}


static void *room_of(struct copy *c)
{
	return c + 1;
}


static void commit(const struct observer *o, struct copy_queue *q)
{
	copy_queue_commit(q);
	ring(o);
}


void copy_call(struct observer *o, struct session *one, bool is_in_progress,
	       int64_t wall_ns)
{
	while (one->told_n < one->match_n) {
		const size_t left = (size_t)one->match_n - one->told_n;
		const size_t n = MIN(left, POI_MATCHES_MAX);
		struct poi_match *to;
		struct copy *c = reserve(o->sip, one, COPY_CALL, wall_ns,
					 n * sizeof(*to), END_ROOM);

		if (!c) {
			atomic_store(&o->is_broken, true);
			ring(o);
			return;
		}

		c->is_in_progress = is_in_progress;
		to = room_of(c);
		for (size_t i = 0; i < n; i++, one->told_n++) {
			missed_take(o, one, one->matches[one->told_n].id);
			to[i].id = one->matches[one->told_n].id;
			to[i].role = one->matches[one->told_n].role;
		}
		commit(o, o->sip);
	}

	session_want_rtp(one); /* packets come after it */
}


void copy_end(struct observer *o, struct session *one, int64_t wall_ns)
{
	struct copy *c;

	sessions_hide(o->sessions, one);
	c = reserve(o->sip, one, COPY_END, wall_ns, 0, 0);
	if (!c) {
		/* there is room for one of each: it cannot be */
		atomic_store(&o->is_broken, true);
		ring(o);
		return;
	}

	for (int i = 0; i < SESSION_SOURCES; i++)
		take_lost(c, one, (enum session_source)i);
	c->rtp_mark = copy_queue_mark(o->rtp);
	commit(o, o->sip);
}


static uint8_t protocol_of(const struct tap_event *ev)
{
	return ev->transport == SIP_TRANSP_UDP ? IPPROTO_UDP : IPPROTO_TCP;
}


static void set_ends(struct copy *c, const struct tap_event *ev)
{
	const bool is_in = ev->dir == TAP_IN;

	c->leg = ev->leg == TAP_LEG_A ? POI_LEG_A : POI_LEG_B;
	c->direction = is_in ? POI_RECEIVED : POI_SENT;
	c->source = is_in ? ev->peer : ev->local;
	c->destination = is_in ? ev->local : ev->peer;
}


void copy_sip(struct observer *o, struct session *one,
	      const struct tap_event *ev)
{
	struct copy *c = NULL;

	if (ev->len && ev->len <= POI_SIP_MAX)
		c = reserve(o->sip, one, COPY_SIP, ev->wall_ns, ev->len,
			    CALL_ROOM);
	if (!c) {
		session_lose(&one->lost[SESSION_SIP], 1, ev->wall_ns,
			     ev->wall_ns);
		return;
	}

	set_ends(c, ev);
	c->protocol = protocol_of(ev);
	c->attempt = ev->attempt;
	take_lost(c, one, SESSION_SIP);
	memcpy(room_of(c), ev->bytes, ev->len);
	commit(o, o->sip);
}


static void hear_sip(struct observer *o, const struct tap_event *ev)
{
	struct observed *begun = o->beginning;
	struct session *one;

	o->beginning = NULL;
	if (begun)
		exchange_join(o, begun);
	if (ev->retransmission)
		return;

	one = sessions_find(o->sessions, ev->call);
	if (!one) {
		observed_keep(o, ev);
		return;
	}

	if (!one->told_n)
		observed_early(o, ev, one);
	copy_call(o, one, false, ev->wall_ns);
	copy_sip(o, one, ev);
}


static bool is_rtp(const struct tap_event *ev)
{
	return ev->len >= RTP_HEADER && ev->len <= POI_RTP_MAX &&
	       ev->bytes[0] >> 6 == 2;
}


/* On the media thread. Only what came in: what went out is the same. */
static void hear_rtp(struct observer *o, const struct tap_event *ev)
{
	struct session *one;
	enum session_source source;
	struct copy *c = NULL;
	uint32_t serial;

	if (ev->dir != TAP_IN)
		return;
	one = sessions_find(o->sessions, ev->call);
	serial = one ? session_serial(one, ev->call) : 0;
	if (!serial || !atomic_load_explicit(&one->wants_rtp,
					     memory_order_acquire))
		return;

	source = ev->leg == TAP_LEG_A ? SESSION_RTP_A : SESSION_RTP_B;
	if (is_rtp(ev))
		c = reserve(o->rtp, one, COPY_RTP, ev->wall_ns, ev->len, 0);
	if (!c) {
		session_lose(&one->lost[source], 1, ev->wall_ns, ev->wall_ns);
		return;
	}

	set_ends(c, ev);
	c->serial = serial; /* by now it may be another call's */
	c->stream = ev->stream;
	take_lost(c, one, source);
	memcpy(room_of(c), ev->bytes, ev->len);
	commit(o, o->rtp);
}


void observer_hear(const struct tap_event *ev, void *arg)
{
	struct observer *o = arg;

	switch (ev->kind) {

	case TAP_RTP:
		hear_rtp(o, ev);
		break;
	case TAP_SIP:
		hear_sip(o, ev);
		break;
	case TAP_OUTSIDE:
		exchange_hear(o, ev);
		break;
	case TAP_CALL_BEGIN:
		observed_begin(o, ev);
		break;
	case TAP_CALL_PARTY:
		observed_party(o, ev);
		break;
	case TAP_CALL_END:
		observed_end(o, ev);
		break;
	case TAP_CALL_GONE:
		observed_gone(o, ev);
		break;
	case TAP_CALL_ANSWER:
	case TAP_RTCP:
	case TAP_KIND_N:
		break;
	}
}


void observer_publish(struct observer *o, const struct target_set *set)
{
	atomic_store(&o->fresh, set ? set : o->nobody);
	atomic_store(&o->is_looking, true);
}


bool observer_is_in_force(const struct observer *o)
{
	return !atomic_load(&o->is_looking);
}


static void take_fresh(struct observer *o)
{
	const struct target_set *set = atomic_exchange(&o->fresh, NULL);

	if (!set)
		return;

	o->set = set;
	o->generation++;
	if (set == o->nobody)
		memset(o->paces, 0, sizeof(o->paces));
}


/* Those that were looked at go to the end, where the new ones are, too. */
static bool look_at_calls(struct observer *o, int64_t wall_ns)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		struct le *le = list_head(&o->live);
		struct observed *call = le ? le->data : NULL;

		if (!call || call->generation == o->generation)
			return false;

		observed_look(o, call, wall_ns);
		list_unlink(&call->le);
		list_append(&o->live, &call->le, call);
	}

	return true;
}


bool observer_look(struct observer *o, int64_t wall_ns)
{
	if (!atomic_load_explicit(&o->is_looking, memory_order_relaxed))
		return exchanges_look(o, wall_ns);

	if (atomic_load(&o->fresh) && !exchanges_settle(o))
		return true;

	take_fresh(o);
	if (look_at_calls(o, wall_ns))
		return true;

	atomic_store(&o->is_looking, false);
	ring(o);

	return false;
}


struct copy_queue *observer_sip(struct observer *o)
{
	return o->sip;
}


struct copy_queue *observer_rtp(struct observer *o)
{
	return o->rtp;
}


struct sessions *observer_sessions(struct observer *o)
{
	return o->sessions;
}


bool observer_is_broken(struct observer *o)
{
	return atomic_load_explicit(&o->is_broken, memory_order_relaxed) &&
	       atomic_exchange(&o->is_broken, false);
}


static int tables_alloc(struct observer *o)
{
	uint8_t key[16];
	int err;

	if (getrandom(key, sizeof(key), 0) != sizeof(key))
		return EIO;

	err = htab_alloc(&o->calls, CALLS, key);
	if (!err)
		err = htab_alloc(&o->told, CALLS, key);
	if (!err)
		err = htab_alloc(&o->exchanges, CALLS, key);
	if (!err)
		err = sessions_alloc(&o->sessions);
	if (!err)
		err = target_set_alloc(&o->nobody);
	o->set = o->nobody;

	return err;
}


int observer_alloc(struct observer **op, const struct observer_config *cfg)
{
	struct observer *o;
	int err;

	if (cfg->sip_size < SIP_SIZE_MIN)
		return EINVAL;
	o = guarded_alloc(sizeof(*o), true);
	if (!o)
		return errno;

	o->cfg = *cfg;
	err = tables_alloc(o);
	if (!err)
		err = copy_queue_alloc(&o->sip, cfg->sip_size);
	if (!err)
		err = copy_queue_alloc(&o->rtp, cfg->rtp_size);

	if (err)
		observer_free(o);
	else
		*op = o;

	return err;
}


void observer_free(struct observer *o)
{
	if (!o)
		return;

	while (list_head(&o->live))
		observed_free(o, list_head(&o->live)->data);
	exchanges_free(o);
	mem_deref(o->calls);
	mem_deref(o->told);
	copy_queue_free(o->sip);
	copy_queue_free(o->rtp);
	sessions_free(o->sessions);
	target_set_free(o->nobody);
	guarded_free(o, sizeof(*o));
}
