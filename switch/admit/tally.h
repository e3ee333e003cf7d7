/**
 * @file tally.h  Counts of calls by some key, over the last seconds and at
 * once: what limits per called number and fraud rules go by. A tally that
 * nobody holds goes when its window is over, so that memory follows traffic.
 * One owner: the worker.
 */
#ifndef TALLY_H
#define TALLY_H
#include <re.h>
#include <stdbool.h>
#include <stdint.h>
#include "wheel.h"

#define TALLY_SLOTS 12      /**< a window moves by a twelfth               */
#define TALLY_NUMBERS 1024  /**< different numbers that are told apart     */
#define TALLY_KEY_SIZE 96

struct tallies;
struct tally;

/**
 * @param key  16 secret bytes for the table
 * @param max  tallies at most
 */
int tallies_alloc(struct tallies **tp, const uint8_t key[16],
		  struct wheel *wheel, size_t max);

/** Tallies of a call that is not made: as those of base, which does not
 *  change while this one lives and is changed by nothing here. */
int tallies_draft(struct tallies **tp, const struct tallies *base);

/** NULL when there is none: then all of its counts are 0. Of a draft perhaps
 *  that of its base: to be read only. */
struct tally *tally_find(const struct tallies *t, const char *key);

/** Find or begin one. NULL: no memory, or too many; counted. */
struct tally *tally_get(struct tallies *t, const char *key,
			uint32_t window_s);

/* What it counts; tally may be NULL. now_ms is monotonic. */
uint32_t tally_recent(const struct tally *tally, uint64_t now_ms);
uint32_t tally_live(const struct tally *tally);
/** Calls in a row to this number so far, when the next is to it again. */
uint32_t tally_run(const struct tally *tally, const char *number);
/** Different numbers in the window, this one counted. */
uint32_t tally_distinct(const struct tally *tally, const char *number,
			uint64_t now_ms);

/** One more in the window. */
void tally_add(struct tally *tally, uint64_t now_ms);
/** A call to this number. */
void tally_number(struct tally *tally, const char *number, uint64_t now_ms);

/** A live call holds it, and counts as live. tally_release() once for each. */
void tally_hold(struct tally *tally);
void tally_release(struct tally *tally);

/** True for the first who asks in a window at this level (0..3): somebody is
 *  told once. */
bool tally_tell(struct tally *tally, unsigned level, uint64_t now_ms);

size_t tally_count(const struct tallies *t);

#endif
