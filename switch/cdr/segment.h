/**
 * @file segment.h  The files of the journal: NNNNNNNN.journal, numbered in
 * order and never twice. Listing, and reading record by record.
 */
#ifndef SEGMENT_H
#define SEGMENT_H
#include "journal.h"

/** DIR/00000012.journal. @return 0 or EOVERFLOW */
int segment_path(char *buf, size_t size, const char *dir, uint32_t number);

/**
 * Numbers of all segments in dir, ascending. @param ret_numbers  caller
 * free()s; NULL when there are none. @return 0, ENOMEM or errno of the folder
 */
int segment_list(const char *dir, uint32_t **ret_numbers, size_t *ret_n);

/** Size of a segment; 0 when it is not there. */
uint64_t segment_size(const char *dir, uint32_t number);

/** Make what was created or deleted in dir lasting. @return 0 or errno */
int segment_sync_dir(const char *dir);

struct segment_reader;

/** One segment from an offset on. mem_deref() closes. @return 0 or errno */
int segment_open(struct segment_reader **rp, const char *dir, uint32_t number,
		 uint64_t offset);

/**
 * The next record; damage that is followed by a record is passed over.
 * @param is_final  nobody writes to this segment any more
 * @param ret       borrowed until the next call
 * @return 0; ENODATA (nothing more now: the end, a record not wholly written,
 *         or damage to the end); errno of the disk
 */
int segment_next(struct segment_reader *r, bool is_final,
		 struct journal_record *ret);

uint32_t segment_number(const struct segment_reader *r);
/** Offset behind the last record that was read. */
uint64_t segment_offset(const struct segment_reader *r);
/** Damaged bytes passed over so far. */
uint64_t segment_damaged(const struct segment_reader *r);

#endif
