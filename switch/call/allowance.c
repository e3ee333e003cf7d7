/** @file allowance.c  See allowance.h. */
#include "allowance.h"


bool allowance_take(struct allowance *a, uint64_t now_ms, uint32_t per_s,
		    uint32_t burst)
{
	const uint64_t more = (now_ms - a->at_ms) * per_s / 1000;

	if (!a->is_begun) {
		a->is_begun = true;
		a->left = burst;
		a->at_ms = now_ms;
	}
	else if (more) {
		a->left = a->left + more > burst ? burst : a->left + more;
		a->at_ms = now_ms;
	}
	if (!a->left)
		return false;

	--a->left;

	return true;
}
