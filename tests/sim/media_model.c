/** @file media_model.c  Ports and counters without packets. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define PORTS 64
#define PORT_MIN 20000

struct media_session {
	struct le le;
	struct media_model *m;
	uint8_t n;
	unsigned pair[MEDIA_SIDES][SDP_STREAMS_MAX];
	bool is_pointed[MEDIA_SIDES], is_speaking[MEDIA_SIDES];
};

struct media_model {
	struct world *w;
	struct list sessions;
	bool is_used[PORTS];
	size_t capacity;         /* pairs                                  */
	struct sa addr;
};


struct media_model *media_model_alloc(struct world *w)
{
	struct media_model *m = calloc(1, sizeof(*m));

	m->w = w;
	m->capacity = chance(w, 10) ? 4 : PORTS;
	sa_set_str(&m->addr, SIM_MEDIA, 0);

	return m;
}


static void session_end(struct media_session *s)
{
	for (int side = 0; side < MEDIA_SIDES; side++)
		for (uint8_t i = 0; i < s->n; i++)
			s->m->is_used[s->pair[side][i]] = false;
	list_unlink(&s->le);
	free(s);
}


void media_model_crash(struct media_model *m)
{
	while (!list_isempty(&m->sessions))
		session_end(list_head(&m->sessions)->data);
}


void media_model_free(struct media_model *m)
{
	media_model_crash(m);
	free(m);
}


static size_t pairs_used(const struct media_model *m)
{
	size_t n = 0;

	for (unsigned i = 0; i < PORTS; i++)
		n += m->is_used[i];

	return n;
}


static unsigned pair_take(struct media_model *m)
{
	unsigned i = 0;

	while (m->is_used[i])
		i++;
	m->is_used[i] = true;

	return i;
}


static int grow(struct media_session *s, uint8_t n)
{
	struct media_model *m = s->m;

	if (n > SDP_STREAMS_MAX)
		world_fail(m->w, "media: %u streams", n);
	if (pairs_used(m) + 2u * (n - s->n) > m->capacity)
		return ENOSPC;
	for (; s->n < n; s->n++)
		for (int side = 0; side < MEDIA_SIDES; side++)
			s->pair[side][s->n] = pair_take(m);

	return 0;
}


static int open_door(struct media_session **sp, uint8_t n,
		     const uint8_t call[16], void *arg)
{
	struct media_model *m = arg;
	struct media_session *s = calloc(1, sizeof(*s));
	bool is_silent;

	(void)call;
	s->m = m;
	list_append(&m->sessions, &s->le, s);
	if (grow(s, n)) {
		session_end(s);
		return ENOSPC;
	}
	is_silent = chance(m->w, 5);
	for (int side = 0; side < MEDIA_SIDES; side++)
		s->is_speaking[side] = !is_silent && chance(m->w, 95);
	*sp = s;

	return 0;
}




static void point_door(struct media_session *s, enum media_side side,
		       uint8_t stream, const struct sa *rtp,
		       const struct sa *rtcp, uint32_t clock_hz,
		       bool is_strict)
{
	(void)rtcp;
	(void)clock_hz;
	(void)is_strict;
	if (stream >= s->n)
		world_fail(s->m->w, "media: stream %u of %u", stream, s->n);
	if (sa_port(rtp))
		s->is_pointed[side] = true;
}


static void stats_door(const struct media_session *s, enum media_side side,
		       uint8_t stream, struct media_stats *ret)
{
	const struct world *w = s->m->w;

	memset(ret, 0, sizeof(*ret));
	if (stream || !s->is_pointed[side] || !s->is_speaking[side])
		return;
	ret->packets = world_ms(w) / 20;
	ret->bytes = ret->packets * 172;
	ret->last_us = w->now.mono_us;
}


static uint16_t port_door(const struct media_session *s,
			  enum media_side side, uint8_t stream)
{
	if (stream >= s->n)
		world_fail(s->m->w, "media: port of stream %u", stream);

	return (uint16_t)(PORT_MIN + 2 * s->pair[side][stream]);
}


static const struct sa *addr_door(const struct media_session *s,
				  enum media_side side)
{
	(void)side;

	return &s->m->addr;
}


static void close_door(struct media_session *s)
{
	session_end(s);
}


static void census_door(size_t *ret_sessions, size_t *ret_ports, void *arg)
{
	const struct media_model *m = arg;

	*ret_sessions = list_count(&m->sessions);
	*ret_ports = 2 * pairs_used(m);
}


void media_model_doors(struct media_model *m, struct media_doors *ret)
{
	*ret = (struct media_doors){
		.openh = open_door,
		.growh = grow,
		.pointh = point_door,
		.statsh = stats_door,
		.porth = port_door,
		.addrh = addr_door,
		.closeh = close_door,
		.censush = census_door,
		.arg = m,
	};
}
