/** @file check.c  What has to be true: of each message that goes out, after
 *  each step, of each record, and when all is over. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "guard.h"
#include "peer.h"
#include "text.h"
#include "wheel.h"


/* --- messages */

static bool holds(const uint8_t *buf, size_t len, const char *text)
{
	return memmem(buf, len, text, strlen(text));
}


/* Nothing that another peer invented, and no address of it. */
static void check_hidden(struct world *w, const struct agent *to,
			 const uint8_t *buf, size_t len)
{
	char host[40];

	for (unsigned i = 0; i < SIM_PEERS; i++) {
		const struct agent *p = w->peers[i];

		if (p == to)
			continue;
		if (holds(buf, len, p->mark))
			world_fail(w, "p%u sees a token of p%u:\n%.*s",
				   to->index, i, (int)len, (const char *)buf);
		(void)snprintf(host, sizeof(host), "%s", p->host);
		if (holds(buf, len, host))
			world_fail(w, "p%u sees the address of p%u:\n%.*s",
				   to->index, i, (int)len, (const char *)buf);
	}
}


/* Only what the gateways of the emergency number are sent: 6 and 7. */
static bool is_emergency(const struct agent *to, const struct wire *m)
{
	return (to->index == 5 || to->index == 6) &&
	       strstr(m->to, "<sip:112@");
}


/* Who hides its number is named to those alone who are trusted with
   P-Asserted-Identity (RFC 3325 7): trunk 3 and gateway 6; and to the
   emergency service, whatever the caller wants (2002/58/EC 10 b). */
static void check_private(struct world *w, const struct agent *to,
			  const struct wire *m, const uint8_t *buf,
			  size_t len)
{
	/* in To it is the number of whom it is sent to */
	if (!m->is_request || to->index == 2 || to->index == 5 ||
	    strstr(m->to, SIM_SECRET) || is_emergency(to, m) || w->is_unveiled)
		return;
	if (holds(buf, len, SIM_SECRET))
		world_fail(w, "p%u sees a hidden number:\n%.*s", to->index,
			   (int)len, (const char *)buf);
}


static uint32_t text_crc(const char *text, size_t len)
{
	return crc32c(0, (const uint8_t *)text, len);
}


/*
 * RFC 3264 8: within a dialog the o= line keeps its id; its version stays or
 * grows by one, and it does grow when the description changed.
 */
static void check_origin(struct world *w, const struct agent *to,
			 const struct wire *m)
{
	const uint32_t key = text_crc(m->call_id, strlen(m->call_id)) +
			     to->index;
	struct origin *o = &w->origins[key % ORIGINS];
	unsigned long long id, version;
	const char *rest = strstr(m->body, "\r\ns=");
	uint32_t crc;

	if (!rest || 2 != sscanf(m->body, "v=0\r\no=%*s %llu %llu", &id,
				 &version))
		return;

	/* an ACK is sent again as it was, for a 2xx that comes late */
	if (o->key == key && !strcmp(m->method, "ACK") &&
	    version < o->version)
		return;

	crc = text_crc(rest, strlen(rest));
	if (o->key == key && (o->id != id || version < o->version ||
			      version > o->version + 1 ||
			      (version == o->version && crc != o->crc)))
		world_fail(w, "p%u: o= %llu %llu after %llu %llu, %s",
			   to->index, id, version, (unsigned long long)o->id,
			   (unsigned long long)o->version,
			   crc == o->crc ? "unchanged" : "changed");
	*o = (struct origin){key, crc, id, version};
}


/* The Subject says which INVITE of the script this one comes from. With no
   hop left only an emergency call goes on, with as many as a new one. */
