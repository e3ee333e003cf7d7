/**
 * @file intercept.h  The point of interception of a node: hears all calls at
 * the tap, learns from strowger-li who is sought, and gives it what targets
 * say and hear. All of this folder that the program sees.
 */
#ifndef INTERCEPT_H
#define INTERCEPT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intercept;

struct intercept_config {
	const char *socket;   /**< of strowger-li                           */
	const char *user;     /**< whose it must be: a name or a number     */
	const char *node;
	size_t queue_bytes;   /**< for packets; cut to a power of two       */
	void (*wakeh)(void *arg); /**< intercept_look() has work: any thread */
	void *arg;
};

/** Before the first call. @return 0; ENOENT (no such user); EAGAIN, EPERM
 *  (locked memory); ENOMEM */
int intercept_alloc(struct intercept **ip, const struct intercept_config *cfg);
/** Connects from here on. @return 0 or errno */
int intercept_start(struct intercept *i);

/**
 * On the worker's thread, between its inputs. NULL is fine.
 * @return true: call it again soon
 */
bool intercept_look(struct intercept *i, int64_t wall_us);

/** After the last call: what is queued is told, for a second at most. */
void intercept_stop(struct intercept *i);

#endif
