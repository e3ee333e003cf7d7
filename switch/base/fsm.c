/**
 * @file fsm.c  The runner: the only writer of a machine's state.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "fsm.h"
#include "text.h"


static const struct fsm_rule *rule_at(const struct fsm_def *def,
				      unsigned state, unsigned event)
{
	return &def->rules[state * def->event_n + event];
}


void fsm_init(struct fsm *f, const struct fsm_def *def, void *subject)
{
	memset(f, 0, sizeof(*f));
	f->def = def;
	f->subject = subject;
	f->state = def->first;
}


static void step(struct fsm *f, uint8_t event, const void *data,
		 uint64_t at_us)
{
	const struct fsm_def *def = f->def;
	const struct fsm_rule *rule;
	struct fsm_step *trail;
	uint8_t to = f->state;

	assert(event < def->event_n);
	assert(f->state < def->state_n);

	rule = rule_at(def, f->state, event);
	if (rule->kind == FSM_GO)
		to = rule->next;
	else if (rule->kind != FSM_STAY)
		to = def->done;

	/* before the action, so that what it logs contains this step */
	trail = &f->trail[f->steps++ % FSM_TRAIL_N];
	trail->at_us = at_us;
	trail->from = f->state;
	trail->event = event;
	trail->to = to;
	trail->kind = rule->kind;

	if (rule->kind == FSM_GO)
		rule->act(f->subject, data);
	else if (rule->kind != FSM_STAY && def->cannot)
		def->cannot(f->subject, data);

	f->state = to;
}


bool fsm_run(struct fsm *f, uint8_t event, const void *data, uint64_t at_us)
{
	unsigned i;

	assert(!f->running);

	f->running = true;
	step(f, event, data, at_us);

	/* what a queued step posts lands behind it: a full queue is refused,
	   so the whole chain is at most FSM_QUEUE_N events long */
	for (i = 0; i < f->queued; i++)
		step(f, f->queue[i].event, f->queue[i].data, at_us);

	f->queued = 0;
	f->running = false;

	return f->state == f->def->done;
}


void fsm_post(struct fsm *f, uint8_t event, const void *data)
{
	assert(f->running);
	assert(f->queued < FSM_QUEUE_N);

	f->queue[f->queued].event = event;
	f->queue[f->queued].data = data;
	++f->queued;
}


static int check_rule(const struct fsm_def *def, unsigned s, unsigned e,
		      char *why, size_t size)
{
	const struct fsm_rule *rule = rule_at(def, s, e);
	const char *fault = NULL;

	if (rule->kind == FSM_HOLE || rule->kind > FSM_CANNOT)
		fault = "is a hole";
	else if (!rule->ref || !*rule->ref)
		fault = "gives no reason";
	else if (rule->kind == FSM_GO && (!rule->act || !rule->act_name))
		fault = "has no action";
	else if (rule->kind == FSM_GO && rule->next >= def->state_n)
		fault = "goes to no state";
	else if (rule->kind == FSM_CANNOT && !def->cannot)
		fault = "cannot happen, and nothing handles that";

	if (!fault)
		return 0;

	(void)text_format(why, size, "%s: (%s, %s) %s", def->name,
			  def->states[s], def->events[e], fault);
	return EINVAL;
}


static int check_shape(const struct fsm_def *def, char *why, size_t size)
{
	const char *fault = NULL;
	unsigned i;

	if (!def->name || !def->states || !def->events || !def->rules)
		fault = "lacks a name, names or rules";
	else if (!def->state_n || !def->event_n)
		fault = "has no state or no event";
	else if (def->first >= def->state_n || def->done >= def->state_n)
		fault = "begins or ends outside its states";

	for (i = 0; !fault && i < def->state_n; i++)
		fault = def->states[i] ? NULL : "has a state without name";
	for (i = 0; !fault && i < def->event_n; i++)
		fault = def->events[i] ? NULL : "has an event without name";

	if (!fault)
		return 0;

	(void)text_format(why, size, "%s %s", def->name ? def->name : "fsm",
			  fault);
	return EINVAL;
}


