/**
 * @file octets.h  Octets and integers in network order, put and got within
 * bounds: what does not fit is seen once, at the end.
 */
#ifndef OCTETS_H
#define OCTETS_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct octet_writer {
	uint8_t *p;
	size_t left;
	bool is_over;  /**< something had no room                          */
};

struct octet_reader {
	const uint8_t *p;
	size_t left;
	bool is_short; /**< something was not there, and read as zero      */
};


static inline void octets_put(struct octet_writer *w, const void *bytes,
			      size_t len)
{
	if (len > w->left) {
		w->is_over = true;
		return;
	}
	memcpy(w->p, bytes, len);
	w->p += len;
	w->left -= len;
}


/** @param len  of the integer, up to 8 */
static inline void octets_put_int(struct octet_writer *w, uint64_t v,
				  size_t len)
{
	uint8_t b[8];

	for (size_t i = 0; i < len; i++)
		b[i] = (uint8_t)(v >> (8 * (len - 1 - i)));
	octets_put(w, b, len);
}


static inline void octets_get(struct octet_reader *r, void *bytes, size_t len)
{
	if (len > r->left) {
		r->is_short = true;
		memset(bytes, 0, len);
		return;
	}
	memcpy(bytes, r->p, len);
	r->p += len;
	r->left -= len;
}


/** @param len  of the integer, up to 8 */
static inline uint64_t octets_get_int(struct octet_reader *r, size_t len)
{
	uint8_t b[8];
	uint64_t v = 0;

	octets_get(r, b, len);
	for (size_t i = 0; i < len; i++)
		v = v << 8 | b[i];

	return v;
}

#endif
