/**
 * @file li_call.c  From messages of a switch to PDUs.
 */
#include "li_call.h"
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include "htab.h"
#include "rng.h"
#include "text.h"
#include "x23_pdu.h"

#define BLOCK 4096           /**< numbers that are reserved at once         */
#define BLOCK_AHEAD 1024     /**< a new block is reserved so far before     */
#define UNREAD_FROM (1u << 24) /**< where numbers begin that nobody knows:
				    four days of RTP of both sides         */
#define MATCHES_MAX 32
#define CALLS_MAX 10000
#define BLOCKS_MAX 50000
#define BLOCK_KEPT_US (24 * 3600 * 1000000LL)

/** X2 and X3 are numbered by XID, as PDUs say it, and correlation: tasks of
 *  one product and calls of one correlation share their numbers. */
struct number_key {
	uint8_t xid[LI_UUID_SIZE];
	uint8_t scope[POI_ID_SIZE]; /**< a call, or a task's correlation    */
};

struct numbers {
	struct le le;
	struct htab_node node;
	struct number_key key;
	int64_t row;               /**< of their block                      */
	uint32_t seq[2], end[2];   /**< next number, and end of the block,
					of X2 and X3                        */
	unsigned flow_n;           /**< that use them                       */
	bool is_broken;            /**< copies may be lost: a link broke    */
};

/** One task's share of one call. */
struct flow {
	struct le le;
	uint8_t xid[LI_UUID_SIZE];
	enum li_owner owner;
	struct li_task *task;      /**< weak: li_calls_follow() renews it,
					before anything else is delivered   */
	struct numbers *numbers;   /**< shared, of li_calls                 */
	uint64_t sent[2];
	enum x23_direction a_side; /**< of what comes from leg A            */
	char target[X23_TARGETS][512];
	size_t target_n;
	bool is_seen;
};

struct match {
	char identity[POI_IDENTITY_SIZE];
	uint8_t role;
};

struct call {
	struct htab_node node;
	struct le le;
	uint8_t id[POI_ID_SIZE];
	uint32_t from;
	bool in_progress;          /**< it may have been copied before      */
	struct match match[MATCHES_MAX];
	size_t match_n;
	struct list flows;
};

/** Numbers that nobody uses now: of an earlier life, of a call whose switch is
 *  away, or of one that is over for a task, but may come again for it. */
struct block {
	struct le le;
	struct htab_node node;
	struct number_key key;
	int64_t row, seen_us;
	uint32_t end[2];
	bool is_broken;            /**< copies may be lost: the link broke  */
};

struct li_calls {
	const struct li_settings *settings;
	struct li_store *store;
	const struct li_registry *registry;
	struct li_delivery *delivery;
	const struct li_index *index;
	struct htab *by_id;        /**< calls                               */
	struct htab *numbers_by, *blocks_by; /**< keys                      */
	struct list calls, numbers, blocks;
	bool is_dirty;             /**< blocks are written, not committed   */
	bool owes;                 /**< a block could not be written        */
	bool is_unread;            /**< a block could not be read           */
	uint64_t rollbacks;        /**< of the store, that were looked at   */
	li_flow_h *h;
	void *arg;
	uint8_t pdu[X23_PDU_MAX];
};


static void calls_destructor(void *arg)
{
	struct li_calls *c = arg;

	list_flush(&c->calls);
	list_flush(&c->numbers);
	list_flush(&c->blocks);
	mem_deref(c->by_id);
	mem_deref(c->numbers_by);
	mem_deref(c->blocks_by);
}


static void call_destructor(void *arg)
{
	struct call *call = arg;

	list_unlink(&call->le);
	list_flush(&call->flows);
	OPENSSL_cleanse(call->match, sizeof(call->match));
}


static void flow_destructor(void *arg)
{
	struct flow *f = arg;

	list_unlink(&f->le);
	OPENSSL_cleanse(f->target, sizeof(f->target));
}


static void numbers_destructor(void *arg)
{
	struct numbers *n = arg;

	list_unlink(&n->le);
}


static void block_destructor(void *arg)
{
	struct block *b = arg;

	list_unlink(&b->le);
}


