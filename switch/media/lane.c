/**
 * @file lane.c  Sockets and mailbox of one m-line.
 */
#include "lane.h"

#include <assert.h>
#include <netinet/ip.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring.h"


int lane_alloc(struct lane **lp, const uint8_t call[16], uint8_t index)
{
	struct lane *l;
	int side, kind;

	/* not a libre object: it changes threads, and libre's references are
	   not atomic */
	l = calloc(1, sizeof(*l));
	if (!l)
		return ENOMEM;

	memcpy(l->call, call, sizeof(l->call));
	l->index = index;
	(void)pthread_mutex_init(&l->lock, NULL);

	for (side = 0; side < MEDIA_SIDES; side++) {
		for (kind = 0; kind < LANE_PORTS; kind++) {
			struct lane_port *p = &l->ports[side][kind];

			p->lane = l;
			p->fd = -1;
			p->side = (uint8_t)side;
			p->kind = (uint8_t)kind;
		}
	}

	*lp = l;

	return 0;
}


static void side_close(struct lane *l, int side)
{
	int kind;

	for (kind = 0; kind < LANE_PORTS; kind++) {
		struct lane_port *p = &l->ports[side][kind];

		if (p->fd >= 0)
			(void)close(p->fd);
		p->fd = -1;
	}
}


void lane_free(struct lane *l)
{
	int side;

	if (!l)
		return;

	for (side = 0; side < MEDIA_SIDES; side++)
		side_close(l, side);

	(void)pthread_mutex_destroy(&l->lock);
	free(l);
}


static int fd_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? errno : 0;
}


static int fd_prepare(int fd, int af, int dscp)
{
	const int field = dscp << 2; /* RFC 2474 3: the upper six bits */
	int err;

	if (af == AF_INET)
		return fd_option(fd, IPPROTO_IP, IP_TOS, field);

	err = fd_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (err)
		return err;

	return fd_option(fd, IPPROTO_IPV6, IPV6_TCLASS, field);
}


static int port_open(struct lane_port *p, const struct sa *local, int dscp)
{
	int fd, err;

	fd = socket(sa_af(local), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		    IPPROTO_UDP);
	if (fd < 0)
		return errno;

	err = fd_prepare(fd, sa_af(local), dscp);
	if (!err && bind(fd, &local->u.sa, local->len))
		err = errno;

	if (err) {
		(void)close(fd);
		return err;
	}

	p->fd = fd;
	p->local = *local;

	return 0;
}


int lane_open(struct lane *l, enum media_side side, const struct sa *rtp,
	      int dscp)
{
	struct sa rtcp = *rtp;
	int err;

	sa_set_port(&rtcp, (uint16_t)(sa_port(rtp) + 1));

	err = port_open(&l->ports[side][LANE_RTP], rtp, dscp);
	if (!err)
		err = port_open(&l->ports[side][LANE_RTCP], &rtcp, dscp);
	if (err)
		side_close(l, (int)side);

	return err;
}


/* Let go of the lock, then push: the push may wake the worker, which wants the
 * lock at once. The worker takes and frees only lanes that were pushed, and
 * is_queued says that nobody else pushes this one. */
static void unlock_enqueue(struct lane *l, struct ring *to)
{
	const bool is_first = !l->is_queued;
	int err;

	l->is_queued = true;
	(void)pthread_mutex_unlock(&l->lock);
	if (!is_first)
		return;

	err = ring_push(to, &l);
	assert(!err); /* one slot a lane */
	(void)err;
}


void lane_tell(struct lane *l, struct ring *to)
{
	(void)pthread_mutex_lock(&l->lock);
	unlock_enqueue(l, to);
}


void lane_point(struct lane *l, struct ring *to, enum media_side side,
		const struct stream_point *point)
{
	(void)pthread_mutex_lock(&l->lock);
	l->points[side] = *point;
	l->has_point[side] = true;
	unlock_enqueue(l, to);
}


void lane_close(struct lane *l, struct ring *to)
{
	(void)pthread_mutex_lock(&l->lock);
	l->is_closing = true;
	unlock_enqueue(l, to);
}


bool lane_collect(struct lane *l, uint64_t now_us)
{
	bool is_closing;
	int side;

	(void)pthread_mutex_lock(&l->lock);

	l->is_queued = false;
	is_closing = l->is_closing;

	for (side = 0; side < MEDIA_SIDES; side++) {
		if (!l->has_point[side])
			continue;

		l->has_point[side] = false;
		stream_point(&l->streams[side], &l->points[side], now_us);
		l->sources[side] = l->streams[side].source;
	}

	(void)pthread_mutex_unlock(&l->lock);

	return !is_closing;
}


void lane_publish(struct lane *l, enum media_side side)
{
	(void)pthread_mutex_lock(&l->lock);
	l->sources[side] = l->streams[side].source;
	(void)pthread_mutex_unlock(&l->lock);
}


void lane_stats(struct lane *l, enum media_side side, struct media_stats *ret)
{
	memset(ret, 0, sizeof(*ret));
	stream_stats(&l->streams[side], ret);

	(void)pthread_mutex_lock(&l->lock);
	ret->peer = l->sources[side];
	(void)pthread_mutex_unlock(&l->lock);
}
