/** @file peer_caller.c  A peer that calls: INVITE, digest, CANCEL, ACK, BYE,
 *  re-INVITE; and REGISTER. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"

#define BODY_MAX 1024


static void md5_text(char hex[33], const char *text)
{
	uint8_t digest[MD5_SIZE];

	md5((const uint8_t *)text, strlen(text), digest);
	for (int i = 0; i < MD5_SIZE; i++)
		(void)sprintf(hex + 2 * i, "%02x", digest[i]);
}


/* Authorization for a challenge (RFC 2617 3.2.2), MD5 with qop=auth. */
static void authorize(struct wire_out *o, struct agent *p,
		      const struct wire *challenge, const char *method,
		      const char *uri, bool knows_password)
{
	char head[400], nonce[200] = "", a1[33], a2[33], hex[33], text[500];
	const char *at;

	if (!wire_header(challenge, "WWW-Authenticate", head, sizeof(head)))
		return;
	at = strstr(head, "nonce=\"");
	if (at)
		(void)snprintf(nonce, sizeof(nonce), "%.*s",
			       (int)strcspn(at + 7, "\""), at + 7);

	(void)snprintf(text, sizeof(text), "pbx:" SIM_REALM ":%s",
		       knows_password ? "right" : "wrong");
	md5_text(a1, text);
	(void)snprintf(text, sizeof(text), "%s:%s", method, uri);
	md5_text(a2, text);
	(void)snprintf(text, sizeof(text), "%s:%s:00000001:c%u:auth:%s", a1,
		       nonce, ++p->serial, a2);
	md5_text(hex, text);
	wire_add(o, "Authorization: Digest username=\"pbx\",realm=\""
		 SIM_REALM "\",nonce=\"%s\",uri=\"%s\",response=\"%s\","
		 "algorithm=MD5,cnonce=\"c%u\",qop=auth,nc=00000001\r\n",
		 nonce, uri, hex, p->serial);
}


static void plan_draw(struct world *w, struct plan *plan)
{
	plan->cancel_ms = chance(w, 25) ? 1 + draw(w, 8000) : 0;
	plan->bye_ms = chance(w, 75) ? 1 + draw(w, 30000) : 0;
	if (chance(w, 10))
		plan->bye_ms = 1 + draw(w, 200);
	plan->offer_ms = chance(w, 35) ? 1 + draw(w, 10000) : 0;
	plan->offer_kind = (uint8_t)draw(w, SDP_KINDS + 1);
	plan->is_late = chance(w, 15);
	plan->loses_ack = chance(w, 4);
	plan->knows_password = chance(w, 90);
	plan->is_private = chance(w, 10);
	plan->requires = chance(w, 3);
	plan->sdp_kind = SDP_PLAIN;
	if (chance(w, 15))
		plan->sdp_kind = (uint8_t)draw(w, SDP_KINDS);
}


struct talk *caller_plan(struct agent *p, int number, const char *called)
{
	struct talk *t = talk_alloc(p);

	plan_draw(p->w, &t->plan);
	t->is_caller = true;
	t->number = number;
	(void)snprintf(t->uri, sizeof(t->uri), "sip:%s@" SIM_SWITCH, called);

	return t;
}


static void identity_make(struct talk *t)
{
	struct agent *p = t->peer;
	struct world *w = p->w;
	const char *from = t->plan.is_private ? "+" SIM_SECRET
			   : chance(w, 60)    ? "+4930100" : "+4940123";

	peer_token(p, t->call_id, sizeof(t->call_id), "c");
	peer_token(p, t->local_tag, sizeof(t->local_tag), "t");
	(void)snprintf(t->local, sizeof(t->local),
		       "\"Caller\" <sip:%s@%s>;tag=%s",
		       chance(w, 5) ? "anonymous" : from, p->host,
		       t->local_tag);
	(void)snprintf(t->remote, sizeof(t->remote), "<%s>", t->uri);
	(void)snprintf(t->target, sizeof(t->target), "%s", t->uri);
}


static void invite_send(struct talk *t, const struct wire *challenge)
{
	struct world *w = t->peer->w;
	struct wire_out o = {.len = 0};
	char branch[64], body[BODY_MAX] = "";

	request_begin(&o, t, "INVITE", ++t->cseq, branch);
	wire_add(&o, "Max-Forwards: %u\r\n", w->hops[t->number]);
	wire_add(&o, "Subject: call-%d\r\n", t->number);
	wire_add(&o, "Call-Info: <http://%s/%s>\r\n", t->peer->host,
		 t->peer->mark);
	wire_add(&o, "X-Inside: %s\r\n", t->peer->mark);
	if (t->plan.is_private)
		wire_add(&o, "Privacy: id\r\nP-Asserted-Identity: "
			     "<sip:+" SIM_SECRET "@%s>\r\n", t->peer->host);
	if (t->plan.requires)
		wire_add(&o, "Require: 100rel, x-%s\r\n", t->peer->mark);
	if (challenge)
		authorize(&o, t->peer, challenge, "INVITE", t->uri,
			  t->plan.knows_password);
	if (!t->plan.is_late)
		peer_sdp(t, t->plan.sdp_kind, body, sizeof(body));
	wire_end(&o, body);

	t->invite_cseq = t->cseq;
	t->invite = request_send(t->peer, t, "INVITE", t->cseq, branch, &o);
}


static void cancel_due(struct world *w, void *arg)
{
	struct talk *t = arg;

	(void)w;
	/* 9.1: not before a provisional response, not after a final one */
	if (t->state == TALK_CALLING && t->invite->is_provisional &&
	    !t->invite->is_final && !t->invite->is_cancelled)
		request_cancel(t->invite);
}


