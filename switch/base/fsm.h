/**
 * @file fsm.h  A machine as a table: every (state, event) cell is written down
 * and one runner is the only writer of the state. It keeps a trail of the last
 * FSM_TRAIL_N steps for whoever asks why.
 */
#ifndef FSM_H
#define FSM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FSM_TRAIL_N 16
#define FSM_QUEUE_N 8

struct fsm;

/**
 * An action says what to do; where to go is in the table.
 * It may fsm_post() further events: they run after this step.
 */
typedef void(fsm_action_h)(void *subject, const void *data);

enum fsm_kind {
	FSM_HOLE,   /**< not written down: the checker refuses the table    */
	FSM_GO,     /**< run the action, enter next                         */
	FSM_STAY,   /**< nothing to do, and ref says why                    */
	FSM_CANNOT, /**< only a bug of ours brings us here, never the wire  */
};

struct fsm_rule {
	uint8_t kind;      /**< enum fsm_kind                           */
	uint8_t next;      /**< state after the action                  */
	fsm_action_h *act; /**< FSM_GO only                             */
	const char *act_name;
	const char *ref;   /**< RFC clause or design reason             */
};

/*
 * How a cell is written:
 *
 *	[ST_RINGING * EVENT_N + EV_BYE] = FSM_ROW_GO(act_bye, ST_DONE, "why"),
 */
#define FSM_ROW_GO(fn, to, why)                                               \
	{.kind = FSM_GO,                                                      \
	 .next = (to),                                                        \
	 .act = (fn),                                                         \
	 .act_name = #fn,                                                     \
	 .ref = (why)}
#define FSM_ROW_STAY(why) {.kind = FSM_STAY, .ref = (why)}
#define FSM_ROW_CANNOT(why) {.kind = FSM_CANNOT, .ref = (why)}

struct fsm_def {
	const char *name;
	uint8_t state_n, event_n, first, done;
	const char *const *states, *const *events; /**< names           */
	const struct fsm_rule *rules; /**< [state * event_n + event]        */
	fsm_action_h *cannot; /**< runs instead of a FSM_CANNOT cell; the
				   machine then enters done              */
};

struct fsm_step {
	uint64_t at_us; /**< mono */
	uint8_t from, event, to, kind;
};

/** Embedded in the subject. */
struct fsm {
	const struct fsm_def *def;
	void *subject;
	uint8_t state;
	bool running;                 /**< inside a step: posts queue     */
	uint8_t queued;
	struct {
		uint8_t event;
		const void *data;
	} queue[FSM_QUEUE_N];
	uint32_t steps;               /**< taken since birth              */
	struct fsm_step trail[FSM_TRAIL_N]; /**< ring, newest at (steps-1)%N */
};

void fsm_init(struct fsm *f, const struct fsm_def *def, void *subject);

/**
 * Run one event and everything it posts. The subject must live until this
 * returns: an action puts its last mem_deref() off.
 *
 * @param data  given to the action; must outlive this call
 * @return true when the machine is in def->done afterwards
 */
bool fsm_run(struct fsm *f, uint8_t event, const void *data, uint64_t at_us);

/**
 * Queue an event from inside an action (data must outlive the outer
 * fsm_run()). A full queue is a bug of ours: asserted.
 */
void fsm_post(struct fsm *f, uint8_t event, const void *data);

/**
 * Check a table: no hole, every state reachable, done reachable from every
 * state, next and names in range.
 * @param why  receives the first fault; may be NULL
 * @return 0 or EINVAL
 */
int fsm_check(const struct fsm_def *def, char *why, size_t size);

/** "NEW>ROUTING(A_INVITE) ROUTING>DIALLING(ROUTE_OK) ..." oldest first. */
size_t fsm_trail(const struct fsm *f, char *buf, size_t size);

/** Markdown table of the whole machine, malloc'd; NULL when out of memory. */
char *fsm_print(const struct fsm_def *def);

#endif
