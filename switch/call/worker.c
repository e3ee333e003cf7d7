/**
 * @file worker.c  Birth and death of a worker, its inputs, and the doors that
 * its parts share.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "call.h"
#include "call_private.h"
#include "log.h"

#define TIMERS_A_PASS 2000
#define FUNDS_IDLE_MS 30000
#define GUESSES_MAX 10
#define SOURCES_MAX 10000
#define NONCES_MAX 20000
#define TALLIES_MAX 200000
#define DIALED_MAX 500000
#define BINDINGS_MAX 100000
#define TRANSACTIONS_PER_CALL 20


static bool call_free(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);

	return false;
}


static void worker_destructor(void *arg)
{
	struct worker *w = arg;
	struct le *le;

	if (w->calls)
		htab_each(w->calls, call_free, NULL);
	while ((le = list_head(&w->traces))) {
		struct trace *t = le->data;

		list_unlink(&t->le);
		mem_deref(t);
	}

	mem_deref(w->reached);
	mem_deref(w->ping);
	mem_deref(w->quality);
	mem_deref(w->circles);
	mem_deref(w->registrar);
	mem_deref(w->gate);
	mem_deref(w->digest);
	mem_deref(w->ep);
	mem_deref(w->funds);
	mem_deref(w->channels);
	mem_deref(w->tallies);
	mem_deref(w->dialed);
	mem_deref(w->spends);
	mem_deref(w->locks);
	mem_deref(w->calls);
	mem_deref(w->mint);
	mem_deref(w->wheel);
	mem_deref(w->scratch);
	mem_deref(w->frame);
	mem_deref(w->record);
	snapshot_release(w->snap);
}


static void trace_destructor(void *arg)
{
	struct trace *t = arg;

	mem_deref(t->past);
}


static int send_door(const struct sip_path *path, const uint8_t *buf,
		     size_t len, void *arg)
{
	struct worker *w = arg;

	return w->doors.sendh(path, buf, len, w->doors.arg);
}


static int lease_door(const struct fund_order *o, void *arg)
{
	struct worker *w = arg;
	const struct lease_order order = {
		.account_id = o->account_id,
		.want_micro = o->want_micro,
		.min_micro = o->min_micro,
		.is_running = o->is_running,
		.ticket = o->ticket,
	};

	return w->doors.leaseh(&order, w->doors.arg);
}


/* Every SIP message of a call, verbatim, for whoever listens. */
static void trace_door(const struct sip_path *path, int dir,
		       const uint8_t *buf, size_t len, bool retransmission,
		       void *arg_owner, void *arg)
{
	struct call_owner *owner = arg_owner;
	struct worker *w = arg;
	struct tap_event ev = {
		.kind = TAP_SIP,
		.dir = dir ? TAP_OUT : TAP_IN,
		.local = path->local,
		.peer = path->peer,
		.transport = path->transport,
		.retransmission = retransmission,
		.wall_ns = w->now.wall_us * 1000,
		.bytes = buf,
		.len = len,
	};

	if (!owner)
		return;

	ev.seq = owner->seq[ev.dir == TAP_OUT]++;
	if (!tap_active())
		return;

	memcpy(ev.call, owner->call_id, sizeof(ev.call));
	ev.leg = owner->leg;
	ev.attempt = owner->attempt;
	tap_emit(&ev);
}


static void decision_metrics_init(struct worker *w)
{
	static const double answer_s[] = {.01, .025, .05, .1, .25, .5, 1, 2,
					  5, 10};
	static const char help[] = "questions to decision URLs, by what came "
				   "of them";
	static const char name[] = "strowger_decisions_total";

	w->metrics.asked = metric_counter(
		"strowger_decisions_asked_total", NULL,
		"questions that went to decision URLs");
	w->metrics.decided[DECISION_NONE] =
		metric_counter(name, "result=\"failed\"", help);
	w->metrics.decided[DECISION_CONTINUE] =
		metric_counter(name, "result=\"continue\"", help);
	w->metrics.decided[DECISION_FORWARD] =
		metric_counter(name, "result=\"forward\"", help);
	w->metrics.decided[DECISION_REFUSE] =
		metric_counter(name, "result=\"refuse\"", help);
	w->metrics.undecided = metric_counter(name, "result=\"timeout\"",
					      help);
	w->metrics.unasked = metric_counter(name, "result=\"not_asked\"",
					    help);
	w->metrics.late = metric_counter(
		"strowger_decisions_late_total", NULL,
		"answers that no call waited for any more");
	w->metrics.decision = metric_histogram(
		"strowger_decision_seconds", NULL,
		"from the question to the answer of a decision URL", answer_s,
		ARRAY_SIZE(answer_s));
}


