/**
 * @file session.h  The calls that are copied, and finding one by its id: from
 * the worker, from the media thread for each packet, and always by the same
 * number of steps, whether any call is copied or none.
 *
 * Ownership: the worker claims a session and says that it is over; the link
 * (the thread that sends) frees it when all of it is told. The media thread
 * only counts in it.
 */
#ifndef SESSION_H
#define SESSION_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include "poi_message.h"

#define SESSIONS_MAX 4096  /**< at once, and until all is told */
#define ATTEMPTS_MAX 512   /**< of these, that are no calls: whoever can send
				a datagram can make one               */
#define SESSION_MATCHES 32 /**< of one call; further ones are not told */

struct session_match {
	uint32_t id;
	uint8_t role, want; /**< enum poi_role, poi_want */
};

/** What did not fit since it was last told. The thread whose messages they are
 *  counts; with the end of the call the worker takes what there is. */
struct session_lost {
	_Atomic uint32_t n;
	_Atomic int64_t from_ns, to_ns;
};

enum session_source { SESSION_SIP, SESSION_RTP_A, SESSION_RTP_B, SESSION_SOURCES };

struct session {
	/* set when it is claimed */
	uint8_t told[POI_ID_SIZE];    /**< what strowger-li calls it        */
	bool is_attempt, is_register;
	uint32_t index;
	_Atomic uint32_t serial;      /**< of this use; 0: free             */
	_Atomic uint64_t id;          /**< of the call while it is found, or 0 */

	/* the worker's */
	uint32_t place;               /**< where its id stands              */
	uint8_t match_n, told_n;
	struct session_match matches[SESSION_MATCHES];

	_Atomic bool wants_rtp;       /**< and the call is told             */
	struct session_lost lost[SESSION_SOURCES];

	/* the link's */
	uint32_t told_serial;         /**< POI_CALL was sent                */
	uint32_t sent[SESSION_SOURCES];
};

struct sessions;

/** @return 0, ENOMEM or errno of guarded_alloc() */
int sessions_alloc(struct sessions **sp);
void sessions_free(struct sessions *s);

/** Worker or media thread. NULL: it is not copied */
struct session *sessions_find(struct sessions *s,
			      const uint8_t call[POI_ID_SIZE]);
struct session *sessions_at(struct sessions *s, uint32_t index);

/** Media thread, of what it has found: the serial of its use by this call. 0:
 *  it is not this call's any more, and may be another's. */
uint32_t session_serial(const struct session *one,
			const uint8_t call[POI_ID_SIZE]);

/**
 * Worker. NULL: there are too many
 * @param call  by which it is found
 * @param told  by which strowger-li knows it
 */
struct session *sessions_claim(struct sessions *s,
			       const uint8_t call[POI_ID_SIZE],
			       const uint8_t told[POI_ID_SIZE]);
/** The same for messages of no call. NULL: there are ATTEMPTS_MAX */
struct session *sessions_claim_attempt(struct sessions *s,
				       const uint8_t told[POI_ID_SIZE]);
/** Worker: packets are copied from now on if one of its matches says so. */
void session_want_rtp(struct session *one);
/** Worker: it is not found any more. */
void sessions_hide(struct sessions *s, struct session *one);
/** Link. */
void sessions_release(struct sessions *s, struct session *one);

/** So many more were lost, the first and the last then. */
void session_lose(struct session_lost *lost, uint32_t n, int64_t from_ns,
		  int64_t to_ns);

#endif
