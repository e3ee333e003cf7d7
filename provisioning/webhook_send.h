/**
 * @file webhook_send.h  The thread of the API that sends webhooks. Deliveries
 * are claimed in the database, so that several processes share the work; one
 * that dies with some lets another send them: at least once, with the same
 * webhook-id. It also forgets old events.
 */
#ifndef WEBHOOK_SEND_H
#define WEBHOOK_SEND_H
#include "webhook_post.h"

/** What the settings say about webhooks; lives as long as the process. */
struct webhook_config {
	struct webhook_policy policy;
	int64_t retry_first_ms, retry_for_s, disable_after_s;
	int64_t keep_days;     /**< of events                              */
};

#define WEBHOOK_TIMEOUT_MS 10000

struct webhook_send;

/** @param cfg borrowed. mem_deref() ends the thread; what is under way then
 *  is sent again. */
int webhook_send_start(struct webhook_send **sp, const char *dsn,
		       const struct webhook_config *cfg);

#endif
