/** @file call_table.c  The cells. See call_table.h. */
#include "call_action.h"
#include "call_table.h"

#define AT(st, ev) [(CALL_##st) * CALL_EVENT_N + (EV_##ev)]
#define GO(fn, to, why) FSM_ROW_GO(fn, CALL_##to, why)
#define STAY(why) FSM_ROW_STAY(why)
#define CANNOT(why) FSM_ROW_CANNOT(why)

/* Reasons that many cells share. */
#define NO_B "no B leg in this state: only our own code could say so"
#define NO_FUND "funds are asked only in states that wait for them"
#define NO_OFFER "no dialog of this side is confirmed yet: the leg answers"
#define STALE "settled before; the leg has answered it"
#define ENDED "both sides are told already"
#define ONCE "a call has one INVITE; copies end in its transaction (17.2.1)"
#define NO_TIMER "the timer runs only in other states"
#define NO_TICKET "an answer finds its call by the ticket of ASKING"
#define EARLY_BYE "RFC 3261 15: no confirmed dialog yet; the leg answers 481"

/* The same five answers hold wherever both sides may talk. */
#define ENDS(st)                                                              \
	AT(st, A_BYE) = GO(act_bye_other, CLOSING, "RFC 3261 15"),            \
	AT(st, B_BYE) = GO(act_bye_other, CLOSING, "RFC 3261 15"),            \
	AT(st, T_CREDIT) = GO(act_bye_both, CLOSING, "money is used up"),     \
	AT(st, T_MAX) = GO(act_bye_both, CLOSING, "max_call_s"),              \
	AT(st, ADMIN_DROP) = GO(act_bye_both, CLOSING, "operator"),           \
	AT(st, X_ACK_LOST) =                                                  \
		GO(act_bye_both, CLOSING, "RFC 3261 13.3.1.4: 64*T1 passed")

/* What a carrier's INVITE transaction may still say after the answer. */
#define AFTER_ANSWER(st)                                                      \
	AT(st, A_INVITE) = CANNOT(ONCE),                                      \
	AT(st, REFUSED) = GO(act_bye_both, CLOSING, "its SDP is of no use"),  \
	AT(st, B_TRYING) = STAY(STALE), AT(st, B_RINGING) = STAY(STALE),      \
	AT(st, B_ANSWER) = STAY("repeated 2xx: ACKed below (13.2.2.4)"),      \
	AT(st, B_FAIL_NEXT) = STAY(STALE), AT(st, B_FAIL_LAST) = STAY(STALE), \
	AT(st, B_FORWARD) = STAY(STALE), AT(st, ASK) = STAY(STALE),           \
	AT(st, DECIDED) = CANNOT(NO_TICKET),                                  \
	AT(st, T_ASK) = CANNOT(NO_TIMER),                                     \
	AT(st, A_CANCEL) = STAY("RFC 3261 9.2: too late, no effect"),         \
	AT(st, T_RING) = CANNOT(NO_TIMER),                                    \
	AT(st, T_NO_RING) = CANNOT(NO_TIMER),                                 \
	AT(st, T_TOTAL) = CANNOT(NO_TIMER),                                   \
	AT(st, T_FUNDS) = GO(act_extend, st, "the next interval's cost "     \
					     "is held before it starts"),     \
	AT(st, FUNDED) = GO(act_extended, st, "held"),                        \
	AT(st, JOURNALLED) = CANNOT("END is written in CLOSING")

