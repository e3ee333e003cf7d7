/**
 * @file call_tap.c  What every call tells whoever listens (tap.h): that it
 * begins, is answered and ends, who takes part, and whose its messages are;
 * and the messages of no call, with whom they name.
 */
#include <string.h>
#include "call_private.h"
#include "message.h"

#define ASSERTED_MAX 4 /* values of one header that are told */
#define AOR_SIZE (5 + 3 * USER_SIZE + REALM_SIZE) /* of an escaped user */


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


/* Of a digest user in its realm: as its PBX registers, where realm and domain
   are one. */
static void aor_write(char aor[AOR_SIZE], const char *user, const char *realm)
{
	struct pl name;

	pl_set_str(&name, user);
	if (re_snprintf(aor, AOR_SIZE, "sip:%H@%s", uri_user_escape, &name,
			realm) < 0)
		aor[0] = '\0';
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


static void tell_aor(const struct call *call, enum tap_role role,
		     const char *user, const char *realm)
{
	char aor[AOR_SIZE];

	if (!user[0])
		return;

	aor_write(aor, user, realm);
	call_tell_party(call, role, aor);
}


/* By its credentials, or by what is registered from its address. */
static void tell_user(const struct call *call, const struct credential *cred)
{
	struct contact found[CONTACTS_MAX];
	size_t n = 0;

	if (cred)
		tell_aor(call, TAP_CALLING, cred->username, cred->realm);
	else if (call->trunk)
		n = registrar_find(call->w->registrar, call->trunk->id, found,
				   CONTACTS_MAX);

	for (size_t i = 0; i < n; i++)
		if (sa_cmp(&found[i].path.peer, &call->a_path.peer, SA_ADDR))
			tell_aor(call, TAP_CALLING, found[i].username,
				 call->trunk->realm);
}


/* Whose number is called, where one user alone is registered: of several it is
   known when one is dialled. */
static void tell_called_user(const struct call *call)
{
	const struct did *did = catalog_did(call->cat, call->called.e164);
	struct contact found[CONTACTS_MAX];
	size_t n = 0;

	if (did)
		n = registrar_find(call->w->registrar, did->trunk->id, found,
				   CONTACTS_MAX);
	for (size_t i = 1; i < n; i++)
		if (strcmp(found[i].username, found[0].username) != 0)
			return;

	if (n)
		tell_aor(call, TAP_CALLED, found[0].username,
			 did->trunk->realm);
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


void call_tell_birth(struct call *call, const struct sip_msg *invite,
		     const struct gate_verdict *who)
{
	const uint64_t seq = call->owner[SIDE_A]->seq[0]++;

	if (!tap_active())
		return;

	tell_begin(call, invite);
	tell_parties(call, invite);
	tell_user(call, who->credential);
	tell_called_user(call);
	tell_invite(call, seq);
}


void call_tell_dialled(const struct call *call, const struct leg_out *out,
		       const struct target *t)
{
	call_tell_party(call, TAP_CALLING, call->calling.e164);
	call_tell_party(call, TAP_CALLED, call_number(call));
	call_tell_party(call, TAP_CALLED, out->request_uri);
	if (t)
		tell_aor(call, TAP_CALLED, t->username, call->to_trunk->realm);
	if (call->redirected)
		call_tell_party(call, TAP_FORWARDING, call->called.e164);
}


/* --- what is said outside of calls */

static void tell_outside(const struct worker *w, const struct sip_msg *request,
			 const struct sip_path *path, enum tap_dir dir,
			 const uint8_t *buf, size_t len, const char *aor)
{
	struct parties named;
	struct tap_event ev = {
		.kind = TAP_OUTSIDE,
		.leg = TAP_LEG_A,
		.dir = dir,
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
	struct pl user;

	names_of(&named, request);
	pl_set_str(&user, aor);
	name(&named, TAP_CALLING, &user);
	ev.party_n = named.n;
	tap_emit(&ev);
}


void call_outside(const struct sip_msg *request, const struct sip_path *path,
		  int dir, const uint8_t *buf, size_t len, void *arg)
{
	if (tap_active())
		tell_outside(arg, request, path, dir ? TAP_OUT : TAP_IN, buf,
			     len, "");
}


/* Who the credentials say they are of, right or wrong. */
void call_tell_outside(struct worker *w, const struct sip_msg *request,
		       const struct sip_path *path,
		       const struct gate_verdict *v)
{
	char user[USER_SIZE], aor[AOR_SIZE] = "";
	const uint8_t *buf;
	size_t len;

	if (!tap_active())
		return;

	if (v && v->realm &&
	    !digest_user(request, v->realm, false, user, sizeof(user)))
		aor_write(aor, user, v->realm->name);
	buf = endpoint_received(w->ep, &len);
	tell_outside(w, request, path, TAP_IN, buf, len, aor);
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