int li_calls_alloc(struct li_calls **cp, const struct li_settings *s,
		   struct li_store *store, const struct li_registry *registry,
		   struct li_delivery *delivery, const struct li_index *index,
		   li_flow_h *h, void *arg)
{
	struct li_calls *c = mem_zalloc(sizeof(*c), calls_destructor);
	uint8_t key[16];
	int err;

	if (!c)
		return ENOMEM;

	c->settings = s;
	c->store = store;
	c->registry = registry;
	c->delivery = delivery;
	c->index = index;
	c->rollbacks = li_store_rollbacks(store);
	c->h = h;
	c->arg = arg;
	err = RAND_bytes(key, sizeof(key)) == 1 ? 0 : EIO;
	err = err ? err : htab_alloc(&c->by_id, 256, key);
	err = err ? err : htab_alloc(&c->numbers_by, 256, key);
	err = err ? err : htab_alloc(&c->blocks_by, 1024, key);
	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


/** What is being loaded, and who hears of what cannot be. */
struct load {
	struct li_calls *c;
	li_registry_unread_h *h;
	void *arg;
};


static uint64_t key_hash(const struct htab *h, const struct number_key *k)
{
	return htab_hash(h, k, sizeof(*k));
}


static bool key_equal(const struct number_key *a, const struct number_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}


static void block_add(struct li_calls *c, struct block *b)
{
	list_append(&c->blocks, &b->le, b);
	htab_insert(c->blocks_by, &b->node, key_hash(c->blocks_by, &b->key), b);
}


static void block_drop(struct li_calls *c, struct block *b)
{
	htab_remove(c->blocks_by, &b->node);
	mem_deref(b);
}


static int block_read(struct li_calls *c, int64_t row, const char *bytes)
{
	struct block *b;
	char xid[40], scope[40];

	b = mem_zalloc(sizeof(*b), block_destructor);
	if (!b)
		return ENOMEM;
	if (sscanf(bytes, "%36s %36s %" SCNu32 " %" SCNu32 " %" SCNd64, xid,
		   scope, &b->end[0], &b->end[1], &b->seen_us) != 5 ||
	    uuid_parse(b->key.xid, xid) || uuid_parse(b->key.scope, scope)) {
		mem_deref(b);
		return EBADMSG;
	}
	b->row = row;
	block_add(c, b);

	return 0;
}


static int block_loaded(int64_t row, const char *bytes, size_t len, void *arg)
{
	const struct load *load = arg;
	const int err = bytes ? block_read(load->c, row, bytes) : EBADMSG;

	(void)len;
	if (err != EBADMSG)
		return err;

	load->c->is_unread = true;
	load->h(LI_KIND_FLOW, row, load->arg);

	return 0;
}


int li_calls_load(struct li_calls *c, li_registry_unread_h *h, void *arg)
{
	struct load load = {.c = c, .h = h, .arg = arg};

	return li_store_each(c->store, LI_KIND_FLOW, block_loaded, &load);
}


/* Without it the numbers could be used twice after a crash; with a store that
 * takes nothing, delivery goes on all the same: the order is to be obeyed */
static void block_write(struct li_calls *c, struct numbers *n,
			int64_t wall_us)
{
	char text[160], xid[40], scope[40];
	int err;

	if (text_format(text, sizeof(text),
			"%s %s %" PRIu32 " %" PRIu32 " %" PRId64,
			uuid_format(xid, n->key.xid),
			uuid_format(scope, n->key.scope), n->end[0],
			n->end[1], wall_us))
		return;
	err = li_store_put(c->store, LI_KIND_FLOW, &n->row, text,
			   strlen(text));
	if (err == ENOENT) {
		/* its row went with a transaction that was given up */
		n->row = 0;
		err = li_store_put(c->store, LI_KIND_FLOW, &n->row, text,
				   strlen(text));
	}
	c->is_dirty = true;
	c->owes = c->owes || err;
}


void li_calls_write(struct li_calls *c, int64_t wall_us)
{
	const uint64_t rollbacks = li_store_rollbacks(c->store);
	const bool is_lost = c->owes || rollbacks != c->rollbacks;
	struct le *le;

	c->owes = false;
	c->rollbacks = rollbacks;
	for (le = is_lost ? list_head(&c->numbers) : NULL; le && !c->owes;
	     le = le->next)
		block_write(c, le->data, wall_us);
	c->is_dirty = false;
}


bool li_calls_are_dirty(const struct li_calls *c)
{
	return c->is_dirty;
}


/* A correlation of the ADMF's stands for all calls of the task. No call has
 * such an id: that of a call begins with its time. */
static struct number_key key_of(const struct li_task *t,
				const struct call *call)
{
	struct number_key k;
	size_t i;

	memcpy(k.xid, t->header_xid, LI_UUID_SIZE);
	memcpy(k.scope, call->id, POI_ID_SIZE);
	if (!t->has_correlation)
		return k;

	memset(k.scope, 0, 8);
	for (i = 0; i < 8; i++)
		k.scope[8 + i] = (uint8_t)(t->correlation >> (56 - 8 * i));

	return k;
}


static bool is_of_numbers(const void *data, const void *key)
{
	return key_equal(&((const struct numbers *)data)->key, key);
}


static bool is_of_block(const void *data, const void *key)
{
	return key_equal(&((const struct block *)data)->key, key);
}


/* Of flows that are there, of earlier ones, or new: from 0, unless somebody
 * may have used them whom nobody remembers */
static struct numbers *numbers_get(struct li_calls *c, const struct li_task *t,
				   const struct call *call)
{
	const struct number_key key = key_of(t, call);
	const uint64_t hash = key_hash(c->numbers_by, &key);
	struct numbers *n = htab_find(c->numbers_by, hash, is_of_numbers,
				      &key);
	struct block *b;

	if (n)
		return n;

	n = mem_zalloc(sizeof(*n), numbers_destructor);
	if (!n)
		return NULL;
	n->key = key;
	b = htab_find(c->blocks_by, key_hash(c->blocks_by, &key), is_of_block,
		      &key);
	if (b) {
		n->row = b->row;
		n->is_broken = b->is_broken;
		memcpy(n->seq, b->end, sizeof(n->seq));
		block_drop(c, b);
	}
	else if (c->is_unread && (call->in_progress || t->has_correlation)) {
		n->seq[0] = n->seq[1] = UNREAD_FROM;
	}
	memcpy(n->end, n->seq, sizeof(n->end));
	list_append(&c->numbers, &n->le, n);
	htab_insert(c->numbers_by, &n->node, hash, n);

	return n;
}


static void numbers_drop(struct li_calls *c, struct numbers *n)
{
	htab_remove(c->numbers_by, &n->node);
	mem_deref(n);
}


static void tell(const struct li_calls *c, enum li_flow_event event,
		 const struct call *call, const struct flow *f, uint64_t x2,
		 uint64_t x3, int64_t wall_us)
{
	const struct li_flow_note note = {
		.event = event, .xid = f->xid, .call = call->id,
		.owner = f->owner,
		.correlation = poi_correlation(call->id), .x2 = x2, .x3 = x3,
		.wall_us = wall_us,
	};

	c->h(&note, c->arg);
}


static void flow_start(struct li_calls *c, struct call *call,
		       const struct li_task *t, int64_t wall_us)
{
	struct flow *f = mem_zalloc(sizeof(*f), flow_destructor);
	struct numbers *n = f ? numbers_get(c, t, call) : NULL;
	uint32_t gap[2];
	size_t i;

	if (!n) {
		mem_deref(f);
		return;
	}
	memcpy(f->xid, t->xid, LI_UUID_SIZE);
	f->owner = t->owner;
	f->numbers = n;
	n->flow_n++;
	/* how many nobody knows: a number left out says that it is so */
	gap[0] = n->is_broken && t->products & LI_X2;
	gap[1] = n->is_broken && t->products & LI_X3;
	n->is_broken = false;
	for (i = 0; i < 2; i++) {
		n->seq[i] += gap[i];
		n->end[i] = n->seq[i] + BLOCK;
	}
	f->is_seen = true;
	list_append(&call->flows, &f->le, f);
	block_write(c, n, wall_us);
	tell(c, LI_FLOW_START, call, f, n->seq[0], n->seq[1], wall_us);
	if (gap[0] || gap[1])
		tell(c, LI_FLOW_LOSS, call, f, gap[0], gap[1], wall_us);
}


static void block_forget(struct li_calls *c, struct block *b)
{
	if (b->row)
		(void)li_store_delete(c->store, b->row);
	block_drop(c, b);
}


/* Those of a correlation are needed as long as a task has it */
static bool block_is_needed(const struct li_calls *c, const struct block *b)
{
	const struct call none = {.in_progress = false};
	struct le *le;

	for (le = list_head(li_registry_tasks(c->registry)); le;
	     le = le->next) {
		const struct li_task *t = le->data;
		const struct number_key key = key_of(t, &none);

		if (t->has_correlation && key_equal(&b->key, &key))
			return true;
	}

	return false;
}


static void block_oldest_forget(struct li_calls *c)
{
	struct le *le = list_head(&c->blocks);

	while (le && block_is_needed(c, le->data))
		le = le->next;
	if (le)
		block_forget(c, le->data);
}


/* They stay: the task may come back in mid-call, by another time window, a new
 * approval, a new activation, and the call with its switch */
static void numbers_keep(struct li_calls *c, struct numbers *n,
			 int64_t wall_us)
{
	struct block *b = mem_zalloc(sizeof(*b), block_destructor);

	if (htab_count(c->blocks_by) >= BLOCKS_MAX)
		block_oldest_forget(c);
	if (b) {
		b->key = n->key;
		b->row = n->row;
		b->seen_us = wall_us;
		b->is_broken = n->is_broken;
		/* exactly: this process knows what it has used */
		memcpy(b->end, n->seq, sizeof(b->end));
		block_add(c, b);
	}
	numbers_drop(c, n);
}


/* @param is_broken  copies of the call may be lost from now on */
static void flow_stop(struct li_calls *c, const struct call *call,
		      struct flow *f, bool is_broken, int64_t wall_us)
{
	struct numbers *n = f->numbers;

	tell(c, LI_FLOW_STOP, call, f, f->sent[0], f->sent[1], wall_us);
	mem_deref(f);
	n->is_broken = n->is_broken || is_broken;
	if (!--n->flow_n)
		numbers_keep(c, n, wall_us);
}


static struct flow *flow_find(const struct call *call, const uint8_t *xid)
{
	struct le *le;

	for (le = list_head(&call->flows); le; le = le->next) {
		struct flow *f = le->data;

		if (!memcmp(f->xid, xid, LI_UUID_SIZE))
			return f;
	}

	return NULL;
}


/* What the caller says comes from a calling target; it goes to one that is
 * called, and to one that forwards, who is called, too */
static enum x23_direction a_side_of(uint8_t role)
{
	return role == POI_CALLING ? X23_FROM_TARGET : X23_TO_TARGET;
}


static void target_add(struct flow *f, const struct li_target *t)
{
	struct mbuf *mb;
	char *text;
	size_t i;

	if (f->target_n == X23_TARGETS)
		return;
	mb = mbuf_alloc(512);
	text = f->target[f->target_n];
	if (mb && !mbuf_printf(mb, "<%s>", t->arm) &&
	    !li_xml_write_text(mb, t->text) &&
	    !mbuf_printf(mb, "</%s>", t->arm) &&
	    !text_set(text, sizeof(f->target[0]), (const char *)mb->buf,
		      mb->end)) {
		for (i = 0; i < f->target_n; i++) {
			if (!strcmp(f->target[i], text))
				break;
		}
		if (i == f->target_n)
			f->target_n++;
	}
	mem_deref(mb);
}


/* Which targets of the task, and on which side */
static bool task_matches(const struct call *call, const struct li_task *t,
			 struct flow *f)
{
	bool is_any = false;
	size_t i, j;

	for (i = 0; i < call->match_n; i++) {
		for (j = 0; j < t->target_n; j++) {
			enum x23_direction side;

			if (strcmp(call->match[i].identity,
				   t->target[j].identity))
				continue;
			side = a_side_of(call->match[i].role);
			f->a_side = !is_any || f->a_side == side
					    ? side : X23_SEVERAL;
			is_any = true;
			target_add(f, &t->target[j]);
		}
	}

	return is_any;
}


static void call_follow(struct li_calls *c, struct call *call, int64_t wall_us)
{
	struct le *le, *next;

	for (le = list_head(&call->flows); le; le = le->next)
		((struct flow *)le->data)->is_seen = false;

	for (le = list_head(li_registry_tasks(c->registry)); le;
	     le = le->next) {
		struct li_task *t = le->data;
		struct flow found = {.target_n = 0}, *f;
		struct number_key key;

		if (!li_task_may_come(t, wall_us) ||
		    !task_matches(call, t, &found))
			continue;
		f = flow_find(call, t->xid);
		key = key_of(t, call);
		if (f && !key_equal(&f->numbers->key, &key)) {
			/* productID or correlation is another one now */
			flow_stop(c, call, f, false, wall_us);
			f = NULL;
		}
		if (!f && li_task_is_in_force(t, wall_us))
			flow_start(c, call, t, wall_us);
		f = flow_find(call, t->xid);
		if (!f)
			continue;
		f->is_seen = true;
		f->task = t;
		f->a_side = found.a_side;
		f->target_n = found.target_n;
		memcpy(f->target, found.target, sizeof(f->target));
	}

	for (le = list_head(&call->flows); le; le = next) {
		struct flow *f = le->data;

		next = le->next;
		if (!f->is_seen)
			flow_stop(c, call, f, false, wall_us);
	}
}


void li_calls_follow(struct li_calls *c, int64_t wall_us)
{
	struct le *le;

	for (le = list_head(&c->calls); le; le = le->next)
		call_follow(c, le->data, wall_us);
}


/** One call of one switch. */
struct key {
	const uint8_t *id;
	uint32_t from;
};


static bool call_equal(const void *data, const void *key)
{
	const struct call *call = data;
	const struct key *k = key;

	return call->from == k->from &&
	       !memcmp(call->id, k->id, POI_ID_SIZE);
}


static struct call *call_find(const struct li_calls *c, uint32_t from,
			      const uint8_t id[POI_ID_SIZE])
{
	const struct key k = {.id = id, .from = from};

	return htab_find(c->by_id, htab_hash(c->by_id, id, POI_ID_SIZE),
			 call_equal, &k);
}


static struct call *call_get(struct li_calls *c, uint32_t from,
			     const uint8_t id[POI_ID_SIZE])
{
	struct call *call = call_find(c, from, id);

	if (call || htab_count(c->by_id) >= CALLS_MAX)
		return call;
	call = mem_zalloc(sizeof(*call), call_destructor);
	if (!call)
		return NULL;

	memcpy(call->id, id, POI_ID_SIZE);
	call->from = from;
	htab_insert(c->by_id, &call->node,
		    htab_hash(c->by_id, id, POI_ID_SIZE), call);
	list_append(&c->calls, &call->le, call);

	return call;
}


static void call_end(struct li_calls *c, struct call *call, bool is_broken,
		     int64_t wall_us)
{
	struct le *le;

	while ((le = list_head(&call->flows)))
		flow_stop(c, call, le->data, is_broken, wall_us);
	htab_remove(c->by_id, &call->node);
	mem_deref(call);
}


static void match_add(struct call *call, const char *identity, uint8_t role)
{
	size_t i;

	for (i = 0; i < call->match_n; i++) {
		if (call->match[i].role == role &&
		    !strcmp(call->match[i].identity, identity))
			return;
	}
	if (call->match_n == MATCHES_MAX)
		return;
	TEXT_FILL(call->match[call->match_n].identity, identity);
	call->match[call->match_n++].role = role;
}


static void call_came(struct li_calls *c, uint32_t from,
		      const struct poi_call *m)
{
	struct call *call = call_get(c, from, m->call);
	size_t i;

	if (!call)
		return;
	call->in_progress = call->in_progress || m->in_progress;
	for (i = 0; i < m->n; i++) {
		const char *identity =
			li_index_identity(c->index, m->match[i].id);

		/* a target whose time was over meanwhile */
		if (identity)
			match_add(call, identity, m->match[i].role);
	}
	call_follow(c, call, m->wall_ns / 1000);
}


static enum x23_direction other_side(enum x23_direction d)
{
	if (d == X23_TO_TARGET)
		return X23_FROM_TARGET;

	return d == X23_FROM_TARGET ? X23_TO_TARGET : d;
}


/* To every destination that takes the product; the number is used up by now,
 * wherever the PDU gets lost */
static void pdu_put(struct li_calls *c, const struct li_task *t,
		    struct flow *f, struct x23_pdu *p, enum li_product product)
{
	const size_t which = product == LI_X3;
	size_t len, i;

	p->xid = t->header_xid;
	p->ne = c->settings->ne;
	p->point = c->settings->point;
	p->seq = f->numbers->seq[which]++;
	for (i = 0; i < f->target_n; i++)
		p->target[i] = f->target[i];
	p->target_n = f->target_n;
	if (t->has_correlation)
		p->correlation = t->correlation;
	if (x23_pdu_encode(c->pdu, sizeof(c->pdu), &len, p))
		return;
	for (i = 0; i < t->did_n; i++)
		(void)li_delivery_put(c->delivery, t->did[i], product, c->pdu,
				      len);
	f->sent[which]++;
}


static void block_look(struct li_calls *c, struct numbers *n, int64_t wall_us)
{
	size_t i;
	bool is_near = false;

	for (i = 0; i < 2; i++) {
		if (n->end[i] - n->seq[i] > BLOCK_AHEAD)
			continue;
		n->end[i] += BLOCK;
		is_near = true;
	}
	if (is_near)
		block_write(c, n, wall_us);
}


static void deliver(struct li_calls *c, struct call *call, struct x23_pdu *p,
		    enum li_product product, bool is_from_a)
{
	const int64_t at_us = p->wall_ns / 1000;
	struct le *le;

	p->correlation = poi_correlation(call->id);
	for (le = list_head(&call->flows); le; le = le->next) {
		struct flow *f = le->data;
		struct li_task *t = f->task;
		struct x23_pdu own = *p;

		/* the moment of interception decides, not that of delivery */
		if (!(t->products & product) ||
		    !li_task_is_in_force(t, at_us))
			continue;
		own.direction = is_from_a ? f->a_side : other_side(f->a_side);
		pdu_put(c, t, f, &own, product);
		block_look(c, f->numbers, at_us);
		t->last_us = at_us;
	}
}


static void sip_came(struct li_calls *c, struct call *call,
		     const struct poi_sip *m)
{
	struct x23_pdu p = {
		.type = X23_X2, .format = X23_SIP, .wall_ns = m->wall_ns,
		.source = &m->source, .destination = &m->destination,
		.protocol = m->protocol, .payload = m->bytes, .len = m->len,
	};

	/* what leaves on leg B is what came from leg A, and so on */
	deliver(c, call, &p, LI_X2,
		(m->leg == POI_LEG_A) == (m->direction == POI_RECEIVED));
}


static void rtp_came(struct li_calls *c, struct call *call,
		     const struct poi_rtp *m)
{
	struct x23_pdu p = {
		.type = X23_X3, .format = X23_RTP, .wall_ns = m->wall_ns,
		.source = &m->source, .destination = &m->destination,
		.protocol = 17, .payload = m->bytes, .len = m->len,
	};

	deliver(c, call, &p, LI_X3, m->leg == POI_LEG_A);
}


/* The numbers of what the switch lost are left out: the gap can be seen */
static void lost_came(struct li_calls *c, struct call *call,
		      const struct poi_lost *m)
{
	const uint64_t rtp = (uint64_t)m->rtp[0] + m->rtp[1];
	struct le *le;

	for (le = list_head(&call->flows); le; le = le->next) {
		struct flow *f = le->data;
		struct numbers *n = f->numbers;
		const uint8_t products = f->task->products;
		const uint32_t x2 = products & LI_X2 ? m->sip : 0;
		const uint32_t x3 = products & LI_X3 ? (uint32_t)rtp : 0;

		if (!x2 && !x3)
			continue;
		n->seq[0] += x2;
		n->seq[1] += x3;
		/* a gap may be longer than what is left of a block */
		n->end[0] += x2;
		n->end[1] += x3;
		block_write(c, n, m->to_ns / 1000);
		tell(c, LI_FLOW_LOSS, call, f, x2, x3, m->to_ns / 1000);
	}
}


void li_calls_message(struct li_calls *c, uint32_t from,
		      const struct poi_message *m)
{
	struct call *call;

	if (m->type == POI_CALL) {
		call_came(c, from, &m->call);
		return;
	}

	/* all of them begin with the call's id */
	call = call_find(c, from,
			 m->type == POI_SIP    ? m->sip.call
			 : m->type == POI_RTP  ? m->rtp.call
			 : m->type == POI_LOST ? m->lost.call
					       : m->end.call);
	if (!call)
		return;
	if (m->type == POI_SIP)
		sip_came(c, call, &m->sip);
	else if (m->type == POI_RTP)
		rtp_came(c, call, &m->rtp);
	else if (m->type == POI_LOST)
		lost_came(c, call, &m->lost);
	else if (m->type == POI_END)
		call_end(c, call, false, m->end.wall_ns / 1000);
}


void li_calls_gone(struct li_calls *c, uint32_t from, int64_t wall_us)
{
	struct le *le, *next;

	for (le = list_head(&c->calls); le; le = next) {
		struct call *call = le->data;

		next = le->next;
		if (call->from == from)
			call_end(c, call, true, wall_us);
	}
}


void li_calls_tidy(struct li_calls *c, int64_t wall_us)
{
	struct le *le, *next;

	for (le = list_head(&c->blocks); le; le = next) {
		struct block *b = le->data;

		next = le->next;
		if (wall_us - b->seen_us < BLOCK_KEPT_US ||
		    block_is_needed(c, b))
			continue;
		block_forget(c, b);
	}
}
