/**
 * @file tests/unit/base/race.c  What several threads share, under load. Not a
 * Criterion program: ThreadSanitizer does not run inside Criterion's sandbox.
 */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "log.h"
#include "metric.h"
#include "must.h"
#include "ring.h"
#include "snapshot.h"
#include "tap.h"

#define THREADS 4
#define EACH 20000L
#define VERSIONS 2000
#define LISTENS 500

struct message {
	uint32_t producer, serial;
	uint8_t filler[13]; /* a size that is no multiple of eight */
};

struct producer {
	struct ring *r;
	uint32_t id;
};

/** Lives between attach and detach only; a late handler sees it dead. */
struct listener {
	bool alive;
	atomic_uint heard;
};

static atomic_bool over;
static atomic_uint freed;


static void run(pthread_t t[THREADS], void *(*h)(void *), void *arg)
{
	size_t i;

	for (i = 0; i < THREADS; i++)
		MUST(pthread_create(&t[i], NULL, h, arg) == 0);
}


static void join(const pthread_t t[THREADS])
{
	size_t i;

	for (i = 0; i < THREADS; i++)
		MUST(pthread_join(t[i], NULL) == 0);
}


static void *produce(void *arg)
{
	struct producer *p = arg;
	struct message m = {.producer = p->id};

	for (m.serial = 0; m.serial < EACH; m.serial++) {
		while (ring_push(p->r, &m))
			(void)sched_yield();
	}

	return NULL;
}


/** Nothing lost, nothing twice, each producer's order kept. */
static uint32_t consume(struct ring *r, uint32_t next[THREADS])
{
	struct message m;
	uint32_t n = 0;

	ring_wake_clear(r);
	while (ring_pop(r, &m)) {
		MUST(m.producer < THREADS);
		MUST(m.serial == next[m.producer]);
		++next[m.producer];
		++n;
	}

	return n;
}


/** The consumer sleeps whenever it may: a lost wake-up ends the test. */
static void race_ring(void)
{
	struct producer p[THREADS];
	uint32_t next[THREADS] = {0}, got = 0, i;
	pthread_t t[THREADS];
	struct pollfd pfd = {.events = POLLIN};
	struct ring *r;

	MUST(ring_alloc(&r, 64, sizeof(struct message)) == 0);
	pfd.fd = ring_fd(r);

	for (i = 0; i < THREADS; i++) {
		p[i] = (struct producer){.r = r, .id = i};
		MUST(pthread_create(&t[i], NULL, produce, &p[i]) == 0);
	}

	while (got < THREADS * EACH) {
		got += consume(r, next);
		if (got < THREADS * EACH && ring_sleep(r))
			MUST(poll(&pfd, 1, 20000) == 1);
	}

	join(t);
	MUST(consume(r, next) == 0);
	MUST(ring_depth(r) == 0);
	MUST(ring_high_water(r) > 0 && ring_high_water(r) <= 64);
	ring_free(r);
}


static void count_free(void *data)
{
	++freed;
	free(data);
}


static void publish(struct snapshot_slot *slot, uint64_t version)
{
	uint64_t *data = malloc(sizeof(*data));

	MUST(data);
	*data = version;
	MUST(snapshot_publish(slot, data, version, count_free) == 0);
}


static void *read_snapshots(void *arg)
{
	struct snapshot_slot *slot = arg;
	uint64_t last = 0, v;

	while (!over) {
		struct snapshot *s = snapshot_acquire(slot);

		v = *(uint64_t *)snapshot_data(s);
		MUST(v == snapshot_version(s));
		MUST(v >= last);
		last = v;
		snapshot_release(s);
	}

	return NULL;
}


static void race_snapshot(void)
{
	struct snapshot_slot *slot;
	pthread_t t[THREADS];
	uint64_t version;

	over = false;
	MUST(snapshot_slot_alloc(&slot) == 0);
	publish(slot, 1);
	run(t, read_snapshots, slot);

	for (version = 2; version <= VERSIONS; version++)
		publish(slot, version);

	over = true;
	join(t);
	snapshot_slot_free(slot);
	MUST(freed == VERSIONS);
}


static void hear(const struct tap_event *ev, void *arg)
{
	struct listener *l = arg;

	(void)ev;
	MUST(l->alive);
	++l->heard;
	(void)sched_yield(); /* time for a detach that would not wait */
	MUST(l->alive);
}


static void *emit(void *arg)
{
	const struct tap_event ev = {.kind = TAP_RTP};

	(void)arg;
	while (!over)
		tap_emit(&ev);

	return NULL;
}


/** "alive" has no lock: only the promise of tap_detach() protects it. */
static void race_tap(void)
{
	struct listener l[2] = {{0}};
	pthread_t t[THREADS];
	unsigned i;

	over = false;
	run(t, emit, NULL);

	for (i = 0; i < LISTENS; i++) {
		struct listener *x = &l[i % 2];

		x->alive = true;
		MUST(tap_attach(hear, x) == 0);
		while (i % 50 == 0 && !x->heard)
			(void)sched_yield();
		tap_detach(hear, x);
		x->alive = false;
		x->heard = 0;
	}

	over = true;
	join(t);
}


static void *count_up(void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < EACH; i++)
		metric_add(metric_counter("race_total", NULL, "R"), 1);

	return NULL;
}


static void race_metric(void)
{
	pthread_t t[THREADS];
	char *text;

	run(t, count_up, NULL);
	text = metric_print(NULL);
	MUST(text);
	free(text);
	join(t);
	MUST(metric_value(metric_counter("race_total", NULL, "R")) ==
	     THREADS * EACH);
}


static void *chat(void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < 500; i++)
		log_event(LOG_INFO, "race", "chat", "i=%u", i);

	return NULL;
}


/** What was accepted before log_close() is written when it returns. */
static void race_log(void)
{
	FILE *out = tmpfile();
	int keep = dup(STDERR_FILENO), c;
	pthread_t t[THREADS];
	unsigned lines = 0, i;

	MUST(out && keep >= 0);
	MUST(dup2(fileno(out), STDERR_FILENO) >= 0);

	/* many short lives: the end must not be missed either */
	for (i = 0; i < 50; i++) {
		MUST(log_open(LOG_INFO, false) == 0);
		log_event(LOG_INFO, "race", "live", NULL);
		log_close();
	}

	MUST(log_open(LOG_INFO, false) == 0);
	run(t, chat, NULL);
	join(t);
	log_close();

	MUST(dup2(keep, STDERR_FILENO) >= 0);
	(void)close(keep);

	rewind(out);
	while ((c = fgetc(out)) != EOF)
		lines += c == '\n';
	MUST(lines + log_lost() == THREADS * 500 + 50);
	(void)fclose(out);
}


int main(void)
{
	race_ring();
	race_snapshot();
	race_tap();
	race_metric();
	race_log();

	return 0;
}
