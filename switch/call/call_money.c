/**
 * @file call_money.c  Who pays for a call before it is consumed: the cost of
 * the next interval is held from the account's lease before that interval
 * starts; the price is never more than what was held.
 */
#include <string.h>
#include "call_private.h"
#include "text.h"

#define SLICE_MS 10000 /* hold about this much at a time, in whole intervals */
#define LEAD_MS 2000   /* ask for the next slice this long before it starts */
/* When money is scarce an interval at a time is held; of intervals that are
   shorter than a second, as many as a second has. */
#define GRAIN_MS 999


static bool is_free(const struct money *m)
{
	return !m->is_sold || call_price_is_free(m);
}


/* What it costs by now, in the spend of day and month. */
static void count_spend(struct money *m, int64_t micro)
{
	call_spend(m, micro - m->counted_micro);
	m->counted_micro = micro;
}


static funds_h funded;
static fund_keep_h keep;


int call_money_price(const struct money *m, uint64_t ms, int64_t *ret_micro)
{
	return m->packs ? call_pack_price(m, ms, ret_micro)
			: price_micro(&m->sell, ms, 0, ret_micro);
}


/* End of the interval in which a slice after what is paid ends. */
static uint64_t next_ms(const struct money *m, uint64_t slice_ms)
{
	return price_interval_end_ms(&m->sell, m->funded_ms + slice_ms);
}


/* The hold grew: by the slice that was asked for, or by the least of it. */
static void note_held(struct money *m)
{
	const uint64_t before_ms = m->funded_ms;
	int64_t price;

	m->funded_ms = !call_money_price(m, m->asked_ms, &price) &&
				       m->hold.held_micro >= price
			       ? m->asked_ms : m->least_ms;
	m->last_ms = m->funded_ms - min(before_ms, m->funded_ms);
	count_spend(m, m->hold.held_micro);
}


static bool is_spendable(struct money *m, uint64_t to_ms);


/* When what is held runs out (mono); before the answer, soon. */
static uint64_t due_ms(const struct money *m)
{
	const struct call *call = m->call;

	return call->answered_ms ? call->answered_ms + m->funded_ms
				 : moment_ms(&call->w->now) + LEAD_MS;
}


/* Of a call that is up: may the slice that was asked for be spent now, or at
   least an interval? */
static bool is_spend_open(struct money *m)
{
	if (!m->call->answered_ms || is_spendable(m, m->asked_ms))
		return true;

	m->asked_ms = m->least_ms;

	return is_spendable(m, m->asked_ms);
}


static uint64_t lead_ms(const struct money *m);


/* Packages are asked in time for their answer; where money is scarce that of
   the next interval is another's until this one is half over. */
static bool is_early(const struct money *m)
{
	return m->call->answered_ms &&
	       fund_is_scarce(m->call->books.funds, m->account_id) &&
	       call_duration_ms(m->call) + lead_ms(m) < m->funded_ms;
}


/* Hold what the asked duration costs beyond what packages pay and is held; if
   that is too much, of one interval. */
static enum fund_verdict hold_money(struct money *m)
{
	struct call *call = m->call;
	struct fund_request req = {
		.account_id = m->account_id,
		.per_min_micro = price_dearest_nano(&m->sell) / 1000,
		.due_ms = due_ms(m),
		.is_running = call->answered_ms != 0,
		.h = funded,
		.keeph = keep,
		.arg = m,
	};
	enum fund_verdict verdict;

	call->is_spend_cut = !is_spend_open(m);
	if (call->is_spend_cut)
		return FUND_WAITING; /* for the end of what is paid */
	if (call_money_price(m, m->asked_ms, &req.want_micro) ||
	    call_money_price(m, m->least_ms, &req.least_micro))
		return FUND_REFUSED;
	if (m->packs && req.least_micro > m->hold.held_micro && is_early(m))
		return FUND_HELD; /* with what is held already */

