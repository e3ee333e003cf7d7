/**
 * @file registrar_store.c  Bindings in memory and as JSON text.
 */
#include "json.h" /* before all that includes re.h */
#include <stdlib.h>
#include <string.h>
#include "log.h"
#include "registrar_contact.h"
#include "registrar_private.h"
#include "text.h"

#define FILE_VERSION 1


static void destructor(void *arg)
{
	struct binding *b = arg;

	wheel_stop(endpoint_wheel(b->r->cfg.ep), &b->timer);
	list_unlink(&b->le);
	list_unlink(&b->all_le);
}


static bool home_equal(const void *data, const void *key)
{
	const struct home *s = data;

	return !strcmp(s->trunk_id, key);
}


struct home *home_find(const struct registrar *r, const char *trunk_id)
{
	uint64_t hash = htab_hash(r->homes, trunk_id, strlen(trunk_id));

	return htab_find(r->homes, hash, home_equal, trunk_id);
}


static struct home *home_get(struct registrar *r, const char *trunk_id)
{
	struct home *s = home_find(r, trunk_id);

	if (s)
		return s;

	s = mem_zalloc(sizeof(*s), NULL);
	if (!s)
		return NULL;

	text_copy(s->trunk_id, sizeof(s->trunk_id), trunk_id);
	htab_insert(r->homes, &s->node,
		    htab_hash(r->homes, trunk_id, strlen(trunk_id)), s);

	return s;
}


size_t home_count(const struct home *s, const char *username)
{
	const struct le *le;
	size_t n = 0;

	for (le = s ? s->bindings.head : NULL; le; le = le->next) {
		const struct binding *b = le->data;

		if (!strcmp(b->c.username, username))
			++n;
	}

	return n;
}


struct binding *binding_new(struct registrar *r)
{
	struct binding *b = mem_zalloc(sizeof(*b), destructor);

	if (b)
		b->r = r;

	return b;
}


static void expire_handler(void *arg)
{
	binding_drop(arg, "expired");
}


static void binding_start(struct binding *b)
{
	const struct moment *now = endpoint_moment(b->r->cfg.ep);
	int64_t left_ms = b->c.expires_wall_ms - moment_wall_ms(now);

	wheel_start(endpoint_wheel(b->r->cfg.ep), &b->timer,
		    (uint64_t)MAX(left_ms, 0), expire_handler, b);
	b->r->is_dirty = true;
}


static void binding_tell(const struct binding *b, bool is_bound,
			 const char *why)
{
	const struct registrar_config *cfg = &b->r->cfg;
	char src[64];

	re_snprintf(src, sizeof(src), "%J", &b->c.path.peer);
	log_event(LOG_INFO, "registrar",
		  is_bound ? "registered" : "unregistered",
		  "trunk=%s src=%s why=%s", b->c.trunk_id, src, why);
	if (cfg->h)
		cfg->h(&b->c, is_bound, why, cfg->arg);
}


int binding_add(struct binding *b, bool is_newest)
{
	struct registrar *r = b->r;
	struct home *s = home_get(r, b->c.trunk_id);

	if (!s)
		return ENOMEM;

	b->home = s;
	b->c.serial = ++r->serial;
	if (is_newest)
		list_prepend(&s->bindings, &b->le, b);
	else
		list_append(&s->bindings, &b->le, b);

	list_append(&r->all, &b->all_le, b);
	++r->count;
	metric_shift(r->live, 1);
	binding_start(b);
	if (is_newest) /* those of an earlier start were told by it */
		binding_tell(b, true, "new");

	return 0;
}


void binding_renew(struct binding *b)
{
	list_unlink(&b->le);
	list_prepend(&b->home->bindings, &b->le, b);
	binding_start(b);
}


void binding_drop(struct binding *b, const char *why)
{
	struct registrar *r = b->r;
	struct home *s = b->home;

	binding_tell(b, false, why);
	--r->count;
	metric_shift(r->live, -1);
	r->is_dirty = true;
	mem_deref(b);

	if (!s->bindings.head) {
		htab_remove(r->homes, &s->node);
		mem_deref(s);
	}
}


/* --- as text */

static int contact_write(json_t *list, const struct contact *c)
{
	char local[64], peer[64];

	re_snprintf(local, sizeof(local), "%J", &c->path.local);
	re_snprintf(peer, sizeof(peer), "%J", &c->path.peer);

	return json_array_append_new(list, json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:I, s:s, s:s,"
		" s:I}", "trunk", c->trunk_id, "tenant", c->tenant_id,
		 "username", c->username, "uri", c->uri,
		"local", local, "peer", peer, "transport", c->path.transport,
		"sock", c->path.sock, "q", c->q,
		"expires_wall_ms", (json_int_t)c->expires_wall_ms,
		"user_agent", c->user_agent, "call_id", c->call_id,
		"cseq", (json_int_t)c->cseq));
}


