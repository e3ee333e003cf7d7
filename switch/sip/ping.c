/**
 * @file ping.c  Carrier health by OPTIONS (RFC 3261 11) and by calls.
 */
#include <string.h>
#include "log.h"
#include "metric.h"
#include "ping.h"
#include "text.h"
#include "transaction_client.h"

#define DOWN_AFTER_DEFAULT 3

struct ping {
	struct sip_endpoint *ep;
	struct sip_path from[PING_PATHS];
	size_t from_n;
	ping_change_h *h;
	void *arg;
	struct htab *targets;
};

/** One gateway. */
struct target {
	struct htab_node node;
	struct ping *p;                 /**< weak: it owns us               */
	char id[ID_SIZE];
	struct sa addr;
	uint32_t interval_s;            /**< 0: not probed                  */
	struct health health;
	uint8_t state;                  /**< as it was told last            */
	bool was_up, is_marked;
	uint32_t rtt_us;
	int64_t changed_wall_ms;
	uint64_t sent_us;
	struct client_tx *tx;           /**< probe on its way               */
	struct wheel_timer timer;       /**< next probe                     */
	struct wheel_timer hold;        /**< end of being left alone        */
	struct metric *gauge;
};


static void target_destructor(void *arg)
{
	struct target *t = arg;

	wheel_stop(endpoint_wheel(t->p->ep), &t->timer);
	wheel_stop(endpoint_wheel(t->p->ep), &t->hold);
	htab_remove(t->p->targets, &t->node);
	mem_deref(t->tx);
}


static bool target_free(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);
	return false;
}


static void destructor(void *arg)
{
	struct ping *p = arg;

	if (p->targets)
		(void)htab_each(p->targets, target_free, NULL);
	mem_deref(p->targets);
}


int ping_alloc(struct ping **pp, struct sip_endpoint *ep,
	       const struct sip_path *from, size_t from_n, ping_change_h *h,
	       void *arg)
{
	struct ping *p;
	uint8_t key[16];
	int err;

	if (!pp || !ep || !from || !from_n || from_n > PING_PATHS)
		return EINVAL;

	p = mem_zalloc(sizeof(*p), destructor);
	if (!p)
		return ENOMEM;

	p->ep = ep;
	memcpy(p->from, from, from_n * sizeof(*from));
	p->from_n = from_n;
	p->h = h;
	p->arg = arg;

	rng_bytes(endpoint_rng(ep), key, sizeof(key));
	err = htab_alloc(&p->targets, 64, key);
	if (err) {
		mem_deref(p);
		return err;
	}

	*pp = p;
	return 0;
}


static bool target_equal(const void *data, const void *key)
{
	const struct target *t = data;

	return !strcmp(t->id, key);
}


static struct target *target_find(const struct ping *p, const char *id)
{
	return htab_find(p->targets, htab_hash(p->targets, id, strlen(id)),
			 target_equal, id);
}


/* --- up and down */

static void hold_handler(void *arg);


/* A probed gateway's timer sends the probes; holds have their own. */
static void hold_set(struct target *t)
{
	struct wheel *wheel = endpoint_wheel(t->p->ep);

	if (t->health.fsm.state == HEALTH_DOWN && t->health.hold_ms)
		wheel_start(wheel, &t->hold, t->health.hold_ms, hold_handler,
			    t);
	else
		wheel_stop(wheel, &t->hold);
}


static bool has_moved(const struct fsm *f)
{
	return f->trail[(f->steps - 1) % FSM_TRAIL_N].kind == FSM_GO;
}


static bool is_up(const struct target *t)
{
	return t->health.fsm.state == HEALTH_UP ||
	       t->health.fsm.state == HEALTH_SUSPECT;
}


/* Something was told of it: what follows when that moved its state. Alarms
   are for what calls may meet: SUSPECT is no news, HALF_OPEN not yet. */
static void settle(struct target *t, uint32_t steps)
{
	const uint8_t state = t->health.fsm.state;
	char addr[64];

	if (t->health.fsm.steps == steps || !has_moved(&t->health.fsm))
		return;

	hold_set(t);
	if (state == t->state)
		return;

	t->state = state;
	t->changed_wall_ms = moment_wall_ms(endpoint_moment(t->p->ep));
	re_snprintf(addr, sizeof(addr), "%J", &t->addr);
	log_event(state == HEALTH_DOWN ? LOG_WARN : LOG_INFO, "ping",
		  "carrier_health", "gateway=%s addr=%s state=%s why=%s",
		  t->id, addr, health_name(&t->health), t->health.reason);

	if (state == HEALTH_HALF_OPEN || is_up(t) == t->was_up)
		return;

	t->was_up = is_up(t);
	metric_set(t->gauge, t->was_up);
	if (t->p->h)
		t->p->h(t->id, t->was_up, t->p->arg);
}


