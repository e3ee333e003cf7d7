/**
 * @file control.h  The operator's unix socket: one JSON line in, one out, one
 * request a connection. Works while PostgreSQL and the API are down.
 */
#ifndef CONTROL_H
#define CONTROL_H

struct control;
struct loop;

/** @param path  removed first if nobody listens there; mode 0660
 *  @return 0, EADDRINUSE (another switch answers there) or errno */
int control_open(struct control **cp, const char *path, struct loop *loop);
int control_fd(const struct control *c);

/** Serve one waiting connection: at most about six seconds for a slow peer
 *  and a worker that does not answer. */
void control_serve(struct control *c);
void control_close(struct control *c);

#endif
