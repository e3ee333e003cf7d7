/**
 * @file cdr.c  Tests of the table of fields.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <string.h>
#include "cdr.h"


Test(cdr, init_is_all_null)
{
	struct cdr cdr;
	size_t i;

	memset(&cdr, 0x5a, sizeof(cdr));
	cdr_init(&cdr);

	for (i = 0; i < CDR_FIELD_N; i++) {
		const struct cdr_field *f = &cdr_fields[i];
		const char *p = (const char *)&cdr + f->offset;
		int64_t v = 0;

		if (f->kind == CDR_NUMBER || f->kind == CDR_TIME) {
			memcpy(&v, p, sizeof(v));
			cr_expect(eq(i64, v, CDR_NULL), "%s", f->name);
		}
		else {
			cr_expect(zero(chr, *p), "%s", f->name);
		}
	}
}


Test(cdr, key_comes_first)
{
	cr_assert(eq(str, (char *)cdr_fields[0].name, "started_at"));
	cr_assert(eq(str, (char *)cdr_fields[1].name, "call_id"));
	cr_assert(eq(str, (char *)cdr_fields[2].name, "attempt"));
	cr_assert(eq(str, (char *)cdr_fields[CDR_FIELD_N - 1].name, "clock_stepped"));
}
