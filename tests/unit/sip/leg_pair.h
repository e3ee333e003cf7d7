/**
 * @file leg_pair.h  Two endpoints back to back in memory, with virtual time
 * and a wire that loses, doubles and delays what a test names.
 */
#ifndef LEG_PAIR_H
#define LEG_PAIR_H
#include "leg.h"

#define ALICE "127.0.0.1"
#define BOB "127.0.0.2"
#define CAROL "127.0.0.3" /**< nobody: messages are written by hand */
#define SDP "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
#define SDP_LEN (sizeof(SDP) - 1)
#define T64_MS 32000

struct pair;

struct party {
	struct pair *w;
	struct sip_endpoint *ep;
	struct leg *leg;        /**< the test's reference                   */
	char heard[1024];       /**< "TRYING:100 PROGRESS:180 ..."          */
	struct leg_event last;  /**< without what it borrows                */
	bool had_sdp;
	bool let_go;            /**< mem_deref(leg) on the next event       */
	unsigned invites;
};

enum wire_action { WIRE_DROP, WIRE_DOUBLE, WIRE_DELAY };

void pair_open(struct pair **wp);
/** Let all timers run, let go of the legs, nothing may be left. */
void pair_close(struct pair *w);

struct party *pair_party(struct pair *w, const char *ip);
uint64_t pair_ms(const struct pair *w);
void pair_run(struct pair *w, uint64_t ms);
void pair_latency(struct pair *w, uint64_t ms);

/** key: "INVITE", "200 INVITE"; sender NULL: any. For the next n of them. */
void pair_rule(struct pair *w, const char *sender, const char *key,
		unsigned n, enum wire_action action, uint64_t delay_ms);

/** Loss and doubling in percent, of everything. 0 ends it. */
void pair_weather(struct pair *w, uint64_t seed, unsigned loss,
		   unsigned doubled);

/** Called with true before the endpoints work and false after it, so that
 *  a test can take memory away from them alone. */
void pair_starve(struct pair *w, void (*starve)(bool is_on));
/** The same around what a test asks of a leg. */
void pair_hunger(struct pair *w, bool is_on);

/** Messages that sender put on the wire since the start. */
unsigned pair_count(const struct pair *w, const char *sender,
		     const char *key);
/** The last of them; asserts that there is one. */
const char *pair_last(const struct pair *w, const char *sender,
		       const char *key);
/** Where it went. */
const struct sa *pair_last_dest(const struct pair *w, const char *sender,
				 const char *key);

/** Header value of a message, in a static buffer of 8 that rotate. */
const char *header(const char *text, const char *name);
/** Its tag parameter. */
const char *tag_of(const char *value);

/** Bytes from an address, "\n" line ends are made CRLF. */
void pair_inject(struct pair *w, const char *from, const char *to,
		  const char *fmt, ...);

/** Response by hand to the last request of sender; to_tag "" adds none. */
void pair_answer(struct pair *w, const char *from, const char *to,
		  const char *method, const char *status, const char *to_tag,
		  const char *more);

/** Dial from ALICE to ip; further fields of out may be set before. */
void pair_out(struct leg_out *out, const char *to_ip);
void pair_dial(struct pair *w, const char *to_ip);
/** ALICE and BOB talk. */
void pair_up(struct pair *w);

void heard_is(const struct party *p, const char *want);
void leg_event_handler(struct leg *leg, const struct leg_event *ev,
		       void *arg);

#endif
