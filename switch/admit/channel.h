/**
 * @file channel.h  Lines: whatever has channels, calls per second or bandwidth
 * (a trunk, an account, a number, a gateway ...), and who holds them. A
 * channel is a lease held by a live call: the count in use is the length of
 * the holders' list and nothing else, so it can neither leak nor go negative.
 * What may be taken is decided in admission.h. One owner: the worker.
 */
#ifndef CHANNEL_H
#define CHANNEL_H
#include "catalog.h"
#include "moment.h"
#include "outcome.h"

#define CHANNEL_IDLE_MAX 100000 /**< lines remembered that nobody holds    */

/** IN: towards the customer's PBX; OUT: from it, and towards a gateway. */
enum channel_dir { CHANNEL_IN, CHANNEL_OUT, CHANNEL_DIRS };

/** What of a line a limit can be of. */
enum channel_measure {
	MEASURE_TOTAL,          /**< calls in and out                      */
	MEASURE_IN, MEASURE_OUT,
	MEASURE_KBPS,           /**< their media, one way                  */
};

struct channels;
struct channel_line; /**< all channels of one trunk, account, gateway ...  */

/** Embedded in the call; zeroed memory holds nothing. */
struct channel_hold {
	struct channel_hold *next, **link;
	struct channel_line *line;
	const uint8_t *call_id; /**< 16 bytes, borrowed from the holder    */
	uint32_t kbps;          /**< of the call's media, one way          */
	uint8_t dir;            /**< enum channel_dir                      */
};

/** Of one line, now and since midnight (UTC). */
struct channel_use {
	uint32_t used[CHANNEL_DIRS];
	uint32_t kbps;
	uint32_t peak[CHANNEL_DIRS], peak_total;
	uint64_t refused, marked; /**< calls, since the line is known      */
};

/** Less than 90 % of a limit that was full is in use. */
typedef void(channel_room_h)(const char *id, enum channel_measure what,
			     uint32_t used, uint32_t limit, void *arg);

/** @param key 16 secret bytes for the table. mem_deref() frees. */
int channels_alloc(struct channels **cp, const uint8_t key[16]);

/**
 * Channels of a call that is not made: lines begin as those of base are, and
 * what is taken here is taken of nothing there.
 * @param base  does not change while this one lives
 */
int channels_draft(struct channels **cp, const struct channels *base);
bool channels_are_draft(const struct channels *c);

/** Who hears that there is room again: from within channel_release(). */
void channels_watch(struct channels *c, channel_room_h *h, void *arg);

/** What an id is looked up by: hashed once, used by the two below; the place
 *  to look is fetched meanwhile. */
uint64_t channel_hash(const struct channels *c, const char *id);

/** The line, or NULL when nobody has used it lately. Of a draft perhaps that
 *  of its base: to be read only. */
struct channel_line *channel_find(const struct channels *c, uint64_t hash,
				  const char *id);

/** The line, made when there is none of its own. NULL: no memory. It lives
 *  until nobody has held it for a whole day (UTC). */
struct channel_line *channel_get(struct channels *c, uint64_t hash,
				 const char *id, const struct moment *now);

/** One is about to be taken: what that touches is fetched meanwhile. */
void channel_expect(const struct channel_line *line, enum channel_dir dir);

/** In use; 0 for NULL. */
uint32_t channel_used(const struct channel_line *line,
		      enum channel_measure what);
void channel_use(const struct channel_line *line, struct channel_use *ret);

/**
 * Hold one channel, whatever the limits say. hold must hold nothing.
 * @param call_id  16 bytes that live as long as the hold
 */
void channel_take(struct channels *c, struct channel_line *line,
		  struct channel_hold *hold, enum channel_dir dir,
		  uint32_t kbps, const struct moment *now,
		  const uint8_t *call_id);

/** Give it back. Idempotent. */
void channel_release(struct channels *c, struct channel_hold *hold);

/** The call's media are these now. Nothing when it holds nothing. */
void channel_set_kbps(struct channel_hold *hold, uint32_t kbps);

/** How long until one more call fits into the calls per second; 0: now. */
uint64_t channel_wait_us(const struct channel_line *line, int32_t cps,
			 const struct moment *now);
/** One more call: the line's clock moves on. */
void channel_count_rate(struct channel_line *line, int32_t cps,
			const struct moment *now);

/** A call met a limit of the line. */
void channel_count_met(struct channel_line *line, bool is_refused);

/** This limit of the line is used up: there shall be word when it is not any
 *  more. @return is that new? */
bool channel_is_full(struct channel_line *line, enum channel_measure what,
		     uint32_t limit);

/** All channels held on this node. */
size_t channel_total(const struct channels *c);

/** Do the counts agree with the lists, everywhere? For the checkers. */
bool channels_are_exact(const struct channels *c);

/** Who holds: the answer to "why is my trunk full?" */
typedef void(channel_each_h)(const struct channel_hold *hold, void *arg);
void channel_each(const struct channel_line *line, channel_each_h *h,
		  void *arg);

#endif
