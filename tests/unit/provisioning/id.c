/* Ids sort by time and keep every bit. */
#include <criterion/criterion.h>
#include <re.h>
#include <string.h>
#include "form.h"
#include "id.h"
#include "rng.h"


Test(id, keeps_every_bit_in_order)
{
	uint8_t uuid[16] = {0};
	char low[27], high[27];

	id_base32(low, uuid);
	cr_assert_str_eq(low, "00000000000000000000000000");
	memset(uuid, 0xff, sizeof(uuid));
	id_base32(high, uuid);
	cr_assert_str_eq(high, "7zzzzzzzzzzzzzzzzzzzzzzzzz");

	for (size_t bit = 0; bit < 128; bit++) {
		memset(uuid, 0, sizeof(uuid));
		uuid[15 - bit / 8] = (uint8_t)(1u << (bit % 8));
		id_base32(high, uuid);
		cr_assert_lt(strcmp(low, high), 0, "bit %zu", bit);
		memcpy(low, high, sizeof(low));
	}
}


Test(id, sorts_by_time)
{
	struct rng *rng = NULL;
	char a[ID_TEXT_SIZE], b[ID_TEXT_SIZE];

	cr_assert_eq(rng_seeded(&rng, 1), 0);
	id_make(a, "trk_", rng, 1795343460000);
	id_make(b, "trk_", rng, 1795343460001);
	cr_assert(form_is_id(a, "trk_"));
	cr_assert_lt(strcmp(a, b), 0);
	mem_deref(rng);
}
