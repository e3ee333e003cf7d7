/** @file peer.c  A peer, its dialogs, and where each message belongs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"


struct agent *peer_alloc(struct world *w, unsigned index, enum agent_role role,
			const char *host, uint16_t port)
{
	static const char *const woods[SIM_PEERS] = {
		"oak", "elm", "fir", "ash", "yew", "bay", "fig", "box",
	};
	struct agent *p = calloc(1, sizeof(*p));

	p->w = w;
	p->index = index;
	p->role = role;
	sa_set_str(&p->addr, host, port);
	(void)snprintf(p->host, sizeof(p->host), "%s", host);
	(void)snprintf(p->mark, sizeof(p->mark), "qz%s", woods[index]);

	return p;
}


void peer_free(struct agent *p)
{
	struct le *le;

	if (!p)
		return;

	while ((le = list_head(&p->sent))) {
		struct request *r = le->data;

		list_unlink(le);
		free(r->buf);
		free(r);
	}
	while ((le = list_head(&p->served))) {
		struct reply *r = le->data;

		list_unlink(le);
		free(r->request);
		free(r->buf);
		free(r);
	}
	while ((le = list_head(&p->dialogs))) {
		struct talk *t = le->data;

		list_unlink(le);
		free(t);
	}
	free(p);
}


/* Everything that a peer invents carries its mark: who sees another peer's
   mark sees what should have been hidden. */
void peer_token(struct agent *p, char *buf, size_t size, const char *what)
{
	(void)snprintf(buf, size, "%s%s%u-%u", p->mark, what, ++p->serial,
		       draw(p->w, 1000000));
}


struct talk *talk_alloc(struct agent *p)
{
	struct talk *t = calloc(1, sizeof(*t));

	t->peer = p;
	t->number = -1;
	t->boot = p->w->boot;
	t->cseq = 1 + draw(p->w, 1000);
	t->sdp_version = 1;
	list_append(&p->dialogs, &t->le, t);

	return t;
}


struct talk *talk_find(const struct agent *p, const char *call_id,
		       const char *tag)
{
	const struct le *le;

	LIST_FOREACH(&p->dialogs, le) {
		struct talk *t = le->data;

		if (!strcmp(t->call_id, call_id) &&
		    !strcmp(t->local_tag, tag))
			return t;
	}

	return NULL;
}


struct talk *talk_any(struct world *w)
{
	struct talk *found = NULL;
	const struct le *le;
	uint32_t n = 0;

	for (unsigned i = 0; i < SIM_PEERS; i++) {
		LIST_FOREACH(&w->peers[i]->dialogs, le) {
			struct talk *t = le->data;

			if (t->call_id[0] && t->state != TALK_OVER &&
			    !draw(w, ++n))
				found = t;
		}
	}

	return found;
}


static void ack_received(struct agent *p, struct talk *t, const struct wire *m)
{
	struct reply *r = reply_find(p, m, "INVITE");
	const struct le *le;

	if (r) {
		r->is_acked = true;
		return;
	}

	if (!t) {
		if (!p->w->climate.has_garbage)
			world_fail(p->w, "p%u: an ACK for no dialog",
				   p->index);
		return;
	}

	/* of a 2xx: another branch, the same CSeq number (13.2.2.4) */
	LIST_FOREACH(&p->served, le) {
		r = le->data;
		if (r->talk == t && r->request->cseq == m->cseq &&
		    !strcmp(r->request->method, "INVITE")) {
			r->is_acked = true;
			t->got_ack = true;
		}
	}
}


static void cancel_received(struct agent *p, const struct wire *m)
{
	struct reply *invite = reply_find(p, m, "INVITE");
	struct reply *r = reply_begin(p, NULL, m);

	if (!invite) {
		/* the INVITE was lost or is still on its way */
		reply_send(r, 481, "Call/Transaction Does Not Exist", "", "");
		return;
	}

	reply_send(r, 200, "OK", "", "");
	if (!invite->talk || invite->status >= 200)
		return;
	invite->talk->got_cancel = true;
	if (invite->talk->plan.hears_cancel) {
		invite->talk->state = TALK_OVER;
		reply_send(invite, 487, "Request Terminated", "", "");
	}
}


static void request_received(struct agent *p, const struct wire *m)
{
	struct talk *t = m->to_tag[0] ? talk_find(p, m->call_id, m->to_tag)
				      : NULL;
	struct reply *r;

	if (!strcmp(m->method, "ACK")) {
		ack_received(p, t, m);
		return;
	}

	r = reply_find(p, m, m->method);
	if (r) {
		if (r->buf && !p->is_dead)
			network_to_switch(p->w, p, r->buf, r->len);
		return;
	}

	if (p->is_dead)
		return;
	if (!strcmp(m->method, "CANCEL"))
		cancel_received(p, m);
	else if (t)
		callee_request(p, t, m);
	else if (m->to_tag[0])
		reply_send(reply_begin(p, NULL, m), 481, "No Such Call", "",
			   "");
	else if (!strcmp(m->method, "INVITE"))
		callee_invite(p, m);
	else
		reply_send(reply_begin(p, NULL, m), 200, "OK", "", "");
}


static void response_received(struct agent *p, const struct wire *m)
{
	struct request *r = request_find(p, m);

	if (!r) {
		if (!p->w->climate.has_garbage)
			world_fail(p->w, "p%u: a response to nothing it "
					 "asked", p->index);
		return;
	}

	if (m->status < 200)
		r->is_provisional = true;
	else
		r->is_final = true;

	if (!r->talk && !strcmp(m->method, "REGISTER"))
		peer_challenged(p, m);
	if (!r->talk)
		return;
	if (!strcmp(m->method, "BYE") && m->status >= 200)
		r->talk->bye_answered = true;
	if (strcmp(m->method, "INVITE"))
		return;
	if (r == r->talk->invite)
		caller_response(r->talk, r, m);
	else
		talk_offer_response(r->talk, m);
}


void peer_recv(struct agent *p, const uint8_t *buf, size_t len)
{
	struct wire *m = malloc(sizeof(*m));

	if (!wire_parse(m, buf, len))
		world_fail(p->w, "p%u: an unreadable message", p->index);
	else if (m->is_request)
		request_received(p, m);
	else
		response_received(p, m);

	free(m);
}
