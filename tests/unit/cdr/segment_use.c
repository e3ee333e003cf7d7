/**
 * @file segment_use.c  Tests of which segments are still needed.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <re.h>
#include "example.h"
#include "segment_use.h"


Test(segment_use, oldest_open_call)
{
	struct segment_use *u = NULL;
	uint8_t id[16];
	uint32_t n;

	cr_assert(zero(int, segment_use_alloc(&u)));
	cr_expect(eq(u32, segment_use_oldest(u), UINT32_MAX));

	for (n = 0; n < 100; n++) {
		example_call_id(id, n);
		cr_assert(zero(int, segment_use_begin(u, id, 5 + n / 10)));
	}
	/* told twice: still where it began */
	example_call_id(id, 0);
	cr_assert(zero(int, segment_use_begin(u, id, 50)));
	cr_expect(eq(sz, segment_use_count(u), 100));
	cr_expect(eq(u32, segment_use_oldest(u), 5));

	for (n = 0; n < 15; n++) {
		example_call_id(id, n);
		segment_use_end(u, id);
		segment_use_end(u, id);
	}
	cr_expect(eq(u32, segment_use_oldest(u), 6));
	cr_expect(eq(sz, segment_use_count(u), 85));
	mem_deref(u);
}
