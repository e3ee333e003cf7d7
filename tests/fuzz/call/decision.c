/** @file decision.c  Any answer of a decision URL: it is read or it is not, and
 *  what was read can go into a SIP message and a catalog lookup as it is. */
#include <assert.h>
#include <string.h>
#include "decision_answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void check_text(const char *text, size_t room)
{
	assert(memchr(text, '\0', room));
	for (; *text; text++)
		assert(*text >= ' ' && *text <= '~');
}


static void check(const struct decision_answer *a)
{
	switch (a->action) {

	case DECISION_NONE:
		check_text(a->trouble, sizeof(a->trouble));
		assert(a->trouble[0]);
		break;
	case DECISION_FORWARD:
		assert(!a->to_number[0] != !a->to_trunk_id[0]);
		assert(!a->to_number[0] || number_is_e164(a->to_number));
		assert(memchr(a->to_trunk_id, '\0', sizeof(a->to_trunk_id)));
		break;
	case DECISION_REFUSE:
		assert(a->sip_code >= 400 && a->sip_code <= 699);
		assert(a->sip_code != 401 && a->sip_code != 407);
		check_text(a->reason, sizeof(a->reason));
		break;
	default:
		assert(a->action == DECISION_CONTINUE);
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decision_answer answer = {.ticket = 7};

	decision_answer_read(&answer, (const char *)data, size);
	assert(answer.ticket == 7);
	check(&answer);

	return 0;
}
