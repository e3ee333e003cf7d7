/** @file intercept.c  See intercept.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "intercept.h"
#include "poi_link.h"
#include "poi_user.h"

#define SIP_BYTES (16u << 20)

struct intercept {
	struct poi_link *link;
	struct observer *observer;
	bool is_attached;
};


static size_t power_of_two(size_t n)
{
	while (n & (n - 1))
		n &= n - 1;

	return n;
}


int intercept_alloc(struct intercept **ip, const struct intercept_config *cfg)
{
	struct poi_link_config link = {
		.path = cfg->socket,
		.node = cfg->node,
		.sip_size = SIP_BYTES,
		.rtp_size = power_of_two(cfg->queue_bytes),
		.wakeh = cfg->wakeh,
		.arg = cfg->arg,
	};
	struct intercept *i;
	int err = poi_user_find(&link.uid, cfg->user);

	if (err)
		return err;
	i = calloc(1, sizeof(*i));
	if (!i)
		return ENOMEM;

	err = poi_link_alloc(&i->link, &link);
	if (!err) {
		i->observer = poi_link_observer(i->link);
		err = tap_attach(observer_hear, i->observer);
		i->is_attached = !err;
	}

	if (err)
		intercept_stop(i);
	else
		*ip = i;

	return err;
}


int intercept_start(struct intercept *i)
{
	return poi_link_start(i->link);
}


bool intercept_look(struct intercept *i, int64_t wall_us)
{
	return i && observer_look(i->observer, wall_us * 1000);
}


void intercept_stop(struct intercept *i)
{
	if (!i)
		return;

	if (i->is_attached)
		tap_detach(observer_hear, i->observer);
	poi_link_stop(i->link);
	poi_link_free(i->link);
	free(i);
}
