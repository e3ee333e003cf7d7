/** @file health.c  See health.h. */
#include <string.h>
#include "health.h"

/** What an action is told. */
struct sign {
	const char *why;
	bool is_by_probes;
	uint32_t told_s;
};

static fsm_action_h act_clear, act_suspect, act_down, act_told, act_open,
	act_gone;

#define AT(st, ev) [(HEALTH_##st) * HEALTH_EVENT_N + (HEALTH_EV_##ev)]
#define GO(fn, to, why) FSM_ROW_GO(fn, HEALTH_##to, why)
#define STAY(why) FSM_ROW_STAY(why)
#define CANNOT(why) FSM_ROW_CANNOT(why)
#define NO_HOLD "the hold runs only while it is down"
#define FORGOTTEN "nobody asks of a gateway that is gone"

static const struct fsm_rule rules[HEALTH_STATE_N * HEALTH_EVENT_N] = {
	AT(UP, GOOD) = STAY("as before"),
	AT(UP, BAD) = GO(act_suspect, SUSPECT, "one failure is no pattern"),
	AT(UP, LIMIT) = GO(act_down, DOWN, "ping_down_after failures"),
	AT(UP, TOLD) = GO(act_told, DOWN, "RFC 3261 21.5.4: Retry-After"),
	AT(UP, PROBED) = STAY("as before"),
	AT(UP, OVER) = CANNOT(NO_HOLD),
	AT(UP, REMOVED) = GO(act_gone, GONE, "catalog"),

	AT(SUSPECT, GOOD) = GO(act_clear, UP, "a good sign ends the row"),
	AT(SUSPECT, BAD) = STAY("counted"),
	AT(SUSPECT, LIMIT) = GO(act_down, DOWN, "ping_down_after failures"),
	AT(SUSPECT, TOLD) = GO(act_told, DOWN, "RFC 3261 21.5.4"),
	AT(SUSPECT, PROBED) = STAY("OPTIONS say nothing of INVITEs"),
	AT(SUSPECT, OVER) = CANNOT(NO_HOLD),
	AT(SUSPECT, REMOVED) = GO(act_gone, GONE, "catalog"),

	AT(DOWN, GOOD) = GO(act_clear, UP, "a call went there all the same"),
	AT(DOWN, BAD) = STAY("known"),
	AT(DOWN, LIMIT) = GO(act_down, DOWN, "held anew, or until probed"),
	AT(DOWN, TOLD) = GO(act_told, DOWN, "RFC 3261 21.5.4"),
	AT(DOWN, PROBED) = GO(act_clear, UP, "ping_up_after answers"),
	AT(DOWN, OVER) = GO(act_open, HALF_OPEN, "one call may try"),
	AT(DOWN, REMOVED) = GO(act_gone, GONE, "catalog"),

	AT(HALF_OPEN, GOOD) = GO(act_clear, UP, "the trial went well"),
	AT(HALF_OPEN, BAD) = GO(act_down, DOWN, "the trial failed"),
	AT(HALF_OPEN, LIMIT) = GO(act_down, DOWN, "the trial failed"),
	AT(HALF_OPEN, TOLD) = GO(act_told, DOWN, "RFC 3261 21.5.4"),
	AT(HALF_OPEN, PROBED) = STAY("OPTIONS say nothing of INVITEs"),
	AT(HALF_OPEN, OVER) = CANNOT(NO_HOLD),
	AT(HALF_OPEN, REMOVED) = GO(act_gone, GONE, "catalog"),

	AT(GONE, GOOD) = STAY(FORGOTTEN), AT(GONE, BAD) = STAY(FORGOTTEN),
	AT(GONE, LIMIT) = STAY(FORGOTTEN), AT(GONE, TOLD) = STAY(FORGOTTEN),
	AT(GONE, PROBED) = STAY(FORGOTTEN), AT(GONE, OVER) = STAY(FORGOTTEN),
	AT(GONE, REMOVED) = STAY(FORGOTTEN),
};

static const char *const state_names[HEALTH_STATE_N] = {
	"up", "suspect", "down", "half_open", "gone",
};
static const char *const event_names[HEALTH_EVENT_N] = {
	"GOOD", "BAD", "LIMIT", "TOLD", "PROBED", "OVER", "REMOVED",
};

const struct fsm_def health_def = {
	.name = "health",
	.state_n = HEALTH_STATE_N,
	.event_n = HEALTH_EVENT_N,
	.first = HEALTH_UP,
	.done = HEALTH_GONE,
	.states = state_names,
	.events = event_names,
	.rules = rules,
	.cannot = act_gone,
};


static void forget(struct health *h)
{
	h->probe_failures = h->probe_successes = 0;
	h->call_failures = h->refusals = 0;
	h->trial_ms = 0;
	h->hold_ms = 0;
}


static void act_clear(void *subject, const void *data)
{
	const struct sign *sign = data;
	struct health *h = subject;

	forget(h);
	h->trials = 0;
	h->reason = sign->why;
}


static void act_suspect(void *subject, const void *data)
{
	const struct sign *sign = data;
	struct health *h = subject;

	h->reason = sign->why;
}


