/**
 * @file call_window.c  Hours in which a trunk may call a number, and how often
 * one number meanwhile: what the law allows dialers. Every window that the
 * number is meant by has to be open. A forward is a call of who forwards.
 */
#include <string.h>
#include "call_private.h"
#include "match.h"
#include "schedule.h"
#include "text.h"
#include "worker_event.h"

#define MINUTE_S 60

/* A tally lets go of a call after 11 twelfths of its window at the earliest */
#define COUNTED_S(minutes) ((minutes) * MINUTE_S / 11 * 12 + MINUTE_S)


static bool is_matched(const struct call *call, const struct calling_window *w,
		       const struct zone_set *zones)
{
	const size_t len = strlen(w->prefix);

	if (len && strncmp(call->called.e164 + 1, w->prefix, len))
		return false;

	return w->zone_bit < 0 || zone_set_has(zones, (uint16_t)w->zone_bit);
}


/* Calls of the trunk to the number since the window opened */
static struct tally *tally_of(const struct call *call,
			      const struct calling_window *w,
			      const struct schedule_span *span, bool is_made)
{
	char key[TALLY_KEY_SIZE];

	(void)text_format(key, sizeof(key), "%s %s %s %lld", w->id,
			  call->trunk->id, call->called.e164,
			  (long long)span->opened_min);

	return is_made ? tally_get(call->books.dialed, key,
				   COUNTED_S(span->length_min))
		       : tally_find(call->books.dialed, key);
}


static void refused(struct call *call, const struct calling_window *w,
		    bool is_open, uint32_t n)
{
	const struct limit_use use = {
		.tenant_id = call->trunk->tenant->id,
		.object_id = w->id,
		.limit = is_open ? "calls_per_number" : "window",
		.used = n,
		.max = is_open ? w->calls_per_number : 0,
		.is_rate = true,
		.call_id = call->id,
	};

	call_limited(call, w->id);
	if (!call->is_test)
		worker_limit(call->w, &use);
}


static enum outcome check(struct call *call, const struct calling_window *w)
{
	const uint64_t now_ms = moment_ms(&call->w->now);
	const bool is_counted = w->calls_per_number >= 0;
	struct schedule_span span;
	const bool is_open = is_counted
		? schedule_span(w->schedule, call->begun_wall_ms, &span)
		: schedule_is_open(w->schedule, call->begun_wall_ms);
	enum outcome out = is_open ? OUT_OK : OUT_CALLING_WINDOW;
	uint32_t n = 0;

	if (is_open && is_counted) {
		n = tally_recent(tally_of(call, w, &span, false), now_ms);
		if (n >= (uint32_t)w->calls_per_number)
			out = OUT_LIMIT_CALLED;
	}

	WHY(call->why, WHY_LIMIT, out, w->id, WHY_TEXT("level", "window"),
	    WHY_COUNT("open", is_open), WHY_COUNT("used", n),
	    WHY_COUNT("limit", w->calls_per_number));
	if (out != OUT_OK)
		refused(call, w, is_open, n);

	return out;
}


static enum outcome take(struct call *call, const struct calling_window *w)
{
	struct schedule_span span;
	struct tally *tally;

	if (w->calls_per_number < 0 ||
	    !schedule_span(w->schedule, call->begun_wall_ms, &span))
		return OUT_OK;

	tally = tally_of(call, w, &span, true);
	if (!tally) {
		/* what cannot be counted cannot be allowed */
		WHY(call->why, WHY_LIMIT, OUT_LIMIT_CALLED, w->id,
		    WHY_TEXT("level", "window"), WHY_TEXT("table", "full"));
		call_limited(call, w->id);
		return OUT_LIMIT_CALLED;
	}
	tally_add(tally, moment_ms(&call->w->now));

	return OUT_OK;
}


typedef enum outcome(window_h)(struct call *call,
			       const struct calling_window *w);


static enum outcome each(struct call *call, window_h *h)
{
	const struct routing_plan *plan = match_plan(call->trunk);
	const char *const scopes[] = {"", call->trunk->tenant->id,
				      plan ? plan->id : "", call->trunk->id};
	enum outcome out = OUT_OK;
	struct zone_set zones;

	catalog_zones(call->cat, call->called.e164,
		      catalog_numbering(call->cat, call->called.e164),
		      &zones);
	for (size_t i = 0; i < ARRAY_SIZE(scopes) && out == OUT_OK; i++) {
		uint32_t n;
		const struct calling_window *w =
			catalog_calling_windows(call->cat, scopes[i], &n);

		if (i && !scopes[i][0]) /* those of all had their turn */
			continue;
		for (uint32_t k = 0; k < n && out == OUT_OK; k++) {
			if (is_matched(call, &w[k], &zones))
				out = h(call, &w[k]);
		}
	}

	return out;
}


enum outcome call_window(struct call *call)
{
	enum outcome out;

	if (!catalog_has_calling_windows(call->cat))
		return OUT_OK;

	out = each(call, check);

	return out == OUT_OK ? each(call, take) : out;
}
