/**
 * @file idempotency.h  A POST that is repeated with the same Idempotency-Key
 * is done once: the answer is stored in the transaction that did it. What was
 * refused is not stored, so that it can be tried again.
 */
#ifndef IDEMPOTENCY_H
#define IDEMPOTENCY_H
#include <stdbool.h>

#define IDEMPOTENCY_KEY_MAX 255

struct request;

/**
 * Inside the transaction, before the work. While a request with the same key
 * is under way the answer is 409 in_flight.
 * @return true when the work is to be done; false when the stored answer or a
 *         problem is set (roll back)
 */
bool idempotency_begin(struct request *req);

/** Inside the transaction, when the answer is known. 0 or errno of pg */
int idempotency_end(struct request *req);

#endif
