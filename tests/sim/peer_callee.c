/** @file peer_callee.c  A peer that is called, and requests in a dialog. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"

#define BODY_MAX 1024
#define HELP_MS 40000 /* an emergency call has no maximum: help hangs up */

/* Upper bounds of a draw out of 100. */
enum manner {
	MANNER_ANSWERS = 60,
	MANNER_REFUSES = 80,
	MANNER_SILENT = 85,      /* not even 100                           */
	MANNER_RINGS = 90,       /* and nobody takes it                    */
	MANNER_FORKS = 95,
	MANNER_TALKS_NONSENSE = 100,
};


static void plan_draw(struct world *w, struct plan *plan)
{
	plan->bye_ms = chance(w, 50) ? 1 + draw(w, 30000) : 0;
	plan->offer_ms = chance(w, 30) ? 1 + draw(w, 10000) : 0;
	plan->offer_kind = (uint8_t)draw(w, SDP_KINDS + 1);
	plan->hears_cancel = chance(w, 90);
	plan->sdp_kind = SDP_PLAIN;
	if (chance(w, 8))
		plan->sdp_kind = (uint8_t)draw(w, SDP_KINDS);
}


static struct talk *dialog_make(struct agent *p, const struct wire *m)
{
	struct talk *t = talk_alloc(p);
	char number[160];

	t->state = TALK_RINGING;
	t->boot = p->w->heard_boot;
	plan_draw(p->w, &t->plan);
	if (!t->plan.bye_ms && strstr(m->to, "<sip:112@"))
		t->plan.bye_ms = HELP_MS;
	peer_token(p, t->local_tag, sizeof(t->local_tag), "t");
	(void)snprintf(t->call_id, sizeof(t->call_id), "%s", m->call_id);
	(void)snprintf(t->local, sizeof(t->local), "%s;tag=%s", m->to,
		       t->local_tag);
	(void)snprintf(t->remote, sizeof(t->remote), "%s", m->from);
	(void)snprintf(t->remote_tag, sizeof(t->remote_tag), "%s",
		       m->from_tag);
	wire_addr(m->contact, t->target, sizeof(t->target));
	(void)snprintf(t->uri, sizeof(t->uri), "%s", t->target);
	if (wire_header(m, "Subject", number, sizeof(number)) &&
	    1 != sscanf(number, "call-%d", &t->number))
		t->number = -1;

	return t;
}


static void answer_due(struct world *w, void *arg)
{
	struct reply *r = arg;
	struct talk *t = r->talk;
	char body[BODY_MAX] = "";

	if (t->state != TALK_RINGING)
		return;

	/* without a description: the one of the 183 holds, or none came */
	if (!(t->has_early && chance(w, 50)) && !chance(w, 3))
		peer_sdp(t, t->plan.sdp_kind, body, sizeof(body));
	t->state = TALK_UP;
	t->was_up = true;
	reply_send(r, 200, "OK", "", body);
	if (t->plan.bye_ms)
		world_after(w, t->plan.bye_ms, talk_bye, t);
	if (t->plan.offer_ms)
		world_after(w, t->plan.offer_ms, talk_offer, t);
}


/* Another branch of the carrier's fork answers the same INVITE. */
void callee_fork(struct world *w, void *arg)
{
	struct reply *r = arg, *other;
	struct talk *t;
	char body[BODY_MAX];

	if (r->talk->state != TALK_UP)
		return;

	t = dialog_make(r->peer, r->request);
	t->state = TALK_UP;
	t->was_up = true;
	t->boot = r->talk->boot;
	peer_sdp(t, SDP_PLAIN, body, sizeof(body));
	other = reply_begin(r->peer, t, r->request);
	reply_send(other, 200, "OK", "", body);
	/* it may be the one that is heard first, and kept (13.2.2.4) */
	if (t->plan.bye_ms)
		world_after(w, t->plan.bye_ms, talk_bye, t);
	world_trace(w, "p%u: a second 2xx", r->peer->index);
}


/* Where a 3xx points: to the same number at some carrier. */
static void contact_make(struct reply *r, char *buf, size_t size)
{
	const struct agent *to = r->peer->w->peers[3 + draw(r->peer->w, 4)];
	const char *user = r->request->uri + strcspn(r->request->uri, ":");

	(void)snprintf(buf, size, "Contact: <sip%.*s@%s:%u>\r\n",
		       (int)strcspn(user, "@"), user, to->host,
		       sa_port(&to->addr));
}


static void refuse_due(struct world *w, void *arg)
{
	static const unsigned codes[] = {
		300, 302, 380, 400, 403, 404, 408, 410, 415, 420, 480, 481,
		482, 484, 486, 487, 488, 491, 500, 502, 503, 504, 580, 600,
		603, 604, 606, 607, 699,
	};
	struct reply *r = arg;
	const bool is_carrier = r->peer->role == PEER_CARRIER;
	const unsigned code = is_carrier && chance(w, 15)
				      ? 302 : codes[draw(w, ARRAY_SIZE(codes))];
	char extra[512], phrase[32], contact[400] = "";

	if (r->talk->state != TALK_RINGING)
		return;
	r->talk->state = TALK_OVER;
	if (code < 400 && is_carrier && chance(w, 80))
		contact_make(r, contact, sizeof(contact));
	(void)snprintf(extra, sizeof(extra),
		       "Reason: Q.850;cause=%u;text=\"%s\"\r\n"
		       "Warning: 399 %s \"inside\"\r\n%s", 1 + draw(w, 126),
		       r->peer->mark, r->peer->host, contact);
	(void)snprintf(phrase, sizeof(phrase), "No, says %s", r->peer->mark);
	reply_send(r, code, phrase, extra, "");
}


