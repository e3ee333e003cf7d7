/**
 * @file call_tap.c  What every call tells whoever listens (tap.h): that it
 * begins, is answered and ends, who takes part, and whose its messages are.
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


static void tell_party(const struct call *call, enum tap_role role,
		       const char *text, size_t len)
{
	struct tap_event ev = {
		.kind = TAP_CALL_PARTY,
		.wall_ns = call->w->now.wall_us * 1000,
		.role = role,
		.party = text,
		.party_len = len,
	};

	if (!len || call->is_test || !tap_active())
		return;

	memcpy(ev.call, call->id, sizeof(ev.call));
	tap_emit(&ev);
}


void call_tell_party(const struct call *call, enum tap_role role,
		     const char *text)
{
	tell_party(call, role, text, strlen(text));
}


static void tell_asserted(const struct call *call, const struct sip_msg *msg,
			  const char *header)
{
	struct message_values values;
	struct sip_addr addr;
	struct pl value;

	message_values_init(&values, msg, header);
	for (int n = 0; n < ASSERTED_MAX &&
			message_values_next(&values, &value); n++) {
		if (!sip_addr_decode(&addr, &value))
			tell_party(call, TAP_CALLING, addr.auri.p,
				   addr.auri.l);
	}
}


void call_tell_parties(const struct call *call, const struct sip_msg *invite)
{
	if (!tap_active())
		return;

	call_tell_party(call, TAP_CALLING, call->calling.e164);
	tell_party(call, TAP_CALLING, invite->from.auri.p,
		   invite->from.auri.l);
	tell_asserted(call, invite, "P-Asserted-Identity");
	tell_asserted(call, invite, "P-Preferred-Identity");
	call_tell_party(call, TAP_CALLED, call->called.e164);
	tell_party(call, TAP_CALLED, invite->ruri.p, invite->ruri.l);
	tell_party(call, TAP_CALLED, invite->to.auri.p, invite->to.auri.l);
	for (uint8_t i = 0; i < call->diversion_n; i++)
		call_tell_party(call, TAP_FORWARDING,
				call->diversions[i].number);
}


void call_tell_dialled(const struct call *call, const struct leg_out *out)
{
	call_tell_party(call, TAP_CALLING, call->calling.e164);
	call_tell_party(call, TAP_CALLED, call_number(call));
	call_tell_party(call, TAP_CALLED, out->request_uri);
	if (call->redirected)
		call_tell_party(call, TAP_FORWARDING, call->called.e164);
}


/* The INVITE came before there was a call to own it. */
void call_tell_invite(struct call *call, const struct sip_msg *invite)
{
	struct tap_event ev = {
		.kind = TAP_SIP,
		.leg = TAP_LEG_A,
		.dir = TAP_IN,
		.local = call->a_path.local,
		.peer = call->a_path.peer,
		.transport = call->a_path.transport,
		.wall_ns = call->w->now.wall_us * 1000,
		.seq = call->owner[SIDE_A]->seq[0]++,
		.bytes = invite->mb->buf,
		.len = invite->mb->end,
	};

	if (!tap_active())
		return;

	memcpy(ev.call, call->id, sizeof(ev.call));
	tap_emit(&ev);
}


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
