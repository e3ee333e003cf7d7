/**
 * @file quality.h  What became of the calls to each gateway on this node, over
 * a window of time: ASR (answered of all attempts), ACD (mean duration of what
 * was answered), PDD (mean delay until it rang) and the share of short calls
 * (ITU-T E.411, E.425). Below the limits of the gateway, with enough samples,
 * it is locked; after a time a few trial calls decide whether it returns.
 *
 * Keyed by gateway id, so that it outlives catalogs. One thread.
 */
#ifndef QUALITY_H
#define QUALITY_H
#include "catalog.h"

struct quality;

enum quality_state {
	QUALITY_OPEN,
	QUALITY_LOCKED,
	QUALITY_TRIAL,  /**< some calls may try it; with none left: LOCKED */
};

struct quality_figures {
	uint32_t attempts, answered, ended, shorts; /**< in the window    */
	int32_t asr;       /**< percent; -1: no attempt                   */
	int32_t acd_s;     /**< -1: no call has ended                     */
	int32_t pdd_ms;    /**< -1: none rang                             */
	int32_t short_pct; /**< of the ended; -1: none                    */
	uint8_t state;     /**< enum quality_state                        */
	bool has_enough;   /**< samples, for its limits                   */
	uint64_t until_ms; /**< mono; end of the lock or the trials, 0: OPEN */
	uint32_t trials_left, trials_due; /**< to be sent, to be heard of  */
	int64_t changed_wall_ms; /**< of the state; 0: never              */
	const char *reason;/**< of a lock: "asr", "acd", ..., or ""        */
};

/** Told of a lock (false) and of a return (true). */
typedef void(quality_change_h)(const char *gateway_id, bool is_open,
			       const struct quality_figures *f, void *arg);

/** @param h  may be NULL. mem_deref() frees. */
int quality_alloc(struct quality **qp, quality_change_h *h, void *arg);

/** A new catalog: who is in it no more is forgotten. */
void quality_catalog(struct quality *q, const struct catalog *cat);

/** The figures at now_ms (mono), pure. */
void quality_read(const struct quality *q, const struct gateway *gw,
		  uint64_t now_ms, struct quality_figures *ret);

/** May a call be sent to it? OPEN, or TRIAL with trials left. Pure. */
bool quality_is_open(const struct quality *q, const struct gateway *gw,
		     uint64_t now_ms);

struct moment;

/** A call is sent to it. */
void quality_dialled(struct quality *q, const struct gateway *gw,
		     const struct moment *now);
/** It was answered or not. @param pdd_ms -1: it did not ring */
void quality_attempted(struct quality *q, const struct gateway *gw,
		       const struct moment *now, bool is_answered,
		       int64_t pdd_ms);
/** An answered call is over. */
void quality_talked(struct quality *q, const char *gateway_id,
		    const struct moment *now, uint64_t duration_ms);

/** End a lock or its trials by hand. The window begins anew: what it held
 *  would lock it again at the next call. @return false: it was open */
bool quality_unlock(struct quality *q, const char *gateway_id,
		    const struct moment *now);

#endif
