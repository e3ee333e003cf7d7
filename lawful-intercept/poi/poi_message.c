/**
 * @file poi_message.c  Octets of poi_message.h and back.
 */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include "octets.h"
#include "poi_message.h"

#define RTP_HEADER 12


static uint8_t get_u8(struct octet_reader *r)
{
	return (uint8_t)octets_get_int(r, 1);
}


static uint16_t get_u16(struct octet_reader *r)
{
	return (uint16_t)octets_get_int(r, 2);
}


static uint32_t get_u32(struct octet_reader *r)
{
	return (uint32_t)octets_get_int(r, 4);
}


/* family 4 or 6, port, 16 octets of which IPv4 fills the first four */
static bool put_sa(struct octet_writer *w, const struct sa *sa)
{
	uint8_t addr[16] = {0};
	const int af = sa_af(sa);

	if (af == AF_INET)
		memcpy(addr, &sa->u.in.sin_addr, 4);
	else if (af == AF_INET6)
		memcpy(addr, &sa->u.in6.sin6_addr, 16);
	else
		return false;

	octets_put_int(w, af == AF_INET ? 4 : 6, 1);
	octets_put_int(w, sa_port(sa), 2);
	octets_put(w, addr, sizeof(addr));

	return true;
}


static bool get_sa(struct octet_reader *r, struct sa *sa)
{
	static const uint8_t zero[12];
	const uint8_t family = get_u8(r);
	const uint16_t port = get_u16(r);
	uint8_t addr[16];

	octets_get(r, addr, sizeof(addr));
	if (family == 4) {
		uint32_t v4;

		memcpy(&v4, addr, 4);
		sa_set_in(sa, ntohl(v4), port);
		return !memcmp(addr + 4, zero, sizeof(zero));
	}
	sa_set_in6(sa, addr, port);

	return family == 6;
}


/* What holds on both sides, whoever made the message */

static bool hello_holds(const struct poi_hello *h)
{
	size_t n;

	for (n = 0; n < sizeof(h->node) && h->node[n]; n++) {
		if (h->node[n] <= ' ' || h->node[n] > '~')
			return false;
	}

	return n > 0 && n < sizeof(h->node);
}


static bool targets_hold(const struct poi_targets *t)
{
	size_t i;

	if (!t->generation || !t->parts || t->part >= t->parts ||
	    t->n > POI_TARGETS_PART ||
	    t->parts > POI_TARGETS_MAX / POI_TARGETS_PART)
		return false;

	for (i = 0; i < t->n; i++) {
		if (!t->target[i].want || t->target[i].want & ~POI_WANT_ALL)
			return false;
	}

	return true;
}


static bool call_holds(const struct poi_call *c)
{
	size_t i;

	if (!c->n || c->n > POI_MATCHES_MAX || !c->session ||
	    c->session >= POI_SESSION_END)
		return false;

	for (i = 0; i < c->n; i++) {
		if (!c->match[i].role || c->match[i].role >= POI_ROLE_END)
			return false;
	}

	return true;
}


static bool sip_holds(const struct poi_sip *s)
{
	return s->leg && s->leg < POI_LEG_END && s->direction &&
	       s->direction < POI_DIRECTION_END && s->len &&
	       s->len <= POI_SIP_MAX;
}


static bool rtp_holds(const struct poi_rtp *r)
{
	return r->leg && r->leg < POI_LEG_END && r->len >= RTP_HEADER &&
	       r->len <= POI_RTP_MAX;
}


static bool targets_put(struct octet_writer *w, const struct poi_targets *t)
{
	size_t i;

	if (!targets_hold(t))
		return false;

	octets_put_int(w, t->generation, 4);
	octets_put_int(w, t->part, 2);
	octets_put_int(w, t->parts, 2);
	octets_put_int(w, t->n, 2);
	for (i = 0; i < t->n; i++) {
		octets_put(w, t->target[i].digest, POI_DIGEST_SIZE);
		octets_put_int(w, t->target[i].id, 4);
		octets_put_int(w, t->target[i].want, 1);
	}

	return true;
}


static bool targets_get(struct octet_reader *r, struct poi_targets *t)
{
	size_t i;

	t->generation = get_u32(r);
	t->part = get_u16(r);
	t->parts = get_u16(r);
	t->n = get_u16(r);
	if (t->n > POI_TARGETS_PART)
		return false;

	for (i = 0; i < t->n; i++) {
		octets_get(r, t->target[i].digest, POI_DIGEST_SIZE);
		t->target[i].id = get_u32(r);
		t->target[i].want = get_u8(r);
	}

	return targets_hold(t);
}


