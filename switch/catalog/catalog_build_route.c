/**
 * @file catalog_build_route.c  Plans, schedules, routes and what a customer
 * may use, from rows into a catalog: groups are resolved into gateways, and
 * each deck of a route's carriers stands once.
 */
#include <stdlib.h>
#include <string.h>
#include "catalog_build.h"
#include "text.h"

static const char too_many_tags[] = "tags: more different ones than fit";


static int id_compare(const void *key, const void *entry)
{
	return strcmp(key, entry);
}


const struct routing_plan *build_plan(const struct catalog *c, const char *id)
{
	return c->plan_n ? bsearch(id, c->plans, c->plan_n, sizeof(*c->plans),
				   id_compare)
			 : NULL;
}


const char *plan_add(struct build *b, const struct row *row)
{
	struct routing_plan p = row->body->plan;
	const char *broken;

	if (tag_intern(&p.tags, &b->c->tags, &row->body->tags))
		return too_many_tags;

	broken = build_lists(b->c, &p.lists, row->body);
	if (!broken)
		b->c->plans[b->c->plan_n++] = p;

	return broken;
}


const char *schedule_add(struct build *b, const struct row *row)
{
	b->c->schedules[b->c->schedule_n++] = row->body->schedule;

	return NULL;
}


static int row_compare(const void *key, const void *entry)
{
	const struct row *const *row = entry;

	return strcmp(key, (*row)->id);
}


/** Where the row of a group stands; the catalog's groups stand as rows do.
 *  NULL: there is none */
static struct row *const *group_row(const struct build *b, const char *id)
{
	return bsearch(id, b->rows[ROW_CARRIER_GROUP],
		       b->n[ROW_CARRIER_GROUP], sizeof(void *), row_compare);
}


const char *group_add(struct build *b, const struct row *row)
{
	struct carrier_group *g = &b->c->groups[b->c->group_n++];

	(void)text_copy(g->id, sizeof(g->id), row->id);

	return NULL;
}


size_t build_target_sum(const struct build *b)
{
	size_t i, sum = 0;

	for (i = 0; i < b->n[ROW_ROUTE]; i++) {
		const struct row_body *body = b->rows[ROW_ROUTE][i]->body;

		for (uint16_t k = 0; k < body->target_n; k++) {
			struct row *const *group = group_row(
				b, body->targets[k].group);

			sum += group ? (*group)->body->target_n : 1;
		}
	}

	for (i = 0; i < b->n[ROW_EMERGENCY_NUMBER]; i++)
		sum += b->rows[ROW_EMERGENCY_NUMBER][i]->body->target_n;

	return sum;
}


/* --- the gateways of a route */

/** Where the gateways of the route that is being built stand. */
struct places {
	struct build *b;
	struct route *r;
	struct route_target *targets;
	const struct deck **decks;
};


/** Where the deck of a carrier stands in the route's */
static uint16_t deck_place(const struct places *p, const struct deck *deck)
{
	uint16_t i;

	if (!deck)
		return DECK_NONE;

	for (i = 0; i < p->r->deck_n; i++) {
		if (p->decks[i] == deck)
			return i;
	}
	p->decks[i] = deck;
	++p->r->deck_n;

	return i;
}


static bool is_there(const struct places *p, const struct gateway *gw)
{
	for (uint16_t i = 0; i < p->r->target_n; i++) {
		if (p->targets[i].gateway == gw)
			return true;
	}

	return false;
}


/** A gateway that is there twice is tried once, where it stands first */
static void place_add(const struct places *p, const char *gateway,
		      struct route_target t)
{
	t.gateway = catalog_gateway(p->b->c, gateway);
	if (!t.gateway || p->r->target_n == ROUTE_GATEWAYS_MAX) {
		catalog_row_skipped("route", p->r->id,
				    t.gateway ? "more gateways than fit"
					      : "a target without gateway");
		return;
	}
	if (is_there(p, t.gateway))
		return;

	t.deck = deck_place(p, t.gateway->carrier->deck);
	p->targets[p->r->target_n++] = t;
}


static void members_add(const struct places *p, const struct target_row *row,
			struct route_target t)
{
	struct row *const *group = group_row(p->b, row->group);
	const struct row_body *body;

	if (!group) {
		catalog_row_skipped("route", p->r->id,
				    "a target without group");
		return;
	}

	body = (*group)->body;
	t.group = p->b->c->groups[group - p->b->rows[ROW_CARRIER_GROUP]].id;
	for (uint16_t i = 0; i < body->target_n && body->is_active; i++) {
		t.member_priority = body->targets[i].priority;
		t.member_weight = body->targets[i].weight;
		place_add(p, body->targets[i].gateway, t);
	}
}


