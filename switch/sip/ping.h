/**
 * @file ping.h  Carrier health: OPTIONS at each gateway's interval with
 * hysteresis, and what real calls tell. Keyed by gateway id, so that it
 * outlives catalogs.
 *
 * Probed gateways (ping_s > 0): any final answer but 408 and 503 is a
 * success, no answer before the next probe a failure. ping_down_after
 * failures in a row bring it down; while down it is probed as before, and
 * ping_up_after successes in a row bring it up.
 *
 * Unprobed gateways: ping_down_after silent INVITEs in a row (3 when 0) bring
 * it down for PING_HOLD_MS; then calls may try it again, and the first that
 * is silent brings it down for as long again.
 */
#ifndef PING_H
#define PING_H
#include "catalog.h"
#include "endpoint.h"

#define PING_HOLD_MS 30000
#define PING_PATHS 4

struct ping;
typedef void(ping_change_h)(const char *gateway_id, bool is_up, void *arg);

/**
 * @param from  local addresses, transports and sockets for probes: the first
 *              of a gateway's family is taken; at most PING_PATHS
 * @param h     told of every change, from inside ping_heard() or the wheel;
 *              may be NULL
 * mem_deref() frees. One thread.
 */
int ping_alloc(struct ping **pp, struct sip_endpoint *ep,
	       const struct sip_path *from, size_t from_n, ping_change_h *h,
	       void *arg);

/** A new catalog: start, stop and retarget probes. A gateway that stays keeps
 *  its state. Nothing of the catalog is kept. */
void ping_catalog(struct ping *p, const struct catalog *cat);

/** Unknown gateways are up. */
bool ping_is_up(const struct ping *p, const struct gateway *gw);

/** A real INVITE: answered at all (true), or silent / refused by the wire. */
void ping_heard(struct ping *p, const struct gateway *gw, bool was_heard);

struct ping_state {
	char gateway_id[ID_SIZE];
	bool is_up, is_probed;
	uint32_t rtt_us, failures;
	int64_t changed_wall_ms;
};
typedef void(ping_each_h)(const struct ping_state *s, void *arg);
void ping_each(const struct ping *p, ping_each_h *h, void *arg);

#endif
