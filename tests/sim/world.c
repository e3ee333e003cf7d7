/** @file world.c  Time, events, the worker's life, trace and failure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "peer.h"

#define START_WALL_US 1795000000000000
#define START_MONO_US 5000000
#define QUIET_MS 260000 /* the script and everything that follows is over */
#define END_MS 420000   /* also what was kept in case it is repeated      */

struct due {
	uint64_t at_us, order;
	event_h *h;
	void *arg;
};


uint64_t world_ms(const struct world *w)
{
	return (w->now.mono_us - w->born_us) / 1000;
}


bool world_failed(const struct world *w)
{
	return w->failure[0] != '\0';
}


/* FNV-1a: two runs of a seed have to say the same. */
void world_hash(struct world *w, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	while (len--)
		w->hash = (w->hash ^ *p++) * 1099511628211u;
}


void world_trace(struct world *w, const char *fmt, ...)
{
	char *line = w->trace[w->traced % TRACE_LINES];
	const uint64_t now_ms = world_ms(w);
	va_list ap;
	int n;

	n = snprintf(line, TRACE_LINE, "%6llu %6llu.%03u ",
		     (unsigned long long)w->step,
		     (unsigned long long)(now_ms / 1000),
		     (unsigned)(now_ms % 1000));
	va_start(ap, fmt);
	(void)vsnprintf(line + n, TRACE_LINE - (size_t)n, fmt, ap);
	va_end(ap);

	world_hash(w, line, strlen(line));
	w->traced++;
	if (w->is_verbose)
		(void)puts(line);
}


void world_fail(struct world *w, const char *fmt, ...)
{
	va_list ap;

	if (world_failed(w))
		return;

	va_start(ap, fmt);
	(void)vsnprintf(w->failure, sizeof(w->failure), fmt, ap);
	va_end(ap);
}


/* --- events: a heap by time, then by order of planning */

static bool is_before(const struct due *a, const struct due *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us
				    : a->order < b->order;
}


static void heap_put(struct world *w, struct due e)
{
	size_t i = w->heap_n++;

	while (i && is_before(&e, &w->heap[(i - 1) / 2])) {
		w->heap[i] = w->heap[(i - 1) / 2];
		i = (i - 1) / 2;
	}
	w->heap[i] = e;
}


