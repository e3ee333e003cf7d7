/**
 * @file loop.c  epoll over the UDP sockets and the inbox; one reading of the
 * clock a pass; every effect of the worker goes out from here.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>
#include "decision_asker.h"
#include "event_sender.h"
#include "intercept.h"
#include "journal.h"
#include "ledger.h"
#include "log.h"
#include "loop.h"
#include "metric.h"
#include "ring.h"
#include "text.h"
#include "udp.h"

#define INBOX_SLOTS 8192
#define BATCH_MAX 64
#define EVENTS_MAX 8

enum inbox_kind {
	INBOX_WAKE, INBOX_LEASE, INBOX_CATALOG, INBOX_COMMAND, INBOX_DECISION
};

/** A question of another thread; freed by whoever lets go last. */
struct command {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done, is_abandoned, is_registrations;
	char *question, *answer;
	size_t len;
};

struct inbox {
	enum inbox_kind kind;
	union {
		struct lease_answer lease;
		struct snapshot *snap;
		struct command *command;
		struct decision_answer decision;
	} u;
};

struct loop {
	struct loop_config cfg;
	struct worker *worker;
	struct rng *rng;
	struct journal *journal; /* borrowed */
	struct ledger *ledger;   /* borrowed */
	struct decision_asker *asker; /* borrowed */
	struct sip_udp *udp[WORKER_SOCKS];
	struct ring *inbox;
	int epoll;
	pthread_t thread;
	bool is_running;
	bool is_busy;           /* there is more to do at once */
	atomic_bool is_stopping;
	atomic_uint_fast64_t synced; /* highest record on disk */
	uint64_t synced_seen;
	struct moment now;
	struct metric *lag, *refused;
};


static int send_door(const struct sip_path *path, const uint8_t *buf,
		     size_t len, void *arg)
{
	struct loop *l = arg;

	return sip_udp_send(l->udp[path->sock], &path->peer, buf, len);
}


static int journal_door(const uint8_t *frame, size_t len, uint64_t *ret_seq,
			void *arg)
{
	struct loop *l = arg;

	return journal_append(l->journal, frame, len, ret_seq);
}


static int refuses_door(void *arg)
{
	const struct loop *l = arg;

	return journal_refuses(l->journal);
}


static int lease_door(const struct lease_order *order, void *arg)
{
	struct loop *l = arg;
	struct lease_ask ask = {
		.want_micro = order->want_micro,
		.min_micro = order->min_micro,
		.is_running = order->is_running,
		.ticket = order->ticket,
	};

	TEXT_FILL(ask.account_id, order->account_id);

	return ledger_lease(l->ledger, &ask);
}


static int ask_door(const struct decision_question *q, void *arg)
{
	struct loop *l = arg;

	return decision_asker_push(l->asker, q);
}


static void event_door(const struct event *ev, void *arg)
{
	struct loop *l = arg;

	event_sender_push(l->cfg.events, ev);
}


static void push(struct loop *l, const struct inbox *msg)
{
	if (ring_push(l->inbox, msg))
		metric_add(l->refused, 1);
}


void loop_synced(uint64_t seq, void *arg)
{
	const struct inbox wake = {.kind = INBOX_WAKE};
	struct loop *l = arg;

	/* a lost wake-up costs nothing: whoever filled the inbox woke it */
	atomic_store(&l->synced, seq);
	push(l, &wake);
	ledger_wake(l->ledger);
}


void loop_wake(struct loop *l)
{
	const struct inbox wake = {.kind = INBOX_WAKE};

	if (l)
		push(l, &wake);
}


int loop_leased(const struct lease_answer *ans, void *arg)
{
	const struct inbox msg = {.kind = INBOX_LEASE, .u.lease = *ans};
	struct loop *l = arg;

	if (!ring_push(l->inbox, &msg))
		return 0;

	metric_add(l->refused, 1);

	return ENOBUFS;
}


void loop_decided(const struct decision_answer *answer, void *arg)
{
	const struct inbox msg = {.kind = INBOX_DECISION,
				  .u.decision = *answer};

	push(arg, &msg); /* lost: its call has its own clock */
}


int loop_catalog(struct loop *l, struct snapshot *snap)
{
	const struct inbox msg = {.kind = INBOX_CATALOG, .u.snap = snap};

	if (ring_push(l->inbox, &msg)) {
		metric_add(l->refused, 1);
		snapshot_release(snap);
		return ENOBUFS;
	}

	return 0;
}


static void command_free(struct command *c)
{
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->done);
	free(c->question);
	free(c->answer);
	free(c);
}


static struct command *command_alloc(const char *json, size_t len)
{
	struct command *c = calloc(1, sizeof(*c));
	pthread_condattr_t attr;

	if (!c)
		return NULL;

	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->done, &attr);
	pthread_condattr_destroy(&attr);
	c->question = json ? strndup(json, len) : NULL;
	c->len = len;

	return c;
}


