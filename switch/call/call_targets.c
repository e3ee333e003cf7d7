/**
 * @file call_targets.c  Where a PBX is called: the endpoints of its trunk by
 * priority, at random by weight within it; without endpoints the contacts that
 * it registered, else its address.
 */
#include <errno.h>
#include <string.h>
#include "call_private.h"
#include "text.h"

#define CONTACTS_TRIED 4
#define TARGETS_MAX 8
#define GROUP_MAX 16 /* endpoints of one priority */


static struct target *target_add(struct call *call)
{
	if (!call->targets)
		call->targets = mem_zalloc(TARGETS_MAX *
					   sizeof(*call->targets), NULL);
	if (!call->targets || call->target_n == TARGETS_MAX)
		return NULL;

	return &call->targets[call->target_n];
}


static void add_address(struct call *call, const struct sa *addr)
{
	struct target *t = target_add(call);

	if (t && !worker_path(call->w, addr, &t->path))
		call->target_n++;
}


/* @return how many are registered, whether they can be called or not */
static size_t add_contacts(struct call *call)
{
	struct contact found[CONTACTS_TRIED];
	const size_t n = registrar_find(call->w->registrar,
					call->to_trunk->id, found,
					CONTACTS_TRIED);

	for (size_t i = 0; i < n; i++) {
		struct target *t = target_add(call);

		/* its socket may be of an earlier start with more of them */
		if (!t || worker_path(call->w, &found[i].path.peer, &t->path))
			continue;
		(void)text_copy(t->uri, sizeof(t->uri), found[i].uri);
		TEXT_FILL(t->username, found[i].username);
		call->target_n++;
	}

	return n;
}


static void add_endpoint(struct call *call, const struct trunk_endpoint *e)
{
	if (e->is_registered)
		(void)add_contacts(call);
	else
		add_address(call, &e->addr);
}


/* Of one priority, in an order drawn by weight (RFC 2782). */
static void add_group(struct call *call, const struct trunk_endpoint *group,
		      uint32_t n)
{
	const struct trunk_endpoint *left[GROUP_MAX];
	uint32_t sum = 0, i;

	n = MIN(n, GROUP_MAX);
	for (i = 0; i < n; i++) {
		left[i] = &group[i];
		sum += group[i].weight + 1u;
	}

	for (; n; n--) {
		uint32_t at = n > 1 ? rng_below(call->w->rng, sum) : 0;

		for (i = 0; i + 1 < n && at >= left[i]->weight + 1u; i++)
			at -= left[i]->weight + 1u;
		add_endpoint(call, left[i]);
		sum -= left[i]->weight + 1u;
		left[i] = left[n - 1];
	}
}


static void add_endpoints(struct call *call, const struct trunk_endpoint *e,
			  uint32_t n)
{
	uint32_t from = 0;

	for (uint32_t i = 1; i <= n; i++) {
		if (i < n && e[i].priority == e[from].priority)
			continue;
		add_group(call, &e[from], i - from);
		from = i;
	}
}


int call_targets(struct call *call)
{
	const struct trunk *trunk = call->to_trunk;
	const struct trunk_endpoint *e;
	struct sa sa;
	uint32_t n;

	e = catalog_endpoints(call->cat, trunk->id, &n);
	if (e)
		add_endpoints(call, e, n);
	else if (!add_contacts(call) && trunk->uri_host[0] &&
		 !sa_set_str(&sa, trunk->uri_host,
			     trunk->uri_port ? trunk->uri_port : SIP_PORT))
		add_address(call, &sa);

	return call->target_n ? 0 : ENOENT;
}