static bool call_put(struct octet_writer *w, const struct poi_call *c)
{
	size_t i;

	if (!call_holds(c))
		return false;

	octets_put(w, c->call, POI_ID_SIZE);
	octets_put_int(w, (uint64_t)c->wall_ns, 8);
	octets_put_int(w, c->session, 1);
	octets_put_int(w, c->in_progress, 1);
	octets_put_int(w, c->n, 1);
	for (i = 0; i < c->n; i++) {
		octets_put_int(w, c->match[i].id, 4);
		octets_put_int(w, c->match[i].role, 1);
	}

	return true;
}


static bool call_get(struct octet_reader *r, struct poi_call *c)
{
	uint8_t in_progress;
	size_t i;

	octets_get(r, c->call, POI_ID_SIZE);
	c->wall_ns = (int64_t)octets_get_int(r, 8);
	c->session = get_u8(r);
	in_progress = get_u8(r);
	c->in_progress = in_progress;
	c->n = get_u8(r);
	if (in_progress > 1 || c->n > POI_MATCHES_MAX)
		return false;

	for (i = 0; i < c->n; i++) {
		c->match[i].id = get_u32(r);
		c->match[i].role = get_u8(r);
	}

	return call_holds(c);
}


static bool sip_put(struct octet_writer *w, const struct poi_sip *s)
{
	if (!sip_holds(s))
		return false;

	octets_put(w, s->call, POI_ID_SIZE);
	octets_put_int(w, (uint64_t)s->wall_ns, 8);
	octets_put_int(w, s->leg, 1);
	octets_put_int(w, s->direction, 1);
	octets_put_int(w, s->attempt, 2);
	octets_put_int(w, s->protocol, 1);
	if (!put_sa(w, &s->source) || !put_sa(w, &s->destination))
		return false;
	octets_put(w, s->bytes, s->len);

	return true;
}


static bool sip_get(struct octet_reader *r, struct poi_sip *s)
{
	octets_get(r, s->call, POI_ID_SIZE);
	s->wall_ns = (int64_t)octets_get_int(r, 8);
	s->leg = get_u8(r);
	s->direction = get_u8(r);
	s->attempt = get_u16(r);
	s->protocol = get_u8(r);
	if (!get_sa(r, &s->source) || !get_sa(r, &s->destination))
		return false;
	s->bytes = r->p;
	s->len = r->left;
	r->left = 0;

	return sip_holds(s);
}


static bool rtp_put(struct octet_writer *w, const struct poi_rtp *p)
{
	if (!rtp_holds(p))
		return false;

	octets_put(w, p->call, POI_ID_SIZE);
	octets_put_int(w, (uint64_t)p->wall_ns, 8);
	octets_put_int(w, p->leg, 1);
	octets_put_int(w, p->stream, 2);
	if (!put_sa(w, &p->source) || !put_sa(w, &p->destination))
		return false;
	octets_put(w, p->bytes, p->len);

	return true;
}


static bool rtp_get(struct octet_reader *r, struct poi_rtp *p)
{
	octets_get(r, p->call, POI_ID_SIZE);
	p->wall_ns = (int64_t)octets_get_int(r, 8);
	p->leg = get_u8(r);
	p->stream = get_u16(r);
	if (!get_sa(r, &p->source) || !get_sa(r, &p->destination))
		return false;
	p->bytes = r->p;
	p->len = r->left;
	r->left = 0;

	return rtp_holds(p);
}


static void lost_put(struct octet_writer *w, const struct poi_lost *l)
{
	octets_put(w, l->call, POI_ID_SIZE);
	octets_put_int(w, (uint64_t)l->from_ns, 8);
	octets_put_int(w, (uint64_t)l->to_ns, 8);
	octets_put_int(w, l->sip, 4);
	octets_put_int(w, l->rtp[0], 4);
	octets_put_int(w, l->rtp[1], 4);
}


static void lost_get(struct octet_reader *r, struct poi_lost *l)
{
	octets_get(r, l->call, POI_ID_SIZE);
	l->from_ns = (int64_t)octets_get_int(r, 8);
	l->to_ns = (int64_t)octets_get_int(r, 8);
	l->sip = get_u32(r);
	l->rtp[0] = get_u32(r);
	l->rtp[1] = get_u32(r);
}


static void end_put(struct octet_writer *w, const struct poi_end *e)
{
	octets_put(w, e->call, POI_ID_SIZE);
	octets_put_int(w, (uint64_t)e->wall_ns, 8);
	octets_put_int(w, e->sip, 4);
	octets_put_int(w, e->rtp[0], 4);
	octets_put_int(w, e->rtp[1], 4);
}