static const struct fsm_rule rules[CALL_STATE_N * CALL_EVENT_N] = {

	/* NEW */
	AT(NEW, A_INVITE) = GO(act_admit, FUNDING, "RFC 3261 16.3, design"),
	AT(NEW, REFUSED) = GO(act_reject, CLOSING, "RFC 3261 21"),
	AT(NEW, FUNDED) = CANNOT(NO_FUND),
	AT(NEW, B_TRYING) = CANNOT(NO_B), AT(NEW, B_RINGING) = CANNOT(NO_B),
	AT(NEW, B_ANSWER) = CANNOT(NO_B), AT(NEW, B_FAIL_NEXT) = CANNOT(NO_B),
	AT(NEW, B_FAIL_LAST) = CANNOT(NO_B),
	AT(NEW, B_FORWARD) = CANNOT(NO_B),
	AT(NEW, ASK) = CANNOT("admission comes first"),
	AT(NEW, DECIDED) = CANNOT(NO_TICKET), AT(NEW, T_ASK) = CANNOT(NO_TIMER),
	AT(NEW, A_ACK) = STAY("no 2xx of ours: the leg drops it"),
	AT(NEW, X_ACK_LOST) = CANNOT("nothing answered yet"),
	AT(NEW, A_CANCEL) = GO(act_cancelled, CLOSING, "RFC 3261 9.2"),
	AT(NEW, A_BYE) = STAY(EARLY_BYE), AT(NEW, B_BYE) = CANNOT(NO_B),
	AT(NEW, X_OFFER) = STAY(NO_OFFER), AT(NEW, X_OFFER_OK) = CANNOT(NO_B),
	AT(NEW, X_OFFER_FAIL) = CANNOT(NO_B),
	AT(NEW, X_OFFER_ACK) = STAY(NO_OFFER),
	AT(NEW, X_OFFER_CANCEL) = STAY(NO_OFFER),
	AT(NEW, T_NO_RING) = CANNOT(NO_TIMER),
	AT(NEW, T_TOTAL) = CANNOT(NO_TIMER),
	AT(NEW, T_RING) = CANNOT(NO_TIMER), AT(NEW, T_FUNDS) = CANNOT(NO_TIMER),
	AT(NEW, T_CREDIT) = CANNOT(NO_TIMER), AT(NEW, T_MAX) = CANNOT(NO_TIMER),
	AT(NEW, MEDIA_LOST) = CANNOT(NO_TIMER),
	AT(NEW, ADMIN_DROP) = GO(act_reject, CLOSING, "operator"),
	AT(NEW, JOURNALLED) = CANNOT("END is written in CLOSING"),

	/* FUNDING */
	AT(FUNDING, A_INVITE) = CANNOT(ONCE),
	AT(FUNDING, REFUSED) = GO(act_reject, CLOSING, "RFC 3261 21"),
	AT(FUNDING, FUNDED) = GO(act_dial, DIALLING, "first of the plan"),
	AT(FUNDING, B_TRYING) = CANNOT(NO_B),
	AT(FUNDING, B_RINGING) = CANNOT(NO_B),
	AT(FUNDING, B_ANSWER) = CANNOT(NO_B),
	AT(FUNDING, B_FAIL_NEXT) = CANNOT(NO_B),
	AT(FUNDING, B_FAIL_LAST) = CANNOT(NO_B),
	AT(FUNDING, B_FORWARD) = CANNOT(NO_B),
	AT(FUNDING, ASK) = GO(act_ask, ASKING, "nobody takes it: a decision "
					       "URL is asked"),
	AT(FUNDING, DECIDED) = CANNOT(NO_TICKET),
	AT(FUNDING, T_ASK) = CANNOT(NO_TIMER),
	AT(FUNDING, A_ACK) = STAY("no 2xx of ours: the leg drops it"),
	AT(FUNDING, X_ACK_LOST) = CANNOT("nothing answered yet"),
	AT(FUNDING, A_CANCEL) = GO(act_cancelled, CLOSING, "RFC 3261 9.2"),
	AT(FUNDING, A_BYE) = STAY(EARLY_BYE),
	AT(FUNDING, B_BYE) = CANNOT(NO_B),
	AT(FUNDING, X_OFFER) = STAY(NO_OFFER),
	AT(FUNDING, X_OFFER_OK) = CANNOT(NO_B),
	AT(FUNDING, X_OFFER_FAIL) = CANNOT(NO_B),
	AT(FUNDING, X_OFFER_ACK) = STAY(NO_OFFER),
	AT(FUNDING, X_OFFER_CANCEL) = STAY(NO_OFFER),
	AT(FUNDING, T_RING) = GO(act_reject, CLOSING, "ring_timeout_s"),
	AT(FUNDING, T_NO_RING) = CANNOT(NO_TIMER),
	AT(FUNDING, T_TOTAL) = GO(act_reject, CLOSING, "total_timeout_s"),
	AT(FUNDING, T_FUNDS) = CANNOT(NO_TIMER),
	AT(FUNDING, T_CREDIT) = CANNOT(NO_TIMER),
	AT(FUNDING, T_MAX) = CANNOT(NO_TIMER),
	AT(FUNDING, MEDIA_LOST) = CANNOT(NO_TIMER),
	AT(FUNDING, ADMIN_DROP) = GO(act_reject, CLOSING, "operator"),
	AT(FUNDING, JOURNALLED) = CANNOT("END is written in CLOSING"),

	/* ASKING */
	AT(ASKING, A_INVITE) = CANNOT(ONCE),
	AT(ASKING, REFUSED) = GO(act_reject, CLOSING, "RFC 3261 21"),
	AT(ASKING, FUNDED) = CANNOT(NO_FUND),
	AT(ASKING, B_TRYING) = CANNOT(NO_B),
	AT(ASKING, B_RINGING) = CANNOT(NO_B),
	AT(ASKING, B_ANSWER) = CANNOT(NO_B),
	AT(ASKING, B_FAIL_NEXT) = CANNOT(NO_B),
	AT(ASKING, B_FAIL_LAST) = CANNOT(NO_B),
	AT(ASKING, B_FORWARD) = CANNOT(NO_B),
	AT(ASKING, ASK) = CANNOT("one is asked after the other"),
	AT(ASKING, DECIDED) = GO(act_decide, FUNDING, "its answer"),
	AT(ASKING, T_ASK) = GO(act_decide, FUNDING, "its fallback"),
	AT(ASKING, A_ACK) = STAY("no 2xx of ours: the leg drops it"),
	AT(ASKING, X_ACK_LOST) = CANNOT("nothing answered yet"),
	AT(ASKING, A_CANCEL) = GO(act_cancelled, CLOSING, "RFC 3261 9.2; an "
				  "answer that comes then finds nobody"),
	AT(ASKING, A_BYE) = STAY(EARLY_BYE),
	AT(ASKING, B_BYE) = CANNOT(NO_B),
	AT(ASKING, X_OFFER) = STAY(NO_OFFER),
	AT(ASKING, X_OFFER_OK) = CANNOT(NO_B),
	AT(ASKING, X_OFFER_FAIL) = CANNOT(NO_B),
	AT(ASKING, X_OFFER_ACK) = STAY(NO_OFFER),
	AT(ASKING, X_OFFER_CANCEL) = STAY(NO_OFFER),
	AT(ASKING, T_RING) = CANNOT(NO_TIMER),
	AT(ASKING, T_NO_RING) = CANNOT(NO_TIMER),
	AT(ASKING, T_TOTAL) = GO(act_reject, CLOSING, "total_timeout_s"),
	AT(ASKING, T_FUNDS) = CANNOT(NO_TIMER),
	AT(ASKING, T_CREDIT) = CANNOT(NO_TIMER),
	AT(ASKING, T_MAX) = CANNOT(NO_TIMER),
	AT(ASKING, MEDIA_LOST) = CANNOT(NO_TIMER),
	AT(ASKING, ADMIN_DROP) = GO(act_reject, CLOSING, "operator"),
	AT(ASKING, JOURNALLED) = CANNOT("END is written in CLOSING"),

	/* DIALLING */
	AT(DIALLING, A_INVITE) = CANNOT(ONCE),
	AT(DIALLING, REFUSED) = GO(act_reject, CLOSING, "RFC 3261 21"),
	AT(DIALLING, FUNDED) = CANNOT(NO_FUND),
	AT(DIALLING, B_TRYING) = GO(act_relay_ringing, PROCEEDING,
				    "RFC 3261 16.7 (5): 100 is not relayed"),
	AT(DIALLING, B_RINGING) = GO(act_relay_ringing, PROCEEDING,
				     "RFC 3261 13.3.1.1; RFC 3960"),
	AT(DIALLING, B_ANSWER) = GO(act_answer, ANSWERED,
				    "RFC 3261 13.2.2.4, 13.3.1.4"),
	AT(DIALLING, B_FAIL_NEXT) = GO(act_dial_next, DIALLING,
				       "outcome table: may_try_next"),
	AT(DIALLING, B_FORWARD) = GO(act_forward, FUNDING,
				     "its trunk has a forward for this"),
	AT(DIALLING, ASK) = GO(act_ask, ASKING, "a decision URL is asked"),
	AT(DIALLING, DECIDED) = CANNOT(NO_TICKET),
	AT(DIALLING, T_ASK) = CANNOT(NO_TIMER),
	AT(DIALLING, B_FAIL_LAST) = GO(act_reject, CLOSING,
				       "RFC 3261 16.7 (6), RFC 3398 8.2.6.1"),
	AT(DIALLING, A_ACK) = STAY("no 2xx of ours: the leg drops it"),
	AT(DIALLING, X_ACK_LOST) = CANNOT("nothing answered yet"),
	AT(DIALLING, A_CANCEL) = GO(act_cancelled, CLOSING,
				    "RFC 3261 9.1: kept until B's first 1xx"),
	AT(DIALLING, A_BYE) = GO(act_cancelled, CLOSING,
				 "RFC 3261 15: a caller may BYE early"),
	AT(DIALLING, B_BYE) = STAY(EARLY_BYE),
	AT(DIALLING, X_OFFER) = GO(act_refuse_offer, DIALLING,
				   "RFC 3261 14.2: not yet"),
	AT(DIALLING, X_OFFER_OK) = CANNOT(NO_OFFER),
	AT(DIALLING, X_OFFER_FAIL) = CANNOT(NO_OFFER),
	AT(DIALLING, X_OFFER_ACK) = STAY(NO_OFFER),
	AT(DIALLING, X_OFFER_CANCEL) = STAY(NO_OFFER),
	AT(DIALLING, T_RING) = GO(act_reject, CLOSING, "ring_timeout_s"),
	AT(DIALLING, T_NO_RING) = GO(act_no_ring, DIALLING,
				     "no_ring_ms: CANCEL, the next"),
	AT(DIALLING, T_TOTAL) = GO(act_total_over, DIALLING,
				   "total_timeout_s: no further try"),
	AT(DIALLING, T_FUNDS) = CANNOT(NO_TIMER),
	AT(DIALLING, T_CREDIT) = CANNOT(NO_TIMER),
	AT(DIALLING, T_MAX) = CANNOT(NO_TIMER),
	AT(DIALLING, MEDIA_LOST) = CANNOT(NO_TIMER),
	AT(DIALLING, ADMIN_DROP) = GO(act_reject, CLOSING, "operator"),
	AT(DIALLING, JOURNALLED) = CANNOT("END is written in CLOSING"),

	/* PROCEEDING */
	AT(PROCEEDING, A_INVITE) = CANNOT(ONCE),
	AT(PROCEEDING, REFUSED) = GO(act_reject, CLOSING, "RFC 3261 21"),
	AT(PROCEEDING, FUNDED) = CANNOT(NO_FUND),
	AT(PROCEEDING, B_TRYING) = STAY("hop by hop"),
	AT(PROCEEDING, B_RINGING) = GO(act_relay_ringing, PROCEEDING,
				       "RFC 3261 13.3.1.1; RFC 3960"),
	AT(PROCEEDING, B_ANSWER) = GO(act_answer, ANSWERED,
				      "RFC 3261 13.2.2.4, 13.3.1.4"),
	AT(PROCEEDING, B_FAIL_NEXT) = GO(act_dial_next, DIALLING,
					 "outcome table: may_try_next"),
	AT(PROCEEDING, B_FORWARD) = GO(act_forward, FUNDING,
				       "its trunk has a forward for this"),
	AT(PROCEEDING, ASK) = GO(act_ask, ASKING, "a decision URL is asked"),
	AT(PROCEEDING, DECIDED) = CANNOT(NO_TICKET),
	AT(PROCEEDING, T_ASK) = CANNOT(NO_TIMER),
	AT(PROCEEDING, B_FAIL_LAST) = GO(act_reject, CLOSING,
					 "RFC 3261 16.7 (6)"),
	AT(PROCEEDING, A_ACK) = STAY("no 2xx of ours: the leg drops it"),
	AT(PROCEEDING, X_ACK_LOST) = CANNOT("nothing answered yet"),
	AT(PROCEEDING, A_CANCEL) = GO(act_cancelled, CLOSING,
				      "RFC 3261 9.1, 9.2"),
	AT(PROCEEDING, A_BYE) = GO(act_cancelled, CLOSING,
				   "RFC 3261 15: a caller may BYE early"),
	AT(PROCEEDING, B_BYE) = STAY(EARLY_BYE),
	AT(PROCEEDING, X_OFFER) = GO(act_refuse_offer, PROCEEDING,
				     "RFC 3261 14.2: not yet"),
	AT(PROCEEDING, X_OFFER_OK) = CANNOT(NO_OFFER),
	AT(PROCEEDING, X_OFFER_FAIL) = CANNOT(NO_OFFER),
	AT(PROCEEDING, X_OFFER_ACK) = STAY(NO_OFFER),
	AT(PROCEEDING, X_OFFER_CANCEL) = STAY(NO_OFFER),
	AT(PROCEEDING, T_RING) = GO(act_reject, CLOSING, "ring_timeout_s"),
	AT(PROCEEDING, T_NO_RING) = GO(act_no_ring, DIALLING,
				       "no_ring_ms: CANCEL, the next"),
	AT(PROCEEDING, T_TOTAL) = GO(act_total_over, PROCEEDING,
				     "total_timeout_s: no further try"),
	AT(PROCEEDING, T_FUNDS) = CANNOT(NO_TIMER),
	AT(PROCEEDING, T_CREDIT) = CANNOT(NO_TIMER),
	AT(PROCEEDING, T_MAX) = CANNOT(NO_TIMER),
	AT(PROCEEDING, MEDIA_LOST) = CANNOT(NO_TIMER),
	AT(PROCEEDING, ADMIN_DROP) = GO(act_reject, CLOSING, "operator"),
	AT(PROCEEDING, JOURNALLED) = CANNOT("END is written in CLOSING"),

	/* ANSWERED */
	AFTER_ANSWER(ANSWERED),
	ENDS(ANSWERED),
	AT(ANSWERED, A_ACK) = GO(act_confirm, UP, "RFC 3261 13.3.1.4"),
	AT(ANSWERED, X_OFFER) = GO(act_refuse_offer, ANSWERED,
				   "RFC 3261 14.2: A's ACK is outstanding"),
	AT(ANSWERED, X_OFFER_OK) = CANNOT("no re-INVITE of ours yet"),
	AT(ANSWERED, X_OFFER_FAIL) = CANNOT("no re-INVITE of ours yet"),
	AT(ANSWERED, X_OFFER_ACK) = STAY(STALE),
	AT(ANSWERED, X_OFFER_CANCEL) = STAY(STALE),
	AT(ANSWERED, MEDIA_LOST) = STAY("media is watched from UP on"),

	/* UP */
	AFTER_ANSWER(UP),
	ENDS(UP),
	AT(UP, A_ACK) = STAY("repeated ACK"),
	AT(UP, X_OFFER) = GO(act_relay_offer, MODIFYING, "RFC 3261 14"),
	AT(UP, X_OFFER_OK) = STAY(STALE),
	AT(UP, X_OFFER_FAIL) = STAY(STALE),
	AT(UP, X_OFFER_ACK) = STAY(STALE),
	AT(UP, X_OFFER_CANCEL) = STAY(STALE),
	AT(UP, MEDIA_LOST) = GO(act_bye_both, CLOSING,
				"a call without media must not charge on"),

	/* MODIFYING */
	AFTER_ANSWER(MODIFYING),
	ENDS(MODIFYING),
	AT(MODIFYING, A_ACK) = STAY("repeated ACK"),
	AT(MODIFYING, X_OFFER) = GO(act_refuse_offer, MODIFYING,
				    "RFC 3261 14.2: glare, 491"),
	AT(MODIFYING, X_OFFER_OK) = GO(act_relay_offer_ok, MODIFIED,
				       "RFC 3261 14.1"),
	AT(MODIFYING, X_OFFER_FAIL) = GO(act_end_offer, UP,
					 "RFC 3261 14.1: session as before"),
	AT(MODIFYING, X_OFFER_ACK) = STAY(STALE),
	AT(MODIFYING, X_OFFER_CANCEL) = GO(act_forget_offer, MODIFYING,
					   "the other side's answer decides"),
	AT(MODIFYING, MEDIA_LOST) = STAY("hold and moves interrupt media"),

	/* MODIFIED */
	AFTER_ANSWER(MODIFIED),
	ENDS(MODIFIED),
	AT(MODIFIED, A_ACK) = STAY("repeated ACK"),
	AT(MODIFIED, X_OFFER) = GO(act_refuse_offer, MODIFIED,
				   "RFC 3261 14.2"),
	AT(MODIFIED, X_OFFER_OK) = STAY("repeated 2xx: ACKed below"),
	AT(MODIFIED, X_OFFER_FAIL) = GO(act_end_offer, UP,
					"nobody waits for an ACK any more"),
	AT(MODIFIED, X_OFFER_ACK) = GO(act_confirm_offer, UP,
				       "RFC 3261 13.2.2.4"),
	AT(MODIFIED, X_OFFER_CANCEL) = STAY("RFC 3261 9.2: too late"),
	AT(MODIFIED, MEDIA_LOST) = STAY("hold and moves interrupt media"),

	/* CLOSING */
	AT(CLOSING, A_INVITE) = CANNOT(ONCE),
	AT(CLOSING, REFUSED) = STAY(ENDED),
	AT(CLOSING, FUNDED) = STAY(ENDED),
	AT(CLOSING, B_TRYING) = STAY(ENDED),
	AT(CLOSING, B_RINGING) = STAY(ENDED),
	AT(CLOSING, B_ANSWER) = STAY("the leg ACKs and BYEs it (13.2.2.4)"),
	AT(CLOSING, B_FAIL_NEXT) = STAY(ENDED),
	AT(CLOSING, B_FAIL_LAST) = STAY(ENDED),
	AT(CLOSING, B_FORWARD) = STAY(ENDED), AT(CLOSING, ASK) = STAY(ENDED),
	AT(CLOSING, DECIDED) = CANNOT(NO_TICKET),
	AT(CLOSING, T_ASK) = STAY(ENDED),
	AT(CLOSING, A_ACK) = STAY(ENDED), AT(CLOSING, X_ACK_LOST) = STAY(ENDED),
	AT(CLOSING, A_CANCEL) = STAY(ENDED), AT(CLOSING, A_BYE) = STAY(ENDED),
	AT(CLOSING, B_BYE) = STAY(ENDED), AT(CLOSING, X_OFFER) = STAY(ENDED),
	AT(CLOSING, X_OFFER_OK) = STAY(ENDED),
	AT(CLOSING, X_OFFER_FAIL) = STAY(ENDED),
	AT(CLOSING, X_OFFER_ACK) = STAY(ENDED),
	AT(CLOSING, X_OFFER_CANCEL) = STAY(ENDED),
	AT(CLOSING, T_NO_RING) = STAY(ENDED),
	AT(CLOSING, T_TOTAL) = STAY(ENDED),
	AT(CLOSING, T_RING) = STAY(ENDED), AT(CLOSING, T_FUNDS) = STAY(ENDED),
	AT(CLOSING, T_CREDIT) = STAY(ENDED), AT(CLOSING, T_MAX) = STAY(ENDED),
	AT(CLOSING, MEDIA_LOST) = STAY(ENDED),
	AT(CLOSING, ADMIN_DROP) = STAY(ENDED),
	AT(CLOSING, JOURNALLED) = GO(act_bury, DONE, "END is on disk"),

	/* DONE: the worker drops its reference at once; nothing may follow */
	AT(DONE, A_INVITE) = CANNOT(ENDED), AT(DONE, REFUSED) = CANNOT(ENDED),
	AT(DONE, FUNDED) = CANNOT(ENDED),
	AT(DONE, B_TRYING) = CANNOT(ENDED), AT(DONE, B_RINGING) = CANNOT(ENDED),
	AT(DONE, B_ANSWER) = CANNOT(ENDED),
	AT(DONE, B_FAIL_NEXT) = CANNOT(ENDED),
	AT(DONE, B_FAIL_LAST) = CANNOT(ENDED),
	AT(DONE, B_FORWARD) = CANNOT(ENDED), AT(DONE, ASK) = CANNOT(ENDED),
	AT(DONE, DECIDED) = CANNOT(ENDED), AT(DONE, T_ASK) = CANNOT(ENDED),
	AT(DONE, A_ACK) = CANNOT(ENDED), AT(DONE, X_ACK_LOST) = CANNOT(ENDED),
	AT(DONE, A_CANCEL) = CANNOT(ENDED), AT(DONE, A_BYE) = CANNOT(ENDED),
	AT(DONE, B_BYE) = CANNOT(ENDED), AT(DONE, X_OFFER) = CANNOT(ENDED),
	AT(DONE, X_OFFER_OK) = CANNOT(ENDED),
	AT(DONE, X_OFFER_FAIL) = CANNOT(ENDED),
	AT(DONE, X_OFFER_ACK) = CANNOT(ENDED),
	AT(DONE, X_OFFER_CANCEL) = CANNOT(ENDED),
	AT(DONE, T_NO_RING) = CANNOT(ENDED), AT(DONE, T_TOTAL) = CANNOT(ENDED),
	AT(DONE, T_RING) = CANNOT(ENDED), AT(DONE, T_FUNDS) = CANNOT(ENDED),
	AT(DONE, T_CREDIT) = CANNOT(ENDED), AT(DONE, T_MAX) = CANNOT(ENDED),
	AT(DONE, MEDIA_LOST) = CANNOT(ENDED),
	AT(DONE, ADMIN_DROP) = CANNOT(ENDED),
	AT(DONE, JOURNALLED) = CANNOT(ENDED),
};

