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
 *
 * Both do nothing before the database has let this node claim its session:
 * two nodes of one name would take each other's journal and leases.
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
	bool is_running;      /**< min is for a call that is up: the account
				   may allow more than it has               */
	uint64_t ticket;      /**< comes back in the answer                  */
};

/** What the database says of an account; or, without one, only until_ms. */
struct lease_answer {
	char account_id[36];   /**< or ""                                    */
	int64_t granted_micro; /**< 0: not covered; < 0: an operator took it
				    from the lease while it had expired     */
	bool is_known;         /**< false: the database could not be asked   */
	bool is_recalled;      /**< give back what is free                   */
	bool has_more;         /**< there may be more than there was         */
	uint64_t ticket;       /**< 0: nobody asked                          */
	uint64_t until_ms;     /**< mono: what is leased may be spent until
				    then; 0: as before                      */
};

/** On the lease thread of the ledger. @return 0, or ENOBUFS: it comes again,
 *  together with what else there is to say of that account by then */
typedef int(lease_answer_h)(const struct lease_answer *ans, void *arg);

/** Calls per transaction: more is not faster, and holds account rows longer. */
#define LEDGER_BATCH_MAX 1000

struct ledger_config {
	const char *dsn, *node, *journal_dir;
	const char *home;     /**< random name of the state folder            */
	int64_t epoch;        /**< this start of the node: leases belong to it */
	uint32_t session_s;   /**< leases end so long after the last sign of
				   life                                      */
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
