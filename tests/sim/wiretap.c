/** @file wiretap.c  See wiretap.h. */
#include <string.h>
#include "observer.h"
#include "wiretap.h"

#define PARTIES 256

static struct {
	struct observer *o;
	struct target_set *set;
	char parties[PARTIES][64]; /* E.164 */
	size_t n;
	uint64_t calls, sip, gone; /* told by the tap; SIP of copied calls */
	uint64_t kept, named;      /* at most; of no call, with one of these */
} w;


static void note(const struct tap_event *ev, void *arg)
{
	const struct tap_party *p = &ev->party;
	size_t i = 0;

	(void)arg;
	if (ev->kind != TAP_CALL_PARTY || p->text[0] != '+' ||
	    p->len >= sizeof(w.parties[0]))
		return;

	while (i < w.n && (strlen(w.parties[i]) != p->len ||
			   memcmp(w.parties[i], p->text, p->len)))
		i++;
	if (i < w.n || w.n == PARTIES)
		return;

	memset(w.parties[w.n], 0, sizeof(w.parties[0]));
	memcpy(w.parties[w.n++], p->text, p->len);
}


/* sip:+49...@, by a number that is sought */
static bool names_party(const struct tap_event *ev)
{
	for (size_t i = 0; i < ev->party_n; i++) {
		const struct tap_party *p = &ev->parties[i];

		for (size_t k = 0; k < w.n; k++) {
			const size_t len = strlen(w.parties[k]);

			if (p->len > 4 + len && p->text[4 + len] == '@' &&
			    !memcmp(p->text + 4, w.parties[k], len))
				return true;
		}
	}

	return false;
}


static void hear(const struct tap_event *ev, void *arg)
{
	w.calls += ev->kind == TAP_CALL_BEGIN;
	w.gone += ev->kind == TAP_CALL_GONE;
	w.sip += ev->kind == TAP_SIP && !ev->retransmission &&
		 sessions_find(observer_sessions(w.o), ev->call);
	/* that is kept until it shows whose it is */
	w.kept += ev->kind == TAP_OUTSIDE ||
		  (ev->kind == TAP_SIP && ev->leg == TAP_LEG_A);
	w.named += ev->kind == TAP_OUTSIDE && names_party(ev);
	observer_hear(ev, arg);
	(void)observer_look(w.o, ev->wall_ns);
}


int wiretap_note(void)
{
	const struct observer_config cfg = {.sip_size = 1u << 25,
					    .rtp_size = 4096};
	int err = 0;

	if (!w.o)
		err = observer_alloc(&w.o, &cfg);
	if (!err && !w.set)
		err = target_set_alloc(&w.set);
	w.n = w.calls = w.sip = w.gone = w.kept = w.named = 0;

	return err ? err : tap_attach(note, NULL);
}


static void publish(const struct target_set *set)
{
	observer_publish(w.o, set);
	while (observer_look(w.o, 0))
		;
}


void wiretap_seek(void)
{
	static const uint8_t secret[POI_KEY_SIZE] = {1};
	char identity[POI_IDENTITY_SIZE];
	struct poi_target t = {.want = POI_WANT_ALL};
	struct poi_key key;

	tap_detach(note, NULL);
	poi_key_init(&key, secret);
	target_set_begin(w.set, &key);
	for (size_t i = 0; i < w.n; i++) {
		if (poi_identity_number(identity, w.parties[i],
					strlen(w.parties[i]), NULL))
			continue;
		t.id++;
		poi_digest(t.digest, &key, identity);
		(void)target_set_add(w.set, &t);
	}
	(void)target_set_close(w.set);
	publish(w.set);
	(void)tap_attach(hear, w.o);
}


/* All numbers are sought: those calls are told, with all their messages, and
   that they are over. */
const char *wiretap_end(void)
{
	struct copy_queue *q = observer_sip(w.o);
	uint64_t calls = 0, ends = 0, sip = 0;
	const struct copy *c;

	tap_detach(hear, w.o);
	publish(NULL);
	while ((c = copy_queue_front(q, copy_queue_mark(q)))) {
		struct session *one = sessions_at(observer_sessions(w.o),
						  c->session);

		if (c->kind == COPY_CALL && one->told_serial != c->serial) {
			one->told_serial = c->serial;
			calls++;
		}
		sip += c->kind == COPY_SIP;
		if (c->kind == COPY_END) {
			ends++;
			sessions_release(observer_sessions(w.o), one);
		}
		copy_queue_pop(q);
	}

	if (calls != ends)
		return "a call that is copied does not end, or twice";
	if (w.calls != w.gone)
		return "a call is not gone, or twice";
	if (w.calls && !calls && w.n)
		return "no call is copied";
	if (sip < w.sip || sip > w.sip + w.kept)
		return "messages are not copied, or twice";
	if (w.named && sip == w.sip)
		return "no attempt is copied";

	return NULL;
}


void wiretap_free(void)
{
	observer_free(w.o);
	target_set_free(w.set);
}
