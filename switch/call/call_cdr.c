/**
 * @file call_cdr.c  The record of a call, built from what the call knows when
 * it is written; and the journal's doors: BEGIN, ANSWER, CHECKPOINT, END.
 */
#include <stdlib.h>
#include <string.h>
#include "call_private.h"
#include "log.h"
#include "text.h"

#define STEP_MS 500   /* wall and monotonic clock differ by more: a step */
#define RETRY_MS 1000 /* until the journal is asked again */
#define CHECK_MS (CDR_CHECKPOINT_MS - 500) /* never later than promised */


static int64_t or_null(int64_t ms)
{
	return ms ? ms : CDR_NULL;
}


static int64_t since(uint64_t from_ms, uint64_t to_ms)
{
	return to_ms > from_ms ? (int64_t)(to_ms - from_ms) : CDR_NULL;
}


static void set_who(const struct call *call, struct cdr *r)
{
	static const char *const kinds[] = {"outbound", "inbound", "onnet"};

	r->started_at = call->begun_wall_ms;
	memcpy(r->call_id, call->id, sizeof(r->call_id));
	TEXT_FILL(r->node, call->w->cfg.node);
	TEXT_FILL(r->version, STROWGER_VERSION);
	TEXT_FILL(r->direction, kinds[call->kind]);
	TEXT_FILL(r->tenant_id, call->tenant_id);
	TEXT_FILL(r->account_id, call->account_id);
	TEXT_FILL(r->trunk_id, call->kind == CALL_IN ? call->to_trunk_id
					       : call->trunk_id);
	TEXT_FILL(r->terminating_trunk_id, call->kind == CALL_ONNET
					     ? call->to_trunk_id : "");
	TEXT_FILL(r->site_id, call->kind == CALL_IN ? call->to_site_id
					      : call->site_id);
	TEXT_FILL(r->did_id, call->did_id);
	TEXT_FILL(r->route_id, call->route_id);
	TEXT_FILL(r->plan_id, call->plan_id);
	r->is_emergency = call->is_emergency;
	r->is_onnet = call->kind == CALL_ONNET;
	TEXT_FILL(r->calling_received, call->calling.received);
	TEXT_FILL(r->calling, call->calling.e164);
	TEXT_FILL(r->called_received, call->called.received);
	TEXT_FILL(r->called, call->forward_n ? call->forwards[0]->number
					     : call->called.e164);
	if (call->forward_n) {
		const struct forward *f = call->forwards[call->forward_n - 1];

		TEXT_FILL(r->diverting, f->number);
		TEXT_FILL(r->diverting_trunk_id, f->trunk_id);
		TEXT_FILL(r->diversion_reason, f->reason);
	}
	TEXT_FILL(r->calling_country, call->calling.country);
	TEXT_FILL(r->calling_network, call->calling.network);
	TEXT_FILL(r->calling_type, call->calling.type);
	TEXT_FILL(r->called_country, call->called.country);
	TEXT_FILL(r->called_network, call->called.network);
	TEXT_FILL(r->called_type, call->called.type);
	TEXT_FILL(r->calling_action, call->calling_action);
}


static void set_media(const struct call *call, struct cdr *r)
{
	const struct media_stats *a = &call->stats[SIDE_A];
	const struct media_stats *b = &call->stats[SIDE_B];

	TEXT_FILL(r->a_media_address, call->media_address[SIDE_A]);
	TEXT_FILL(r->b_media_address, call->media_address[SIDE_B]);
	TEXT_FILL(r->codec, call->codec);
	if (!call->streams)
		return;

	r->a_packets = (int64_t)a->packets;
	r->a_bytes = (int64_t)a->bytes;
	r->a_lost = (int64_t)a->lost;
	r->a_jitter_us = a->jitter_us;
	r->a_foreign = (int64_t)a->foreign;
	r->b_packets = (int64_t)b->packets;
	r->b_bytes = (int64_t)b->bytes;
	r->b_lost = (int64_t)b->lost;
	r->b_jitter_us = b->jitter_us;
	r->b_foreign = (int64_t)b->foreign;
}


