/**
 * @file ledger.h  The one thread of the switch that writes to PostgreSQL:
 * loads journal segments (COPY to staging, then one transaction of CDRs,
 * charges, postings and journal position) and leases balance for accounts.
 * A slow or stopped PostgreSQL delays it, never a call.
 */
#ifndef LEDGER_H
#define LEDGER_H
#include <stdbool.h>
#include <stdint.h>

struct ledger;

struct lease_ask {
	char account_id[36];
	int64_t want_micro;   /**< > 0: take about this much; < 0: give back */
	int64_t min_micro;    /**< less is of no use                         */
	uint64_t ticket;      /**< comes back in the answer                  */
};

struct lease_answer {
	char account_id[36];
	int64_t granted_micro; /**< 0: not covered                           */
	bool is_known;         /**< false: the database could not be asked   */
	uint64_t ticket;
};

/** On the ledger thread. */
typedef void(lease_answer_h)(const struct lease_answer *ans, void *arg);

struct ledger_config {
	const char *dsn, *node, *journal_dir;
	int64_t epoch;        /**< this start of the node: leases belong to it */
	uint32_t load_ms;     /**< pause between loads (250)                 */
	uint32_t batch_max;   /**< records per transaction (1000)            */
};

int ledger_start(struct ledger **lp, const struct ledger_config *cfg,
		 lease_answer_h *h, void *arg);

/** Queue; answered within about a second or with is_known false. Any thread.
 *  @return 0 or ENOBUFS */
int ledger_lease(struct ledger *l, const struct lease_ask *ask);

/** A hint that END records were synced. Any thread, never blocks. */
void ledger_wake(struct ledger *l);

/** Bytes of journal not yet loaded, and age of the oldest [ms]. */
void ledger_backlog(const struct ledger *l, uint64_t *ret_bytes,
		    uint64_t *ret_age_ms);

/** Load what is there (bounded by timeout), return leases, stop. */
void ledger_stop(struct ledger *l, uint32_t timeout_ms);

#endif
