/**
 * @file worker.h  What a thread of the API keeps from request to request: its
 * database connection and its source of randomness.
 */
#ifndef WORKER_H
#define WORKER_H
#include <stdbool.h>

struct pg;
struct rng;

struct worker {
	struct pg *pg;
	struct rng *rng;
	int backend;          /**< process of the session that is set up    */
};

/** This thread's, made on first use and freed with the thread; NULL: ENOMEM */
struct worker *worker_get(const char *dsn);

/** A session that is set up (bounds, UTC, UTF-8)? false: no database now. */
bool worker_connect(struct worker *w);

#endif