	count_spend(m, req.want_micro); /* who asks next must see it */
	req.want_micro -= m->hold.held_micro;
	req.least_micro -= m->hold.held_micro;
	/* a window that made it cheaper at the answer: what is held pays for
	 * more */
	req.least_micro = max(req.least_micro, 0);
	req.want_micro = max(req.want_micro, req.least_micro);
	verdict = fund_take(call->books.funds, &m->hold, &req);
	if (verdict == FUND_HELD)
		note_held(m);
	else if (verdict == FUND_REFUSED)
		count_spend(m, m->hold.held_micro);

	return verdict;
}


/* Packages first, then money. */
static enum fund_verdict hold_on(struct money *m)
{
	return FUND_WAITING == call_pack_take(m, due_ms(m))
		       ? FUND_WAITING : hold_money(m);
}


static enum fund_verdict hold_to(struct money *m, uint64_t to_ms)
{
	m->asked_ms = to_ms;
	m->least_ms = min(next_ms(m, GRAIN_MS), to_ms);

	return hold_on(m);
}


/* May a duration of to_ms be spent in this day and month? */
static bool is_spendable(struct money *m, uint64_t to_ms)
{
	int64_t price;

	return !call_money_price(m, to_ms, &price) &&
	       call_spend_allows(m, price - m->counted_micro,
				 !m->call->answered_ms);
}


/* What the first slice costs, and whether the money for it is here already;
   if not, only the ledger knows. */
static bool note_funds(struct money *m, uint64_t slice_ms)
{
	struct call *call = m->call;
	const uint64_t to_ms = fund_is_scarce(call->books.funds,
					      m->account_id)
				       ? next_ms(m, GRAIN_MS) : slice_ms;
	int64_t price = 0;
	bool is_here;

	if (call_money_price(m, to_ms, &price))
		return false;

	is_here = fund_covers(call->books.funds, m->account_id, price);
	WHY(call->why, WHY_FUNDS, is_here ? OUT_OK : OUT_NONE,
	    m->account_id, WHY_TEXT("from", is_here ? "lease" : "ledger"),
	    WHY_COUNT("for_ms", (int64_t)to_ms),
	    WHY_COUNT("price_micro", price),
	    WHY_TEXT("currency", m->currency));

	return is_here;
}


struct money *call_payer_at(const struct call *call, unsigned i)
{
	if (!i)
		return (struct money *)(uintptr_t)&call->money;

	return i <= call->forward_n ? &call->forwards[i - 1]->money : NULL;
}


static enum fund_verdict fund_one(struct money *m)
{
	uint64_t to_ms;

	if (is_free(m)) {
		m->funded_ms = UINT64_MAX;
		return FUND_HELD;
	}

	call_pack_note(m->call, m);
	/* the first interval was looked at when it was admitted */
	to_ms = is_spendable(m, next_ms(m, SLICE_MS)) ? next_ms(m, SLICE_MS)
						      : next_ms(m, GRAIN_MS);
	if (!note_funds(m, to_ms) &&
	    !call_test_knows(m->call, m->account_id)) {
		m->funded_ms = UINT64_MAX;
		return FUND_HELD;
	}

	return hold_to(m, to_ms);
}


/* Those who have held nothing yet, one after the other. */
static enum fund_verdict fund_all(struct call *call)
{
	enum fund_verdict verdict = FUND_HELD;
	struct money *m;

	for (unsigned i = 0; (m = call_payer_at(call, i)) &&
			     verdict == FUND_HELD; i++) {
		m->call = call;
		if (!m->funded_ms)
			verdict = fund_one(m);
	}

	return verdict;
}


/* What was asked for is held, or not: the call goes on with it. */
static void hold_end(struct money *m, enum outcome out)
{
	struct call *call = m->call;
	struct call_event data = {.outcome = out, .money = m};

	if (!call->answered_ms)
		WHY(call->why, WHY_FUNDS, out, m->account_id,
		    WHY_TEXT("from", "ledger"),
		    WHY_COUNT("for_ms", (int64_t)(out == OUT_OK ? m->funded_ms
								: m->least_ms)));

	if (out == OUT_OK && call->fsm.state == CALL_FUNDING &&
	    !call->fsm.running) {
		const enum fund_verdict verdict = fund_all(call);

		if (verdict == FUND_WAITING)
			return;
		if (verdict == FUND_REFUSED) {
			data.outcome = OUT_CREDIT_UNKNOWN;
			call_run(call, EV_REFUSED, &data);
			return;
		}
	}

	call_run(call, out == OUT_OK ? EV_FUNDED : EV_REFUSED, &data);
}


