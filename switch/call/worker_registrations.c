/**
 * @file worker_registrations.c  The operator's commands on bindings.
 */
#include "json.h"
#include <string.h>
#include "smallest.h"
#include "text.h"
#include "worker_calls.h"
#include "worker_private.h"
#include "worker_registrations.h"

/** What is asked for. */
struct search {
	const char *trunk_id, *tenant_id; /**< NULL: any */
	uint64_t after;
	struct smallest *page;
	json_int_t total;
};


static json_t *contact_row(const struct worker *w, const struct contact *c)
{
	const struct trunk *trunk =
		w->cat ? catalog_trunk(w->cat, c->trunk_id) : NULL;
	char address[64], at[32];

	(void)re_snprintf(address, sizeof(address), "%J", &c->path.peer);

	return json_pack("{s:I,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}",
			 "serial", (json_int_t)c->serial, "node", w->cfg.node, "tenant", c->tenant_id, "trunk",
			 c->trunk_id, "username", c->username, "realm",
			 trunk ? trunk->realm : "", "contact", c->uri,
			 "received", address, "user_agent", c->user_agent,
			 "q", c->q, "expires_at",
			 moment_format(at, c->expires_wall_ms));
}


static int oldest_first(const void *a, const void *b)
{
	const struct contact *x = a, *y = b;

	return (x->serial > y->serial) - (x->serial < y->serial);
}


static void add_contact(const struct contact *c, void *arg)
{
	struct search *s = arg;

	if ((s->trunk_id && strcmp(s->trunk_id, c->trunk_id) != 0) ||
	    (s->tenant_id && strcmp(s->tenant_id, c->tenant_id) != 0))
		return;
	++s->total;
	if (c->serial > s->after)
		smallest_offer(s->page, c);
}


static const char *text_of(const json_t *req, const char *name)
{
	return json_string_value(json_object_get(req, name));
}


static json_t *answer(const struct worker *w, const struct search *s,
		      size_t limit)
{
	const size_t n = smallest_sort(s->page);
	json_t *rows = json_array();

	for (size_t i = 0; i < n && i < limit; i++)
		(void)json_array_append_new(
			rows, contact_row(w, smallest_at(s->page, i)));

	return json_pack("{s:b,s:I,s:b,s:o}", "ok", 1, "total", s->total,
			 "has_more", n > limit, "registrations", rows);
}


json_t *worker_registrations_list(struct worker *w, const json_t *req)
{
	const char *after = text_of(req, "after");
	const size_t limit = command_limit(req);
	struct search s = {
		.trunk_id = text_of(req, "trunk"),
		.tenant_id = text_of(req, "tenant"),
	};
	json_t *res;

	if (after)
		(void)text_u64(&s.after, after, strlen(after), UINT64_MAX);
	/* one more, to know whether there is another page */
	if (smallest_alloc(&s.page, limit + 1, oldest_first))
		return NULL;

	registrar_each(w->registrar, add_contact, &s);
	res = answer(w, &s, limit);
	mem_deref(s.page);

	return res;
}


json_t *worker_registrations_drop(struct worker *w, const json_t *req)
{
	const char *trunk_id = text_of(req, "trunk");
	const char *username = text_of(req, "username");
	const char *contact = text_of(req, "contact");

	if (trunk_id && username && contact &&
	    registrar_remove(w->registrar, trunk_id, username, contact))
		return json_pack("{s:b}", "ok", 1);

	return json_pack("{s:b,s:s,s:s}", "ok", 0, "code",
			 "no_such_registration", "detail",
			 "nobody is registered so; `strowger registrations` "
			 "lists who is");
}