static int target_compare(const void *a, const void *b)
{
	const struct route_target *x = a, *y = b;

	if (x->priority != y->priority)
		return (int)x->priority - (int)y->priority;
	if (x->entry != y->entry)
		return (int)x->entry - (int)y->entry;
	if (x->member_priority != y->member_priority)
		return (int)x->member_priority - (int)y->member_priority;

	return strcmp(x->gateway->id, y->gateway->id);
}


static void targets_add(struct build *b, struct route *r,
			const struct row_body *body)
{
	const struct places p = {
		b, r, b->c->targets + b->c->target_n,
		b->c->route_decks + b->c->route_deck_n,
	};

	for (uint16_t i = 0; i < body->target_n; i++) {
		const struct target_row *row = &body->targets[i];
		const struct route_target t = {
			.priority = row->priority,
			.weight = row->weight,
			.entry = i,
		};

		if (row->group[0])
			members_add(&p, row, t);
		else
			place_add(&p, row->gateway, t);
	}

	qsort(p.targets, r->target_n, sizeof(*p.targets), target_compare);
	r->targets = p.targets;
	r->decks = p.decks;
	b->c->target_n += r->target_n;
	b->c->route_deck_n += r->deck_n;
}


const char *emergency_add(struct build *b, const struct row *row)
{
	struct emergency e = row->body->emergency;

	if (!row->body->is_active)
		return NULL;

	targets_add(b, &e.route, row->body);
	b->c->emergencies[b->c->emergency_n++] = e;

	return NULL;
}


static const struct schedule *find_schedule(const struct catalog *c,
					    const char *id)
{
	return c->schedule_n ? bsearch(id, c->schedules, c->schedule_n,
				       sizeof(*c->schedules), id_compare)
			     : NULL;
}


const char *route_add(struct build *b, const struct row *row)
{
	const struct row_refs *refs = &row->body->refs;
	struct route r = row->body->route;

	if (!row->body->is_active)
		return NULL;

	r.tenant = catalog_tenant(b->c, refs->tenant);
	if (refs->tenant[0] && !r.tenant)
		return "tenant_id";
	r.plan = build_plan(b->c, refs->plan);
	if (refs->plan[0] && !r.plan)
		return "plan_id";
	r.schedule = find_schedule(b->c, refs->schedule);
	if (refs->schedule[0] && !r.schedule)
		return "schedule_id";
	if (tag_intern(&r.tags, &b->c->tags, &row->body->tags))
		return too_many_tags;

	targets_add(b, &r, row->body);
	b->c->routes[b->c->route_n++] = r;

	return NULL;
}


/* --- what a customer may use */

const char *carrier_rule_add(struct build *b, const struct row *row)
{
	const struct row_refs *refs = &row->body->refs;
	struct carrier_rule rule = row->body->carrier_rule;

	rule.owner = refs->tenant[0]
			     ? (const void *)catalog_tenant(b->c, refs->tenant)
			     : catalog_trunk(b->c, refs->trunk);
	if (!rule.owner)
		return "tenant_id or trunk_id";
	rule.carrier = catalog_carrier(b->c, refs->carrier);
	if (!rule.carrier)
		return "carrier_id";

	b->c->carrier_rules[b->c->carrier_rule_n++] = rule;

	return NULL;
}


int carrier_rule_compare(const void *a, const void *b)
{
	const struct carrier_rule *x = a, *y = b;

	if (x->owner != y->owner)
		return (uintptr_t)x->owner < (uintptr_t)y->owner ? -1 : 1;
	if (x->carrier != y->carrier)
		return x->carrier < y->carrier ? -1 : 1;

	return 0;
}


static void rules_give(const struct catalog *c, const void *owner,
		       struct carrier_rules *ret)
{
	uint32_t lo = 0, hi = c->carrier_rule_n;

	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo) / 2;

		if ((uintptr_t)c->carrier_rules[mid].owner < (uintptr_t)owner)
			lo = mid + 1;
		else
			hi = mid;
	}

	ret->rules = &c->carrier_rules[lo];
	for (; lo < c->carrier_rule_n && c->carrier_rules[lo].owner == owner;
	     lo++) {
		++ret->n;
		ret->has_only |= c->carrier_rules[lo].is_only;
	}
}


void build_carrier_rules(struct catalog *c)
{
	uint32_t i;

	qsort(c->carrier_rules, c->carrier_rule_n, sizeof(*c->carrier_rules),
	      carrier_rule_compare);

	for (i = 0; i < c->tenant_n && c->carrier_rule_n; i++)
		rules_give(c, &c->tenants[i], &c->tenants[i].carriers);
	for (i = 0; i < c->trunk_n && c->carrier_rule_n; i++)
		rules_give(c, &c->trunks[i], &c->trunks[i].carriers);
}
