/**
 * @file journal_record.c  Records to frames and back.
 *
 *   0  length of the payload, 4 bytes      all numbers little-endian
 *      its highest bit: a number follows the payload
 *   4  CRC-32C of what follows the CRC, 4 bytes
 *   8  type, 1 byte
 *   9  version of the record, 1 byte
 *  10  payload
 *      number of the record, 8 bytes
 */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <re.h>
#include <string.h>
#include "field.h"
#include "journal.h"
#include "text.h"
#include "why.h"

#define HEAD 10
#define PAYLOAD_MAX (JOURNAL_FRAME_MAX - HEAD - JOURNAL_NUMBER_SIZE)
#define NUMBERED UINT32_C(0x80000000)

#define FIELD(type, f, kind_) \
	{ \
		.name = #f, .kind = (kind_), .offset = offsetof(type, f), \
		.size = sizeof(((type *)0)->f), \
	}

/* Append only, as CDR_FIELDS. */
#define C(f, kind) FIELD(struct cdr_charge, f, kind)
static const struct cdr_field charge_fields[] = {
	C(side, CDR_NUMBER),
	C(attempt, CDR_NUMBER),
	C(account_id, CDR_TEXT),
	C(carrier_id, CDR_TEXT),
	C(amount_micro, CDR_NUMBER),
	C(currency, CDR_TEXT),
	C(deck_id, CDR_TEXT),
	C(deck_version, CDR_NUMBER),
	C(prefix, CDR_TEXT),
	C(destination, CDR_TEXT),
	C(price.tariff.rate_per_min_nano, CDR_NUMBER),
	C(price.tariff.connect_fee_micro, CDR_NUMBER),
	C(price.tariff.first_ms, CDR_NUMBER),
	C(price.tariff.next_ms, CDR_NUMBER),
	C(price.rounding.mode, CDR_NUMBER),
	C(price.rounding.decimals, CDR_NUMBER),
	C(billed_ms, CDR_NUMBER),
	C(lease_epoch, CDR_NUMBER),
	C(net_micro, CDR_NUMBER),
	C(tax_micro[0], CDR_NUMBER),
	C(tax_micro[1], CDR_NUMBER),
	C(tax_micro[2], CDR_NUMBER),
	C(tax_micro[3], CDR_NUMBER),
	C(covered_ms, CDR_NUMBER),
	C(price.rounding.duration, CDR_NUMBER),
	C(price.rounding.is_per_interval, CDR_NUMBER),
	C(price.attempt_micro, CDR_NUMBER),
	C(price.minimum_micro, CDR_NUMBER),
	C(price.cap_micro, CDR_NUMBER),
	C(price.exchange_nano, CDR_NUMBER),
	C(price.free_ms, CDR_NUMBER),
	C(price.is_cap_cut, CDR_NUMBER),
	C(price.is_reverse, CDR_NUMBER),
	C(price.is_tax_included, CDR_NUMBER),
	C(price.tax_n, CDR_NUMBER),
	C(price.taxes[0].name, CDR_TEXT),
	C(price.taxes[0].ppm, CDR_NUMBER),
	C(price.taxes[1].name, CDR_TEXT),
	C(price.taxes[1].ppm, CDR_NUMBER),
	C(price.taxes[2].name, CDR_TEXT),
	C(price.taxes[2].ppm, CDR_NUMBER),
	C(price.taxes[3].name, CDR_TEXT),
	C(price.taxes[3].ppm, CDR_NUMBER),
	C(covered_micro, CDR_NUMBER),
};
#undef C
#define CHARGE_FIELD_N (sizeof(charge_fields) / sizeof(charge_fields[0]))

#define K(f, kind) FIELD(struct cdr_package, f, kind)
static const struct cdr_field package_fields[] = {
	K(key, CDR_TEXT),
	K(cover.kind, CDR_NUMBER),
	K(cover.increment_ms, CDR_NUMBER),
	K(cover.held, CDR_NUMBER),
	K(cover.used, CDR_NUMBER),
	K(cover.covered, CDR_NUMBER),
};
#undef K
#define PACKAGE_FIELD_N (sizeof(package_fields) / sizeof(package_fields[0]))

#define S(f, kind) FIELD(struct price_step, f, kind)
static const struct cdr_field step_fields[] = {
	S(rate_per_min_nano, CDR_NUMBER),
	S(from_ms, CDR_NUMBER),
	S(increment_ms, CDR_NUMBER),
	S(is_window, CDR_NUMBER),
};
#undef S
#define STEP_FIELD_N (sizeof(step_fields) / sizeof(step_fields[0]))

