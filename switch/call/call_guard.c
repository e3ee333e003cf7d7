/**
 * @file call_guard.c  What keeps a trunk's calls from costing more than its
 * owner meant: where it may call, at which price, and how often one number.
 * Emergency calls do not come here.
 */
#include "call_private.h"
#include "destination.h"
#include "text.h"

#define MINUTE_S 60


enum outcome call_zone(struct call *call)
{
	struct destination_verdict v;

	destination_check(call->cat, call->trunk, call->site,
			  call->called.e164, &v);
	WHY(call->why, WHY_ZONE, v.outcome, v.zone_id[0] ? v.zone_id : NULL,
	    WHY_TEXT("reason", v.reason), WHY_TEXT("country", v.country),
	    WHY_TEXT("home", v.home), WHY_TEXT("type", v.type));
	if (v.outcome != OUT_OK)
		call_limited(call, v.zone_id[0] ? v.zone_id
						: call->trunk_id);

	return v.outcome;
}


static enum outcome check_cap(struct call *call)
{
	const struct price *p = &call->payer->sell;
	/* at its dearest, in the account's currency */
	const struct tariff sell = {
		.rate_per_min_nano = price_dearest_nano(p),
		.connect_fee_micro = round_div(
			(__int128)p->tariff.connect_fee_micro *
				p->exchange_nano,
			EXCHANGE_SAME, ROUND_UP),
	};
	const char *by = destination_cap(call->trunk, &sell);
	const struct price_cap *cap = by == call->trunk->id
					      ? &call->trunk->cap
					      : &call->trunk->account->cap;

	if (!by)
		return OUT_OK;

	WHY(call->why, WHY_SPEND, OUT_LIMIT_PRICE, by,
	    WHY_COUNT("rate_per_min_nano", sell.rate_per_min_nano),
	    WHY_COUNT("max_per_min_nano", cap->per_min_nano),
	    WHY_COUNT("connect_fee_micro", sell.connect_fee_micro),
	    WHY_COUNT("max_connect_micro", cap->connect_micro));
	call_limited(call, by);

	return OUT_LIMIT_PRICE;
}


static enum outcome take_called(struct call *call)
{
	const struct trunk *trunk = call->trunk;
	const uint64_t now_ms = moment_ms(&call->w->now);
	struct tallies *all = call->books.tallies;
	char key[TALLY_KEY_SIZE];
	struct tally *tally;
	uint32_t live, recent;
	enum outcome out;

	if (trunk->called_channels < 0 && trunk->called_per_min < 0)
		return OUT_OK;

	(void)text_format(key, sizeof(key), "called %s %s", trunk->id,
			  call->called.e164);
	tally = tally_find(all, key);
	live = tally_live(tally);
	recent = tally_recent(tally, now_ms);
	out = (trunk->called_channels >= 0 &&
	       live >= (uint32_t)trunk->called_channels) ||
			      (trunk->called_per_min >= 0 &&
			       recent >= (uint32_t)trunk->called_per_min)
		      ? OUT_LIMIT_CALLED : OUT_OK;

	WHY(call->why, WHY_LIMIT, out, trunk->id, WHY_TEXT("level", "called"),
	    WHY_COUNT("used", live),
	    WHY_COUNT("limit", trunk->called_channels),
	    WHY_COUNT("in_last_min", recent),
	    WHY_COUNT("per_min", trunk->called_per_min));
	if (out != OUT_OK) {
		call_limited(call, trunk->id);
		return out;
	}

	tally = tally_get(all, key, MINUTE_S);
	if (tally) {
		tally_add(tally, now_ms);
		(void)call_hold_tally(call, tally);
	}

	return OUT_OK;
}


enum outcome call_guard(struct call *call)
{
	enum outcome out = check_cap(call);

	if (out == OUT_OK)
		out = call_locked(call);
	if (out == OUT_OK)
		out = call_spend_open(call);
	if (out == OUT_OK)
		out = call_window(call);
	if (out == OUT_OK)
		out = take_called(call);

	return out == OUT_OK ? call_fraud(call) : out;
}


bool call_hold_tally(struct call *call, struct tally *tally)
{
	if (call->tally_n == ARRAY_SIZE(call->tallies))
		return false;

	tally_hold(tally);
	call->tallies[call->tally_n++] = tally;

	return true;
}


void call_guard_end(struct call *call)
{
	call_fraud_end(call);
	call_spend_close(call);
	while (call->tally_n)
		tally_release(call->tallies[--call->tally_n]);
}
