/**
 * @file x23_pdu.c  Octets of X2 and X3.
 */
#include <errno.h>
#include <string.h>
#include "octets.h"
#include "x23_pdu.h"

#define VERSION_MAJOR 0
#define VERSION_MINOR 5

/* Attributes (TS 103 221-2 table 5.3.1-2) */
enum attribute {
	A_NE = 6, A_POINT = 7, A_SEQ = 8, A_TIME = 9, A_SOURCE_4 = 10,
	A_DESTINATION_4 = 11, A_SOURCE_6 = 12, A_DESTINATION_6 = 13,
	A_SOURCE_PORT = 14, A_DESTINATION_PORT = 15, A_PROTOCOL = 16,
	A_TARGET = 17,
};


static void put_attribute(struct octet_writer *w, enum attribute a,
			  const void *value, size_t len)
{
	octets_put_int(w, a, 2);
	octets_put_int(w, len, 2);
	octets_put(w, value, len);
}


static void put_number(struct octet_writer *w, enum attribute a, uint64_t v,
		       size_t len)
{
	octets_put_int(w, a, 2);
	octets_put_int(w, len, 2);
	octets_put_int(w, v, len);
}


static void put_text(struct octet_writer *w, enum attribute a, const char *text)
{
	const size_t len = strlen(text);

	if (len > UINT16_MAX) {
		w->is_over = true;
		return;
	}
	put_attribute(w, a, text, len);
}


static int put_address(struct octet_writer *w, const struct sa *sa,
		       enum attribute v4, enum attribute v6)
{
	if (sa_af(sa) == AF_INET)
		put_attribute(w, v4, &sa->u.in.sin_addr, 4);
	else if (sa_af(sa) == AF_INET6)
		put_attribute(w, v6, &sa->u.in6.sin6_addr, 16);
	else
		return EINVAL;

	return 0;
}


static int attributes(struct octet_writer *w, const struct x23_pdu *p)
{
	int err;
	size_t i;

	put_text(w, A_NE, p->ne);
	put_text(w, A_POINT, p->point);
	put_number(w, A_SEQ, p->seq, 4);
	put_number(w, A_TIME,
		   (uint64_t)(p->wall_ns / 1000000000) << 32 |
			   (uint64_t)(p->wall_ns % 1000000000), 8);
	err = put_address(w, p->source, A_SOURCE_4, A_SOURCE_6);
	err = err ? err : put_address(w, p->destination, A_DESTINATION_4,
				      A_DESTINATION_6);
	put_number(w, A_SOURCE_PORT, sa_port(p->source), 2);
	put_number(w, A_DESTINATION_PORT, sa_port(p->destination), 2);
	put_number(w, A_PROTOCOL, p->protocol, 1);
	for (i = 0; i < p->target_n && i < X23_TARGETS; i++)
		put_text(w, A_TARGET, p->target[i]);

	return err;
}


static void header(struct octet_writer *w, enum x23_type type,
		   size_t header_len, size_t len, unsigned format,
		   unsigned direction)
{
	octets_put_int(w, VERSION_MAJOR, 1);
	octets_put_int(w, VERSION_MINOR, 1);
	octets_put_int(w, type, 2);
	octets_put_int(w, header_len, 4);
	octets_put_int(w, len, 4);
	octets_put_int(w, format, 2);
	octets_put_int(w, direction, 2);
}


int x23_pdu_encode(uint8_t *buf, size_t size, size_t *ret_len,
		   const struct x23_pdu *p)
{
	struct octet_writer head = {.p = buf, .left = size};
	struct octet_writer w;
	size_t header_len;
	int err;

	if (size < X23_HEADER || p->len > UINT32_MAX)
		return EOVERFLOW;

	w.p = buf + X23_HEADER;
	w.left = size - X23_HEADER;
	w.is_over = false;
	err = attributes(&w, p);
	header_len = (size_t)(w.p - buf);
	octets_put(&w, p->payload, p->len);
	if (err)
		return err;
	if (w.is_over)
		return EOVERFLOW;

	header(&head, p->type, header_len, p->len, p->format, p->direction);
	octets_put(&head, p->xid, 16);
	octets_put_int(&head, p->correlation, 8);
	*ret_len = (size_t)(w.p - buf);

	return 0;
}


void x23_keepalive_encode(uint8_t buf[X23_KEEPALIVE_SIZE], enum x23_type type,
			  uint32_t seq)
{
	struct octet_writer w = {.p = buf, .left = X23_KEEPALIVE_SIZE};

	memset(buf, 0, X23_KEEPALIVE_SIZE);
	header(&w, type, X23_KEEPALIVE_SIZE, 0, 0, 0);
	w.p = buf + X23_HEADER;
	w.left = X23_KEEPALIVE_SIZE - X23_HEADER;
	put_number(&w, A_SEQ, seq, 4);
}


static uint32_t int_at(const uint8_t *p, size_t len)
{
	uint32_t v = 0;
	size_t i;

	for (i = 0; i < len; i++)
		v = v << 8 | p[i];

	return v;
}


/* Length of the whole, once the header is there; 0: it is none of ours */
static size_t pdu_len(const uint8_t *p)
{
	const uint32_t type = int_at(p + 2, 2);
	const uint32_t header_len = int_at(p + 4, 4);

	if (p[0] != VERSION_MAJOR ||
	    (type != X23_KEEPALIVE && type != X23_ANSWER) ||
	    header_len < X23_HEADER ||
	    header_len > X23_HEADER + X23_ATTRIBUTES_MAX || int_at(p + 8, 4))
		return 0;

	return header_len;
}


static int seq_find(const uint8_t *p, size_t len, uint32_t *ret_seq)
{
	bool is_there = false;

	while (len >= 4) {
		const uint32_t type = int_at(p, 2), n = int_at(p + 2, 2);

		if (n > len - 4)
			return EBADMSG;
		if (type == A_SEQ) {
			if (n != 4 || is_there)
				return EBADMSG;
			*ret_seq = int_at(p + 4, 4);
			is_there = true;
		}
		p += 4 + n;
		len -= 4 + n;
	}

	return !len && is_there ? 0 : EBADMSG;
}


int x23_read(struct x23_reader *r, const uint8_t *bytes, size_t len,
	     x23_reader_h *h, void *arg)
{
	while (len) {
		size_t want = X23_HEADER, n;
		uint32_t seq = 0, type;

		if (r->n >= X23_HEADER)
			want = pdu_len(r->buf);
		n = want - r->n < len ? want - r->n : len;
		memcpy(r->buf + r->n, bytes, n);
		r->n += n;
		bytes += n;
		len -= n;
		if (r->n < X23_HEADER)
			return 0;

		want = pdu_len(r->buf);
		if (!want)
			return EBADMSG;
		if (r->n < want)
			continue;
		if (seq_find(r->buf + X23_HEADER, want - X23_HEADER, &seq))
			return EBADMSG;
		r->n = 0;
		type = int_at(r->buf + 2, 2);
		h((enum x23_type)type, seq, arg);
	}

	return 0;
}
