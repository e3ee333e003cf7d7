/**
 * @file rate.h  The rates of a deck as one thing, which has a version.
 */
#ifndef RATE_H
#define RATE_H
#include <stdbool.h>

struct request;

/** In a transaction: nobody else changes the rates of the deck of the path,
 *  and If-Match allows it. false: a problem is set and it is rolled back. */
bool rates_lock(struct request *req);

#endif