static void metrics_init(struct worker *w)
{
	static const double setup_s[] = {.1, .25, .5, 1, 2, 4, 8, 16, 32, 64};
	static const double admit_s[] = {5e-6, 10e-6, 15e-6, 20e-6, 25e-6,
					 30e-6, 40e-6, 50e-6, 60e-6, 80e-6,
					 100e-6, 150e-6, 200e-6, 300e-6,
					 500e-6, 1e-3, 2e-3, 5e-3, 10e-3};
	static const double call_s[] = {1, 6, 15, 30, 60, 180, 600, 1800,
					3600, 7200};
	char label[64];

	w->metrics.active = metric_gauge("strowger_calls_active", NULL,
					 "calls that are not over");
	w->metrics.begun = metric_counter("strowger_calls_begun_total", NULL,
					  "INVITEs that became a call");
	w->metrics.admit = metric_histogram(
		"strowger_admit_cpu_seconds", NULL,
		"worker's CPU time of the decision about a call: numbers, "
		"limits, route, price", admit_s, ARRAY_SIZE(admit_s));
	w->metrics.setup = metric_histogram(
		"strowger_call_setup_seconds", NULL,
		"from INVITE to answer", setup_s, ARRAY_SIZE(setup_s));
	w->metrics.duration = metric_histogram(
		"strowger_call_duration_seconds", NULL,
		"from answer to end", call_s, ARRAY_SIZE(call_s));
	w->metrics.unknown = metric_counter(
		"strowger_sip_unknown_total", NULL,
		"requests of unknown sources that got no answer");
	decision_metrics_init(w);
	w->metrics.untold = metric_counter(
		"strowger_auth_failures_untold_total", NULL,
		"requests with wrong credentials that no event tells of: too "
		"many");
	w->metrics.unrecorded = metric_counter(
		"strowger_cdr_unrecorded_total", NULL,
		"INVITEs with wrong credentials, more than are recorded");
	w->metrics.emergency[0] = metric_counter(
		"strowger_emergency_calls_total", "kind=\"emergency\"",
		"calls to emergency numbers, whatever became of them");
	w->metrics.emergency[1] = metric_counter(
		"strowger_emergency_calls_total", "kind=\"test\"",
		"calls to emergency numbers, whatever became of them");
	for (int o = 0; o < OUTCOME_N; o++) {
		(void)re_snprintf(label, sizeof(label), "outcome=\"%s\"",
				  outcome_row((enum outcome)o)->code);
		w->metrics.ended[o] =
			metric_counter("strowger_calls_ended_total", label,
				       "calls by how they ended");
	}
}


static int parts_alloc(struct worker *w)
{
	const struct worker_config *cfg = &w->cfg;
	const struct sip_endpoint_config ep = {
		.t1_ms = cfg->t1_ms,
		.t2_ms = cfg->t2_ms,
		.t4_ms = cfg->t4_ms,
		.timer_c_ms = 181000,
		.transactions_max =
			(size_t)cfg->calls_max * TRANSACTIONS_PER_CALL + 1000,
		.server_name = cfg->server_name,
		.wheel = w->wheel,
		.rng = w->rng,
		.mint = w->mint,
		.shard = cfg->shard,
		.sendh = send_door,
		.requesth = worker_request,
		.traceh = trace_door,
		.outsideh = call_outside,
		.arg = w,
	};
	struct funds_config funds = {
		.chunk_s = cfg->fund_chunk_s,
		.wait_ms = cfg->fund_wait_ms,
		.idle_ms = FUNDS_IDLE_MS,
		.now = &w->now,
		.wheel = w->wheel,
		.askh = lease_door,
		.arg = w,
	};
	struct registrar_config reg = {
		.expires_min_s = cfg->expires_min_s,
		.expires_max_s = cfg->expires_max_s,
		.expires_default_s = cfg->expires_default_s,
		.bindings_max = BINDINGS_MAX,
		.h = worker_registered,
		.arg = w,
	};
	struct sip_path from[WORKER_SOCKS] = {{.sock = 0}};
	uint8_t key[16];
	int err;

	for (uint8_t i = 0; i < cfg->sock_n; i++) {
		from[i].local = cfg->socks[i].public;
		from[i].transport = SIP_TRANSP_UDP;
		from[i].sock = i;
	}

	rng_bytes(w->rng, key, sizeof(key));
	rng_bytes(w->rng, funds.key, sizeof(funds.key));

	err = endpoint_alloc(&w->ep, &ep);
	err |= htab_alloc(&w->calls, 1024, key);
	err |= limits_reached_alloc(&w->reached, w, key);
	err |= channels_alloc(&w->channels, key);
	if (w->channels)
		channels_watch(w->channels, call_limit_room, w);
	err |= spends_alloc(&w->spends, key);
	err |= locks_alloc(&w->locks, key);
	err |= tallies_alloc(&w->tallies, key, w->wheel, TALLIES_MAX);
	err |= tallies_alloc(&w->dialed, key, w->wheel, DIALED_MAX);
	err |= funds_alloc(&w->funds, &funds);
	err |= digest_server_alloc(&w->digest, cfg->nonce_key,
				   cfg->nonce_life_s, NONCES_MAX);
	if (err)
		return ENOMEM;

	reg.ep = w->ep;
	err = gate_alloc(&w->gate, w->digest, GUESSES_MAX, SOURCES_MAX);
	err |= registrar_alloc(&w->registrar, &reg);
	err |= quality_alloc(&w->quality, worker_quality_changed, w);
	err |= circles_alloc(&w->circles, key);
	err |= ping_alloc(&w->ping, w->ep, from, cfg->sock_n,
			  worker_gateway_changed, w);

	return err ? ENOMEM : 0;
}


