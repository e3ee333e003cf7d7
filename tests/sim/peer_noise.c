/** @file peer_noise.c  Requests in states that do not expect them, and bytes
 *  that are no SIP. */
#include <stdlib.h>
#include <string.h>
#include "peer.h"


/* Every method in every state, with the right tags. */
void noise_start(struct world *w, void *arg)
{
	static const char *const methods[] = {
		"INFO", "UPDATE", "PRACK", "REFER", "NOTIFY", "MESSAGE",
		"SUBSCRIBE", "OPTIONS", "PUBLISH", "REGISTER", "FOO",
		"INVITE", "BYE", "ACK", "CANCEL",
	};
	const char *method = methods[draw(w, ARRAY_SIZE(methods))];
	struct talk *t = talk_any(w);

	(void)arg;
	if (!t || t->peer->is_dead)
		return;

	world_trace(w, "p%u: noise %s", t->peer->index, method);
	if (!strcmp(method, "ACK")) {
		t->has_acked_unheard |= t->state == TALK_CALLING;
		talk_ack(t, t->cseq, "");
	}
	else if (!strcmp(method, "CANCEL")) {
		if (t->invite)
			request_cancel(t->invite);
	}
	else if (!strcmp(method, "BYE")) {
		talk_bye(w, t);
	}
	else if (!strcmp(method, "INVITE")) {
		talk_offer(w, t);
	}
	else {
		(void)talk_request(t, method, "");
	}
}


/* Who does not ask for privacy any more is not hidden any more. */
static void unveil(struct world *w, const uint8_t *buf, size_t len)
{
	static const char invite[] = "INVITE ", privacy[] = "\r\nPrivacy: id\r";

	if (len > strlen(invite) && !memcmp(buf, invite, strlen(invite)) &&
	    !memmem(buf, len, privacy, strlen(privacy)))
		w->is_unveiled = true;
}


/* Something that was sent before, with a few bytes changed, cut or sent as
   it was. */
void garbage_start(struct world *w, void *arg)
{
	struct agent *p = w->peers[draw(w, SIM_PEERS)];
	const uint32_t n = list_count(&p->sent);
	const struct request *r;
	struct le *le = list_head(&p->sent);
	uint8_t *buf;
	size_t len;

	(void)arg;
	if (!n)
		return;
	for (uint32_t i = draw(w, n); i; i--)
		le = le->next;
	r = le->data;

	buf = malloc(r->len);
	memcpy(buf, r->buf, r->len);
	len = r->len;
	if (chance(w, 30))
		len = 1 + draw(w, (uint32_t)len);
	for (unsigned i = draw(w, 6); i; i--)
		buf[draw(w, (uint32_t)len)] = (uint8_t)draw(w, 256);
	if (memmem(buf, len, SIM_SECRET, strlen(SIM_SECRET)))
		unveil(w, buf, len);
	network_to_switch(w, p, buf, len);
	free(buf);
}
