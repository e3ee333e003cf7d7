/**
 * @file tap.h  What every call and media stream tells whoever listens. The
 * same events are emitted for every call; the emitter cannot tell who hears.
 * An observer runs on the emitting thread: it copies what it wants and
 * returns; it never waits, never fails, never changes anything.
 */
#ifndef TAP_H
#define TAP_H
#include <re.h>
#include <stdbool.h>
#include <stdint.h>

enum tap_kind {
	TAP_CALL_BEGIN, TAP_CALL_ANSWER, TAP_CALL_END,
	TAP_CALL_PARTY, /**< somebody takes part, from now on             */
	TAP_CALL_GONE,  /**< after its end: no message of it can come     */
	TAP_SIP,  /**< one SIP message, verbatim as on the wire           */
	TAP_OUTSIDE, /**< the same, of no call: an INVITE that becomes none,
			   REGISTER, OPTIONS; their answers and ACKs      */
	TAP_RTP,  /**< one RTP packet in the clear, as relayed            */
	TAP_RTCP,
	TAP_KIND_N
};

enum tap_dir { TAP_IN, TAP_OUT };
enum tap_leg { TAP_LEG_NONE, TAP_LEG_A, TAP_LEG_B };

/** How a party takes part. */
enum tap_role {
	TAP_CALLING, TAP_CALLED,
	TAP_FORWARDING, /**< was called, and the call went on to another  */
};

/** Somebody whom a message names. */
struct tap_party {
	enum tap_role role;
	const char *text;       /**< "+49..." or a URI as it stood in a
				     message; borrowed                     */
	size_t len;
};

#define TAP_PARTIES 14          /**< that one message names, at most       */

struct tap_event {
	enum tap_kind kind;
	enum tap_leg leg;
	enum tap_dir dir;
	uint8_t call[16];       /**< call id (UUIDv7); zero if none yet    */
	uint16_t attempt;       /**< carrier attempt of a B leg, from 1    */
	uint16_t stream;        /**< m-line index                          */
	struct sa local, peer;
	uint8_t transport;      /**< enum sip_transp                       */
	bool retransmission;
	int64_t wall_ns;        /**< UTC                                   */
	uint64_t seq;           /**< per (call, leg, dir, stream or SIP): a
				     gap shows a loss                     */
	const char *calling, *called; /**< E.164; BEGIN, ANSWER, END       */
	struct tap_party party;       /**< PARTY                           */
	const struct tap_party *parties; /**< OUTSIDE: whom the request names,
					   as it claims                    */
	size_t party_n;
	const char *dialog;           /**< BEGIN, OUTSIDE: Call-ID of the
					   caller, dialog_len octets long;
					   peer says from where            */
	size_t dialog_len;
	bool is_register;             /**< OUTSIDE                         */
	const uint8_t *bytes;   /**< borrowed for the call of the handler  */
	size_t len;
};

typedef void(tap_h)(const struct tap_event *ev, void *arg);

#define TAP_OBSERVERS 4

/** Attach at any time, also in mid-call. @return 0 or ENOSPC. Any thread. */
int tap_attach(tap_h *h, void *arg);

/**
 * Detach. When it returns no handler of (h, arg) runs any more and none will.
 * Not from inside a handler.
 */
void tap_detach(tap_h *h, void *arg);

/** Is anybody there? One load: the per-packet test. */
bool tap_active(void);

/** Emit to all observers. Any thread. */
void tap_emit(const struct tap_event *ev);

#endif