/* Probes decide when they are what failed; else it is left alone for a
   while, longer each time that it disappoints. */
static void act_down(void *subject, const void *data)
{
	const struct sign *sign = data;
	struct health *h = subject;
	uint64_t hold_ms = (uint64_t)HEALTH_HOLD_MS
			   << (h->trials < 8 ? h->trials : 8);

	if (h->fsm.state == HEALTH_HALF_OPEN && h->trials < UINT8_MAX) {
		h->trials++;
		hold_ms *= 2;
	}
	forget(h);
	h->is_by_probes = sign->is_by_probes;
	h->hold_ms = sign->is_by_probes	      ? 0
		     : hold_ms < HEALTH_HOLD_MAX_MS ? (uint32_t)hold_ms
						    : HEALTH_HOLD_MAX_MS;
	h->reason = sign->why;
}


static void act_told(void *subject, const void *data)
{
	const struct sign *sign = data;
	struct health *h = subject;

	forget(h);
	h->is_by_probes = false;
	h->hold_ms = 1000 * (sign->told_s < HEALTH_TOLD_MAX_S
				     ? sign->told_s : HEALTH_TOLD_MAX_S);
	h->reason = sign->why;
}


static void act_open(void *subject, const void *data)
{
	const struct sign *sign = data;
	struct health *h = subject;

	h->hold_ms = 0;
	h->trial_ms = 0;
	h->reason = sign->why;
}


static void act_gone(void *subject, const void *data)
{
	(void)data;
	forget(subject);
}


static void run(struct health *h, enum health_event_id ev,
		const struct sign *sign, const struct moment *now)
{
	(void)fsm_run(&h->fsm, ev, sign, now->mono_us);
}


void health_init(struct health *h)
{
	memset(h, 0, sizeof(*h));
	fsm_init(&h->fsm, &health_def, h);
	h->down_after = 3;
	h->up_after = 1;
	h->reason = "new";
}


static void probe_answered(struct health *h, const struct sign *sign,
			   const struct moment *now)
{
	h->probe_failures = 0;
	h->probe_successes++;
	if (h->fsm.state == HEALTH_SUSPECT && !h->call_failures &&
	    !h->refusals)
		run(h, HEALTH_EV_GOOD, sign, now);
	else if (h->fsm.state == HEALTH_DOWN && h->is_by_probes &&
		 h->probe_successes >= h->up_after)
		run(h, HEALTH_EV_PROBED, sign, now);
}


void health_probe(struct health *h, bool is_answered, const char *why,
		  const struct moment *now)
{
	const struct sign sign = {.why = is_answered ? "answered" : why,
				  .is_by_probes = true};

	if (is_answered) {
		probe_answered(h, &sign, now);
		return;
	}

	h->probe_successes = 0;
	h->probe_failures++;
	/* that OPTIONS fail as well makes them decide, also of a trial */
	if (h->probe_failures >= h->down_after)
		run(h, HEALTH_EV_LIMIT, &sign, now);
	else if (h->fsm.state != HEALTH_HALF_OPEN)
		run(h, HEALTH_EV_BAD, &sign, now);
}


void health_call(struct health *h, enum health_word word, const char *why,
		 uint32_t retry_after_s, const struct moment *now)
{
	const struct sign sign = {.why = why, .told_s = retry_after_s};

	h->trial_ms = 0;
	if (word == HEALTH_ALIVE) {
		h->call_failures = h->refusals = 0;
		if (h->fsm.state != HEALTH_SUSPECT || !h->probe_failures)
			run(h, HEALTH_EV_GOOD, &sign, now);
		return;
	}

	if (word == HEALTH_REFUSED)
		h->refusals++;
	else
		h->call_failures++;

	if (retry_after_s)
		run(h, HEALTH_EV_TOLD, &sign, now);
	else if (h->fsm.state == HEALTH_DOWN)
		run(h, HEALTH_EV_BAD, &sign, now);
	else if (h->call_failures >= h->down_after ||
		 h->refusals >= h->down_after * HEALTH_REFUSED_FACTOR)
		run(h, HEALTH_EV_LIMIT, &sign, now);
	else
		run(h, HEALTH_EV_BAD, &sign, now);
}


void health_over(struct health *h, const struct moment *now)
{
	const struct sign sign = {.why = "hold_over"};

	run(h, HEALTH_EV_OVER, &sign, now);
}


void health_forget(struct health *h, const struct moment *now)
{
	const struct sign sign = {.why = "changed"};

	forget(h);
	if (h->fsm.state != HEALTH_UP)
		run(h, HEALTH_EV_GOOD, &sign, now);
}


bool health_may(const struct health *h, const struct moment *now)
{
	switch (h->fsm.state) {

	case HEALTH_DOWN:
		return false;
	case HEALTH_HALF_OPEN:
		return !h->trial_ms ||
		       moment_ms(now) >= h->trial_ms + HEALTH_TRIAL_MS;
	default:
		return true;
	}
}


void health_dialled(struct health *h, const struct moment *now)
{
	if (h->fsm.state == HEALTH_HALF_OPEN)
		h->trial_ms = moment_ms(now);
}


const char *health_name(const struct health *h)
{
	return state_names[h->fsm.state];
}
