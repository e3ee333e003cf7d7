/**
 * @file id.h  Ids of rows: a prefix that names the kind and a UUIDv7 in 26
 * base32 characters, so that ids sort by their time of creation.
 */
#ifndef ID_H
#define ID_H
#include <stddef.h>
#include <stdint.h>

#define ID_TEXT_SIZE 36

struct rng;

/** "trk_06b8m4..."; buf >= ID_TEXT_SIZE. Returns buf. */
const char *id_make(char *buf, const char *prefix, struct rng *rng,
		    int64_t wall_ms);

/** 16 bytes as 26 characters (Crockford's alphabet, order kept). */
void id_base32(char buf[27], const uint8_t uuid[16]);

#endif
