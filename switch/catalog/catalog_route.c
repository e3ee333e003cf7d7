/**
 * @file catalog_route.c  Which routes there are for a number: the routes of a
 * catalog in order, and a digit tree for each plan and tenant.
 */
#include <stdlib.h>
#include <string.h>
#include "catalog_data.h"
#include "text.h"


static const char *plan_id(const struct routing_plan *p)
{
	return p ? p->id : "";
}


static const char *tenant_id(const struct tenant *t)
{
	return t ? t->id : "";
}


static int scope_order(const struct routing_plan *plan_a,
		       const struct tenant *tenant_a,
		       const struct routing_plan *plan_b,
		       const struct tenant *tenant_b)
{
	const int order = strcmp(plan_id(plan_a), plan_id(plan_b));

	return order ? order
		     : strcmp(tenant_id(tenant_a), tenant_id(tenant_b));
}


/** Without what tells the routes of one prefix apart */
static int key_compare(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int order = (int)x->is_emergency - (int)y->is_emergency;

	if (!order)
		order = scope_order(x->plan, x->tenant, y->plan, y->tenant);

	return order ? order : strcmp(x->prefix, y->prefix);
}


static int route_compare(const void *a, const void *b)
{
	const struct route *x = a, *y = b;
	int order = key_compare(x, y);

	if (!order)
		order = (int)x->position - (int)y->position;

	return order ? order : strcmp(x->id, y->id);
}


static int scope_compare(const void *a, const void *b)
{
	const struct route_scope *x = a, *y = b;

	return scope_order(x->plan, x->tenant, y->plan, y->tenant);
}


static const char *prefix_of(const void *rows, size_t i)
{
	return ((const struct route *)rows)[i].prefix;
}


static int scope_add(struct catalog *c, uint32_t lo, uint32_t hi)
{
	struct route_scope *s = &c->scopes[c->scope_n];

	s->plan = c->routes[lo].plan;
	s->tenant = c->routes[lo].tenant;
	if (prefix_tree_add(&c->route_tree, prefix_of, c->routes, lo, hi,
			    &s->root))
		return ENOMEM;
	++c->scope_n;

	return 0;
}


int catalog_index_routes(struct catalog *c)
{
	uint32_t lo = 0, hi;
	int err = 0;

	qsort(c->routes, c->route_n, sizeof(*c->routes), route_compare);

	for (; lo < c->route_n && !err; lo = hi) {
		const struct route *r = &c->routes[lo];

		if (r->is_emergency)
			break;
		for (hi = lo + 1; hi < c->route_n; hi++) {
			const struct route *next = &c->routes[hi];

			if (next->is_emergency ||
			    scope_order(r->plan, r->tenant, next->plan,
					next->tenant))
				break;
		}
		err = scope_add(c, lo, hi);
	}

	return err;
}


const struct route *catalog_emergency(const struct catalog *c,
				      const char *dialled)
{
	struct route key = {.is_emergency = true};

	if (!c->route_n || text_copy(key.prefix, sizeof(key.prefix), dialled))
		return NULL;

	return bsearch(&key, c->routes, c->route_n, sizeof(key), key_compare);
}


/** The prefixes of a scope that begin the number, the shortest first */
static size_t scope_find(const struct catalog *c,
			 const struct routing_plan *plan,
			 const struct tenant *tenant, const char *digits,
			 int32_t found[PREFIX_DIGITS_MAX + 2])
{
	const struct route_scope key = {.plan = plan, .tenant = tenant};
	const struct route_scope *s;

	if (!c->scope_n)
		return 0;

	s = bsearch(&key, c->scopes, c->scope_n, sizeof(key), scope_compare);

	return s ? prefix_tree_find(&c->route_tree, s->root, digits, found)
		 : 0;
}


static void span_add(const struct catalog *c, int32_t found,
		     struct route_hits *ret)
{
	const struct route *first = &c->routes[found - 1];
	const struct route *r = first + 1;

	while (r < c->routes + c->route_n && !key_compare(r, first))
		++r;

	ret->spans[ret->n].first = first;
	ret->spans[ret->n++].n = (uint32_t)(r - first);
}


static size_t length_of(const struct catalog *c, int32_t found)
{
	return strlen(c->routes[found - 1].prefix);
}


void catalog_routes(const struct catalog *c, const struct routing_plan *plan,
		    const struct tenant *tenant, const char *digits,
		    struct route_hits *ret)
{
	int32_t own[PREFIX_DIGITS_MAX + 2], common[PREFIX_DIGITS_MAX + 2];
	size_t own_n = 0, common_n;

	ret->n = 0;
	if (tenant)
		own_n = scope_find(c, plan, tenant, digits, own);
	common_n = scope_find(c, plan, NULL, digits, common);

	while (own_n || common_n) {
		if (!common_n ||
		    (own_n && length_of(c, own[own_n - 1]) >=
				      length_of(c, common[common_n - 1])))
			span_add(c, own[--own_n], ret);
		else
			span_add(c, common[--common_n], ret);
	}
}
