/**
 * @file relay.c  The signalling side of the relay: sessions, their ports and
 * sockets, and what a peer may name as the place of its media. The packets
 * themselves are the worker's (relay_worker.c).
 */
#include "relay.h"

#include <string.h>

#include "lane.h"
#include "metric.h"
#include "moment.h"
#include "port_pool.h"
#include "relay_worker.h"
#include "rng.h"

#define REST_MIN_MS 2000  /* the worker closes sockets well within this */
#define BIND_TRIES 16
#define LANES_SPARE 64    /* lanes that still close while new ones open */

enum refusal { REFUSED_SESSIONS, REFUSED_PORTS, REFUSED_SOCKET, REFUSED_N };

struct relay {
	struct relay_config cfg;
	struct relay_worker *worker;
	struct port_pool *pools[MEDIA_SIDES]; /* one when addr_a = addr_b  */
	size_t sessions;
	struct metric *sessions_gauge, *ports_gauge, *port_taken;
	struct metric *refused[REFUSED_N];
};

struct media_session {
	struct relay *relay;  /* weak: sessions are closed before the relay */
	uint8_t call[16];
	uint8_t n;
	struct lane *lanes[SDP_STREAMS_MAX];
};


static uint64_t now_ms(void)
{
	struct moment now;

	moment_read(&now);

	return moment_ms(&now);
}


static const struct sa *bind_addr(const struct relay *r, int side)
{
	return side == MEDIA_A ? &r->cfg.addr_a : &r->cfg.addr_b;
}


static const struct sa *public_addr(const struct relay *r, int side)
{
	const struct sa *sa =
		side == MEDIA_A ? &r->cfg.public_a : &r->cfg.public_b;

	return sa_isset(sa, SA_ADDR) ? sa : bind_addr(r, side);
}


static int refuse(struct relay *r, enum refusal why, int err)
{
	metric_add(r->refused[why], 1);

	return err;
}


static uint16_t lane_rtp_port(const struct lane *l, int side)
{
	return sa_port(&l->ports[side][LANE_RTP].local);
}


static void port_give(struct relay *r, int side, uint16_t port)
{
	port_pool_give(r->pools[side], now_ms(), port);
	metric_shift(r->ports_gauge, -LANE_PORTS);
}


/* A port pair that another program holds goes to the end of the queue. */
static int side_open(struct relay *r, struct lane *l, int side)
{
	struct sa local = *bind_addr(r, side);
	uint16_t port;
	int tries, err;

	for (tries = 0; tries < BIND_TRIES; tries++) {
		err = port_pool_take(r->pools[side], now_ms(), &port);
		if (err)
			return refuse(r, REFUSED_PORTS, err);
		metric_shift(r->ports_gauge, LANE_PORTS);

		sa_set_port(&local, port);
		err = lane_open(l, side, &local, r->cfg.dscp);
		if (!err)
			return 0;

		port_give(r, side, port);
		if (err != EADDRINUSE)
			return refuse(r, REFUSED_SOCKET, err);

		metric_add(r->port_taken, 1);
	}

	return refuse(r, REFUSED_PORTS, ENOSPC);
}


static int sides_open(struct relay *r, struct lane *l)
{
	int err;

	err = side_open(r, l, MEDIA_A);
	if (err)
		return err;

	err = side_open(r, l, MEDIA_B);
	if (err)
		port_give(r, MEDIA_A, lane_rtp_port(l, MEDIA_A));

	return err;
}


static int lane_add(struct media_session *s)
{
	struct relay *r = s->relay;
	struct lane *l;
	int err;

	if (!relay_worker_reserve(r->worker))
		return refuse(r, REFUSED_PORTS, ENOSPC);

	err = lane_alloc(&l, s->call, s->n);
	if (err) {
		relay_worker_unreserve(r->worker);
		return err;
	}

	err = sides_open(r, l);
	if (err) {
		lane_free(l);
		relay_worker_unreserve(r->worker);
		return err;
	}

	s->lanes[s->n++] = l;
	lane_tell(l, relay_worker_ring(r->worker));

	return 0;
}


static int session_grow(struct media_session *s, uint8_t n)
{
	int err = 0;

	if (n > SDP_STREAMS_MAX)
		return EINVAL;

	while (!err && s->n < n)
		err = lane_add(s);

	return err;
}


