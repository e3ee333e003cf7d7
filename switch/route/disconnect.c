/** @file disconnect.c  See disconnect.h. */
#include <errno.h>
#include <stdlib.h>
#include "disconnect.h"


static int compare(const void *key, const void *entry)
{
	const struct disconnect_rule *x = key, *y = entry;

	if (x->is_q850 != y->is_q850)
		return x->is_q850 ? 1 : -1;

	return (int)x->code - (int)y->code;
}


static const struct disconnect_rule *find(const struct disconnect_policy *p,
					  bool is_q850, uint16_t code)
{
	const struct disconnect_rule key = {.code = code, .is_q850 = is_q850};

	return p && p->rule_n && code
		       ? bsearch(&key, p->rules, p->rule_n, sizeof(key),
				 compare)
		       : NULL;
}


/* Causes by which the called party itself is known to be the reason: every
   other carrier would only make its telephone ring once more. */
static enum outcome of_called(uint8_t q850)
{
	switch (q850) {

	case 1:
		return OUT_B_NOT_FOUND;
	case 17:
		return OUT_B_BUSY;
	case 21:
		return OUT_B_DECLINED;
	case 28:
		return OUT_B_INCOMPLETE;
	default:
		return OUT_NONE;
	}
}


void disconnect_decide(struct disconnect *ret,
		       const struct disconnect_policy *policy, uint16_t scode,
		       int err, uint8_t q850)
{
	enum outcome out = outcome_from_sip(scode);

	if (!scode && err != ETIMEDOUT)
		out = OUT_B_ERROR; /* the wire, or an answer of no use */
	if (outcome_row(out)->may_try_next && of_called(q850))
		out = of_called(q850);

	ret->outcome = out;
	ret->rule = find(policy, true, q850);
	if (!ret->rule)
		ret->rule = find(policy, false, scode);
	ret->is_next = ret->rule ? ret->rule->is_next
				 : outcome_row(out)->may_try_next;
}
