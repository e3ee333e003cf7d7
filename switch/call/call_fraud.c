/**
 * @file call_fraud.c  Rules that count the calls of a trunk and warn, refuse
 * or lock it when there are too many of a kind. What is refused is not
 * counted; a lock holds on this node before anybody else knows of it.
 */
#include <string.h>
#include "call_private.h"
#include "lock.h"
#include "schedule.h"
#include "text.h"

/** Rules whose count is only known when a call is answered or over. */
struct fraud_watch {
	char tenant_id[ID_SIZE], trunk_id[ID_SIZE]; /**< whose call it is   */
	struct tally *tally;
	struct fraud_rule rule; /**< a copy: the catalog is let go          */
};


static bool is_matched(const struct call *call, const struct fraud_rule *r,
		       const struct zone_set *zones)
{
	const size_t len = strlen(r->prefix);

	if (len && strncmp(call->called.e164 + 1, r->prefix, len))
		return false;
	if (r->zone_bit >= 0 && !zone_set_has(zones, (uint16_t)r->zone_bit))
		return false;

	return !r->schedule ||
	       schedule_is_open(r->schedule, call->begun_wall_ms);
}


/* The count if this call were one of them */
static int64_t count(const struct call *call, const struct fraud_rule *r,
		     const struct tally *tally)
{
	const uint64_t now_ms = moment_ms(&call->w->now);

	switch ((enum fraud_metric)r->metric) {
	case FRAUD_CALLS:
		return (int64_t)tally_recent(tally, now_ms) + 1;
	case FRAUD_CONCURRENT:
		return (int64_t)tally_live(tally) + 1;
	case FRAUD_SAME_NUMBER:
		return (int64_t)tally_run(tally, call->called.e164) + 1;
	case FRAUD_DIFFERENT_NUMBERS:
		return tally_distinct(tally, call->called.e164, now_ms);
	case FRAUD_SHORT_CALLS:
		return tally_recent(tally, now_ms);
	case FRAUD_DURATION:
	case FRAUD_METRIC_N:
		break;
	}

	return 0;
}


static enum fraud_level level_of(const struct fraud_rule *r, int64_t n)
{
	if (r->lock >= 0 && n > r->lock)
		return FRAUD_LOCK;
	if (r->limit >= 0 && n > r->limit)
		return FRAUD_LIMIT;

	return r->warn >= 0 && n > r->warn ? FRAUD_WARN : FRAUD_NONE;
}


/** Whose calls are counted: of who calls or, after a forward, who sends on. */
struct caller {
	const char *tenant_id, *trunk_id;
};


static struct caller caller_of(const struct call *call)
{
	return (struct caller){call->trunk->tenant->id, call->trunk->id};
}


static void tell(struct call *call, const struct fraud_rule *r,
		 const struct caller *by, enum fraud_level level, int64_t n,
		 int64_t until_ms)
{
	static const enum event_kind kinds[] = {
		[FRAUD_WARN] = EVENT_FRAUD_WARNED,
		[FRAUD_LIMIT] = EVENT_FRAUD_LIMITED,
		[FRAUD_LOCK] = EVENT_FRAUD_LOCKED,
	};
	struct event ev;

	event_init(&ev, kinds[level], moment_wall_ms(&call->w->now),
		   by->tenant_id, by->trunk_id);
	memcpy(ev.call_id, call->id, sizeof(ev.call_id));
	event_text(&ev, "rule_id", r->id);
	event_text(&ev, "metric", fraud_metric_name(r->metric));
	event_number(&ev, "count", n);
	event_text(&ev, "called", call->called.e164);
	if (level == FRAUD_LOCK && until_ms != INT64_MAX)
		event_number(&ev, "until_ms", until_ms);
	worker_emit(call->w, &ev);
}


static void act(struct call *call, const struct fraud_rule *r,
		const struct caller *by, struct tally *tally,
		enum fraud_level level, int64_t n)
{
	const int64_t now_ms = moment_wall_ms(&call->w->now);
	int64_t until_ms = INT64_MAX;

	if (r->lock_min)
		until_ms = now_ms + (int64_t)r->lock_min * 60000;
	if (level == FRAUD_LOCK)
		(void)lock_set(call->w->locks, by->trunk_id,
			       OUT_FRAUD_LOCK, now_ms, until_ms);
	if (level == FRAUD_LOCK ||
	    tally_tell(tally, level, moment_ms(&call->w->now)))
		tell(call, r, by, level, n, until_ms);
}


static struct tally *tally_of(struct call *call, const struct fraud_rule *r,
			      bool is_made)
{
	char key[TALLY_KEY_SIZE];

	(void)text_format(key, sizeof(key), "%s %s", r->id, call->trunk->id);

	return is_made ? tally_get(call->books.tallies, key, r->window_s)
		       : tally_find(call->books.tallies, key);
}


static enum outcome check_rule(struct call *call, const struct fraud_rule *r)
{
	static const enum outcome outcomes[] = {
		[FRAUD_NONE] = OUT_OK, [FRAUD_WARN] = OUT_OK,
		[FRAUD_LIMIT] = OUT_FRAUD_LIMIT, [FRAUD_LOCK] = OUT_FRAUD_LOCK,
	};
	struct tally *tally = tally_of(call, r, false);
	const int64_t n = count(call, r, tally);
	const enum fraud_level level = level_of(r, n);
	const struct caller by = caller_of(call);

