/**
 * @file ledger_lease.h  Balance leases: asked for and given back on a thread
 * and connection of their own, since a COPY of a thousand calls, a lock or a
 * slow disk on the loader's way must not delay a call that waits for money.
 */
#ifndef LEDGER_LEASE_H
#define LEDGER_LEASE_H
#include "ledger.h"

struct ledger_lease;

/** @param cfg  texts are copied. mem_deref() frees. */
int ledger_lease_alloc(struct ledger_lease **lp,
		       const struct ledger_config *cfg, lease_answer_h *h,
		       void *arg);

/** Has the database let us be the node of this name? Any thread. */
bool ledger_lease_is_claimed(const struct ledger_lease *l);

/** Any thread. @return 0 or ENOBUFS */
int ledger_lease_push(struct ledger_lease *l, const struct lease_ask *ask);

/** Answer until told to end; then give back what is queued and return. */
void ledger_lease_run(struct ledger_lease *l);

/** Any thread. @param timeout_ms  for what is queued */
void ledger_lease_end(struct ledger_lease *l, uint32_t timeout_ms);

#endif