#define P(f, kind) FIELD(struct cdr_checkpoint, f, kind)
static const struct cdr_field checkpoint_fields[] = {
	P(call_id, CDR_UUID),
	P(wall_ms, CDR_NUMBER),
	P(duration_ms, CDR_NUMBER),
	P(a_packets, CDR_NUMBER),
	P(b_packets, CDR_NUMBER),
	P(held[0], CDR_NUMBER), P(held[1], CDR_NUMBER),
	P(held[2], CDR_NUMBER), P(held[3], CDR_NUMBER),
	P(held[4], CDR_NUMBER), P(held[5], CDR_NUMBER),
	P(held[6], CDR_NUMBER), P(held[7], CDR_NUMBER),
};
#undef P
#define CHECKPOINT_FIELD_N \
	(sizeof(checkpoint_fields) / sizeof(checkpoint_fields[0]))

#define G(f, kind) FIELD(struct journal_segment, f, kind)
static const struct cdr_field segment_fields[] = {
	G(wall_ms, CDR_TIME),
	G(number, CDR_NUMBER),
};
#undef G
#define SEGMENT_FIELD_N (sizeof(segment_fields) / sizeof(segment_fields[0]))


static uint32_t get_u32(const uint8_t *p)
{
	return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[3] << 24;
}


static uint64_t get_u64(const uint8_t *p)
{
	return get_u32(p) | (uint64_t)get_u32(p + 4) << 32;
}


static void put_u32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
	p[2] = (uint8_t)(v >> 16);
	p[3] = (uint8_t)(v >> 24);
}


/* Leave room for the head at the end of mb; frame_end() fills it. */
static int frame_begin(struct mbuf *mb, enum journal_type type,
		       size_t *ret_start)
{
	const uint8_t head[HEAD] = {[8] = (uint8_t)type, [9] = CDR_VERSION};

	*ret_start = mb->end;
	mb->pos = mb->end;
	return mbuf_write_mem(mb, head, sizeof(head)) ? ENOMEM : 0;
}


static int frame_end(struct mbuf *mb, size_t start, int err)
{
	uint8_t *frame = mb->buf + start;
	const size_t len = mb->end - start;

	if (err) {
		mb->pos = mb->end = start;
		return err;
	}

	assert(len <= JOURNAL_FRAME_MAX - JOURNAL_NUMBER_SIZE);
	put_u32(frame, (uint32_t)(len - HEAD));
	put_u32(frame + 4, crc32c(0, frame + 8, len - 8));
	return 0;
}


/* Length and text with its NUL; a record that has none ends before it. */
static int why_write(struct mbuf *mb, const char *why)
{
	const size_t len = strlen(why) + 1;
	int err;

	assert(len <= WHY_SIZE_MAX);
	err = mbuf_write_u16(mb, htole16((uint16_t)len));

	return err ? err : mbuf_write_mem(mb, (const uint8_t *)why, len);
}


/* Of one charge; those of a plain tariff are told by it. */
static int steps_write(struct mbuf *mb, const struct price *p)
{
	struct price plain;
	uint8_t n = p->step_n, i;
	int err;

	price_set(&plain, &p->tariff, p->rounding);
	if (n == plain.step_n && !memcmp(plain.steps, p->steps,
					 sizeof(p->steps)))
		n = 0;

	err = mbuf_write_u8(mb, n);
	for (i = 0; i < n && !err; i++)
		err = fields_encode(mb, step_fields, STEP_FIELD_N,
				    &p->steps[i]);

	return err;
}


static int packages_write(struct mbuf *mb, const struct cdr_charge *c)
{
	int err = mbuf_write_u8(mb, c->package_n);

	for (uint8_t i = 0; i < c->package_n && !err; i++)
		err = fields_encode(mb, package_fields, PACKAGE_FIELD_N,
				    &c->packages[i]);

	return err;
}


static int call_write(struct mbuf *mb, const struct cdr_call *call)
{
	uint32_t i;
	int err;

	err = fields_encode(mb, cdr_fields, CDR_FIELD_N, &call->call);

	err |= mbuf_write_u8(mb, (uint8_t)call->attempt_n);
	for (i = 0; i < call->attempt_n && !err; i++)
		err = fields_encode(mb, cdr_fields, CDR_FIELD_N,
				    &call->attempts[i]);

	err |= mbuf_write_u8(mb, (uint8_t)call->charge_n);
	for (i = 0; i < call->charge_n && !err; i++)
		err = fields_encode(mb, charge_fields, CHARGE_FIELD_N,
				    &call->charges[i]);

	/* always: the steps stand behind it */
	if (!err)
		err = why_write(mb, call->why ? call->why : "");
	for (i = 0; i < call->charge_n && !err; i++)
		err = steps_write(mb, &call->charges[i].price);
	for (i = 0; i < call->charge_n && !err; i++)
		err = packages_write(mb, &call->charges[i]);

	return err ? ENOMEM : 0;
}


