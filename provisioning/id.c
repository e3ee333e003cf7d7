/**
 * @file id.c  Ids of rows.
 */
#include "id.h"
#include "rng.h"
#include "text.h"


void id_base32(char buf[27], const uint8_t uuid[16])
{
	static const char alphabet[] = "0123456789abcdefghjkmnpqrstvwxyz";
	unsigned acc = 0;
	int bits = 2; /* 26 * 5 = 130: two zero bits lead */
	size_t n = 0;

	for (size_t i = 0; i < 16; i++) {
		acc = (acc << 8) | uuid[i];
		bits += 8;
		while (bits >= 5) {
			bits -= 5;
			buf[n++] = alphabet[(acc >> bits) & 31];
		}
		acc &= (1u << bits) - 1;
	}
	buf[n] = '\0';
}


const char *id_make(char *buf, const char *prefix, struct rng *rng,
		    int64_t wall_ms)
{
	uint8_t uuid[16];
	char text[27];

	rng_uuid7(rng, wall_ms, uuid);
	id_base32(text, uuid);
	text_format(buf, ID_TEXT_SIZE, "%s%s", prefix, text);
	return buf;
}
