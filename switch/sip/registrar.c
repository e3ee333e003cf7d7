/**
 * @file registrar.c  REGISTER: RFC 3261 10.3, all changes or none.
 */
#include <string.h>
#include "log.h"
#include "registrar_contact.h"
#include "registrar_private.h"
#include "text.h"
#include "transaction_server.h"

#define RETRY_AFTER_S 60
#define WARNING_CODE 399    /* RFC 3261 20.43: miscellaneous */

static const struct {
	const char *labels;
	const char *phrase;
	uint16_t scode;
} results[R_N] = {
	[R_OK] = {"result=\"ok\"", "OK", 200},
	[R_QUERY] = {"result=\"query\"", "OK", 200},
	[R_BAD_CONTACT] = {"result=\"bad_contact\"", "Bad Contact", 400},
	[R_NOT_THE_USER] = {"result=\"not_the_user\"", "Forbidden", 403},
	[R_TOO_MANY] = {"result=\"too_many\"", "Forbidden", 403},
	[R_EXTENSION] = {"result=\"extension\"", "Bad Extension", 420},
	[R_TOO_BRIEF] = {"result=\"too_brief\"", "Interval Too Brief", 423},
	[R_OUT_OF_ORDER] = {"result=\"out_of_order\"",
			    "Server Internal Error", 500},
	[R_FULL] = {"result=\"full\"", "Service Unavailable", 503},
};

/** One REGISTER on its way. */
struct visit {
	struct registrar *r;
	const struct sip_msg *msg;
	const struct sip_path *path;
	const struct credential *cred;
	struct home *home;      /**< NULL: nothing bound yet                */
	struct contact_list list;
	struct binding *bindings[CONTACTS_MAX]; /**< of the wishes, or NULL */
	char call_id[sizeof(((struct contact *)0)->call_id)];
};


static bool home_free(void *data, void *arg)
{
	struct home *s = data;
	struct registrar *r = arg;

	r->count -= list_count(&s->bindings);
	metric_shift(r->live, -(int64_t)list_count(&s->bindings));
	list_flush(&s->bindings);
	htab_remove(r->homes, &s->node);
	mem_deref(s);

	return false;
}


static void destructor(void *arg)
{
	struct registrar *r = arg;

	if (r->cfg.ep)
		wheel_stop(endpoint_wheel(r->cfg.ep), &r->sweep);
	if (r->homes)
		(void)htab_each(r->homes, home_free, r);
	mem_deref(r->homes);
}


int registrar_alloc(struct registrar **rp,
		    const struct registrar_config *cfg)
{
	struct registrar *r;
	uint8_t key[16];
	unsigned i;
	int err;

	if (!rp || !cfg || !cfg->ep || !cfg->bindings_max ||
	    cfg->expires_min_s > cfg->expires_max_s ||
	    cfg->expires_default_s > cfg->expires_max_s ||
	    cfg->expires_default_s < cfg->expires_min_s)
		return EINVAL;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;

	r->cfg = *cfg;
	r->live = metric_gauge("strowger_registrations", NULL,
			       "Contacts bound");
	for (i = 0; i < R_N; i++)
		r->answered[i] = metric_counter("strowger_registers_total",
						results[i].labels,
						"REGISTERs of authenticated "
						"users");

	rng_bytes(endpoint_rng(cfg->ep), key, sizeof(key));
	err = htab_alloc(&r->homes, 64, key);
	if (err) {
		mem_deref(r);
		return err;
	}

	*rp = r;
	return 0;
}


/* --- the answer */

static int contacts_print(struct mbuf *mb, const struct visit *vs)
{
	const struct home *s = home_find(vs->r, vs->cred->trunk->id);
	struct wheel *wheel = endpoint_wheel(vs->r->cfg.ep);
	const struct le *le;
	int err = 0;

	for (le = s ? s->bindings.head : NULL; le && !err; le = le->next) {
		const struct binding *b = le->data;
		uint64_t left_s = wheel_left_ms(wheel, &b->timer) / 1000;

		if (strcmp(b->c.username, vs->cred->username) != 0)
			continue;

		err = mbuf_printf(mb, "Contact: <%s>;expires=%llu", b->c.uri,
				  (unsigned long long)left_s);
		if (b->c.q < 1000)
			err |= mbuf_printf(mb, ";q=0.%03u", b->c.q);
		err |= mbuf_write_str(mb, "\r\n");
	}

	return err;
}


static int extra_print(struct mbuf *mb, const struct visit *vs,
		       enum register_result res)
{
	struct pl require;

