/**
 * @file message.h  Reading and writing SIP messages over libre's decoder.
 */
#ifndef MESSAGE_H
#define MESSAGE_H
#include <re.h>
#include <stdbool.h>

#define SIP_SIZE_MAX 65535
#define SIP_UDP_MTU 1300

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

/**
 * Response to a request: Vias (received and rport filled in, RFC 3261
 * 18.2.1, RFC 3581 4; maddr never followed), From, To (tag added when it has
 * none and to_tag is given), Call-ID, CSeq, Record-Route; then the formatted
 * extra header lines (each ending CRLF), then Content-Length and body.
 * @param extra  re_printf format or NULL
 */
int message_reply(struct mbuf *mb, const struct sip_msg *req,
		  const struct sip_path *path, uint16_t scode,
		  const char *reason, const char *to_tag,
		  const char *body_type, const uint8_t *body, size_t body_len,
		  const char *extra, ...);

/** Header as text; pl_null when absent. Long and compact names. */
struct pl message_header(const struct sip_msg *msg, const char *name);

/** Does a comma list header (Supported, Require) hold this token? */
bool message_lists(const struct sip_msg *msg, const char *header,
		   const char *token);

/** Body when its type is application/sdp (also inside multipart/mixed). */
int message_sdp(const struct sip_msg *msg, const uint8_t **ret_sdp,
		size_t *ret_len);

/** User part unescaped, without ";params" in it; "" when none. */
int message_user(const struct pl *user, char *buf, size_t size);

/** Quote a display name safely (RFC 3261 25.1 quoted-string). */
int message_quote(char *buf, size_t size, const char *text);

#endif
