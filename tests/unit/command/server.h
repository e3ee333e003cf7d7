/**
 * @file server.h  A control socket that gives one prepared answer.
 */
#ifndef SERVER_H
#define SERVER_H

/** Path of the socket; the next connection gets answer. */
const char *server_start(const char *answer);

/** Wait for it; the request it got, without newline. */
const char *server_stop(void);

#endif
