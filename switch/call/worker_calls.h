/** @file worker_calls.h  The live calls, for the operator. */
#ifndef WORKER_CALLS_H
#define WORKER_CALLS_H
#include "json.h"

struct worker;

#define ROWS_MAX 1000 /**< of one answer */

/**
 * The answer of op `calls`: at most "limit" live calls behind the id "after",
 * in the order of their ids, which is that of their start, or with
 * "newest_first" the other way; of "tenant" and "trunk" when these are given,
 * or "call" alone. "has_more": there are others behind them. "total" counts
 * all that are up. New reference.
 */
json_t *worker_calls(struct worker *w, const json_t *req);

/** "limit" of a question, at most ROWS_MAX. */
size_t command_limit(const json_t *req);

#endif