int journal_encode_call(struct mbuf *mb, enum journal_type type,
			const struct cdr_call *call)
{
	size_t start;
	int err;

	assert(type == JOURNAL_BEGIN || type == JOURNAL_ANSWER ||
	       type == JOURNAL_END);
	assert(call->attempt_n <= CDR_ATTEMPTS_MAX);
	assert(call->charge_n <= CDR_CHARGES_MAX);

	err = frame_begin(mb, type, &start);
	if (!err)
		err = call_write(mb, call);

	return frame_end(mb, start, err);
}


int journal_encode_checkpoint(struct mbuf *mb,
			      const struct cdr_checkpoint *cp)
{
	size_t start;
	int err;

	err = frame_begin(mb, JOURNAL_CHECKPOINT, &start);
	if (!err)
		err = fields_encode(mb, checkpoint_fields, CHECKPOINT_FIELD_N,
				    cp);

	return frame_end(mb, start, err);
}


int journal_encode_segment(struct mbuf *mb,
			   const struct journal_segment *segment)
{
	size_t start;
	int err;

	err = frame_begin(mb, JOURNAL_SEGMENT, &start);
	if (!err)
		err = fields_encode(mb, segment_fields, SEGMENT_FIELD_N,
				    segment);

	return frame_end(mb, start, err);
}


int journal_frame(const uint8_t *buf, size_t len, struct journal_record *ret)
{
	size_t payload, tail;

	if (len < HEAD)
		return ENODATA;

	payload = get_u32(buf) & ~NUMBERED;
	tail = get_u32(buf) & NUMBERED ? JOURNAL_NUMBER_SIZE : 0;
	if (payload > PAYLOAD_MAX || buf[8] < JOURNAL_BEGIN ||
	    buf[8] > JOURNAL_SEGMENT)
		return EBADMSG;
	if (len - HEAD < payload + tail)
		return ENODATA;
	if (get_u32(buf + 4) != crc32c(0, buf + 8, payload + tail + HEAD - 8))
		return EBADMSG;

	ret->type = (enum journal_type)buf[8];
	ret->version = buf[9];
	ret->frame = buf;
	ret->payload = buf + HEAD;
	ret->len = payload;
	ret->number = tail ? get_u64(buf + HEAD + payload) : 0;
	ret->frame_len = payload + tail + HEAD;
	return 0;
}


void journal_number(const uint8_t *frame, size_t len, uint64_t number,
		    struct journal_numbered *ret)
{
	assert(len >= HEAD && !(get_u32(frame) & NUMBERED));
	put_u32(ret->tail, (uint32_t)number);
	put_u32(ret->tail + 4, (uint32_t)(number >> 32));
	put_u32(ret->head, get_u32(frame) | NUMBERED);
	/* the CRC goes on where it ended */
	put_u32(ret->head + 4, crc32c(get_u32(frame + 4), ret->tail,
				      sizeof(ret->tail)));

	ret->parts[0] = (struct iovec){ret->head, sizeof(ret->head)};
	ret->parts[1] = (struct iovec){(void *)(uintptr_t)(frame + 8),
				       len - 8};
	ret->parts[2] = (struct iovec){ret->tail, sizeof(ret->tail)};
}


static int attempts_read(struct field_reader *r, struct cdr_call *call)
{
	uint8_t n;
	int err;

	err = field_read_u8(r, CDR_ATTEMPTS_MAX, &n);
	for (call->attempt_n = 0; call->attempt_n < n && !err;
	     call->attempt_n++) {
		cdr_init(&call->attempts[call->attempt_n]);
		err = fields_decode(r, cdr_fields, CDR_FIELD_N,
				    &call->attempts[call->attempt_n]);
	}

	return err;
}


static int charges_read(struct field_reader *r, struct cdr_call *call)
{
	uint8_t n;
	int err;

	err = field_read_u8(r, CDR_CHARGES_MAX, &n);
	for (call->charge_n = 0; call->charge_n < n && !err;
	     call->charge_n++) {
		struct cdr_charge *c = &call->charges[call->charge_n];

		memset(c, 0, sizeof(*c));
		c->price.cap_micro = PRICE_NO_CAP;
		c->price.exchange_nano = EXCHANGE_SAME;
		c->net_micro = CDR_NULL;
		err = fields_decode(r, charge_fields, CHARGE_FIELD_N, c);
		if (!err && c->side > CHARGE_BUY)
			err = EBADMSG;
		if (c->net_micro == CDR_NULL) /* before there were taxes */
			c->net_micro = c->amount_micro;
	}

	return err;
}


