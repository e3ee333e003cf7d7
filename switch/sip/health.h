/**
 * @file health.h  What is known of one gateway, as a table of states. Real
 * calls and OPTIONS are counted apart: a carrier whose OPTIONS are fine but
 * whose INVITEs fail is down by its calls, and only a call brings it back.
 *
 *   UP         calls go there
 *   SUSPECT    the same, and something failed since the last good sign
 *   DOWN       no calls: until probes succeed, or a hold is over
 *   HALF_OPEN  one call at a time may try; the first sign decides
 *
 * Pure: no clock, no timer; the owner runs the hold and says when it is over.
 */
#ifndef HEALTH_H
#define HEALTH_H
#include <stdbool.h>
#include <stdint.h>
#include "fsm.h"
#include "moment.h"

#define HEALTH_HOLD_MS 10000       /**< the first; doubled each time that a
				        trial fails                         */
#define HEALTH_HOLD_MAX_MS 240000
#define HEALTH_TOLD_MAX_S 600      /**< Retry-After is believed so far      */
#define HEALTH_TRIAL_MS 15000      /**< a trial call without any sign       */
#define HEALTH_REFUSED_FACTOR 4    /**< so many refusals weigh as a failure */

enum health_state {
	HEALTH_UP, HEALTH_SUSPECT, HEALTH_DOWN, HEALTH_HALF_OPEN,
	HEALTH_GONE,               /**< no longer provisioned               */
	HEALTH_STATE_N
};

enum health_event_id {
	HEALTH_EV_GOOD,            /**< nothing is wrong any more           */
	HEALTH_EV_BAD,             /**< a failure, not yet too many         */
	HEALTH_EV_LIMIT,           /**< the failure that is one too many    */
	HEALTH_EV_TOLD,            /**< 503 with Retry-After                */
	HEALTH_EV_PROBED,          /**< enough OPTIONS were answered        */
	HEALTH_EV_OVER,            /**< the hold is over                    */
	HEALTH_EV_REMOVED,
	HEALTH_EVENT_N
};

/** What a call or its INVITE tells of a gateway. */
enum health_word {
	HEALTH_ALIVE,   /**< 18x, 2xx, or a refusal for the called party's
			     sake (404, 480, 486, 6xx ...)                  */
	HEALTH_FAILED,  /**< silence, no ring, the wire, 5xx                */
	HEALTH_REFUSED, /**< 403, or its challenge was not met              */
};

struct health {
	struct fsm fsm;
	uint32_t down_after, up_after;
	uint32_t probe_failures, probe_successes; /**< in a row             */
	uint32_t call_failures, refusals;         /**< in a row             */
	bool is_by_probes;         /**< DOWN because OPTIONS fail           */
	uint8_t trials;            /**< that failed in a row                */
	uint32_t hold_ms;          /**< DOWN for so long; 0: until probed   */
	uint64_t trial_ms;         /**< when the present trial began; 0     */
	const char *reason;        /**< why it is in this state; static     */
};

extern const struct fsm_def health_def;

void health_init(struct health *h);

/** @param why static text: what failed; "" when it was answered */
void health_probe(struct health *h, bool is_answered, const char *why,
		  const struct moment *now);
/** @param retry_after_s of a 503; 0: none */
void health_call(struct health *h, enum health_word word, const char *why,
		 uint32_t retry_after_s, const struct moment *now);
void health_over(struct health *h, const struct moment *now);
/** Its address is another one now: nothing is known of it. */
void health_forget(struct health *h, const struct moment *now);

/** May a call go there now? */
bool health_may(const struct health *h, const struct moment *now);
/** One goes there: in HALF_OPEN it is the trial. */
void health_dialled(struct health *h, const struct moment *now);

/** "up", "suspect", "down", "half_open" */
const char *health_name(const struct health *h);

#endif