static void hold_handler(void *arg)
{
	struct target *t = arg;
	const uint32_t steps = t->health.fsm.steps;

	health_over(&t->health, endpoint_moment(t->p->ep));
	settle(t, steps);
}


static void probed(struct target *t, bool is_answered, const char *why)
{
	const uint32_t steps = t->health.fsm.steps;

	health_probe(&t->health, is_answered, why,
		     endpoint_moment(t->p->ep));
	settle(t, steps);
}


static void forgotten(struct target *t)
{
	const uint32_t steps = t->health.fsm.steps;

	health_forget(&t->health, endpoint_moment(t->p->ep));
	settle(t, steps);
}


/* --- probes */

static void answer_handler(struct client_tx *tx, int err,
			   const struct sip_msg *msg, void *arg)
{
	const struct moment *now;
	struct target *t = arg;

	if (!err && msg && msg->scode < 200)
		return;

	now = endpoint_moment(t->p->ep);
	mem_deref(tx);
	t->tx = NULL;

	if (err || !msg) {
		probed(t, false, "no_answer");
	}
	else if (msg->scode == 408 || msg->scode == 503) {
		probed(t, false, "refused");
	}
	else {
		t->rtt_us = (uint32_t)MIN(now->mono_us - t->sent_us,
					  UINT32_MAX);
		probed(t, true, "");
	}
}


/* NULL when we have no socket of the gateway's family */
static const struct sip_path *probe_from(const struct target *t)
{
	for (size_t i = 0; i < t->p->from_n; i++)
		if (sa_af(&t->p->from[i].local) == sa_af(&t->addr))
			return &t->p->from[i];

	return NULL;
}


static int probe_print(struct mbuf *mb, const struct target *t,
		       const struct sip_path *path, const char *branch)
{
	char tag[TOKEN_SIZE], call_id[TOKEN_SIZE];
	struct sip_endpoint *ep = t->p->ep;
	const struct sa *local = &path->local;

	endpoint_token(ep, tag);
	endpoint_token(ep, call_id);

	return mbuf_printf(mb,
			   "OPTIONS sip:%J SIP/2.0\r\n"
			   "Via: SIP/2.0/%s %J;branch=%s;rport\r\n"
			   "Max-Forwards: 70\r\n"
			   "From: <sip:ping@%J>;tag=%s\r\n"
			   "To: <sip:%J>\r\n"
			   "Call-ID: %s\r\n"
			   "CSeq: 1 OPTIONS\r\n"
			   "Contact: <sip:%J>\r\n"
			   "Accept: application/sdp\r\n"
			   "User-Agent: %s\r\n"
			   "Content-Length: 0\r\n"
			   "\r\n",
			   &t->addr, sip_transp_name(path->transport),
			   local, branch, local, tag, &t->addr, call_id,
			   local, endpoint_config(ep)->server_name);
}


static void probe_send(struct target *t)
{
	char token[TOKEN_SIZE], branch[sizeof("z9hG4bK") + TOKEN_SIZE];
	const struct sip_path *from = probe_from(t);
	struct sip_path path;
	struct mbuf *mb;
	int err;

	if (!from) {
		probed(t, false, "no_socket");
		return;
	}

	path = *from;
	path.peer = t->addr;
	mb = mbuf_alloc(512);
	endpoint_token(t->p->ep, token);
	text_format(branch, sizeof(branch), "z9hG4bK%s", token);
	t->sent_us = endpoint_moment(t->p->ep)->mono_us;

	err = mb ? probe_print(mb, t, &path, branch) : ENOMEM;
	if (!err)
		err = client_tx_start(&t->tx, t->p->ep, &path, "OPTIONS",
				      branch, mb->buf, mb->end,
				      answer_handler, t, NULL);
	mem_deref(mb);

	/* our own lack of memory or room says nothing about the carrier */
	if (err && err != ENOMEM && err != ENOBUFS)
		probed(t, false, "not_sent");
}


static void probe_handler(void *arg)
{
	struct target *t = arg;

	wheel_start(endpoint_wheel(t->p->ep), &t->timer,
		    t->interval_s * UINT64_C(1000), probe_handler, t);

	/* Timer F would tell after 32 s; the interval is sooner */
	if (t->tx) {
		t->tx = mem_deref(t->tx);
		probed(t, false, "no_answer");
	}

	probe_send(t);
}


/* At a random point of the interval: after a start the probes of many
   gateways do not leave together. */