/* Records of before there were decisions have none, and those of BEGIN. */
static int why_read(struct field_reader *r, struct cdr_call *call)
{
	const size_t left = (size_t)(r->end - r->p);
	size_t len;

	call->why = NULL;
	if (left < 2)
		return 0;

	len = r->p[0] | (size_t)r->p[1] << 8;
	if (!len || len > left - 2 || len > WHY_SIZE_MAX ||
	    memchr(r->p + 2, '\0', len) != r->p + 2 + len - 1)
		return EBADMSG;

	if (len > 1)
		call->why = (const char *)r->p + 2;
	r->p += 2 + len;

	return 0;
}


/* Of one charge: those that were written, or those of its tariff. What comes
   out is safe to divide by. */
static int steps_read(struct field_reader *r, struct price *p)
{
	struct price plain;
	uint8_t n = 0, i;
	int err = 0;

	if (tariff_check(&p->tariff))
		return EBADMSG;
	if (r->p < r->end)
		err = field_read_u8(r, PRICE_STEPS_MAX, &n);

	for (i = 0; i < n && !err; i++) {
		memset(&p->steps[i], 0, sizeof(p->steps[i]));
		err = fields_decode(r, step_fields, STEP_FIELD_N,
				    &p->steps[i]);
	}
	if (err)
		return EBADMSG;

	p->step_n = n;
	if (!n) {
		price_set(&plain, &p->tariff, p->rounding);
		memcpy(p->steps, plain.steps, sizeof(p->steps));
		p->step_n = plain.step_n;
	}

	return price_check(p) ? EBADMSG : 0;
}


/* Records of before there were packages end before them. */
static int packages_read(struct field_reader *r, struct cdr_charge *c)
{
	uint8_t n = 0;
	int err = 0;

	if (r->p < r->end)
		err = field_read_u8(r, COVERS_MAX, &n);
	for (uint8_t i = 0; i < n && !err; i++) {
		struct cdr_package *p = &c->packages[i];

		err = fields_decode(r, package_fields, PACKAGE_FIELD_N, p);
		if (!err && cover_check(&p->cover))
			err = EBADMSG;
	}
	c->package_n = n;

	return err ? EBADMSG : 0;
}


int journal_decode_call(const struct journal_record *rec,
			struct cdr_call *ret)
{
	struct field_reader r = {rec->payload, rec->payload + rec->len};
	int err;

	if (rec->type == JOURNAL_CHECKPOINT ||
	    rec->type == JOURNAL_SEGMENT || rec->version != CDR_VERSION)
		return EBADMSG;

	cdr_init(&ret->call);
	err = fields_decode(&r, cdr_fields, CDR_FIELD_N, &ret->call);
	if (!err)
		err = attempts_read(&r, ret);
	if (!err)
		err = charges_read(&r, ret);
	if (!err)
		err = why_read(&r, ret);
	for (uint32_t i = 0; !err && i < ret->charge_n; i++)
		err = steps_read(&r, &ret->charges[i].price);
	for (uint32_t i = 0; !err && i < ret->charge_n; i++)
		err = packages_read(&r, &ret->charges[i]);

	return err;
}


int journal_decode_call_id(const struct journal_record *rec,
			   uint8_t call_id[16])
{
	struct field_reader r = {rec->payload, rec->payload + rec->len};
	struct {
		int64_t started_at;
		uint8_t call_id[16];
	} key = {0};
	static const struct cdr_field fields[] = {
		{"started_at", CDR_TIME, 0, 8}, {"call_id", CDR_UUID, 8, 16}};
	int err;

	if (rec->type == JOURNAL_CHECKPOINT ||
	    rec->type == JOURNAL_SEGMENT || rec->version != CDR_VERSION)
		return EBADMSG;

	err = fields_decode(&r, fields, 2, &key);
	if (!err)
		memcpy(call_id, key.call_id, sizeof(key.call_id));
	return err;
}


int journal_decode_checkpoint(const struct journal_record *rec,
			      struct cdr_checkpoint *ret)
{
	struct field_reader r = {rec->payload, rec->payload + rec->len};
	struct cdr_checkpoint cp = {.wall_ms = CDR_NULL};
	int err;

	if (rec->type != JOURNAL_CHECKPOINT || rec->version != CDR_VERSION)
		return EBADMSG;

	err = fields_decode(&r, checkpoint_fields, CHECKPOINT_FIELD_N, &cp);
	if (!err && cp.duration_ms < 0)
		err = EBADMSG;
	if (!err)
		*ret = cp;

	return err;
}


int journal_decode_segment(const struct journal_record *rec,
			   struct journal_segment *ret)
{
	struct field_reader r = {rec->payload, rec->payload + rec->len};
	struct journal_segment segment = {.wall_ms = CDR_NULL};
	int err;

	if (rec->type != JOURNAL_SEGMENT || rec->version != CDR_VERSION)
		return EBADMSG;

	err = fields_decode(&r, segment_fields, SEGMENT_FIELD_N, &segment);
	if (!err && segment.number < 0)
		err = EBADMSG;
	if (!err)
		*ret = segment;

	return err;
}
