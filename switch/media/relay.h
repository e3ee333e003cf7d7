/**
 * @file relay.h  The real media plane: a port pool on the signalling side and
 * one media thread per relay that moves RTP and RTCP between sockets. No
 * allocation, lock or log per packet.
 */
#ifndef RELAY_H
#define RELAY_H
#include "media.h"

struct relay;

struct relay_config {
	struct sa addr_a, addr_b;  /**< bind and advertise: customers, carriers
				        (may be equal); port ignored         */
	struct sa public_a, public_b; /**< advertised instead when set       */
	uint16_t port_min, port_max;  /**< even ports used as RTP            */
	uint32_t reuse_ms;            /**< a port rests this long (2000)     */
	uint32_t sessions_max;
	int dscp;                     /**< EF 46                             */
};

/** Start the media thread. */
int relay_alloc(struct relay **rp, const struct relay_config *cfg);

/** The doors for the worker that owns this relay. One worker per relay. */
void relay_doors(struct relay *r, struct media_doors *ret);

/** Stop the thread; sessions must be closed. */
void relay_free(struct relay *r);

#endif
