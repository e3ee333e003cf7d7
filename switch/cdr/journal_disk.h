/**
 * @file journal_disk.h  The journal's folder as its only writer sees it: the
 * segment that grows, the space that is left, and a file that holds some of
 * it for when there is none.
 */
#ifndef JOURNAL_DISK_H
#define JOURNAL_DISK_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct journal_disk;

#define JOURNAL_ID_SIZE 33

/**
 * Take the folder (made when it is not there), and no segment so far.
 * @return 0, EWOULDBLOCK (another process writes here), ENOMEM or errno.
 *         mem_deref() lets go of it.
 */
int journal_disk_open(struct journal_disk **dp, const char *dir,
		      size_t segment_bytes);

const char *journal_disk_dir(const struct journal_disk *d);

/** 32 hex digits that name this journal among all, for as long as it lives. */
const char *journal_disk_id(const struct journal_disk *d);

/** Where the next group goes, unless a new segment is begun for it. */
void journal_disk_place(const struct journal_disk *d, uint64_t *ret_segment,
			uint64_t *ret_offset);

/** Go on behind segment: the next group begins a new one. */
void journal_disk_follow(struct journal_disk *d, uint32_t segment);

/** Go on in a segment at an offset; what it holds behind it is cut.
 *  @return 0, ENOENT or errno of the disk */
int journal_disk_resume(struct journal_disk *d, uint32_t segment,
			uint64_t offset);

/**
 * Write and sync a group; again with the same bytes after an error. The place
 * moves on success only.
 * @param number  of the last record before the group, for the head of a new
 *                segment
 * @return 0, ENOMEM or errno of the disk
 */
int journal_disk_write(struct journal_disk *d, const struct iovec *parts,
		       unsigned n, uint64_t number);

/** Bytes free for us on that disk; UINT64_MAX when it does not say. */
uint64_t journal_disk_free(const struct journal_disk *d);

/** Hold that much in a file of the folder, or (0) give it back.
 *  @return 0 or errno (no space; a filesystem that cannot) */
int journal_disk_reserve(struct journal_disk *d, uint64_t bytes);

#endif
