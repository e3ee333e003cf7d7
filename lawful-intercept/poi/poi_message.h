/**
 * @file poi_message.h  What the point of interception (strowger-switch) and
 * strowger-li tell each other on their socket: a Unix socket of the kind
 * SOCK_SEQPACKET. A packet of strowger-li is one message; one of the switch is
 * as many as are there to be told, one behind the other: a packet for each
 * cost both more than all else that they do with it. strowger-li listens; both
 * sides look at the other's credentials (SO_PEERCRED) before they read or
 * write.
 *
 * It is not X2 or X3: those are made by strowger-li, for people outside.
 *
 *     strowger-li                              strowger-switch
 *          <---- POI_HELLO ------------------------  first, once
 *          ----- POI_KEY -------------------------->  first, once
 *          ----- POI_TARGETS generation 1, part 0..n->  replaces all before
 *          <---- POI_IN_FORCE generation 1 --------
 *          <---- POI_CALL, POI_SIP, POI_RTP ..., POI_END
 *          <---- POI_LOST -------------------------  what did not fit
 *
 * The switch forgets key and targets when the connection ends, and whatever
 * it queued for it. Never does it wait for this socket.
 *
 * On the wire: version, type, two octets of zero, length of the message, body;
 * integers in network order, no padding, nothing after the body.
 */
#ifndef POI_MESSAGE_H
#define POI_MESSAGE_H
#include <re.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define POI_VERSION 2
#define POI_HEADER_SIZE 8

#define POI_ID_SIZE 16      /**< a call                                     */
#define POI_DIGEST_SIZE 16  /**< of an identity, see poi_target.h           */
#define POI_KEY_SIZE 32
#define POI_NODE_SIZE 64    /**< name of a node, with its NUL               */

#ifndef POI_TARGETS_MAX          /* a test has fewer: it runs in less time */
#define POI_TARGETS_MAX 65536    /**< digests in force                      */
#endif
#define POI_TARGETS_PART 256     /**< in one message                        */
#define POI_MATCHES_MAX 16       /**< in one message; more: another message */
#define POI_SIP_MAX 65535        /**< octets of a SIP message               */
#define POI_RTP_MAX 2048         /**< octets of an RTP packet               */
#define POI_MESSAGE_MAX (POI_SIP_MAX + 128) /**< of any whole message, and of
					  any packet               */

enum poi_type {
	POI_HELLO = 1,    /**< switch to LI: who is there                   */
	POI_KEY = 2,      /**< LI to switch: what identities are hashed with*/
	POI_TARGETS = 3,  /**< LI to switch: a part of all targets          */
	POI_IN_FORCE = 4, /**< switch to LI: these targets are looked up now*/
	POI_CALL = 5,     /**< switch to LI: a call, or what is said outside
			       of calls with one Call-ID, has targets; it comes
			       before any other message of that call, also
			       the INVITE by which they were found, and again
			       when more take part (a forward, a target that
			       came into force in mid-call)                 */
	POI_SIP = 6,      /**< switch to LI: a SIP message, verbatim        */
	POI_RTP = 7,      /**< switch to LI: an RTP packet, in the clear    */
	POI_LOST = 8,     /**< switch to LI: so many messages did not fit   */
	POI_END = 9,      /**< switch to LI: the call is over; nothing follows
			       but, with another POI_CALL first, what is said
			       outside of it with its Call-ID               */
	POI_TYPE_END
};

/** How the identity takes part. */
enum poi_role {
	POI_CALLING = 1,
	POI_CALLED = 2,
	POI_FORWARDING = 3, /**< called, and the call went on to another    */
	POI_ROLE_END
};

/** What happens with the call id. */
enum poi_session {
	POI_SESSION_CALL = 1,
	POI_SESSION_REGISTER = 2, /**< a registration and its answers; who
				       registers is who calls               */
	POI_SESSION_END
};

/** Whose side of the switch: A calls, B is called. */
enum poi_leg { POI_LEG_A = 1, POI_LEG_B = 2, POI_LEG_END };

/** As the switch sees it. */
enum poi_direction { POI_RECEIVED = 1, POI_SENT = 2, POI_DIRECTION_END };

/** What is wanted of the calls of a target. */
enum poi_want { POI_WANT_SIP = 1, POI_WANT_RTP = 2, POI_WANT_ALL = 3 };