static struct due heap_take(struct world *w)
{
	const struct due first = w->heap[0], last = w->heap[--w->heap_n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->heap_n) {
		if (child + 1 < w->heap_n &&
		    is_before(&w->heap[child + 1], &w->heap[child]))
			child++;
		if (!is_before(&w->heap[child], &last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;

	return first;
}


void world_after(struct world *w, uint64_t ms, event_h *h, void *arg)
{
	/* within a millisecond the seed decides who comes first */
	const uint64_t us = ms * 1000 + draw(w, 1000);

	if (w->heap_n == w->heap_size) {
		w->heap_size = w->heap_size ? 2 * w->heap_size : 256;
		w->heap = realloc(w->heap,
				  w->heap_size * sizeof(*w->heap));
	}

	heap_put(w, (struct due){.at_us = w->now.mono_us + us,
				   .order = ++w->order,
				   .h = h,
				   .arg = arg});
}


/* --- the worker */

static int worker_start(struct world *w)
{
	struct worker_config cfg = {
		.node = "node1",
		.node_id = 1,
		.boot = (uint16_t)w->boot,
		.sock_n = 1,
		.server_name = "Strowger",
		.t1_ms = SIM_T1_MS,
		.t2_ms = SIM_T2_MS,
		.t4_ms = SIM_T4_MS,
		.calls_max = 100,
		.nonce_life_s = 30,
		.fund_wait_ms = 2000,
		.fund_chunk_s = 60,
		.lease_epoch = (int64_t)w->boot,
		.expires_min_s = 30,
		.expires_max_s = 60,
		.expires_default_s = 60,
	};
	struct worker_doors doors = {
		.sendh = network_from_switch,
		.journalh = journal_model_append,
		.refusesh = journal_model_refuses,
		.leaseh = ledger_model_lease,
		.askh = decision_model_ask,
		.eventh = event_model_take,
		.arg = w,
	};
	struct worker_census census;
	int err;

	sa_set_str(&cfg.socks[0].local, SIM_SWITCH, 5060);
	cfg.socks[0].public = cfg.socks[0].local;
	media_model_doors(w->media, &doors.media);

	err = rng_seeded(&w->worker_rng, w->seed * 1000003 + w->boot);
	if (!err)
		err = worker_alloc(&w->worker, &cfg, &doors, w->worker_rng,
				   &w->now);
	if (err)
		return err;

	worker_census(w->worker, &census);
	w->timers_at_birth = census.timers;

	return 0;
}


/* The process is gone: nothing leaves it any more. Legs finish alone and own
   themselves, so the memory comes back when their timers are over. */
static void worker_end(struct world *w)
{
	static const char stop[] = "{\"op\":\"stop\"}";
	struct moment now = w->now;

	w->is_down = true;
	free(worker_command(w->worker, &now, stop, sizeof(stop) - 1));
	for (int i = 0; i < 2 * SIM_LIFE_MS / 1000; i++) {
		now.mono_us += 2000000;
		worker_advance(w->worker, &now);
	}
	w->worker = mem_deref(w->worker);
	w->worker_rng = mem_deref(w->worker_rng);
	w->is_down = false;
}


/* The process is gone between two events, and starts again at once. */
void world_crash(struct world *w, void *arg)
{
	struct worker_census census;

	(void)arg;
	worker_census(w->worker, &census);
	w->begun_before += census.calls_begun + census.refused;
	world_trace(w, "crash: %zu calls live", census.calls);

	memset(w->origins, 0, sizeof(w->origins));
	worker_end(w);
	media_model_crash(w->media);
	event_model_crash(w);
	w->boot++;
	journal_model_crash(w);
	ledger_model_boot(w);
	if (worker_start(w)) {
		world_fail(w, "the worker does not start again");
		return;
	}
	ledger_model_claim(w);
	catalog_model_publish(w);
	if (w->registrations &&
	    worker_restore(w->worker, &w->now, w->registrations,
			   strlen(w->registrations)))
		world_fail(w, "the registrations do not come back");
}


static void keep_registrations(struct world *w)
{
	char *text = worker_registrations(w->worker);

	if (!text)
		return;
	free(w->registrations);
	w->registrations = text;
}


/* --- the run */

static void climate_draw(struct world *w)
{
	static const unsigned losses[] = {0, 0, 2, 8};
	struct climate *c = &w->climate;

	c->loss_pct = losses[draw(w, 4)];
	c->dup_pct = chance(w, 30) ? 5 : 0;
	c->delay_ms = 5 + draw(w, chance(w, 20) ? 400 : 60);
	c->has_bad_disk = chance(w, 25);
	c->has_bad_ledger = chance(w, 30);
	c->has_noise = chance(w, 50);
	c->has_garbage = chance(w, 30);
	c->has_crash = chance(w, 12);
	c->has_changes = chance(w, 30);
	c->has_operator = chance(w, 30);
	c->has_plans = chance(w, 60);
}


static void peers_make(struct world *w)
{
	static const struct {
		enum agent_role role;
		const char *host;
		uint16_t port;
	} all[SIM_PEERS] = {
		{PEER_PBX, "10.1.0.1", 5060},
		{PEER_DIGEST_PBX, "10.1.0.2", 5070},
		{PEER_PBX, "10.1.0.3", 5060},
		{PEER_CARRIER, "10.2.0.4", 5060},
		{PEER_CARRIER, "10.2.0.5", 5060},
		{PEER_CARRIER, "10.2.0.6", 5080},
		{PEER_CARRIER, "10.2.0.7", 5060},
		{PEER_STRANGER, "10.9.0.8", 5060},
	};

	for (unsigned i = 0; i < SIM_PEERS; i++)
		w->peers[i] = peer_alloc(w, i, all[i].role, all[i].host,
					 all[i].port);
	w->peers[4]->is_challenging = true;
	w->peers[6]->is_dead = chance(w, 50);
}


struct world *world_alloc(uint64_t seed, bool is_verbose, uint64_t until)
{
	struct world *w = calloc(1, sizeof(*w));

	w->seed = seed;
	w->is_verbose = is_verbose;
	w->step_end = until ? until : UINT64_MAX;
	w->hash = 14695981039346656037u;
	w->now.mono_us = w->born_us = START_MONO_US;
	w->now.wall_us = START_WALL_US;
	w->boot = 1;
	if (rng_seeded(&w->rng, seed) || rng_seeded(&w->spare_rng, seed))
		world_fail(w, "no random numbers");

	climate_draw(w);
	w->journal = journal_model_alloc(w);
	w->ledger = ledger_model_alloc(w);
	w->events = event_model_alloc();
	w->decisions = decision_model_alloc(w);
	w->plans = plan_model_alloc(w);
	w->packages = package_model_alloc(w);
	w->media = media_model_alloc(w);
	peers_make(w);
	if (worker_start(w) || catalog_model_put(w))
		world_fail(w, "the worker does not start");
	else {
		ledger_model_start(w);
		package_model_start(w);
		script_write(w);
	}

	return w;
}


void world_free(struct world *w)
{
	worker_end(w);
	for (unsigned i = 0; i < SIM_PEERS; i++)
		peer_free(w->peers[i]);
	while (w->heap_n) {
		const struct due e = heap_take(w);

		network_drop(e.h, e.arg);
		ledger_model_drop(e.h, e.arg);
		package_model_drop(e.h, e.arg);
		decision_model_drop(e.h, e.arg);
	}
	free(w->heap);
	free(w->registrations);
	media_model_free(w->media);
	ledger_model_free(w->ledger);
	event_model_free(w->events);
	decision_model_free(w->decisions);
	plan_model_free(w->plans);
	package_model_free(w->packages);
	journal_model_free(w->journal);
	mem_deref(w->store);
	if (w->slot)
		snapshot_slot_free(w->slot);
	mem_deref(w->rng);
	mem_deref(w->spare_rng);
	free(w);
}


/* When the worker or the world has something to do. */
static uint64_t next_us(const struct world *w)
{
	const uint64_t ms = worker_next_ms(w->worker);
	uint64_t at_us = w->heap_n ? w->heap[0].at_us : UINT64_MAX;

	if (ms != UINT64_MAX && w->now.mono_us + ms * 1000 < at_us)
		at_us = w->now.mono_us + ms * 1000;

	return at_us;
}


static void time_set(struct world *w, uint64_t mono_us)
{
	if (mono_us <= w->now.mono_us)
		return;
	w->now.wall_us += (int64_t)(mono_us - w->now.mono_us);
	w->now.mono_us = mono_us;
}


/* One pass of the loop: what came in, then the timers. */
static void step(struct world *w)
{
	time_set(w, next_us(w));
	w->step++;
	while (w->heap_n && w->heap[0].at_us <= w->now.mono_us &&
	       !world_failed(w)) {
		const struct due e = heap_take(w);

		e.h(w, e.arg);
	}
	worker_advance(w->worker, &w->now);
	keep_registrations(w);
	check_step(w);
}


static bool run_to(struct world *w, uint64_t ms)
{
	while (!world_failed(w) && w->step < w->step_end &&
	       next_us(w) < w->born_us + ms * 1000)
		step(w);

	return !world_failed(w) && w->step < w->step_end;
}


bool world_run(struct world *w)
{
	if (run_to(w, QUIET_MS)) {
		catalog_model_calm(w);
		if (run_to(w, END_MS))
			check_end(w);
	}

	return !world_failed(w);
}
