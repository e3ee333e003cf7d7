/**
 * @file relay.h  The real media plane: a port pool on the signalling side and
 * one media thread per relay that moves RTP and RTCP between sockets. No
 * allocation, lock or log per packet.
 */
#ifndef RELAY_H
#define RELAY_H
#include "media.h"

/** Below the kernel's threads that serve interrupts. */
#define RELAY_PRIORITY_MAX 49

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

/**
 * Let the media thread go before whatever else the machine has to do
 * (SCHED_RR): what waits for the processor delays every packet. It rests
 * between its rounds, so others get their turn also on a single processor.
 *
 * @param priority  1..RELAY_PRIORITY_MAX; 0: as any thread
 * @return 0; EINVAL; EPERM: this process may not (RLIMIT_RTPRIO), it goes on
 *         as any thread
 */
int relay_set_priority(struct relay *r, int priority);

/** The doors for the worker that owns this relay. One worker per relay. */
void relay_doors(struct relay *r, struct media_doors *ret);

/** Stop the thread; sessions must be closed. */
void relay_free(struct relay *r);

#endif
