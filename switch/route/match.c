/** @file match.c  See match.h. */
#include <string.h>
#include "match.h"

/** Why a route of a fitting prefix was passed over, in the order of tests. */
enum miss { MISS_NOT, MISS_LENGTH, MISS_CALLING, MISS_TAGS, MISS_VALID,
	    MISS_SCHEDULE };


const struct routing_plan *match_plan(const struct trunk *trunk)
{
	return trunk->plan ? trunk->plan : trunk->tenant->plan;
}


static enum miss route_test(const struct route *r,
			    const struct match_query *q, size_t called_len)
{
	if (called_len < r->called_min || called_len > r->called_max)
		return MISS_LENGTH;
	if (strncmp(q->calling, r->calling_prefix,
		    strlen(r->calling_prefix)) != 0)
		return MISS_CALLING;
	if (!tag_set_has(q->tags, &r->tags))
		return MISS_TAGS;
	if (q->wall_ms < r->valid_from_ms || q->wall_ms >= r->valid_to_ms)
		return MISS_VALID;
	if (r->schedule &&
	    schedule_is_open(r->schedule, q->wall_ms) == r->schedule_is)
		return MISS_SCHEDULE;

	return MISS_NOT;
}


static void note_miss(struct why *why, const struct route *r, enum miss miss)
{
	static const char *const names[] = {
		[MISS_LENGTH] = "called_length",
		[MISS_CALLING] = "calling_prefix",
		[MISS_TAGS] = "tags",
		[MISS_VALID] = "valid",
		[MISS_SCHEDULE] = "schedule",
	};

	WHY(why, WHY_PLAN, OUT_NONE, r->id, WHY_TEXT("prefix", r->prefix),
	    WHY_TEXT("passed_over", names[miss]));
}


static void note_hit(struct why *why, const struct match_query *q,
		     const struct route *r)
{
	WHY(why, WHY_PLAN, r ? OUT_OK : OUT_NO_ROUTE, r ? r->id : NULL,
	    WHY_TEXT("plan", q->plan ? q->plan->id : ""),
	    WHY_TEXT("plan_name", q->plan ? q->plan->name : ""),
	    WHY_TEXT("prefix", r ? r->prefix : ""),
	    WHY_COUNT("position", r ? r->position : 0));
}


const struct route *match_route(const struct catalog *cat,
				const struct match_query *q, struct why *why)
{
	const size_t called_len = strlen(q->called);
	struct route_hits hits;

	if (q->plan && !q->plan->is_active) {
		WHY(why, WHY_PLAN, OUT_NO_ROUTE, q->plan->id,
		    WHY_TEXT("plan_name", q->plan->name),
		    WHY_TEXT("passed_over", "suspended"));
		return NULL;
	}

	catalog_routes(cat, q->plan, q->tenant, q->called, &hits);
	for (uint8_t i = 0; i < hits.n; i++) {
		for (uint32_t k = 0; k < hits.spans[i].n; k++) {
			const struct route *r = &hits.spans[i].first[k];
			const enum miss miss = route_test(r, q, called_len);

			if (miss == MISS_NOT) {
				note_hit(why, q, r);
				return r;
			}
			note_miss(why, r, miss);
		}
	}
	note_hit(why, q, NULL);

	return NULL;
}
