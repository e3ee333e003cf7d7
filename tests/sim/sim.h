/**
 * @file sim.h  A whole signalling worker in a closed world: virtual time, a
 * network that loses and reorders, peers that speak SIP of their own, a disk,
 * a ledger and a media plane as models. Everything is drawn from one seed.
 */
#ifndef SIM_H
#define SIM_H
#include <re.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include "catalog_store.h"
#include "rng.h"
#include "worker.h"

#define SIM_T1_MS 500
#define SIM_T2_MS 4000
#define SIM_T4_MS 5000
#define SIM_LIFE_MS (64 * SIM_T1_MS)

#define SIM_SWITCH "192.0.2.10"
#define SIM_MEDIA "192.0.2.20"
#define SIM_REALM "sip.example"
#define SIM_SECRET "49987654" /* number of callers that hide theirs      */

enum {
	SIM_PEERS = 8,
	SIM_CALLS = 8,       /* INVITEs that the script places            */
	ORIGINS = 1024,      /* more than there are dialogs in a run      */
	SENTS = 256,
	TRACE_LINES = 40,
	TRACE_LINE = 220,
};

struct world;
struct agent;
struct journal_model;
struct ledger_model;
struct media_model;
struct event_model;
struct decision_model;
struct plan_model;
struct package_model;
struct wire;

/* --- world.c: time, events, trace, failure */

typedef void(event_h)(struct world *w, void *arg);

/** What the seed decides for the whole run. */
struct climate {
	unsigned loss_pct, dup_pct, delay_ms;
	bool has_bad_disk, has_bad_ledger, has_noise, has_garbage, has_crash,
		has_changes, has_operator, has_plans;
};

/** The last o= line that a peer was sent in a dialog. */
struct origin {
	uint32_t key, crc;
	uint64_t id, version;
};

/** A request that was sent to a peer, to see when it comes again. */
struct sent {
	uint32_t crc;
	uint64_t at_ms;
};

struct world {
	uint64_t seed;
	struct rng *rng;             /**< of everything but the worker     */
	struct rng *worker_rng;
	struct moment now;
	uint64_t born_us, step, step_end;
	uint64_t order;              /**< events of one moment keep theirs */
	struct due *heap;
	size_t heap_n, heap_size;
	struct climate climate;

	struct worker *worker;
	unsigned boot;               /**< grows at each crash              */
	unsigned heard_boot;         /**< that sent what a peer gets now   */
	bool is_unveiled;            /**< noise took a caller's Privacy off */
	bool is_down;                /**< the worker is being torn down    */
	size_t timers_at_birth;
	uint64_t begun_before;       /**< by workers that crashed          */
	int64_t funds_used_micro;    /**< spent and held, a step ago       */
	struct catalog_store *store;
	struct snapshot_slot *slot;
	uint64_t catalog_version;
	struct journal_model *journal;
	struct ledger_model *ledger;
	struct media_model *media;
	struct event_model *events;
	struct decision_model *decisions;
	struct plan_model *plans;
	struct package_model *packages;
	struct rng *spare_rng;       /**< the worker's, while it looks ahead */
	struct json_t *expected;     /**< notes of the call that may begin */
	uint64_t expected_begun;     /**< calls begun by then               */
	struct agent *peers[SIM_PEERS];
	char *registrations;
	uint8_t hops[SIM_CALLS];     /**< Max-Forwards of each INVITE      */

	struct origin origins[ORIGINS];
	struct sent sent[SENTS];

	uint64_t calls, messages;
	uint64_t hash;
	bool is_verbose;
	char trace[TRACE_LINES][TRACE_LINE];
	uint64_t traced;
	char failure[12000];
};

