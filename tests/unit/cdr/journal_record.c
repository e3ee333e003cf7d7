/**
 * @file journal_record.c  Tests of frames: what is written is read, and no
 * damage gets through.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <re.h>
#include <string.h>
#include "example.h"
#include "journal.h"
#include "../rating/random_price.h"

static struct cdr_call call, got;


static struct mbuf *ended(uint32_t n)
{
	struct mbuf *mb = mbuf_alloc(64);

	example_end(&call, n);
	cr_assert(zero(int, journal_encode_call(mb, JOURNAL_END, &call)));
	return mb;
}


Test(journal_record, a_call_comes_back)
{
	struct mbuf *mb = ended(1);
	struct journal_record rec;

	cr_assert(zero(int, journal_frame(mb->buf, mb->end, &rec)));
	cr_assert(eq(sz, rec.frame_len, mb->end));
	cr_assert(eq(int, rec.type, JOURNAL_END));
	cr_assert(lt(sz, rec.frame_len, 1000));

	memset(&got, 0x5a, sizeof(got));
	cr_assert(zero(int, journal_decode_call(&rec, &got)));
	cr_expect(zero(int, memcmp(&got.call, &call.call, sizeof(got.call))));
	cr_expect(eq(u32, got.attempt_n, 2));
	cr_expect(zero(int, memcmp(got.attempts, call.attempts,
				   2 * sizeof(got.attempts[0]))));
	cr_expect(eq(u32, got.charge_n, 2));
	cr_expect(eq(i64, got.charges[0].amount_micro, 13800));
	cr_expect(eq(u32, got.charges[1].price.tariff.next_ms, 6000));
	cr_expect(eq(str, got.charges[1].carrier_id, "car_2"));
	cr_expect(eq(i64, got.charges[0].lease_epoch, 7));
	mem_deref(mb);
}


Test(journal_record, a_full_call_fits_a_frame)
{
	struct mbuf *mb = mbuf_alloc(64);
	struct journal_record rec;
	uint32_t i;

	example_end(&call, 1);
	for (i = 0; i < CDR_FIELD_N; i++) {
		const struct cdr_field *f = &cdr_fields[i];
		char *p = (char *)&call.call + f->offset;

		memset(p, 'x', f->size);
		if (f->kind == CDR_TEXT)
			p[f->size - 1] = '\0';
		if (f->kind == CDR_FLAG)
			*p = 1;
	}
	call.attempt_n = CDR_ATTEMPTS_MAX;
	for (i = 0; i < CDR_ATTEMPTS_MAX; i++)
		call.attempts[i] = call.call;

	cr_assert(zero(int, journal_encode_call(mb, JOURNAL_BEGIN, &call)));
	cr_assert(zero(int, journal_frame(mb->buf, mb->end, &rec)));
	cr_assert(zero(int, journal_decode_call(&rec, &got)));
	cr_expect(zero(int, memcmp(&got.attempts[9], &call.call,
				   sizeof(got.call))));
	mem_deref(mb);
}


Test(journal_record, the_decision_comes_back)
{
	static const char why[] = "[{\"step\":\"end\"}]";
	struct mbuf *mb = mbuf_alloc(64);
	struct journal_record rec;
	size_t without, len;

	/* behind the charges: an empty decision, and no steps nor packages of
	   two prices */
	example_end(&call, 1);
	cr_assert(zero(int, journal_encode_call(mb, JOURNAL_END, &call)));
	without = mb->end - 10 - 7;
	mbuf_rewind(mb);
	call.why = why;
	cr_assert(zero(int, journal_encode_call(mb, JOURNAL_END, &call)));
	cr_assert(zero(int, journal_frame(mb->buf, mb->end, &rec)));
	cr_assert(zero(int, journal_decode_call(&rec, &got)));
	cr_assert_not_null(got.why);
	cr_expect_str_eq(got.why, why);
	cr_expect(eq(sz, rec.len, without + 2 + sizeof(why) + 4));

	/* as it was written before there were decisions */
	rec.len = without;
	cr_assert(zero(int, journal_decode_call(&rec, &got)));
	cr_expect_null(got.why);

	/* cut short, or with a NUL in the middle */
	for (len = without + 2; len < without + 2 + sizeof(why); len++) {
		rec.len = len;
		cr_expect(eq(int, journal_decode_call(&rec, &got), EBADMSG));
	}
	rec.len = len;
	mb->buf[10 + without + 4] = '\0';
	cr_expect(eq(int, journal_decode_call(&rec, &got), EBADMSG));
	mem_deref(mb);
}


