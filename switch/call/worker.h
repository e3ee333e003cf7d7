/**
 * @file worker.h  One signalling worker: a pure core that takes bytes, time,
 * answers of other threads and commands, and has effects only through its
 * doors. Two runs with the same inputs and seed are the same run. It owns its
 * calls, legs, transactions, timers and the tables that span calls.
 */
#ifndef WORKER_H
#define WORKER_H
#include "event.h"
#include "journal.h"
#include "media.h"
#include "message.h"
#include "moment.h"
#include "rng.h"
#include "snapshot.h"

struct worker;

#define WORKER_SOCKS 4

/** One UDP socket as the worker knows it. */
struct worker_sock {
	struct sa local;          /**< bound                               */
	struct sa public;         /**< what Via and Contact say            */
};

struct worker_config {
	const char *node;         /**< name in CDRs and leases             */
	uint16_t node_id, shard, boot;
	uint8_t token_key[16];    /**< the node's; the same after a restart */
	uint8_t nonce_key[32];    /**< the same                             */
	struct worker_sock socks[WORKER_SOCKS];
	uint8_t sock_n;
	const char *server_name;
	uint32_t t1_ms, t2_ms, t4_ms;
	uint32_t calls_max;
	uint32_t cps_max;         /**< INVITEs a second; 0: no limit       */
	uint32_t nonce_life_s;
	uint32_t fund_wait_ms;    /**< how long a lease may take           */
	uint32_t fund_chunk_s;
	int64_t lease_epoch;      /**< this start of the node              */
	uint32_t expires_min_s, expires_max_s, expires_default_s;
};

struct lease_order {
	const char *account_id;
	int64_t want_micro, min_micro;
	bool is_running;          /**< min is for a call that is up        */
	uint64_t ticket;
};

struct decision_url;
struct decision_answer;

/** A decision URL shall be asked about a call; borrowed. */
struct decision_question {
	const uint8_t *call_id;
	uint64_t ticket;          /**< the answer has it again             */
	const char *id;           /**< of the message, for webhook-id      */
	const struct decision_url *url; /**< of a catalog                  */
	bool has_previous;        /**< its previous secret counts, too     */
	const char *body;         /**< JSON                                */
	size_t len;
};

/** Effects. None may call back into the worker. */
struct worker_doors {
	int (*sendh)(const struct sip_path *path, const uint8_t *buf,
		     size_t len, void *arg);
	/** Append one record; see journal_append(). */
	int (*journalh)(const uint8_t *frame, size_t len, uint64_t *ret_seq,
			void *arg);
	/** Why no call may begin: 0, ENOSPC, EIO; see journal_refuses(). */
	int (*refusesh)(void *arg);
	int (*leaseh)(const struct lease_order *order, void *arg);
	/** Answered with worker_decided(), or not at all: whoever asks waits
	 *  for url->timeout_ms. @return 0, or errno: nobody is asked */
	int (*askh)(const struct decision_question *q, void *arg);
	/** Somebody may want to be told; it may be dropped. */
	void (*eventh)(const struct event *ev, void *arg);
	struct media_doors media;
	/** Time of this thread on a processor [ns], to be measured by and never
	 *  to decide by; NULL: nothing is measured. */
	uint64_t (*cpuh)(void *arg);
	void *arg;
};

/** @param rng borrowed; see rng.h. mem_deref() frees; calls must be over. */
int worker_alloc(struct worker **wp, const struct worker_config *cfg,
		 const struct worker_doors *doors, struct rng *rng,
		 const struct moment *now);

/* --- inputs */
void worker_recv(struct worker *w, const struct moment *now,
		 const struct sip_path *path, const uint8_t *buf, size_t len);
/** What we sent came back by ICMP; see endpoint_unreachable(). */
void worker_unreachable(struct worker *w, const struct moment *now,
			const struct sip_path *path, const uint8_t *buf,
			size_t len, int err);
/** Fire timers that are due. */
void worker_advance(struct worker *w, const struct moment *now);
/** Milliseconds until worker_advance() has work; UINT64_MAX: none. */
uint64_t worker_next_ms(const struct worker *w);
/** Records up to seq are on disk. */
void worker_journalled(struct worker *w, const struct moment *now,
		       uint64_t seq);
void worker_leased(struct worker *w, const struct moment *now,
		   const char *account_id, int64_t granted_micro,
		   bool is_known, uint64_t ticket);
/** What is leased may be spent until then (mono); 0, at first: nothing. */
void worker_lease_until(struct worker *w, const struct moment *now,
			uint64_t until_ms);
/** This account's money is needed elsewhere: what pays for nothing that has
 *  begun goes back, and its calls hold one interval after the other. */
void worker_lease_recalled(struct worker *w, const struct moment *now,
			   const char *account_id);
/** Money came: calls that wait for it ask at once. */
void worker_lease_more(struct worker *w, const struct moment *now,
		       const char *account_id);
/** A decision URL answered; too late is no error. */
void worker_decided(struct worker *w, const struct moment *now,
		    const struct decision_answer *answer);
/** New calls use this catalog; the worker takes its own reference. */
void worker_catalog(struct worker *w, const struct moment *now,
		    struct snapshot *snap);

/**
 * One command of the control socket (JSON line in, JSON line out; ops calls,
 * drop, trace, drain, table, status, registrations, unregister, stop).
 * @return malloc'd answer without newline, never NULL but when out of memory
 */
char *worker_command(struct worker *w, const struct moment *now,
		     const char *json, size_t len);

/** Bindings to put on disk, malloc'd; NULL when nothing changed. */
char *worker_registrations(struct worker *w);
int worker_restore(struct worker *w, const struct moment *now,
		   const char *json, size_t len);

/* --- what is alive, for the checkers */
struct worker_census {
	size_t calls, client_tx, server_tx, dialogs, timers;
	size_t channels, fund_holds;
	size_t media_sessions, media_ports;
	int64_t funds_granted_micro, funds_spent_micro, funds_held_micro;
	uint64_t calls_begun, calls_ended, bugs;
	uint64_t refused;     /**< records of INVITEs that were no calls     */
};
void worker_census(const struct worker *w, struct worker_census *ret);
/** Is who holds a channel who lives, on every line? Walks all of them. */
bool worker_is_exact(const struct worker *w);
/** Where money is scarce, does no call that is up hold more than the interval
 *  that it is in and the next one? So equal ones differ by one. Walks all. */
bool worker_is_fair(const struct worker *w);

/** The call table as Markdown, malloc'd. */
char *worker_table(void);

#endif