static void end_get(struct octet_reader *r, struct poi_end *e)
{
	octets_get(r, e->call, POI_ID_SIZE);
	e->wall_ns = (int64_t)octets_get_int(r, 8);
	e->sip = get_u32(r);
	e->rtp[0] = get_u32(r);
	e->rtp[1] = get_u32(r);
}


static bool body_put(struct octet_writer *w, const struct poi_message *m)
{
	switch (m->type) {
	case POI_HELLO:
		octets_put(w, m->hello.node, sizeof(m->hello.node));
		octets_put(w, m->hello.boot, sizeof(m->hello.boot));
		return hello_holds(&m->hello);
	case POI_KEY:
		octets_put(w, m->key.key, sizeof(m->key.key));
		return true;
	case POI_TARGETS:
		return targets_put(w, &m->targets);
	case POI_IN_FORCE:
		octets_put_int(w, m->in_force.generation, 4);
		octets_put_int(w, m->in_force.n, 4);
		return true;
	case POI_CALL:
		return call_put(w, &m->call);
	case POI_SIP:
		return sip_put(w, &m->sip);
	case POI_RTP:
		return rtp_put(w, &m->rtp);
	case POI_LOST:
		lost_put(w, &m->lost);
		return true;
	case POI_END:
		end_put(w, &m->end);
		return true;
	case POI_TYPE_END:
	default:
		return false;
	}
}


static bool body_get(struct octet_reader *r, struct poi_message *m)
{
	switch (m->type) {
	case POI_HELLO:
		octets_get(r, m->hello.node, sizeof(m->hello.node));
		octets_get(r, m->hello.boot, sizeof(m->hello.boot));
		return hello_holds(&m->hello);
	case POI_KEY:
		octets_get(r, m->key.key, sizeof(m->key.key));
		return true;
	case POI_TARGETS:
		return targets_get(r, &m->targets);
	case POI_IN_FORCE:
		m->in_force.generation = get_u32(r);
		m->in_force.n = get_u32(r);
		return true;
	case POI_CALL:
		return call_get(r, &m->call);
	case POI_SIP:
		return sip_get(r, &m->sip);
	case POI_RTP:
		return rtp_get(r, &m->rtp);
	case POI_LOST:
		lost_get(r, &m->lost);
		return true;
	case POI_END:
		end_get(r, &m->end);
		return true;
	case POI_TYPE_END:
	default:
		return false;
	}
}


int poi_message_encode(uint8_t *buf, size_t size, size_t *ret_len,
		       const struct poi_message *m)
{
	struct octet_writer w = {.p = buf, .left = size};
	struct octet_writer head = {.p = buf, .left = size};
	size_t len;

	octets_put_int(&w, 0, POI_HEADER_SIZE);
	if (!body_put(&w, m))
		return EINVAL;
	if (w.is_over)
		return EOVERFLOW;

	len = (size_t)(w.p - buf);
	octets_put_int(&head, POI_VERSION, 1);
	octets_put_int(&head, m->type, 1);
	octets_put_int(&head, 0, 2);
	octets_put_int(&head, len, 4);
	*ret_len = len;

	return 0;
}


size_t poi_message_len(const uint8_t *buf, size_t left)
{
	struct octet_reader r = {.p = buf, .left = left};
	uint32_t len;

	(void)get_u32(&r); /* version and type: for whoever takes it apart */
	len = get_u32(&r);

	return r.is_short || len < POI_HEADER_SIZE || len > left ? 0 : len;
}


int poi_message_decode(struct poi_message *m, const uint8_t *buf, size_t len)
{
	struct octet_reader r = {.p = buf, .left = len};
	const uint8_t version = get_u8(&r);

	m->type = get_u8(&r);
	if (get_u16(&r) || get_u32(&r) != len || r.is_short ||
	    len > POI_MESSAGE_MAX)
		return EBADMSG;
	if (version != POI_VERSION)
		return EPROTONOSUPPORT;
	if (!body_get(&r, m) || r.is_short || r.left)
		return EBADMSG;

	return 0;
}


uint64_t poi_correlation(const uint8_t call[POI_ID_SIZE])
{
	uint64_t v = 0;
	size_t i;

	/* the second half of a UUID of version 7: 62 random bits, after two
	 * that are never both zero (RFC 9562 4.1) */
	for (i = 8; i < POI_ID_SIZE; i++)
		v = v << 8 | call[i];

	return v ? v : 1;
}
