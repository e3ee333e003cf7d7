/**
 * @file cdr.c  The fields of a record as a table, and an empty record.
 */
#include <string.h>
#include "cdr.h"

#define FIELD(f, kind_) \
	{ \
		.name = #f, .kind = (kind_), \
		.offset = offsetof(struct cdr, f), \
		.size = sizeof(((struct cdr *)0)->f), \
	},
#define S(f, n) FIELD(f, CDR_TEXT)
#define N(f) FIELD(f, CDR_NUMBER)
#define T(f) FIELD(f, CDR_TIME)
#define B(f) FIELD(f, CDR_FLAG)
#define U(f) FIELD(f, CDR_UUID)

const struct cdr_field cdr_fields[CDR_FIELD_N] = {
	CDR_FIELDS(S, N, T, B, U)
};

#undef S
#undef N
#undef T
#undef B
#undef U


void cdr_init(struct cdr *cdr)
{
	memset(cdr, 0, sizeof(*cdr));

#define NOTHING(...)
#define SET_NULL(f) cdr->f = CDR_NULL;
	CDR_FIELDS(NOTHING, SET_NULL, SET_NULL, NOTHING, NOTHING)
#undef NOTHING
#undef SET_NULL
}