static void set_money(const struct call *call, struct cdr *r)
{
	const struct money *cost = &call->money, *m = cost;

	/* of a call in the first who pays for a forward of it */
	for (uint8_t i = 0; !m->is_sold && i < call->forward_n; i++)
		m = &call->forwards[i]->money;
	if (m->is_sold) {
		r->price_micro = m->price_micro;
		r->billed_ms = (int64_t)m->billed_ms;
		r->rate_per_min_nano = m->sell.tariff.rate_per_min_nano;
		r->connect_fee_micro = m->sell.tariff.connect_fee_micro;
		r->first_ms = m->sell.tariff.first_ms;
		r->next_ms = m->sell.tariff.next_ms;
		TEXT_FILL(r->currency, m->currency);
		TEXT_FILL(r->rate_prefix, m->prefix);
		TEXT_FILL(r->rate_destination, m->destination);
	}
	if (cost->is_bought && call->answered_ms) {
		r->cost_micro = cost->cost_micro;
		TEXT_FILL(r->cost_currency, cost->cost_currency);
	}
}


/* The durations are right all the same; the times of day are not all of one
   clock. Slewing it (adjtime) is no step. */
static bool is_clock_stepped(const struct call *call)
{
	const int64_t mono_ms = (int64_t)(call->ended_ms - call->begun_ms);
	const int64_t wall_ms = call->ended_wall_ms - call->begun_wall_ms;

	return llabs(wall_ms - mono_ms) > STEP_MS + mono_ms / 1000;
}


static void set_end(const struct call *call, struct cdr *r)
{
	if (!call->ended_ms)
		return;

	r->ended_at = call->ended_wall_ms;
	r->clock_stepped = is_clock_stepped(call);
	TEXT_FILL(r->outcome, outcome_row(call->outcome)->code);
	TEXT_FILL(r->initiator, call->initiator);
	r->sip_code = call->sip_code;
	r->q850 = call->q850;
	TEXT_FILL(r->limit_hit, call->limit_hit);
	TEXT_FILL(r->marks, call->marks);
	TEXT_FILL(r->reason_received, call->reason_received);
	if (call->outcome != OUT_OK)
		(void)fsm_trail(&call->fsm, r->trail, sizeof(r->trail));
}


static void set_call(const struct call *call, struct cdr *r)
{
	const struct attempt *last = call_attempt(call);

	cdr_init(r);
	set_who(call, r);
	r->attempt = 0;
	r->ringing_at = or_null(call->ringing_wall_ms);
	r->answered_at = or_null(call->answered_wall_ms);
	r->pdd_ms = since(call->begun_ms, call->ringing_ms);
	r->setup_ms = since(call->begun_ms, call->answered_ms);
	if (call->answered_ms)
		r->duration_ms = (int64_t)call_duration_ms(call);

	TEXT_FILL(r->carrier_id, call->from_carrier_id);
	TEXT_FILL(r->gateway_id, call->from_gateway_id);
	(void)re_snprintf(r->a_address, sizeof(r->a_address), "%J",
			  &call->a_path.peer);
	TEXT_FILL(r->a_transport, "udp");
	TEXT_FILL(r->a_call_id, call->a_call_id);
	TEXT_FILL(r->a_user_agent, call->a_user_agent);
	if (last) {
		if (call->kind != CALL_IN) {
			TEXT_FILL(r->carrier_id, last->carrier_id);
			TEXT_FILL(r->gateway_id, last->gateway_id);
		}
		TEXT_FILL(r->calling_sent, last->calling_sent);
		TEXT_FILL(r->called_sent, last->called_sent);
		TEXT_FILL(r->b_address, last->address);
		TEXT_FILL(r->b_transport, "udp");
		TEXT_FILL(r->b_call_id, last->b_call_id);
		TEXT_FILL(r->b_user_agent, last->user_agent);
		r->b_sip_code = last->sip_code ? last->sip_code : CDR_NULL;
		r->b_q850 = last->q850 ? last->q850 : CDR_NULL;
	}
	set_media(call, r);
	set_money(call, r);
	set_end(call, r);
}


