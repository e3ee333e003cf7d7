/**
 * @file worker_auth.c  What is told of a request whose sender did not prove
 * who they are: who wanted to be whom, from where, and what was wrong. Never
 * what they sent as a proof. Bounded: the gate answers one source only so many
 * guesses, and all sources together are told so often.
 */
#include <string.h>
#include "text.h"
#include "worker_private.h"

#define PER_S 10          /* told in a second, of all sources together */
#define BURST 200
#define FACT_SIZE 64      /* of what the message says, cut             */


/* NULL: nothing was wrong with it */
static const char *reason_of(const struct sip_msg *msg,
			     const struct gate_verdict *v)
{
	if (v->is_wrong)
		return v->guessed ? "wrong_password" : "unknown_user";
	if (v->action != GATE_REFUSE)
		return NULL;
	if (v->outcome == OUT_BAD_REQUEST)
		return "malformed";
	if (v->outcome == OUT_SOURCE_DENIED)
		return "source_denied";
	if (v->outcome == OUT_TRUNK_DISABLED && message_is(msg, "REGISTER"))
		return "suspended";

	return NULL;
}


static void tell_header(struct event *ev, const char *name,
			const struct sip_msg *msg, const char *header)
{
	const struct pl value = message_header(msg, header);
	char text[FACT_SIZE];

	if (!value.l)
		return;

	(void)text_set(text, sizeof(text), value.p,
		       value.l < sizeof(text) ? value.l : sizeof(text) - 1);
	event_text(ev, name, text);
}


static void tell(struct worker *w, const struct sip_msg *msg,
		 const struct sip_path *path, const struct gate_verdict *v,
		 const char *reason)
{
	const struct trunk *trunk = v->guessed ? v->guessed->trunk : v->trunk;
	char source[64], method[16], user[USER_SIZE] = "";
	struct event ev;

	if (v->realm)
		(void)digest_user(msg, v->realm, false, user, sizeof(user));
	(void)re_snprintf(source, sizeof(source), "%j", &path->peer);
	(void)re_snprintf(method, sizeof(method), "%r", &msg->met);

	event_init(&ev, EVENT_AUTH_FAILED, moment_wall_ms(&w->now),
		   trunk ? trunk->tenant->id : NULL, trunk ? trunk->id : NULL);
	event_text(&ev, "reason", reason);
	event_text(&ev, "source", source);
	event_number(&ev, "port", sa_port(&path->peer));
	event_text(&ev, "method", method);
	event_text(&ev, "username", user);
	event_text(&ev, "realm", v->realm ? v->realm->name : "");
	tell_header(&ev, "from", msg, "From");
	tell_header(&ev, "to", msg, "To");
	tell_header(&ev, "identity", msg, "P-Asserted-Identity");
	tell_header(&ev, "user_agent", msg, "User-Agent");
	tell_header(&ev, "sip_call_id", msg, "Call-ID");
	worker_emit(w, &ev);
}


void worker_auth_failed(struct worker *w, const struct sip_msg *msg,
			const struct sip_path *path,
			const struct gate_verdict *v)
{
	const char *reason = reason_of(msg, v);

	if (!reason)
		return;
	if (!allowance_take(&w->auth_told, moment_ms(&w->now), PER_S, BURST)) {
		metric_add(w->metrics.untold, 1);
		return;
	}

	tell(w, msg, path, v, reason);
}
