/**
 * @file loop.h  The thread of one signalling worker: its sockets, its timers,
 * and the inbox by which other threads reach it. The worker inside is a pure
 * core; this is its world.
 */
#ifndef LOOP_H
#define LOOP_H
#include "worker.h"

struct loop;
struct journal;
struct ledger;
struct event_sender;
struct decision_asker;
struct intercept;

struct loop_config {
	struct worker_config worker;
	struct media_doors media;
	const char *registrations; /**< JSON to restore, or NULL            */
	size_t registrations_len;
	struct event_sender *events; /**< borrowed: what is to be told     */
	struct intercept *intercept; /**< borrowed; NULL: none             */
};

int loop_alloc(struct loop **lp, const struct loop_config *cfg);

/** Who takes records, lease asks and questions; before loop_start(). */
void loop_connect(struct loop *l, struct journal *journal,
		  struct ledger *ledger, struct decision_asker *asker);
int loop_start(struct loop *l);

/* --- from other threads, never waiting */
/** journal_synced_h */
void loop_synced(uint64_t seq, void *arg);
struct lease_answer;
struct decision_answer;
/** decision_answer_h */
void loop_decided(const struct decision_answer *answer, void *arg);
/** lease_answer_h */
int loop_leased(const struct lease_answer *ans, void *arg);
/** Somebody has work for the loop's next pass. NULL is fine. */
void loop_wake(struct loop *l);
/** A new catalog was published; takes over the caller's reference.
 *  @return 0 or ENOBUFS: the inbox is full, the worker keeps what it has */
int loop_catalog(struct loop *l, struct snapshot *snap);

/**
 * Ask the worker (worker_command()) and wait up to timeout_ms.
 * @return malloc'd answer, or NULL when none came in time
 */
char *loop_ask(struct loop *l, const char *json, size_t len,
	       unsigned timeout_ms);

/** Bindings that changed, malloc'd JSON; NULL when none did. May wait. */
char *loop_registrations(struct loop *l, unsigned timeout_ms);

/**
 * End the thread: from now on the journal and the ledger may go, nothing
 * reaches them from here. Live calls must have been dropped before.
 */
void loop_stop(struct loop *l);

/** Free it, stopped or never started. Nobody may push any more. */
void loop_free(struct loop *l);

#endif
