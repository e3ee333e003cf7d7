/**
 * @file call_refused.c  The record of an INVITE that never became a call:
 * its credentials were wrong. One record schema for every outcome, but
 * whoever guesses passwords must not fill the disk: the gate answers a source
 * only so many guesses, and what all sources together may have recorded is
 * bounded here.
 */
#include <string.h>
#include "call_private.h"
#include "gate.h"
#include "text.h"

#define PER_S 10          /* records of a second, of all sources together */
#define BURST 200


/* Whom the user belongs to that they wanted to be, if there is one. */
static void set_who(struct cdr *r, const struct trunk *trunk)
{
	if (!trunk)
		return;

	TEXT_FILL(r->trunk_id, trunk->id);
	TEXT_FILL(r->tenant_id, trunk->tenant->id);
	TEXT_FILL(r->account_id, trunk->account->id);
}


static void set_message(struct cdr *r, const struct sip_msg *msg,
			const struct sip_path *path)
{
	const struct pl ua = message_header(msg, "User-Agent");

	(void)message_number(&msg->uri, r->called_received,
			     sizeof(r->called_received));
	(void)message_number(&msg->from.uri, r->calling_received,
			     sizeof(r->calling_received));
	(void)re_snprintf(r->a_address, sizeof(r->a_address), "%J",
			  &path->peer);
	TEXT_FILL(r->a_transport, "udp");
	(void)text_set(r->a_call_id, sizeof(r->a_call_id), msg->callid.p,
		       msg->callid.l);
	(void)text_set(r->a_user_agent, sizeof(r->a_user_agent),
		       ua.p ? ua.p : "", ua.l);
}


static void record_fill(struct worker *w, const struct sip_msg *msg,
			const struct sip_path *path,
			const struct gate_verdict *v, enum outcome out)
{
	struct cdr *r = &w->record->call;

	cdr_init(r);
	w->record->attempt_n = w->record->charge_n = 0;
	w->record->why = NULL;
	r->started_at = r->ended_at = moment_wall_ms(&w->now);
	rng_uuid7(w->rng, r->started_at, r->call_id);
	r->attempt = 0;
	TEXT_FILL(r->node, w->cfg.node);
	TEXT_FILL(r->version, STROWGER_VERSION);
	TEXT_FILL(r->direction, "outbound");
	set_who(r, v->guessed ? v->guessed->trunk : NULL);
	set_message(r, msg, path);
	TEXT_FILL(r->outcome, outcome_row(out)->code);
	TEXT_FILL(r->initiator, "switch");
	r->sip_code = outcome_row(out)->sip;
	r->q850 = outcome_row(out)->q850;
}


static void event_begin(struct event *ev, const struct cdr *r,
			enum event_kind kind)
{
	event_init(ev, kind, r->started_at, r->tenant_id, r->trunk_id);
	memcpy(ev->call_id, r->call_id, sizeof(ev->call_id));
	event_text(ev, "direction", "out");
	event_text(ev, "calling", r->calling_received);
	event_text(ev, "called", r->called_received);
}


static void tell(struct worker *w, const struct cdr *r)
{
	struct event ev;

	event_begin(&ev, r, EVENT_CALL_STARTED);
	worker_emit(w, &ev);
	event_begin(&ev, r, EVENT_CALL_ENDED);
	event_text(&ev, "outcome", r->outcome);
	event_text(&ev, "initiator", r->initiator);
	event_number(&ev, "sip_code", r->sip_code);
	event_number(&ev, "duration_ms", 0);
	worker_emit(w, &ev);
}


void call_refused(struct worker *w, const struct sip_msg *msg,
		  const struct sip_path *path, const struct gate_verdict *v,
		  enum outcome out)
{
	uint64_t seq;

	metric_add(w->metrics.ended[out], 1);
	if (!allowance_take(&w->refused.may_record, moment_ms(&w->now), PER_S,
			    BURST)) {
		metric_add(w->metrics.unrecorded, 1);
		return;
	}

	record_fill(w, msg, path, v, out);
	mbuf_rewind(w->frame);
	if (journal_encode_call(w->frame, JOURNAL_END, w->record) ||
	    w->doors.journalh(w->frame->buf, w->frame->end, &seq,
			      w->doors.arg)) {
		metric_add(w->metrics.unrecorded, 1);
		return;
	}
	++w->refused.n;
	tell(w, &w->record->call);
}
