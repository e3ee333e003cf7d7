/**
 * @file journal.h  The CDR journal: append-only segment files of records
 * (length, CRC-32C, type, version, payload), synced in groups by its own
 * thread. A call is done when its END is on disk; PostgreSQL comes later.
 */
#ifndef JOURNAL_H
#define JOURNAL_H
#include "cdr.h"

enum journal_type {
	JOURNAL_BEGIN = 1,      /**< whole cdr_call as known at admission    */
	JOURNAL_ANSWER = 2,     /**< whole cdr_call at the answer            */
	JOURNAL_CHECKPOINT = 3, /**< struct cdr_checkpoint                   */
	JOURNAL_END = 4,        /**< whole cdr_call, final                   */
};

struct mbuf;

/* --- the records: pure, used by the journal, the loader and the simulator */

/** No frame is longer. */
#define JOURNAL_FRAME_MAX ((size_t)64 << 10)

/** Append one framed record at the end of mb. @return 0 or ENOMEM (mb is as
 *  it was). Pure. */
int journal_encode_call(struct mbuf *mb, enum journal_type type,
			const struct cdr_call *call);
int journal_encode_checkpoint(struct mbuf *mb,
			      const struct cdr_checkpoint *cp);

struct journal_record {
	enum journal_type type;
	uint8_t version;        /**< CDR_VERSION of the writer              */
	const uint8_t *payload; /**< borrowed                               */
	size_t len;
	size_t frame_len;       /**< to the next record                     */
};

/**
 * Read one frame. Pure; input is hostile (a torn or damaged disk).
 * @return 0; ENODATA (clean end or only a torn tail); EBADMSG (damaged)
 */
int journal_frame(const uint8_t *buf, size_t len,
		  struct journal_record *ret);

/**
 * Read the payload of a frame. Pure; input is hostile.
 * @param ret  attempts and charges beyond their counts are not set; changed
 *             even on failure
 * @return 0 or EBADMSG (also: a version that we do not know)
 */
int journal_decode_call(const struct journal_record *rec,
			struct cdr_call *ret);
int journal_decode_checkpoint(const struct journal_record *rec,
			      struct cdr_checkpoint *ret);

/**
 * Close what a crash left open: feed every record in order, then each call
 * without END comes out with outcome node_lost, end_estimated, billed to its
 * last checkpoint (a call that was not answered: nothing billed). Pure but
 * for memory.
 */
struct journal_replay;
/** @param call  closed, valid during the handler */
typedef void(journal_orphan_h)(const struct cdr_call *call, void *arg);
/** mem_deref() frees. */
int journal_replay_alloc(struct journal_replay **rp);
/** @return 0, ENOMEM, or EBADMSG (not to be read: left out) */
int journal_replay_feed(struct journal_replay *r,
			const struct journal_record *rec);
/** Hand out every call without END, in no order; none is left after it. */
void journal_replay_finish(struct journal_replay *r, journal_orphan_h *h,
			   void *arg);

/* --- the writer */

struct journal;

/** Every record up to and including seq is on disk. On the journal thread. */
typedef void(journal_synced_h)(uint64_t seq, void *arg);

struct journal_config {
	const char *dir;         /**< segments live here: NNNNNNNN.journal  */
	size_t segment_bytes;    /**< a new segment after this (64 MiB)     */
	uint32_t group_ms;       /**< wait this long for company (20)       */
	size_t backlog_max;      /**< records waiting: above, append fails  */
};

/**
 * Open: finish the last segment (cut a torn tail), replay what is not closed
 * into END records of a new segment (synced before return), start the thread.
 * @return 0, EINVAL, ENOMEM, EWOULDBLOCK (another process writes here) or
 *         errno of the disk
 */
int journal_open(struct journal **jp, const struct journal_config *cfg,
		 journal_synced_h *h, void *arg);

/**
 * Queue one encoded record. Any thread; never waits for the disk.
 * @param ret_seq  its sequence number, 1, 2, 3 ...
 * @return 0, EINVAL (not one whole frame), ENOBUFS (backlog full) or, for a
 *         BEGIN alone, EIO (the disk refuses, see journal_healthy()). What
 *         admitted calls have to say is still taken and waits for the disk.
 */
int journal_append(struct journal *j, const uint8_t *frame, size_t len,
		   uint64_t *ret_seq);
bool journal_healthy(const struct journal *j);

/** Sync all, stop the thread, close. A disk that refuses has three seconds
 *  more, then what waits is lost (and logged). */
void journal_close(struct journal *j);

#endif
