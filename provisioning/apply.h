/**
 * @file apply.h  ?apply=sync: an answer waits until the switches have applied
 * the change.
 */
#ifndef APPLY_H
#define APPLY_H
#include <stddef.h>

struct request;

/**
 * After COMMIT: wait until every node that was seen within 10 s has applied
 * the version of the answer, 5 s at most. Few wait at once, since each holds
 * a thread of HTTP.
 * @param buf  "all", the names of the nodes that have not, or "unknown"
 */
void apply_wait(struct request *req, char *buf, size_t size);

#endif
