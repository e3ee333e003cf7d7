/**
 * @file match.h  Which route takes a call: of the plan's routes whose prefix
 * begins the called number, the longest first, the first by position whose
 * other conditions hold.
 */
#ifndef MATCH_H
#define MATCH_H
#include "catalog.h"
#include "why.h"

/** What the conditions of a route are held against. */
struct match_query {
	const struct routing_plan *plan; /**< NULL: routes of no plan      */
	const struct tenant *tenant;
	const char *called, *calling;    /**< digits; calling "": unknown  */
	const struct tag_set *tags;
	int64_t wall_ms;
};

/** Trunk's plan, else its tenant's; NULL: the routes of no plan. */
const struct routing_plan *match_plan(const struct trunk *trunk);

/**
 * Notes which plan and route matched, and how many routes of fitting prefix
 * were passed over (why may be NULL). @return NULL when none takes it. Pure.
 */
const struct route *match_route(const struct catalog *cat,
				const struct match_query *q, struct why *why);

#endif
