/**
 * @file rng.c  Two sources behind one door: OpenSSL's generator, drawn in
 * blocks because one RAND_bytes() costs as much as 4 KiB of it, and xoshiro
 * for the simulator.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <re.h>
#include "rng.h"
#include "text.h"

#define BLOCK_SIZE 4096
#define STATE_N 4
#define UUID_COUNTER_MAX 0xfff
#define UUID_BACK_MS 10000 /**< a wall clock step that ordering survives */

struct rng {
	bool is_seeded;
	uint64_t s[STATE_N];      /**< xoshiro256** state             */
	uint64_t uuid_ms;
	uint32_t uuid_counter;
	size_t used;              /**< bytes of block given away      */
	uint8_t block[BLOCK_SIZE];
};


static void destructor(void *arg)
{
	struct rng *r = arg;

	OPENSSL_cleanse(r, sizeof(*r));
}


static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}


/** Spreads a small seed over the whole state. */
static uint64_t splitmix(uint64_t *x)
{
	uint64_t z = (*x += 0x9e3779b97f4a7c15u);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;

	return z ^ (z >> 31);
}


static uint64_t xoshiro(uint64_t s[STATE_N])
{
	const uint64_t result = rotl(s[1] * 5, 7) * 9;
	const uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);

	return result;
}


/** Fill the block; a switch without randomness must not go on. */
static void refill(struct rng *r)
{
	size_t i;

	r->used = 0;

	if (r->is_seeded) {
		for (i = 0; i < BLOCK_SIZE; i += sizeof(uint64_t)) {
			uint64_t v = xoshiro(r->s);

			memcpy(r->block + i, &v, sizeof(v));
		}
		return;
	}

	if (RAND_bytes(r->block, BLOCK_SIZE) != 1) {
		(void)fputs("rng: no random bytes from OpenSSL\n", stderr);
		abort();
	}
}


static int alloc(struct rng **rp)
{
	struct rng *r;

	if (!rp)
		return EINVAL;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;

	r->used = BLOCK_SIZE;
	*rp = r;

	return 0;
}


int rng_system(struct rng **rp)
{
	return alloc(rp);
}


int rng_seeded(struct rng **rp, uint64_t seed)
{
	size_t i;
	int err;

	err = alloc(rp);
	if (err)
		return err;

	(*rp)->is_seeded = true;
	for (i = 0; i < STATE_N; i++)
		(*rp)->s[i] = splitmix(&seed);

	return 0;
}


void rng_copy(struct rng *to, const struct rng *from)
{
	*to = *from;
}


void rng_bytes(struct rng *r, void *buf, size_t len)
{
	uint8_t *p = buf;
	size_t n;

	while (len) {
		if (r->used == BLOCK_SIZE)
			refill(r);

		n = BLOCK_SIZE - r->used;
		if (n > len)
			n = len;

		/* what was given away is not kept */
		memcpy(p, r->block + r->used, n);
		memset(r->block + r->used, 0, n);
		r->used += n;
		p += n;
		len -= n;
	}
}


uint64_t rng_u64(struct rng *r)
{
	uint64_t v;

	rng_bytes(r, &v, sizeof(v));

	return v;
}


static uint32_t rng_u32(struct rng *r)
{
	uint32_t v;

	rng_bytes(r, &v, sizeof(v));

	return v;
}


uint32_t rng_below(struct rng *r, uint32_t n)
{
	const uint32_t refuse = -n % n; /* 2^32 mod n values are too many */
	uint64_t m;

	do {
		m = (uint64_t)rng_u32(r) * n;
	} while ((uint32_t)m < refuse);

	return (uint32_t)(m >> 32);
}


void rng_token(struct rng *r, char *buf, size_t len)
{
	static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
	size_t i;

	rng_bytes(r, buf, len);
	for (i = 0; i < len; i++)
		buf[i] = alphabet[(uint8_t)buf[i] & 31];

	buf[len] = '\0';
}


/** RFC 9562 6.2 method 1: a counter that begins anywhere in its lower half. */
static void uuid_step(struct rng *r, uint64_t ms)
{
	if (ms <= r->uuid_ms && r->uuid_ms - ms < UUID_BACK_MS) {
		if (r->uuid_counter < UUID_COUNTER_MAX) {
			++r->uuid_counter;
			return;
		}
		ms = r->uuid_ms + 1;
	}

	r->uuid_ms = ms;
	r->uuid_counter = rng_u32(r) & (UUID_COUNTER_MAX >> 1);
}


void rng_uuid7(struct rng *r, int64_t wall_ms, uint8_t uuid[16])
{
	size_t i;

	uuid_step(r, wall_ms > 0 ? (uint64_t)wall_ms : 0);
	rng_bytes(r, uuid, 16);

	for (i = 0; i < 6; i++)
		uuid[i] = (uint8_t)(r->uuid_ms >> (40 - 8 * i));

	uuid[6] = (uint8_t)(0x70 | (r->uuid_counter >> 8));
	uuid[7] = (uint8_t)r->uuid_counter;
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
}


const char *uuid_format(char *buf, const uint8_t uuid[16])
{
	char hex[33];

	text_hex(hex, uuid, 16);
	(void)snprintf(buf, 37, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8,
		       hex + 12, hex + 16, hex + 20);
	return buf;
}


int uuid_parse(uint8_t uuid[16], const char *text)
{
	char hex[33];
	size_t i, n = 0;

	if (!text || strlen(text) != 36)
		return EBADMSG;

	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i] != '-')
				return EBADMSG;
			continue;
		}
		hex[n++] = text[i];
	}

	hex[n] = '\0';

	return text_unhex(uuid, 16, hex);
}
