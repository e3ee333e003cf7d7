/**
 * @file worker_event.h  What a worker tells of itself (event.h): calls,
 * registrations, carriers, and limits with their hysteresis.
 */
#ifndef WORKER_EVENT_H
#define WORKER_EVENT_H
#include "event.h"
#include "gate.h"
#include "ping.h"
#include "registrar.h"

struct worker;
struct limits_reached;

/** How full one limit is, when that may have changed. */
struct limit_use {
	const char *tenant_id;  /**< whose it is; NULL: the platform's     */
	const char *object_id;  /**< row that has the limit                */
	const char *limit;      /**< "channels_in", "cps": a string literal */
	int64_t used, max;      /**< max < 0: no limit                     */
	bool is_rate;           /**< per time: nothing is given back, it is
				     over LIMIT_QUIET_MS after it last refused */
	const uint8_t *call_id; /**< call that met it, or NULL             */
};

#define LIMIT_QUIET_MS 10000

/**
 * Tell limit.reached when used >= max for the first time, limit.cleared when
 * it is below 90 % of max (or there is no limit) after that; in between and
 * again nothing. Call it after something was taken, refused (used = max) or
 * given back: it costs a comparison while nothing is reached.
 */
void worker_limit(struct worker *w, const struct limit_use *use);

/** Give an event away. */
void worker_emit(struct worker *w, const struct event *ev);

/** @param key  16 secret bytes for the table. mem_deref() frees. */
int limits_reached_alloc(struct limits_reached **lp, struct worker *w,
			 const uint8_t key[16]);

/** ping_change_h, registrar_event_h: arg is the worker. */
ping_change_h worker_gateway_changed;
registrar_event_h worker_registered;

#endif