static void funded(enum outcome out, void *arg)
{
	struct money *m = arg;

	if (out == OUT_OK)
		note_held(m);
	else
		count_spend(m, m->hold.held_micro);
	hold_end(m, out);
}


void call_fund_on(struct money *m)
{
	const enum fund_verdict verdict = hold_on(m);

	if (verdict != FUND_WAITING)
		hold_end(m, verdict == FUND_HELD ? OUT_OK
						 : OUT_CREDIT_UNKNOWN);
}


/* From inside an action: what follows from asking. */
static void post_verdict(struct call *call, enum fund_verdict verdict)
{
	switch (verdict) {

	case FUND_HELD:
		call_post(call, EV_FUNDED, OUT_OK);
		break;
	case FUND_REFUSED:
		call_post(call, EV_REFUSED, OUT_CREDIT_UNKNOWN);
		break;
	case FUND_WAITING:
		break;
	}
}


void call_fund_first(struct call *call)
{
	post_verdict(call, fund_all(call));
}


static void arm(struct money *m, bool is_last);


/* What is paid is over. A package that is still asked has had its time, and
   there is none to ask another: if there is money here it goes on with that. */
static void credit_over(void *arg)
{
	struct money *m = arg;
	struct call_event data = {.outcome = OUT_OK};

	if (call_pack_skip(m) && FUND_HELD == hold_money(m)) {
		arm(m, false);
		return;
	}

	data.outcome = m->call->is_spend_cut ? OUT_LIMIT_SPEND
					     : OUT_CREDIT_ENDED;
	call_run(m->call, EV_T_CREDIT, &data);
}


static void extend_over(void *arg)
{
	struct money *m = arg;
	const struct call_event data = {.money = m};

	call_run(m->call, EV_T_FUNDS, &data);
}


/*
 * How long before the end of what is paid more is asked for. When money is
 * scarce not before the last interval is half over: nobody may hold two while
 * another holds none. (A minimum pays for several, of which only the last one
 * counts.)
 */
static uint64_t lead_ms(const struct money *m)
{
	uint64_t ms = min(m->last_ms / 2, LEAD_MS);

	if (!fund_is_scarce(m->call->books.funds, m->account_id))
		return LEAD_MS;

	while (ms && price_interval_end_ms(&m->sell, m->funded_ms - 2 * ms) <
			     m->funded_ms)
		ms /= 2;

	return ms;
}


/* Two deadlines, one timer: first ask for more, then - if nothing came by the
   end of what is paid - cut. */
static void arm(struct money *m, bool is_last)
{
	const uint64_t now_ms = call_duration_ms(m->call);
	/* where a window of the answer left nothing paid, there is time to ask:
	   a loss of ours */
	const uint64_t paid_ms = m->funded_ms || !is_last ? m->funded_ms
							  : LEAD_MS;
	const uint64_t end_ms = paid_ms > now_ms ? paid_ms - now_ms : 0;
	const uint64_t early_ms = is_last ? 0 : min(lead_ms(m), end_ms);

	wheel_start(m->call->w->wheel, &m->credit, end_ms - early_ms,
		    is_last ? credit_over : extend_over, m);
}


/* Down to the interval that has begun, and before the answer to the first. */
static int64_t keep(void *arg)
{
	struct money *m = arg;
	const uint64_t now_ms = m->call->answered_ms
					? call_duration_ms(m->call) : GRAIN_MS;
	const uint64_t to_ms = price_interval_end_ms(&m->sell, now_ms);
	int64_t price;

	if (to_ms < m->funded_ms && !call_money_price(m, to_ms, &price) &&
	    price <= m->hold.held_micro)
		m->funded_ms = to_ms;
	else
		price = m->hold.held_micro;
	m->last_ms = m->funded_ms - min(now_ms, m->funded_ms);

	count_spend(m, price);
	if (wheel_running(&m->credit))
		arm(m, false);

	return price;
}


void call_fund_start(struct call *call)
{
	struct money *m;

	for (unsigned i = 0; (m = call_payer_at(call, i)); i++)
		if (m->funded_ms != UINT64_MAX)
			arm(m, false);
}


