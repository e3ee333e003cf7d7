/**
 * @file control.h  One question to the switch over its control socket: a line
 * of JSON out, a line of JSON back, and the connection is over. It works with
 * the API and PostgreSQL down.
 */
#ifndef CONTROL_H
#define CONTROL_H
#include <stddef.h>
#include <sys/types.h>

struct json_t;

#define CONTROL_ANSWER_MAX (64u << 20)
#define CONTROL_TIMEOUT_S 10

/**
 * @param request   {"op": ...}; borrowed
 * @param ret_answer {"ok": ...}; caller json_decref()s
 * @param ret_pid   process behind the socket; may be NULL
 * @return 0; errno of the socket; ETIMEDOUT; EBADMSG (no such answer);
 *         EMSGSIZE
 */
int control_ask(const char *path, const struct json_t *request,
		struct json_t **ret_answer, pid_t *ret_pid);

#endif
