/**
 * @file journal_replay.c  Closes what a crash left open: a table of calls
 * that have begun and not ended, each with its last whole record and its last
 * checkpoint.
 */
#include <errno.h>
#include <re.h>
#include <string.h>
#include "htab.h"
#include "journal.h"
#include "text.h"

#define BUCKETS 1024

/* A call without END so far. */
struct open_call {
	struct htab_node node;
	struct journal_replay *replay;
	uint8_t call_id[16];
	struct mbuf *payload;       /* of its BEGIN or ANSWER; decoded last:
				       a decoded call is 40 times as large */
	uint8_t type, version;
	bool has_checkpoint;
	struct cdr_checkpoint checkpoint;
};

struct journal_replay {
	struct htab *open;
	struct cdr_call *scratch;
};


static void open_destructor(void *arg)
{
	struct open_call *o = arg;

	htab_remove(o->replay->open, &o->node);
	mem_deref(o->payload);
}


static bool open_free(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);
	return false;
}


static void replay_destructor(void *arg)
{
	struct journal_replay *r = arg;

	if (r->open)
		(void)htab_each(r->open, open_free, NULL);
	mem_deref(r->open);
	mem_deref(r->scratch);
}


int journal_replay_alloc(struct journal_replay **rp)
{
	/* call ids are our own random numbers: nobody can aim at a bucket */
	static const uint8_t key[16];
	struct journal_replay *r;
	int err;

	if (!rp)
		return EINVAL;

	r = mem_zalloc(sizeof(*r), replay_destructor);
	if (!r)
		return ENOMEM;

	err = htab_alloc(&r->open, BUCKETS, key);
	if (!err) {
		r->scratch = mem_zalloc(sizeof(*r->scratch), NULL);
		err = r->scratch ? 0 : ENOMEM;
	}

	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}


static bool open_equal(const void *data, const void *key)
{
	const struct open_call *o = data;

	return 0 == memcmp(o->call_id, key, sizeof(o->call_id));
}


static struct open_call *open_find(const struct journal_replay *r,
				   const uint8_t call_id[16])
{
	return htab_find(r->open, htab_hash(r->open, call_id, 16), open_equal,
			 call_id);
}


static struct open_call *open_add(struct journal_replay *r,
				  const uint8_t call_id[16])
{
	struct open_call *o = mem_zalloc(sizeof(*o), open_destructor);

	if (!o)
		return NULL;

	o->replay = r;
	memcpy(o->call_id, call_id, sizeof(o->call_id));
	htab_insert(r->open, &o->node, htab_hash(r->open, call_id, 16), o);
	return o;
}


static int call_keep(struct journal_replay *r,
		     const struct journal_record *rec)
{
	const uint8_t *call_id = r->scratch->call.call_id;
	struct open_call *o = open_find(r, call_id);
	struct mbuf *payload = mbuf_alloc(rec->len);

	if (!payload || mbuf_write_mem(payload, rec->payload, rec->len)) {
		mem_deref(payload);
		return ENOMEM;
	}

	if (!o)
		o = open_add(r, call_id);
	if (!o) {
		mem_deref(payload);
		return ENOMEM;
	}

	mem_deref(o->payload);
	o->payload = payload;
	o->type = (uint8_t)rec->type;
	o->version = rec->version;
	return 0;
}


static int checkpoint_keep(struct journal_replay *r,
			   const struct journal_record *rec)
{
	struct cdr_checkpoint cp;
	struct open_call *o;
	int err;

	err = journal_decode_checkpoint(rec, &cp);
	if (err)
		return err;

	/* its call has ended, or began in a record that was lost */
	o = open_find(r, cp.call_id);
	if (!o)
		return 0;

	o->has_checkpoint = true;
	o->checkpoint = cp;
	return 0;
}


int journal_replay_feed(struct journal_replay *r,
			const struct journal_record *rec)
{
	int err;

	if (rec->type == JOURNAL_SEGMENT)
		return 0;
	if (rec->type == JOURNAL_CHECKPOINT)
		return checkpoint_keep(r, rec);

	err = journal_decode_call(rec, r->scratch);
	if (err)
		return err;

	if (rec->type != JOURNAL_END)
		return call_keep(r, rec);

	mem_deref(open_find(r, r->scratch->call.call_id));
	return 0;
}


/*
 * The node went away under this record. What was answered lasted to the last
 * checkpoint at least; what was not answered cost nothing.
 */
static void record_close(struct cdr *cdr, const struct open_call *o)
{
	const struct outcome_row *row = outcome_row(OUT_NODE_LOST);
	const struct cdr_checkpoint *cp =
		o->has_checkpoint ? &o->checkpoint : NULL;

	(void)text_copy(cdr->outcome, sizeof(cdr->outcome), row->code);
	cdr->q850 = row->q850;
	cdr->end_estimated = true;

	if (cdr->answered_at != CDR_NULL) {
		cdr->duration_ms = cp ? cp->duration_ms : 0;
		if (__builtin_add_overflow(cdr->answered_at, cdr->duration_ms,
					   &cdr->ended_at))
			cdr->ended_at = cdr->answered_at;
		return;
	}

	cdr->sip_code = row->sip;
	cdr->duration_ms = 0;
	if (cp)
		cdr->ended_at = cp->wall_ms;
	else if (cdr->ringing_at != CDR_NULL)
		cdr->ended_at = cdr->ringing_at;
	else
		cdr->ended_at = cdr->started_at;
}


