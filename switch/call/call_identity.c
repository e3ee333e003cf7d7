/**
 * @file call_identity.c  What a peer is told of who calls and who forwarded,
 * in the headers and the form that it wants; and what it must not be told.
 */
#include <string.h>
#include "call_private.h"
#include "hide.h"
#include "identity.h"
#include "text.h"


static void apply(const struct number_rules *own, const struct rule_set *rules,
		  const char *number, char *buf, size_t size)
{
	if (rule_apply(own ? &own->rules : rules, number, buf, size))
		(void)text_copy(buf, size, number);
}


void call_number_out(const struct number_policy *p,
		     const struct rule_set *rules, enum rule_subject subject,
		     const char *number, char *buf, size_t size)
{
	apply(p->rules[RULES_OUT][subject], rules, number, buf, size);
}


int call_name(const struct call *call, const struct number_policy *p,
	      enum rule_direction direction, const char *name,
	      const char *number, char ret[NAME_BYTES])
{
	static const struct name_rules none;
	const struct number_rules *own = p->rules[direction][RULE_NAME];
	const struct name_bearer who = {name, call->calling.e164, number};

	return name_rule_apply(own ? &own->name_rules : &none, &who, ret);
}


/* Who forwarded stays unknown where the caller's number must: they may be
   one and the same. */
static void set_diversions(const struct call *call, struct leg_out *out,
			   const struct number_policy *p,
			   const struct rule_set *rules, bool is_hidden)
{
	/* what we forwarded is said in one of the two ways at least */
	out->sends_history = p->sends_history;
	out->sends_diversion = p->sends_diversion ||
			       (call->forward_n && !p->sends_history);
	for (uint8_t i = 0; i < call->diversion_n; i++) {
		struct diversion *d = &out->diversions[i];

		*d = call->diversions[i];
		call_number_out(p, rules, RULE_DIVERSION,
				call->diversions[i].number, d->number,
				sizeof(d->number));
		d->is_private = d->is_private || is_hidden;
	}
	out->diversion_n = call->diversion_n;
}


/* Numbers that only a trusted peer gets when the caller is private
   (RFC 3325 7), and any peer that wants them otherwise. */
static void set_asserted(const struct call *call, struct leg_out *out,
			 const struct number_policy *p, bool is_trusted)
{
	const struct number_rules *own = p->rules[RULES_OUT][RULE_IDENTITY];
	char number[64];

	TEXT_FILL(number, call->calling.sent);
	if (own)
		apply(own, NULL, call->calling.e164, number, sizeof(number));
	if (is_trusted)
		TEXT_FILL(out->pai, number);
	if (call->is_private && !is_trusted)
		return;
	if (p->sends_ppi)
		TEXT_FILL(out->ppi, number);
	if (p->sends_rpid)
		TEXT_FILL(out->rpid, number);
}


/*
 * An anonymous caller's number goes only to a peer that is trusted with
 * P-Asserted-Identity and then with Privacy: id (RFC 3325 7); to all others
 * the number is in no header.
 */
void call_identity(const struct call *call, struct leg_out *out,
		   const struct number_policy *p,
		   const struct rule_set *rules, bool is_trusted)
{
	const bool is_hidden = call->is_private && !is_trusted;
	const char *number = call->calling.sent;

	set_asserted(call, out, p, is_trusted);
	set_diversions(call, out, p, rules, is_hidden);
	out->is_tel = p->is_tel;
	if (p->domain[0]) {
		TEXT_FILL(out->from_host, p->domain);
		TEXT_FILL(out->identity_host, p->domain);
	}

	if (!call->is_private) {
		(void)call_name(call, p, RULES_OUT, call->display, number,
				out->from_display);
		TEXT_FILL(out->from_user, number[0] ? number : "anonymous");
		return;
	}

	out->is_private = true;
	out->is_critical = (call->privacy & PRIVACY_CRITICAL) != 0;
	TEXT_FILL(out->from_display, "Anonymous");
	TEXT_FILL(out->from_user, "anonymous");
	TEXT_FILL(out->from_host, "anonymous.invalid");
	if (is_hidden)
		hide_private(out->headers);
}
