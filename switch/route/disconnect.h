/**
 * @file disconnect.h  A carrier refused: is it the last word, or may the next
 * one be tried, and what does the caller hear? The carrier's policy decides
 * by the Q.850 cause of the Reason header first (RFC 3326: it tells more than
 * the SIP code that a gateway made of it, RFC 3398 8.2.6.1), then by the SIP
 * code; what no rule names is decided by the table of outcomes.
 */
#ifndef DISCONNECT_H
#define DISCONNECT_H
#include "catalog.h"
#include "outcome.h"

struct disconnect {
	enum outcome outcome;
	bool is_next;
	/** The rule that decided, as long as the catalog; NULL: built in */
	const struct disconnect_rule *rule;
};

/**
 * @param policy  NULL: what is built in
 * @param scode   300..699; 0: no answer came
 * @param err     of the wire when no answer came; ETIMEDOUT: silence
 * @param q850    of the answer's Reason header; 0: none
 * Pure.
 */
void disconnect_decide(struct disconnect *ret,
		       const struct disconnect_policy *policy, uint16_t scode,
		       int err, uint8_t q850);

#endif
