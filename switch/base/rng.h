/**
 * @file rng.h  The randomness door. Production draws from OpenSSL in blocks;
 * the simulator draws from a seed. One rng belongs to one thread.
 */
#ifndef RNG_H
#define RNG_H
#include <stddef.h>
#include <stdint.h>

struct rng;

/** Cryptographic, buffered (one RAND_bytes per 4 KiB). mem_deref() to free. */
int rng_system(struct rng **rp);

/** Deterministic (xoshiro256**). Never in production. */
int rng_seeded(struct rng **rp, uint64_t seed);

/** to goes on as from does: for a checker that looks ahead. */
void rng_copy(struct rng *to, const struct rng *from);

void rng_bytes(struct rng *r, void *buf, size_t len);
uint64_t rng_u64(struct rng *r);

/** Uniform in 0..n-1, unbiased; n > 0. */
uint32_t rng_below(struct rng *r, uint32_t n);

/** len lower-case base32 characters and a NUL. buf >= len + 1. */
void rng_token(struct rng *r, char *buf, size_t len);

/**
 * UUIDv7 (RFC 9562 5.7): wall time, a 12-bit counter (6.2, method 1) and 62
 * random bits. Those of one rng ascend, also when the wall clock steps back by
 * up to 10 s.
 */
void rng_uuid7(struct rng *r, int64_t wall_ms, uint8_t uuid[16]);

/** "01890a5d-ac96-774b-bcce-b302099a8057"; buf >= 37 */
const char *uuid_format(char *buf, const uint8_t uuid[16]);

/** @return 0 or EBADMSG */
int uuid_parse(uint8_t uuid[16], const char *text);

#endif