static void set_attempt(const struct call *call, const struct attempt *a,
			uint32_t number, struct cdr *r)
{
	const struct outcome_row *row = outcome_row(a->outcome);

	cdr_init(r);
	set_who(call, r);
	r->attempt = number;
	TEXT_FILL(r->carrier_id, a->carrier_id);
	TEXT_FILL(r->gateway_id, a->gateway_id);
	TEXT_FILL(r->calling_sent, a->calling_sent);
	TEXT_FILL(r->called_sent, a->called_sent);
	TEXT_FILL(r->b_address, a->address);
	TEXT_FILL(r->b_transport, "udp");
	TEXT_FILL(r->b_call_id, a->b_call_id);
	TEXT_FILL(r->b_user_agent, a->user_agent);
	r->ringing_at = or_null(a->ringing_wall_ms);
	r->pdd_ms = since(a->begun_ms, a->ringing_ms);
	r->ended_at = or_null(a->ended_wall_ms);
	TEXT_FILL(r->outcome, row->code);
	TEXT_FILL(r->reason_received, a->reason);
	r->sip_code = a->sip_code ? a->sip_code : CDR_NULL;
	r->q850 = a->q850 ? a->q850 : CDR_NULL;
	if (number == call->attempt_n && call->answered_ms) {
		r->answered_at = call->answered_wall_ms;
		r->setup_ms = since(a->begun_ms, call->answered_ms);
		r->duration_ms = (int64_t)call_duration_ms(call);
	}
}


static struct cdr_charge *charge_add(struct cdr_call *ret, uint8_t side)
{
	struct cdr_charge *c = &ret->charges[ret->charge_n++];

	memset(c, 0, sizeof(*c));
	c->side = side;

	return c;
}


static void set_parts(struct cdr_charge *c, const struct price *p,
		      const struct price_parts *parts)
{
	c->price = *p;
	c->amount_micro = parts->gross_micro;
	c->net_micro = parts->net_micro;
	memcpy(c->tax_micro, parts->tax_micro, sizeof(c->tax_micro));
	c->billed_ms = (int64_t)parts->billed_ms;
}


static void set_sell(const struct call *call, const struct money *m,
		     uint32_t attempt, struct cdr_call *ret)
{
	struct cdr_charge *c = charge_add(ret, CHARGE_SELL);

	set_parts(c, &m->sell, &m->price);
	TEXT_FILL(c->account_id, m->account_id);
	c->attempt = attempt;
	c->deck_version = (int64_t)m->sell_version;
	c->lease_epoch = call->w->cfg.lease_epoch;
	TEXT_FILL(c->currency, m->currency);
	TEXT_FILL(c->deck_id, m->sell_deck);
	TEXT_FILL(c->prefix, m->prefix);
	TEXT_FILL(c->destination, m->destination);
	call_pack_charge(m, c);
}


void call_charge_buy(const struct call *call, uint64_t duration_ms,
		     struct cdr_charge *c)
{
	const struct money *m = &call->money;
	struct price_parts parts;

	if (price_parts(&m->buy, duration_ms, 0, &parts))
		parts = (struct price_parts){0};

	memset(c, 0, sizeof(*c));
	c->side = CHARGE_BUY;
	set_parts(c, &m->buy, &parts);
	c->attempt = call->attempt_n;
	TEXT_FILL(c->carrier_id, call_attempt(call)->carrier_id);
	c->deck_version = (int64_t)m->buy_version;
	TEXT_FILL(c->currency, m->cost_currency);
	TEXT_FILL(c->deck_id, m->buy_deck);
	TEXT_FILL(c->prefix, m->buy_prefix);
	TEXT_FILL(c->destination, m->buy_destination);
}


