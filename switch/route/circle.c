/** @file circle.c  See circle.h. */
#include <errno.h>
#include <string.h>
#include "circle.h"

#define CALLS 1024

struct circles {
	struct htab *entries;    /* by their pair of numbers */
	struct htab *ids;        /* by Call-ID               */
};

struct question {
	const char *called, *calling, *tenant_id;
	const struct sa *src;
	unsigned *left;          /* so many have still to be found */
};


static void guard_destructor(void *arg)
{
	struct circles *l = arg;

	mem_deref(l->entries);
	mem_deref(l->ids);
}


int circles_alloc(struct circles **lp, const uint8_t key[16])
{
	struct circles *l;
	int err;

	if (!lp)
		return EINVAL;

	l = mem_zalloc(sizeof(*l), guard_destructor);
	if (!l)
		return ENOMEM;

	err = htab_alloc(&l->entries, CALLS, key);
	if (!err)
		err = htab_alloc(&l->ids, CALLS, key);
	if (err)
		mem_deref(l);
	else
		*lp = l;
	return err;
}


static uint64_t pair_hash(const struct circles *l, const char *called,
			  const char *calling)
{
	return htab_mix(l->entries,
			htab_hash(l->entries, called, strlen(called)), calling,
			strlen(calling));
}


void circle_enter(struct circles *l, struct circle *e)
{
	circle_leave(l, e);
	if (e->called[0] && e->calling[0])
		htab_insert(l->entries, &e->node,
			    pair_hash(l, e->called, e->calling), e);
	if (e->call_id[0])
		htab_insert(l->ids, &e->id_node,
			    htab_hash(l->ids, e->call_id,
				      strlen(e->call_id)), e);
}


void circle_leave(struct circles *l, struct circle *e)
{
	htab_remove(l->entries, &e->node);
	htab_remove(l->ids, &e->id_node);
}


static bool has_id(const void *data, const void *key)
{
	const struct circle *e = data;
	const struct pl *id = key;

	return !pl_strcmp(id, e->call_id);
}


const struct circle *circle_of(const struct circles *l, const char *call_id,
			       size_t len)
{
	const struct pl id = {.p = call_id, .l = len};

	return len < TOKEN_SIZE ? htab_find(l->ids, htab_hash(l->ids, call_id,
							      len),
					    has_id, &id) : NULL;
}


static bool is_returned(const void *data, const void *key)
{
	const struct circle *e = data;
	const struct question *q = key;

	return !strcmp(e->called, q->called) &&
	       !strcmp(e->calling, q->calling) &&
	       sa_cmp(&e->peer, q->src, SA_ADDR) && !--*q->left;
}


bool circle_came_back(const struct circles *l, const char *called,
		      const char *calling, const struct sa *src,
		      unsigned times)
{
	const struct question q = {called, calling, "", src, &times};

	return called[0] && calling[0] && times &&
	       htab_find(l->entries, pair_hash(l, called, calling),
			 is_returned, &q);
}


static bool is_same_call(const void *data, const void *key)
{
	const struct circle *e = data;
	const struct question *q = key;

	return !strcmp(e->called, q->called) &&
	       !strcmp(e->calling, q->calling) &&
	       (strcmp(e->tenant_id, q->tenant_id) != 0 ||
		sa_cmp(&e->peer, q->src, SA_ADDR));
}


bool circle_is(const struct circles *l, const char *called,
	     const char *calling, const char *tenant_id, const struct sa *src)
{
	const struct question q = {called, calling, tenant_id, src, NULL};

	return called[0] && calling[0] &&
	       htab_find(l->entries, pair_hash(l, called, calling),
			 is_same_call, &q);
}
