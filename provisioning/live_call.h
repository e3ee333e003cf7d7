/**
 * @file live_call.h  A live call as the API shows it.
 */
#ifndef LIVE_CALL_H
#define LIVE_CALL_H
#include "json.h"

struct request;

/** A row of the switch's as one of ours. New reference. */
json_t *live_call_encode(const struct request *req, const json_t *theirs);

#endif
