/**
 * @file decision.h  The notes of a decision (switch/base/why.h) for people.
 */
#ifndef DECISION_H
#define DECISION_H
#include <stdio.h>

struct json_t;
struct options;

/** One line a note: step, outcome, id, then the facts as name=value. */
void decision_print(const struct json_t *notes, FILE *out);

/**
 * Print the record's outcome and the decision of a call that the switch has
 * forgotten, from the database. @return enum command_exit
 */
int decision_past(const struct options *opt);

#endif