/** @param until  stop after this step; 0: at the end */
struct world *world_alloc(uint64_t seed, bool is_verbose, uint64_t until);
void world_free(struct world *w);
/** Run to the end or the first failure. @return is everything right? */
bool world_run(struct world *w);
void world_after(struct world *w, uint64_t ms, event_h *h, void *arg);
uint64_t world_ms(const struct world *w);
void world_trace(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** What is not in the trace and has to be the same in each run, too. */
void world_hash(struct world *w, const void *bytes, size_t len);
/** The run ends here; only the first failure is kept. */
void world_fail(struct world *w, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
bool world_failed(const struct world *w);
void world_crash(struct world *w, void *arg);

static inline uint32_t draw(struct world *w, uint32_t n)
{
	return rng_below(w->rng, n);
}

static inline bool chance(struct world *w, uint32_t percent)
{
	return rng_below(w->rng, 100) < percent;
}

/** min_ms <= result < max_ms */
static inline uint32_t draw_ms(struct world *w, uint32_t min_ms,
			       uint32_t max_ms)
{
	return min_ms + rng_below(w->rng, max_ms - min_ms);
}

/* --- network.c */

/** Bytes of a peer on their way to the switch, if they arrive. */
void network_to_switch(struct world *w, struct agent *from,
		       const uint8_t *buf, size_t len);
/** The worker's wire door. */
int network_from_switch(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg);

/** Free what an event that will not happen carried. */
void network_drop(event_h *h, void *arg);

/* --- script.c: what is drawn from the seed at the start */
void script_write(struct world *w);

/* --- catalog_model.c */
int catalog_model_put(struct world *w);
void catalog_model_change(struct world *w, void *arg);
/** No probes any more: the world shall become quiet. */
void catalog_model_calm(struct world *w);
void catalog_model_publish(struct world *w);
/** One row as it is from the next publish on; NULL: it goes. */
void catalog_model_row(struct world *w, const char *kind, const char *id,
		       const char *json);

/* --- plan_model.c: routing plans, prices and carriers of customers */
struct plan_model *plan_model_alloc(struct world *w);
void plan_model_free(struct plan_model *m);
/** All of its rows into the store. */
void plan_model_put(struct world *w);
void plan_model_put_deck(struct world *w, const char *id);
void plan_model_change(struct world *w, void *arg);
/** A call began: it lives by what is provisioned now. */
void plan_model_begun(struct world *w, const char *call_id);
/** An INVITE of a new dialog went out. */
void plan_model_dialled(struct world *w, const struct wire *invite);
/** A record: no attempt below the margin, past the plan's number of them, at
 *  a carrier that is not the customer's, or after the policy's stop. */
void plan_model_check(struct world *w, const struct cdr_call *call);
/** Attempts whose margin was checked. */
uint64_t plan_model_checked(const struct plan_model *m);

/* --- journal_model.c: a disk that syncs later, refuses, and tears */
struct journal_model *journal_model_alloc(struct world *w);
int journal_model_append(const uint8_t *frame, size_t len, uint64_t *ret_seq,
			 void *arg);
int journal_model_refuses(void *arg);
/** What was not synced is lost, torn somewhere; then what journal_open()
 *  does: cut, replay, END records for what was open. */
void journal_model_crash(struct world *w);
void journal_model_trouble(struct world *w, void *arg);
/** Bytes that survive a crash, from an offset on. */
size_t journal_model_read(const struct journal_model *j, size_t offset,
			  const uint8_t **ret);
void journal_model_free(struct journal_model *j);

/* --- ledger_model.c: balances, leases, and each END loaded once */
struct ledger_model *ledger_model_alloc(struct world *w);
int ledger_model_lease(const struct lease_order *order, void *arg);
void ledger_model_load(struct world *w);
/** The first claim, and what moves money beside calls. */
void ledger_model_start(struct world *w);
/** A new start of the node: leases of older ones are free again, when its
 *  journal has been loaded. */
void ledger_model_boot(struct world *w);
/** The database takes the node's session for over. */
bool ledger_model_is_lapsed(const struct world *w);
bool ledger_model_is_away(const struct world *w);
/** It claims its session, if the database is there. */
void ledger_model_claim(struct world *w);
void ledger_model_check(struct world *w, bool is_end);
/** Final records loaded. */
uint64_t ledger_model_calls(const struct ledger_model *l);
/** Free an ask that will not be answered. */
void ledger_model_drop(event_h *h, void *arg);
void ledger_model_free(struct ledger_model *l);

/* --- package_model.c: packages, and their balances in the database */
struct package_model *package_model_alloc(struct world *w);
void package_model_free(struct package_model *m);
/** Does this world have any? Drawn from the seed, and not from its world. */
bool package_model_is_there(const struct package_model *m);
/** Both tenants' time: so much before that of the wall clock. */
int64_t package_model_east_s(const struct package_model *m);
void package_model_put(struct world *w);
/** What else moves units begins. */
void package_model_start(struct world *w);
/** A call began: it lives by what is provisioned now. */
void package_model_begun(struct world *w, const char *call_id);
/** Of the node's present start. @return units */
int64_t package_model_take(struct world *w, const char *key, int64_t want,
			   int64_t least);
void package_model_return(struct world *w, const char *key, unsigned epoch,
			  int64_t units);
void package_model_claim(struct world *w);
/** A new start of the node: what was released before is not its. */
void package_model_boot(struct world *w);
/** Leases of older starts are free again. */
void package_model_close(struct world *w);
/** A record's charges: may these packages pay, in this order; and posted. */
void package_model_load(struct world *w, const struct cdr_call *call);
void package_model_check(struct world *w, bool is_end);
void package_model_drop(event_h *h, void *arg);
/** Packages in charges that were looked at. */
uint64_t package_model_checked(const struct package_model *m);

/* --- cover_model.c: the price of what packages did not pay */
void cover_model_check(struct world *w, const struct cdr *cdr,
		       const struct cdr_charge *c);
/** Would a millisecond more have cost more than the charge? */
bool cover_model_is_used_up(const struct cdr_charge *c, uint64_t ms);

/* --- media_model.c */
struct media_model *media_model_alloc(struct world *w);
void media_model_doors(struct media_model *m, struct media_doors *ret);
/** The process died with its sessions. */
void media_model_crash(struct media_model *m);
void media_model_free(struct media_model *m);

/* --- event_model.c */
struct event_model *event_model_alloc(void);
void event_model_free(struct event_model *m);
/** The worker's event door; arg is the world. */
void event_model_take(const struct event *ev, void *arg);
void event_model_crash(struct world *w);
void event_model_check(struct world *w);

/* --- decision_model.c: servers that are asked over HTTP: slow, silent, out
   of their minds, or with an answer for a call that is over */
struct decision_model *decision_model_alloc(struct world *w);
/** Does this world have any? Drawn from the seed, and not from its world. */
bool decision_model_is_there(const struct decision_model *m);
/** The worker's door; arg is the world. */
int decision_model_ask(const struct decision_question *q, void *arg);
/** Free a question that will not be answered. */
void decision_model_drop(event_h *h, void *arg);
void decision_model_free(struct decision_model *m);

/* --- lookahead.c: a route test says beforehand what the call will note */
void lookahead_before(struct world *w, const struct agent *from,
		      const uint8_t *buf, size_t len);
void lookahead_after(struct world *w);

/* --- check.c */
/** Bytes that the switch sends to a peer. */
void check_output(struct world *w, const struct agent *to, const uint8_t *buf,
		  size_t len);
void check_step(struct world *w);
void check_end(struct world *w);
/** One record with its charges, when it is loaded. */
void check_record(struct world *w, const struct cdr_call *call);

#endif
