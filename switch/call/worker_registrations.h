/** @file worker_registrations.h  The operator's commands on bindings. */
#ifndef WORKER_REGISTRATIONS_H
#define WORKER_REGISTRATIONS_H

struct json_t;
struct worker;

/**
 * {"op":"registrations"}: at most "limit" bindings behind the serial number
 * "after", in the order in which they were made; of "trunk" and "tenant" if
 * these are given. "has_more": there are others behind them; "total" counts
 * all that match.
 */
struct json_t *worker_registrations_list(struct worker *w,
					 const struct json_t *req);

/** {"op":"unregister","trunk":,"username":,"contact":}: take one away. */
struct json_t *worker_registrations_drop(struct worker *w,
					 const struct json_t *req);

#endif
