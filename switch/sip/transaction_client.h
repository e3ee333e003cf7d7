/**
 * @file transaction_client.h  Client transactions: RFC 3261 17.1 with the
 * Accepted state of RFC 6026 and Timer C (16.6 item 11, 16.8).
 */
#ifndef TRANSACTION_CLIENT_H
#define TRANSACTION_CLIENT_H
#include "endpoint.h"

struct client_tx;

/**
 * @param err  0 with msg, else msg is NULL. ETIMEDOUT: no final answer (Timer
 *             B or F; after a provisional one Timer C, which sends a CANCEL
 *             and waits: a failure that comes then is reported as ETIMEDOUT
 *             too, a 2xx as the answer that it is); others from the wire.
 * Called for every provisional answer, the final one, and - for an INVITE -
 * each further 2xx while Accepted (forks and retransmissions: the owner ACKs).
 * ACK to 300..699 is sent below. After a failure or err the transaction says
 * no more.
 */
typedef void(client_answer_h)(struct client_tx *tx, int err,
			      const struct sip_msg *msg, void *arg);

/**
 * Send a request and answer for it.
 *
 * @param method    "INVITE", "BYE", ...; not ACK or CANCEL
 * @param request   whole message, whose topmost Via has the branch below
 * @param branch    "z9hG4bK" + token
 * @param owner     counted object for the tap's trace handler, or NULL
 * @return 0; EALREADY (branch and method are in use); ENOBUFS (too many);
 *         EINVAL; ENOMEM; errno of the wire. Nothing was kept then.
 * *txp is the caller's reference; mem_deref() at any time means "I do not
 * listen any more": the transaction finishes alone (a late 2xx is then ACKed
 * and released with BYE by nobody: INVITE owners stay until the end).
 */
int client_tx_start(struct client_tx **txp, struct sip_endpoint *ep,
		    const struct sip_path *path, const char *method,
		    const char *branch, const uint8_t *request, size_t len,
		    client_answer_h *h, void *arg, void *owner);

/**
 * CANCEL an INVITE (RFC 3261 9.1): sent at once after a provisional answer,
 * else kept until one comes. When no final answer follows in 64*T1 the
 * handler gets ETIMEDOUT. Idempotent; nothing after a final answer.
 * @param reason  Reason header value (RFC 3326) or NULL
 */
void client_tx_cancel(struct client_tx *tx, const char *reason);

#endif
