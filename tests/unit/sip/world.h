/**
 * @file world.h  One endpoint with virtual time and a wire that remembers.
 */
#ifndef WORLD_H
#define WORLD_H
#include <re.h>
#include "endpoint.h"
#include "wheel.h"

#define SENT_MAX 64

struct sent {
	uint64_t at_ms;
	struct sip_path path;
	char text[2048];
};

struct traced {
	int dir;
	bool retransmission;
	void *owner;
};

/** A message of no owner: its direction, and how it begins. */
struct outside {
	int dir;
	char begin[12], call_id[16];
	size_t len;
};

struct world {
	struct wheel *wheel;
	struct rng *rng;
	struct token_mint *mint;
	struct sip_endpoint *ep;
	uint64_t now_ms;
	struct sip_path path;   /**< of the peer, 192.0.2.1:5060       */
	int send_err;           /**< what the wire says                */
	size_t sent_n, traced_n, outside_n, requests_n;
	struct sent sent[SENT_MAX];
	struct traced traced[SENT_MAX];
	struct outside outside[SENT_MAX];
	/** for requests out of any dialog; may be NULL */
	void (*requesth)(struct world *w, const struct sip_msg *msg);
};

/** Both clocks start at 0. */
void world_open(struct world *w);
void world_close(struct world *w);

/** Fire everything up to at_ms. */
void world_until(struct world *w, uint64_t at_ms);

/** Bytes from the peer. */
void world_recv(struct world *w, const char *fmt, ...);

/** How many were sent whose first line begins so. */
size_t world_count(const struct world *w, const char *start);
/** Moments of them as "0 500 1500"; static storage. */
const char *world_times(const struct world *w, const char *start);
/** Newest such; NULL when none. */
const struct sent *world_last(const struct world *w, const char *start);

#endif
