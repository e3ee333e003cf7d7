/**
 * @file leg_world.h  Two endpoints back to back in memory, with virtual time
 * and a wire that loses, doubles and delays what a test names.
 */
#ifndef LEG_WORLD_H
#define LEG_WORLD_H
#include "leg.h"

#define ALICE "127.0.0.1"
#define BOB "127.0.0.2"
#define CAROL "127.0.0.3" /**< nobody: messages are written by hand */
#define SDP "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
#define SDP_LEN (sizeof(SDP) - 1)
#define T64_MS 32000

struct world;

struct party {
	struct world *w;
	struct sip_endpoint *ep;
	struct leg *leg;        /**< the test's reference                   */
	char heard[1024];       /**< "TRYING:100 PROGRESS:180 ..."          */
	struct leg_event last;  /**< without what it borrows                */
	bool had_sdp;
	bool let_go;            /**< mem_deref(leg) on the next event       */
	unsigned invites;
};

enum wire_action { WIRE_DROP, WIRE_DOUBLE, WIRE_DELAY };

void world_open(struct world **wp);
/** Let all timers run, let go of the legs, nothing may be left. */
void world_close(struct world *w);

struct party *world_party(struct world *w, const char *ip);
uint64_t world_ms(const struct world *w);
void world_run(struct world *w, uint64_t ms);
void world_latency(struct world *w, uint64_t ms);

/** key: "INVITE", "200 INVITE"; sender NULL: any. For the next n of them. */
void world_rule(struct world *w, const char *sender, const char *key,
		unsigned n, enum wire_action action, uint64_t delay_ms);

/** Loss and doubling in percent, of everything. 0 ends it. */
void world_weather(struct world *w, uint64_t seed, unsigned loss,
		   unsigned doubled);

/** Messages that sender put on the wire since the start. */
unsigned world_count(const struct world *w, const char *sender,
		     const char *key);
/** The last of them; asserts that there is one. */
const char *world_last(const struct world *w, const char *sender,
		       const char *key);
/** Where it went. */
const struct sa *world_last_dest(const struct world *w, const char *sender,
				 const char *key);

/** Header value of a message, in a static buffer of 8 that rotate. */
const char *header(const char *text, const char *name);
/** Its tag parameter. */
const char *tag_of(const char *value);

/** Bytes from an address, "\n" line ends are made CRLF. */
void world_inject(struct world *w, const char *from, const char *to,
		  const char *fmt, ...);

/** Response by hand to the last request of sender; to_tag "" adds none. */
void world_answer(struct world *w, const char *from, const char *to,
		  const char *method, const char *status, const char *to_tag,
		  const char *more);

/** Dial from ALICE to ip; further fields of out may be set before. */
void world_out(struct leg_out *out, const char *to_ip);
void world_dial(struct world *w, const char *to_ip);
/** ALICE and BOB talk. */
void world_up(struct world *w);

void heard_is(const struct party *p, const char *want);
void leg_event_handler(struct leg *leg, const struct leg_event *ev,
		       void *arg);

#endif
