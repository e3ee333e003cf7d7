/**
 * @file decision_answer.h  What a decision URL answered: read from the body
 * of its HTTP answer, a JSON object such as
 *
 *	{"action": "forward", "to_number": "+493012345"}
 *	{"action": "forward", "to_trunk_id": "trk_..."}
 *	{"action": "refuse", "sip_code": 486, "reason": "Busy Here"}
 *	{"action": "continue"}
 *
 * Further members are passed over. A value that crosses threads.
 */
#ifndef DECISION_ANSWER_H
#define DECISION_ANSWER_H
#include "catalog.h"

#define DECISION_ANSWER_MAX 8192 /**< bytes of a body                    */
#define DECISION_REASON_SIZE 64

enum decision_action {
	DECISION_NONE,       /**< no answer of use: trouble says why       */
	DECISION_CONTINUE,   /**< as if nobody had been asked              */
	DECISION_FORWARD,
	DECISION_REFUSE,
};

struct decision_answer {
	uint8_t call_id[16];
	uint64_t ticket;     /**< of the question                          */
	uint8_t action;      /**< enum decision_action                     */
	char to_number[E164_SIZE];    /**< "": to_trunk_id                 */
	char to_trunk_id[ID_SIZE];
	uint16_t sip_code;   /**< of a refusal: 400..699                   */
	char reason[DECISION_REASON_SIZE]; /**< its phrase, or ""          */
	uint16_t http_status; /**< 0: none came                            */
	char trouble[96];    /**< printable ASCII                          */
};

/** No answer of use, and why. */
void decision_answer_fail(struct decision_answer *ret, const char *trouble);

/**
 * Fill action and what belongs to it, or the trouble. An empty body says
 * continue. Pure; any thread.
 */
void decision_answer_read(struct decision_answer *ret, const char *body,
			  size_t len);

/** "forward"; of DECISION_NONE "". */
const char *decision_action_name(uint8_t action);

#endif
