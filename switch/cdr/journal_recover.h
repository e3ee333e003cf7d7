/**
 * @file journal_recover.h  What an earlier start left, made whole before
 * anything new begins.
 */
#ifndef JOURNAL_RECOVER_H
#define JOURNAL_RECOVER_H
#include <stdint.h>

struct journal_disk;

/**
 * Write what waited in memory to where it was on its way, cut the torn tail
 * of the last segment, and close open calls in a segment of its own.
 * @param memory_dir  of the spool, or NULL
 * @param ret_number  of the last record of the journal
 * @return 0, ENOMEM or errno of the disk
 */
int journal_recover(struct journal_disk *d, const char *memory_dir,
		    uint64_t *ret_number);

#endif
