/**
 * @file ping.h  Carrier health: OPTIONS at each gateway's interval with
 * hysteresis, and what real calls tell. Keyed by gateway id, so that it
 * outlives catalogs.
 */
#ifndef PING_H
#define PING_H
#include "catalog.h"
#include "endpoint.h"

struct ping;
typedef void(ping_change_h)(const char *gateway_id, bool is_up, void *arg);

int ping_alloc(struct ping **pp, struct sip_endpoint *ep,
	       const struct sip_path *from, ping_change_h *h, void *arg);

/** A new catalog: start, stop and retarget probes. The catalog must outlive
 *  the next call of this function. */
void ping_catalog(struct ping *p, const struct catalog *cat);

/** Unknown gateways and unprobed ones are up. */
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