static void check_hops(struct world *w, const struct agent *to,
		       const struct wire *m)
{
	char text[64];
	unsigned hops, came;
	int number;

	if (strcmp(m->method, "INVITE") || m->to_tag[0] ||
	    !wire_header(m, "Subject", text, sizeof(text)) ||
	    1 != sscanf(text, "call-%d", &number) || number < 0 ||
	    number >= SIM_CALLS)
		return;

	if (!wire_header(m, "Max-Forwards", text, sizeof(text)))
		world_fail(w, "p%u: INVITE without Max-Forwards", to->index);
	hops = (unsigned)strtoul(text, NULL, 10);
	came = w->hops[number];
	if (!came && is_emergency(to, m))
		came = 71;
	if (hops + 1 != came && !w->climate.has_garbage)
		world_fail(w, "p%u: Max-Forwards %u came, %u went out",
			   to->index, w->hops[number], hops);
}


/* Timers A and E begin with T1 (17.1.1.2, 17.1.2.2): no request comes again
   sooner. An ACK follows each 2xx. */
static void check_pace(struct world *w, const struct agent *to,
		       const struct wire *m)
{
	const uint32_t crc = text_crc(m->text, m->len);
	struct sent *s = &w->sent[crc % SENTS];

	if (!strcmp(m->method, "ACK"))
		return;
	if (s->crc == crc && world_ms(w) + WHEEL_TICK_MS <
			     s->at_ms + SIM_T1_MS)
		world_fail(w, "p%u is sent %s again after %llu ms",
			   to->index, m->method,
			   (unsigned long long)(world_ms(w) - s->at_ms));
	*s = (struct sent){crc, world_ms(w)};
}


void check_output(struct world *w, const struct agent *to, const uint8_t *buf,
		  size_t len)
{
	struct wire *m = malloc(sizeof(*m));
	enum guard_verdict verdict;
	size_t used;
	bool is_readable = wire_parse(m, buf, len);

	verdict = guard_check(buf, len, &used);
	if (verdict != GUARD_OK || used != len)
		world_fail(w, "p%u is sent a malformed message (%s):\n%.*s",
			   to->index, guard_name(verdict), (int)len,
			   (const char *)buf);
	check_hidden(w, to, buf, len);
	check_private(w, to, m, buf, len);
	if (!is_readable)
		world_fail(w, "p%u is sent what it cannot read", to->index);
	else if (m->is_request) {
		if (!strcmp(m->method, "INVITE") && !m->to_tag[0])
			plan_model_dialled(w, m);
		check_hops(w, to, m);
		check_pace(w, to, m);
	}
	/* a mangled INVITE that comes again is another call with its tags */
	if (m->body_len && !w->climate.has_garbage)
		check_origin(w, to, m);
	free(m);
}


/* --- the worker */

void check_step(struct world *w)
{
	struct worker_census c;

	worker_census(w->worker, &c);
	if (c.bugs)
		world_fail(w, "%llu calls met an impossible state",
			   (unsigned long long)c.bugs);
	if (!worker_is_exact(w->worker))
		world_fail(w, "who holds a channel is not who lives");
	if (!worker_is_fair(w->worker))
		world_fail(w, "money is scarce, and one holds more than the "
			      "next interval");
	if (c.funds_granted_micro <
	    c.funds_spent_micro + c.funds_held_micro)
		world_fail(w, "funds: granted %lld, spent %lld, held %lld",
			   (long long)c.funds_granted_micro,
			   (long long)c.funds_spent_micro,
			   (long long)c.funds_held_micro);
	if (ledger_model_is_lapsed(w) &&
	    c.funds_spent_micro + c.funds_held_micro > w->funds_used_micro)
		world_fail(w, "funds: %lld used after the session, %lld "
			      "before",
			   (long long)(c.funds_spent_micro +
				       c.funds_held_micro),
			   (long long)w->funds_used_micro);
	w->funds_used_micro = c.funds_spent_micro + c.funds_held_micro;
	if (c.calls > c.calls_begun - c.calls_ended)
		world_fail(w, "%zu calls live, begun %llu, ended %llu",
			   c.calls, (unsigned long long)c.calls_begun,
			   (unsigned long long)c.calls_ended);
	ledger_model_check(w, false);
}