	switch (res) {

	case R_OK:
	case R_QUERY:
		return contacts_print(mb, vs);

	case R_TOO_MANY:
		return mbuf_printf(mb, "Warning: %u registrar \"at most %u"
				   " contacts\"\r\n", WARNING_CODE,
				   CONTACTS_MAX);

	case R_EXTENSION:
		require = message_header(vs->msg, "Require");
		return mbuf_printf(mb, "Unsupported: %r\r\n", &require);

	case R_TOO_BRIEF:
		return mbuf_printf(mb, "Min-Expires: %u\r\n",
				   vs->r->cfg.expires_min_s);

	case R_FULL:
		return mbuf_printf(mb, "Retry-After: %u\r\n", RETRY_AFTER_S);

	case R_BAD_CONTACT:
	case R_NOT_THE_USER:
	case R_OUT_OF_ORDER:
	case R_N:
		break;
	}

	return 0;
}


static void answer_send(const struct visit *vs, enum register_result res,
			const struct mbuf *extra)
{
	struct sip_endpoint *ep = vs->r->cfg.ep;
	char tag[TOKEN_SIZE];
	struct server_tx *tx;

	/* without room for a transaction a retransmission is a new request,
	   which the digest's nonce count then challenges again */
	if (server_tx_start(&tx, ep, vs->msg, vs->path, NULL, NULL)) {
		(void)endpoint_reply(ep, vs->msg, vs->path, results[res].scode,
				     results[res].phrase, "%b", extra->buf,
				     extra->end);
		return;
	}

	endpoint_token(ep, tag);
	(void)server_tx_reply(tx, results[res].scode, results[res].phrase,
			      tag, NULL, NULL, 0, "%b", extra->buf,
			      extra->end);
	mem_deref(tx);
}


static void answer(const struct visit *vs, enum register_result res)
{
	struct mbuf *extra = mbuf_alloc(512);

	metric_add(vs->r->answered[res], 1);
	if (res > R_QUERY)
		log_event(LOG_WARN, "registrar", "refused", "trunk=%s %s",
			  vs->cred->trunk->id, results[res].labels);

	if (extra && !extra_print(extra, vs, res))
		answer_send(vs, res, extra);

	mem_deref(extra);
}


/* --- the change */

static struct binding *binding_find(const struct visit *vs, const char *uri)
{
	const struct le *le;

	for (le = vs->home ? vs->home->bindings.head : NULL; le;
	     le = le->next) {
		struct binding *b = le->data;

		if (!strcmp(b->c.username, vs->cred->username) &&
		    contact_uri_equal(b->c.uri, uri))
			return b;
	}

	return NULL;
}


static bool is_in_order(const struct visit *vs, const struct binding *b)
{
	return strcmp(b->c.call_id, vs->call_id) != 0 ||
	       vs->msg->cseq.num > b->c.cseq;
}


/* "*": all bindings of the address of record */
static enum register_result remove_all(struct visit *vs)
{
	const char *user = vs->cred->username;
	size_t left = home_count(vs->home, user);
	struct le *le, *next;

	for (le = left ? vs->home->bindings.head : NULL; le; le = le->next) {
		const struct binding *b = le->data;

		if (!strcmp(b->c.username, user) && !is_in_order(vs, b))
			return R_OUT_OF_ORDER;
	}

	/* the home goes with its last binding */
	for (le = left ? vs->home->bindings.head : NULL; le && left;
	     le = next) {
		struct binding *b = le->data;

		next = le->next;
		if (!strcmp(b->c.username, user)) {
			binding_drop(b, "removed");
			--left;
		}
	}

	return R_OK;
}


/* RFC 3261 10.3 item 7; a wish above the maximum is shortened. */
static enum register_result wish_check(struct visit *vs, size_t i)
{
	const struct registrar_config *cfg = &vs->r->cfg;
	struct contact_wish *w = &vs->list.wishes[i];

	if (w->expires_s && w->expires_s < cfg->expires_min_s)
		return R_TOO_BRIEF;
	w->expires_s = MIN(w->expires_s, cfg->expires_max_s);

	vs->bindings[i] = binding_find(vs, w->uri);
	if (vs->bindings[i] && !is_in_order(vs, vs->bindings[i]))
		return R_OUT_OF_ORDER;

	return R_OK;
}


/* Every wish is looked at, and memory is had, before anything changes. */
static enum register_result wishes_prepare(struct visit *vs)
{
	size_t added = 0, removed = 0, i;
	enum register_result res;

	for (i = 0; i < vs->list.n; i++) {
		bool is_wanted;

		res = wish_check(vs, i);
		if (res != R_OK)
			return res;

		is_wanted = vs->list.wishes[i].expires_s > 0;
		if (vs->bindings[i] && !is_wanted)
			++removed;
		if (vs->bindings[i] || !is_wanted)
			continue;

		++added;
		vs->bindings[i] = binding_new(vs->r);
		if (!vs->bindings[i])
			return R_FULL;
	}

	if (added && home_count(vs->home, vs->cred->username) + added >
			     CONTACTS_MAX + removed)
		return R_TOO_MANY;

	if (added && vs->r->count + added > vs->r->cfg.bindings_max + removed)
		return R_FULL;

	return R_OK;
}