int worker_alloc(struct worker **wp, const struct worker_config *cfg,
		 const struct worker_doors *doors, struct rng *rng,
		 const struct moment *now)
{
	struct worker *w;
	int err;

	if (!wp || !cfg || !doors || !rng || !now || !cfg->sock_n)
		return EINVAL;

	w = mem_zalloc(sizeof(*w), worker_destructor);
	if (!w)
		return ENOMEM;

	w->cfg = *cfg;
	w->limits = (struct limits){
		.in = -1, .out = -1, .total = -1, .kbps = -1,
		.cps = cfg->cps_max ? (int32_t)cfg->cps_max : -1,
	};
	w->doors = *doors;
	w->rng = rng;
	w->now = *now;
	w->scratch = mbuf_alloc(2048);
	w->frame = mbuf_alloc(4096);
	w->record = mem_zalloc(sizeof(*w->record), NULL);
	if (!w->scratch || !w->frame || !w->record) {
		err = ENOMEM;
		goto out;
	}

	metrics_init(w);
	err = wheel_alloc(&w->wheel, moment_ms(now));
	if (err)
		goto out;
	err = token_mint_alloc(&w->mint, cfg->token_key, cfg->node_id,
			       cfg->boot);
	if (err)
		goto out;
	err = parts_alloc(w);
	if (err)
		goto out;
	endpoint_now(w->ep, now);

 out:
	if (err)
		mem_deref(w);
	else
		*wp = w;

	return err;
}


void worker_now(struct worker *w, const struct moment *now)
{
	w->now = *now;
	endpoint_now(w->ep, now);
	/* timers of what comes in now run from now, not from the last pass */
	wheel_turn(w->wheel, moment_ms(now));
}


void worker_recv(struct worker *w, const struct moment *now,
		 const struct sip_path *path, const uint8_t *buf, size_t len)
{
	struct sip_path named = *path;

	/* everything that names us names the public address, Via too */
	named.local = w->cfg.socks[path->sock].public;
	worker_now(w, now);
	endpoint_recv(w->ep, now, &named, buf, len);
}


void worker_unreachable(struct worker *w, const struct moment *now,
			const struct sip_path *path, const uint8_t *buf,
			size_t len, int err)
{
	worker_now(w, now);
	endpoint_unreachable(w->ep, now, path, buf, len, err);
}


void worker_advance(struct worker *w, const struct moment *now)
{
	worker_now(w, now);
	(void)wheel_advance(w->wheel, moment_ms(now), TIMERS_A_PASS);
}


uint64_t worker_next_ms(const struct worker *w)
{
	return wheel_next_ms(w->wheel);
}


static void trace_keep(struct worker *w, const struct call *call)
{
	struct trace *t = mem_zalloc(sizeof(*t), trace_destructor);
	struct le *oldest;

	if (!t)
		return;

	memcpy(t->call_id, call->id, sizeof(t->call_id));
	t->past = call_past(call);
	list_append(&w->traces, &t->le, t);

	if (++w->traces_n <= TRACES_KEPT)
		return;
	w->traces_n--;
	oldest = list_head(&w->traces);
	list_unlink(oldest);
	mem_deref(oldest->data);
}


void worker_journalled(struct worker *w, const struct moment *now,
		       uint64_t seq)
{
	struct le *le;

	worker_now(w, now);

	while ((le = list_head(&w->closing))) {
		struct call *call = le->data;

		if (call_end_seq(call) > seq)
			break;
		list_unlink(le);
		trace_keep(w, call);
		call_journalled(call);
	}
}


void worker_leased(struct worker *w, const struct moment *now,
		   const char *account_id, int64_t granted_micro,
		   bool is_known, uint64_t ticket)
{
	worker_now(w, now);
	funds_answer(w->funds, account_id, granted_micro, is_known, ticket);
}


