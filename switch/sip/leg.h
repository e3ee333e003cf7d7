/**
 * @file leg.h  One side of a call: an INVITE dialog (RFC 3261 12, 13, 14, 15)
 * with its own Call-ID and tags. A leg knows nothing of the other side; it
 * reports to its owner and does what it is told. Used by call.
 */
#ifndef LEG_H
#define LEG_H
#include "catalog.h"
#include "diversion.h"
#include "endpoint.h"
#include "outcome.h"
#include "transaction_server.h"

struct leg;

enum leg_event_id {
	/* a leg that we called (UAC) */
	LEG_TRYING,          /**< 100                                       */
	LEG_PROGRESS,        /**< 180..199, maybe with SDP                  */
	LEG_ANSWERED,        /**< first 2xx: leg_ack() it                   */
	LEG_FAILED,          /**< 300..699 (after digest was tried), or none
			          (scode 0, err says): the leg is over      */
	/* a leg that called us (UAS) */
	LEG_CANCELLED,       /**< CANCEL before our final answer; 487 sent  */
	LEG_ACKED,           /**< ACK for our 2xx, maybe with SDP (answer)  */
	LEG_ACK_LOST,        /**< none in 64*T1 (RFC 3261 13.3.1.4)         */
	/* both */
	LEG_OFFER,           /**< re-INVITE with or without SDP: answer it
			          with leg_offer_reply()                    */
	LEG_OFFER_ANSWERED,  /**< 2xx to our re-INVITE: leg_ack() it        */
	LEG_OFFER_REFUSED,   /**< its failure or timeout (scode, 0: none);
			          481 and 408 end the dialog: BYE follows   */
	LEG_OFFER_ACKED,     /**< ACK to our 2xx of their re-INVITE, maybe
			          with SDP                                  */
	LEG_OFFER_CANCELLED, /**< they cancelled their re-INVITE; 487 sent  */
	LEG_BYE,             /**< the peer ended it (200 sent); over        */
	LEG_EVENT_N
};

struct leg_event {
	enum leg_event_id id;
	uint16_t scode;
	int err;
	char reason[64];            /**< phrase                             */
	char reason_header[80];     /**< Reason (RFC 3326), "" when none    */
	uint8_t q850;               /**< from Reason, 0 when none           */
	uint32_t retry_after_s;
	const uint8_t *sdp;         /**< NULL when none; borrowed           */
	size_t sdp_len;
	const struct sip_msg *msg;  /**< NULL on a time-out; borrowed       */
	const struct sip_path *path;
};

/**
 * The owner's handler. It may call any leg function on this leg, and
 * mem_deref() it: the leg lives until the handler returns.
 *
 * Let go (mem_deref) of a leg after LEG_FAILED, LEG_CANCELLED or LEG_BYE, or
 * after leg_reject(), leg_cancel() or leg_bye(): what is left to do is done
 * below, and nothing is reported to an owner without a reference. Letting go
 * of a live leg ends nothing at the peer. After LEG_FAILED, LEG_CANCELLED,
 * LEG_BYE, leg_reject() and leg_bye() no event follows; after leg_cancel() an
 * owner that holds on hears LEG_FAILED (487 also when a 2xx crossed).
 */
typedef void(leg_event_h)(struct leg *leg, const struct leg_event *ev,
			  void *arg);

/** What stands around the SDP; all texts are copied. */
struct leg_out {
	struct sip_path path;       /**< from which socket, to where        */
	char contact_host[64];      /**< our address in Contact, "ip:port"  */
	char request_uri[300];
	char from_display[64], from_user[64], from_host[64];
	char to_user[64], to_host[64];
	char pai[64];               /**< "+49..": P-Asserted-Identity; ""   */
	char ppi[64];               /**< P-Preferred-Identity; ""           */
	char rpid[64];              /**< Remote-Party-ID; ""                */
	bool is_tel;                /**< these as tel: URI (RFC 3966)       */
	char identity_host[64];     /**< of these; "": contact_host         */
	struct diversion diversions[DIVERSIONS_MAX];
	uint8_t diversion_n;
	bool sends_diversion, sends_history;
	bool is_private;            /**< Privacy: id (RFC 3323, 3325)       */
	bool is_critical;           /**< and critical with it               */
	uint8_t max_forwards;       /**< sent as it is, 0 too               */
	struct credential credential; /**< username "": never answer        */
	uint32_t no_response_ms;    /**< no 1xx at all: LEG_FAILED ETIMEDOUT*/
	const struct location *location; /**< borrowed; NULL: not told      */
	enum location_form location_form;
	char headers[1024];         /**< allowed through (hide.h), CRLF ended */
	void *owner;                /**< leg_set_owner() for the INVITE too */
};

