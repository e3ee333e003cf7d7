/**
 * @file channel.h  Channels and calls per second of trunks and gateways. A
 * channel is a lease held by a live call: the count in use is the length of
 * the holders' list and nothing else, so it can neither leak nor go negative.
 * One owner: the worker.
 */
#ifndef CHANNEL_H
#define CHANNEL_H
#include "catalog.h"
#include "moment.h"
#include "outcome.h"

/** IN: towards the customer's PBX; OUT: from it, and towards a gateway. */
enum channel_dir { CHANNEL_IN, CHANNEL_OUT, CHANNEL_DIRS };

struct channels;
struct channel_line; /**< all channels of one trunk or gateway            */

/** Embedded in the call; zeroed memory holds nothing. */
struct channel_hold {
	struct le le;
	struct channel_line *line;
	enum channel_dir dir;
	const uint8_t *call_id; /**< 16 bytes, borrowed from the holder    */
};

struct channel_limits {
	int32_t in, out, total; /**< -1: no limit                          */
	int32_t cps;            /**< -1: no limit                          */
};

/** @param key 16 secret bytes for the table. mem_deref() frees. */
int channels_alloc(struct channels **cp, const uint8_t key[16]);

/**
 * Take one channel of the line named id, or say which limit stands against
 * it. Nothing is held on a refusal.
 *
 * @param limits  of the present catalog; NULL: no limit (emergency)
 * @return OUT_OK, OUT_LIMIT_IN, OUT_LIMIT_OUT, OUT_LIMIT_TOTAL, OUT_LIMIT_CPS,
 *         OUT_LIMIT_NODE (out of memory)
 */
enum outcome channel_take(struct channels *c, struct channel_hold *hold,
			  const char *id, enum channel_dir dir,
			  const struct channel_limits *limits,
			  const struct moment *now, const uint8_t *call_id);

/** What channel_take() would say now. Nothing changes. */
enum outcome channel_check(const struct channels *c, const char *id,
			   enum channel_dir dir,
			   const struct channel_limits *limits,
			   const struct moment *now);

/** Give it back. Idempotent. */
void channel_release(struct channels *c, struct channel_hold *hold);

/** In use of one line. */
uint32_t channel_used(const struct channels *c, const char *id,
		      enum channel_dir dir);

/** All channels held on this node. */
size_t channel_total(const struct channels *c);

/** Who holds: the answer to "why is my trunk full?" */
typedef void(channel_each_h)(const struct channel_hold *hold, void *arg);
void channel_each(const struct channels *c, const char *id,
		  channel_each_h *h, void *arg);

#endif
