/** @file peer_request.c  Client transactions of a peer (RFC 3261 17.1). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"


void request_begin(struct wire_out *o, struct talk *t, const char *method,
		   unsigned long cseq, char branch[64])
{
	const bool is_early = t->state == TALK_CALLING && t->early[0] &&
			      strcmp(method, "INVITE");
	struct agent *p = t->peer;
	char id[48];

	peer_token(p, id, sizeof(id), "b");
	(void)snprintf(branch, 64, "z9hG4bK%s", id);
	wire_add(o, "%s %s SIP/2.0\r\n", method, t->target);
	wire_add(o, "Via: SIP/2.0/UDP %s:%u;branch=%s;rport\r\n", p->host,
		 sa_port(&p->addr), branch);
	wire_add(o, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\n", t->local,
		 is_early ? t->early : t->remote, t->call_id);
	wire_add(o, "CSeq: %lu %s\r\n", cseq, method);
	wire_add(o, "Contact: <sip:%s@%s:%u>\r\n", p->mark, p->host,
		 sa_port(&p->addr));
	wire_add(o, "User-Agent: PBX %s\r\n", p->mark);
}


static void again(struct world *w, void *arg)
{
	struct request *r = arg;
	const bool is_invite = !strcmp(r->method, "INVITE");

	if (r->is_final || world_ms(w) >= r->end_ms ||
	    (is_invite && r->is_provisional))
		return;

	network_to_switch(w, r->peer, r->buf, r->len);
	r->interval_ms *= 2;
	if (!is_invite && r->interval_ms > SIM_T2_MS)
		r->interval_ms = SIM_T2_MS;
	world_after(w, r->interval_ms, again, r);
}


struct request *request_send(struct agent *p, struct talk *t,
			     const char *method, unsigned long cseq,
			     const char *branch, const struct wire_out *o)
{
	struct request *r = calloc(1, sizeof(*r));

	r->peer = p;
	r->talk = t;
	r->cseq = cseq;
	(void)snprintf(r->method, sizeof(r->method), "%s", method);
	(void)snprintf(r->branch, sizeof(r->branch), "%s", branch);
	r->buf = malloc(o->len);
	memcpy(r->buf, o->text, o->len);
	r->len = o->len;
	r->interval_ms = SIM_T1_MS;
	r->end_ms = world_ms(p->w) + SIM_LIFE_MS;
	list_append(&p->sent, &r->le, r);

	network_to_switch(p->w, p, r->buf, r->len);
	world_after(p->w, r->interval_ms, again, r);

	return r;
}


struct request *request_find(const struct agent *p, const struct wire *m)
{
	const struct le *le;

	LIST_FOREACH(&p->sent, le) {
		struct request *r = le->data;

		if (!strcmp(r->branch, m->branch) &&
		    !strcmp(r->method, m->method))
			return r;
	}

	return NULL;
}


/* CANCEL or ACK of a request: its Via, From, Call-ID and number. */
static void derive(struct wire_out *o, const struct request *r,
		   const char *method, const char *to)
{
	struct talk *t = r->talk;
	struct agent *p = r->peer;

	wire_add(o, "%s %s SIP/2.0\r\n", method, t->uri);
	wire_add(o, "Via: SIP/2.0/UDP %s:%u;branch=%s;rport\r\n", p->host,
		 sa_port(&p->addr), r->branch);
	wire_add(o, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\n", t->local, to,
		 t->call_id);
	wire_add(o, "CSeq: %lu %s\r\nMax-Forwards: 70\r\n", r->cseq, method);
	wire_end(o, "");
}


void request_cancel(struct request *r)
{
	struct wire_out o = {.len = 0};

	r->is_cancelled = true;
	derive(&o, r, "CANCEL", r->talk->remote);
	(void)request_send(r->peer, r->talk, "CANCEL", r->cseq, r->branch,
			   &o);
}


struct request *talk_request(struct talk *t, const char *method,
			     const char *body)
{
	struct wire_out o = {.len = 0};
	char branch[64];

	request_begin(&o, t, method, ++t->cseq, branch);
	wire_add(&o, "Max-Forwards: 70\r\n");
	wire_end(&o, body);

	return request_send(t->peer, t, method, t->cseq, branch, &o);
}


/* ACK of a 2xx is no transaction: sent once for each 2xx that comes. */
void talk_ack(struct talk *t, unsigned long cseq, const char *body)
{
	struct wire_out o = {.len = 0};
	char branch[64];

	request_begin(&o, t, "ACK", cseq, branch);
	wire_add(&o, "Max-Forwards: 70\r\n");
	wire_end(&o, body);
	network_to_switch(t->peer->w, t->peer, (const uint8_t *)o.text,
			  o.len);
}


void talk_bye(struct world *w, void *arg)
{
	struct talk *t = arg;

	(void)w;
	if (t->sent_bye || (t->state != TALK_UP &&
			    !(t->state == TALK_CALLING && t->early[0])))
		return;
	t->sent_bye = true;
	(void)talk_request(t, "BYE", "");
	/* an early one still hears the final answer to its INVITE */
	if (t->state == TALK_UP)
		t->state = TALK_OVER;
}


/* ACK of a failure belongs to the INVITE's transaction (17.1.1.3). */
void request_ack(struct request *r, const char *to)
{
	struct wire_out o = {.len = 0};

	derive(&o, r, "ACK", to);
	network_to_switch(r->peer->w, r->peer, (const uint8_t *)o.text,
			  o.len);
}
