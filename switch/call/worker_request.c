/**
 * @file worker_request.c  A request out of any dialog: the gate says who it
 * is, the method says what becomes of it.
 */
#include <string.h>
#include "call.h"
#include "log.h"
#include "worker_private.h"

#define ALLOW "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER\r\n"


static void challenge(struct worker *w, const struct sip_msg *msg,
		      const struct sip_path *path,
		      const struct gate_verdict *v)
{
	struct mbuf *mb = mbuf_alloc(512);
	char *lines = NULL;

	if (!mb)
		return;

	if (!digest_challenge(mb, w->digest, &w->now, v->realm, false,
			      &path->peer, v->is_stale)) {
		mb->pos = 0;
		if (!mbuf_strdup(mb, &lines, mb->end))
			(void)endpoint_reply(w->ep, msg, path, 401,
					     "Unauthorized", "%s", lines);
	}

	mem_deref(lines);
	mem_deref(mb);
}


static void refuse(struct worker *w, const struct sip_msg *msg,
		   const struct sip_path *path, const struct gate_verdict *v)
{
	(void)endpoint_reply(w->ep, msg, path, v->scode, v->phrase,
			     v->scode == 405 ? ALLOW : NULL);
}


static void options(struct worker *w, const struct sip_msg *msg,
		    const struct sip_path *path)
{
	(void)endpoint_reply(w->ep, msg, path, 200, "OK",
			     ALLOW "Accept: application/sdp\r\n");
}


static void pass(struct worker *w, const struct sip_msg *msg,
		 const struct sip_path *path, const struct gate_verdict *v)
{
	if (message_is(msg, "INVITE"))
		call_birth(w, msg, path, v);
	else if (message_is(msg, "REGISTER") && v->credential)
		registrar_handle(w->registrar, msg, path, v->credential);
	else if (message_is(msg, "OPTIONS"))
		options(w, msg, path);
	else
		(void)endpoint_reply(w->ep, msg, path, 405,
				     "Method Not Allowed", ALLOW);
}


/* Is it one that call_birth() tells of? */
static bool becomes_call(const struct sip_msg *msg,
			 const struct gate_verdict *v)
{
	if (!message_is(msg, "INVITE"))
		return false;

	return v->action == GATE_PASS ||
	       (v->action == GATE_REFUSE && v->outcome != OUT_NONE &&
		(v->trunk || v->gateway));
}


void worker_request(const struct sip_msg *msg, const struct sip_path *path,
		    void *arg)
{
	struct worker *w = arg;
	struct gate_verdict v;

	if (!w->cat) {
		call_tell_outside(w, msg, path, NULL);
		/* nothing is provisioned yet: nobody is known */
		metric_add(w->metrics.unknown, 1);
		return;
	}

	v = gate_decide(w->gate, &w->now, w->cat, msg, path);
	worker_auth_failed(w, msg, path, &v);
	if (!becomes_call(msg, &v))
		call_tell_outside(w, msg, path, &v);
	switch (v.action) {

	case GATE_SILENT:
		metric_add(w->metrics.unknown, 1);
		break;
	case GATE_CHALLENGE:
		/* the record first, as in call_end.c */
		if (v.is_wrong && message_is(msg, "INVITE"))
			call_refused(w, msg, path, &v, OUT_AUTH_FAILED);
		challenge(w, msg, path, &v);
		break;
	case GATE_REFUSE:
		if (becomes_call(msg, &v))
			call_birth(w, msg, path, &v);
		else if (message_is(msg, "INVITE") && v.outcome != OUT_NONE) {
			call_refused(w, msg, path, &v, v.outcome);
			refuse(w, msg, path, &v);
		}
		else
			refuse(w, msg, path, &v);
		break;
	case GATE_PASS:
		pass(w, msg, path, &v);
		break;
	case GATE_N:
		break;
	}
}