static bool home_write(void *data, void *arg)
{
	const struct home *s = data;
	const struct le *le;

	for (le = s->bindings.head; le; le = le->next) {
		const struct binding *b = le->data;

		if (contact_write(arg, &b->c))
			return true;
	}

	return false;
}


char *registrar_export(struct registrar *r)
{
	json_t *list = json_array(), *root;
	char *text = NULL;

	if (!list)
		return NULL;

	if (htab_each(r->homes, home_write, list)) {
		json_decref(list);
		return NULL;
	}

	root = json_pack("{s:i, s:o}", "version", FILE_VERSION,
			 "contacts", list);
	if (root)
		text = json_dumps(root, JSON_COMPACT);
	json_decref(root);

	if (text)
		r->is_dirty = false;

	return text;
}


static int text_read(char *buf, size_t size, const char *text)
{
	return text ? text_copy(buf, size, text) : EBADMSG;
}


static int address_read(struct sa *sa, const char *text)
{
	return text ? sa_decode(sa, text, strlen(text)) : EBADMSG;
}


static int contact_read(struct contact *c, const json_t *row)
{
	const char *trunk, *tenant = "", *user, *uri, *local, *peer, *agent,
		*call_id;
	json_int_t expires, cseq;
	int transport, sock, q;
	struct pl pl;

	if (json_unpack((json_t *)row,
			"{s:s, s?s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:I,"
			" s:s, s:s, s:I}",
			"trunk", &trunk, "tenant", &tenant, "username", &user, "uri", &uri,
			"local", &local, "peer", &peer,
			"transport", &transport, "sock", &sock, "q", &q,
			"expires_wall_ms", &expires, "user_agent", &agent,
			"call_id", &call_id, "cseq", &cseq))
		return EBADMSG;

	pl_set_str(&pl, uri);
	if (!*trunk || !contact_uri_check(&pl) || q < 0 || q > 1000 ||
	    sock < 0 || sock > UINT16_MAX || cseq < 0 || cseq > UINT32_MAX ||
	    transport < SIP_TRANSP_UDP || transport > SIP_TRANSP_TLS)
		return EBADMSG;

	if (text_read(c->trunk_id, sizeof(c->trunk_id), trunk) ||
	    text_read(c->tenant_id, sizeof(c->tenant_id), tenant) ||
	    text_read(c->username, sizeof(c->username), user) ||
	    text_read(c->uri, sizeof(c->uri), uri) ||
	    text_read(c->user_agent, sizeof(c->user_agent), agent) ||
	    text_read(c->call_id, sizeof(c->call_id), call_id) ||
	    address_read(&c->path.local, local) ||
	    address_read(&c->path.peer, peer))
		return EBADMSG;

	c->path.transport = (uint8_t)transport;
	c->path.sock = (uint16_t)sock;
	c->q = (uint16_t)q;
	c->expires_wall_ms = expires;
	c->cseq = (uint32_t)cseq;

	return 0;
}


/* A clock that was wrong when the file was written must not keep a binding
   for years. */
static bool is_live(const struct registrar *r, const struct contact *c)
{
	int64_t now_ms = moment_wall_ms(endpoint_moment(r->cfg.ep));
	int64_t max_ms = r->cfg.expires_max_s * INT64_C(1000);

	return c->expires_wall_ms > now_ms &&
	       c->expires_wall_ms <= now_ms + max_ms;
}


static int row_import(struct registrar *r, const json_t *row)
{
	struct binding *b = binding_new(r);
	int err;

	if (!b)
		return ENOMEM;

	err = contact_read(&b->c, row);
	if (!err && b->c.expires_wall_ms <=
			    moment_wall_ms(endpoint_moment(r->cfg.ep)))
		binding_tell(b, false, "expired"); /* while we were away */
	if (!err && (!is_live(r, &b->c) || r->count >= r->cfg.bindings_max ||
		     home_count(home_find(r, b->c.trunk_id), b->c.username)
			     >= CONTACTS_MAX))
		err = EBADMSG;

	if (!err)
		err = binding_add(b, false);
	if (err)
		mem_deref(b);

	return err;
}


int registrar_import(struct registrar *r, const char *json, size_t len)
{
	json_t *root, *list, *row;
	size_t i, dropped = 0;
	int version, err = 0;

	if (!r || !json)
		return EINVAL;

	root = json_loadb(json, len, 0, NULL);
	if (!root)
		return EBADMSG;

	if (json_unpack(root, "{s:i, s:o}", "version", &version,
			"contacts", &list) || !json_is_array(list))
		err = EBADMSG;
	else if (version != FILE_VERSION)
		err = ENOTSUP;
	if (err)
		goto out;

	json_array_foreach(list, i, row) {
		err = row_import(r, row);
		if (err == ENOMEM)
			goto out;
		if (err)
			++dropped;
	}

	err = 0;
	log_event(LOG_INFO, "registrar", "import", "live=%zu dropped=%zu",
		  r->count, dropped);

out:
	json_decref(root);
	return err;
}
