/**
 * @file media.h  What a call asks of the media plane. Signalling side: called
 * by the worker that owns the call; never waits. The relay behind it is real
 * (relay.h) or, in the simulator, a model.
 */
#ifndef MEDIA_H
#define MEDIA_H
#include <re.h>
#include <stdbool.h>
#include "sdp.h"

enum media_side { MEDIA_A, MEDIA_B, MEDIA_SIDES };

struct media_session;   /**< the ports and streams of one call             */

/** Counters of what came in on one side of one stream. */
struct media_stats {
	uint64_t packets, bytes, rtcp_packets;
	uint64_t lost;          /**< RFC 3550 A.3, never negative            */
	uint64_t reordered, duplicate;
	uint64_t foreign;       /**< from a stranger: dropped                */
	uint64_t malformed;     /**< no RTP: dropped                         */
	uint32_t jitter_us;     /**< RFC 3550 6.4.1                          */
	uint32_t jitter_max_us;
	uint32_t ssrc;
	uint8_t payload_type;
	uint64_t last_us;       /**< mono; 0: nothing came yet               */
	struct sa peer;         /**< where it comes from (after latching)    */
};

struct media_doors {
	/** Open n streams x 2 sides; fills ports. ENOSPC when used up.
	 *  call: 16 bytes for the tap. */
	int (*openh)(struct media_session **sp, uint8_t n,
		     const uint8_t call[16], void *arg);
	/** Have n streams in all (a re-INVITE with another m-line). ENOSPC as
	 *  above; those that were open stay so. */
	int (*growh)(struct media_session *s, uint8_t n);
	/**
	 * Where side's peer wants its media and may send from; sa port 0:
	 * send nothing there (hold; who may send stays as it was). Until the
	 * first point nothing is taken from that side.
	 * strict: only rtp/rtcp exactly as signalled (a carrier); else the
	 * first valid source is taken (RFC 4961 symmetric, customer behind
	 * NAT), however long it rang before, and kept: a stranger never
	 * replaces it, only the signalled address itself may, within 5 s.
	 * Another rtp address lets go of the source (for 5 s the old source
	 * is still relayed, but not taken again); the same one does not.
	 * clock_hz 0: not RTP (udptl), relayed without looking at it.
	 */
	void (*pointh)(struct media_session *s, enum media_side side,
		       uint8_t stream, const struct sa *rtp,
		       const struct sa *rtcp, uint32_t clock_hz,
		       bool is_strict);
	void (*statsh)(const struct media_session *s, enum media_side side,
		       uint8_t stream, struct media_stats *ret);
	/** Our port for that side and stream (RTCP is +1). */
	uint16_t (*porth)(const struct media_session *s,
			  enum media_side side, uint8_t stream);
	/** Our address towards that side. */
	const struct sa *(*addrh)(const struct media_session *s,
				  enum media_side side);
	/** Ports go back to the pool; s is gone. */
	void (*closeh)(struct media_session *s);
	/** Sessions and ports in use, for checkers. */
	void (*censush)(size_t *ret_sessions, size_t *ret_ports, void *arg);
	void *arg;
};

#endif