void worker_lease_until(struct worker *w, const struct moment *now,
			uint64_t until_ms)
{
	worker_now(w, now);
	funds_until(w->funds, until_ms);
}


void worker_lease_recalled(struct worker *w, const struct moment *now,
			   const char *account_id)
{
	worker_now(w, now);
	funds_recall(w->funds, account_id);
}


void worker_lease_more(struct worker *w, const struct moment *now,
		       const char *account_id)
{
	worker_now(w, now);
	funds_more(w->funds, account_id);
}


void worker_decided(struct worker *w, const struct moment *now,
		    const struct decision_answer *answer)
{
	struct call *call;

	worker_now(w, now);
	call = worker_call(w, answer->call_id);
	if (!call || !call_decided(call, answer))
		metric_add(w->metrics.late, 1);
}


void worker_catalog(struct worker *w, const struct moment *now,
		    struct snapshot *snap)
{
	const struct catalog *before = w->cat;
	struct snapshot *old = w->snap;

	worker_now(w, now);
	w->snap = snapshot_ref(snap);
	w->cat = snapshot_data(w->snap);
	ping_catalog(w->ping, w->cat);
	registrar_catalog(w->registrar, w->cat);
	if (before && catalog_usable(before) != catalog_usable(w->cat))
		worker_sweep(w);
	quality_catalog(w->quality, w->cat);
	snapshot_release(old);
}


int worker_path(const struct worker *w, const struct sa *peer,
		struct sip_path *ret)
{
	for (uint8_t i = 0; i < w->cfg.sock_n; i++) {
		if (sa_af(&w->cfg.socks[i].local) != sa_af(peer))
			continue;

		memset(ret, 0, sizeof(*ret));
		ret->local = w->cfg.socks[i].public;
		ret->peer = *peer;
		ret->transport = SIP_TRANSP_UDP;
		ret->sock = i;
		return 0;
	}

	return EAFNOSUPPORT;
}


void worker_contact(const struct worker *w, const struct sip_path *path,
		    char *buf, size_t size)
{
	(void)re_snprintf(buf, size, "%J", &w->cfg.socks[path->sock].public);
}


static bool is_call(const void *data, const void *key)
{
	const struct call *call = data;

	return 0 == memcmp(call->id, key, sizeof(call->id));
}


struct call *worker_call(const struct worker *w, const uint8_t id[16])
{
	return htab_find(w->calls, htab_hash(w->calls, id, 16), is_call, id);
}


char *worker_registrations(struct worker *w)
{
	return registrar_is_dirty(w->registrar)
		       ? registrar_export(w->registrar) : NULL;
}


int worker_restore(struct worker *w, const struct moment *now,
		   const char *json, size_t len)
{
	worker_now(w, now);

	return registrar_import(w->registrar, json, len);
}


void worker_census(const struct worker *w, struct worker_census *ret)
{
	struct endpoint_census ep;
	struct funds_census funds;

	endpoint_census(w->ep, &ep);
	funds_census(w->funds, &funds);

	memset(ret, 0, sizeof(*ret));
	ret->calls = htab_count(w->calls);
	ret->client_tx = ep.client_tx;
	ret->server_tx = ep.server_tx;
	ret->dialogs = ep.dialogs;
	ret->timers = wheel_pending(w->wheel);
	ret->channels = channel_total(w->channels);
	ret->fund_holds = funds.holds;
	ret->funds_granted_micro = funds.granted_micro;
	ret->funds_spent_micro = funds.spent_micro;
	ret->funds_held_micro = funds.held_micro;
	ret->calls_begun = w->begun;
	ret->refused = w->refused.n;
	ret->calls_ended = w->ended;
	ret->bugs = w->bugs;
	w->doors.media.censush(&ret->media_sessions, &ret->media_ports,
			       w->doors.media.arg);
}


static bool holds_are_of_live(const struct call *call)
{
	const struct channel_hold *all[] = {call->from_holds, call->to_holds,
					    call->hop_holds};
	const size_t n[] = {FROM_LINES, TO_LINES, HOP_LINES};
	bool held = false;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		for (size_t k = 0; k < n[i]; k++)
			held = held || all[i][k].line;

	/* what is over holds nothing */
	return !held || !call->ended_ms;
}


bool worker_is_exact(const struct worker *w)
{
	const struct le *le;

	LIST_FOREACH(&w->live, le)
		if (!holds_are_of_live(le->data))
			return false;

	return channels_are_exact(w->channels);
}


bool worker_is_fair(const struct worker *w)
{
	const struct le *le;

	LIST_FOREACH(&w->live, le)
		if (!call_is_fair(le->data))
			return false;

	return true;
}


char *worker_table(void)
{
	return fsm_print(&call_def);
}
