/**
 * @file event_sender.h  The thread that brings events to PostgreSQL, in
 * batches. While the database is away they wait, as many as there is room
 * for; what comes then is dropped and counted. Nobody waits for it.
 */
#ifndef EVENT_SENDER_H
#define EVENT_SENDER_H
#include "event.h"

struct event_sender;

/** Copies its strings; the database may come later. */
int event_sender_start(struct event_sender **sp, const char *dsn,
		       const char *node);

/** Any thread, never blocks. */
void event_sender_push(struct event_sender *s, const struct event *ev);

/** Send what is there, at most for about timeout_ms, and end. NULL is fine.
 *  Nobody may push any more. */
void event_sender_stop(struct event_sender *s, unsigned timeout_ms);

#endif
