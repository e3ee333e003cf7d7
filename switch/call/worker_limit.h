/** @file worker_limit.h  One line of channels as JSON, for the operator. */
#ifndef WORKER_LIMIT_H
#define WORKER_LIMIT_H
#include "json.h"

struct worker;

/**
 * The answer of op `limits`: {"id"} in ("node", an id of a row, or a number);
 * limits in force, in use, peak since midnight (UTC), refused and marked
 * calls, holders out. New reference.
 */
json_t *worker_limit_line(const struct worker *w, const json_t *req);

#endif
