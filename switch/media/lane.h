/**
 * @file lane.h  One m-line of a call: the four sockets between which its
 * packets move, and the mailbox by which signalling reaches the worker.
 *
 * Ownership:
 *  - Signalling makes a lane, opens its sockets and hands it over with the
 *    first lane_tell(). Until then it may lane_free() it.
 *  - After that the sockets and streams are the worker's alone. Signalling
 *    keeps the pointer to write into the mailbox and to read counters.
 *  - lane_close() is the last use by signalling. The worker frees the lane
 *    at the end of its round, when no event of it can be in hand.
 *  - A lane stands at most once in the ring, whatever is said to it: a ring
 *    with one slot a lane is never full.
 */
#ifndef LANE_H
#define LANE_H
#include <pthread.h>
#include <re.h>
#include <stdbool.h>
#include "media.h"
#include "stream.h"

struct lane;
struct ring;

enum lane_port_kind { LANE_RTP, LANE_RTCP, LANE_PORTS };

/** One socket, as epoll gives it back. */
struct lane_port {
	struct lane *lane;
	int fd;              /**< -1: not open                              */
	uint8_t side, kind;
	struct sa local;
};

struct lane {
	/* fixed before the worker knows the lane */
	uint8_t call[16], index;
	struct lane_port ports[MEDIA_SIDES][LANE_PORTS];

	/* the mailbox, under lock */
	pthread_mutex_t lock;
	bool is_queued, is_closing;
	bool has_point[MEDIA_SIDES];
	struct stream_point points[MEDIA_SIDES];
	struct sa sources[MEDIA_SIDES];  /**< taken; worker writes          */

	/* the worker's alone, but for the counters of the streams */
	bool is_watched;
	struct lane *next_dying;         /**< freed at the end of the round */
	struct stream streams[MEDIA_SIDES];
	uint64_t seq[MEDIA_SIDES][2];    /**< of tap events, by direction   */
};

/** @param call 16 bytes; @param index of the m-line */
int lane_alloc(struct lane **lp, const uint8_t call[16], uint8_t index);

/** Close the sockets, free the memory. NULL is fine. */
void lane_free(struct lane *l);

/**
 * Open and bind both sockets of a side.
 * @param rtp   local address and even port; RTCP binds the next port
 * @param dscp  0..63
 * @return 0, EADDRINUSE (another program has one of them), errno
 */
int lane_open(struct lane *l, enum media_side side, const struct sa *rtp,
	      int dscp);

/** Signalling: queue the lane for the worker; the first time hands it over */
void lane_tell(struct lane *l, struct ring *to);

/** Signalling: where the peer of a side is now. The newest word wins. */
void lane_point(struct lane *l, struct ring *to, enum media_side side,
		const struct stream_point *point);

/** Signalling: the worker will free it. */
void lane_close(struct lane *l, struct ring *to);

/** Worker: take what the mailbox says. @return false: free it now */
bool lane_collect(struct lane *l, uint64_t now_us);

/** Worker: after a source was taken, let signalling see it. */
void lane_publish(struct lane *l, enum media_side side);

/** Signalling: counters and source of one side. */
void lane_stats(struct lane *l, enum media_side side,
		struct media_stats *ret);

#endif
