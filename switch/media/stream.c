/**
 * @file stream.c  Header checks (RFC 3550 5.1, A.1, A.2), receiver statistics
 * (A.1, A.3, A.8) and the choice of the source.
 */
#include "stream.h"

#include <string.h>

#define RTP_HEADER 12
#define RTCP_HEADER 4
#define DROPOUT_MAX 3000  /* RFC 3550 A.1 */
#define MISORDER_MAX 100
#define SEEN_BITS 64
#define NO_BAD_SEQ 0x10000u /* no sequence number is that large */
#define JITTER_GAP_S 5 /* a larger step is a new time base, not jitter */

struct rtp_view {
	uint8_t payload_type;
	uint16_t seq;
	uint32_t timestamp, ssrc;
};


static inline void count(_Atomic uint64_t *c, uint64_t n)
{
	const uint64_t v = atomic_load_explicit(c, memory_order_relaxed);

	atomic_store_explicit(c, v + n, memory_order_relaxed);
}


static inline uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}


static inline uint32_t be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}


/* RFC 3550 5.1 and 5.3.1: what the first octets promise has to be there. */
static bool rtp_view_decode(const uint8_t *p, size_t len, struct rtp_view *ret)
{
	size_t need = RTP_HEADER;

	if (len < RTP_HEADER || p[0] >> 6 != 2)
		return false;

	need += 4u * (p[0] & 0x0f);
	if (p[0] & 0x10) {
		if (len < need + 4)
			return false;
		need += 4 + 4u * be16(p + need + 2);
	}

	if (len < need)
		return false;

	if (p[0] & 0x20 && (!p[len - 1] || p[len - 1] > len - need))
		return false;

	ret->payload_type = p[1] & 0x7f;
	ret->seq = be16(p + 2);
	ret->timestamp = be32(p + 4);
	ret->ssrc = be32(p + 8);

	return true;
}


/* RFC 3550 A.2, but any RTCP type may be first (RFC 5506 4.1) */
static bool rtcp_is_valid(const uint8_t *p, size_t len)
{
	while (len >= RTCP_HEADER) {
		const size_t size = RTCP_HEADER + 4u * be16(p + 2);

		if (p[0] >> 6 != 2 || p[1] < 192 || p[1] > 223 || size > len)
			return false;

		p += size;
		len -= size;
	}

	return len == 0;
}


/* RFC 5761 4: these payload types are RTCP packet types on the RTP port. */
static bool is_muxed_rtcp(const uint8_t *p, size_t len)
{
	return len >= RTCP_HEADER && p[1] >= 192 && p[1] <= 223;
}


static void run_start(struct stream_sequence *q, const struct rtp_view *v)
{
	q->is_started = true;
	q->ssrc = v->ssrc;
	q->base = q->max_seq = v->seq;
	q->cycles = 0;
	q->bad_seq = NO_BAD_SEQ;
	q->seen = 0;
	q->unique = 0;
}


/* RFC 3550 A.3; zero or more here, where RFC 3550 allows less. */
static uint64_t run_lost(const struct stream_sequence *q)
{
	const uint64_t expected =
		(uint64_t)q->cycles + q->max_seq - q->base + 1;

	return expected > q->unique ? expected - q->unique : 0;
}


static void mark_forward(struct stream_sequence *q, uint16_t delta)
{
	q->seen = delta < SEEN_BITS ? q->seen << delta : 0;
	q->seen |= 1;
	q->unique++;
}


/* A packet behind the highest: late, or seen before. */
static void mark_behind(struct stream *s, uint16_t behind)
{
	struct stream_sequence *q = &s->sequence;
	const uint64_t bit = behind < SEEN_BITS ? 1ULL << behind : 0;

	if (q->seen & bit) {
		count(&s->counters.duplicate, 1);
		return;
	}

	q->seen |= bit;
	q->unique++;
	count(&s->counters.reordered, 1);
}


/* @return false when it belongs to no run yet: a jump that may be an error */
static bool sequence_update(struct stream *s, const struct rtp_view *v)
{
	struct stream_sequence *q = &s->sequence;
	const uint16_t delta = (uint16_t)(v->seq - q->max_seq);

	if (delta == 0) {
		mark_behind(s, 0);
	}
	else if (delta < DROPOUT_MAX) {
		if (v->seq < q->max_seq)
			q->cycles += 0x10000;
		q->max_seq = v->seq;
		mark_forward(q, delta);
	}
	else if (delta > UINT16_MAX - MISORDER_MAX + 1) {
		mark_behind(s, (uint16_t)-delta);
	}
	else if (v->seq != q->bad_seq) {
		q->bad_seq = (uint16_t)(v->seq + 1);
		return false;
	}
	else {
		/* two in a row: the other side restarted its count */
		q->lost_before += run_lost(q);
		run_start(q, v);
		mark_forward(q, 0);
		s->jitter.is_started = false;
	}

	return true;
}


