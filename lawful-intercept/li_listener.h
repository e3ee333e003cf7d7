/**
 * @file li_listener.h  HTTPS with certificates on both sides. Who has none,
 * one of another CA, an expired or a revoked one is refused in the handshake:
 * not an octet of HTTP is read from them.
 *
 * It runs on its owner's loop: li_listener_fd() becomes readable, then
 * li_listener_run().
 */
#ifndef LI_LISTENER_H
#define LI_LISTENER_H
#include <re.h>
#include <stddef.h>
#include <stdint.h>
#include "li_peer.h"
#include "li_settings.h"

struct li_listener;

struct li_request {
	const char *method, *path;
	const char *body;      /**< whole, not ended by NUL                 */
	size_t len;
	bool is_too_long;      /**< and the body is not there               */
	struct li_peer peer;
};

struct li_reply {
	unsigned status;
	const char *type;      /**< a constant                              */
	struct mbuf *body;     /**< empty at first                          */
};

typedef void(li_request_h)(const struct li_request *req,
			   struct li_reply *reply, void *arg);

/** Somebody was refused; why is a constant. */
typedef void(li_refused_h)(const char *why, const char *address,
			   const char *serial, void *arg);

/**
 * One a process.
 * @param why  on failure what is wrong
 */
int li_listener_open(struct li_listener **lp, const struct li_settings *s,
		     li_request_h *h, li_refused_h *refused, void *arg,
		     char *why, size_t size);

int li_listener_fd(const struct li_listener *l);

/** @return ms until it has to run again at the latest; -1: no need */
int li_listener_run(struct li_listener *l);

#endif
