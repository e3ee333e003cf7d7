/**
 * @file tests/unit/base/token.c  What one node writes another reads, and
 * nobody else's text is taken for ours.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include <string.h>
#include "rng.h"
#include "token.h"

static const uint8_t key[16] = "0123456789abcde";
static const uint8_t other_key[16] = "0123456789abcdf";
static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";


static struct token_mint *mint(const uint8_t k[16], uint16_t node,
			       uint16_t boot)
{
	struct token_mint *m = NULL;

	cr_assert_eq(token_mint_alloc(&m, k, node, boot), 0);

	return m;
}


Test(token, opens_what_another_node_made)
{
	struct token_mint *a = mint(key, 7, 65535), *b = mint(key, 8, 1);
	char buf[TOKEN_SIZE], last[TOKEN_SIZE] = "";
	struct token t;
	uint64_t serial, i;

	for (i = 1; i <= 1000; i++) {
		token_next(a, 1023, buf, &serial);
		cr_assert_eq(strlen(buf), TOKEN_LEN);
		cr_assert_str_neq(buf, last);
		cr_assert_eq(token_open(b, buf, TOKEN_LEN, &t), 0);
		cr_assert_eq(t.node, 7);
		cr_assert_eq(t.boot, 65535);
		cr_assert_eq(t.shard, 1023);
		cr_assert_eq(t.serial, i);
		cr_assert_eq(serial, i);
		memcpy(last, buf, sizeof(last));
	}

	mem_deref(a);
	mem_deref(b);
}


Test(token, one_wrong_character_is_refused)
{
	struct token_mint *m = mint(key, 7, 1);
	char buf[TOKEN_SIZE], bad[TOKEN_SIZE];
	struct token t = {.node = 99};
	size_t i, j;

	token_next(m, 5, buf, NULL);
	for (i = 0; i < TOKEN_LEN; i++) {
		for (j = 0; j < 32; j++) {
			memcpy(bad, buf, sizeof(bad));
			bad[i] = alphabet[j];
			if (bad[i] == buf[i])
				continue;
			cr_assert_eq(token_open(m, bad, TOKEN_LEN, &t),
				     EBADMSG);
		}
	}
	cr_assert_eq(t.node, 99);
	mem_deref(m);
}


Test(token, other_keys_and_other_text_are_refused)
{
	struct token_mint *m = mint(key, 7, 1), *x = mint(other_key, 7, 1);
	char buf[TOKEN_SIZE + 1] = "";
	struct token t;
	size_t i;

	token_next(x, 5, buf, NULL);
	cr_assert_eq(token_open(m, buf, TOKEN_LEN, &t), EBADMSG);

	token_next(m, 5, buf, NULL);
	cr_assert_eq(token_open(m, buf, TOKEN_LEN - 1, &t), EBADMSG);
	cr_assert_eq(token_open(m, buf, TOKEN_LEN + 1, &t), EBADMSG);
	cr_assert_eq(token_open(m, NULL, 0, &t), EBADMSG);

	for (i = 0; i < TOKEN_LEN; i++) {
		if (buf[i] >= 'a' && buf[i] <= 'z')
			buf[i] = (char)(buf[i] - 'a' + 'A');
	}
	cr_assert_eq(token_open(m, buf, TOKEN_LEN, &t), EBADMSG);

	mem_deref(m);
	mem_deref(x);
}


/* Every character of the last place: only one spelling may open. */
Test(token, has_one_spelling)
{
	struct token_mint *m = mint(key, 7, 1);
	char buf[TOKEN_SIZE];
	unsigned opened = 0, j;
	struct token t;

	token_next(m, 5, buf, NULL);
	for (j = 0; j < 32; j++) {
		buf[TOKEN_LEN - 1] = alphabet[j];
		opened += !token_open(m, buf, TOKEN_LEN, &t);
	}
	cr_assert_eq(opened, 1);
	mem_deref(m);
}


Test(token, random_text_is_refused)
{
	struct token_mint *m = mint(key, 7, 1);
	char buf[TOKEN_SIZE];
	struct token t;
	struct rng *r;
	unsigned i;

	cr_assert_eq(rng_seeded(&r, 3), 0);
	for (i = 0; i < 20000; i++) {
		rng_token(r, buf, TOKEN_LEN);
		cr_assert_eq(token_open(m, buf, TOKEN_LEN, &t), EBADMSG);
	}
	mem_deref(r);
	mem_deref(m);
}
