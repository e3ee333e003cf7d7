/**
 * @file observer_exchange.c  What is said outside of calls, by Call-ID and
 * source. Whose it is is known at the end alone: when the INVITE that follows
 * a 401 becomes a call, the trunk's rules have made a number of what was
 * dialled. So it waits HOLD_NS, whoever it is of, and is then copied with its
 * call or as an attempt. A set of targets that changes meanwhile is the next
 * one's: what came before it is looked up in the old one.
 *
 * Anybody can send it: all is bounded, and what is copied of it, too, so that
 * no flood keeps calls from being copied.
 */
#include <string.h>
#include "observer_private.h"

#define HOLD_NS 2000000000LL  /* LI_LATE_US is more, with the second that
				 the worker may sleep */
#define KEPT_NS 32000000000LL /* 64*T1: until then it may come again */
#define EXCHANGES_MAX 4096
#define HELD_MAX (8u << 20)
#define SEEN 16
#define GAP_NS 100000000LL    /* attempts of a target: 10 in a second */
#define BURST_NS (200 * GAP_NS)

struct exchange {
	struct htab_node node;
	struct le le;          /**< of all, the oldest first                */
	struct le due_le;      /**< of those that hold messages             */
	uint8_t id[POI_ID_SIZE];
	bool is_register;
	int64_t begun_ns;
	struct parties parties;
	struct list held;
	uint64_t seen[SEEN];   /**< hashes of what came                     */
	unsigned seen_n;
};


/* Of 128 bits that nobody can aim at or work out. Not the port: a proxy may
   take another one for the second INVITE. */
bool exchange_id(const struct observer *o, uint8_t id[POI_ID_SIZE],
		 const struct tap_event *ev)
{
	uint64_t hash[2];
	uint8_t source[16] = {0};
	const uint32_t v4 = sa_in(&ev->peer);

	if (!ev->dialog_len)
		return false;

	if (sa_af(&ev->peer) == AF_INET6)
		sa_in6(&ev->peer, source);
	else
		memcpy(source, &v4, sizeof(v4));
	hash[0] = htab_hash(o->calls, ev->dialog, ev->dialog_len);
	hash[0] = htab_mix(o->calls, hash[0], source, sizeof(source));
	hash[1] = htab_mix(o->calls, ~hash[0], ev->dialog, ev->dialog_len);
	memcpy(id, hash, sizeof(hash));

	return true;
}


static bool id_equal(const void *data, const void *key)
{
	const struct exchange *x = data;

	return !memcmp(x->id, key, POI_ID_SIZE);
}


static struct exchange *find(const struct observer *o,
			     const uint8_t id[POI_ID_SIZE])
{
	return htab_find(o->exchanges, htab_hash(o->exchanges, id,
						 POI_ID_SIZE), id_equal, id);
}


/* --- what is held */

struct held *held_new(const struct tap_event *ev)
{
	struct held *h = mem_zalloc(sizeof(*h) + ev->len, NULL);

	if (!h)
		return NULL;

	h->ev = *ev;
	h->ev.bytes = h->bytes;
	memcpy(h->bytes, ev->bytes, ev->len);

	return h;
}


size_t held_size(const struct held *h)
{
	return sizeof(*h) + h->ev.len;
}


int64_t held_from_ns(const struct list *list)
{
	const struct held *h = list_head(list)->data;

	return h->ev.wall_ns;
}


void copy_held(struct observer *o, struct session *one,
	       const struct list *list)
{
	const struct le *le;

	copy_call(o, one, false, held_from_ns(list));
	LIST_FOREACH(list, le) {
		const struct held *h = le->data;

		copy_sip(o, one, &h->ev);
	}
}


static void held_drop(struct observer *o, struct exchange *x)
{
	struct le *le;

	while ((le = list_head(&x->held))) {
		struct held *h = le->data;

		o->held -= held_size(h);
		list_unlink(le);
		mem_deref(h);
	}
	list_unlink(&x->due_le);
}


static void hold(struct observer *o, struct exchange *x,
		 const struct tap_event *ev)
{
	struct held *h = held_new(ev);

	if (!h)
		return;

	if (!list_head(&x->held))
		list_append(&o->due, &x->due_le, x);
	list_append(&x->held, &h->le, h);
	o->held += held_size(h);
}