struct poi_hello {
	char node[POI_NODE_SIZE];   /**< 1..63 printable characters          */
	uint8_t boot[POI_ID_SIZE];  /**< another one at each start           */
};

struct poi_key_set {
	uint8_t key[POI_KEY_SIZE];  /**< fresh for each connection           */
};

struct poi_target {
	uint8_t digest[POI_DIGEST_SIZE];
	uint32_t id;                /**< ours; what POI_CALL says            */
	uint8_t want;               /**< enum poi_want, or-ed; not 0         */
};

/** They come in order, part 0 first; the set is in force with the last. A new
 *  part 0 gives up a set that is not complete. */
struct poi_targets {
	uint32_t generation;        /**< from 1, ascending                   */
	uint16_t part, parts;       /**< 0..parts-1; parts >= 1              */
	uint16_t n;                 /**< targets of this part, may be 0      */
	struct poi_target target[POI_TARGETS_PART];
};

struct poi_in_force {
	uint32_t generation;
	uint32_t n;                 /**< digests that are looked up          */
};

struct poi_match {
	uint32_t id;                /**< of poi_target                       */
	uint8_t role;               /**< enum poi_role                       */
};

struct poi_call {
	uint8_t call[POI_ID_SIZE];
	int64_t wall_ns;            /**< UTC, when the match was found       */
	uint8_t session;            /**< enum poi_session                    */
	bool in_progress;           /**< it was up before the target was     */
	uint8_t n;                  /**< matches, 1..                        */
	struct poi_match match[POI_MATCHES_MAX];
};

struct poi_sip {
	uint8_t call[POI_ID_SIZE];
	int64_t wall_ns;            /**< UTC, of receiving or sending        */
	uint8_t leg, direction;
	uint16_t attempt;           /**< of a B leg, from 1; A leg: 0        */
	uint8_t protocol;           /**< IP protocol: 17 UDP, 6 TCP, TLS     */
	struct sa source, destination;
	const uint8_t *bytes;       /**< borrowed                            */
	size_t len;                 /**< 1..POI_SIP_MAX                      */
};

struct poi_rtp {
	uint8_t call[POI_ID_SIZE];
	int64_t wall_ns;            /**< UTC, of receiving                   */
	uint8_t leg;                /**< that sent it to us                  */
	uint16_t stream;            /**< index of the m-line                 */
	struct sa source, destination;
	const uint8_t *bytes;       /**< borrowed; RTP header and payload    */
	size_t len;                 /**< 12..POI_RTP_MAX                     */
};

/** Messages of this call that did not fit, since the last POI_LOST of it.
 *  It is sent as soon as something fits again, before what comes after. */
struct poi_lost {
	uint8_t call[POI_ID_SIZE];
	int64_t from_ns, to_ns;     /**< UTC of the first and the last one   */
	uint32_t sip;               /**< of either leg                       */
	uint32_t rtp[2];            /**< that came from leg A, from leg B    */
};

/** Counts are of what was sent here or reported lost. */
struct poi_end {
	uint8_t call[POI_ID_SIZE];
	int64_t wall_ns;
	uint32_t sip;
	uint32_t rtp[2];
};

struct poi_message {
	enum poi_type type;
	union {
		struct poi_hello hello;
		struct poi_key_set key;
		struct poi_targets targets;
		struct poi_in_force in_force;
		struct poi_call call;
		struct poi_sip sip;
		struct poi_rtp rtp;
		struct poi_lost lost;
		struct poi_end end;
	};
};

/**
 * @param buf     POI_MESSAGE_MAX octets are always enough
 * @param ret_len what was written; untouched on failure
 * @return 0, EINVAL (a value out of its bounds), EOVERFLOW (size)
 */
int poi_message_encode(uint8_t *buf, size_t size, size_t *ret_len,
		       const struct poi_message *m);

/**
 * @return length of the message that what is left of a packet begins with;
 *         0: no whole one
 */
size_t poi_message_len(const uint8_t *buf, size_t left);

/**
 * Take one message apart. Bytes of SIP and RTP point into it.
 *
 * @param m  undefined on failure
 * @return 0, EBADMSG, or EPROTONOSUPPORT (another version)
 */
int poi_message_decode(struct poi_message *m, const uint8_t *buf, size_t len);

/** The number that X2 and X3 of one call share. Never 0. */
uint64_t poi_correlation(const uint8_t call[POI_ID_SIZE]);

#endif
