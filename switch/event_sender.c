/** @file event_sender.c  See event_sender.h. */
#include "json.h"
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "event_sender.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "ring.h"
#include "rng.h"
#include "text.h"

#define QUEUE_MAX 8192
#define BATCH_MAX 500
#define GATHER_MS 20   /* a transaction shall be worth it */
#define IDLE_MS 1000
#define RETRY_MS 200
#define END_MS 10

struct event_sender {
	struct ring *ring;
	struct pg *pg;
	struct rng *rng;
	char node[64];
	char *batch;          /* that the database has yet to take */
	uint64_t batch_n;
	bool is_failing;      /* and it has been said */
	pthread_t thread;
	atomic_bool is_stopping, is_done;
	atomic_int socket;    /* -1: none */
	struct metric *sent, *full, *refused;
};


static void metrics_init(struct event_sender *s)
{
	static const char help[] = "events that nobody will hear of";

	s->sent = metric_counter("strowger_events_sent_total", NULL,
				 "events that the database took");
	s->full = metric_counter("strowger_events_dropped_total",
				 "reason=\"full\"", help);
	s->refused = metric_counter("strowger_events_dropped_total",
				    "reason=\"refused\"", help);
}


/* --- as text */

static json_t *facts_encode(const struct event *ev)
{
	json_t *data = json_object();

	for (uint16_t i = 0; i < ev->fact_n; i++) {
		const char *text = event_fact_text(ev, i);

		(void)json_object_set_new(
			data, ev->facts[i].name,
			text ? json_string(text)
			     : json_integer(ev->facts[i].number));
	}

	return data;
}


static json_t *id_encode(const char *id)
{
	return *id ? json_string(id) : json_null();
}


/* The id is made here and stays when the batch has to be sent again */
static json_t *event_encode(struct event_sender *s, const struct event *ev)
{
	static const uint8_t none[16];
	char id[37], call[37] = "", at[32];
	uint8_t uuid[16];

	rng_uuid7(s->rng, ev->wall_ms, uuid);
	if (memcmp(ev->call_id, none, sizeof(none)) != 0)
		(void)uuid_format(call, ev->call_id);

	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o}", "id",
			 uuid_format(id, uuid), "kind",
			 event_kind_name(ev->kind), "at",
			 moment_format(at, ev->wall_ms), "node", s->node,
			 "tenant_id", id_encode(ev->tenant_id), "object_id",
			 id_encode(ev->object_id), "call_id", id_encode(call),
			 "data", facts_encode(ev));
}


static void batch_take(struct event_sender *s)
{
	json_t *list = json_array();
	struct event ev;

	s->batch_n = 0;
	while (s->batch_n < BATCH_MAX && ring_pop(s->ring, &ev)) {
		s->batch_n++;
		(void)json_array_append_new(list, event_encode(s, &ev));
	}

	if (s->batch_n)
		s->batch = json_dumps(list, JSON_COMPACT);
	if (s->batch_n && !s->batch)
		metric_add(s->refused, s->batch_n); /* no memory */
	json_decref(list);
}


/* --- the thread */

/* Losing the database is logged once, not at each try */
static void say(struct event_sender *s, const char *event, const char *now)
{
	char why[200];
	const char *text = pg_error(s->pg);

	if (s->is_failing)
		return;

	s->is_failing = true;
	log_event(LOG_WARN, "events", event,
		  "events=%llu error=%s now=\"%s\" fix=\"PostgreSQL, "
		  "db.dsn, strowger db migrate\"",
		  (unsigned long long)s->batch_n,
		  log_text(why, sizeof(why), text, strlen(text)), now);
}


static void batch_forget(struct event_sender *s)
{
	free(s->batch);
	s->batch = NULL;
}


/* @return false: later */
static bool batch_send(struct event_sender *s)
{
	const char *params[] = {s->batch};
	int err = pg_ready(s->pg);

	if (!err) {
		atomic_store(&s->socket, PQsocket(pg_conn(s->pg)));
		err = pg_exec(s->pg, "SELECT api_v1.events_put($1)", 1,
			      params, NULL);
		atomic_store(&s->socket, -1);
	}

	if (!err) {
		metric_add(s->sent, s->batch_n);
		s->is_failing = false;
	}
	else if (err == EPROTO && strncmp(pg_sqlstate(s->pg), "57", 2) &&
		 strncmp(pg_sqlstate(s->pg), "53", 2)) {
		say(s, "refused", "they are lost");
		metric_add(s->refused, s->batch_n);
	}
	else {
		say(s, "waiting", "they are kept while there is room");
		return false;
	}
	batch_forget(s);

	return true;
}


/* After the first there is a moment for others to come */
static void wait(struct event_sender *s)
{
	struct pollfd fd = {.fd = ring_fd(s->ring), .events = POLLIN};
	const int ms = atomic_load(&s->is_stopping) ? END_MS : IDLE_MS;

	if (ring_sleep(s->ring) && poll(&fd, 1, ms) > 0)
		(void)usleep(GATHER_MS * 1000);
	ring_wake_clear(s->ring);
}


static void *sender_thread(void *arg)
{
	struct event_sender *s = arg;

	(void)pthread_setname_np(pthread_self(), "events");
	for (;;) {
		const bool is_last = atomic_load(&s->is_stopping);

		if (!s->batch)
			batch_take(s);
		if (s->batch && !batch_send(s)) {
			if (is_last)
				break;
			(void)usleep(RETRY_MS * 1000);
		}
		else if (!ring_depth(s->ring)) {
			if (is_last)
				break;
			wait(s);
		}
	}
	atomic_store(&s->is_done, true);

	return NULL;
}


/* --- from outside */

static void destructor(void *arg)
{
	struct event_sender *s = arg;

	batch_forget(s);
	mem_deref(s->pg);
	mem_deref(s->rng);
	ring_free(s->ring);
}


int event_sender_start(struct event_sender **sp, const char *dsn,
		       const char *node)
{
	struct event_sender *s = mem_zalloc(sizeof(*s), destructor);
	int err;

	if (!s)
		return ENOMEM;

	TEXT_FILL(s->node, node);
	atomic_store(&s->socket, -1);
	metrics_init(s);
	err = ring_alloc(&s->ring, QUEUE_MAX, sizeof(struct event));
	if (!err)
		err = pg_alloc(&s->pg, dsn, "strowger-switch events");
	if (!err)
		err = rng_system(&s->rng);
	if (!err)
		err = pthread_create(&s->thread, NULL, sender_thread, s);

	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


void event_sender_push(struct event_sender *s, const struct event *ev)
{
	if (ring_push(s->ring, ev))
		metric_add(s->full, 1);
}


/* A database that hangs would keep the thread for ever */
static void hang_up(const struct event_sender *s)
{
	const int fd = atomic_load(&s->socket);

	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}


void event_sender_stop(struct event_sender *s, unsigned timeout_ms)
{
	unsigned waited_ms = 0;

	if (!s)
		return;

	atomic_store(&s->is_stopping, true);
	while (!atomic_load(&s->is_done)) {
		if (waited_ms >= timeout_ms)
			hang_up(s);
		(void)usleep(END_MS * 1000);
		waited_ms += END_MS;
	}
	(void)pthread_join(s->thread, NULL);
	mem_deref(s);
}
