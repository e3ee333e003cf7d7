/**
 * @file x23_pdu.h  PDUs of X2 and X3 (TS 103 221-2, clause 5): a header of 40
 * octets, attributes, payload.
 */
#ifndef X23_PDU_H
#define X23_PDU_H
#include <re.h>
#include <stddef.h>
#include <stdint.h>

#define X23_HEADER 40
#define X23_TARGETS 8
#define X23_ATTRIBUTES_MAX 4096
#define X23_PDU_MAX (X23_HEADER + X23_ATTRIBUTES_MAX + 65535)
#define X23_KEEPALIVE_SIZE (X23_HEADER + 8)

enum x23_type { X23_X2 = 1, X23_X3 = 2, X23_KEEPALIVE = 3, X23_ANSWER = 4 };
enum x23_format { X23_RTP = 8, X23_SIP = 9 };

enum x23_direction {
	X23_UNKNOWN = 1, X23_TO_TARGET = 2, X23_FROM_TARGET = 3,
	X23_SEVERAL = 4,
};

struct x23_pdu {
	enum x23_type type;              /**< X2 or X3                      */
	enum x23_format format;
	enum x23_direction direction;
	const uint8_t *xid;              /**< 16 octets                     */
	uint64_t correlation;
	const char *ne, *point;          /**< attributes 6 and 7            */
	uint32_t seq;                    /**< attribute 8                   */
	int64_t wall_ns;                 /**< attribute 9: of interception  */
	const struct sa *source, *destination;
	uint8_t protocol;                /**< attribute 16                  */
	const char *target[X23_TARGETS]; /**< attribute 17: XML of X1       */
	size_t target_n;
	const uint8_t *payload;
	size_t len;
};

/** @return 0, EOVERFLOW or EINVAL (an address that is none) */
int x23_pdu_encode(uint8_t *buf, size_t size, size_t *ret_len,
		   const struct x23_pdu *p);

void x23_keepalive_encode(uint8_t buf[X23_KEEPALIVE_SIZE], enum x23_type type,
			  uint32_t seq);

/** What comes back: a stream of keepalives and answers, in any pieces. */
struct x23_reader {
	uint8_t buf[X23_HEADER + X23_ATTRIBUTES_MAX];
	size_t n;
};

typedef void(x23_reader_h)(enum x23_type type, uint32_t seq, void *arg);

/**
 * @return 0, or EBADMSG: no PDU of this protocol, one with a payload, or one
 *         that is longer than any answer. The connection is of no use then.
 */
int x23_read(struct x23_reader *r, const uint8_t *bytes, size_t len,
	     x23_reader_h *h, void *arg);

#endif
