/**
 * @file transaction.h  What the endpoint and its two kinds of transaction
 * know of each other. Private to endpoint.c and transaction_*.c.
 */
#ifndef TRANSACTION_H
#define TRANSACTION_H
#include <stdarg.h>
#include "endpoint.h"
#include "guard.h"

#define BRANCH_SIZE 64  /**< of ours: cookie, token, NUL */
#define METHOD_SIZE 33

struct client_tx;
struct metric;

/** What became of a message that came in: a guard verdict, or one of these. */
enum in_result {
	IN_UNDECODABLE = GUARD_N, /**< libre refused it                  */
	IN_NO_MEMORY,
	IN_STRAY_RESPONSE,        /**< to no request of ours             */
	IN_STRAY_ACK,             /**< neither transaction nor dialog    */
	IN_RESULT_N
};

enum tx_timer { TX_TIMER_B, TX_TIMER_C, TX_TIMER_F, TX_TIMER_H,
		TX_TIMER_CANCEL, TX_TIMER_UNANSWERED, TX_TIMER_N };

enum { STATELESS_N = 8 };

struct endpoint_metrics {
	struct metric *in[IN_RESULT_N], *out, *out_failed;
	struct metric *again_in, *again_out;
	struct metric *stateless[STATELESS_N];
	struct metric *client_tx, *server_tx;
	struct metric *expired[TX_TIMER_N];
};

/** What came from the wire, while it is looked at. */
struct incoming {
	const struct sip_path *path;
	const uint8_t *buf;
	size_t len;
};

struct sip_endpoint {
	struct sip_endpoint_config cfg;
	const struct incoming *in; /**< in endpoint_recv(), else NULL        */
	char *server_name;
	struct moment now;
	struct htab *clients;   /**< struct client_tx by branch, method      */
	struct htab *servers;   /**< struct server_tx by branch, sent-by, ... */
	struct htab *merges;    /**< the same by From-tag, Call-ID, CSeq     */
	struct htab *bindings;  /**< struct sip_binding by To-tag            */
	struct mbuf *mb;        /**< every message is built here             */
	uint64_t bytes_kept;
	struct endpoint_metrics metrics;
};

/**
 * A response to msg in ep->mb, with our Server header.
 * @param ap  of extra; NULL when extra is NULL
 */
int endpoint_build(struct sip_endpoint *ep, const struct sip_msg *msg,
		   const struct sip_path *path, uint16_t scode,
		   const char *reason, const char *to_tag,
		   const char *body_type, const uint8_t *body,
		   size_t body_len, const char *extra, va_list *ap);

/** outsideh, if there is one. */
void endpoint_outside(const struct sip_endpoint *ep,
		      const struct sip_msg *request,
		      const struct sip_path *path, int dir,
		      const uint8_t *buf, size_t len);

/** Dialogs and requests of ours may go beyond transactions_max: turning a BYE
 *  away would keep more than it saves. */
bool endpoint_is_full(const struct sip_endpoint *ep, bool is_initial);

/** The transaction that a response answers (RFC 3261 17.1.3), or NULL. */
struct client_tx *client_tx_find(const struct sip_endpoint *ep,
				 const struct sip_msg *msg);
/** endpoint_unreachable() */
void client_tx_unreachable(struct sip_endpoint *ep,
			   const struct sip_path *path, const uint8_t *buf,
			   size_t len, int err);
/** Is it a final response that came before? Another fork's 2xx is not. */
bool client_tx_is_repeat(const struct client_tx *tx,
			 const struct sip_msg *msg);
void *client_tx_owner(const struct client_tx *tx);
void client_tx_receive(struct client_tx *tx, const struct sip_msg *msg);
bool client_tx_detach(void *data, void *arg); /**< htab_each_h */

/** The transaction of a request (RFC 3261 17.2.3), or NULL. */
struct server_tx *server_tx_find(const struct sip_endpoint *ep,
				 const struct sip_msg *msg,
				 const char *method);
/** Does another transaction hold the same request (RFC 3261 8.2.2.2)? */
bool server_tx_is_merged(const struct sip_endpoint *ep,
			 const struct sip_msg *msg);
void *server_tx_owner(const struct server_tx *tx);
void server_tx_repeat(struct server_tx *tx);
/** An ACK with the INVITE's branch is the dialog's when it follows a 2xx. */
bool server_tx_is_ack_of_dialog(const struct server_tx *tx);
/** Has the ACK of a failure come? */
bool server_tx_is_acked(const struct server_tx *tx);
void server_tx_ack(struct server_tx *tx);
void server_tx_cancel(struct server_tx *tx, const struct sip_msg *cancel,
		      const struct sip_path *path);
bool server_tx_detach(void *data, void *arg); /**< htab_each_h */

static inline bool path_is_reliable(const struct sip_path *path)
{
	return path->transport != SIP_TRANSP_UDP;
}

#endif