/* Every price that there is: steps, taxes, fees, cap and exchange. */
Test(journal_record, prices_come_back)
{
	uint64_t seed = 1;

	for (unsigned i = 0; i < 2000; i++) {
		struct mbuf *mb = mbuf_alloc(64);
		struct journal_record rec;
		struct cdr_charge *c = &call.charges[1];
		struct price_parts parts, back;
		uint64_t ms;

		example_end(&call, 1);
		c->price = random_price(&seed);
		ms = random_duration(&seed, &c->price);
		c->net_micro = -7;
		c->tax_micro[3] = 5;
		c->covered_ms = 60000;
		cr_assert(zero(int, journal_encode_call(mb, JOURNAL_END,
							&call)));
		cr_assert(zero(int, journal_frame(mb->buf, mb->end, &rec)));
		cr_assert(zero(int, journal_decode_call(&rec, &got)));

		c = &got.charges[1];
		cr_assert(eq(i64, c->net_micro, -7));
		cr_assert(eq(i64, c->tax_micro[3], 5));
		cr_assert(eq(i64, c->covered_ms, 60000));
		cr_assert(eq(int,
			     price_parts(&call.charges[1].price, ms, 0, &parts),
			     price_parts(&c->price, ms, 0, &back)));
		cr_assert(zero(int, memcmp(&parts, &back, sizeof(parts))));
		cr_assert(eq(u8, c->price.is_cap_cut,
			     call.charges[1].price.is_cap_cut));
		mem_deref(mb);
	}
}


Test(journal_record, a_checkpoint_comes_back)
{
	struct cdr_checkpoint cp = {.wall_ms = 5, .duration_ms = 10000,
				    .a_packets = 500, .b_packets = 499};
	struct cdr_checkpoint back;
	struct mbuf *mb = mbuf_alloc(64);
	struct journal_record rec;

	example_call_id(cp.call_id, 3);
	cr_assert(zero(int, journal_encode_checkpoint(mb, &cp)));
	cr_assert(zero(int, journal_frame(mb->buf, mb->end, &rec)));
	cr_assert(zero(int, journal_decode_checkpoint(&rec, &back)));
	cr_expect(zero(int, memcmp(&back, &cp, sizeof(cp))));
	cr_expect(eq(int, journal_decode_call(&rec, &got), EBADMSG));
	mem_deref(mb);
}


Test(journal_record, frames_follow_each_other)
{
	struct mbuf *mb = ended(1);
	const size_t first = mb->end;
	struct journal_record rec;

	cr_assert(zero(int, journal_encode_call(mb, JOURNAL_BEGIN, &call)));
	cr_assert(zero(int, journal_frame(mb->buf, mb->end, &rec)));
	cr_assert(eq(sz, rec.frame_len, first));
	cr_assert(zero(int, journal_frame(mb->buf + first, mb->end - first,
					  &rec)));
	cr_assert(eq(int, rec.type, JOURNAL_BEGIN));
	cr_assert(eq(int, journal_frame(mb->buf, 0, &rec), ENODATA));
	mem_deref(mb);
}


Test(journal_record, a_torn_frame_is_no_data)
{
	struct mbuf *mb = ended(1);
	struct journal_record rec;
	size_t len;

	for (len = 0; len < mb->end; len++)
		cr_expect(eq(int, journal_frame(mb->buf, len, &rec), ENODATA));
	mem_deref(mb);
}


Test(journal_record, every_flipped_bit_is_seen)
{
	struct mbuf *mb = ended(1);
	struct journal_record rec;
	size_t bit;

	for (bit = 0; bit < 8 * mb->end; bit++) {
		mb->buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
		cr_expect(ne(int, journal_frame(mb->buf, mb->end, &rec), 0),
			  "bit %zu", bit);
		mb->buf[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	mem_deref(mb);
}


Test(journal_record, a_charge_without_intervals_is_refused)
{
	struct mbuf *mb = mbuf_alloc(64);
	struct journal_record rec;

	example_end(&call, 1);
	call.charges[0].price.tariff.next_ms = 0;
	cr_assert(zero(int, journal_encode_call(mb, JOURNAL_END, &call)));
	cr_assert(zero(int, journal_frame(mb->buf, mb->end, &rec)));
	cr_assert(eq(int, journal_decode_call(&rec, &got), EBADMSG));
	rec.version = CDR_VERSION + 1;
	cr_assert(eq(int, journal_decode_call(&rec, &got), EBADMSG));
	mem_deref(mb);
}