/* @return the answer, or NULL: then the worker frees the command */
static char *command_wait(struct command *c, unsigned timeout_ms)
{
	struct timespec until;
	char *answer = NULL;
	int err = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000;
	}

	pthread_mutex_lock(&c->lock);
	while (!c->is_done && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&c->done, &c->lock, &until);
	if (!c->is_done) {
		c->is_abandoned = true;
		pthread_mutex_unlock(&c->lock);
		return NULL;
	}
	pthread_mutex_unlock(&c->lock);

	answer = c->answer;
	c->answer = NULL;
	command_free(c);

	return answer;
}


static char *ask(struct loop *l, struct command *c, unsigned timeout_ms)
{
	const struct inbox msg = {.kind = INBOX_COMMAND, .u.command = c};

	if (!c)
		return NULL;
	if (ring_push(l->inbox, &msg)) {
		metric_add(l->refused, 1);
		command_free(c);
		return NULL;
	}

	return command_wait(c, timeout_ms);
}


char *loop_ask(struct loop *l, const char *json, size_t len,
	       unsigned timeout_ms)
{
	return ask(l, command_alloc(json, len), timeout_ms);
}


char *loop_registrations(struct loop *l, unsigned timeout_ms)
{
	struct command *c = command_alloc(NULL, 0);

	if (c)
		c->is_registrations = true;

	return ask(l, c, timeout_ms);
}


static void command_run(struct loop *l, struct command *c)
{
	char *answer = c->is_registrations
			       ? worker_registrations(l->worker)
			       : worker_command(l->worker, &l->now,
						c->question, c->len);
	bool is_abandoned;

	pthread_mutex_lock(&c->lock);
	c->answer = answer;
	c->is_done = true;
	is_abandoned = c->is_abandoned;
	pthread_cond_signal(&c->done);
	pthread_mutex_unlock(&c->lock);

	if (is_abandoned)
		command_free(c);
}


static void lease_take(struct loop *l, const struct lease_answer *lease)
{
	if (lease->until_ms)
		worker_lease_until(l->worker, &l->now, lease->until_ms);
	if (!lease->account_id[0])
		return;

	if (lease->granted_micro || lease->ticket)
		worker_leased(l->worker, &l->now, lease->account_id,
			      lease->granted_micro, lease->is_known,
			      lease->ticket);
	if (lease->is_recalled)
		worker_lease_recalled(l->worker, &l->now, lease->account_id);
	if (lease->has_more)
		worker_lease_more(l->worker, &l->now, lease->account_id);
}


static void inbox_take(struct loop *l, const struct inbox *msg)
{

	switch (msg->kind) {

	case INBOX_WAKE:
		break;
	case INBOX_LEASE:
		lease_take(l, &msg->u.lease);
		break;
	case INBOX_CATALOG:
		worker_catalog(l->worker, &l->now, msg->u.snap);
		snapshot_release(msg->u.snap);
		break;
	case INBOX_COMMAND:
		command_run(l, msg->u.command);
		break;
	case INBOX_DECISION:
		worker_decided(l->worker, &l->now, &msg->u.decision);
		break;
	}
}


/* What waited behind a long pass came during it: from its begin a call would
   last too long or too short. */
static void on_read(void *arg)
{
	struct loop *l = arg;

	moment_read(&l->now);
}


static void on_datagram(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg)
{
	struct loop *l = arg;

	worker_recv(l->worker, &l->now, path, buf, len);
}


static void on_unreachable(const struct sip_path *path, const uint8_t *buf,
			   size_t len, int err, void *arg)
{
	struct loop *l = arg;

	worker_unreachable(l->worker, &l->now, path, buf, len, err);
}


static void read_socket(struct loop *l, const struct epoll_event *ev)
{
	if (ev->events & EPOLLERR)
		(void)sip_udp_errors(ev->data.ptr, BATCH_MAX, on_unreachable,
				     l);
	if (ev->events & EPOLLIN)
		(void)sip_udp_receive(ev->data.ptr, BATCH_MAX, on_read,
				      on_datagram, l);
}


static int wait_ms(const struct loop *l)
{
	const uint64_t ms = l->is_busy ? 0 : worker_next_ms(l->worker);

	return ms > 1000 ? 1000 : (int)ms;
}


static void pass(struct loop *l, const struct epoll_event *evs, int n)
{
	uint64_t synced;
	struct inbox msg;

	moment_read(&l->now);
	for (int i = 0; i < n; i++)
		if (evs[i].data.ptr == l)
			ring_wake_clear(l->inbox);
	for (unsigned i = 0; i < BATCH_MAX && ring_pop(l->inbox, &msg); i++)
		inbox_take(l, &msg);

	for (int i = 0; i < n; i++)
		if (evs[i].data.ptr != l)
			read_socket(l, &evs[i]);

	synced = atomic_load(&l->synced);
	if (synced > l->synced_seen) {
		l->synced_seen = synced;
		worker_journalled(l->worker, &l->now, synced);
	}
	worker_advance(l->worker, &l->now);
	l->is_busy = intercept_look(l->cfg.intercept, l->now.wall_us);
}


