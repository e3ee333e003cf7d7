/**
 * @file decision_model.c  Who is asked over HTTP: answers after some time or
 * never, with sense or without, once or twice; and the asker's thread between,
 * which may have no room. What each question says is looked at.
 */
#include "json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "decision_answer.h"
#include "sim.h"

#define WORLDS_PCT 60
#define ASKED_MAX 6 /* of one call: FORWARDS_MAX + 1 */

struct decision_model {
	struct world *w;
	struct rng *rng;     /* of its own: a world without stays as it was */
	bool is_there;
	uint64_t last;       /* ticket; they grow                          */
	unsigned boot;       /* whose tickets these are                    */
};

struct reply {
	struct decision_answer answer;
	unsigned boot;
	char body[160];
};


struct decision_model *decision_model_alloc(struct world *w)
{
	struct decision_model *m = calloc(1, sizeof(*m));

	m->w = w;
	if (rng_seeded(&m->rng, w->seed * 31 + 7))
		world_fail(w, "no random numbers");
	m->is_there = rng_below(m->rng, 100) < WORLDS_PCT;

	return m;
}


bool decision_model_is_there(const struct decision_model *m)
{
	return m->is_there;
}


void decision_model_free(struct decision_model *m)
{
	mem_deref(m->rng);
	free(m);
}


/* --- what is asked */

static const char *fact(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));

	return text ? text : "";
}


/* Who hides its number hides it from whoever is not trusted with it: of the
   trunks number 3 is. An emergency is nobody's to decide. */
static void check_question(struct world *w,
			   const struct decision_question *q)
{
	json_t *body = json_loadb(q->body, q->len, 0, NULL);
	const json_t *data = json_object_get(body, "data");
	const json_t *hidden = json_object_get(data, "private");

	if (strcmp(fact(body, "type"), "call.decision") ||
	    strcmp(fact(body, "id"), q->id) ||
	    strcmp(fact(body, "object_id"), q->url->id) ||
	    !fact(data, "called")[0] || !fact(data, "condition")[0])
		world_fail(w, "a question: %.*s", (int)q->len, q->body);
	if (strcmp(fact(data, "trunk_id"), "trk_3") && json_is_true(hidden) &&
	    memmem(q->body, q->len, SIM_SECRET, strlen(SIM_SECRET)))
		world_fail(w, "a question tells a hidden number: %.*s",
			   (int)q->len, q->body);
	if (!strcmp(fact(data, "called"), "112"))
		world_fail(w, "an emergency call is asked about");
	if (atoi(strrchr(q->id, '-') + 1) > ASKED_MAX)
		world_fail(w, "a call is asked about too often: %s", q->id);
	json_decref(body);
}


/* --- what is answered */

static void reply_over(struct world *w, void *arg)
{
	struct reply *r = arg;

	if (r->boot == w->boot) {
		world_trace(w, "decision: %s", r->body);
		worker_decided(w->worker, &w->now, &r->answer);
	}
	free(r);
}


void decision_model_drop(event_h *h, void *arg)
{
	if (h == reply_over)
		free(arg);
}


static const char *body_draw(struct decision_model *m)
{
	static const char *const bodies[] = {
		"", "{\"action\":\"continue\"}", "{\"action\":\"refuse\"}",
		"{\"action\":\"refuse\",\"sip_code\":486,\"reason\":\"No\"}",
		"{\"action\":\"forward\",\"to_number\":\"+4930100\"}",
		"{\"action\":\"forward\",\"to_number\":\"+4930200\"}",
		"{\"action\":\"forward\",\"to_number\":\"+4930300\"}",
		"{\"action\":\"forward\",\"to_number\":\"+4930555\"}",
		"{\"action\":\"forward\",\"to_number\":\"+44207555\"}",
		"{\"action\":\"forward\",\"to_number\":\"+1202555\"}",
		"{\"action\":\"forward\",\"to_trunk_id\":\"trk_1\"}",
		"{\"action\":\"forward\",\"to_trunk_id\":\"trk_2\"}",
		"{\"action\":\"forward\",\"to_trunk_id\":\"trk_3\"}",
		"{\"action\":\"forward\",\"to_trunk_id\":\"trk_9\"}",
		"{\"action\":\"forward\"}", "Service Unavailable", "{",
	};

	return bodies[rng_below(m->rng, ARRAY_SIZE(bodies))];
}


static struct reply *reply_make(struct decision_model *m,
				const struct decision_question *q)
{
	struct reply *r = calloc(1, sizeof(*r));

	r->boot = m->w->boot;
	r->answer.ticket = q->ticket;
	r->answer.http_status = 200;
	memcpy(r->answer.call_id, q->call_id, sizeof(r->answer.call_id));
	if (rng_below(m->rng, 100) < 10) {
		r->answer.http_status = 0;
		decision_answer_fail(&r->answer, "connection refused");
		return r;
	}
	strncpy(r->body, body_draw(m), sizeof(r->body) - 1);
	decision_answer_read(&r->answer, r->body, strlen(r->body));
	if (rng_below(m->rng, 100) < 3)
		r->answer.ticket--; /* of an earlier question */

	return r;
}


int decision_model_ask(const struct decision_question *q, void *arg)
{
	struct world *w = arg;
	struct decision_model *m = w->decisions;
	const uint32_t most_ms = q->url->timeout_ms * 3 / 2;
	unsigned times;

	if (w->is_down)
		return EAGAIN;
	check_question(w, q);
	if (m->boot == w->boot && q->ticket <= m->last)
		world_fail(w, "a ticket is used twice");
	m->boot = w->boot;
	m->last = q->ticket;
	if (rng_below(m->rng, 100) < 5)
		return EAGAIN;

	world_trace(w, "decision: %s asked", q->url->id);
	times = rng_below(m->rng, 100) < 12  ? 0
		: rng_below(m->rng, 100) < 8 ? 2
					     : 1;
	for (; times; times--)
		world_after(w, rng_below(m->rng, most_ms), reply_over,
			    reply_make(m, q));

	return 0;
}