static void ring_due(struct world *w, void *arg)
{
	struct reply *r = arg;
	struct talk *t = r->talk;
	char body[BODY_MAX] = "", phrase[32];

	if (t->state != TALK_RINGING)
		return;
	(void)snprintf(phrase, sizeof(phrase), "Wait for %s", r->peer->mark);
	if (chance(w, 40)) {
		t->has_early = true;
		peer_sdp(t, SDP_PLAIN, body, sizeof(body));
		reply_send(r, 183, phrase, "", body);
		return;
	}
	reply_send(r, 180 + draw(w, 4), phrase, "", "");
}


static void nonsense_due(struct world *w, void *arg)
{
	static const char *const texts[] = {
		"SIP/2.0 200 OK\r\n\r\n", "SIP/2.0 999 What\r\n\r\n",
		"\r\n\r\n", "HTTP/1.1 200 OK\r\n\r\n", "SIP/2.0",
	};
	struct reply *r = arg;
	const char *text = texts[draw(w, ARRAY_SIZE(texts))];

	network_to_switch(w, r->peer, (const uint8_t *)text, strlen(text));
	refuse_due(w, r);
}


static void challenge(struct reply *r)
{
	reply_send(r, 407, "Proxy Authentication Required",
		   "Proxy-Authenticate: Digest realm=\"carrier.example\","
		   "nonce=\"abc\",algorithm=MD5,qop=\"auth\"\r\n", "");
	r->talk->state = TALK_OVER;
}


void callee_invite(struct agent *p, const struct wire *m)
{
	struct world *w = p->w;
	struct talk *t = dialog_make(p, m);
	struct reply *r = reply_begin(p, t, m);
	const unsigned manner = draw(w, 100);
	const uint32_t after_ms = 1 + draw(w, chance(w, 30) ? 100 : 12000);
	char auth[400];

	t->answer = r;
	if ((p->is_challenging || chance(w, 3)) &&
	    !wire_header(m, "Proxy-Authorization", auth, sizeof(auth))) {
		challenge(r);
		return;
	}
	if (manner >= MANNER_REFUSES && manner < MANNER_SILENT)
		return;

	if (chance(w, 70))
		reply_send(r, 100, "Trying", "", "");
	for (unsigned n = draw(w, 4); n; n--)
		world_after(w, draw(w, 4000), ring_due, r);

	if (manner < MANNER_ANSWERS)
		world_after(w, after_ms, answer_due, r);
	else if (manner < MANNER_REFUSES)
		world_after(w, after_ms, refuse_due, r);
	else if (manner >= MANNER_FORKS)
		world_after(w, after_ms, nonsense_due, r);
	else if (manner >= MANNER_RINGS) {
		world_after(w, after_ms, answer_due, r);
		world_after(w, after_ms + 1 + draw(w, 2000), callee_fork, r);
	}
}


static void offer_received(struct talk *t, struct reply *r)
{
	struct world *w = t->peer->w;
	char body[BODY_MAX], phrase[32];

	(void)snprintf(phrase, sizeof(phrase), "Not %s", t->peer->mark);
	if (t->state == TALK_OVER) {
		reply_send(r, 481, "Call Does Not Exist", "", "");
		return;
	}
	switch (draw(w, 12)) {

	case 0:
		reply_send(r, 488, phrase, "", "");
		break;
	case 1:
		reply_send(r, 491, phrase, "", "");
		break;
	case 2:
		reply_send(r, 481, "Call Does Not Exist", "", "");
		break;
	case 3: /* it never answers */
		break;
	case 4:
		reply_send(r, 200, "OK", "", "");
		break;
	default:
		peer_sdp(t, SDP_PLAIN, body, sizeof(body));
		reply_send(r, 200, "OK", "", body);
		break;
	}
}


void callee_request(struct agent *p, struct talk *t, const struct wire *m)
{
	struct reply *r = reply_begin(p, t, m);

	/* retransmissions do not come here: a number grows (12.2.2), but for
	   what overtook on the way */
	if (m->cseq <= t->heard_cseq && !p->w->climate.loss_pct &&
	    !p->w->climate.has_garbage && world_ms(p->w) > t->heard_ms + 1000)
		world_fail(p->w, "p%u: CSeq %lu after %lu", p->index,
			   m->cseq, t->heard_cseq);
	t->heard_cseq = m->cseq;
	t->heard_ms = world_ms(p->w);

	if (!strcmp(m->method, "BYE")) {
		/* a mangled INVITE that comes again is another call with
		   the same tags */
		if (t->got_bye && !p->w->climate.has_garbage)
			world_fail(p->w, "p%u: two BYEs", p->index);
		t->got_bye = true;
		t->state = TALK_OVER;
		reply_send(r, 200, "OK", "", "");
	}
	else if (!strcmp(m->method, "INVITE")) {
		offer_received(t, r);
	}
	else {
		reply_send(r, 200, "OK", "", "");
	}
}