void caller_start(struct world *w, void *arg)
{
	struct talk *t = arg;

	t->boot = w->boot;
	w->hops[t->number] = (uint8_t)(chance(w, 3) ? 0 : 1 + draw(w, 70));
	identity_make(t);
	if (t->plan.cancel_ms)
		world_after(w, t->plan.cancel_ms, cancel_due, t);
	world_after(w, 50000, cancel_due, t); /* patience ends */
	invite_send(t, NULL);
}


static void answered(struct talk *t, const struct wire *m)
{
	struct world *w = t->peer->w;
	const bool is_first = t->state == TALK_CALLING;
	char body[BODY_MAX] = "";

	if (is_first) {
		(void)snprintf(t->remote, sizeof(t->remote), "%s", m->to);
		(void)snprintf(t->remote_tag, sizeof(t->remote_tag), "%s",
			       m->to_tag);
		wire_addr(m->contact, t->target, sizeof(t->target));
		t->state = TALK_UP;
		t->was_up = true;
		if (!m->body_len)
			world_fail(w, "p%u: a 2xx without a description",
				   t->peer->index);
	}

	if (t->plan.loses_ack)
		return;
	if (t->plan.is_late && !chance(w, 5))
		peer_sdp(t, SDP_PLAIN, body, sizeof(body));
	talk_ack(t, t->invite_cseq, body);
	if (!is_first)
		return;

	if (t->invite->is_cancelled)
		world_after(w, 1, talk_bye, t);
	if (t->plan.bye_ms)
		world_after(w, t->plan.bye_ms, talk_bye, t);
	if (t->plan.offer_ms)
		world_after(w, t->plan.offer_ms, talk_offer, t);
}


static void challenged(struct talk *t, const struct wire *m)
{
	if (t->digests++ < 2 && t->peer->role == PEER_DIGEST_PBX) {
		t->invite = NULL;
		invite_send(t, m);
		return;
	}
	t->state = TALK_OVER;
	t->final = m->status;
}


void caller_response(struct talk *t, struct request *r, const struct wire *m)
{
	if (m->status < 200) {
		if (m->to_tag[0] && t->state == TALK_CALLING) {
			/* an early dialog, for what comes within it */
			t->has_early = true;
			(void)snprintf(t->early, sizeof(t->early), "%s",
				       m->to);
		}
		return;
	}

	/* one final answer for each INVITE (a fork has its own To tag) */
	if (t->final && r == t->invite &&
	    !t->peer->w->climate.has_garbage &&
	    (t->final < 300) != (m->status < 300))
		world_fail(t->peer->w, "p%u, call %d: %u after %u",
			   t->peer->index, t->number, m->status, t->final);
	if (m->status < 300) {
		t->final = m->status;
		answered(t, m);
		return;
	}

	request_ack(r, m->to);
	if (t->state != TALK_CALLING)
		return;
	if (m->status == 401 && r == t->invite) {
		challenged(t, m);
		return;
	}
	t->final = m->status;
	t->state = TALK_OVER;
}


/* --- re-INVITE, of either side of a dialog */

void talk_offer(struct world *w, void *arg)
{
	struct talk *t = arg;
	char body[BODY_MAX] = "";
	struct request *r;

	if (t->state != TALK_UP)
		return;
	if (t->plan.offer_kind < SDP_KINDS)
		peer_sdp(t, t->plan.offer_kind, body, sizeof(body));
	r = talk_request(t, "INVITE", body);
	(void)snprintf(t->uri, sizeof(t->uri), "%s", t->target);
	if (chance(w, 10))
		request_cancel(r);
}


void talk_offer_response(struct talk *t, const struct wire *m)
{
	struct request *r = request_find(t->peer, m);
	char body[BODY_MAX] = "";

	if (m->status < 200)
		return;
	if (m->status >= 300) {
		request_ack(r, m->to);
		return;
	}

	if (t->plan.offer_kind >= SDP_KINDS)
		peer_sdp(t, SDP_PLAIN, body, sizeof(body));
	talk_ack(t, m->cseq, body);
}


/* --- REGISTER */

static void register_send(struct agent *p, const struct wire *challenge);


static void register_again(struct world *w, void *arg)
{
	if (world_ms(w) < 70000)
		register_send(arg, NULL);
}


void peer_register(struct world *w, void *arg)
{
	register_again(w, arg);
}


void peer_challenged(struct agent *p, const struct wire *m)
{
	if (m->status == 401 && p->challenges++ < 2) {
		register_send(p, m);
		return;
	}
	p->challenges = 0;
	if (m->status >= 200)
		world_after(p->w, 20000, register_again, p);
}


static void register_send(struct agent *p, const struct wire *challenge)
{
	static const char uri[] = "sip:" SIM_REALM;
	struct wire_out o = {.len = 0};
	struct talk t = {.peer = p};
	char branch[64];

	t.cseq = ++p->serial;
	(void)snprintf(t.call_id, sizeof(t.call_id), "%sregister", p->mark);
	(void)snprintf(t.local, sizeof(t.local),
		       "<sip:pbx@" SIM_REALM ">;tag=%s", p->mark);
	(void)snprintf(t.remote, sizeof(t.remote), "<sip:pbx@" SIM_REALM ">");
	(void)snprintf(t.target, sizeof(t.target), "%s", uri);
	request_begin(&o, &t, "REGISTER", t.cseq, branch);
	wire_add(&o, "Max-Forwards: 70\r\nExpires: 60\r\n");
	if (challenge)
		authorize(&o, p, challenge, "REGISTER", uri,
			  chance(p->w, 95));
	wire_end(&o, "");
	(void)request_send(p, NULL, "REGISTER", t.cseq, branch, &o);
}
