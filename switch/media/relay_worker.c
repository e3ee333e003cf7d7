/**
 * @file relay_worker.c  One round: wait, read the mailboxes, then one packet
 * from each ready socket, then free lanes that were closed. Sockets are
 * level-triggered and read once a round: reading until EAGAIN costs a system
 * call more for each packet, and recvmmsg finds one packet where a call sends
 * one each 20 ms.
 *
 * Sockets stay unconnected: connect() to the source saved nothing that could
 * be told from noise, and it would hide strangers from the counters.
 *
 * Under load a round is followed by a rest of REST_NS, in which packets
 * gather: waking costs as much as half a packet. Nothing is delayed by more
 * than that; a relay with little to do does not rest. Whoever floods one port
 * makes many short rounds: they are followed by a rest, too, so that a thread
 * that goes before all others leaves them the processor.
 */
#include "relay_worker.h"

#include <assert.h>
#include <pthread.h>
#include <re.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "lane.h"
#include "metric.h"
#include "moment.h"
#include "ring.h"
#include "stream.h"
#include "tap.h"

#define EVENTS_MAX 256
#define PACKET_MAX 2048
#define REST_NS 1000000    /* 1 ms */
#define REST_PACKETS 3     /* a round with so many is followed by a rest */
#define BUSY_PACKETS 16    /* rounds with so many in BUSY_US, too */
#define BUSY_US 1000

enum fate {
	FATE_RELAYED,
	FATE_FOREIGN,
	FATE_MALFORMED,
	FATE_NO_TARGET,
	FATE_SEND,
	FATE_N
};

struct relay_worker {
	struct ring *ring;
	size_t lanes_max;
	atomic_size_t lanes;     /* alive: written from both sides           */
	atomic_bool is_stopping;
	pthread_t thread;

	/* the thread's alone */
	int epoll_fd;
	struct lane *dying;
	struct moment now;       /* read once a round                        */
	uint64_t busy_us;        /* since when packets are counted, ...      */
	int busy;                /* ... and how many there were              */
	uint64_t fates[FATE_N];  /* of this round                            */
	struct metric *metrics[FATE_N];
	uint8_t packet[PACKET_MAX];
};


static const char *const fate_labels[FATE_N] = {
	[FATE_FOREIGN] = "reason=\"foreign\"",
	[FATE_MALFORMED] = "reason=\"malformed\"",
	[FATE_NO_TARGET] = "reason=\"no_target\"",
	[FATE_SEND] = "reason=\"send\"",
};


static void metrics_find(struct relay_worker *w)
{
	int i;

	w->metrics[FATE_RELAYED] =
		metric_counter("strowger_rtp_packets_total", NULL,
			       "RTP and RTCP packets relayed");

	for (i = FATE_RELAYED + 1; i < FATE_N; i++)
		w->metrics[i] = metric_counter("strowger_rtp_dropped_total",
					       fate_labels[i],
					       "Media packets not relayed");
}


/* Once a round, so that no packet pays for a locked instruction. */
static void metrics_add(struct relay_worker *w)
{
	int i;

	for (i = 0; i < FATE_N; i++) {
		if (w->fates[i])
			metric_add(w->metrics[i], w->fates[i]);
		w->fates[i] = 0;
	}
}


static void tap_packet(struct relay_worker *w, const struct lane_port *p,
		       enum tap_dir dir, enum stream_verdict v,
		       const struct sa *peer, size_t len)
{
	struct lane *l = p->lane;
	const uint64_t seq = l->seq[p->side][dir]++;
	struct tap_event ev;

	if (!tap_active())
		return;

	memset(&ev, 0, sizeof(ev));
	ev.kind = v == STREAM_RTCP ? TAP_RTCP : TAP_RTP;
	ev.leg = p->side == MEDIA_A ? TAP_LEG_A : TAP_LEG_B;
	ev.dir = dir;
	memcpy(ev.call, l->call, sizeof(ev.call));
	ev.stream = l->index;
	ev.local = p->local;
	ev.peer = *peer;
	ev.wall_ns = w->now.wall_us * 1000;
	ev.seq = seq;
	ev.bytes = w->packet;
	ev.len = len;
	tap_emit(&ev);
}


