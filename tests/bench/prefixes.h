/**
 * @file tests/bench/prefixes.h  300 000 prefixes for benches: of a file, or
 * drawn as real decks have them; and numbers below them.
 */
#ifndef PREFIXES_H
#define PREFIXES_H
#include <stddef.h>
#include "deck.h"
#include "rng.h"

#define PREFIXES 300000

/** @param file  CSV, the first column is the prefix; NULL: drawn. Ends the
 *  process when it can't be read. */
void prefixes_fill(const char *file, struct rng *rng);
size_t prefixes_count(void);
const char *prefixes_at(size_t i);

/** A number of 15 digits at most that begins with one of them. */
void prefixes_number(char digits[24], struct rng *rng);

#endif
