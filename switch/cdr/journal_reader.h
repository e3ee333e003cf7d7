/**
 * @file journal_reader.h  The journal as one row of records, over all of its
 * segments, while it is written.
 */
#ifndef JOURNAL_READER_H
#define JOURNAL_READER_H
#include "journal.h"

/** A place between two records. {0}: before all. */
struct journal_position {
	uint32_t segment;
	uint64_t offset;
	uint64_t number;  /**< of the last record before it; 0: not known   */
	uint64_t missing; /**< numbers that no record had, up to it, since the
			       reader began                                */
};

/** < 0, 0, > 0 as a is before, at or behind b. */
int journal_position_compare(struct journal_position a,
			     struct journal_position b);

/** The end of what is on disk now. @return 0, ENOMEM or errno of the folder */
int journal_end(const char *dir, struct journal_position *ret);

/** The first segment that is not before number; *ret is 0 when there is none.
 *  @return 0, ENOMEM or errno of the folder */
int journal_segment_from(const char *dir, uint32_t number, uint32_t *ret);

struct journal_reader;

/**
 * Read from a position on; when its segment is gone, from the next one.
 * @param dir  borrowed
 * @return 0, ENOENT (no segment from there on), ENOMEM or errno of the disk.
 *         mem_deref() closes.
 */
int journal_reader_alloc(struct journal_reader **rp, const char *dir,
			 struct journal_position from);

/**
 * The next record. Damage is passed over, counted and logged.
 * @param ret  borrowed until the next call
 * @return 0, ENODATA (nothing more now) or errno of the disk
 */
int journal_reader_next(struct journal_reader *r, struct journal_record *ret);

/** Behind the last record read. */
struct journal_position journal_reader_at(const struct journal_reader *r);

#endif
