/** @file worker_registrations.h  The operator's commands on bindings. */
#ifndef WORKER_REGISTRATIONS_H
#define WORKER_REGISTRATIONS_H

struct json_t;
struct worker;

/**
 * {"op":"registrations"}: bindings, at most 1000, of "trunk" and "tenant" if
 * these are given; "total" counts all that match.
 */
struct json_t *worker_registrations_list(struct worker *w,
					 const struct json_t *req);

/** {"op":"unregister","trunk":,"username":,"contact":}: take one away. */
struct json_t *worker_registrations_drop(struct worker *w,
					 const struct json_t *req);

#endif
