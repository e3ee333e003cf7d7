/** @file script.c  What happens in a run, drawn from the seed at its start. */
#include <stdlib.h>
#include <string.h>
#include "peer.h"

#define SCRIPT_MS 60000


/* Every called number says which way the call goes. */
static const char *called_draw(struct world *w, const struct agent *p)
{
	static const char *const out[] = {
		"004930555", "+4930556", "0171777", "+44207555", "+4930200",
		"+4930100", "+4930300", "+4930400", "112", "+1202555",
		"anonymous", "00",
	};
	static const char *const in[] = {
		"+4930100", "+4930200", "+4930300", "004930300", "+4930400",
		"+4930999",
	};

	if (p->role == PEER_CARRIER)
		return in[draw(w, ARRAY_SIZE(in))];
	/* half of them to the carriers, so that there is something to see; most
	   where packages want to be used */
	return out[draw(w, chance(w, package_model_is_there(w->packages)
					     ? 85 : 50)
				   ? 4 : ARRAY_SIZE(out))];
}


static struct agent *caller_draw(struct world *w)
{
	static const unsigned weights[SIM_PEERS] = {5, 5, 5, 2, 2, 1, 0, 1};
	const bool is_paid = package_model_is_there(w->packages);
	unsigned n = draw(w, is_paid ? 17 : 21), i = 0;

	while (n >= weights[i])
		n -= weights[i++];

	return w->peers[i];
}


static void command(struct world *w, const char *json)
{
	char *answer = worker_command(w->worker, &w->now, json, strlen(json));

	if (!answer)
		world_fail(w, "no answer to %s", json);
	free(answer);
}


/* The id of a live call, as the operator copies it. */
static bool id_find(struct world *w, char id[37])
{
	static const char ask[] = "{\"op\":\"calls\"}";
	char *answer = worker_command(w->worker, &w->now, ask,
				      sizeof(ask) - 1);
	const char *at = answer ? strstr(answer, "\"call_id\":\"") : NULL;

	if (at && strlen(at) > 47) {
		memcpy(id, at + 11, 36);
		id[36] = '\0';
	}
	free(answer);

	return at;
}


static void drain_over(struct world *w, void *arg)
{
	(void)arg;
	command(w, "{\"op\":\"drain\",\"off\":true}");
}


static void operator_acts(struct world *w, void *arg)
{
	char id[37], json[96];

	(void)arg;
	command(w, "{\"op\":\"status\"}");
	command(w, "{\"op\":\"registrations\"}");
	if (chance(w, 20)) {
		world_trace(w, "operator: drain");
		command(w, "{\"op\":\"drain\"}");
		world_after(w, draw_ms(w, 100, 8000), drain_over, NULL);
		return;
	}
	if (chance(w, 8)) {
		world_trace(w, "operator: stop");
		command(w, "{\"op\":\"stop\"}");
		world_after(w, draw_ms(w, 100, 8000), drain_over, NULL);
		return;
	}
	if (!id_find(w, id))
		return;
	(void)re_snprintf(json, sizeof(json), "{\"op\":\"%s\",\"call\":\"%s\"}",
			  chance(w, 70) ? "drop" : "trace", id);
	world_trace(w, "operator: %s", json);
	command(w, json);
}


/* NTP sets the wall clock; durations must not notice. */
static void clock_steps(struct world *w, void *arg)
{
	const int64_t step_us = ((int64_t)draw(w, 12000) - 6000) * 1000;

	(void)arg;
	world_trace(w, "wall clock: %lld ms", (long long)step_us / 1000);
	w->now.wall_us += step_us;
}


static void often(struct world *w, unsigned most, event_h *h)
{
	for (unsigned n = 1 + draw(w, most); n; n--)
		world_after(w, draw(w, SCRIPT_MS), h, NULL);
}


static void calls_write(struct world *w)
{
	const int n = 2 + (int)draw(w, SIM_CALLS - 1);
	const uint32_t span_ms = chance(w, 30) ? 2000 : 30000;

	for (int i = 0; i < n; i++) {
		struct agent *p = caller_draw(w);
		struct talk *t = caller_plan(p, i, called_draw(w, p));

		world_after(w, 500 + draw(w, span_ms), caller_start, t);
		w->calls++;
	}
}


void script_write(struct world *w)
{
	const struct climate *c = &w->climate;

	world_after(w, chance(w, 80) ? 1 : draw(w, SCRIPT_MS), peer_register,
		    w->peers[1]);
	calls_write(w);
	if (c->has_noise)
		often(w, 20, noise_start);
	if (c->has_garbage)
		often(w, 20, garbage_start);
	if (c->has_bad_disk)
		often(w, 2, journal_model_trouble);
	if (c->has_crash)
		often(w, 2, world_crash);
	if (c->has_changes)
		often(w, 4, catalog_model_change);
	if (c->has_plans)
		often(w, 3, plan_model_change);
	if (chance(w, 20))
		often(w, 2, clock_steps);
	if (c->has_operator)
		often(w, 4, operator_acts);
}
