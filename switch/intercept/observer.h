/**
 * @file observer.h  Hears every call at the tap, and what is said outside of
 * calls, and copies that in which a target takes part. Every call is looked up
 * in the same way; nothing that is done here can be seen from the call.
 *
 * Pure: no clock, no socket, no thread of its own. Events of calls come on
 * the worker's thread, packets on the media thread; what is copied goes into
 * two queues that the link (poi_link.h) reads.
 */
#ifndef OBSERVER_H
#define OBSERVER_H
#include "copy_queue.h"
#include "poi_message.h"
#include "session.h"
#include "tap.h"
#include "target_set.h"

struct observer;

enum copy_kind { COPY_CALL, COPY_SIP, COPY_RTP, COPY_END };

/** A record of a queue; what follows depends on the kind. */
struct copy {
	uint8_t kind, leg, direction, protocol;
	uint16_t attempt, stream;
	uint32_t session, serial;      /**< sessions_at(); see session.h    */
	int64_t wall_ns;
	struct sa source, destination;
	uint64_t rtp_mark;             /**< END: packets up to here are before */
	bool is_in_progress;           /**< CALL                            */
	uint32_t lost[SESSION_SOURCES];/**< of this call, before this record */
	int64_t lost_from_ns, lost_to_ns;
	uint32_t len;                  /**< octets that follow              */
};

struct observer_config {
	size_t sip_size, rtp_size; /**< of the queues, powers of two         */
	void (*ringh)(void *arg);  /**< something was queued, from any thread */
	void *arg;
};

/** @return 0, ENOMEM, errno of guarded_alloc() */
int observer_alloc(struct observer **op, const struct observer_config *cfg);
/** Whoever emits is gone. */
void observer_free(struct observer *o);

/** tap_h: arg is the observer. */
tap_h observer_hear;

/**
 * From the link, when the last one is in force: this set shall be looked up
 * in, also for the calls that are up. The caller leaves it alone until another
 * one is in force. NULL: nobody is sought.
 */
void observer_publish(struct observer *o, const struct target_set *set);
/** Is that done? Any thread. */
bool observer_is_in_force(const struct observer *o);

/**
 * On the worker's thread, between events, once a second at least: take a new
 * set, look at some calls; tell what was said outside of calls long enough
 * ago. A few loads when there is nothing to do.
 * @return true: not through yet, call again soon
 */
bool observer_look(struct observer *o, int64_t wall_ns);

/* --- for the link */
struct copy_queue *observer_sip(struct observer *o); /**< and CALL, END     */
struct copy_queue *observer_rtp(struct observer *o);
struct sessions *observer_sessions(struct observer *o);
/** Not even a CALL fitted: what was told cannot be relied on. Once. */
bool observer_is_broken(struct observer *o);

static inline const uint8_t *copy_bytes(const struct copy *c)
{
	return (const uint8_t *)(c + 1);
}

#endif