/* The socket towards a side from which it expects this kind of packet. */
static const struct lane_port *port_towards(const struct lane *l, int side,
					    bool is_rtcp,
					    const struct sa *target)
{
	struct sa rtp;

	/* RFC 5761: who takes both on one port gets both from one port */
	if (is_rtcp && stream_target(&l->streams[side], false, &rtp) &&
	    sa_cmp(&rtp, target, SA_ALL))
		is_rtcp = false;

	return &l->ports[side][is_rtcp ? LANE_RTCP : LANE_RTP];
}


static enum fate packet_send(struct relay_worker *w, struct lane *l,
			     int side, enum stream_verdict v, size_t len)
{
	const bool is_rtcp = v == STREAM_RTCP;
	const struct lane_port *out;
	struct sa to;

	if (!stream_target(&l->streams[side], is_rtcp, &to))
		return FATE_NO_TARGET;

	out = port_towards(l, side, is_rtcp, &to);
	if (sendto(out->fd, w->packet, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		   &to.u.sa, to.len) < 0)
		return FATE_SEND;

	tap_packet(w, out, TAP_OUT, v, &to, len);

	return FATE_RELAYED;
}


static enum fate packet_relay(struct relay_worker *w, struct lane_port *p,
			      const struct sa *from, size_t len)
{
	struct lane *l = p->lane;
	struct stream *s = &l->streams[p->side];
	const uint16_t source_port = sa_port(&s->source);
	enum stream_verdict v;

	v = stream_receive(s, w->packet, len, p->kind == LANE_RTCP, from,
			   w->now.mono_us);

	if (sa_port(&s->source) != source_port)
		lane_publish(l, p->side);

	if (v == STREAM_FOREIGN)
		return FATE_FOREIGN;
	if (v == STREAM_MALFORMED)
		return FATE_MALFORMED;

	tap_packet(w, p, TAP_IN, v, from, len);

	return packet_send(w, l, !p->side, v, len);
}


static void port_ready(struct relay_worker *w, struct lane_port *p)
{
	struct sa from;
	ssize_t n;

	from.len = sizeof(from.u);
	n = recvfrom(p->fd, w->packet, sizeof(w->packet),
		     MSG_DONTWAIT | MSG_TRUNC, &from.u.sa, &from.len);
	if (n < 0)
		return; /* a bad checksum, or an ICMP error: no packet */

	if ((size_t)n > sizeof(w->packet)) {
		w->fates[FATE_MALFORMED]++;
		return;
	}

	w->fates[packet_relay(w, p, &from, (size_t)n)]++;
}


static void lane_watch(struct relay_worker *w, struct lane *l)
{
	int side, kind;

	l->is_watched = true;

	for (side = 0; side < MEDIA_SIDES; side++) {
		for (kind = 0; kind < LANE_PORTS; kind++) {
			struct lane_port *p = &l->ports[side][kind];
			struct epoll_event ev = {.events = EPOLLIN,
						 .data.ptr = p};

			/* refused only when the kernel lacks memory; that
			   side then stays deaf and the call ends by its
			   media timeout */
			if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, p->fd, &ev))
				w->fates[FATE_SEND]++;
		}
	}
}


static void mailbox_read(struct relay_worker *w, struct lane *l)
{
	if (!lane_collect(l, w->now.mono_us)) {
		l->next_dying = w->dying;
		w->dying = l;
	}
	else if (!l->is_watched) {
		lane_watch(w, l);
	}
}


static void mailboxes_read(struct relay_worker *w)
{
	struct lane *l;

	do {
		while (ring_pop(w->ring, &l)) {
			if (l) /* else woken to stop */
				mailbox_read(w, l);
		}
	} while (!ring_sleep(w->ring));
}


