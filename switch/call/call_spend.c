/**
 * @file call_spend.c  What account and trunk that call spend in a day and in a
 * month: counted when money is held for the next interval, given back with it.
 */
#include <string.h>
#include "call_private.h"
#include "lock.h"
#include "text.h"


static void tell(struct call *call, const struct money *m, struct spend *s,
		 enum event_kind kind)
{
	char text[48];
	struct event ev;

	event_init(&ev, kind, moment_wall_ms(&call->w->now), m->tenant_id,
		   spend_id(s));
	memcpy(ev.call_id, call->id, sizeof(ev.call_id));
	event_text(&ev, "period", spend_period_name(spend_period(s)));
	event_text(&ev, "spent", text_decimal_format(text, sizeof(text),
						     spend_micro(s), 6));
	event_text(&ev, "limit", text_decimal_format(text, sizeof(text),
						     spend_limit(s), 6));
	event_text(&ev, "currency", m->currency);
	worker_emit(call->w, &ev);
}


static void reached(struct call *call, const struct money *m, struct spend *s)
{
	const int64_t now_ms = moment_wall_ms(&call->w->now);

	if (call->is_test || !spend_tell_limit(s))
		return;

	if (spend_locks(s))
		(void)lock_set(call->w->locks, spend_id(s), OUT_LIMIT_SPEND,
			       now_ms, INT64_MAX);
	tell(call, m, s, spend_locks(s) ? EVENT_SPEND_LOCKED
					: EVENT_SPEND_LIMITED);
}


static enum outcome open_one(struct call *call, struct spend **sp,
			     const char *id, enum spend_period period,
			     const struct spend_policy *policy,
			     int64_t first_micro)
{
	const struct day_clock *clock = &call->trunk->tenant->clock;
	const int64_t now_ms = moment_wall_ms(&call->w->now);
	enum outcome out = OUT_OK;
	struct spend *s;

	if (policy->limit_micro < 0)
		return OUT_OK;

	s = spend_get(call->books.spends, call->cat, id, period, policy, clock,
		      now_ms);
	if (!s)
		return OUT_LIMIT_NODE;

	if (!spend_allows(s, first_micro, now_ms))
		out = OUT_LIMIT_SPEND;
	WHY(call->why, WHY_SPEND, out, id,
	    WHY_COUNT("spent_micro", spend_micro(s)),
	    WHY_COUNT("first_micro", first_micro),
	    WHY_COUNT("limit_micro", policy->limit_micro),
	    WHY_COUNT(spend_period_name(period),
		      spend_number(clock, period, now_ms)));
	if (out == OUT_OK) {
		*sp = s;
		return OUT_OK;
	}

	reached(call, call->payer, s);
	call_limited(call, id);
	mem_deref(s);

	return out;
}


static enum outcome open_both(struct call *call, struct spend **spends,
			      const char *id,
			      const struct spend_policy *policies,
			      int64_t first_micro)
{
	enum outcome out = OUT_OK;

	for (enum spend_period p = 0; p < SPEND_PERIOD_N && out == OUT_OK; p++)
		out = open_one(call, &spends[p], id, p, &policies[p],
			       first_micro);

	return out;
}


enum outcome call_spend_open(struct call *call)
{
	const struct trunk *trunk = call->trunk;
	struct money *m = call->payer;
	int64_t first = 0;
	enum outcome out;

	if (price_micro(&m->sell, price_interval_end_ms(&m->sell, 0), 0,
			&first))
		return OUT_LIMIT_SPEND;

	TEXT_FILL(m->tenant_id, trunk->tenant->id);
	out = open_both(call, m->spends, trunk->account->id,
			trunk->account->spend, first);
	if (out == OUT_OK)
		out = open_both(call, m->spends + SPEND_PERIOD_N, trunk->id,
				trunk->spend, first);

	return out;
}


bool call_spend_allows(struct money *m, int64_t micro, bool is_first)
{
	struct call *call = m->call;
	const int64_t now_ms = moment_wall_ms(&call->w->now);

	for (size_t i = 0; i < ARRAY_SIZE(m->spends); i++) {
		struct spend *s = m->spends[i];

		if (!s || spend_allows(s, micro, now_ms))
			continue;
		reached(call, m, s);
		if (is_first || spend_cuts(s))
			return false;
	}

	return true;
}


void call_spend(struct money *m, int64_t micro)
{
	struct call *call = m->call;
	const int64_t now_ms = moment_wall_ms(&call->w->now);

	for (size_t i = 0; i < ARRAY_SIZE(m->spends); i++) {
		struct spend *s = m->spends[i];

		if (s && spend_add(s, micro, now_ms) && !call->is_test)
			tell(call, m, s, EVENT_SPEND_WARNED);
	}
}


void call_spend_close(struct call *call)
{
	struct money *m;

	for (unsigned k = 0; (m = call_payer_at(call, k)); k++)
		for (size_t i = 0; i < ARRAY_SIZE(m->spends); i++)
			m->spends[i] = mem_deref(m->spends[i]);
}
