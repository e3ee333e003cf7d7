/** @file decision_answer.c  See decision_answer.h. */
#include "json.h"
#include <string.h>
#include "decision_answer.h"
#include "text.h"

#define DEPTH_MAX 16
#define REFUSE_DEFAULT 403

static const char *const actions[] = {
	[DECISION_NONE] = "", [DECISION_CONTINUE] = "continue",
	[DECISION_FORWARD] = "forward", [DECISION_REFUSE] = "refuse",
};


const char *decision_action_name(uint8_t action)
{
	return action < ARRAY_SIZE(actions) ? actions[action] : "";
}


/* It may hold what somebody else has written */
void decision_answer_fail(struct decision_answer *ret, const char *trouble)
{
	ret->action = DECISION_NONE;
	TEXT_FILL(ret->trouble, trouble);
	for (char *p = ret->trouble; *p; p++)
		if ((unsigned char)*p < ' ' || (unsigned char)*p > '~')
			*p = '?';
}


/* A parser recurses: brackets are counted first, also those of texts. */
static bool is_shallow(const char *body, size_t len)
{
	unsigned depth = 0;

	for (size_t i = 0; i < len; i++) {
		if (body[i] == '{' || body[i] == '[')
			depth++;
	}

	return depth <= DEPTH_MAX;
}


/* @return NULL, or what is wrong; an absent member leaves buf "" */
static const char *text_read(char *buf, size_t size, const json_t *body,
			     const char *name, const char *wrong)
{
	const json_t *value = json_object_get(body, name);

	if (!value || json_is_null(value))
		return NULL;
	if (!json_is_string(value) || !json_string_length(value) ||
	    text_copy(buf, size, json_string_value(value)))
		return wrong;

	return NULL;
}


static const char *forward_read(struct decision_answer *ret,
				const json_t *body)
{
	const char *wrong;

	wrong = text_read(ret->to_number, sizeof(ret->to_number), body,
			  "to_number", "to_number is no E.164 number");
	if (!wrong)
		wrong = text_read(ret->to_trunk_id, sizeof(ret->to_trunk_id),
				  body, "to_trunk_id",
				  "to_trunk_id is no trunk's id");
	if (wrong)
		return wrong;
	if (!ret->to_number[0] == !ret->to_trunk_id[0])
		return "forward needs to_number or to_trunk_id";
	if (ret->to_number[0] && !number_is_e164(ret->to_number))
		return "to_number is no E.164 number";

	return NULL;
}


/* RFC 3261 25.1: Reason-Phrase; of it what is printable ASCII. */
static bool is_phrase(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;

	return true;
}


static const char *refuse_read(struct decision_answer *ret,
			       const json_t *body)
{
	const json_t *code = json_object_get(body, "sip_code");
	const json_int_t n = code ? json_integer_value(code) : REFUSE_DEFAULT;
	const char *wrong;

	/* a challenge (401, 407) would need more than its code */
	if (n < 400 || n > 699 || n == 401 || n == 407)
		return "sip_code is not 400 to 699, or it is a challenge";

	wrong = text_read(ret->reason, sizeof(ret->reason), body, "reason",
			  "reason is no text of 1 to 63 characters");
	if (wrong)
		return wrong;
	if (!is_phrase(ret->reason))
		return "reason is not printable ASCII";

	ret->sip_code = (uint16_t)n;

	return NULL;
}


static const char *object_read(struct decision_answer *ret,
			       const json_t *body)
{
	const char *action = json_string_value(json_object_get(body,
							       "action"));

	if (!json_is_object(body))
		return "it is no JSON object";
	if (!action)
		return "it has no action";

	for (uint8_t i = DECISION_CONTINUE; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(action, actions[i]))
			ret->action = i;

	switch (ret->action) {

	case DECISION_CONTINUE:
		return NULL;
	case DECISION_FORWARD:
		return forward_read(ret, body);
	case DECISION_REFUSE:
		return refuse_read(ret, body);
	default:
		return "action is not continue, forward or refuse";
	}
}


void decision_answer_read(struct decision_answer *ret, const char *body,
			  size_t len)
{
	const char *wrong;
	json_t *json;

	ret->action = DECISION_NONE;
	if (!len) {
		ret->action = DECISION_CONTINUE;
		return;
	}
	if (len > DECISION_ANSWER_MAX || !is_shallow(body, len)) {
		decision_answer_fail(ret, "it is too large or too deep");
		return;
	}

	json = json_loadb(body, len, JSON_REJECT_DUPLICATES, NULL);
	wrong = json ? object_read(ret, json) : "it is no JSON object";
	if (wrong)
		decision_answer_fail(ret, wrong);
	json_decref(json);
}
