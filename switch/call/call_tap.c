/**
 * @file call_tap.c  What every call tells whoever listens (tap.h): that it
 * begins, is answered and ends, who takes part, and whose its messages are;
 * and the messages of no call, with whom they name.
 */
#include <string.h>
#include "call_private.h"
#include "message.h"

#define ASSERTED_MAX 4 /* values of one header that are told */


void call_tell(const struct call *call, enum tap_kind kind)
{
	struct tap_event ev = {
		.kind = kind,
		.wall_ns = call->w->now.wall_us * 1000,
		.calling = call->calling.e164,
		.called = call->called.e164,
	};

	if (!tap_active())
		return;

	memcpy(ev.call, call->id, sizeof(ev.call));
	tap_emit(&ev);
}


static void tell_party(const struct call *call, const struct tap_party *party)
{
	struct tap_event ev = {
		.kind = TAP_CALL_PARTY,
		.wall_ns = call->w->now.wall_us * 1000,
		.party = *party,
	};

	if (!party->len || call->is_test || !tap_active())
		return;

	memcpy(ev.call, call->id, sizeof(ev.call));
	tap_emit(&ev);
}


void call_tell_party(const struct call *call, enum tap_role role,
		     const char *text)
{
	tell_party(call, &(struct tap_party){role, text, strlen(text)});
}


/* --- whom a request names */

struct parties {
	struct tap_party all[TAP_PARTIES];
	size_t n;
};


static void name(struct parties *p, enum tap_role role, const struct pl *text)
{
	if (text->l && p->n < TAP_PARTIES)
		p->all[p->n++] = (struct tap_party){role, text->p, text->l};
}


static void name_asserted(struct parties *p, const struct sip_msg *msg,
			  const char *header)
{
	struct message_values values;
	struct sip_addr addr;
	struct pl value;

	message_values_init(&values, msg, header);
	for (int n = 0; n < ASSERTED_MAX &&
			message_values_next(&values, &value); n++) {
		if (!sip_addr_decode(&addr, &value))
			name(p, TAP_CALLING, &addr.auri);
	}
}


/* Who registers is no other than who is registered (RFC 3261 10.2: To), and
   the Request-URI is nobody. */
static void names_of(struct parties *p, const struct sip_msg *msg)
{
	const bool is_register = message_is(msg, "REGISTER");

	p->n = 0;
	name(p, TAP_CALLING, &msg->from.auri);
	name_asserted(p, msg, "P-Asserted-Identity");
	name_asserted(p, msg, "P-Preferred-Identity");
	if (!is_register)
		name(p, TAP_CALLED, &msg->ruri);
	name(p, is_register ? TAP_CALLING : TAP_CALLED, &msg->to.auri);
}


/* --- calls */

static void tell_begin(const struct call *call, const struct sip_msg *invite)
{
	struct tap_event ev = {
		.kind = TAP_CALL_BEGIN,
		.wall_ns = call->w->now.wall_us * 1000,
		.peer = call->a_path.peer,
		.calling = call->calling.e164,
		.called = call->called.e164,
		.dialog = invite->callid.p,
		.dialog_len = invite->callid.l,
	};

	memcpy(ev.call, call->id, sizeof(ev.call));
	tap_emit(&ev);
}


static void tell_parties(const struct call *call, const struct sip_msg *invite)
{
	struct parties named;

	call_tell_party(call, TAP_CALLING, call->calling.e164);
	call_tell_party(call, TAP_CALLED, call->called.e164);
	names_of(&named, invite);
	for (size_t i = 0; i < named.n; i++)
		tell_party(call, &named.all[i]);
	for (uint8_t i = 0; i < call->diversion_n; i++)
		call_tell_party(call, TAP_FORWARDING,
				call->diversions[i].number);
}


/* The octets from the wire: it came before there was a call to own it. */
static void tell_invite(const struct call *call, uint64_t seq)
{
	struct tap_event ev = {
		.kind = TAP_SIP,
		.leg = TAP_LEG_A,
		.dir = TAP_IN,
		.local = call->a_path.local,
		.peer = call->a_path.peer,
		.transport = call->a_path.transport,
		.wall_ns = call->w->now.wall_us * 1000,
		.seq = seq,
	};

	ev.bytes = endpoint_received(call->w->ep, &ev.len);
	memcpy(ev.call, call->id, sizeof(ev.call));
	tap_emit(&ev);
}


void call_tell_birth(struct call *call, const struct sip_msg *invite)
{
	const uint64_t seq = call->owner[SIDE_A]->seq[0]++;

	if (!tap_active())
		return;

	tell_begin(call, invite);
	tell_parties(call, invite);
	tell_invite(call, seq);
}


void call_tell_dialled(const struct call *call, const struct leg_out *out)
{
	call_tell_party(call, TAP_CALLING, call->calling.e164);
	call_tell_party(call, TAP_CALLED, call_number(call));
	call_tell_party(call, TAP_CALLED, out->request_uri);
	if (call->redirected)
		call_tell_party(call, TAP_FORWARDING, call->called.e164);
}


/* --- what is said outside of calls */

void call_outside(const struct sip_msg *request, const struct sip_path *path,
		  int dir, const uint8_t *buf, size_t len, void *arg)
{
	const struct worker *w = arg;
	struct parties named;
	struct tap_event ev = {
		.kind = TAP_OUTSIDE,
		.leg = TAP_LEG_A,
		.dir = dir ? TAP_OUT : TAP_IN,
		.local = path->local,
		.peer = path->peer,
		.transport = path->transport,
		.wall_ns = w->now.wall_us * 1000,
		.parties = named.all,
		.dialog = request->callid.p,
		.dialog_len = request->callid.l,
		.is_register = message_is(request, "REGISTER"),
		.bytes = buf,
		.len = len,
	};

	if (!tap_active())
		return;

	names_of(&named, request);
	ev.party_n = named.n;
	tap_emit(&ev);
}


void call_tell_outside(struct worker *w, const struct sip_msg *request,
		       const struct sip_path *path)
{
	size_t len;
	const uint8_t *buf = endpoint_received(w->ep, &len);

	call_outside(request, path, 0, buf, len, w);
}


/* --- whose the messages are */

static void known_destructor(void *arg)
{
	const struct call_known *known = arg;
	struct tap_event ev = {.kind = TAP_CALL_GONE};

	if (!tap_active())
		return;

	memcpy(ev.call, known->call_id, sizeof(ev.call));
	tap_emit(&ev);
}


static void owner_destructor(void *arg)
{
	struct call_owner *owner = arg;

	mem_deref(owner->known);
}


static struct call_known *known_alloc(const struct call *call)
{
	struct call_known *known = mem_zalloc(sizeof(*known),
					      known_destructor);

	if (known)
		memcpy(known->call_id, call->id, sizeof(known->call_id));

	return known;
}


struct call_owner *call_own(struct call *call, enum side side)
{
	struct call_owner *owner;

	if (!call->known)
		call->known = known_alloc(call);
	if (!call->known)
		return NULL;

	owner = mem_zalloc(sizeof(*owner), owner_destructor);
	if (!owner)
		return NULL;

	owner->known = mem_ref(call->known);
	memcpy(owner->call_id, call->id, sizeof(owner->call_id));
	owner->leg = side == SIDE_A ? TAP_LEG_A : TAP_LEG_B;
	owner->attempt = side == SIDE_B ? call->attempt_n : 0;
	mem_deref(call->owner[side]);
	call->owner[side] = owner;

	return owner;
}
