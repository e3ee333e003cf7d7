/**
 * @file field.c  Tests of structs as bytes: every number comes back, older
 * and newer records are read, damage is refused.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <re.h>
#include <string.h>
#include "field.h"

struct thing {
	int64_t number;
	uint32_t word;
	uint8_t byte;
	bool flag;
	uint8_t uuid[16];
	char text[200];
};

#define F(f, k) {#f, k, offsetof(struct thing, f), \
		 sizeof(((struct thing *)0)->f)}
static const struct cdr_field fields[] = {
	F(number, CDR_NUMBER), F(word, CDR_NUMBER), F(byte, CDR_NUMBER),
	F(flag, CDR_FLAG), F(uuid, CDR_UUID), F(text, CDR_TEXT),
};
#define FIELD_N (sizeof(fields) / sizeof(fields[0]))


static const struct thing nothing = {.number = CDR_NULL};


static int decode(const struct mbuf *mb, size_t n, struct thing *t)
{
	struct field_reader r = {mb->buf, mb->buf + mb->end};
	int err;

	*t = nothing;
	err = fields_decode(&r, fields, n, t);
	if (!err)
		cr_expect(eq(ptr, (void *)r.p, (void *)r.end));
	return err;
}


static struct mbuf *encode(const struct thing *t, size_t n)
{
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert(zero(int, fields_encode(mb, fields, n, t)));
	return mb;
}


Test(field, numbers_come_back)
{
	static const int64_t numbers[] = {
		0, 1, -1, 127, 128, 255, 256, -128, -129, 32767, 32768,
		INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN + 1, CDR_NULL};
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		const struct thing t = {.number = numbers[i]};
		struct mbuf *mb = encode(&t, FIELD_N);
		struct thing got;

		cr_assert(zero(int, decode(mb, FIELD_N, &got)));
		cr_expect(eq(i64, got.number, numbers[i]));
		mem_deref(mb);
	}
}


static struct thing full(void)
{
	struct thing t = {.number = -5, .word = UINT32_MAX, .byte = 255,
			  .flag = true};

	memset(t.uuid, 7, sizeof(t.uuid));
	memset(t.text, 'x', sizeof(t.text) - 1);
	return t;
}


Test(field, all_kinds_come_back)
{
	const struct thing t = full();
	struct mbuf *mb = encode(&t, FIELD_N);
	struct thing got;

	cr_assert(zero(int, decode(mb, FIELD_N, &got)));
	cr_expect(eq(u32, got.word, UINT32_MAX));
	cr_expect(eq(u8, got.byte, 255));
	cr_expect(got.flag);
	cr_expect(zero(int, memcmp(got.uuid, t.uuid, 16)));
	cr_expect(eq(str, got.text, (char *)t.text));
	mem_deref(mb);
}


Test(field, older_records_leave_null)
{
	const struct thing t = full();
	struct mbuf *mb = encode(&t, 1);
	struct thing got;

	cr_assert(zero(int, decode(mb, FIELD_N, &got)));
	cr_expect(eq(i64, got.number, -5));
	cr_expect(zero(u32, got.word));
	cr_expect(zero(chr, got.text[0]));
	mem_deref(mb);
}


Test(field, newer_fields_are_passed_over)
{
	const struct thing t = full();
	struct mbuf *mb = encode(&t, FIELD_N);
	struct thing got;

	cr_assert(zero(int, decode(mb, 2, &got)));
	cr_expect(eq(u32, got.word, UINT32_MAX));
	cr_expect(zero(u8, got.byte));
	mem_deref(mb);
}


Test(field, every_cut_is_refused)
{
	const struct thing t = full();
	struct mbuf *mb = encode(&t, FIELD_N);
	const size_t whole = mb->end;
	struct thing got;

	for (mb->end = 0; mb->end < whole; mb->end++)
		cr_expect(eq(int, decode(mb, FIELD_N, &got), EBADMSG));
	mem_deref(mb);
}


static int decode_bytes(const uint8_t *bytes, size_t n, struct thing *t)
{
	struct field_reader r = {bytes, bytes + n};

	*t = nothing;
	return fields_decode(&r, fields, FIELD_N, t);
}


Test(field, wrong_values_are_refused)
{
	/* count 6, one bit, length, value */
	static const struct {
		uint8_t bytes[24];
		size_t n;
	} rows[] = {
		{{6, 0, 1, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 13}, /* 9 bytes */
		{{6, 0, 1, 0}, 4},            /* length 0 */
		{{6, 0, 2, 1, 0x80}, 5},      /* word -128 */
		{{6, 0, 4, 2, 0, 1}, 6},      /* byte 256 */
		{{6, 0, 8, 1, 2}, 5},         /* flag 2 */
		{{6, 0, 16, 2, 1, 1}, 6},     /* uuid of 2 bytes */
		{{6, 0, 32, 2, 'a', 0}, 6},   /* text with NUL */
		{{0, 255}, 2},                /* too many fields */
	};
	struct thing got;
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(eq(int, decode_bytes(rows[i].bytes, rows[i].n,
					       &got), EBADMSG), "row %zu", i);
}
