/**
 * @file example.h  Calls for the tests of the journal and the ledger.
 */
#ifndef EXAMPLE_H
#define EXAMPLE_H
#include "cdr.h"

#define EXAMPLE_STARTED_MS 1795342260123

/** Goes into every call id: a run against a database sets its own. */
extern uint64_t example_salt;

/** A call id that says which call it is. */
void example_call_id(uint8_t call_id[16], uint32_t n);

/** Call n as known at admission. */
void example_begin(struct cdr_call *call, uint32_t n);

/** Answered after 3 s, with a sell and a buy charge at 60/6 s. */
void example_answer(struct cdr_call *call, uint32_t n);

/** Ended by the caller 61 s after the answer; attempt 1 failed. */
void example_end(struct cdr_call *call, uint32_t n);

#endif
