/**
 * @file observer_call.c  Live calls and who takes part in them: each is kept
 * as text, since a new set of targets has another key, and looked up when it
 * is heard of and when the set is another one.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include "observer_private.h"
#include "poi_target.h"

#define EARLY_MAX 65536 /* octets that a call keeps; more is no set-up */


static bool id_equal(const void *data, const void *key)
{
	const struct observed *call = data;

	return !memcmp(call->call, key, sizeof(call->call));
}


static uint64_t id_hash(const struct observer *o, const uint8_t *id)
{
	return htab_hash(o->calls, id, POI_ID_SIZE);
}


static struct observed *find(const struct observer *o,
			     const struct tap_event *ev)
{
	return htab_find(o->calls, id_hash(o, ev->call), id_equal, ev->call);
}


static bool told_equal(const void *data, const void *key)
{
	const struct observed *call = data;

	return !memcmp(call->told, key, sizeof(call->told));
}


struct observed *observed_told(const struct observer *o,
			       const uint8_t told[POI_ID_SIZE])
{
	return htab_find(o->told, htab_hash(o->told, told, POI_ID_SIZE),
			 told_equal, told);
}


static void observed_destructor(void *arg)
{
	struct observed *call = arg;

	list_flush(&call->parties.list);
	list_flush(&call->early);
}


void observed_begin(struct observer *o, const struct tap_event *ev)
{
	struct observed *call = mem_zalloc(sizeof(*call),
					   observed_destructor);

	if (!call)
		return;

	memcpy(call->call, ev->call, sizeof(call->call));
	/* another call with its Call-ID is another one */
	if (!exchange_id(o, call->told, ev) || observed_told(o, call->told))
		memcpy(call->told, ev->call, sizeof(call->told));
	else
		o->beginning = call;
	call->generation = o->generation;
	htab_insert(o->told, &call->told_node,
		    htab_hash(o->told, call->told, sizeof(call->told)), call);
	htab_insert(o->calls, &call->node, id_hash(o, ev->call), call);
	list_append(&o->live, &call->le, call);
}


void observed_free(struct observer *o, struct observed *call)
{
	if (o->beginning == call)
		o->beginning = NULL;
	htab_remove(o->calls, &call->node);
	htab_remove(o->told, &call->told_node);
	list_unlink(&call->le);
	mem_deref(call);
}


static void early_end(struct observed *call)
{
	list_flush(&call->early);
	call->is_dialled = true;
}


static void early_add(struct observed *call, struct held *h)
{
	if (!h)
		return;
	if (call->is_dialled) {
		mem_deref(h);
		return;
	}

	list_append(&call->early, &h->le, h);
	call->early_size += held_size(h);
	if (call->early_size > EARLY_MAX)
		early_end(call);
}


void observed_keep(struct observer *o, const struct tap_event *ev)
{
	struct observed *call = find(o, ev);

	if (!call || call->is_dialled)
		return;

	/* what came before a set of targets is not that set's */
	if (ev->leg != TAP_LEG_A || call->generation != o->generation)
		early_end(call);
	else
		early_add(call, held_new(ev));
}


void observed_early(struct observer *o, const struct tap_event *ev,
		    struct session *one)
{
	struct observed *call = find(o, ev);

	if (!call)
		return;

	if (call->generation == o->generation && list_head(&call->early))
		copy_held(o, one, &call->early);
	early_end(call);
}


void observed_adopt(struct observed *call, struct held *h)
{
	early_add(call, held_new(&h->ev));
}


/* Digits that are no E.164 are no number to us: which country's they are only
   the rules of the peer know, and what they made of them is told as "+..." */
static int identity_of(char id[POI_IDENTITY_SIZE], const char *text,
		       size_t len)
{
	const char *at, *semi;

	if (text[0] == '+')
		return poi_identity_number(id, text, len, NULL);
	if (len > 4 && !strncasecmp(text, "tel:", 4) && text[4] != '+')
		return EBADMSG;

	/* user=phone, and all that no identity has */
	at = memchr(text, '@', len);
	semi = at ? memchr(at, ';', len - (size_t)(at - text)) : NULL;

	return poi_identity_uri(id, text, semi ? (size_t)(semi - text) : len,
				NULL);
}


static uint8_t role_of(enum tap_role role)
{
	static const uint8_t roles[] = {
		[TAP_CALLING] = POI_CALLING,
		[TAP_CALLED] = POI_CALLED,
		[TAP_FORWARDING] = POI_FORWARDING,
	};

	return roles[role];
}


static bool is_known(const struct parties *parties, uint8_t role,
		     const char *identity)
{
	const struct le *le;

	LIST_FOREACH(&parties->list, le) {
		const struct party *p = le->data;

		if (p->role == role && !strcmp(p->identity, identity))
			return true;
	}

	return false;
}