/*
 * The source is known by its address, so the first packet counts: no
 * probation (RFC 3550 A.1 has it for sources that nothing else vouches for).
 */
static bool sequence_note(struct stream *s, const struct rtp_view *v)
{
	struct stream_sequence *q = &s->sequence;
	bool is_in_run = true;

	if (q->is_started && q->ssrc == v->ssrc) {
		is_in_run = sequence_update(s, v);
	}
	else {
		if (q->is_started)
			q->lost_before += run_lost(q);
		run_start(q, v);
		mark_forward(q, 0);
		s->jitter.is_started = false;
		atomic_store_explicit(&s->counters.ssrc, v->ssrc,
				      memory_order_relaxed);
	}

	atomic_store_explicit(&s->counters.lost, q->lost_before + run_lost(q),
			      memory_order_relaxed);

	return is_in_run;
}


static void jitter_publish(struct stream *s)
{
	struct stream_counters *c = &s->counters;
	const uint64_t us =
		s->jitter.scaled * 1000000u / 16 / s->point.clock_hz;
	const uint32_t v = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;

	atomic_store_explicit(&c->jitter_us, v, memory_order_relaxed);
	if (v > atomic_load_explicit(&c->jitter_max_us, memory_order_relaxed))
		atomic_store_explicit(&c->jitter_max_us, v,
				      memory_order_relaxed);
}


/*
 * RFC 3550 A.8. Packets of one moment (video frames, RFC 4733 events that
 * repeat their timestamp) are no measure and are left out.
 */
static void jitter_note(struct stream *s, const struct rtp_view *v,
			uint64_t now_us)
{
	struct stream_jitter *j = &s->jitter;
	const uint32_t clock_hz = s->point.clock_hz;
	const uint32_t arrival = (uint32_t)(now_us / 1000000u * clock_hz +
					    now_us % 1000000u * clock_hz /
						    1000000u);
	const uint32_t transit = arrival - v->timestamp;
	int32_t d = (int32_t)(transit - j->transit);

	if (j->is_started && v->timestamp == j->last_timestamp)
		return;

	j->last_timestamp = v->timestamp;
	j->transit = transit;
	if (!j->is_started) {
		j->is_started = true;
		return;
	}

	if (d < 0)
		d = d == INT32_MIN ? INT32_MAX : -d;
	if ((uint64_t)d > (uint64_t)clock_hz * JITTER_GAP_S)
		return;

	j->scaled += (uint64_t)d;
	j->scaled -= (j->scaled - (uint64_t)d + 8) >> 4;
	jitter_publish(s);
}


static bool is_known(const struct sa *sa)
{
	return sa_port(sa) != 0;
}


static void source_take(struct stream *s, const struct sa *from,
			uint64_t now_us)
{
	s->source = *from;
	s->window_us = now_us + STREAM_WINDOW_US;
	if (!sa_cmp(&s->rtcp_source, from, SA_ADDR))
		sa_init(&s->rtcp_source, AF_UNSPEC);
}


/* May this RTP source speak for the peer? Takes it when it is the first. */
static bool source_accept(struct stream *s, const struct sa *from,
			  uint64_t now_us)
{
	const bool is_signalled = sa_cmp(from, &s->point.rtp, SA_ALL);

	if (!is_known(from))
		return false;

	if (s->point.is_strict)
		return is_signalled;

	if (is_known(&s->source)) {
		if (sa_cmp(from, &s->source, SA_ALL))
			return true;

		/* whom signalling named beats who was merely first */
		if (!is_signalled || now_us >= s->window_us)
			return false;
	}
	else if (sa_cmp(from, &s->previous, SA_ALL) &&
		 now_us < s->window_us) {
		/* still under way from before the re-INVITE: it must not be
		   taken for the new place */
		return true;
	}

	source_take(s, from, now_us);

	return true;
}


/* RTCP follows the host of RTP; the first port of that host is taken. */
static bool rtcp_source_accept(struct stream *s, const struct sa *from)
{
	const struct sa *host =
		is_known(&s->source) ? &s->source : &s->point.rtcp;

	if (s->point.is_strict)
		return sa_cmp(from, &s->point.rtcp, SA_ALL) ||
		       sa_cmp(from, &s->point.rtp, SA_ALL);

	if (is_known(&s->rtcp_source))
		return sa_cmp(from, &s->rtcp_source, SA_ALL);

	if (!sa_cmp(from, host, SA_ADDR))
		return false;

	s->rtcp_source = *from;

	return true;
}


