/**
 * @file catalog_build.h  Inside a build of a catalog: seen by catalog_build.c
 * and catalog_build_route.c.
 */
#ifndef CATALOG_BUILD_H
#define CATALOG_BUILD_H
#include "catalog_store_data.h"

struct build {
	struct catalog *c;
	struct row **rows[ROW_KIND_N]; /**< by id */
	size_t n[ROW_KIND_N];
	int err;             /**< ENOMEM: there is no catalog              */
};

/** @return NULL, or which reference is broken; nothing was added then */
typedef const char *(add_h)(struct build *b, const struct row *row);

/* What was added before, by id; NULL: not there */
const struct routing_plan *build_plan(const struct catalog *c,
				      const char *id);

/* catalog_build_route.c */
add_h plan_add, schedule_add, group_add, route_add, carrier_rule_add, emergency_add;

/* catalog_forward.c */
add_h endpoint_add, forward_add, decision_url_add;

/* catalog_build_number.c */
add_h numbering_add, rule_set_add, number_list_add, grant_add,
	short_code_add;
uint32_t build_numbering_sum(const struct build *b);
void build_number_order(struct catalog *c);

/** References of a tenant's, plan's or peer's row. @return NULL, or what is broken */
const char *build_lists(const struct catalog *c, struct number_lists *lists,
			const struct row_body *body);
const char *build_policy(const struct catalog *c, struct number_policy *p,
			 const struct row_body *body);

/** How many gateways the routes name at most, those of groups counted. */
size_t build_target_sum(const struct build *b);

/** Sort the rules of carriers and give each owner its own. */
void build_carrier_rules(struct catalog *c);

#endif
