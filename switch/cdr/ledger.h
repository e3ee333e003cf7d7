/**
 * @file ledger.h  The only part of the switch that writes CDRs and money to
 * PostgreSQL. One thread loads journal segments (COPY, and in one transaction
 * records, charges, postings and journal position), another leases balance for
 * accounts, so that a long COPY keeps no call waiting for money. A slow or
 * stopped PostgreSQL delays them, never a call.
 *
 * Loaded segments are deleted once every call that began in them has ended.
 * A record that the database refuses for its data goes to cdr.dead_letter,
 * and loading goes on.
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

/** On the lease thread of the ledger. */
typedef void(lease_answer_h)(const struct lease_answer *ans, void *arg);

/** Calls per transaction: more is not faster, and holds account rows longer. */
#define LEDGER_BATCH_MAX 1000

struct ledger_config {
	const char *dsn, *node, *journal_dir;
	int64_t epoch;        /**< this start of the node: leases belong to it */
	uint32_t load_ms;     /**< pause between loads (250)                 */
	uint32_t batch_max;   /**< calls per transaction (LEDGER_BATCH_MAX) */
};

/**
 * Start after journal_open() (which closes the calls of earlier starts): what
 * the journal holds by now is loaded first, then the leases of earlier epochs
 * are closed. The database may come later.
 * @return 0, EINVAL, ENOMEM or errno (the journal folder, a thread)
 */
int ledger_start(struct ledger **lp, const struct ledger_config *cfg,
		 lease_answer_h *h, void *arg);

/**
 * Queue. An ask for money is answered within about a second, if need be with
 * is_known false (what the database grants after that goes back by itself).
 * Giving back has no answer; it is kept until the database can be told.
 * Any thread. @return 0 or ENOBUFS
 */
int ledger_lease(struct ledger *l, const struct lease_ask *ask);

/** A hint that END records were synced. Any thread, never blocks. */
void ledger_wake(struct ledger *l);

/** Bytes of journal not yet loaded, and age [ms] of the first ended call in
 *  the batch that waits (0: none). Any thread; reads the folder. */
void ledger_backlog(const struct ledger *l, uint64_t *ret_bytes,
		    uint64_t *ret_age_ms);

/** Give back what is queued, load what is there, close this epoch's leases if
 *  no call is open, stop. Takes about timeout at most. NULL is fine. */
void ledger_stop(struct ledger *l, uint32_t timeout_ms);

#endif
