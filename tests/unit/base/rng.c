/**
 * @file tests/unit/base/rng.c  Repeatable when seeded, never equal when not;
 * UUIDs that ascend.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include <string.h>
#include "rng.h"


Test(rng, a_seed_repeats)
{
	struct rng *a, *b, *c;
	uint8_t x[5000], y[5000], z[5000];

	cr_assert_eq(rng_seeded(&a, 42), 0);
	cr_assert_eq(rng_seeded(&b, 42), 0);
	cr_assert_eq(rng_seeded(&c, 43), 0);
	rng_bytes(a, x, sizeof(x));
	rng_bytes(b, y, 1000);
	rng_bytes(b, y + 1000, sizeof(y) - 1000);
	rng_bytes(c, z, sizeof(z));

	cr_assert_arr_eq(x, y, sizeof(x));
	cr_assert(memcmp(x, z, sizeof(x)) != 0);
	mem_deref(a);
	mem_deref(b);
	mem_deref(c);
}


Test(rng, the_system_never_repeats)
{
	struct rng *a, *b;

	cr_assert_eq(rng_system(&a), 0);
	cr_assert_eq(rng_system(&b), 0);
	cr_assert_neq(rng_u64(a), rng_u64(b));
	cr_assert_neq(rng_u64(a), rng_u64(a));
	mem_deref(a);
	mem_deref(b);
}


/* 30 000 throws of a die: each face 5000 +- 350 (over five sigma). */
Test(rng, below_is_even)
{
	unsigned face[6] = {0}, i;
	struct rng *r;

	cr_assert_eq(rng_seeded(&r, 7), 0);
	for (i = 0; i < 30000; i++)
		++face[rng_below(r, 6)];
	for (i = 0; i < 6; i++)
		cr_assert(face[i] > 4650 && face[i] < 5350);

	for (i = 0; i < 100; i++) {
		cr_assert_eq(rng_below(r, 1), 0);
		cr_assert(rng_below(r, UINT32_MAX) < UINT32_MAX);
	}
	mem_deref(r);
}


/* Without a second throw every third value would come twice as often. */
Test(rng, below_is_even_for_large_n)
{
	const uint32_t n = 3u << 30;
	unsigned thirds[3] = {0}, i;
	struct rng *r;

	cr_assert_eq(rng_seeded(&r, 7), 0);
	for (i = 0; i < 30000; i++)
		++thirds[rng_below(r, n) % 3];
	for (i = 0; i < 3; i++)
		cr_assert(thirds[i] > 9500 && thirds[i] < 10500);
	mem_deref(r);
}


Test(rng, token_is_base32)
{
	char buf[65] = "";
	struct rng *r;

	cr_assert_eq(rng_seeded(&r, 7), 0);
	rng_token(r, buf, 64);
	cr_assert_eq(strlen(buf), 64);
	cr_assert_eq(strspn(buf, "abcdefghijklmnopqrstuvwxyz234567"), 64);
	rng_token(r, buf, 0);
	cr_assert_str_empty(buf);
	mem_deref(r);
}


Test(rng, uuid7_fields)
{
	uint8_t uuid[16];
	char text[37];
	struct rng *r;

	cr_assert_eq(rng_seeded(&r, 7), 0);
	rng_uuid7(r, 0x017f22e279b0, uuid);
	uuid_format(text, uuid);

	cr_assert_eq(strncmp(text, "017f22e2-79b0-7", 15), 0);
	cr_assert_eq(uuid[8] >> 6, 2);
	mem_deref(r);
}


/* 20 000 in one ms use the counter up five times; then the clock steps. */
Test(rng, uuid7_ascends)
{
	uint8_t last[16] = {0}, uuid[16];
	int64_t ms = 1700000000000;
	struct rng *r;
	unsigned i;

	cr_assert_eq(rng_seeded(&r, 7), 0);
	for (i = 0; i < 20000; i++) {
		if (i == 15000)
			ms -= 5000;
		rng_uuid7(r, ms, uuid);
		cr_assert(memcmp(uuid, last, 16) > 0, "at %u", i);
		memcpy(last, uuid, 16);
	}

	/* an hour back is a clock that was wrong before */
	rng_uuid7(r, ms - 3600000, uuid);
	cr_assert(memcmp(uuid, last, 16) < 0);
	mem_deref(r);
}


Test(rng, uuid_text)
{
	const char *text = "01890a5d-ac96-774b-bcce-b302099a8057";
	uint8_t uuid[16] = {0}, before[16];
	char buf[37];

	cr_assert_eq(uuid_parse(uuid, text), 0);
	cr_assert_str_eq(uuid_format(buf, uuid), text);
	cr_assert_eq(uuid_parse(uuid, "01890A5D-AC96-774B-BCCE-B302099A8057"),
		     0);
	cr_assert_str_eq(uuid_format(buf, uuid), text);

	memcpy(before, uuid, 16);
	cr_assert_eq(uuid_parse(uuid, NULL), EBADMSG);
	cr_assert_eq(uuid_parse(uuid, ""), EBADMSG);
	cr_assert_eq(uuid_parse(uuid, "01890a5dac96-774b-bcce-b302099a8057-"),
		     EBADMSG);
	cr_assert_eq(uuid_parse(uuid, "01890a5d-ac96-774b-bcce-b302099a805"),
		     EBADMSG);
	cr_assert_eq(uuid_parse(uuid, "01890a5d-ac96-774b-bcce-b302099a805g"),
		     EBADMSG);
	cr_assert_arr_eq(uuid, before, 16);
}