static const char *const state_names[CALL_STATE_N] = {
	"NEW", "FUNDING", "ASKING", "DIALLING", "PROCEEDING", "ANSWERED", "UP",
	"MODIFYING", "MODIFIED", "CLOSING", "DONE",
};

static const char *const event_names[CALL_EVENT_N] = {
	"A_INVITE", "REFUSED", "FUNDED", "B_TRYING", "B_RINGING",
	"B_ANSWER", "B_FAIL_NEXT", "B_FAIL_LAST", "B_FORWARD", "ASK",
	"DECIDED", "A_ACK", "X_ACK_LOST", "A_CANCEL", "A_BYE", "B_BYE",
	"X_OFFER", "X_OFFER_OK", "X_OFFER_FAIL", "X_OFFER_ACK",
	"X_OFFER_CANCEL", "T_RING", "T_FUNDS", "T_CREDIT",
	"T_MAX", "MEDIA_LOST", "T_NO_RING", "T_TOTAL", "T_ASK", "ADMIN_DROP",
	"JOURNALLED",
};

const struct fsm_def call_def = {
	.name = "call",
	.state_n = CALL_STATE_N,
	.event_n = CALL_EVENT_N,
	.first = CALL_NEW,
	.done = CALL_DONE,
	.states = state_names,
	.events = event_names,
	.rules = rules,
	.cannot = act_cannot,
};