static int64_t last_ns(const struct exchange *x)
{
	const struct held *h = list_tail(&x->held)->data;

	return h->ev.wall_ns;
}


/* --- too many attempts: counted with their targets, and told with the next
   call or attempt of each (copy_call) */

static struct pace *pace_of(struct observer *o, uint32_t id, int64_t wall_ns)
{
	struct pace *p = o->paces;

	for (size_t i = 0; i < PACES; i++) {
		if (o->paces[i].used_ns && o->paces[i].id == id) {
			p = &o->paces[i];
			p->used_ns = wall_ns;
			return p;
		}
		if (o->paces[i].used_ns < p->used_ns)
			p = &o->paces[i];
	}
	*p = (struct pace){.id = id, .used_ns = wall_ns};

	return p;
}


static bool may_tell(struct pace *p, int64_t wall_ns)
{
	if (p->next_ns > wall_ns + BURST_NS || /* the clock was set */
	    p->next_ns < wall_ns - BURST_NS)
		p->next_ns = wall_ns - BURST_NS;
	if (p->next_ns > wall_ns)
		return false;

	p->next_ns += GAP_NS;

	return true;
}


static void miss(struct pace *p, const struct exchange *x)
{
	if (!p->missed)
		p->from_ns = held_from_ns(&x->held);
	p->to_ns = last_ns(x);
	p->missed += list_count(&x->held);
}


void missed_take(struct observer *o, struct session *one, uint32_t id)
{
	for (size_t i = 0; i < PACES; i++) {
		struct pace *p = &o->paces[i];

		if (!p->missed || p->id != id)
			continue;
		session_lose(&one->lost[SESSION_SIP], p->missed, p->from_ns,
			     p->to_ns);
		p->missed = 0;
	}
}


/* --- telling it */

/* Those of the first n of o->found that may be told now. @return how many */
static size_t paced(struct observer *o, const struct exchange *x, size_t n)
{
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		struct pace *p = pace_of(o, o->found[i].id, last_ns(x));

		if (may_tell(p, last_ns(x)))
			o->found[left++] = o->found[i];
		else
			miss(p, x);
	}

	return left;
}


/* To the first n of o->found. A call that is told has the id already. */
static void tell_alone(struct observer *o, const struct exchange *x, size_t n,
		       bool is_taken)
{
	struct session *one;
	uint8_t id[POI_ID_SIZE];

	n = paced(o, x, n);
	if (!n)
		return;

	memcpy(id, x->id, sizeof(id));
	id[POI_ID_SIZE - 1] ^= is_taken;
	one = sessions_claim_attempt(o->sessions, id);
	if (!one) {
		for (size_t i = 0; i < n; i++)
			miss(pace_of(o, o->found[i].id, last_ns(x)), x);
		return;
	}

	one->is_register = x->is_register;
	memcpy(one->matches, o->found, n * sizeof(o->found[0]));
	one->match_n = (uint8_t)n;
	copy_held(o, one, &x->held);
	copy_end(o, one, last_ns(x));
}


static bool has_target(const struct session *one, uint32_t id)
{
	for (uint8_t i = 0; i < one->match_n; i++)
		if (one->matches[i].id == id)
			return true;

	return false;
}


/* With the call that it is of, if that is copied; alone to those who are not
   in the call. What is of nobody yet may be of who is called then.
   @param begun  the call, when this comes before it; else NULL */
static void tell(struct observer *o, struct exchange *x,
		 struct observed *begun)
{
	const struct observed *call = observed_told(o, x->id);
	struct session *one = call ? sessions_find(o->sessions, call->call)
				   : NULL;
	const size_t found = parties_find(o, &x->parties);
	struct le *le;
	size_t n = 0;

	for (size_t i = 0; i < found; i++) {
		if (!one || !has_target(one, o->found[i].id))
			o->found[n++] = o->found[i];
	}

	if (n)
		tell_alone(o, x, n, one && one->told_n);
	if (one)
		copy_held(o, one, &x->held);
	else if (begun && !n)
		LIST_FOREACH(&x->held, le)
			observed_adopt(begun, le->data);
	held_drop(o, x);
}


void exchange_join(struct observer *o, struct observed *call)
{
	struct exchange *x = find(o, call->told);

	if (x && list_head(&x->held))
		tell(o, x, call);
}


