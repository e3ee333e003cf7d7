/**
 * @file call_calling.c  Who is said to call: read from the headers that the
 * peer is believed in, then screened by the trunk's policy (RFC 3325 for who
 * is trusted). Who forwarded before is read here as well.
 */
#include <string.h>
#include "call_private.h"
#include "identity.h"
#include "message.h"
#include "text.h"


static int read_source(const struct call *call, const struct sip_msg *msg,
		       uint8_t source, char *buf, size_t size)
{
	static const enum identity_header headers[] = {
		[SOURCE_FROM] = IDENTITY_HEADER_FROM,
		[SOURCE_PAI] = IDENTITY_HEADER_PAI,
		[SOURCE_PPI] = IDENTITY_HEADER_PPI,
		[SOURCE_RPID] = IDENTITY_HEADER_RPID,
	};
	struct identity id;

	if (source == SOURCE_DIVERSION)
		return call->diversion_n
			       ? text_copy(buf, size,
					   call->diversions[0].number)
			       : ENOENT;

	return identity_read(&id, msg, headers[source])
		       ? ENOENT
		       : text_copy(buf, size, id.number);
}


/* The peer's own order; else PAI from those we trust, then From. */
static uint8_t sources_of(const struct call *call, uint8_t order[SOURCE_N])
{
	const struct number_policy *p = call_policy(call);
	uint8_t n = 0;

	if (p->source_n) {
		memcpy(order, p->sources, p->source_n);
		return p->source_n;
	}

	if (call->gateway || call->trunk->is_trusted)
		order[n++] = SOURCE_PAI;
	order[n++] = SOURCE_FROM;

	return n;
}


/* @return the source that gave a number, SOURCE_N: none did */
static uint8_t read_number(const struct call *call, const struct sip_msg *msg,
			   struct party *p)
{
	uint8_t order[SOURCE_N];
	const uint8_t n = sources_of(call, order);

	for (uint8_t i = 0; i < n; i++) {
		if (!read_source(call, msg, order[i], p->received,
				 sizeof(p->received)) &&
		    (i + 1 == n || number_is_dialable(p->received)))
			return order[i];
	}

	p->received[0] = '\0';

	return SOURCE_N;
}


/* What is no number by the peer's rules is forgotten. */
static void read_diversions(struct call *call, const struct sip_msg *msg)
{
	struct diversion list[DIVERSIONS_MAX];
	const size_t n = diversion_read(list, msg);
	char e164[E164_SIZE];

	call->diverted_n = (uint8_t)n;
	for (size_t i = 0; i < n; i++) {
		if (call_normalise(call, RULE_DIVERSION, list[i].number, e164))
			continue;
		TEXT_FILL(list[i].number, e164);
		call->diversions[call->diversion_n++] = list[i];
	}
}


/* After the number, which its rules may show or ask for. */
static void read_name(struct call *call, const struct sip_msg *msg)
{
	const struct number_policy *p = call_policy(call);
	const struct party *calling = &call->calling;
	char name[NAME_BYTES];
	int rule;

	(void)message_unquote(name, sizeof(name), &msg->from.dname);
	rule = call_name(call, p, RULES_IN, name,
			 calling->e164[0] ? calling->e164 : calling->received,
			 call->display);
	if (rule >= 0)
		WHY(call->why, WHY_NUMBER, OUT_OK,
		    p->rules[RULES_IN][RULE_NAME]->id,
		    WHY_TEXT("which", "name"), WHY_TEXT("received", name),
		    WHY_TEXT("name", call->display), WHY_COUNT("rule", rule));
}


void call_read_calling(struct call *call, const struct sip_msg *msg)
{
	static const char *const names[] = {
		[SOURCE_FROM] = "from", [SOURCE_PAI] = "pai",
		[SOURCE_PPI] = "ppi", [SOURCE_RPID] = "rpid",
		[SOURCE_DIVERSION] = "diversion", [SOURCE_N] = "",
	};
	struct party *p = &call->calling;
	enum rule_subject subject = RULE_CALLING;
	uint8_t source;
	int err;

	call->privacy = (uint8_t)privacy_read(msg);
	call->is_private = privacy_hides_number(call->privacy);
	read_diversions(call, msg);

	source = read_number(call, msg, p);
	if (source != SOURCE_FROM &&
	    call_policy(call)->rules[RULES_IN][RULE_IDENTITY])
		subject = RULE_IDENTITY;
	err = call_normalise(call, subject, p->received, p->e164);

	WHY(call->why, WHY_NUMBER, err ? OUT_NONE : OUT_OK, NULL,
	    WHY_TEXT("which", "calling"), WHY_TEXT("source", names[source]),
	    WHY_TEXT("received", p->received), WHY_TEXT("e164", p->e164),
	    WHY_COUNT("private", call->is_private));
	read_name(call, msg);
	call_place(call, p);
}


/* --- screening */

/* @return the row by which the customer may use its number; NULL: none */
static const char *owned_by(struct call *call)
{
	const int64_t now_ms = moment_wall_ms(&call->w->now);
	const char *e164 = call->calling.e164;
	const struct did *did = catalog_did(call->cat, e164);
	const struct cli_grant *grant;

	if (did && did_is_in_service(did, now_ms) &&
	    did->trunk->tenant == call->trunk->tenant) {
		if (did->cnam[0])
			TEXT_FILL(call->display, did->cnam);
		return did->id;
	}

	grant = e164[0] ? catalog_grant(call->cat, call->trunk, e164, now_ms)
			: NULL;

	return grant ? grant->id : NULL;
}


static enum outcome screened(struct call *call, enum outcome out,
			     const char *id, const char *action)
{
	static const char *const policies[] = {
		[CLI_OWNED] = "owned", [CLI_DEFAULT] = "default",
		[CLI_PASS] = "pass", [CLI_REJECT] = "reject",
		[CLI_MARK] = "mark",
	};

	TEXT_FILL(call->calling_action, action);
	WHY(call->why, WHY_CALLER, out, id, WHY_TEXT("action", action),
	    WHY_TEXT("policy", policies[call->trunk->cli_policy]),
	    WHY_TEXT("number", call->calling.e164));

	return out;
}


static enum outcome replace(struct call *call)
{
	const struct trunk *trunk = call->trunk;

	if (trunk->cli_policy != CLI_REJECT && trunk->default_cli[0]) {
		TEXT_FILL(call->calling.e164, trunk->default_cli);
		call_place(call, &call->calling);
		return screened(call, OUT_OK, NULL, "replace");
	}

	return screened(call, OUT_BAD_CALLER, NULL, "reject");
}


static enum outcome screen(struct call *call)
{
	const uint8_t policy = call->trunk ? call->trunk->cli_policy
					   : CLI_PASS;
	const bool has_number = call->calling.e164[0];
	const char *id;

	if (policy == CLI_DEFAULT)
		return replace(call);

	id = owned_by(call);
	if (id || (has_number && policy == CLI_PASS))
		return screened(call, OUT_OK, id, "pass");
	if (has_number && policy == CLI_MARK)
		return screened(call, OUT_OK, NULL, "mark");

	return replace(call);
}


enum outcome call_calling(struct call *call)
{
	enum outcome out;

	if (!call->trunk)
		return OUT_OK;
	if (call->is_emergency) {
		/* never refused for its number */
		call_emergency_calling(call);
		return OUT_OK;
	}

	out = screen(call);
	if (out != OUT_OK || !call->calling.e164[0])
		return out;

	return call_number_check(call, call->trunk->calling_check, "calling",
				 call->calling.e164, OUT_INVALID_CALLER);
}
