/**
 * @file call_action.h  The verbs of the call table: each does one thing to a
 * call and says nothing of where the call goes next. They live in the file
 * of their noun: call_admit, call_dial, call_answer, call_modify, call_money,
 * call_end.
 */
#ifndef CALL_ACTION_H
#define CALL_ACTION_H
#include "fsm.h"

/* call_admit.c */
fsm_action_h act_admit;          /**< limits, numbers, route, price          */
/* call_money.c */
fsm_action_h act_extend;         /**< hold the next interval's cost          */
fsm_action_h act_extended;       /**< it came: re-arm the credit timer       */
/* call_dial.c */
fsm_action_h act_dial;           /**< INVITE to the first carrier            */
fsm_action_h act_dial_next;      /**< the next one, before A heard an answer */
fsm_action_h act_no_ring;        /**< CANCEL this one, the next              */
fsm_action_h act_total_over;     /**< no further tries                       */
fsm_action_h act_relay_ringing;  /**< 18x to A, with early media             */
/* call_forward.c */
fsm_action_h act_forward;        /**< where the called trunk wants it        */
/* call_ask.c */
fsm_action_h act_ask;            /**< the question leaves through its door   */
fsm_action_h act_decide;         /**< what it says, or the fallback          */
/* call_answer.c */
fsm_action_h act_answer;         /**< B's 2xx to A; the price starts         */
fsm_action_h act_confirm;        /**< A's ACK (and late answer) to B         */
/* call_modify.c */
fsm_action_h act_relay_offer;    /**< re-INVITE to the other side            */
fsm_action_h act_refuse_offer;   /**< not now: 491 (RFC 3261 14.2)           */
fsm_action_h act_relay_offer_ok; /**< its 2xx back                           */
fsm_action_h act_end_offer;      /**< its failure back; session as before    */
fsm_action_h act_confirm_offer;  /**< its ACK (and late answer)              */
fsm_action_h act_forget_offer;   /**< who asked cancelled it                 */
/* call_end.c */
fsm_action_h act_reject;         /**< final failure to A, B left             */
fsm_action_h act_cancelled;      /**< A gave up: CANCEL to B                 */
fsm_action_h act_bye_other;      /**< one side hung up: BYE to the other     */
fsm_action_h act_bye_both;       /**< we end it                              */
fsm_action_h act_bury;           /**< END is on disk: nothing left but memory*/
fsm_action_h act_cannot;         /**< a bug of ours: end this call alone     */

#endif