static void lane_drop(struct relay *r, struct lane *l)
{
	int side;

	/* sockets close some microseconds later; ports rest for seconds */
	for (side = 0; side < MEDIA_SIDES; side++)
		port_give(r, side, lane_rtp_port(l, side));

	lane_close(l, relay_worker_ring(r->worker));
}


static void session_destructor(void *arg)
{
	struct media_session *s = arg;
	struct relay *r = s->relay;

	while (s->n)
		lane_drop(r, s->lanes[--s->n]);

	r->sessions--;
	metric_shift(r->sessions_gauge, -1);
}


static int session_open(struct media_session **sp, uint8_t n,
			const uint8_t call[16], void *arg)
{
	struct relay *r = arg;
	struct media_session *s;
	int err;

	if (!sp || !call || n > SDP_STREAMS_MAX)
		return EINVAL;

	if (r->sessions >= r->cfg.sessions_max)
		return refuse(r, REFUSED_SESSIONS, ENOSPC);

	s = mem_zalloc(sizeof(*s), session_destructor);
	if (!s)
		return ENOMEM;

	s->relay = r;
	memcpy(s->call, call, sizeof(s->call));
	r->sessions++;
	metric_shift(r->sessions_gauge, 1);

	err = session_grow(s, n);
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


static void session_close(struct media_session *s)
{
	mem_deref(s);
}


/* Would a packet to this place come in again at the same m-line? */
static bool is_own_port(const struct media_session *s, const struct lane *l,
			const struct sa *sa)
{
	int side, kind;

	for (side = 0; side < MEDIA_SIDES; side++) {
		if (!sa_cmp(sa, bind_addr(s->relay, side), SA_ADDR) &&
		    !sa_cmp(sa, public_addr(s->relay, side), SA_ADDR))
			continue;

		for (kind = 0; kind < LANE_PORTS; kind++) {
			if (sa_port(sa) == sa_port(&l->ports[side][kind].local))
				return true;
		}
	}

	return false;
}


static bool is_group(const struct sa *sa)
{
	if (sa_af(sa) == AF_INET)
		return IN_MULTICAST(sa_in(sa)) ||
		       sa_in(sa) == INADDR_BROADCAST;

	return IN6_IS_ADDR_MULTICAST(&sa->u.in6.sin6_addr);
}


/*
 * A description is a stranger's text: it may not make us send to a group, to
 * ourselves in a circle, or to services that listen on this host alone.
 */
static bool is_sendable(const struct media_session *s, const struct lane *l,
			int side, const struct sa *sa)
{
	const struct sa *ours = bind_addr(s->relay, side);

	return sa && sa_isset(sa, SA_ALL) && sa_af(sa) == sa_af(ours) &&
	       !sa_is_any(sa) && !is_group(sa) &&
	       (!sa_is_loopback(sa) || sa_is_loopback(ours)) &&
	       !is_own_port(s, l, sa);
}


static struct lane *lane_at(const struct media_session *s, uint8_t stream)
{
	return stream < s->n ? s->lanes[stream] : NULL;
}


static void session_point(struct media_session *s, enum media_side side,
			  uint8_t stream, const struct sa *rtp,
			  const struct sa *rtcp, uint32_t clock_hz,
			  bool is_strict)
{
	struct lane *l = lane_at(s, stream);
	struct stream_point point = {.clock_hz = clock_hz,
				     .is_strict = is_strict};

	if (!l)
		return;

	sa_init(&point.rtp, AF_UNSPEC);
	sa_init(&point.rtcp, AF_UNSPEC);
	if (is_sendable(s, l, side, rtp))
		point.rtp = *rtp;
	if (is_sendable(s, l, side, rtcp))
		point.rtcp = *rtcp;

	lane_point(l, relay_worker_ring(s->relay->worker), side, &point);
}


static void session_stats(const struct media_session *s, enum media_side side,
			  uint8_t stream, struct media_stats *ret)
{
	struct lane *l = lane_at(s, stream);

	memset(ret, 0, sizeof(*ret));
	if (l)
		lane_stats(l, side, ret);
}


static uint16_t session_port(const struct media_session *s,
			     enum media_side side, uint8_t stream)
{
	const struct lane *l = lane_at(s, stream);

	return l ? lane_rtp_port(l, side) : 0;
}


static const struct sa *session_addr(const struct media_session *s,
				     enum media_side side)
{
	return public_addr(s->relay, side);
}


static void relay_census(size_t *ret_sessions, size_t *ret_ports, void *arg)
{
	const struct relay *r = arg;
	size_t pairs = port_pool_used(r->pools[MEDIA_A]);

	if (r->pools[MEDIA_B] != r->pools[MEDIA_A])
		pairs += port_pool_used(r->pools[MEDIA_B]);

	*ret_sessions = r->sessions;
	*ret_ports = pairs * LANE_PORTS;
}


void relay_doors(struct relay *r, struct media_doors *ret)
{
	ret->openh = session_open;
	ret->growh = session_grow;
	ret->pointh = session_point;
	ret->statsh = session_stats;
	ret->porth = session_port;
	ret->addrh = session_addr;
	ret->closeh = session_close;
	ret->censush = relay_census;
	ret->arg = r;
}


static void metrics_find(struct relay *r)
{
	static const char *const reasons[REFUSED_N] = {
		[REFUSED_SESSIONS] = "reason=\"sessions\"",
		[REFUSED_PORTS] = "reason=\"ports\"",
		[REFUSED_SOCKET] = "reason=\"socket\"",
	};
	int i;

	r->sessions_gauge = metric_gauge("strowger_media_sessions", NULL,
					 "Calls with media ports");
	r->ports_gauge = metric_gauge("strowger_media_ports_in_use", NULL,
				      "UDP ports held by calls");
	r->port_taken = metric_counter(
		"strowger_media_port_taken_total", NULL,
		"Ports skipped because another program holds them");

	for (i = 0; i < REFUSED_N; i++)
		r->refused[i] = metric_counter(
			"strowger_media_refused_total", reasons[i],
			"Media sessions or streams that could not be opened");
}


static int pools_open(struct relay *r)
{
	const struct relay_config *cfg = &r->cfg;
	struct rng *rng;
	int err;

	err = rng_system(&rng);
	if (err)
		return err;

	err = port_pool_alloc(&r->pools[MEDIA_A], cfg->port_min, cfg->port_max,
			      cfg->reuse_ms, rng);
	if (err)
		goto out;

	if (sa_cmp(&cfg->addr_a, &cfg->addr_b, SA_ADDR))
		r->pools[MEDIA_B] = mem_ref(r->pools[MEDIA_A]);
	else
		err = port_pool_alloc(&r->pools[MEDIA_B], cfg->port_min,
				      cfg->port_max, cfg->reuse_ms, rng);

 out:
	mem_deref(rng);
	return err;
}


static void relay_destructor(void *arg)
{
	struct relay *r = arg;

	relay_worker_free(r->worker);
	mem_deref(r->pools[MEDIA_A]);
	mem_deref(r->pools[MEDIA_B]);
}


int relay_alloc(struct relay **rp, const struct relay_config *cfg)
{
	struct relay *r;
	int err;

	if (!rp || !cfg || !sa_isset(&cfg->addr_a, SA_ADDR) ||
	    !sa_isset(&cfg->addr_b, SA_ADDR) || cfg->dscp < 0 ||
	    cfg->dscp > 63)
		return EINVAL;

	r = mem_zalloc(sizeof(*r), relay_destructor);
	if (!r)
		return ENOMEM;

	r->cfg = *cfg;
	if (r->cfg.reuse_ms < REST_MIN_MS)
		r->cfg.reuse_ms = REST_MIN_MS;
	metrics_find(r);

	err = pools_open(r);
	if (err)
		goto out;

	err = relay_worker_alloc(&r->worker,
				 port_pool_size(r->pools[MEDIA_A]) +
					 LANES_SPARE);

 out:
	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}


int relay_set_priority(struct relay *r, int priority)
{
	if (!r || priority < 0 || priority > RELAY_PRIORITY_MAX)
		return EINVAL;

	return relay_worker_set_priority(r->worker, priority);
}


void relay_free(struct relay *r)
{
	mem_deref(r);
}