	WHY(call->why, WHY_FRAUD, outcomes[level], r->id,
	    WHY_TEXT("metric", fraud_metric_name(r->metric)),
	    WHY_COUNT("count", n), WHY_COUNT("warn", r->warn),
	    WHY_COUNT("limit", r->limit), WHY_COUNT("lock", r->lock));
	if (level == FRAUD_NONE)
		return OUT_OK;

	if (!tally)
		tally = tally_of(call, r, true);
	if (!call->is_test)
		act(call, r, &by, tally, level, n);
	if (outcomes[level] != OUT_OK)
		call_limited(call, r->id);

	return outcomes[level];
}


static void watch(struct call *call, const struct fraud_rule *r,
		  struct tally *tally)
{
	const size_t n = call->watch_n;
	struct fraud_watch *grown;

	if (r->metric != FRAUD_SHORT_CALLS && r->metric != FRAUD_DURATION)
		return;

	grown = call->watches ? mem_realloc(call->watches,
					    (n + 1) * sizeof(*grown))
			      : mem_zalloc(sizeof(*grown), NULL);
	if (!grown)
		return;

	call->watches = grown;
	TEXT_FILL(grown[n].tenant_id, call->trunk->tenant->id);
	TEXT_FILL(grown[n].trunk_id, call->trunk->id);
	grown[n].tally = tally;
	grown[n].rule = *r;
	grown[n].rule.schedule = NULL;
	call->watch_n++;
}


static void take_rule(struct call *call, const struct fraud_rule *r)
{
	const uint64_t now_ms = moment_ms(&call->w->now);
	struct tally *tally = tally_of(call, r, true);

	if (!tally || !call_hold_tally(call, tally))
		return;

	if (r->metric == FRAUD_CALLS)
		tally_add(tally, now_ms);
	if (r->metric == FRAUD_SAME_NUMBER ||
	    r->metric == FRAUD_DIFFERENT_NUMBERS)
		tally_number(tally, call->called.e164, now_ms);
	watch(call, r, tally);
}


typedef enum outcome(rule_h)(struct call *call, const struct fraud_rule *r);


static enum outcome take_h(struct call *call, const struct fraud_rule *r)
{
	take_rule(call, r);

	return OUT_OK;
}


static enum outcome each_rule(struct call *call, rule_h *h)
{
	const struct caller by = caller_of(call);
	const char *const scopes[] = {"", by.tenant_id, by.trunk_id};
	struct zone_set zones;
	enum outcome out = OUT_OK;

	catalog_zones(call->cat, call->called.e164,
		      catalog_numbering(call->cat, call->called.e164),
		      &zones);
	for (size_t i = 0; i < ARRAY_SIZE(scopes) && out == OUT_OK; i++) {
		uint32_t n;
		const struct fraud_rule *r =
			catalog_fraud_rules(call->cat, scopes[i], &n);

		for (uint32_t k = 0; k < n && out == OUT_OK; k++) {
			if (is_matched(call, &r[k], &zones))
				out = h(call, &r[k]);
		}
	}

	return out;
}


enum outcome call_locked(struct call *call)
{
	const int64_t now_ms = moment_wall_ms(&call->w->now);

	const char *id = call->trunk->id;
	enum outcome out = lock_check(call->w->locks, call->cat, id, now_ms);

	if (out == OUT_OK) {
		id = call->trunk->account->id;
		out = lock_check(call->w->locks, call->cat, id, now_ms);
	}
	if (out == OUT_OK)
		return OUT_OK;

	why_note(call->why, out == OUT_FRAUD_LOCK ? WHY_FRAUD : WHY_SPEND, out,
		 id, NULL, 0);
	call_limited(call, id);

	return out;
}


enum outcome call_fraud(struct call *call)
{
	const enum outcome out = each_rule(call, check_rule);

	if (out == OUT_OK)
		(void)each_rule(call, take_h);

	return out;
}


enum outcome call_fraud_runs(struct call *call)
{
	const int64_t s = (int64_t)call_duration_ms(call) / 1000;

	for (uint8_t i = 0; i < call->watch_n; i++) {
		const struct fraud_watch *w = &call->watches[i];
		const enum fraud_level level = level_of(&w->rule, s);
		const struct caller by = {w->tenant_id, w->trunk_id};

		if (w->rule.metric != FRAUD_DURATION || level == FRAUD_NONE)
			continue;
		if (level == FRAUD_WARN && call->is_fraud_warned)
			continue;

		call->is_fraud_warned = true;
		act(call, &w->rule, &by, w->tally, level, s);
		if (level != FRAUD_WARN)
			return level == FRAUD_LOCK ? OUT_FRAUD_LOCK
						   : OUT_FRAUD_LIMIT;
	}

	return OUT_OK;
}


void call_fraud_end(struct call *call)
{
	const uint64_t now_ms = moment_ms(&call->w->now);

	for (uint8_t i = 0; i < call->watch_n; i++) {
		const struct fraud_watch *w = &call->watches[i];

		if (w->rule.metric == FRAUD_SHORT_CALLS &&
		    call->answered_ms &&
		    call_duration_ms(call) <
			    (uint64_t)w->rule.short_s * 1000)
			tally_add(w->tally, now_ms);
	}

	call->watch_n = 0;
	call->watches = mem_deref(call->watches);
}