/* --- one more message */

static void exchange_destructor(void *arg)
{
	struct exchange *x = arg;

	list_flush(&x->parties.list);
	list_flush(&x->held);
}


static size_t exchange_size(const struct exchange *x)
{
	return sizeof(*x) + x->parties.size;
}


static void exchange_free(struct observer *o, struct exchange *x)
{
	held_drop(o, x);
	o->held -= exchange_size(x);
	htab_remove(o->exchanges, &x->node);
	list_unlink(&x->le);
	mem_deref(x);
}


static void oldest_free(struct observer *o)
{
	struct exchange *x = list_head(&o->all)->data;

	if (list_head(&x->held))
		tell(o, x, NULL);
	exchange_free(o, x);
}


static struct exchange *get(struct observer *o, const struct tap_event *ev)
{
	uint8_t id[POI_ID_SIZE];
	struct exchange *x;

	if (!exchange_id(o, id, ev))
		return NULL;
	x = find(o, id);
	if (x)
		return x;

	if (htab_count(o->exchanges) >= EXCHANGES_MAX)
		oldest_free(o);
	x = mem_zalloc(sizeof(*x), exchange_destructor);
	if (!x)
		return NULL;

	memcpy(x->id, id, sizeof(id));
	x->begun_ns = ev->wall_ns;
	x->is_register = ev->is_register;
	htab_insert(o->exchanges, &x->node,
		    htab_hash(o->exchanges, id, sizeof(id)), x);
	list_append(&o->all, &x->le, x);
	o->held += exchange_size(x);

	return x;
}


/* The same octets in the same direction: no transaction is there to know */
static bool is_again(const struct observer *o, struct exchange *x,
		     const struct tap_event *ev)
{
	const uint8_t dir = (uint8_t)ev->dir;
	const uint64_t hash = htab_mix(o->exchanges, htab_hash(o->exchanges,
							       &dir, 1),
				       ev->bytes, ev->len);

	for (unsigned i = 0; i < SEEN && i < x->seen_n; i++)
		if (x->seen[i] == hash)
			return true;
	x->seen[x->seen_n++ % SEEN] = hash;

	return false;
}


void exchange_hear(struct observer *o, const struct tap_event *ev)
{
	struct exchange *x = get(o, ev);
	char identity[POI_IDENTITY_SIZE];

	if (!x)
		return;

	o->held -= exchange_size(x);
	for (size_t i = 0; i < ev->party_n; i++)
		(void)parties_take(&x->parties, &ev->parties[i], identity);
	o->held += exchange_size(x);
	if (!is_again(o, x, ev))
		hold(o, x, ev);
	while (o->held > HELD_MAX)
		oldest_free(o);
}


/* --- its time is over */

static bool is_over(int64_t from_ns, int64_t wall_ns, int64_t span_ns)
{
	return wall_ns < from_ns || wall_ns - from_ns >= span_ns;
}


bool exchanges_look(struct observer *o, int64_t wall_ns)
{
	struct le *le;
	unsigned n = 0;

	for (; n < LOOKS && (le = list_head(&o->due)); n++) {
		struct exchange *x = le->data;

		if (!is_over(held_from_ns(&x->held), wall_ns, HOLD_NS))
			break;
		tell(o, x, NULL);
	}
	for (unsigned i = 0; i < LOOKS && (le = list_head(&o->all)); i++) {
		struct exchange *x = le->data;

		if (list_head(&x->held) ||
		    !is_over(x->begun_ns, wall_ns, KEPT_NS))
			break;
		exchange_free(o, x);
	}

	return n == LOOKS;
}


bool exchanges_settle(struct observer *o)
{
	if (!o->is_settling)
		o->settle_n = list_count(&o->due);
	o->is_settling = true;

	for (unsigned i = 0; i < LOOKS && o->settle_n && list_head(&o->due);
	     i++, o->settle_n--)
		tell(o, list_head(&o->due)->data, NULL);
	if (o->settle_n && list_head(&o->due))
		return false;

	o->is_settling = false;

	return true;
}


void exchanges_free(struct observer *o)
{
	while (list_head(&o->all))
		exchange_free(o, list_head(&o->all)->data);
	mem_deref(o->exchanges);
}
