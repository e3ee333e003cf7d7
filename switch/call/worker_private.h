/** @file worker_private.h  Inside a worker: seen by worker_*.c and call_*.c. */
#ifndef WORKER_PRIVATE_H
#define WORKER_PRIVATE_H
#include "admission.h"
#include "allowance.h"
#include "catalog.h"
#include "decision_answer.h"
#include "digest.h"
#include "endpoint.h"
#include "funds.h"
#include "gate.h"
#include "htab.h"
#include "metric.h"
#include "ping.h"
#include "circle.h"
#include "quality.h"
#include "registrar.h"
#include "lock.h"
#include "spend.h"
#include "tally.h"
#include "wheel.h"
#include "worker.h"
#include "worker_event.h"

#define TRACES_KEPT 256 /**< stories of ended calls that `trace` still knows */

struct call;

/** An ended call, for its story. */
struct trace {
	struct le le;
	uint8_t call_id[16];
	struct call *past;
};

struct worker {
	struct worker_config cfg;
	struct worker_doors doors;
	struct moment now;
	struct rng *rng;
	struct wheel *wheel;
	struct token_mint *mint;
	struct sip_endpoint *ep;
	struct digest_server *digest;
	struct gate *gate;
	struct registrar *registrar;
	struct ping *ping;
	struct quality *quality;
	struct circles *circles;
	struct channels *channels;
	struct limits limits;   /**< of the node                           */
	struct funds *funds;
	struct tallies *tallies;
	struct tallies *dialed; /**< of calling windows: live for hours    */
	struct spends *spends;
	struct locks *locks;
	struct limits_reached *reached;
	struct htab *calls;     /**< by call id                            */
	struct list live;       /**< by birth, but for a sweep             */
	struct wheel_timer sweep;
	size_t sweep_left;      /**< calls that it has still to look at    */
	struct list closing;    /**< by sequence number of their END       */
	struct list traces;     /**< newest last                           */
	size_t traces_n;
	struct snapshot *snap;
	const struct catalog *cat;
	struct mbuf *scratch;   /**< a rewritten SDP, until it is sent      */
	struct mbuf *frame;     /**< a journal record, until it is queued   */
	struct cdr_call *record;/**< built and encoded, then forgotten     */
	uint64_t begun, ended, bugs;
	uint64_t asks;          /**< questions to decision URLs, by now     */
	bool is_draining;
	struct {
		uint64_t n;             /* recorded */
		struct allowance may_record;
	} refused;
	struct allowance auth_told;
	struct {
		struct metric *active, *begun, *ended[OUTCOME_N], *setup,
			*admit,
			*duration, *unknown, *unrecorded, *untold,
			*emergency[2];
		/** Decision URLs: asked; answers by action; no answer in
		 *  time, not asked, too late; how long an answer took */
		struct metric *asked, *decided[DECISION_REFUSE + 1],
			*undecided, *unasked, *late, *decision;
	} metrics;
};

/** Time went on: before every input. */
void worker_now(struct worker *w, const struct moment *now);

/** Our side of a path towards a peer: the first socket of its family.
 *  @return 0 or EAFNOSUPPORT */
int worker_path(const struct worker *w, const struct sa *peer,
		struct sip_path *ret);

/** "ip:port" that Contact shall name for a path. */
void worker_contact(const struct worker *w, const struct sip_path *path,
		    char *buf, size_t size);

/** Trunks may have been suspended: look at the live calls, in small steps. */
void worker_sweep(struct worker *w);

/** The endpoint's request handler. */
endpoint_request_h worker_request;

/** quality_change_h: arg is the worker. */
quality_change_h worker_quality_changed;

struct call *worker_call(const struct worker *w, const uint8_t id[16]);

/* call_tap.c */
/** The endpoint's: arg is the worker. */
endpoint_outside_h call_outside;
/** A request that is being handled, and becomes no call.
 *  @param v  NULL: the gate was not asked */
void call_tell_outside(struct worker *w, const struct sip_msg *request,
		       const struct sip_path *path,
		       const struct gate_verdict *v);

/* worker_auth.c */
/** Tell it (auth.failed) when the gate refused the request for who sent it,
 *  and not too often. */
void worker_auth_failed(struct worker *w, const struct sip_msg *msg,
			const struct sip_path *path,
			const struct gate_verdict *v);

/* worker_rules.c */
struct json_t;
/** {"peer", "direction", "subject", "value"}: which rule, and what it makes
 *  of the number. New reference. */
struct json_t *worker_rules(struct worker *w, const struct json_t *req);

#endif
