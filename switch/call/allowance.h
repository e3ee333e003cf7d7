/**
 * @file allowance.h  So many a second of something, and a burst: of what is told
 * or recorded about requests that anybody may send.
 */
#ifndef ALLOWANCE_H
#define ALLOWANCE_H
#include <stdbool.h>
#include <stdint.h>

/** Zeroed memory is full. */
struct allowance {
	uint64_t at_ms, left;
	bool is_begun;
};

/** Take one. @return false: there is none left */
bool allowance_take(struct allowance *a, uint64_t now_ms, uint32_t per_s,
		    uint32_t burst);

#endif