static void check_census(struct world *w)
{
	struct worker_census c;

	worker_census(w->worker, &c);
	if (c.calls || c.channels || c.fund_holds || c.media_sessions ||
	    c.media_ports)
		world_fail(w, "left: %zu calls, %zu channels, %zu holds, "
			      "%zu media sessions, %zu ports", c.calls,
			   c.channels, c.fund_holds, c.media_sessions,
			   c.media_ports);
	if (c.client_tx || c.server_tx || c.dialogs)
		world_fail(w, "left: %zu client and %zu server transactions, "
			      "%zu dialogs", c.client_tx, c.server_tx,
			   c.dialogs);
	if (c.funds_granted_micro)
		world_fail(w, "left: %lld granted",
			   (long long)c.funds_granted_micro);
	if (c.timers != w->timers_at_birth)
		world_fail(w, "left: %zu timers, %zu at birth", c.timers,
			   w->timers_at_birth);
	if (w->boot == 1 && ledger_model_calls(w->ledger) !=
				    c.calls_begun + c.refused)
		world_fail(w, "%llu calls begun, %llu records",
			   (unsigned long long)c.calls_begun,
			   (unsigned long long)
				   ledger_model_calls(w->ledger));
}


/* --- both sides were told */

static void check_caller(struct world *w, const struct talk *t)
{
	if (!t->final) {
		/* an ACK for a 2xx that was lost ends its repetition
		   (13.3.1.4): whoever sends it unheard (against 13.2.2.4)
		   hears of the end alone */
		if (t->has_acked_unheard && t->got_bye)
			return;
		/* who guesses passwords hears nothing at last (gate.h) */
		if (t->peer->role != PEER_STRANGER &&
		    (t->peer->role != PEER_DIGEST_PBX ||
		     !w->climate.has_changes))
			world_fail(w, "p%u, call %d: its INVITE was never "
				      "answered", t->peer->index, t->number);
		return;
	}

	if (t->was_up && !t->got_bye && !t->bye_answered)
		world_fail(w, "p%u, call %d: it was answered and never ended",
			   t->peer->index, t->number);
}


static void check_callee(struct world *w, const struct talk *t)
{
	if (!t->was_up) {
		if (t->state == TALK_RINGING && t->answer &&
		    t->answer->status && !t->got_cancel)
			world_fail(w, "p%u, call %d: it rings for ever",
				   t->peer->index, t->number);
		return;
	}

	/* with the BYE right behind it, an ACK that is lost stays lost */
	if (!t->got_ack && !w->climate.loss_pct)
		world_fail(w, "p%u, call %d: no ACK for its 2xx",
			   t->peer->index, t->number);
	if (!t->got_bye && !t->bye_answered)
		world_fail(w, "p%u, call %d: it answered and was never ended",
			   t->peer->index, t->number);
}


static void check_talks(struct world *w)
{
	const struct le *le;

	/* mangled copies of requests are calls as well, of nobody */
	if (w->climate.has_garbage)
		return;

	for (unsigned i = 0; i < SIM_PEERS; i++) {
		LIST_FOREACH(&w->peers[i]->dialogs, le) {
			const struct talk *t = le->data;

			if (t->boot != w->boot)
				continue;
			if (t->is_caller)
				check_caller(w, t);
			else
				check_callee(w, t);
		}
	}
}


void check_end(struct world *w)
{
	ledger_model_load(w);
	check_census(w);
	check_talks(w);
	event_model_check(w);
	ledger_model_check(w, true);
}


/* --- records */

/* What the call was charged while it lived is the price of all of it at once;
   who was cut pays for a part of it that was paid for. */
