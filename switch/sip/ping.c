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
	uint32_t down_after, up_after;
	bool is_up, is_marked;
	uint32_t failures, successes;   /**< in a row                       */
	uint32_t rtt_us;
	int64_t changed_wall_ms;
	uint64_t sent_us;
	struct client_tx *tx;           /**< probe on its way               */
	struct wheel_timer timer;       /**< next probe, or end of the hold */
	struct metric *gauge;
};


static void target_destructor(void *arg)
{
	struct target *t = arg;

	wheel_stop(endpoint_wheel(t->p->ep), &t->timer);
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


static void target_change(struct target *t, bool is_up, const char *why)
{
	char addr[64];

	t->is_up = is_up;
	t->failures = t->successes = 0;
	t->changed_wall_ms = moment_wall_ms(endpoint_moment(t->p->ep));
	metric_set(t->gauge, is_up);

	if (!t->interval_s) {
		if (is_up)
			wheel_stop(endpoint_wheel(t->p->ep), &t->timer);
		else
			wheel_start(endpoint_wheel(t->p->ep), &t->timer,
				    PING_HOLD_MS, hold_handler, t);
	}

	re_snprintf(addr, sizeof(addr), "%J", &t->addr);
	log_event(is_up ? LOG_INFO : LOG_WARN, "ping",
		  is_up ? "carrier_up" : "carrier_down",
		  "gateway=%s addr=%s why=%s", t->id, addr, why);

	if (t->p->h)
		t->p->h(t->id, is_up, t->p->arg);
}


/* Half open: calls may try, and the first failure closes it again. */
static void hold_handler(void *arg)
{
	struct target *t = arg;

	target_change(t, true, "hold_over");
	t->failures = t->down_after - 1;
}


static void target_success(struct target *t, const char *why)
{
	t->failures = 0;
	if (t->is_up)
		return;

	if (++t->successes >= t->up_after || !t->interval_s)
		target_change(t, true, why);
}


static void target_failure(struct target *t, const char *why)
{
	t->successes = 0;
	if (!t->is_up)
		return;

	if (++t->failures >= t->down_after)
		target_change(t, false, why);
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
		target_failure(t, "no_answer");
	}
	else if (msg->scode == 408 || msg->scode == 503) {
		target_failure(t, "refused");
	}
	else {
		t->rtt_us = (uint32_t)MIN(now->mono_us - t->sent_us,
					  UINT32_MAX);
		target_success(t, "answered");
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
		target_failure(t, "no_socket");
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
		target_failure(t, "not_sent");
}


static void probe_handler(void *arg)
{
	struct target *t = arg;

	wheel_start(endpoint_wheel(t->p->ep), &t->timer,
		    t->interval_s * UINT64_C(1000), probe_handler, t);

	/* Timer F would tell after 32 s; the interval is sooner */
	if (t->tx) {
		t->tx = mem_deref(t->tx);
		target_failure(t, "no_answer");
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
	t->is_up = true;
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

	t->down_after = gw->ping_down_after ? gw->ping_down_after
					    : DOWN_AFTER_DEFAULT;
	t->up_after = MAX(gw->ping_up_after, 1);
	if (!is_moved && !is_retimed)
		return;

	/* what was on its way concerns the old address */
	t->addr = gw->addr;
	t->interval_s = gw->ping_s;
	t->tx = mem_deref(t->tx);
	t->failures = t->successes = 0;
	wheel_stop(endpoint_wheel(t->p->ep), &t->timer);

	if (t->interval_s)
		probe_start(t);
	else if (!t->is_up)
		target_change(t, true, "unprobed");
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

	return !t || t->is_up;
}


void ping_heard(struct ping *p, const struct gateway *gw, bool was_heard)
{
	struct target *t = target_find(p, gw->id);

	if (!t)
		return;

	if (was_heard)
		target_success(t, "call");
	else
		target_failure(t, "silent_call");
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
		.is_up = t->is_up,
		.is_probed = t->interval_s > 0,
		.rtt_us = t->rtt_us,
		.failures = t->failures,
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
