/**
 * @file endpoint.h  One worker's SIP: bytes in, transactions, bytes out.
 * A retransmission, an ACK for our own failure, a response to our request are
 * settled here; what remains is given to the handlers.
 */
#ifndef ENDPOINT_H
#define ENDPOINT_H
#include "htab.h"
#include "message.h"
#include "moment.h"
#include "rng.h"
#include "token.h"
#include "wheel.h"

struct sip_endpoint;
struct server_tx;

/** The wire door. Must not call back. @return 0 or errno (counted) */
typedef int(endpoint_send_h)(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg);

/**
 * A request outside any dialog of ours and without transaction: answer it
 * statelessly (endpoint_reply), start a server transaction, or stay silent.
 * Also a CANCEL of nothing and a To tag that nobody has: RFC 3261 9.2 and
 * 12.2.2 say 481, but not whether a stranger is to hear it. ACKs that match
 * nothing are not reported.
 */
typedef void(endpoint_request_h)(const struct sip_msg *msg,
			    const struct sip_path *path, void *arg);

/**
 * A request inside the dialog that owns to-tag. ACK has tx NULL. For all
 * others tx is a started server transaction that the handler must answer
 * with server_tx_reply(): now, or later if it takes a reference (mem_ref).
 * tx is borrowed: unanswered and without a reference it answers 500.
 */
typedef void(endpoint_dialog_h)(struct server_tx *tx, const struct sip_msg *msg,
			   const struct sip_path *path, void *arg);

/** Verbatim copies for the tap; dir 0 in, 1 out. May be NULL. */
typedef void(endpoint_trace_h)(const struct sip_path *path, int dir,
			  const uint8_t *buf, size_t len,
			  bool retransmission, void *owner, void *arg);

/**
 * What has no owner, verbatim: a request that is refused here, an ACK that
 * matches nothing, and (dir 1) answers to requests without an owner. Not the
 * requests that are given to requesth, who knows what becomes of them.
 * Retransmissions by a transaction are left out. May be NULL.
 * @param request  that it is, or that it answers
 */
typedef void(endpoint_outside_h)(const struct sip_msg *request,
				const struct sip_path *path, int dir,
				const uint8_t *buf, size_t len, void *arg);

struct sip_endpoint_config {
	uint32_t t1_ms, t2_ms, t4_ms; /**< 0: 500, 4000, 5000 (RFC 3261 17) */
	uint32_t timer_c_ms;          /**< 0: 180 000 (RFC 3261 16.6)       */
	size_t transactions_max;      /**< living and lingering; above: 503 to
					   new requests; those in dialogs and
					   our own go up to twice as many   */
	const char *server_name;      /**< Server / User-Agent text         */
	struct wheel *wheel;          /**< borrowed                         */
	struct rng *rng;              /**< borrowed                         */
	struct token_mint *mint;      /**< borrowed; our tags and branches  */
	uint16_t shard;
	endpoint_send_h *sendh;
	endpoint_request_h *requesth;
	endpoint_trace_h *traceh;
	endpoint_outside_h *outsideh;
	void *arg;
};

/** @return 0, EINVAL or ENOMEM. mem_deref() ends all transactions silently;
 *  wheel, rng and mint must still be there. */
int endpoint_alloc(struct sip_endpoint **epp,
		   const struct sip_endpoint_config *cfg);

/** Bytes from the wire. now is kept for everything that happens inside. */
void endpoint_recv(struct sip_endpoint *ep, const struct moment *now,
		   const struct sip_path *path, const uint8_t *buf,
		   size_t len);

/** From within a handler: the octets from the wire, which the decoded message
 *  need not have all (message.h). NULL: none. */
const uint8_t *endpoint_received(const struct sip_endpoint *ep,
				 size_t *ret_len);

/** The owner moved time (before wheel_advance). */
void endpoint_now(struct sip_endpoint *ep, const struct moment *now);
const struct moment *endpoint_moment(const struct sip_endpoint *ep);
struct wheel *endpoint_wheel(const struct sip_endpoint *ep);
struct rng *endpoint_rng(const struct sip_endpoint *ep);
const struct sip_endpoint_config *
endpoint_config(const struct sip_endpoint *ep);

/** Stateless answer (nothing is kept; an ACK to it is ignored). */
int endpoint_reply(struct sip_endpoint *ep, const struct sip_msg *msg,
		   const struct sip_path *path, uint16_t scode,
		   const char *reason, const char *extra, ...);

/** Send bytes as they are (ACK to a 2xx, a 2xx again). owner: for the tap. */
int endpoint_send(struct sip_endpoint *ep, const struct sip_path *path,
		  const uint8_t *buf, size_t len, bool retransmission,
		  void *owner);

/**
 * A datagram of ours came back by ICMP: the request in it, if it is one that
 * has heard nothing yet, fails at once with err. Its branch stands in what is
 * quoted, so that nobody who has not seen the request can end it.
 * @param path  peer: where it went
 * @param buf   the beginning of the datagram, maybe nothing
 */
void endpoint_unreachable(struct sip_endpoint *ep, const struct moment *now,
			  const struct sip_path *path, const uint8_t *buf,
			  size_t len, int err);

/** A fresh opaque token of ours (tag, branch suffix, Call-ID). */
void endpoint_token(struct sip_endpoint *ep, char token[TOKEN_SIZE]);

/** Requests whose To-tag is tag go to h. The binding is embedded. */
struct sip_binding {
	struct htab_node node;
	char tag[TOKEN_SIZE];
	endpoint_dialog_h *h;
	void *arg;
	void *owner; /**< for the trace handler; set before or after binding */
	uint32_t acked;  /**< CSeq of the last ACK                        */
	bool is_acked;
	void (*endh)(void *arg); /**< the endpoint ends; may be NULL     */
};
void endpoint_bind(struct sip_endpoint *ep, struct sip_binding *b,
		   const char *tag, endpoint_dialog_h *h, void *arg);
void endpoint_unbind(struct sip_endpoint *ep, struct sip_binding *b);

/** What is alive, for the simulator's checkers and the metrics. */
struct endpoint_census {
	size_t client_tx, server_tx, dialogs;
	uint64_t bytes_kept;
};
void endpoint_census(const struct sip_endpoint *ep,
		     struct endpoint_census *ret);

#endif
