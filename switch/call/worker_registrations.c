/**
 * @file worker_registrations.c  The operator's commands on bindings.
 */
#include "json.h"
#include <string.h>
#include "worker_private.h"
#include "worker_registrations.h"

#define LIST_MAX 1000

/** What is asked for, and what was found. */
struct search {
	const struct worker *w;
	const char *trunk_id, *tenant_id; /**< NULL: any */
	json_t *rows;
	json_int_t total;
};


static json_t *contact_row(const struct worker *w, const struct contact *c)
{
	const struct trunk *trunk =
		w->cat ? catalog_trunk(w->cat, c->trunk_id) : NULL;
	char address[64], at[32];

	(void)re_snprintf(address, sizeof(address), "%J", &c->path.peer);

	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:s}", "node",
			 w->cfg.node, "tenant", c->tenant_id, "trunk",
			 c->trunk_id, "username", c->username, "realm",
			 trunk ? trunk->realm : "", "contact", c->uri,
			 "received", address, "user_agent", c->user_agent,
			 "q", c->q, "expires_at",
			 moment_format(at, c->expires_wall_ms));
}


static void add_contact(const struct contact *c, void *arg)
{
	struct search *s = arg;
	json_t *row;

	if ((s->trunk_id && strcmp(s->trunk_id, c->trunk_id) != 0) ||
	    (s->tenant_id && strcmp(s->tenant_id, c->tenant_id) != 0))
		return;
	if (s->total++ >= LIST_MAX)
		return;

	row = contact_row(s->w, c);
	if (row)
		(void)json_array_append_new(s->rows, row);
}


static const char *text_of(const json_t *req, const char *name)
{
	return json_string_value(json_object_get(req, name));
}


json_t *worker_registrations_list(struct worker *w, const json_t *req)
{
	struct search s = {
		.w = w,
		.trunk_id = text_of(req, "trunk"),
		.tenant_id = text_of(req, "tenant"),
		.rows = json_array(),
	};

	registrar_each(w->registrar, add_contact, &s);

	return json_pack("{s:b,s:I,s:o}", "ok", 1, "total", s.total,
			 "registrations", s.rows);
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
