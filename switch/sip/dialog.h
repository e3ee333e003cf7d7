/**
 * @file dialog.h  The state of one dialog (RFC 3261 12): Call-ID, tags,
 * sequence numbers, remote target and route set; it writes the head of our
 * requests inside it. It neither sends nor knows what the requests mean.
 */
#ifndef DIALOG_H
#define DIALOG_H
#include "message.h"
#include "token.h"

#define DIALOG_TEXT_MAX 512     /**< one URI, tag or Call-ID of a peer      */
#define DIALOG_ROUTES_MAX 2048  /**< the whole route set                    */

/** Counted; texts are heap strings of exact length. */
struct dialog {
	char *call_id;
	char *local;            /**< our From or To without the tag         */
	char *remote;           /**< theirs                                 */
	char *remote_tag;       /**< NULL until an answer brought it        */
	char *target;           /**< remote target, a URI                   */
	char *routes;           /**< Route value; NULL: empty route set     */
	char local_tag[TOKEN_SIZE];
	struct sip_path path;   /**< peer: source of its last message       */
	struct sa contact;      /**< target's address if it is a literal    */
	struct sa hop;          /**< first route's address if a literal     */
	uint32_t local_seq;
	uint32_t remote_seq;
	bool has_remote_seq;
};

/**
 * From a request that creates a dialog, as UAS (12.1.1). Without a usable
 * Contact the From URI is the target.
 * @return 0; EBADMSG: a URI, tag or the route set is too long or has
 *         characters that may not be there; ENOMEM
 */
int dialog_accept(struct dialog **dp, const struct sip_msg *msg,
		  const struct sip_path *path, const char *local_tag);

/**
 * Before the first request, as UAC.
 * @param local, remote  From and To values without tag: "\"A\" <sip:..>"
 */
int dialog_start(struct dialog **dp, const struct sip_path *path,
		 const char *call_id, const char *local_tag,
		 const char *local, const char *remote, const char *target);

/** Another dialog from the same request: the 2xx of a fork (13.2.2.4). */
int dialog_fork(struct dialog **dp, const struct dialog *first,
		const struct sip_msg *answer);

/** Tag, remote target and route set from the 2xx (12.1.2). 0 or as above. */
int dialog_confirm(struct dialog *d, const struct sip_msg *answer);

/** Contact of a re-INVITE or its 2xx becomes the target (12.2.1.2). */
void dialog_refresh(struct dialog *d, const struct sip_msg *msg);

/** Is it our dialog: Call-ID and both tags (12.2.2)? Tags are compared as
 *  they are; any remote tag will do while it is not known. */
bool dialog_owns(const struct dialog *d, const struct sip_msg *request);

/** Does an answer carry the remote tag that we know? */
bool dialog_is_from(const struct dialog *d, const struct sip_msg *answer);

/** Keep the sequence number of a request; false: out of order (12.2.2). */
bool dialog_take_seq(struct dialog *d, const struct sip_msg *request);

/** A request of the peer came this way. */
void dialog_moved(struct dialog *d, const struct sip_path *path);

/** An answer came from there: over UDP, on our socket of before. */
void dialog_answered(struct dialog *d, const struct sip_msg *answer);

/**
 * Where the next request goes: over UDP to the first route if it is an
 * address; else to the remote target's port if the target's address is the
 * one that the peer's last message came from; in all other cases (NAT, names,
 * TCP, TLS) to the source of that message.
 */
void dialog_dest(const struct dialog *d, struct sip_path *ret_path);

/**
 * Request line and Via, Route, Max-Forwards, From, To, Call-ID, CSeq.
 * Routes are taken for loose ones, as with lr (RFC 3261 12.2.1.1).
 */
int dialog_request(struct mbuf *mb, const struct dialog *d,
		   const char *method, const char *branch, uint32_t cseq,
		   uint8_t max_forwards);

/** May this stand between "<" and ">" of a header of ours? */
bool dialog_uri_is_clean(const struct pl *uri);

#endif
