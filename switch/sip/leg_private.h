/**
 * @file leg_private.h  What the files of a leg share: its state, its requests
 * in flight, the 2xx that waits for its ACK. For leg*.c alone.
 */
#ifndef LEG_PRIVATE_H
#define LEG_PRIVATE_H
#include "dialog.h"
#include "leg.h"
#include "transaction_client.h"

#define LEG_ALLOW "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
#define LEG_MAX_FORWARDS 70 /**< of what we begin (RFC 3261 8.1.1.6) */
#define LEG_SUPPORTED "Supported: \r\n"

/*
 *        UAS                                  UAC
 *   AT_RINGING_IN                        AT_DIALLING ----> AT_CANCELLING
 *        | 2xx sent                           | 2xx              |   |
 *   AT_WAIT_ACK                          AT_ANSWERED             |   |
 *        | ACK                                | leg_ack()    2xx |   |
 *        +------------> AT_UP <---------------+                  |   |
 *                         | leg_bye()                            |   |
 *                      AT_LEAVING <------------------------------+   |
 *                         | answer to BYE                            |
 *                      AT_OVER <----- BYE of the peer, failure ------+
 */
enum leg_at {
	AT_RINGING_IN,  /**< no final answer of ours yet                    */
	AT_WAIT_ACK,    /**< our 2xx is out, its ACK is not there           */
	AT_DIALLING,    /**< no final answer of theirs yet                  */
	AT_CANCELLING,  /**< the same, and nobody wants it any more         */
	AT_ANSWERED,    /**< their 2xx is here, the owner has to ACK it     */
	AT_UP,
	AT_LEAVING,     /**< our BYE waits for the ACK, or for its answer   */
	AT_OVER,
};

struct leg_request;

/** Answers to a request of ours, after digest; err as client_answer_h. */
typedef void(leg_request_h)(struct leg_request *r, int err,
			    const struct sip_msg *msg);

/**
 * A request of ours in flight. An INVITE with 2xx stays for 64*T1 so that
 * repeated 2xx find their ACK (RFC 3261 13.2.2.4, RFC 6026 7.2).
 */
struct leg_request {
	struct le le;              /**< leg->requests, which owns it        */
	struct leg *leg;           /**< weak                                */
	struct dialog *dialog;     /**< the leg's, or that of a fork        */
	struct client_tx *tx;
	const char *method;
	struct mbuf *tail;         /**< own headers and body, until final   */
	char *auth;                /**< Authorization line; the ACK has it  */
	struct mbuf *ack;          /**< for repeated 2xx                    */
	struct wheel_timer timer;
	leg_request_h *h;
	uint32_t cseq;
	uint8_t max_forwards;
	uint8_t digests;           /**< challenges answered                 */
	bool is_cancelled;
	bool is_final;
};

/** A 2xx of ours that is repeated until its ACK (RFC 3261 13.3.1.4). */
struct leg_repeat {
	struct server_tx *tx;      /**< NULL: none is waiting               */
	struct wheel_timer timer;
	uint32_t cseq;
	uint32_t interval_ms, spent_ms;
	bool is_offer;             /**< of a re-INVITE                      */
};

struct leg {
	struct sip_binding binding;
	struct sip_endpoint *ep;   /**< borrowed, outlives every leg        */
	struct dialog *dialog;
	struct credential *credential; /**< NULL: never answer a challenge  */
	char *contact;             /**< Contact value                       */
	char *user_agent;          /**< the peer's                          */
	leg_event_h *h;
	void *arg;
	void *owner;
	struct list requests;
	struct leg_request *invite;   /**< weak, until its final answer     */
	struct leg_request *offer;    /**< weak: our re-INVITE until its ACK */
	struct leg_request *unacked;  /**< weak: its 2xx wants leg_ack()    */
	struct server_tx *invite_in;  /**< until our final answer           */
	struct server_tx *offer_in;   /**< their re-INVITE, the same        */
	struct leg_repeat repeat;
	struct mbuf *bye;             /**< tail of a BYE that has to wait   */
	struct wheel_timer silence;   /**< no answer at all to our INVITE   */
	uint32_t own_refs;
	enum leg_at at;
	bool is_bound;
	bool is_held;              /**< lives by itself until settled       */
	bool is_told;              /**< the owner knows of the end          */
};

/* --- leg.c: life and reports */
int leg_alloc(struct leg **legp, struct sip_endpoint *ep,
	      const char *contact_host, uint8_t transport, leg_event_h *h,
	      void *arg);
/** Around everything that comes from below: the leg lives until leave. */
void leg_enter(struct leg *leg);
void leg_leave(struct leg *leg);
/** From now on the leg finishes alone. */
void leg_hold(struct leg *leg);
/** Report; nothing when the owner let go or knows of the end. */
void leg_report(struct leg *leg, enum leg_event_id id, int err,
		const struct sip_msg *msg, const struct sip_path *path);
/** Report the end in our own words. */
void leg_report_end(struct leg *leg, enum leg_event_id id, uint16_t scode,
		    int err, const char *reason);
void leg_note_user_agent(struct leg *leg, const struct sip_msg *msg);
/** Milliseconds of 64*T1. */
uint32_t leg_64t1_ms(const struct leg *leg);
/** Own headers and body of a request; sdp may be NULL. */
int leg_tail_print(struct mbuf *mb, const uint8_t *sdp, size_t len);

/* --- leg_request.c */
/** Takes over tail also when it fails. The leg owns *rp. */
int leg_request_send(struct leg_request **rp, struct leg *leg,
		     struct dialog *dialog, const char *method,
		     struct mbuf *tail, uint8_t max_forwards,
		     leg_request_h *h);
int leg_request_ack(struct leg_request *r, const uint8_t *sdp, size_t len);
void leg_request_ack_again(struct leg_request *r);
/** ACK the 2xx of another fork and end it with BYE (RFC 3261 13.2.2.4). */
void leg_request_release_fork(struct leg_request *invite,
			      const struct sip_msg *answer);
void leg_request_cancel(struct leg_request *r, uint8_t q850);
void leg_request_forget(struct leg_request *r);

/* --- leg_in.c */
void leg_in_acked(struct leg *leg, const struct sip_msg *ack,
		  const struct sip_path *path);
/** Tell the server transactions who the owner is. */
void leg_in_own(struct leg *leg);
void leg_in_terminate(struct leg *leg, struct server_tx **txp);
void leg_repeat_start(struct leg *leg, struct server_tx *tx, uint32_t cseq,
		     bool is_offer);
void leg_repeat_stop(struct leg *leg);

/* --- leg_identity.c: lines for who calls and who forwarded */
int leg_identity_print(struct mbuf *mb, const struct leg_out *out);

/* --- leg_out.c */
void leg_out_abandon(struct leg *leg, uint8_t q850);

/* --- leg_dialog.c */
server_cancel_h leg_offer_cancelled;
endpoint_dialog_h leg_dialog_handler;
/** Send the BYE that leg->bye holds, now. */
void leg_bye_send(struct leg *leg);

#endif
