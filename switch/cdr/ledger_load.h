/**
 * @file ledger_load.h  From journal segments into PostgreSQL, exactly once:
 * rows and the position they end at are one transaction.
 */
#ifndef LEDGER_LOAD_H
#define LEDGER_LOAD_H
#include "ledger.h"

struct ledger_load;

/** @param cfg  texts are copied. mem_deref() frees. One thread, but for
 *  ledger_load_backlog() and ledger_load_break(). */
int ledger_load_alloc(struct ledger_load **lp,
		      const struct ledger_config *cfg);

/**
 * One batch, if there is something and the database can be reached.
 * @return true when there may be more to do at once
 */
bool ledger_load_step(struct ledger_load *l);

/** Everything on disk is loaded (as of the last step) and every call ended:
 *  what this start still holds as leases is given back. */
void ledger_load_finish(struct ledger_load *l);

/** Any thread. */
void ledger_load_backlog(struct ledger_load *l, uint64_t *ret_bytes,
			 uint64_t *ret_age_ms);

/** Cut the connection, so that a step that waits for it returns. Any thread. */
void ledger_load_break(struct ledger_load *l);

#endif
