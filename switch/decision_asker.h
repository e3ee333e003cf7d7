/**
 * @file decision_asker.h  The thread that asks decision URLs: some at once,
 * over connections that are kept, each within its time. A customer's server
 * can keep it waiting, and nobody else: no more than a few questions go to one
 * URL at once, and how many wait is bounded.
 */
#ifndef DECISION_ASKER_H
#define DECISION_ASKER_H
#include <stdbool.h>
#include "decision_answer.h"

struct decision_asker;
struct decision_question;

/** On the asker's thread; a question may end without one. */
typedef void(decision_answer_h)(const struct decision_answer *answer,
				void *arg);

struct decision_asker_config {
	const char *key_file;     /**< "": what is signed is not asked; one
				       that is not there yet may come      */
	bool allow_private;       /**< any address                         */
	unsigned in_flight_max;   /**< questions under way at once         */
	decision_answer_h *h;
	void *arg;
};

int decision_asker_start(struct decision_asker **ap,
			 const struct decision_asker_config *cfg);

/** Any thread, never blocks. @return 0, or EAGAIN, EOVERFLOW: nobody is
 *  asked */
int decision_asker_push(struct decision_asker *a,
			const struct decision_question *q);

/** What is under way is given up. Nobody may push any more. NULL is fine. */
void decision_asker_stop(struct decision_asker *a);

#endif