static void probe_start(struct target *t)
{
	uint32_t interval_ms = MIN(t->interval_s, 86400u) * 1000;

	wheel_start(endpoint_wheel(t->p->ep), &t->timer,
		    rng_below(endpoint_rng(t->p->ep), interval_ms),
		    probe_handler, t);
}


/* --- catalogs */

static struct target *target_new(struct ping *p, const struct gateway *gw)
{
	struct target *t = mem_zalloc(sizeof(*t), target_destructor);
	char labels[ID_SIZE + 16];

	if (!t)
		return NULL;

	t->p = p;
	t->was_up = true;
	health_init(&t->health);
	t->changed_wall_ms = moment_wall_ms(endpoint_moment(p->ep));
	text_copy(t->id, sizeof(t->id), gw->id);
	text_format(labels, sizeof(labels), "gateway=\"%s\"", gw->id);
	t->gauge = metric_gauge("strowger_gateway_up", labels,
				"1: calls may go there; 0: down");
	metric_set(t->gauge, 1);
	htab_insert(p->targets, &t->node,
		    htab_hash(p->targets, t->id, strlen(t->id)), t);

	return t;
}


static void target_update(struct target *t, const struct gateway *gw)
{
	bool is_moved = !sa_cmp(&t->addr, &gw->addr, SA_ALL);
	bool is_retimed = t->interval_s != gw->ping_s;

	t->health.down_after = gw->ping_down_after ? gw->ping_down_after
						   : DOWN_AFTER_DEFAULT;
	t->health.up_after = MAX(gw->ping_up_after, 1);
	if (!is_moved && !is_retimed)
		return;

	/* what was on its way concerns the old address */
	t->addr = gw->addr;
	t->interval_s = gw->ping_s;
	t->tx = mem_deref(t->tx);
	wheel_stop(endpoint_wheel(t->p->ep), &t->timer);
	/* without probes what they said would stay for ever */
	if (is_moved || (!t->interval_s && t->health.is_by_probes))
		forgotten(t);
	if (t->interval_s)
		probe_start(t);
}


static bool unmark_handler(void *data, void *arg)
{
	struct target *t = data;
	(void)arg;

	t->is_marked = false;
	return false;
}


static bool sweep_handler(void *data, void *arg)
{
	struct target *t = data;
	(void)arg;

	if (!t->is_marked) {
		/* gone is not ill: no alarm may hang on it */
		metric_set(t->gauge, 1);
		mem_deref(t);
	}

	return false;
}


void ping_catalog(struct ping *p, const struct catalog *cat)
{
	uint32_t n = catalog_gateway_count(cat), i;

	(void)htab_each(p->targets, unmark_handler, NULL);

	for (i = 0; i < n; i++) {
		const struct gateway *gw = catalog_gateway_at(cat, i);
		struct target *t;

		if (!gw->is_active || !gw->carrier->is_active)
			continue;

		t = target_find(p, gw->id);
		if (!t)
			t = target_new(p, gw);
		if (!t)
			continue;

		t->is_marked = true;
		target_update(t, gw);
	}

	(void)htab_each(p->targets, sweep_handler, NULL);
}


bool ping_is_up(const struct ping *p, const struct gateway *gw)
{
	const struct target *t = target_find(p, gw->id);

	return !t || health_may(&t->health, endpoint_moment(p->ep));
}


void ping_dialled(struct ping *p, const struct gateway *gw)
{
	struct target *t = target_find(p, gw->id);

	if (t)
		health_dialled(&t->health, endpoint_moment(p->ep));
}


void ping_heard(struct ping *p, const struct gateway *gw,
		enum health_word word, const char *why, uint32_t retry_after_s)
{
	struct target *t = target_find(p, gw->id);
	uint32_t steps;

	if (!t)
		return;

	steps = t->health.fsm.steps;
	health_call(&t->health, word, why, retry_after_s,
		    endpoint_moment(p->ep));
	settle(t, steps);
}


/** Carries the caller's handler through htab_each(). */
struct each {
	ping_each_h *h;
	void *arg;
};


static bool each_handler(void *data, void *arg)
{
	const struct target *t = data;
	const struct each *e = arg;
	struct ping_state s = {
		.is_up = is_up(t),
		.is_probed = t->interval_s > 0,
		.rtt_us = t->rtt_us,
		.failures = t->health.probe_failures +
			    t->health.call_failures + t->health.refusals,
		.state = health_name(&t->health),
		.reason = t->health.reason,
		.changed_wall_ms = t->changed_wall_ms,
	};

	text_copy(s.gateway_id, sizeof(s.gateway_id), t->id);
	e->h(&s, e->arg);

	return false;
}


void ping_each(const struct ping *p, ping_each_h *h, void *arg)
{
	struct each e = {h, arg};

	(void)htab_each(p->targets, each_handler, &e);
}
