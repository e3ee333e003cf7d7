/** @file lookahead.c  A route test (call_test.h) of an INVITE just before the
 *  worker receives it has to note what the call then notes. */
#include "json.h"
#include <stdlib.h>
#include <string.h>
#include "metric.h"
#include "peer.h"


static json_t *ask(struct world *w, json_t *question)
{
	char *text = json_dumps(question, JSON_COMPACT);
	char *answer = worker_command(w->worker, &w->now, text, strlen(text));
	json_t *res = json_loads(answer, 0, NULL);

	free(text);
	free(answer);
	json_decref(question);

	return res;
}


static uint64_t begun(const struct world *w)
{
	struct worker_census c;

	worker_census(w->worker, &c);

	return c.calls_begun;
}


static bool begins_call(const uint8_t *buf, size_t len)
{
	struct wire *m = malloc(sizeof(*m));
	const bool is_invite = wire_parse(m, buf, len) && m->is_request &&
			       !strcmp(m->method, "INVITE") && !m->to_tag[0];

	free(m);

	return is_invite;
}


void lookahead_before(struct world *w, const struct agent *from,
		      const uint8_t *buf, size_t len)
{
	struct worker_census before, after;
	char source[64], *metered, *meters;
	json_t *question, *answer, *message;

	if (!begins_call(buf, len))
		return;
	message = json_stringn((const char *)buf, len);
	if (!message)
		return; /* garbage that is no UTF-8 */

	(void)re_snprintf(source, sizeof(source), "%J", &from->addr);
	question = json_pack("{s:s,s:s,s:o}", "op", "route_test", "source",
			     source, "message", message);
	if (from->role == PEER_DIGEST_PBX)
		(void)json_object_set_new(question, "trunk",
					  json_string("trk_2"));

	/* the call draws the numbers that its test drew */
	worker_census(w->worker, &before);
	metered = metric_print(NULL);
	rng_copy(w->spare_rng, w->worker_rng);
	answer = ask(w, question);
	rng_copy(w->worker_rng, w->spare_rng);
	meters = metric_print(NULL);
	worker_census(w->worker, &after);
	if (memcmp(&before, &after, sizeof(before)))
		world_fail(w, "a route test left something behind");
	if (!metered || !meters || strcmp(metered, meters))
		world_fail(w, "a route test was metered");
	free(metered);
	free(meters);

	w->expected = json_incref(json_object_get(answer, "decision"));
	w->expected_begun = begun(w);
	json_decref(answer);
}


static json_t *newest_decision(struct world *w)
{
	json_t *list = ask(w, json_pack("{s:s}", "op", "calls"));
	const json_t *calls = json_object_get(list, "calls");
	const json_t *last = json_array_get(calls, json_array_size(calls) - 1);
	json_t *story = ask(w, json_pack("{s:s,s:O}", "op", "trace", "call",
					 json_object_get(last, "call_id")));
	json_t *decision = json_incref(json_object_get(story, "decision"));
	const char *id = json_string_value(json_object_get(last, "call_id"));

	if (id) {
		plan_model_begun(w, id);
		package_model_begun(w, id);
	}

	json_decref(story);
	json_decref(list);

	return decision;
}


static const char *fact(const json_t *note, const char *name)
{
	const char *text = json_string_value(json_object_get(note, name));

	return text ? text : "";
}


static bool is_step(const json_t *note, const char *name)
{
	return !strcmp(fact(note, "step"), name);
}


/* What only others can say: the ledger, a disk that refuses the first record,
   the relay. */
static bool is_beyond_a_test(const json_t *note)
{
	const char *outcome = fact(note, "outcome");

	return !strcmp(fact(note, "from"), "ledger") ||
	       !strcmp(outcome, "journal_down") ||
	       !strcmp(outcome, "no_media_port");
}


static void forget_password(json_t *note)
{
	(void)json_object_del(note, "by");
	(void)json_object_del(note, "username");
}


static void compare(struct world *w, json_t *expected, json_t *real)
{
	const size_t n = json_array_size(expected) > json_array_size(real)
				 ? json_array_size(expected)
				 : json_array_size(real);
	bool has_package = false;

	for (size_t i = 0; i < n && !world_failed(w); i++) {
		json_t *a = json_array_get(expected, i);
		json_t *b = json_array_get(real, i);

		if (b && is_beyond_a_test(b) && !is_step(b, "funds"))
			return;
		/* what a package has here may be less than is wanted: the call
		   asks for more, and its test does not */
		if (!b && has_package)
			return;
		has_package |= b && is_step(b, "package");
		forget_password(a);
		forget_password(b);
		if (!a || !b || !json_equal(a, b)) {
			char *test = json_dumps(expected, JSON_COMPACT);
			char *call = json_dumps(real, JSON_COMPACT);

			world_fail(w, "note %zu of a route test and its call "
				      "differ:\n%s\n%s", i, test, call);
			free(test);
			free(call);
		}
		/* nor does a test ask anybody what shall follow */
		if (b && (is_beyond_a_test(b) || is_step(b, "http")))
			return;
	}
}


void lookahead_after(struct world *w)
{
	json_t *real;

	if (w->expected && begun(w) == w->expected_begun + 1) {
		real = newest_decision(w);
		compare(w, w->expected, real);
		json_decref(real);
	}
	json_decref(w->expected);
	w->expected = NULL;
}