/* Events of a closed lane may be in hand until its round ends. */
static void dying_free(struct relay_worker *w)
{
	while (w->dying) {
		struct lane *l = w->dying;

		w->dying = l->next_dying;
		lane_free(l);
		atomic_fetch_sub(&w->lanes, 1);
	}
}


/* Before packets: what was said before they came holds for them. */
static bool is_told(const struct epoll_event *events, int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (!events[i].data.ptr)
			return true;
	}

	return false;
}


/* @return packets looked at */
static int round_relay(struct relay_worker *w)
{
	struct epoll_event events[EVENTS_MAX];
	int i, n, packets = 0;

	n = epoll_wait(w->epoll_fd, events, EVENTS_MAX, -1);
	moment_read(&w->now);

	if (is_told(events, n)) {
		ring_wake_clear(w->ring);
		mailboxes_read(w);
	}

	for (i = 0; i < n; i++) {
		if (events[i].data.ptr) {
			port_ready(w, events[i].data.ptr);
			packets++;
		}
	}

	metrics_add(w);
	dying_free(w);

	return packets;
}


static bool is_rest_due(struct relay_worker *w, int packets)
{
	if (w->now.mono_us - w->busy_us >= BUSY_US) {
		w->busy_us = w->now.mono_us;
		w->busy = 0;
	}
	w->busy += packets;

	return packets >= REST_PACKETS || w->busy >= BUSY_PACKETS;
}


static void *worker_main(void *arg)
{
	const struct timespec rest = {.tv_nsec = REST_NS};
	struct relay_worker *w = arg;

	(void)pthread_setname_np(pthread_self(), "media");
	moment_read(&w->now);
	mailboxes_read(w);
	dying_free(w);

	while (!atomic_load(&w->is_stopping)) {
		if (is_rest_due(w, round_relay(w)))
			(void)nanosleep(&rest, NULL);
	}

	moment_read(&w->now);
	mailboxes_read(w);
	dying_free(w);

	return NULL;
}


static int epoll_open(struct relay_worker *w)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = NULL};

	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll_fd < 0)
		return errno;

	return epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, ring_fd(w->ring), &ev)
		       ? errno
		       : 0;
}


static void worker_destroy(struct relay_worker *w)
{
	if (w->epoll_fd >= 0)
		(void)close(w->epoll_fd);
	ring_free(w->ring);
	free(w);
}


int relay_worker_alloc(struct relay_worker **wp, size_t lanes_max)
{
	struct relay_worker *w;
	int err;

	w = calloc(1, sizeof(*w));
	if (!w)
		return ENOMEM;

	w->epoll_fd = -1;
	w->lanes_max = lanes_max;
	metrics_find(w);

	/* a slot for each lane and one for the word to stop */
	err = ring_alloc(&w->ring, lanes_max + 1, sizeof(struct lane *));
	if (err)
		goto out;

	err = epoll_open(w);
	if (err)
		goto out;

	err = pthread_create(&w->thread, NULL, worker_main, w);
	if (err)
		goto out;

	*wp = w;

	return 0;

 out:
	worker_destroy(w);
	return err;
}


void relay_worker_free(struct relay_worker *w)
{
	struct lane *none = NULL;

	if (!w)
		return;

	atomic_store(&w->is_stopping, true);
	(void)ring_push(w->ring, &none);
	(void)pthread_join(w->thread, NULL);
	worker_destroy(w);
}


int relay_worker_set_priority(struct relay_worker *w, int priority)
{
	const struct sched_param param = {.sched_priority = priority};

	return pthread_setschedparam(w->thread,
				     priority ? SCHED_RR : SCHED_OTHER,
				     &param);
}


bool relay_worker_reserve(struct relay_worker *w)
{
	if (atomic_fetch_add(&w->lanes, 1) < w->lanes_max)
		return true;

	atomic_fetch_sub(&w->lanes, 1);

	return false;
}


void relay_worker_unreserve(struct relay_worker *w)
{
	atomic_fetch_sub(&w->lanes, 1);
}


struct ring *relay_worker_ring(struct relay_worker *w)
{
	return w->ring;
}