static void check_sell(struct world *w, const struct cdr *cdr,
		       const struct cdr_charge *c)
{
	uint64_t ms = cdr->answered_at == CDR_NULL
			      ? 0 : (uint64_t)cdr->duration_ms;
	struct price_parts parts;

	if (c->package_n) {
		cover_model_check(w, cdr, c);
		return;
	}
	if (ms && strcmp(cdr->outcome, "ok") != 0)
		ms = price_duration_ms(&c->price, c->amount_micro, ms);
	if (price_parts(&c->price, ms, 0, &parts) ||
	    parts.gross_micro != c->amount_micro ||
	    parts.net_micro != c->net_micro ||
	    (!c->attempt && c->amount_micro != cdr->price_micro))
		world_fail(w, "price %lld of %llu ms, should be %lld",
			   (long long)c->amount_micro,
			   (unsigned long long)ms,
			   (long long)parts.gross_micro);
	if ((uint64_t)c->billed_ms > parts.billed_ms ||
	    ((uint64_t)c->billed_ms < parts.billed_ms &&
	     !strcmp(cdr->outcome, "ok")))
		world_fail(w, "%lld ms billed of %lld ms, %llu of them paid",
			   (long long)c->billed_ms,
			   (long long)cdr->duration_ms,
			   (unsigned long long)ms);
}


/* What was charged pays for no millisecond more than the call had: neither for
   the rest of an interval nor for what follows at no more than a minimum. */
static bool is_used_up(const struct cdr *cdr, const struct cdr_charge *c)
{
	const uint64_t ms = (uint64_t)cdr->duration_ms;

	if (c->package_n)
		return cover_model_is_used_up(c, ms);

	return price_duration_ms(&c->price, c->amount_micro, ms + 1) <= ms;
}


/* Who is cut for want of money had all that was paid for. Of several who pay
   the one whose money it was: intervals of the others may be longer. */
static void check_cut(struct world *w, const struct cdr_call *call)
{
	const struct cdr *cdr = &call->call;

	if (strcmp(cdr->outcome, "credit_ended") != 0)
		return;

	for (uint32_t i = 0; i < call->charge_n; i++)
		if (call->charges[i].side == CHARGE_SELL &&
		    is_used_up(cdr, &call->charges[i]))
			return;

	world_fail(w, "cut after %lld ms, and no payer's money was used up",
		   (long long)cdr->duration_ms);
}


/* No limit refuses an emergency call and none ends it. (A node that is
   stopped or has no memory says limit_node.) */
static void check_emergency(struct world *w, const struct cdr *cdr)
{
	if (cdr->is_emergency && strcmp(cdr->outcome, "limit_node") &&
	    (!strcmp(cdr->outcome, "max_duration") ||
	     !strncmp(cdr->outcome, "limit_", 6)))
		world_fail(w, "an emergency call ended with %s",
			   cdr->outcome);
}


static void check_attempt(struct world *w, const struct cdr *a)
{
	if (a->ended_at == CDR_NULL || !strcmp(a->outcome, "none"))
		world_fail(w, "attempt %lld did not end",
			   (long long)a->attempt);
}


void check_record(struct world *w, const struct cdr_call *call)
{
	const struct cdr *cdr = &call->call;
	char id[37];

	world_trace(w, "record %s %s %s -> %s %lld ms price %lld",
		    uuid_format(id, cdr->call_id), cdr->outcome, cdr->calling,
		    cdr->called, (long long)cdr->duration_ms,
		    (long long)cdr->price_micro);
	if (!strcmp(cdr->outcome, "internal") ||
	    !strcmp(cdr->outcome, "none"))
		world_fail(w, "outcome %s: %s", cdr->outcome, cdr->trail);
	if (cdr->ended_at == CDR_NULL || cdr->attempt != 0)
		world_fail(w, "a final record that is none");
	for (uint32_t i = 0; i < call->charge_n; i++)
		if (cdr->answered_at == CDR_NULL &&
		    !call->charges[i].price.attempt_micro)
			world_fail(w, "a charge without an answer");
	check_cut(w, call);
	check_emergency(w, cdr);
	plan_model_check(w, call);
	for (uint32_t i = 0; i < call->attempt_n; i++)
		check_attempt(w, &call->attempts[i]);
	for (uint32_t i = 0; i < call->charge_n; i++)
		if (call->charges[i].side == CHARGE_SELL)
			check_sell(w, cdr, &call->charges[i]);
}
