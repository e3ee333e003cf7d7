/**
 * @file token.c  One AES block, big-endian:
 *
 *   0      2      4       6            12           16
 *   | node | boot | shard | serial(48) | check word |
 *
 * written as 26 base32 characters (128 bits and two zero bits).
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <openssl/evp.h>
#include <re.h>
#include "token.h"

#define BLOCK_LEN 16
#define CHECK_WORD 0x53745767u
#define SERIAL_MAX (((uint64_t)1 << 48) - 1)

struct token_mint {
	EVP_CIPHER_CTX *seal, *open;
	uint64_t serial;
	uint16_t node, boot;
};


static void put_be(uint8_t *p, uint64_t v, unsigned bytes)
{
	while (bytes--) {
		p[bytes] = (uint8_t)v;
		v >>= 8;
	}
}


static uint64_t get_be(const uint8_t *p, unsigned bytes)
{
	uint64_t v = 0;

	while (bytes--)
		v = v << 8 | *p++;

	return v;
}


static void base32_encode(char *text, const uint8_t block[BLOCK_LEN])
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	unsigned acc = 0, bits = 0;
	size_t i;

	for (i = 0; i < BLOCK_LEN; i++) {
		acc = acc << 8 | block[i];
		for (bits += 8; bits >= 5; bits -= 5)
			*text++ = alphabet[acc >> (bits - 5) & 31];
	}

	*text++ = alphabet[acc << (5 - bits) & 31];
	*text = '\0';
}


static int base32_value(char c)
{
	if (c >= 'a' && c <= 'z')
		return c - 'a';
	if (c >= '2' && c <= '7')
		return c - '2' + 26;

	return -1;
}


static int base32_decode(uint8_t block[BLOCK_LEN], const char *text)
{
	unsigned acc = 0, bits = 0;
	size_t i, n = 0;
	int v;

	for (i = 0; i < TOKEN_LEN; i++) {
		v = base32_value(text[i]);
		if (v < 0)
			return EBADMSG;

		acc = acc << 5 | (unsigned)v;
		bits += 5;
		if (bits >= 8 && n < BLOCK_LEN) {
			bits -= 8;
			block[n++] = (uint8_t)(acc >> bits);
		}
	}

	/* the spare bits are zero, so that a token has one spelling */
	return acc & ((1u << bits) - 1) ? EBADMSG : 0;
}


static void destructor(void *arg)
{
	struct token_mint *m = arg;

	EVP_CIPHER_CTX_free(m->seal);
	EVP_CIPHER_CTX_free(m->open);
}


static int cipher_alloc(EVP_CIPHER_CTX **ctxp, const uint8_t key[16],
			int is_seal)
{
	EVP_CIPHER_CTX *ctx;

	ctx = EVP_CIPHER_CTX_new();
	if (!ctx)
		return ENOMEM;

	if (EVP_CipherInit_ex(ctx, EVP_aes_128_ecb(), NULL, key, NULL,
			      is_seal) != 1 ||
	    EVP_CIPHER_CTX_set_padding(ctx, 0) != 1) {
		EVP_CIPHER_CTX_free(ctx);
		return ENOMEM;
	}

	*ctxp = ctx;

	return 0;
}


static void cipher_run(EVP_CIPHER_CTX *ctx, uint8_t out[BLOCK_LEN],
		       const uint8_t in[BLOCK_LEN])
{
	int n = 0;

	/* a keyed context and one whole block: nothing here can fail */
	if (EVP_CipherUpdate(ctx, out, &n, in, BLOCK_LEN) != 1)
		n = 0;

	assert(n == BLOCK_LEN);
}


int token_mint_alloc(struct token_mint **mp, const uint8_t key[16],
		     uint16_t node, uint16_t boot)
{
	struct token_mint *m;
	int err;

	if (!mp || !key)
		return EINVAL;

	m = mem_zalloc(sizeof(*m), destructor);
	if (!m)
		return ENOMEM;

	m->node = node;
	m->boot = boot;

	err = cipher_alloc(&m->seal, key, 1);
	if (!err)
		err = cipher_alloc(&m->open, key, 0);

	if (err)
		mem_deref(m);
	else
		*mp = m;
	return err;
}


void token_next(struct token_mint *m, uint16_t shard, char *buf,
		uint64_t *ret_serial)
{
	uint8_t plain[BLOCK_LEN], sealed[BLOCK_LEN];

	assert(shard < TOKEN_SHARDS);
	assert(m->serial < SERIAL_MAX);

	++m->serial;
	put_be(plain, m->node, 2);
	put_be(plain + 2, m->boot, 2);
	put_be(plain + 4, shard, 2);
	put_be(plain + 6, m->serial, 6);
	put_be(plain + 12, CHECK_WORD, 4);

	cipher_run(m->seal, sealed, plain);
	base32_encode(buf, sealed);

	if (ret_serial)
		*ret_serial = m->serial;
}


int token_open(struct token_mint *m, const char *text, size_t len,
	       struct token *ret_token)
{
	uint8_t sealed[BLOCK_LEN], plain[BLOCK_LEN];

	if (!text || len != TOKEN_LEN || base32_decode(sealed, text))
		return EBADMSG;

	cipher_run(m->open, plain, sealed);

	if (get_be(plain + 12, 4) != CHECK_WORD ||
	    get_be(plain + 4, 2) >= TOKEN_SHARDS)
		return EBADMSG;

	ret_token->node = (uint16_t)get_be(plain, 2);
	ret_token->boot = (uint16_t)get_be(plain + 2, 2);
	ret_token->shard = (uint16_t)get_be(plain + 4, 2);
	ret_token->serial = get_be(plain + 6, 6);

	return 0;
}
