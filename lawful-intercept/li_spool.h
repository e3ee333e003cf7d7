/**
 * @file li_spool.h  PDUs on their way to one destination, in order, on disk
 * and encrypted: nothing is taken away before it is confirmed. Segments of a
 * few MiB, each with a key of its own; those that are confirmed are deleted.
 *
 *     confirmed ........ read ........... written
 *     (a restart and a new connection go on from "confirmed")
 */
#ifndef LI_SPOOL_H
#define LI_SPOOL_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "li_secret.h"

struct li_spool;

/** Between two PDUs. */
struct li_place {
	uint64_t segment; /**< from 1; 0: nowhere  */
	uint64_t offset;  /**< octets              */
	uint64_t record;  /**< records before it   */
};

/**
 * @param folder  of this spool alone; made 0700 when it is not there
 * @param max     octets on disk; what comes then is refused
 */
int li_spool_open(struct li_spool **sp, const char *folder,
		  const struct li_secret *secret, uint64_t max);

/** @return 0, or ENOSPC: it is full, until three quarters are left or the
 *  disk has room again */
int li_spool_put(struct li_spool *s, const uint8_t *pdu, size_t len);

/** What was put is in the file (not: on the medium) afterwards. */
int li_spool_flush(struct li_spool *s);

/**
 * The next one.
 * @return 0, ENODATA (all are read), ENOBUFS (size; nothing is taken)
 */
int li_spool_get(struct li_spool *s, uint8_t *pdu, size_t size,
		 size_t *ret_len);

/** Where reading is. */
struct li_place li_spool_place(const struct li_spool *s);

/** All before a place has arrived. */
void li_spool_confirm(struct li_spool *s, const struct li_place *place);

/** Read again what is not confirmed. */
void li_spool_rewind(struct li_spool *s);

/** Is anything not read yet? */
bool li_spool_has_more(const struct li_spool *s);

/** Is anything not confirmed? */
bool li_spool_is_empty(const struct li_spool *s);

/** Octets on disk. */
uint64_t li_spool_size(const struct li_spool *s);

/** Records that were damaged, and ends of segments that could not be read (a
 *  crash while writing). */
uint64_t li_spool_torn(const struct li_spool *s);

/** Delete all of it, the folder too; then only mem_deref(). */
void li_spool_delete(struct li_spool *s);

#endif