/**
 * Take over a new INVITE. The transaction is started and 100 is sent.
 * @param contact_host  "ip:port" for our Contact
 * @param owner         see leg_set_owner(), from the 100 on; may be NULL
 * @return 0; EBADMSG: a tag, URI or the route set cannot be used (400);
 *         ENOMEM, ENOBUFS (503): then nothing was sent
 */
int leg_accept(struct leg **legp, struct sip_endpoint *ep,
	       const struct sip_msg *invite, const struct sip_path *path,
	       const char *contact_host, void *owner, leg_event_h *h,
	       void *arg);

/** Send an INVITE. sdp may be NULL (late offer). Events come later, never
 *  from inside this call. @return 0 or errno (then nothing was sent) */
int leg_dial(struct leg **legp, struct sip_endpoint *ep,
	     const struct leg_out *out, const uint8_t *sdp, size_t len,
	     leg_event_h *h, void *arg);

/**
 * The INVITE that leg_dial() would send, as text at mb->pos. Nothing is sent
 * or kept, and no credential is in it: they answer challenges only.
 */
int leg_preview(struct mbuf *mb, struct sip_endpoint *ep,
		const struct leg_out *out, const uint8_t *sdp, size_t len);

/* --- UAS side, before the final answer */
int leg_progress(struct leg *leg, uint16_t scode, const char *reason,
		 const uint8_t *sdp, size_t len);
int leg_answer(struct leg *leg, const uint8_t *sdp, size_t len);
/** @param extra  header lines ("Retry-After: 5\r\n") or "" */
int leg_reject(struct leg *leg, uint16_t scode, const char *reason,
	       uint8_t q850, const char *extra);

/* --- UAC side */
/** ACK a 2xx (LEG_ANSWERED, LEG_OFFER_ANSWERED); repeated 2xx are ACKed
 *  below with the same bytes. sdp: the answer when the 2xx had the offer */
int leg_ack(struct leg *leg, const uint8_t *sdp, size_t len);
/** Before the answer: CANCEL. A 2xx that crosses is ACKed and released with
 *  BYE below; the owner may let go at once after this. Further answers of
 *  forks are treated so as well (RFC 3261 13.2.2.4). Between LEG_ANSWERED and
 *  leg_ack() it is leg_bye(). In the dialog it cancels our re-INVITE, which
 *  then ends with LEG_OFFER_REFUSED or, if they cross, LEG_OFFER_ANSWERED. */
void leg_cancel(struct leg *leg, uint8_t q850);

/* --- inside the dialog */
/** re-INVITE. @return 0; EBUSY (one is pending on this leg, either way, or an
 *  ACK is; or too many in 64*T1); ENOTCONN */
int leg_offer(struct leg *leg, const uint8_t *sdp, size_t len);
/** Answer to their re-INVITE: 2xx with SDP, or a refusal (488, 491, ...). */
int leg_offer_reply(struct leg *leg, uint16_t scode, const char *reason,
		    const uint8_t *sdp, size_t len);
/** BYE, once; waits for the ACK of our 2xx if that is still out
 *  (RFC 3261 15). The leg finishes alone; the owner may let go. In any other
 *  state it ends the leg too: 480 to their INVITE, CANCEL of ours. */
void leg_bye(struct leg *leg, uint8_t q850, const char *text);

/* --- facts */
const char *leg_call_id(const struct leg *leg);
const char *leg_user_agent(const struct leg *leg); /**< the peer's, "" */
bool leg_is_up(const struct leg *leg);  /**< confirmed, not ended       */
/** Counted object (mem_ref) given to the endpoint's trace handler for this
 *  leg: the leg and its transactions outlive the call and hold it. */
void leg_set_owner(struct leg *leg, void *owner);

#endif
