/**
 * @file segment_use.h  Which segments of the journal are still needed: those
 * in which a call began that has not ended, since a start after a crash closes
 * it from there.
 */
#ifndef SEGMENT_USE_H
#define SEGMENT_USE_H
#include <stddef.h>
#include <stdint.h>

struct segment_use;

/** mem_deref() frees. */
int segment_use_alloc(struct segment_use **up);

/** @return 0 or ENOMEM */
int segment_use_begin(struct segment_use *u, const uint8_t call_id[16],
		      uint32_t segment);
void segment_use_end(struct segment_use *u, const uint8_t call_id[16]);

/** Calls that are open. */
size_t segment_use_count(const struct segment_use *u);

/** Lowest segment with an open call; UINT32_MAX when there is none. Looks at
 *  every open call. */
uint32_t segment_use_oldest(const struct segment_use *u);

#endif
