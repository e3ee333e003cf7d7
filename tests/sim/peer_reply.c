/** @file peer_reply.c  Server transactions of a peer (RFC 3261 17.2). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"


struct reply *reply_begin(struct agent *p, struct talk *t,
			  const struct wire *m)
{
	struct reply *r = calloc(1, sizeof(*r));

	r->peer = p;
	r->talk = t;
	r->request = malloc(sizeof(*r->request));
	memcpy(r->request, m, sizeof(*m));
	if (t)
		(void)snprintf(r->tag, sizeof(r->tag), "%s", t->local_tag);
	list_append(&p->served, &r->le, r);

	return r;
}


struct reply *reply_find(const struct agent *p, const struct wire *m,
			 const char *method)
{
	const struct le *le;

	LIST_FOREACH(&p->served, le) {
		struct reply *r = le->data;

		if (!strcmp(r->request->branch, m->branch) &&
		    !strcmp(r->request->method, method))
			return r;
	}

	return NULL;
}


/* Eleven copies of a 2xx are not all lost, nor the ACKs of all of them. Only a
   late offer may have to wait for the caller's ACK. */
static void never_acked(struct world *w, struct reply *r)
{
	struct talk *t = r->talk;

	if (!t || r->status >= 300)
		return;
	if (t->state == TALK_UP && t->boot == w->boot &&
	    r->request->body_len && !w->climate.has_garbage)
		world_fail(w, "p%u, call %d: its 2xx is never ACKed",
			   r->peer->index, t->number);
	talk_bye(w, t);
}


/* A final answer to an INVITE is repeated until its ACK comes: timer G, and
   13.3.1.4 for the 2xx. */
static void again(struct world *w, void *arg)
{
	struct reply *r = arg;

	if (r->is_acked || r->peer->is_dead)
		return;
	if (world_ms(w) >= r->end_ms) {
		never_acked(w, r);
		return;
	}

	network_to_switch(w, r->peer, r->buf, r->len);
	r->interval_ms *= 2;
	if (r->interval_ms > SIM_T2_MS)
		r->interval_ms = SIM_T2_MS;
	world_after(w, r->interval_ms, again, r);
}


static void write(struct wire_out *o, struct reply *r, unsigned status,
		  const char *phrase)
{
	const struct wire *m = r->request;
	struct agent *p = r->peer;

	if (!r->tag[0])
		peer_token(p, r->tag, sizeof(r->tag), "t");
	wire_add(o, "SIP/2.0 %u %s\r\nVia: %s\r\n", status, phrase, m->via);
	wire_add(o, "From: %s\r\nTo: %s", m->from, m->to);
	if (!m->to_tag[0] && status > 100)
		wire_add(o, ";tag=%s", r->tag);
	wire_add(o, "\r\nCall-ID: %s\r\nCSeq: %lu %s\r\n", m->call_id,
		 m->cseq, m->method);
	if (status > 100 && status < 300)
		wire_add(o, "Contact: <sip:%s@%s:%u>\r\n", p->mark, p->host,
			 sa_port(&p->addr));
	wire_add(o, "Server: Carrier %s\r\n", p->mark);
}


void reply_send(struct reply *r, unsigned status, const char *phrase,
		const char *extra, const char *body)
{
	struct world *w = r->peer->w;
	struct wire_out o = {.len = 0};

	write(&o, r, status, phrase);
	wire_add(&o, "%s", extra);
	wire_end(&o, body);

	free(r->buf);
	r->buf = malloc(o.len);
	memcpy(r->buf, o.text, o.len);
	r->len = o.len;
	r->status = status;
	network_to_switch(w, r->peer, r->buf, r->len);

	if (status < 200 || strcmp(r->request->method, "INVITE"))
		return;
	r->interval_ms = SIM_T1_MS;
	r->end_ms = world_ms(w) + SIM_LIFE_MS;
	world_after(w, r->interval_ms, again, r);
}
