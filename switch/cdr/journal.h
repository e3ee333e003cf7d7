/**
 * @file journal.h  The CDR journal: append-only segment files of records
 * (length, CRC-32C, type, version, payload, number), synced in groups by its
 * own thread. A call is done when its END is on disk; PostgreSQL comes later.
 *
 * What was appended survives the process at once (spool.h), and the machine
 * when its group is synced. The numbers of a node's records grow by one over
 * all of its starts: a reader sees what is missing.
 */
#ifndef JOURNAL_H
#define JOURNAL_H
#include <sys/uio.h>
#include "cdr.h"

enum journal_type {
	JOURNAL_BEGIN = 1,      /**< whole cdr_call as known at admission    */
	JOURNAL_ANSWER = 2,     /**< whole cdr_call at the answer            */
	JOURNAL_CHECKPOINT = 3, /**< struct cdr_checkpoint                   */
	JOURNAL_END = 4,        /**< whole cdr_call, final                   */
	JOURNAL_SEGMENT = 5,    /**< struct journal_segment, first of a file */
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

/** What a segment begins with; it has no number itself. */
struct journal_segment {
	int64_t wall_ms;        /**< UTC, when it was begun                 */
	int64_t number;         /**< of the last record before it           */
};
int journal_encode_segment(struct mbuf *mb,
			   const struct journal_segment *segment);

/** A frame with its number, in three pieces; they borrow the frame. */
#define JOURNAL_NUMBER_SIZE 8
struct journal_numbered {
	uint8_t head[8], tail[JOURNAL_NUMBER_SIZE];
	struct iovec parts[3];
};

/** Give a whole frame (without a number so far) its number. Pure. */
void journal_number(const uint8_t *frame, size_t len, uint64_t number,
		    struct journal_numbered *ret);

struct journal_record {
	enum journal_type type;
	uint8_t version;        /**< CDR_VERSION of the writer              */
	const uint8_t *frame, *payload; /**< borrowed                       */
	size_t len;             /**< of the payload                         */
	uint64_t number;        /**< 0: of before there were numbers        */
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
/** Only whose record it is: that of a BEGIN, ANSWER or END. @return 0 or
 *  EBADMSG */
int journal_decode_call_id(const struct journal_record *rec,
			   uint8_t call_id[16]);
int journal_decode_checkpoint(const struct journal_record *rec,
			      struct cdr_checkpoint *ret);
int journal_decode_segment(const struct journal_record *rec,
			   struct journal_segment *ret);

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

/** Space on the disk of the journal, as the settings judge it. */
enum journal_room {
	JOURNAL_ROOM,           /**< enough                                  */
	JOURNAL_ROOM_LOW,       /**< less than warn_bytes: look after it     */
	JOURNAL_ROOM_NONE,      /**< less than min_bytes, or the disk refused */
};

/** It has changed. On the journal thread; before the first call at most once,
 *  on the opener's. */
typedef void(journal_room_h)(enum journal_room room, uint64_t free_bytes,
			     void *arg);

struct journal_config {
	const char *dir;         /**< segments live here: NNNNNNNN.journal  */
	size_t segment_bytes;    /**< a new segment after this (64 MiB)     */
	uint32_t group_ms;       /**< wait this long for company (20)       */
	size_t backlog_max;      /**< records waiting: above, append fails  */
	const char *memory_dir;  /**< a tmpfs for what waits; NULL: our own
				      memory, lost with the process         */
	size_t memory_bytes;     /**< of what waits (32 MiB): above, append
				      fails; 0: that                        */
	uint64_t warn_bytes;     /**< free space below which it is said     */
	uint64_t min_bytes;      /**< and below which BEGIN is refused      */
	uint64_t reserve_bytes;  /**< kept in a file for when nothing is left */
	bool is_passing;         /**< take BEGIN whatever the disk says     */
	journal_room_h *roomh;   /**< or NULL                               */
};

/**
 * Open: write what an earlier start left in memory, cut a torn tail, replay
 * what is not closed into END records of a new segment (synced before
 * return), start the thread.
 * @param h  with arg, which roomh gets, too
 * @return 0, EINVAL, ENOMEM, EWOULDBLOCK (another process writes here) or
 *         errno of the disk
 */
int journal_open(struct journal **jp, const struct journal_config *cfg,
		 journal_synced_h *h, void *arg);

/**
 * Append one encoded record. Any thread; never waits for the disk.
 * @param ret_seq  its number, one more than the last one's
 * @return 0, EINVAL (not one whole frame, or one with a number), ENOBUFS
 *         (too much waits) or, for a BEGIN alone, ENOSPC or EIO (the disk is
 *         full or refuses, see journal_refuses()). What admitted calls have
 *         to say is still taken and waits for the disk.
 */
int journal_append(struct journal *j, const uint8_t *frame, size_t len,
		   uint64_t *ret_seq);

/** Why no call may begin now: 0, ENOSPC (space) or EIO (the disk). */
int journal_refuses(const struct journal *j);

/** Sync all, stop the thread, close. A disk that refuses has three seconds
 *  more; what waits then is kept in memory for the next start, or lost (and
 *  logged) when there is none. */
void journal_close(struct journal *j);

#endif
