/**
 * @file message.h  Reading and writing SIP messages over libre's decoder.
 */
#ifndef MESSAGE_H
#define MESSAGE_H
#include <re.h>
#include <stdbool.h>

struct sip_msg;

/** Where a message came from or goes to: enough to answer on the same way. */
struct sip_path {
	struct sa local, peer;
	uint8_t transport;  /**< enum sip_transp: SIP_TRANSP_UDP ...        */
	uint16_t sock;      /**< which of our sockets                       */
};

/** Guard and decode. *msgp is the caller's reference (mem_deref).
 *  @return 0; EBADMSG (verdict says why; GUARD_OK: libre refused); ENOMEM */
int message_decode(struct sip_msg **msgp, const struct sip_path *path,
		   const uint8_t *buf, size_t len, int *ret_verdict);

/** Is this the request's method (a response: the method in its CSeq)? */
bool message_is(const struct sip_msg *msg, const char *method);

/** Where the response to req goes (RFC 3261 18.2.2, RFC 3581 4): over UDP to
 *  the packet's source address, at its source port when rport was asked for,
 *  else at sent-by's port. Never to maddr. Streams: the same connection. */
void message_reply_path(const struct sip_msg *req, const struct sip_path *path,
			struct sip_path *ret_path);

/**
 * Response to a request: Vias (received and rport filled in, RFC 3261
 * 18.2.1, RFC 3581 4; maddr never followed), From, To (tag added when it has
 * none and to_tag is given), Call-ID, CSeq; Record-Route in 101..299
 * (12.1.1), Timestamp in 100 (8.2.6.1); then the formatted extra header lines
 * (each ending CRLF), then Content-Length and body. Written at mb->pos.
 * @param extra  re_printf format or NULL
 */
int message_reply(struct mbuf *mb, const struct sip_msg *req,
		  const struct sip_path *path, uint16_t scode,
		  const char *reason, const char *to_tag,
		  const char *body_type, const uint8_t *body, size_t body_len,
		  const char *extra, ...);

/**
 * ACK or CANCEL that belongs to a request of ours: its Request-URI, topmost
 * Via, From, To, Call-ID, CSeq number and Route (RFC 3261 9.1, 17.1.1.3).
 * @param request  the bytes as we sent them
 * @param to       To of the response that is acknowledged; NULL: the request's
 * @param extra    further header lines or NULL
 * @return 0, EBADMSG (not a request of ours) or ENOMEM
 */
int message_derive(struct mbuf *mb, const uint8_t *request, size_t len,
		   const char *method, const struct pl *to,
		   const char *extra);

/** Header as text, of several the first; pl_null when absent. name is the
 *  long one, the compact form is found too. Of Via and Route: one value. */
struct pl message_header(const struct sip_msg *msg, const char *name);

/** Does a comma list header (Supported, Require) hold this token? */
bool message_lists(const struct sip_msg *msg, const char *header,
		   const char *token);

/** Walks through the values of a header: all its lines, and each line split at
 *  commas outside of quotes and angle brackets (RFC 3261 7.3.1). */
struct message_values {
	const char *name;
	struct le *le;
	struct pl rest;
};

void message_values_init(struct message_values *v, const struct sip_msg *msg,
			 const char *name);

/** @return false at the end. Values are trimmed and not empty; borrowed. */
bool message_values_next(struct message_values *v, struct pl *ret_value);

/** Body when its type is application/sdp (also inside multipart). Borrowed.
 *  @return 0 or ENOENT (none) */
int message_sdp(const struct sip_msg *msg, const uint8_t **ret_sdp,
		size_t *ret_len);

/** User part unescaped, without ";params" in it; "" when none.
 *  @return 0; EOVERFLOW; EBADMSG (bad escape, control character) */
int message_user(const struct pl *user, char *buf, size_t size);

/** The number that a URI names: its user part; of a tel: URI the number
 *  without visual separators (RFC 3966 5.1.1). Errors as above. */
int message_number(const struct uri *uri, char *buf, size_t size);

/**
 * The URN of an emergency service as it is compared: "urn:service:sos.police"
 * in lower case (RFC 5031 3), or a test of it (urn:service:test.sos, RFC 6881).
 * @param text  a URI, or that of an address in angle brackets
 * @return 0; ENOENT: it is another URI; EOVERFLOW
 */
int message_service(const struct pl *text, char *buf, size_t size);

/** What stands before its labels. */
#define SERVICE_URN "urn:service:"

/** Quote a display name safely (RFC 3261 25.1 quoted-string).
 *  @return 0 or EOVERFLOW (buf is then "") */
int message_quote(char *buf, size_t size, const char *text);

/**
 * The text of a quoted-string, its quotes away already: backslashes gone
 * (RFC 3261 25.1). @return 0 or EOVERFLOW (buf then holds whole characters of
 * the beginning)
 */
int message_unquote(char *buf, size_t size, const struct pl *text);

#endif
