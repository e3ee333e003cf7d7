/**
 * @file call_table.h  The call as data: where it stands, what can happen, and
 * the cell for each pair. Read it beside RFC 3261; call_action.h has the
 * verbs. `strowger table` prints it.
 */
#ifndef CALL_TABLE_H
#define CALL_TABLE_H
#include "fsm.h"

/** One value per promise made to either side. */
enum call_state {
	CALL_NEW,        /**< INVITE read; nothing promised but 100          */
	CALL_FUNDING,    /**< admitted and routed; waits for the lease       */
	CALL_ASKING,     /**< nobody is called; a decision URL is asked      */
	CALL_DIALLING,   /**< INVITE sent to B, nothing heard                */
	CALL_PROCEEDING, /**< B said 1xx; A heard at most what B said        */
	CALL_ANSWERED,   /**< B's 2xx relayed to A; A's ACK outstanding      */
	CALL_UP,         /**< both dialogs confirmed                         */
	CALL_MODIFYING,  /**< one re-INVITE on its way to the other side     */
	CALL_MODIFIED,   /**< its 2xx relayed back; its ACK outstanding      */
	CALL_CLOSING,    /**< both sides told; END on its way to the disk    */
	CALL_DONE,       /**< END is on disk                                 */
	CALL_STATE_N
};

/** A_ is the calling side, B_ the called side, X_ either, T_ a timer. */
enum call_event_id {
	EV_A_INVITE,
	EV_REFUSED,        /**< our own decision; outcome says which         */
	EV_FUNDED,
	EV_B_TRYING, EV_B_RINGING, EV_B_ANSWER,
	EV_B_FAIL_NEXT, EV_B_FAIL_LAST,
	EV_B_FORWARD,      /**< failed, and its trunk has a forward for it   */
	EV_ASK,            /**< a decision URL shall say what follows        */
	EV_DECIDED,        /**< it has answered                              */
	EV_A_ACK, EV_X_ACK_LOST,
	EV_A_CANCEL, EV_A_BYE, EV_B_BYE,
	EV_X_OFFER, EV_X_OFFER_OK, EV_X_OFFER_FAIL, EV_X_OFFER_ACK,
	EV_X_OFFER_CANCEL,
	EV_T_RING, EV_T_FUNDS, EV_T_CREDIT, EV_T_MAX, EV_MEDIA_LOST,
	EV_T_NO_RING,      /**< no 18x of this gateway in its time           */
	EV_T_TOTAL,        /**< nobody rang in the time for all tries        */
	EV_T_ASK,          /**< no answer of it in its time, or nobody asked */
	EV_ADMIN_DROP,
	EV_JOURNALLED,
	CALL_EVENT_N
};

extern const struct fsm_def call_def;

#endif
