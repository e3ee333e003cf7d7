/**
 * @file spool.h  Bytes on their way to the journal's segments, in memory that
 * outlives the process: a ring in a file of a tmpfs. What was put there before
 * a kill -9 is there at the next start; after a power failure it is not.
 *
 * One thread puts, one takes (they may be the same); who puts from several
 * holds a lock.
 */
#ifndef SPOOL_H
#define SPOOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct spool;

/** Where in the journal the bytes that wait will be written. */
struct spool_place {
	uint64_t segment, offset;
};

/**
 * Make an empty one. Where dir cannot be had (no tmpfs, no room, no right) the
 * memory is the process' own, and spool_is_kept() is false.
 * @param dir    a tmpfs, as /dev/shm, or NULL
 * @param id     names the journal among all of this machine
 * @param bytes  room; taken at once, so that it is there when it is needed
 * @return 0, EEXIST (an earlier start left one) or ENOMEM. mem_deref() lets
 *         go of it; a kept one stays until spool_remove().
 */
int spool_make(struct spool **sp, const char *dir, const char *id,
	       size_t bytes, struct spool_place place);

/** One that an earlier start left. @return 0, ENOENT (none, or none of ours),
 *  ENOMEM */
int spool_find(struct spool **sp, const char *dir, const char *id);

bool spool_is_kept(const struct spool *s);

/** Append the parts as one: all of it or nothing, also when the process is
 *  killed meanwhile. @return 0 or ENOBUFS */
int spool_put(struct spool *s, const struct iovec *parts, unsigned n);

/** Bytes put since the beginning; what was put up to there can be read. */
uint64_t spool_end(const struct spool *s);

/** What waits, up to an end; in two pieces when it goes around.
 *  @return bytes; borrowed until spool_done() */
size_t spool_read(const struct spool *s, uint64_t end, struct iovec ret[2]);

struct spool_place spool_place(const struct spool *s);

/** Everything up to end is in the journal, and what follows goes to place. */
void spool_done(struct spool *s, uint64_t end, struct spool_place place);

/** Delete its file; the memory stays until mem_deref(). */
void spool_remove(struct spool *s);

#endif