void call_fund_stop(struct call *call)
{
	struct money *m;

	for (unsigned i = 0; (m = call_payer_at(call, i)); i++)
		wheel_stop(call->w->wheel, &m->credit);
}


bool call_is_fair(const struct call *call)
{
	const uint64_t now_ms = call_duration_ms(call);
	const struct money *m;
	uint64_t end_ms;
	int64_t price;

	for (unsigned i = 0; (m = call_payer_at(call, i)); i++) {
		if (!call->answered_ms || m->is_settled ||
		    !fund_is_scarce(call->w->funds, m->account_id))
			continue;
		/* in money: a minimum, or a rate of 0, pays for more time */
		end_ms = price_interval_end_ms(&m->sell, now_ms);
		end_ms = price_interval_end_ms(&m->sell, end_ms + GRAIN_MS);
		if (call_money_price(m, end_ms, &price) ||
		    m->hold.held_micro > price)
			return false;
	}

	return true;
}


void act_extend(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;
	struct money *m = ev->money ? ev->money : &call->money;

	arm(m, true);
	if (m->hold.wanted_micro || call_pack_waits(m))
		return;

	if (FUND_HELD == hold_to(m, next_ms(m, SLICE_MS)))
		arm(m, false);
}


void act_extended(void *subject, const void *data)
{
	const struct call_event *ev = data;
	struct call *call = subject;

	arm(ev->money ? ev->money : &call->money, false);
}


void call_fund_cancel(struct money *m)
{
	struct worker *w = m->call->w;

	wheel_stop(w->wheel, &m->credit);
	count_spend(m, 0);
	fund_settle(m->call->books.funds, &m->hold, 0);
	call_pack_cancel(m);
	for (size_t i = 0; i < ARRAY_SIZE(m->spends); i++)
		m->spends[i] = mem_deref(m->spends[i]);
}


/* Never more than every payer has held. */
uint64_t call_paid_ms(const struct call *call)
{
	uint64_t ms = call_duration_ms(call);
	const struct money *m;

	/* nor is a late timer more than the cap */
	if (call_is_cut(call))
		ms = min(ms, call->cut_ms);
	for (unsigned i = 0; (m = call_payer_at(call, i)); i++)
		if (m->funded_ms < ms)
			ms = m->funded_ms;

	return ms;
}


/* What a payer owes for so much of the call. */
static void settle_one(const struct call *call, struct money *m, uint64_t ms)
{
	const bool is_due = call->answered_ms || call->attempt_n;
	const uint64_t paid_ms = call->answered_ms ? ms : 0;

	if (m->is_sold && is_due &&
	    (m->packs ? call_pack_settle(m, paid_ms)
		      : price_parts(&m->sell, paid_ms, 0, &m->price)))
		m->price = (struct price_parts){
			.gross_micro = m->hold.held_micro,
			.net_micro = m->hold.held_micro,
		};

	/* an attempt that nobody was held for is not charged */
	if (!call->answered_ms && !m->sell.is_reverse &&
	    m->price.gross_micro > m->hold.held_micro) {
		m->price = (struct price_parts){0};
		call_pack_cancel(m);
	}
	m->price_micro = m->price.gross_micro;
	m->billed_ms = m->price.billed_ms;
}


/* The price of the whole call, once; what was held beyond it is free again. */
void call_settle(struct call *call)
{
	const uint64_t ms = call_paid_ms(call);
	struct money *m;

	/* idempotent: what is settled holds nothing any more */
	for (unsigned i = 0; (m = call_payer_at(call, i)); i++) {
		if (!m->is_settled)
			settle_one(call, m, ms);
		m->is_settled = true;
		count_spend(m, max(m->price_micro, 0));
		fund_settle(call->books.funds, &m->hold, max(m->price_micro, 0));
		call_pack_release(m);
	}

	m = &call->money;
	if (m->is_bought && call->answered_ms) {
		if (price_parts(&m->buy, call_duration_ms(call), 0, &m->cost))
			m->cost = (struct price_parts){0};
		m->cost_micro = m->cost.gross_micro;
	}
}
