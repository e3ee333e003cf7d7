/**
 * @file transaction_server.h  Server transactions: RFC 3261 17.2 with the
 * Accepted state of RFC 6026. Retransmitted requests are absorbed, the last
 * answer is sent again, the request is freed after its final answer.
 */
#ifndef TRANSACTION_SERVER_H
#define TRANSACTION_SERVER_H
#include "endpoint.h"

struct server_tx;

/** CANCEL matched this INVITE (already answered 200 below). */
typedef void(server_cancel_h)(struct server_tx *tx,
			      const struct sip_msg *cancel, void *arg);

/**
 * Keep state for a request. For INVITE a 100 goes out after 200 ms unless
 * something was answered before (17.2.1).
 *
 * @param cancelh  INVITE only; may be NULL
 * *txp is the caller's reference. A transaction whose owner lets go before a
 * final answer answers 500 by itself. One that is no INVITE and not answered
 * within 64*T1 ends silently: its client has given up (RFC 4320 4.2).
 * @return 0; EALREADY (it has one); ENOBUFS (too many); EINVAL; ENOMEM
 */
int server_tx_start(struct server_tx **txp, struct sip_endpoint *ep,
		    const struct sip_msg *msg, const struct sip_path *path,
		    server_cancel_h *cancelh, void *arg);

/** Change who hears of a CANCEL. */
void server_tx_own(struct server_tx *tx, server_cancel_h *cancelh, void *arg,
		   void *owner);

/** Send 100 now. */
int server_tx_trying(struct server_tx *tx);

/**
 * Answer. Provisional answers as many as wanted, one final answer; after it
 * the request is gone. 2xx to INVITE are repeated by the owner until the ACK
 * (RFC 3261 13.3.1.4): server_tx_again().
 * @param to_tag  our tag; NULL: none (100), the request's own, the one used
 *                before, or a new one
 * @return 0; EALREADY (a final answer was given, or the transaction is over);
 *         EINVAL; ENOMEM. A wire that fails is no error here: the request
 *         comes again.
 */
int server_tx_reply(struct server_tx *tx, uint16_t scode, const char *reason,
		    const char *to_tag, const char *body_type,
		    const uint8_t *body, size_t body_len, const char *extra,
		    ...);

/** Send the last answer again (2xx to INVITE without ACK). */
int server_tx_again(struct server_tx *tx);

bool server_tx_is_final(const struct server_tx *tx);

/** The request, until the final answer; NULL afterwards. Borrowed. */
const struct sip_msg *server_tx_request(const struct server_tx *tx);

/** The way the request came. Borrowed. */
const struct sip_path *server_tx_path(const struct server_tx *tx);

#endif
