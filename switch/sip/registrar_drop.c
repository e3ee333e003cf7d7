/**
 * @file registrar_drop.c  Bindings that go although nobody unregistered: their
 * user or trunk is provisioned no more, or an operator takes them away.
 */
#include <string.h>
#include "registrar_contact.h"
#include "registrar_private.h"

#define BINDINGS_A_PASS 256


static bool is_provisioned(const struct catalog *cat,
			   const struct contact *c)
{
	const struct trunk *trunk = catalog_trunk(cat, c->trunk_id);
	const struct credential *cred =
		trunk ? catalog_credential(cat, trunk->realm, c->username)
		      : NULL;

	return cred && cred->trunk == trunk;
}


/* Turning the list once around shows every binding that was there at the
 * start; who came later is of the present catalog. */
static void sweep(void *arg)
{
	struct registrar *r = arg;

	for (int i = 0; i < BINDINGS_A_PASS && r->sweep_left; i++) {
		struct binding *b = list_ledata(list_head(&r->all));

		r->sweep_left = b ? r->sweep_left - 1 : 0;
		if (!b)
			break;
		list_unlink(&b->all_le);
		list_append(&r->all, &b->all_le, b);
		if (!is_provisioned(r->cat, &b->c))
			binding_drop(b, "deleted");
	}

	if (r->sweep_left)
		wheel_start(endpoint_wheel(r->cfg.ep), &r->sweep, 1, sweep, r);
}


void registrar_catalog(struct registrar *r, const struct catalog *cat)
{
	r->cat = cat;
	r->sweep_left = r->count;
	if (r->count)
		wheel_start(endpoint_wheel(r->cfg.ep), &r->sweep, 0, sweep,
			    r);
}


bool registrar_remove(struct registrar *r, const char *trunk_id,
		      const char *username, const char *uri)
{
	const struct home *s = home_find(r, trunk_id);
	const struct le *le;

	for (le = s ? s->bindings.head : NULL; le; le = le->next) {
		struct binding *b = le->data;

		if (strcmp(b->c.username, username) != 0 ||
		    strcmp(b->c.uri, uri) != 0)
			continue;
		binding_drop(b, "dropped");
		return true;
	}

	return false;
}
