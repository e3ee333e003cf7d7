/**
 * @file call_numbers.c  Which number is called, and who may be said to call:
 * the rules of the peer (data) make E.164 of what was dialled; the trunk's
 * policy decides about the calling number (RFC 3325 for who is trusted).
 */
#include <string.h>
#include "call_private.h"
#include "message.h"
#include "text.h"


static const struct rule_set *rules_in(const struct call *call)
{
	return call->trunk ? &call->trunk->number_in
			   : &call->gateway->number_in;
}


/* received -> e164; ENOENT or EOVERFLOW when no rule makes a number of it */
static int normalise(const struct call *call, struct party *party)
{
	char number[E164_SIZE];
	int err;

	if (!number_is_dialable(party->received))
		return EBADMSG;

	err = rule_apply(rules_in(call), party->received, number,
			 sizeof(number));
	if (err)
		return err;
	if (!number_is_e164(number))
		return EBADMSG;

	TEXT_FILL(party->e164, number);

	return 0;
}


/* Country, network and type, for the record. */
static void set_place(const struct call *call, struct party *party)
{
	const struct numbering *n = catalog_numbering(call->cat, party->e164);

	TEXT_FILL(party->country, n ? n->country : "");
	TEXT_FILL(party->network, n ? n->network : "");
	TEXT_FILL(party->type, n ? numbering_type_name(n->type) : "");
}


/* Is it a number that can be, as far as the trunk wants to know? */
static enum outcome check_number(const struct call *call)
{
	const uint8_t check = call->trunk ? call->trunk->number_check
					  : CHECK_OFF;
	const struct numbering *n;
	enum outcome out = OUT_OK;

	if (check == CHECK_OFF)
		return OUT_OK;

	n = catalog_numbering(call->cat, call->called.e164);
	if (!n || (check == CHECK_LENGTH &&
		   !numbering_fits(n, call->called.e164)))
		out = OUT_INVALID_NUMBER;
	WHY(call->why, WHY_NUMBER, out, NULL,
	    WHY_TEXT("called", call->called.e164),
	    WHY_TEXT("network", n ? n->network : ""),
	    WHY_COUNT("min_len", n ? n->min_len : 0),
	    WHY_COUNT("max_len", n ? n->max_len : 0));

	return out;
}


enum outcome call_dialled(const struct call *call)
{
	if (call->is_emergency)
		return OUT_OK;

	return call->called.e164[0] ? check_number(call) : OUT_BAD_NUMBER;
}


/* A header of the form of From: user part into buf. */
static int user_of(const struct pl *value, char *buf, size_t size)
{
	struct sip_addr addr;

	if (!value->l || sip_addr_decode(&addr, value))
		return ENOENT;

	return message_number(&addr.uri, buf, size);
}


static bool is_anonymous(const struct sip_msg *msg)
{
	static const char *const levels[] = {"id", "user", "header",
					     "critical"}; /* RFC 3323 4.2 */
	const struct pl privacy = message_header(msg, "Privacy");

	for (size_t i = 0; privacy.l && i < ARRAY_SIZE(levels); i++)
		if (!re_regex(privacy.p, privacy.l, levels[i]))
			return true;

	return 0 == pl_strcasecmp(&msg->from.uri.host, "anonymous.invalid");
}


/* The number the peer asserts: PAI from those we trust, else From. */
static void read_calling(struct call *call, const struct sip_msg *msg)
{
	const bool is_trusted = call->gateway ||
				(call->trunk && call->trunk->is_trusted);
	const struct pl pai = message_header(msg, "P-Asserted-Identity");
	struct party *p = &call->calling;

	call->is_private = is_anonymous(msg);
	(void)text_set(call->display, sizeof(call->display),
		       msg->from.dname.p ? msg->from.dname.p : "",
		       msg->from.dname.l);

	if (!is_trusted || user_of(&pai, p->received, sizeof(p->received)))
		(void)message_number(&msg->from.uri, p->received,
				     sizeof(p->received));

	WHY(call->why, WHY_NUMBER, normalise(call, p) ? OUT_NONE : OUT_OK,
	    NULL, WHY_TEXT("which", "calling"),
	    WHY_TEXT("received", p->received), WHY_TEXT("e164", p->e164),
	    WHY_COUNT("private", call->is_private));
}


/* It said whose call this is (gate.h) and is not part of the number. */
static void drop_tech_prefix(const struct call *call, struct party *p)
{
	const size_t len = strlen(p->received);
	const size_t n = MIN(call->tech_prefix_n, len);

	memmove(p->received, p->received + n, len - n + 1);
}


static void read_called(struct call *call, const struct sip_msg *msg)
{
	struct party *p = &call->called;

	if (message_number(&msg->uri, p->received, sizeof(p->received)))
		p->received[0] = '\0';
	/* a tech prefix stands before no emergency number either */
	if (call_emergency(call))
		return;

	drop_tech_prefix(call, p);
	if (!call->tech_prefix_n || !call_emergency(call))
		WHY(call->why, WHY_NUMBER,
		    normalise(call, p) ? OUT_BAD_NUMBER : OUT_OK, NULL,
		    WHY_TEXT("which", "called"),
		    WHY_TEXT("received", p->received),
		    WHY_TEXT("e164", p->e164));
}


void call_numbers(struct call *call, const struct sip_msg *invite)
{
	read_called(call, invite);
	read_calling(call, invite);
	set_place(call, &call->called);
	set_place(call, &call->calling);
}


static bool is_owned(const struct call *call)
{
	const struct did *did = catalog_did(call->cat, call->calling.e164);

	return did &&
	       did_is_in_service(did, moment_wall_ms(&call->w->now)) &&
	       did->trunk->tenant == call->trunk->tenant;
}


static enum outcome note_caller(struct call *call, enum outcome out,
				const char *action)
{
	static const char *const policies[] = {
		[CLI_OWNED] = "owned", [CLI_DEFAULT] = "default",
		[CLI_PASS] = "pass",
	};

	WHY(call->why, WHY_CALLER, out, NULL, WHY_TEXT("action", action),
	    WHY_TEXT("policy", policies[call->trunk->cli_policy]),
	    WHY_TEXT("number", call->calling.e164));

	return out;
}


enum outcome call_calling(struct call *call)
{
	const struct trunk *trunk = call->trunk;
	char *e164 = call->calling.e164;

	if (!trunk)
		return OUT_OK;
	if (call->is_emergency) {
		/* never refused for its number */
		call_emergency_calling(call);
		return OUT_OK;
	}

	if (trunk->cli_policy == CLI_PASS && e164[0])
		return note_caller(call, OUT_OK, "passed");
	if (trunk->cli_policy == CLI_OWNED && e164[0] && is_owned(call))
		return note_caller(call, OUT_OK, "passed");

	if (trunk->default_cli[0]) {
		TEXT_FILL(call->calling.e164, trunk->default_cli);
		set_place(call, &call->calling);
		return note_caller(call, OUT_OK, "replaced");
	}

	return note_caller(call, OUT_BAD_CALLER, "refused");
}
