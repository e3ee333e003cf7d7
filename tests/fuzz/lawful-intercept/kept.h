/**
 * @file kept.h  A store and its audit in memory (/dev/shm), gone when the
 * process ends.
 */
#ifndef KEPT_H
#define KEPT_H
#include "li_registry.h"

/** One a process. */
struct li_registry *kept_registry(const struct poi_numbering *numbering);

void must(bool is_true);

#endif
