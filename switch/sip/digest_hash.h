/**
 * @file digest_hash.h  The hashes of digest: algorithm names and the response
 * (RFC 7616 3.4.1). Private to digest.
 */
#ifndef DIGEST_HASH_H
#define DIGEST_HASH_H
#include <re.h>

#define DIGEST_HEX_SIZE 65

/** What a response is made of. */
struct digest_input {
	const char *ha1;                /**< lower-case hex                 */
	struct pl nonce, nc, cnonce, qop; /**< qop empty: as in RFC 2069    */
	struct pl method, uri;
};

/** "MD5", "SHA-256", "SHA-512-256" for HA1_MD5 .. HA1_N - 1. */
const char *digest_hash_name(unsigned algorithm);

/** From the parameter; MD5 when it is empty; HA1_N when unknown. */
unsigned digest_hash_find(const struct pl *name);

/** Hex digits of a hash: 32 or 64. */
size_t digest_hash_len(unsigned algorithm);

/** H(data) as lower-case hex. @return 0 or ENOTSUP (no such hash here) */
int digest_hash_hex(char hex[DIGEST_HEX_SIZE], unsigned algorithm,
		    const struct pl *parts, size_t n);

/** The response parameter. Any thread. @return 0 or ENOTSUP */
int digest_hash_response(char hex[DIGEST_HEX_SIZE], unsigned algorithm,
			 const struct digest_input *in);

#endif