static void packets_take(struct cdr *cdr, const struct open_call *o)
{
	if (!o->has_checkpoint)
		return;

	cdr->a_packets = o->checkpoint.a_packets;
	cdr->b_packets = o->checkpoint.b_packets;
}


/* The record that shows what a buy charge costs. */
static struct cdr *attempt_find(struct cdr_call *call, int64_t attempt)
{
	uint32_t i;

	for (i = 0; i < call->attempt_n; i++) {
		if (call->attempts[i].attempt == attempt)
			return &call->attempts[i];
	}

	return NULL;
}


/* What the record says a call was sold for is the caller's price, or that of
   the first who forwarded it; those of further forwards are charges alone. */
static bool is_price(const struct cdr_call *call, const struct cdr_charge *c)
{
	for (uint32_t i = 0; i < call->charge_n; i++)
		if (call->charges[i].side == CHARGE_SELL)
			return &call->charges[i] == c;

	return false;
}


/* What its packages held last: the ANSWER and the checkpoint say so, and it is
   never less than they were used for. @return the next of the checkpoint */
static unsigned held_take(struct cdr_charge *c, const struct open_call *o,
			  unsigned at)
{
	for (uint8_t i = 0; i < c->package_n; i++, at++) {
		int64_t *held = &c->packages[i].cover.held;

		if (o->has_checkpoint && at < COVERS_MAX &&
		    o->checkpoint.held[at] > *held)
			*held = o->checkpoint.held[at];
	}

	return at;
}


static int charge_price(struct cdr_charge *c, uint64_t duration_ms,
			struct price_parts *ret)
{
	struct cover covers[COVERS_MAX];
	struct cover_sum sum;
	int err;

	for (uint8_t i = 0; i < c->package_n; i++)
		covers[i] = c->packages[i].cover;
	err = cover_price(&c->price, duration_ms, covers, c->package_n, &sum,
			  ret);
	if (err)
		return err;

	for (uint8_t i = 0; i < c->package_n; i++)
		c->packages[i].cover = covers[i];
	c->covered_ms = (int64_t)sum.covered_ms;
	c->covered_micro = sum.covered_micro;

	return 0;
}


static void charge_close(struct cdr_call *call, struct cdr_charge *c)
{
	struct cdr *attempt = attempt_find(call, c->attempt);
	struct price_parts parts;
	uint64_t duration_ms = (uint64_t)call->call.duration_ms;

	/* a carrier that did not answer charges the attempt alone */
	if (c->side == CHARGE_BUY &&
	    (!attempt || attempt->answered_at == CDR_NULL))
		duration_ms = 0;
	if (charge_price(c, duration_ms, &parts))
		memset(&parts, 0, sizeof(parts)); /* never against the
						     customer */

	c->amount_micro = parts.gross_micro;
	c->net_micro = parts.net_micro;
	memcpy(c->tax_micro, parts.tax_micro, sizeof(c->tax_micro));
	c->billed_ms = (int64_t)parts.billed_ms;

	if (c->side == CHARGE_SELL) {
		if (is_price(call, c)) {
			call->call.price_micro = c->amount_micro;
			call->call.billed_ms = c->billed_ms;
		}
		return;
	}

	if (duration_ms)
		call->call.cost_micro = c->amount_micro;
	if (attempt)
		attempt->cost_micro = c->amount_micro;
}


static void call_close(struct cdr_call *call, const struct open_call *o)
{
	unsigned held_at = 0;
	uint32_t i;

	record_close(&call->call, o);
	packets_take(&call->call, o);

	for (i = 0; i < call->attempt_n; i++) {
		struct cdr *attempt = &call->attempts[i];

		if (attempt->ended_at == CDR_NULL)
			record_close(attempt, o);
	}

	if (call->call.answered_at == CDR_NULL)
		call->charge_n = 0;
	for (i = 0; i < call->charge_n; i++) {
		held_at = held_take(&call->charges[i], o, held_at);
		charge_close(call, &call->charges[i]);
	}
}


struct finish {
	struct journal_replay *r;
	journal_orphan_h *h;
	void *arg;
};


static bool open_finish(void *data, void *arg)
{
	struct open_call *o = data;
	const struct finish *f = arg;
	const struct journal_record rec = {
		.type = (enum journal_type)o->type,
		.version = o->version,
		.payload = o->payload->buf,
		.len = o->payload->end,
	};

	/* it was decoded once when it came: this cannot fail */
	if (0 == journal_decode_call(&rec, f->r->scratch)) {
		call_close(f->r->scratch, o);
		f->h(f->r->scratch, f->arg);
	}

	mem_deref(o);
	return false;
}


void journal_replay_finish(struct journal_replay *r, journal_orphan_h *h,
			   void *arg)
{
	struct finish f = {r, h, arg};

	(void)htab_each(r->open, open_finish, &f);
}