/** Mark the states that from reaches. */
static void spread(const struct fsm_def *def, unsigned from, bool *seen)
{
	uint8_t todo[UINT8_MAX + 1];
	unsigned n = 0, e;

	seen[from] = true;
	todo[n++] = (uint8_t)from;

	while (n) {
		unsigned s = todo[--n];

		for (e = 0; e < def->event_n; e++) {
			const struct fsm_rule *rule = rule_at(def, s, e);

			if (rule->kind != FSM_GO || seen[rule->next])
				continue;

			seen[rule->next] = true;
			todo[n++] = rule->next;
		}
	}
}


static int check_ways(const struct fsm_def *def, char *why, size_t size)
{
	bool seen[UINT8_MAX + 1] = {false}, from[UINT8_MAX + 1];
	unsigned s;

	spread(def, def->first, seen);

	for (s = 0; s < def->state_n; s++) {

		memset(from, 0, sizeof(from));
		spread(def, s, from);

		if (seen[s] && from[def->done])
			continue;

		(void)text_format(why, size, "%s: %s %s", def->name,
				  def->states[s],
				  seen[s] ? "never ends" : "is never entered");
		return EINVAL;
	}

	return 0;
}


int fsm_check(const struct fsm_def *def, char *why, size_t size)
{
	unsigned s, e;
	int err;

	if (!why)
		size = 0;

	err = check_shape(def, why, size);

	for (s = 0; !err && s < def->state_n; s++) {
		for (e = 0; !err && e < def->event_n; e++)
			err = check_rule(def, s, e, why, size);
	}

	return err ? err : check_ways(def, why, size);
}


size_t fsm_trail(const struct fsm *f, char *buf, size_t size)
{
	const struct fsm_def *def = f->def;
	uint32_t i = f->steps > FSM_TRAIL_N ? f->steps - FSM_TRAIL_N : 0;
	size_t len = 0;

	if (!size)
		return 0;

	buf[0] = '\0';
	for (; i < f->steps; i++) {
		const struct fsm_step *t = &f->trail[i % FSM_TRAIL_N];

		if (text_format(buf + len, size - len, "%s%s>%s(%s%s)",
				len ? " " : "", def->states[t->from],
				def->states[t->to], def->events[t->event],
				t->kind == FSM_CANNOT ? "!" : ""))
			break;

		len += strlen(buf + len);
	}

	buf[len] = '\0'; /* whole steps only */

	return len;
}


static void print_cell(FILE *out, const struct fsm_def *def,
		       const struct fsm_rule *rule)
{
	switch ((enum fsm_kind)rule->kind) {

	case FSM_GO:
		(void)fprintf(out, " %s -> %s |", rule->act_name,
			      def->states[rule->next]);
		break;
	case FSM_STAY:
		(void)fputs(" stay |", out);
		break;
	case FSM_CANNOT:
		(void)fputs(" cannot |", out);
		break;
	case FSM_HOLE:
	default:
		(void)fputs(" hole |", out);
		break;
	}
}


char *fsm_print(const struct fsm_def *def)
{
	char *text = NULL;
	size_t len = 0;
	unsigned s, e;
	FILE *out;

	out = open_memstream(&text, &len);
	if (!out)
		return NULL;

	(void)fprintf(out, "| %s |", def->name);
	for (s = 0; s < def->state_n; s++)
		(void)fprintf(out, " %s |", def->states[s]);

	(void)fputs("\n|---|", out);
	for (s = 0; s < def->state_n; s++)
		(void)fputs("---|", out);

	for (e = 0; e < def->event_n; e++) {
		(void)fprintf(out, "\n| %s |", def->events[e]);
		for (s = 0; s < def->state_n; s++)
			print_cell(out, def, rule_at(def, s, e));
	}

	(void)fputs("\n", out);
	if (fclose(out)) {
		free(text);
		return NULL;
	}

	return text;
}
