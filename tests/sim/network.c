/** @file network.c  Datagrams: delayed, lost, reordered, repeated by seed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"

struct packet {
	struct agent *peer;
	unsigned boot;          /* of the switch when it left */
	size_t len;
	uint8_t buf[];
};


static void brief(struct world *w, const struct agent *p, bool is_in,
		  const uint8_t *buf, size_t len)
{
	const uint8_t *end = memchr(buf, '\r', len);
	const int n = (int)(end ? end - buf : (ptrdiff_t)len);

	world_hash(w, buf, len);
	world_trace(w, "p%u %s %.*s", p->index, is_in ? "-->" : "<--",
		    n > 120 ? 120 : n, (const char *)buf);
}


static void at_switch(struct world *w, void *arg)
{
	struct packet *pk = arg;
	struct sip_path path = {.transport = SIP_TRANSP_UDP};

	w->messages++;
	brief(w, pk->peer, true, pk->buf, pk->len);
	sa_set_str(&path.local, SIM_SWITCH, 5060);
	path.peer = pk->peer->addr;
	lookahead_before(w, pk->peer, pk->buf, pk->len);
	worker_recv(w->worker, &w->now, &path, pk->buf, pk->len);
	lookahead_after(w);
	free(pk);
}


static void at_peer(struct world *w, void *arg)
{
	struct packet *pk = arg;

	w->messages++;
	w->heard_boot = pk->boot;
	brief(w, pk->peer, false, pk->buf, pk->len);
	peer_recv(pk->peer, pk->buf, pk->len);
	free(pk);
}


void network_drop(event_h *h, void *arg)
{
	if (h == at_switch || h == at_peer)
		free(arg);
}


static void once(struct world *w, struct agent *p, const uint8_t *buf,
		 size_t len, event_h *h)
{
	struct packet *pk;

	if (chance(w, w->climate.loss_pct))
		return;

	pk = malloc(sizeof(*pk) + len);
	pk->peer = p;
	pk->boot = w->boot;
	pk->len = len;
	memcpy(pk->buf, buf, len);
	world_after(w, 1 + draw(w, w->climate.delay_ms), h, pk);
}


static void carry(struct world *w, struct agent *p, const uint8_t *buf,
		  size_t len, event_h *h)
{
	once(w, p, buf, len, h);
	if (chance(w, w->climate.dup_pct))
		once(w, p, buf, len, h);
}


void network_to_switch(struct world *w, struct agent *from,
		       const uint8_t *buf, size_t len)
{
	carry(w, from, buf, len, at_switch);
}


int network_from_switch(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg)
{
	struct world *w = arg;

	if (w->is_down)
		return EPIPE;

	for (unsigned i = 0; i < SIM_PEERS; i++) {
		struct agent *p = w->peers[i];

		if (!sa_cmp(&p->addr, &path->peer, SA_ALL))
			continue;
		check_output(w, p, buf, len);
		carry(w, p, buf, len, at_peer);
		return 0;
	}

	world_trace(w, "to nobody: %.60s", (const char *)buf);
	return 0;
}
