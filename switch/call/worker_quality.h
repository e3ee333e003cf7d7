/** @file worker_quality.h  A gateway's quality, for the operator. */
#ifndef WORKER_QUALITY_H
#define WORKER_QUALITY_H
#include "json.h"

struct worker;

/**
 * The answer of op `quality`: {"gateway"}; the figures of its window on this
 * node, whether it is locked, why and until when. New reference.
 */
json_t *worker_quality(struct worker *w, const json_t *req);

/** Op `quality_unlock`: {"gateway"}; the same, once its lock is over. */
json_t *worker_quality_unlock(struct worker *w, const json_t *req);

#endif