static void keep(struct parties *parties, uint8_t role, const char *identity)
{
	const size_t size = strlen(identity) + 1;
	struct party *p;

	if (parties->n == PARTIES_MAX)
		return;
	p = mem_zalloc(sizeof(*p) + size, NULL);
	if (!p)
		return;

	p->role = role;
	memcpy(p->identity, identity, size);
	list_append(&parties->list, &p->le, p);
	parties->n++;
	parties->size += sizeof(*p) + size;
}


bool parties_take(struct parties *p, const struct tap_party *one,
		  char identity[POI_IDENTITY_SIZE])
{
	const uint8_t role = role_of(one->role);

	if (identity_of(identity, one->text, one->len) ||
	    is_known(p, role, identity))
		return false;

	keep(p, role, identity);

	return true;
}


static bool has_match(const struct session_match *list, size_t n,
		      const struct session_match *m)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].id == m->id && list[i].role == m->role)
			return true;

	return false;
}


/* Into o->found, of which n are in use. @return how many then */
static size_t lookup(struct observer *o, const char *identity, uint8_t role,
		     size_t n)
{
	const size_t found = target_set_find(o->set, identity, o->refs);

	for (size_t i = 0; i < found && n < SESSION_MATCHES; i++) {
		struct session_match *m = &o->found[n];

		m->id = o->refs[i].id;
		m->role = role;
		m->want = o->refs[i].want;
		n += !has_match(o->found, n, m);
	}

	return n;
}


size_t parties_find(struct observer *o, const struct parties *parties)
{
	const struct le *le;
	size_t n = 0;

	LIST_FOREACH(&parties->list, le) {
		const struct party *p = le->data;

		n = lookup(o, p->identity, p->role, n);
	}

	return n;
}


/* A party came in: what it is, the call is from now on. It is told with the
   next message, of which it is the reason. */
static void add(struct observer *o, const struct observed *call,
		const char *identity, uint8_t role)
{
	const size_t n = lookup(o, identity, role, 0);
	const struct session_match *list = o->found;
	struct session *one = sessions_find(o->sessions, call->call);

	for (size_t i = 0; i < n; i++) {
		if (!one)
			one = sessions_claim(o->sessions, call->call,
					     call->told);
		if (one && one->match_n < SESSION_MATCHES &&
		    !has_match(one->matches, one->match_n, &list[i]))
			one->matches[one->match_n++] = list[i];
	}
}


void observed_party(struct observer *o, const struct tap_event *ev)
{
	struct observed *call = find(o, ev);
	char identity[POI_IDENTITY_SIZE];

	if (call && parties_take(&call->parties, &ev->party, identity))
		add(o, call, identity, role_of(ev->party.role));
}


/* What is no match any more goes, what is new is appended: whoever is sought
   after the end of a call was not in it */
static void rematch(struct session *one, const struct session_match *list,
		    size_t n, bool is_over)
{
	uint8_t kept = 0, told = 0;

	for (uint8_t i = 0; i < one->match_n; i++) {
		if (!has_match(list, n, &one->matches[i]))
			continue;
		told += i < one->told_n;
		one->matches[kept++] = one->matches[i];
	}
	one->match_n = kept;
	one->told_n = told;

	for (size_t i = 0; i < n; i++) {
		uint8_t k = 0;

		while (k < one->match_n && !has_match(&one->matches[k], 1,
						      &list[i]))
			k++;
		if (k == one->match_n && k < SESSION_MATCHES && !is_over)
			one->match_n++;
		if (k < one->match_n)
			one->matches[k] = list[i]; /* it may want else */
	}
}


void observed_look(struct observer *o, struct observed *call, int64_t wall_ns)
{
	struct session *one = sessions_find(o->sessions, call->call);
	const size_t n = parties_find(o, &call->parties);

	call->generation = o->generation;
	early_end(call);
	if (!n || (call->is_over && !one)) {
		if (one)
			copy_end(o, one, wall_ns);
		return;
	}
	if (!one) {
		one = sessions_claim(o->sessions, call->call, call->told);
		if (!one)
			return;
	}

	rematch(one, o->found, n, call->is_over);
	if (!one->match_n) {
		copy_end(o, one, wall_ns);
		return;
	}
	copy_call(o, one, true, wall_ns);
}


void observed_end(struct observer *o, const struct tap_event *ev)
{
	struct observed *call = find(o, ev);

	if (!call)
		return;

	call->is_over = true;
	call->over_ns = ev->wall_ns;
}


void observed_gone(struct observer *o, const struct tap_event *ev)
{
	struct observed *call = find(o, ev);
	struct session *one = sessions_find(o->sessions, ev->call);

	if (one)
		copy_end(o, one, call ? call->over_ns : 0);
	if (call)
		observed_free(o, call);
}
