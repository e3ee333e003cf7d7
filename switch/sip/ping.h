/**
 * @file ping.h  Carrier health: OPTIONS at each gateway's interval, and what
 * real calls tell, through the table of health.h. Keyed by gateway id, so
 * that it outlives catalogs; one gateway's state touches no other's.
 *
 * Probed gateways (ping_s > 0): any final answer but 408 and 503 is a
 * success, no answer before the next probe a failure. ping_down_after
 * failures in a row bring it down, of probes or of calls (3 when 0); what
 * probes brought down comes back after ping_up_after answered ones, what
 * calls brought down by a call, one at a time after a hold.
 */
#ifndef PING_H
#define PING_H
#include "catalog.h"
#include "endpoint.h"
#include "health.h"

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

/** May a call go there now? Unknown gateways are up. Pure. */
bool ping_is_up(const struct ping *p, const struct gateway *gw);

/** A call goes there: of a half-open gateway it is the trial. */
void ping_dialled(struct ping *p, const struct gateway *gw);

/**
 * What a real call tells.
 * @param why            static text, for the state's reason
 * @param retry_after_s  of a 503, 0: none
 */
void ping_heard(struct ping *p, const struct gateway *gw,
		enum health_word word, const char *why,
		uint32_t retry_after_s);

struct ping_state {
	char gateway_id[ID_SIZE];
	bool is_up, is_probed;
	uint32_t rtt_us, failures;
	const char *state;      /**< "up", "suspect", "down", "half_open"   */
	const char *reason;     /**< of that state; static                  */
	int64_t changed_wall_ms;
};
typedef void(ping_each_h)(const struct ping_state *s, void *arg);
void ping_each(const struct ping *p, ping_each_h *h, void *arg);

#endif