void stream_point(struct stream *s, const struct stream_point *point,
		  uint64_t now_us)
{
	const bool is_moved = is_known(&point->rtp) &&
			      !sa_cmp(&s->point.rtp, &point->rtp, SA_ALL);

	if (s->point.clock_hz != point->clock_hz)
		memset(&s->jitter, 0, sizeof(s->jitter));

	if (is_moved) {
		if (is_known(&s->source))
			s->previous = s->source;
		sa_init(&s->source, AF_UNSPEC);
		sa_init(&s->rtcp_source, AF_UNSPEC);
		s->window_us = now_us + STREAM_WINDOW_US;
	}

	s->is_pointed = true;
	s->is_held = !is_known(&point->rtp);
	s->point.clock_hz = point->clock_hz;
	s->point.is_strict = point->is_strict;
	if (!s->is_held) {
		s->point.rtp = point->rtp;
		s->point.rtcp = point->rtcp;
	}
}


static enum stream_verdict verdict_count(struct stream *s,
					 enum stream_verdict v, uint64_t now_us)
{
	struct stream_counters *c = &s->counters;

	if (v == STREAM_FOREIGN)
		count(&c->foreign, 1);
	else if (v == STREAM_MALFORMED)
		count(&c->malformed, 1);
	else
		atomic_store_explicit(&c->last_us, now_us,
				      memory_order_relaxed);

	return v;
}


static enum stream_verdict rtcp_receive(struct stream *s, const uint8_t *bytes,
					size_t len, bool is_muxed,
					const struct sa *from, uint64_t now_us)
{
	if (!len || !rtcp_is_valid(bytes, len))
		return STREAM_MALFORMED;

	if (is_muxed ? !source_accept(s, from, now_us)
		     : !rtcp_source_accept(s, from))
		return STREAM_FOREIGN;

	if (is_muxed)
		s->rtcp_source = *from;
	count(&s->counters.rtcp_packets, 1);

	return STREAM_RTCP;
}


static enum stream_verdict rtp_receive(struct stream *s, const uint8_t *bytes,
				       size_t len, const struct sa *from,
				       uint64_t now_us)
{
	struct rtp_view v = {0, 0, 0, 0};

	if (s->point.clock_hz && !rtp_view_decode(bytes, len, &v))
		return STREAM_MALFORMED;

	if (!source_accept(s, from, now_us))
		return STREAM_FOREIGN;

	count(&s->counters.packets, 1);
	count(&s->counters.bytes, len);
	if (!s->point.clock_hz)
		return STREAM_RTP;

	atomic_store_explicit(&s->counters.payload_type, v.payload_type,
			      memory_order_relaxed);
	if (sequence_note(s, &v))
		jitter_note(s, &v, now_us);

	return STREAM_RTP;
}


enum stream_verdict stream_receive(struct stream *s, const uint8_t *bytes,
				   size_t len, bool is_rtcp,
				   const struct sa *from, uint64_t now_us)
{
	enum stream_verdict v;

	if (!s->is_pointed)
		v = STREAM_FOREIGN;
	else if (is_rtcp)
		v = rtcp_receive(s, bytes, len, false, from, now_us);
	else if (s->point.clock_hz && is_muxed_rtcp(bytes, len))
		v = rtcp_receive(s, bytes, len, true, from, now_us);
	else
		v = rtp_receive(s, bytes, len, from, now_us);

	return verdict_count(s, v, now_us);
}


static void rtcp_target(const struct stream *s, struct sa *ret)
{
	*ret = s->point.rtcp;

	if (is_known(&s->rtcp_source)) {
		*ret = s->rtcp_source;
	}
	else if (is_known(&s->source) && is_known(ret) &&
		 !sa_cmp(&s->source, &s->point.rtp, SA_ADDR)) {
		/* behind NAT: the signalled address is not its address */
		*ret = s->source;
		sa_set_port(ret, (uint16_t)(sa_port(&s->source) + 1));
	}
}


bool stream_target(const struct stream *s, bool is_rtcp, struct sa *ret)
{
	if (!s->is_pointed || s->is_held)
		return false;

	if (is_rtcp)
		rtcp_target(s, ret);
	else
		*ret = is_known(&s->source) ? s->source : s->point.rtp;

	return is_known(ret);
}


void stream_stats(const struct stream *s, struct media_stats *ret)
{
	const struct stream_counters *c = &s->counters;

#define LOAD(f) ret->f = atomic_load_explicit(&c->f, memory_order_relaxed)
	LOAD(packets);
	LOAD(bytes);
	LOAD(rtcp_packets);
	LOAD(lost);
	LOAD(reordered);
	LOAD(duplicate);
	LOAD(foreign);
	LOAD(malformed);
	LOAD(last_us);
	LOAD(jitter_us);
	LOAD(jitter_max_us);
	LOAD(ssrc);
	LOAD(payload_type);
#undef LOAD
}
