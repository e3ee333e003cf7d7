/**
 * @file call_numbers.c  What a number of the INVITE means: the rules of the
 * peer (data) make E.164 of what was said, the numbering plan says where it
 * belongs. Who calls is in call_calling.c.
 */
#include <string.h>
#include "call_private.h"
#include "message.h"
#include "text.h"


const struct number_policy *call_policy(const struct call *call)
{
	return call->trunk ? &call->trunk->numbers : &call->gateway->numbers;
}


static const struct rule_set *rules_in(const struct call *call,
				       enum rule_subject subject)
{
	const struct number_rules *own =
		call_policy(call)->rules[RULES_IN][subject];

	if (own)
		return &own->rules;

	return call->trunk ? &call->trunk->number_in
			   : &call->gateway->number_in;
}


int call_normalise(const struct call *call, enum rule_subject subject,
		   const char *received, char e164[E164_SIZE])
{
	char number[E164_SIZE];
	int err;

	if (!number_is_dialable(received))
		return EBADMSG;

	err = rule_apply(rules_in(call, subject), received, number,
			 sizeof(number));
	if (err)
		return err;
	if (!number_is_e164(number))
		return EBADMSG;

	(void)text_copy(e164, E164_SIZE, number);

	return 0;
}


void call_place(const struct call *call, struct party *party)
{
	const struct numbering *n = catalog_numbering(call->cat, party->e164);

	TEXT_FILL(party->country, n ? n->country : "");
	TEXT_FILL(party->network, n ? n->network : "");
	TEXT_FILL(party->type, n ? numbering_type_name(n->type) : "");
}


enum outcome call_number_check(const struct call *call, uint8_t check,
			       const char *which, const char *e164,
			       enum outcome refused)
{
	const struct numbering *n;
	enum outcome out = OUT_OK;

	if (check == CHECK_OFF)
		return OUT_OK;

	n = catalog_numbering(call->cat, e164);
	if (!n || (check == CHECK_LENGTH && !numbering_fits(n, e164)))
		out = refused;
	WHY(call->why, WHY_NUMBER, out, NULL, WHY_TEXT(which, e164),
	    WHY_TEXT("network", n ? n->network : ""),
	    WHY_COUNT("min_len", n ? n->min_len : 0),
	    WHY_COUNT("max_len", n ? n->max_len : 0));

	return out;
}


enum outcome call_dialled(const struct call *call)
{
	if (call->is_emergency)
		return OUT_OK;
	if (!call->called.e164[0])
		return OUT_BAD_NUMBER;

	return call_number_check(call, call->trunk ? call->trunk->number_check
						   : CHECK_OFF, "called",
				 call->called.e164, OUT_INVALID_NUMBER);
}


/* Request-URI, or To when the peer puts the number there. */
static void read_dialled(const struct call *call, const struct sip_msg *msg,
			 struct party *p)
{
	const bool is_in_to = call_policy(call)->called_in_to;
	const struct uri *uri = is_in_to ? &msg->to.uri : &msg->uri;

	/* a call for help is understood wherever the number stands */
	if (!message_service(&msg->ruri, p->received, sizeof(p->received)) ||
	    (is_in_to && !message_service(&msg->to.auri, p->received,
					  sizeof(p->received))))
		return;
	if (message_number(uri, p->received, sizeof(p->received)))
		p->received[0] = '\0';
}


/* A short code is not asked for what an emergency number is. */
static const struct short_code *find_short_code(const struct call *call)
{
	return call->trunk ? catalog_short_code(call->cat, call->trunk,
						call->called.received)
			   : NULL;
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
	const struct short_code *code;
	int err = 0;

	read_dialled(call, msg, p);
	/* a tech prefix stands before no emergency number either */
	if (call_emergency(call))
		return;

	drop_tech_prefix(call, p);
	if (call->tech_prefix_n && call_emergency(call))
		return;

	code = find_short_code(call);
	if (code)
		TEXT_FILL(p->e164, code->e164);
	else
		err = call_normalise(call, RULE_CALLED, p->received, p->e164);

	WHY(call->why, WHY_NUMBER, err ? OUT_BAD_NUMBER : OUT_OK,
	    code ? code->id : NULL, WHY_TEXT("which", "called"),
	    WHY_TEXT("received", p->received), WHY_TEXT("e164", p->e164));
}


void call_read_called(struct call *call, const struct sip_msg *invite)
{
	read_called(call, invite);
	call_place(call, &call->called);
}
