/**
 * @file field.h  A struct as bytes, driven by a table of its fields: a count,
 * a bit per field that is not NULL, then length and value of each of those.
 * A reader takes records with fewer fields (older: the rest is NULL) and with
 * more (newer: passed over). Pure.
 */
#ifndef FIELD_H
#define FIELD_H
#include <stddef.h>
#include <stdint.h>
#include "cdr.h"

struct mbuf;

struct field_reader {
	const uint8_t *p, *end;
};

/** Append the fields of object. @return 0 or ENOMEM */
int fields_encode(struct mbuf *mb, const struct cdr_field *fields, size_t n,
		  const void *object);

/**
 * Read the fields of one object and move behind them. Input is hostile.
 * @param object  all fields NULL; changed even on failure
 * @return 0 or EBADMSG
 */
int fields_decode(struct field_reader *r, const struct cdr_field *fields,
		  size_t n, void *object);

/** What a number, time or flag holds, whatever its width. */
int64_t field_number(const struct cdr_field *f, const void *object);

/** One byte below max. @return 0 or EBADMSG */
int field_read_u8(struct field_reader *r, uint8_t max, uint8_t *ret);

#endif
