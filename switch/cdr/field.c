/**
 * @file field.c  Fields to bytes and back. Numbers take as many bytes as they
 * need, little-endian two's complement.
 */
#include <errno.h>
#include <re.h>
#include <string.h>
#include "field.h"

#define FIELDS_MAX 1024


int64_t field_number(const struct cdr_field *f, const void *object)
{
	const uint8_t *p = (const uint8_t *)object + f->offset;
	uint32_t v4;
	int64_t v8;

	switch (f->size) {
	case 1:
		return *p;
	case 4:
		memcpy(&v4, p, sizeof(v4));
		return v4;
	default:
		memcpy(&v8, p, sizeof(v8));
		return v8;
	}
}


static int number_set(const struct cdr_field *f, uint8_t *p, int64_t v)
{
	uint32_t v4 = (uint32_t)v;

	switch (f->size) {
	case 1:
		if (v < 0 || v > UINT8_MAX)
			return EBADMSG;
		*p = (uint8_t)v;
		return 0;
	case 4:
		if (v < 0 || v > UINT32_MAX)
			return EBADMSG;
		memcpy(p, &v4, sizeof(v4));
		return 0;
	default:
		memcpy(p, &v, sizeof(v));
		return 0;
	}
}


/* Fewest bytes from which v comes back with its sign. */
static size_t number_pack(uint8_t bytes[8], int64_t v)
{
	size_t n = 0;

	do {
		bytes[n++] = (uint8_t)v;
		v >>= 8;
	} while (n < 8 && !((v == 0 && !(bytes[n - 1] & 0x80)) ||
			    (v == -1 && (bytes[n - 1] & 0x80))));

	return n;
}


static int64_t number_unpack(const uint8_t *bytes, size_t n)
{
	uint64_t v = bytes[n - 1] & 0x80 ? UINT64_MAX : 0;

	while (n--)
		v = v << 8 | bytes[n];

	return (int64_t)v;
}


/* What is written for a field: its bytes, none when it is NULL. */
static size_t value_get(const struct cdr_field *f, const void *object,
			uint8_t scratch[8], const uint8_t **ret_bytes)
{
	static const uint8_t zero_uuid[16];
	const uint8_t *p = (const uint8_t *)object + f->offset;
	int64_t v;

	*ret_bytes = scratch;
	switch ((enum cdr_kind)f->kind) {
	case CDR_TEXT:
		*ret_bytes = p;
		return strnlen((const char *)p, f->size - 1);
	case CDR_UUID:
		*ret_bytes = p;
		return memcmp(p, zero_uuid, 16) ? 16 : 0;
	case CDR_FLAG:
		scratch[0] = 1;
		return *p ? 1 : 0;
	case CDR_NUMBER:
	case CDR_TIME:
	default:
		v = field_number(f, object);
		return v == CDR_NULL ? 0 : number_pack(scratch, v);
	}
}


static int value_set(const struct cdr_field *f, void *object,
		     const uint8_t *bytes, size_t len)
{
	uint8_t *p = (uint8_t *)object + f->offset;

	switch ((enum cdr_kind)f->kind) {
	case CDR_TEXT:
		if (len >= f->size || memchr(bytes, '\0', len))
			return EBADMSG;
		memcpy(p, bytes, len);
		p[len] = '\0';
		return 0;
	case CDR_UUID:
		if (len != 16)
			return EBADMSG;
		memcpy(p, bytes, 16);
		return 0;
	case CDR_FLAG:
		if (len != 1 || bytes[0] != 1)
			return EBADMSG;
		*p = 1;
		return 0;
	case CDR_NUMBER:
	case CDR_TIME:
	default:
		if (len > 8)
			return EBADMSG;
		return number_set(f, p, number_unpack(bytes, len));
	}
}


static int length_write(struct mbuf *mb, size_t len)
{
	int err = 0;

	if (len > 0x7f)
		err = mbuf_write_u8(mb, (uint8_t)(0x80 | len >> 8));

	return err ? err : mbuf_write_u8(mb, (uint8_t)len);
}


int fields_encode(struct mbuf *mb, const struct cdr_field *fields, size_t n,
		  const void *object)
{
	uint8_t present[FIELDS_MAX / 8] = {0}, scratch[8];
	const uint8_t *bytes;
	size_t i, len;
	int err;

	for (i = 0; i < n; i++) {
		if (value_get(&fields[i], object, scratch, &bytes))
			present[i / 8] |= (uint8_t)(1 << i % 8);
	}

	err = mbuf_write_u8(mb, (uint8_t)n);
	err |= mbuf_write_u8(mb, (uint8_t)(n >> 8));
	err |= mbuf_write_mem(mb, present, (n + 7) / 8);

	for (i = 0; i < n && !err; i++) {
		len = value_get(&fields[i], object, scratch, &bytes);
		if (!len)
			continue;
		err = length_write(mb, len);
		err |= mbuf_write_mem(mb, bytes, len);
	}

	return err ? ENOMEM : 0;
}


static size_t left(const struct field_reader *r)
{
	return (size_t)(r->end - r->p);
}


static int length_read(struct field_reader *r, size_t *ret_len)
{
	size_t len;

	if (left(r) < 1)
		return EBADMSG;

	len = *r->p++;
	if (len & 0x80) {
		if (left(r) < 1)
			return EBADMSG;
		len = (len & 0x7f) << 8 | *r->p++;
	}

	if (!len || len > left(r))
		return EBADMSG;

	*ret_len = len;
	return 0;
}


int field_read_u8(struct field_reader *r, uint8_t max, uint8_t *ret)
{
	if (left(r) < 1 || *r->p > max)
		return EBADMSG;

	*ret = *r->p++;
	return 0;
}


int fields_decode(struct field_reader *r, const struct cdr_field *fields,
		  size_t n, void *object)
{
	const uint8_t *present;
	size_t count, i, len;
	int err;

	if (left(r) < 2)
		return EBADMSG;

	count = r->p[0] | (size_t)r->p[1] << 8;
	r->p += 2;
	if (count > FIELDS_MAX || left(r) < (count + 7) / 8)
		return EBADMSG;

	present = r->p;
	r->p += (count + 7) / 8;

	for (i = 0; i < count; i++) {
		if (!(present[i / 8] & 1 << i % 8))
			continue;

		err = length_read(r, &len);
		if (!err && i < n)
			err = value_set(&fields[i], object, r->p, len);
		if (err)
			return err;
		r->p += len;
	}

	return 0;
}