/* Of an unanswered call what the attempt costs, if anything, whether money
   or packages pay it. */
static bool is_charged(const struct call *call, const struct money *m)
{
	return m->is_sold && (call->answered_ms || m->price_micro ||
			      call_pack_used(m));
}


static void set_sells(const struct call *call, struct cdr_call *ret)
{
	const struct money *m = &call->money;

	if (is_charged(call, m))
		set_sell(call, m, 0, ret);

	for (uint8_t i = 0; i < call->forward_n; i++) {
		const struct forward *f = call->forwards[i];

		if (is_charged(call, &f->money))
			set_sell(call, &f->money, f->attempt, ret);
	}
}


static void record(const struct call *call, struct cdr_call *ret)
{
	const struct money *m = &call->money;

	set_call(call, &ret->call);
	ret->attempt_n = call->attempt_n;
	for (uint32_t i = 0; i < call->attempt_n; i++)
		set_attempt(call, &call->attempts[i], i + 1,
			    &ret->attempts[i]);

	ret->charge_n = 0;
	set_sells(call, ret);
	for (uint32_t i = 0; i < call->fee_n; i++)
		ret->charges[ret->charge_n++] = call->fees[i];
	if (call->answered_ms && m->is_bought && call->attempt_n)
		call_charge_buy(call, call_duration_ms(call),
				&ret->charges[ret->charge_n++]);
}


int call_journal(struct call *call, enum journal_type type)
{
	struct worker *w = call->w;
	int err;

	if (call->is_test)
		return 0;

	record(call, w->record);
	w->record->why = type == JOURNAL_BEGIN || !call->why
				 ? NULL : why_json(call->why);
	mbuf_rewind(w->frame);
	err = journal_encode_call(w->frame, type, w->record);

	return err ? err
		   : w->doors.journalh(w->frame->buf, w->frame->end,
				       &call->end_seq, w->doors.arg);
}


static void end_retry(void *arg)
{
	call_end_append(arg);
}


/* A full or broken disk delays the end of the record, never loses it: the
   call stays in CLOSING until the journal takes it. */
void call_end_append(struct call *call)
{
	struct worker *w = call->w;

	if (call_journal(call, JOURNAL_END)) {
		wheel_start(w->wheel, &call->phase, RETRY_MS, end_retry,
			    call);
		return;
	}

	list_append(&w->closing, &call->closing_le, call);
}


static void checkpoint(struct call *call)
{
	struct worker *w = call->w;
	struct cdr_checkpoint cp = {
		.wall_ms = moment_wall_ms(&w->now),
		.duration_ms = (int64_t)call_paid_ms(call),
		.a_packets = (int64_t)call->stats[SIDE_A].packets,
		.b_packets = (int64_t)call->stats[SIDE_B].packets,
	};
	uint64_t seq;

	call_pack_checkpoint(call, &cp);
	memcpy(cp.call_id, call->id, sizeof(cp.call_id));
	mbuf_rewind(w->frame);
	if (!journal_encode_checkpoint(w->frame, &cp))
		(void)w->doors.journalh(w->frame->buf, w->frame->end, &seq,
					w->doors.arg);
}


static wheel_h check_over;


void call_check_start(struct call *call)
{
	wheel_start(call->w->wheel, &call->check, CHECK_MS, check_over,
		    call);
}


/* Every few seconds of an answered call: what a crash would bill, and
   whether anybody still talks. */
static void check_over(void *arg)
{
	const struct call_event lost = {.outcome = OUT_MEDIA_LOST};
	struct call_event too_long = {.leg = NULL};
	struct call *call = arg;

	call_check_start(call);
	call_media_read(call);
	checkpoint(call);

	if (call_media_is_lost(call)) {
		call_run(call, EV_MEDIA_LOST, &lost);
		return;
	}

	too_long.outcome = call_fraud_runs(call);
	if (too_long.outcome != OUT_OK)
		call_run(call, EV_ADMIN_DROP, &too_long);
}
