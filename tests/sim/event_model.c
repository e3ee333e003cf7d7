/**
 * @file event_model.c  Who hears of the events: each call is told to begin
 * once and to end once, an answer lies between, and no carrier comes up that
 * was not down.
 */
#include <stdlib.h>
#include <string.h>
#include "event.h"
#include "sim.h"

enum { TOLD_CALLS = 256, TOLD_GATEWAYS = 16 };

struct told_call {
	uint8_t id[16];
	bool is_answered, is_ended;
};

struct event_model {
	struct told_call calls[TOLD_CALLS];
	size_t call_n;
	char down[TOLD_GATEWAYS][EVENT_ID_SIZE];
	uint64_t n[EVENT_KIND_N];
};


struct event_model *event_model_alloc(void)
{
	return calloc(1, sizeof(struct event_model));
}


void event_model_free(struct event_model *m)
{
	free(m);
}


static struct told_call *call_of(struct event_model *m,
				 const struct event *ev)
{
	for (size_t i = 0; i < m->call_n; i++)
		if (!memcmp(m->calls[i].id, ev->call_id, sizeof(ev->call_id)))
			return &m->calls[i];

	return NULL;
}


static void call_told(struct world *w, const struct event *ev)
{
	struct event_model *m = w->events;
	struct told_call *call = call_of(m, ev);

	if (ev->kind == EVENT_CALL_STARTED) {
		if (call || m->call_n == TOLD_CALLS)
			world_fail(w, "a call is told to begin twice");
		else
			memcpy(m->calls[m->call_n++].id, ev->call_id,
			       sizeof(ev->call_id));
		return;
	}

	if (!call || call->is_ended ||
	    (ev->kind == EVENT_CALL_ANSWERED && call->is_answered)) {
		world_fail(w, "%s of a call that is not there",
			   event_kind_name(ev->kind));
		return;
	}
	if (ev->kind == EVENT_CALL_ANSWERED)
		call->is_answered = true;
	else
		call->is_ended = true;
}


static void carrier_told(struct world *w, const struct event *ev)
{
	const bool is_up = ev->kind == EVENT_CARRIER_UP;
	struct event_model *m = w->events;
	const char *wanted = is_up ? ev->object_id : "";

	for (size_t i = 0; i < TOLD_GATEWAYS; i++) {
		if (strcmp(m->down[i], wanted) != 0)
			continue;
		(void)str_ncpy(m->down[i], is_up ? "" : ev->object_id,
			       sizeof(m->down[i]));
		return;
	}
	world_fail(w, "%s of %s", event_kind_name(ev->kind), ev->object_id);
}


void event_model_take(const struct event *ev, void *arg)
{
	struct world *w = arg;

	w->events->n[ev->kind]++;
	world_hash(w, &ev->kind, sizeof(ev->kind));
	if (ev->kind <= EVENT_CALL_ENDED)
		call_told(w, ev);
	else if (ev->kind == EVENT_CARRIER_DOWN ||
		 ev->kind == EVENT_CARRIER_UP)
		carrier_told(w, ev);
}


/* What was under way is told by nobody: the next start knows nothing of it */
void event_model_crash(struct world *w)
{
	memset(w->events, 0, sizeof(*w->events));
}


void event_model_check(struct world *w)
{
	const struct event_model *m = w->events;
	struct worker_census census;

	worker_census(w->worker, &census);
	if (m->n[EVENT_CALL_STARTED] != census.calls_begun + census.refused ||
	    m->n[EVENT_CALL_ENDED] != census.calls_ended + census.refused)
		world_fail(w, "%llu calls, told of %llu that began and %llu "
			   "that ended",
			   (unsigned long long)census.calls_begun,
			   (unsigned long long)m->n[EVENT_CALL_STARTED],
			   (unsigned long long)m->n[EVENT_CALL_ENDED]);
}
