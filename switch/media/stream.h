/**
 * @file stream.h  What comes in on one side of one m-line: is it RTP, is it
 * from whom we expect, what was lost. Pure: no socket, no clock; so it can be
 * tested and simulated. Written by one thread; the counters may be read by
 * any other.
 */
#ifndef STREAM_H
#define STREAM_H
#include <re.h>
#include <stdatomic.h>
#include <stdbool.h>
#include "media.h"

/** How long a choice of the source may still be mended (media.h). */
#define STREAM_WINDOW_US 5000000u

/** What signalling said about a side's peer; rtp port 0: send nothing. */
struct stream_point {
	struct sa rtp, rtcp;
	uint32_t clock_hz;  /**< 0: not RTP (udptl), nothing is checked      */
	bool is_strict;
};

enum stream_verdict {
	STREAM_RTP,       /**< relay it                                     */
	STREAM_RTCP,      /**< relay it                                     */
	STREAM_FOREIGN,   /**< from a stranger                              */
	STREAM_MALFORMED, /**< neither RTP nor RTCP                         */
	STREAM_VERDICT_N
};

/** One writer (relaxed load and store, no locked instruction). */
struct stream_counters {
	_Atomic uint64_t packets, bytes, rtcp_packets, lost, reordered,
		duplicate, foreign, malformed, last_us;
	_Atomic uint32_t jitter_us, jitter_max_us, ssrc;
	_Atomic uint8_t payload_type;
};

/** Sequence numbers of the present source: RFC 3550 A.1. */
struct stream_sequence {
	bool is_started;
	uint32_t ssrc;
	uint16_t max_seq;      /**< highest seen                            */
	uint32_t base, cycles; /**< first seen; 65536 per wrap              */
	uint32_t bad_seq;      /**< where a jump would continue; > 65535: no */
	uint64_t seen;         /**< bit i: max_seq - i has come             */
	uint64_t unique;       /**< packets, duplicates not counted         */
	uint64_t lost_before;  /**< of sources and runs before this one     */
};

/** Interarrival jitter: RFC 3550 A.8. */
struct stream_jitter {
	bool is_started;
	uint32_t last_timestamp, transit;
	uint64_t scaled;       /**< 16 times the jitter, clock units        */
};

struct stream {
	struct stream_point point;     /**< addresses: the last that were not
					    hold                            */
	bool is_pointed, is_held;      /**< held: nothing is sent there     */
	struct sa source, rtcp_source; /**< taken; port 0: none yet         */
	struct sa previous;            /**< taken before the last point     */
	uint64_t window_us;            /**< until this moment               */
	struct stream_sequence sequence;
	struct stream_jitter jitter;
	struct stream_counters counters;
};

/**
 * Take what signalling said. The same address again, or hold, changes nothing
 * for the source that was taken; another RTP address lets go of it.
 */
void stream_point(struct stream *s, const struct stream_point *point,
		  uint64_t now_us);

/**
 * Judge and count one packet that came from the peer of this side.
 * @param is_rtcp  it came to the RTCP port
 */
enum stream_verdict stream_receive(struct stream *s, const uint8_t *bytes,
				   size_t len, bool is_rtcp,
				   const struct sa *from, uint64_t now_us);

/** Where to send what is for the peer of this side. @return false: nowhere */
bool stream_target(const struct stream *s, bool is_rtcp, struct sa *ret);

/** Any thread; peer is not filled. */
void stream_stats(const struct stream *s, struct media_stats *ret);

#endif