static void wishes_forget(struct visit *vs)
{
	size_t i;

	for (i = 0; i < vs->list.n; i++)
		if (vs->bindings[i] && !vs->bindings[i]->home)
			mem_deref(vs->bindings[i]);
}


/* What ends up in files and logs: printable ASCII. */
static void text_clean(char *buf, size_t size, const struct pl *text)
{
	char *p;

	(void)text_set(buf, size, text->l ? text->p : "", text->l);
	for (p = buf; *p; ++p)
		if (*p < ' ' || *p >= 0x7f)
			*p = '?';
}


static void contact_fill(struct contact *c, const struct visit *vs,
			 const struct contact_wish *w)
{
	const struct moment *now = endpoint_moment(vs->r->cfg.ep);
	struct pl agent = message_header(vs->msg, "User-Agent");

	text_copy(c->uri, sizeof(c->uri), w->uri);
	text_copy(c->trunk_id, sizeof(c->trunk_id), vs->cred->trunk->id);
	text_copy(c->tenant_id, sizeof(c->tenant_id),
		  vs->cred->trunk->tenant->id);
	text_copy(c->username, sizeof(c->username), vs->cred->username);
	text_copy(c->call_id, sizeof(c->call_id), vs->call_id);
	text_clean(c->user_agent, sizeof(c->user_agent), &agent);
	c->path = *vs->path;
	c->q = w->q;
	c->cseq = vs->msg->cseq.num;
	c->expires_wall_ms = moment_wall_ms(now) + w->expires_s * INT64_C(1000);
}


static enum register_result wishes_grant(struct visit *vs)
{
	enum register_result res = R_OK;
	size_t i;

	for (i = 0; i < vs->list.n; i++) {
		const struct contact_wish *w = &vs->list.wishes[i];
		struct binding *b = vs->bindings[i];

		if (!b)
			continue; /* removal of what was not there */

		if (!w->expires_s) {
			binding_drop(b, "removed");
			vs->bindings[i] = NULL;
			continue;
		}

		contact_fill(&b->c, vs, w);
		if (b->home)
			binding_renew(b);
		else if (binding_add(b, true))
			res = R_FULL;
	}

	return res;
}


static enum register_result change(struct visit *vs)
{
	enum register_result res;

	if (vs->list.is_star)
		return remove_all(vs);

	res = wishes_prepare(vs);
	if (res == R_OK)
		res = wishes_grant(vs);

	wishes_forget(vs);

	return res;
}


static enum register_result settle(struct visit *vs)
{
	char user[USER_SIZE];
	int err;

	if (message_header(vs->msg, "Require").l)
		return R_EXTENSION;

	if (message_user(&vs->msg->to.uri.user, user, sizeof(user)) ||
	    strcmp(user, vs->cred->username) != 0)
		return R_NOT_THE_USER;

	err = contact_list_decode(&vs->list, vs->msg,
				  vs->r->cfg.expires_default_s);
	if (err)
		return err == EOVERFLOW ? R_TOO_MANY : R_BAD_CONTACT;

	if (!vs->list.n && !vs->list.is_star)
		return R_QUERY;

	return change(vs);
}


void registrar_handle(struct registrar *r, const struct sip_msg *msg,
		      const struct sip_path *path,
		      const struct credential *cred)
{
	struct visit vs = {.r = r, .msg = msg, .path = path, .cred = cred};

	vs.home = home_find(r, cred->trunk->id);
	text_clean(vs.call_id, sizeof(vs.call_id), &msg->callid);

	answer(&vs, settle(&vs));
}


/* --- questions */

size_t registrar_find(const struct registrar *r, const char *trunk_id,
		      struct contact *ret, size_t max)
{
	const struct home *s = home_find(r, trunk_id);
	const struct le *le;
	size_t n = 0, i;

	for (le = s ? s->bindings.head : NULL; le; le = le->next) {
		const struct binding *b = le->data;

		/* newest come first: equal q stays behind */
		for (i = n; i > 0 && ret[i - 1].q < b->c.q; i--)
			;
		if (i == max)
			continue;

		n = MIN(n + 1, max);
		memmove(&ret[i + 1], &ret[i], (n - 1 - i) * sizeof(*ret));
		ret[i] = b->c;
	}

	return n;
}


/** Carries the caller's handler through htab_each(). */
struct each {
	registrar_each_h *h;
	void *arg;
};


static bool each_handler(void *data, void *arg)
{
	const struct home *s = data;
	const struct each *e = arg;
	const struct le *le;

	for (le = s->bindings.head; le; le = le->next) {
		const struct binding *b = le->data;

		e->h(&b->c, e->arg);
	}

	return false;
}


void registrar_each(const struct registrar *r, registrar_each_h *h, void *arg)
{
	struct each e = {h, arg};

	(void)htab_each(r->homes, each_handler, &e);
}


bool registrar_is_dirty(const struct registrar *r)
{
	return r->is_dirty;
}


size_t registrar_count(const struct registrar *r)
{
	return r->count;
}