static void *loop_thread(void *arg)
{
	struct epoll_event evs[EVENTS_MAX];
	struct moment done;
	struct loop *l = arg;

	(void)pthread_setname_np(pthread_self(), "worker");
	while (!atomic_load(&l->is_stopping)) {
		const int ms = ring_sleep(l->inbox) ? wait_ms(l) : 0;
		const int n = epoll_wait(l->epoll, evs, EVENTS_MAX, ms);

		pass(l, evs, n > 0 ? n : 0);
		moment_read(&done);
		metric_observe(l->lag, 1e-6 * (done.mono_us -
					       l->now.mono_us));
	}

	return NULL;
}


static int watch(struct loop *l, int fd, void *ptr)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = ptr};

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev) ? errno : 0;
}


static int open_sockets(struct loop *l)
{
	const struct worker_config *w = &l->cfg.worker;
	int err = 0;

	for (uint8_t i = 0; i < w->sock_n && !err; i++) {
		err = sip_udp_open(&l->udp[i], &w->socks[i].local, i);
		if (!err)
			err = watch(l, sip_udp_fd(l->udp[i]), l->udp[i]);
		if (err) {
			char addr[64];

			(void)re_snprintf(addr, sizeof(addr), "%J",
					  &w->socks[i].local);
			log_event(LOG_ERROR, "sip", "listen_failed",
				  "address=%s error=\"%s\" fix=\"change "
				  "sip.listen or stop who holds the port\"",
				  addr, strerror(err));
		}
	}

	return err;
}


static void metrics_init(struct loop *l)
{
	static const double lag_s[] = {.0001, .0005, .001, .005, .01, .05,
				       .1, .5, 1};

	l->lag = metric_histogram("strowger_worker_pass_seconds", NULL,
				  "length of one pass of the worker's loop",
				  lag_s, ARRAY_SIZE(lag_s));
	l->refused = metric_counter("strowger_worker_inbox_full_total", NULL,
				    "messages to the worker that found its "
				    "inbox full");
}


static uint64_t cpu_door(void *arg)
{
	struct timespec ts;

	(void)arg;
	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts))
		return 0;

	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}


int loop_alloc(struct loop **lp, const struct loop_config *cfg)
{
	struct worker_doors doors = {
		.sendh = send_door,
		.journalh = journal_door,
		.refusesh = refuses_door,
		.leaseh = lease_door,
		.askh = ask_door,
		.eventh = event_door,
		.media = cfg->media,
		.cpuh = cpu_door,
	};
	struct loop *l = calloc(1, sizeof(*l));
	int err;

	if (!l)
		return ENOMEM;

	l->cfg = *cfg;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	moment_read(&l->now);
	metrics_init(l);
	doors.arg = l;

	err = ring_alloc(&l->inbox, INBOX_SLOTS, sizeof(struct inbox));
	if (!err)
		err = rng_system(&l->rng);
	if (!err)
		err = worker_alloc(&l->worker, &cfg->worker, &doors, l->rng,
				   &l->now);
	if (!err)
		err = watch(l, ring_fd(l->inbox), l);
	if (!err)
		err = open_sockets(l);
	if (!err && cfg->registrations)
		(void)worker_restore(l->worker, &l->now, cfg->registrations,
				     cfg->registrations_len);

	if (err)
		loop_free(l);
	else
		*lp = l;

	return err;
}


void loop_connect(struct loop *l, struct journal *journal,
		  struct ledger *ledger, struct decision_asker *asker)
{
	l->journal = journal;
	l->ledger = ledger;
	l->asker = asker;
}


int loop_start(struct loop *l)
{
	const int err = pthread_create(&l->thread, NULL, loop_thread, l);

	l->is_running = !err;

	return err;
}


void loop_stop(struct loop *l)
{
	const struct inbox wake = {.kind = INBOX_WAKE};

	if (!l || !l->is_running)
		return;

	atomic_store(&l->is_stopping, true);
	push(l, &wake);
	(void)pthread_join(l->thread, NULL);
	l->is_running = false;
}


/* What came too late for the worker. A grant among it is free again when this
   start's leases are closed. */
static void inbox_drop(struct loop *l)
{
	struct inbox msg;

	while (l->inbox && ring_pop(l->inbox, &msg)) {
		if (msg.kind == INBOX_CATALOG)
			snapshot_release(msg.u.snap);
		else if (msg.kind == INBOX_COMMAND)
			command_free(msg.u.command);
	}
}


void loop_free(struct loop *l)
{
	if (!l)
		return;

	loop_stop(l);
	inbox_drop(l);
	mem_deref(l->worker);
	mem_deref(l->rng);
	for (size_t i = 0; i < WORKER_SOCKS; i++)
		mem_deref(l->udp[i]);
	ring_free(l->inbox);
	if (l->epoll >= 0)
		(void)close(l->epoll);
	free(l);
}
