/**
 * @file tests/unit/lawful-intercept/x23_pdu.c  PDUs octet by octet, and what
 * comes back in any pieces.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "text.h"
#include "x23_pdu.h"

static uint8_t buf[X23_PDU_MAX];
static uint32_t seqs[8];
static enum x23_type types[8];
static size_t seq_n;


static void came(enum x23_type type, uint32_t seq, void *arg)
{
	(void)arg;
	if (seq_n < 8) {
		types[seq_n] = type;
		seqs[seq_n] = seq;
	}
	seq_n++;
}


static void same(const uint8_t *bytes, size_t len, const char *hex)
{
	char text[2048];

	cr_assert_eq(strlen(hex), 2 * len, "%zu", len);
	text_hex(text, bytes, len);
	cr_assert_str_eq(text, hex);
}


static struct x23_pdu x2(struct sa *src, struct sa *dst)
{
	static const uint8_t xid[16] = {0x29, 0xf2, 0x8e, 0x1c, 0xf2, 0x30,
					0x48, 0x6a, 0xa8, 0x60, 0xf5, 0xa7,
					0x84, 0xab, 0x91, 0x72};

	(void)sa_set_str(src, "192.0.2.10", 5060);
	(void)sa_set_str(dst, "192.0.2.1", 5061);

	return (struct x23_pdu){
		.type = X23_X2, .format = X23_SIP,
		.direction = X23_FROM_TARGET, .xid = xid, .correlation = 1,
		.ne = "ne-1", .point = "p", .seq = 0x01020304,
		.wall_ns = INT64_C(1795331747123456789), .source = src,
		.destination = dst, .protocol = 17,
		.target = {"<e164Number>49</e164Number>"}, .target_n = 1,
		.payload = (const uint8_t *)"SIP", .len = 3,
	};
}


/* TS 103 221-2 5.1: as other implementations and decoders have it */
Test(x23_pdu, an_x2_octet_by_octet)
{
	struct sa src, dst;
	const struct x23_pdu p = x2(&src, &dst);
	size_t len;

	cr_assert_eq(x23_pdu_encode(buf, sizeof(buf), &len, &p), 0);
	same(buf, len,
	     "000500010000008900000003" "00090003"
	     "29f28e1cf230486aa860f5a784ab9172" "0000000000000001"
	     "000600046e652d31" "0007000170" "0008000401020304"
	     "000900086b0296a3075bcd15" "000a0004c000020a"
	     "000b0004c0000201" "000e000213c4" "000f000213c5" "0010000111"
	     "0011001b3c653136344e756d6265723e34393c2f653136344e756d6265723e"
	     "534950");
}


Test(x23_pdu, ipv6_has_attributes_of_its_own)
{
	struct sa src, dst;
	struct x23_pdu p = x2(&src, &dst);
	size_t len, v4;

	cr_assert_eq(x23_pdu_encode(buf, sizeof(buf), &v4, &p), 0);
	(void)sa_set_str(&src, "2001:db8::1", 5060);
	cr_assert_eq(x23_pdu_encode(buf, sizeof(buf), &len, &p), 0);
	cr_assert_eq(len, v4 + 12);
	cr_assert_eq(memcmp(buf + 73, "\0\x0c\0\x10\x20\x01\x0d\xb8", 8), 0);
	sa_init(&src, AF_UNSPEC);
	cr_assert_eq(x23_pdu_encode(buf, sizeof(buf), &len, &p), EINVAL);
}


Test(x23_pdu, what_does_not_fit_is_told)
{
	struct sa src, dst;
	const struct x23_pdu p = x2(&src, &dst);
	size_t len, need, i;

	cr_assert_eq(x23_pdu_encode(buf, sizeof(buf), &need, &p), 0);
	for (i = 0; i < need; i++)
		cr_assert_eq(x23_pdu_encode(buf, i, &len, &p), EOVERFLOW);
	cr_assert_eq(x23_pdu_encode(buf, need, &len, &p), 0);
}


Test(x23_pdu, a_keepalive_octet_by_octet)
{
	x23_keepalive_encode(buf, X23_KEEPALIVE, 7);
	same(buf, X23_KEEPALIVE_SIZE,
	     "00050003000000300000000000000000"
	     "00000000000000000000000000000000" "0000000000000000"
	     "0008000400000007");
}


Test(x23_pdu, answers_come_in_any_pieces)
{
	struct x23_reader r = {.n = 0};
	uint8_t both[2 * X23_KEEPALIVE_SIZE];
	size_t piece, i;

	x23_keepalive_encode(both, X23_ANSWER, 1);
	x23_keepalive_encode(both + X23_KEEPALIVE_SIZE, X23_KEEPALIVE, 2);
	for (piece = 1; piece <= sizeof(both); piece++) {
		seq_n = 0;
		for (i = 0; i < sizeof(both); i += piece) {
			const size_t n = sizeof(both) - i < piece
						 ? sizeof(both) - i : piece;

			cr_assert_eq(x23_read(&r, both + i, n, came, NULL),
				     0);
		}
		cr_assert_eq(seq_n, 2);
		cr_assert_eq(types[0], X23_ANSWER);
		cr_assert_eq(seqs[0], 1);
		cr_assert_eq(types[1], X23_KEEPALIVE);
		cr_assert_eq(seqs[1], 2);
	}
}


static int fed(size_t at, const char *bytes, size_t len)
{
	struct x23_reader r = {.n = 0};

	x23_keepalive_encode(buf, X23_ANSWER, 1);
	memcpy(buf + at, bytes, len);
	seq_n = 0;

	return x23_read(&r, buf, X23_KEEPALIVE_SIZE, came, NULL);
}


Test(x23_pdu, what_is_no_answer_is_refused)
{
	/* another minor version is taken, another major one is not */
	cr_assert_eq(fed(1, "\x06", 1), 0);
	cr_assert_eq(fed(0, "\x01", 1), EBADMSG);
	cr_assert_eq(fed(2, "\0\1", 2), EBADMSG);             /* an X2      */
	cr_assert_eq(fed(2, "\0\5", 2), EBADMSG);
	cr_assert_eq(fed(4, "\0\0\0\x27", 4), EBADMSG);       /* header 39  */
	cr_assert_eq(fed(4, "\x40\0\0\0", 4), EBADMSG);       /* 1 GiB      */
	cr_assert_eq(fed(8, "\x40\0\0\0", 4), EBADMSG);       /* payload    */
	cr_assert_eq(fed(42, "\xff\xff", 2), EBADMSG);        /* attribute  */
	cr_assert_eq(fed(40, "\0\x07", 2), EBADMSG);          /* no number  */
	cr_assert_eq(seq_n, 0);
}
