/**
 * @file outcome.c  The outcome table and the way into it from SIP.
 */
#include <assert.h>
#include <string.h>
#include "outcome.h"

#define X(o, text, scode, reason, cause, next, todo)                          \
	[o] = {                                                               \
		.name = #o,                                                   \
		.code = (text),                                               \
		.sip = (scode),                                               \
		.phrase = (reason),                                           \
		.q850 = (cause),                                              \
		.may_try_next = (next),                                       \
		.hint = (todo),                                               \
	},
static const struct outcome_row rows[OUTCOME_N] = {OUTCOMES(X)};
#undef X


const struct outcome_row *outcome_row(enum outcome o)
{
	assert(o < OUTCOME_N);

	return &rows[o];
}


enum outcome outcome_from_code(const char *code)
{
	unsigned o;

	for (o = 0; code && o < OUTCOME_N; o++) {
		if (!strcmp(rows[o].code, code))
			return (enum outcome)o;
	}

	return OUTCOME_N;
}


enum outcome outcome_from_sip(uint16_t scode)
{
	switch (scode) {

	case 0:
		return OUT_B_SILENT;
	case 401:
	case 407:
		return OUT_B_AUTH;
	case 403:
		return OUT_B_FORBIDDEN;
	case 404:
		return OUT_B_NOT_FOUND;
	case 410:
		return OUT_B_GONE;
	case 415:
	case 488:
	case 606:
		return OUT_B_REFUSED_MEDIA;
	case 408: /* somebody beyond the carrier said so: it is not silent */
	case 480:
	case 487:
		return OUT_B_UNAVAILABLE;
	case 484:
		return OUT_B_INCOMPLETE;
	case 486:
		return OUT_B_BUSY;
	case 503:
		return OUT_B_CONGESTED;
	case 600:
		return OUT_B_BUSY_EVERYWHERE;
	case 603:
	case 607: /* Unwanted, RFC 8197 */
	case 608: /* Rejected, RFC 8688 */
		return OUT_B_DECLINED;
	case 604:
		return OUT_B_NOT_EXIST;
	default:
		break;
	}

	switch (scode / 100) {

	case 3:
		return OUT_B_REDIRECT;
	case 4:
	case 6:
		return OUT_B_REJECTED;
	default:
		return OUT_B_ERROR; /* 5xx, and what is no final answer */
	}
}
