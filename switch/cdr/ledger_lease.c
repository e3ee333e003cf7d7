/**
 * @file ledger_lease.c  One statement at a time, never waited for longer than
 * a second: after that its ask is answered as unknown.
 *
 * What each account was granted and has not given back is known here. Giving
 * back means telling the database that sum: it can be told twice, and also
 * frees what a statement granted whose answer nobody got.
 */
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <re.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "htab.h"
#include "ledger_lease.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "ring.h"
#include "text.h"

#define ASKS_MAX 4096
#define BUCKETS 1024
#define ANSWER_MS 1000
#define IDLE_MS 1000
#define END_MS 10

enum result { GRANTED, COVERED_NOT, UNKNOWN, RETURNED, LATE, DROPPED,
	      RESULT_N };

static const char *const result_labels[RESULT_N] = {
	[GRANTED] = "result=\"granted\"",
	[COVERED_NOT] = "result=\"not_covered\"",
	[UNKNOWN] = "result=\"unknown\"",
	[RETURNED] = "result=\"returned\"",
	[LATE] = "result=\"late\"",
	[DROPPED] = "result=\"dropped\"",
};

struct message {
	struct lease_ask ask;
	uint64_t at_ms; /* mono, when it was queued */
};

/* What callers hold of an account, as far as they say. */
struct held {
	struct htab_node node;
	struct le le;          /* in l->untold */
	struct htab *table;
	char account_id[36];
	int64_t micro;         /* granted, less given back, in this epoch */
};

struct ledger_lease {
	struct pg *pg;
	struct ring *asks;
	char node[64], epoch[24];
	lease_answer_h *h;
	void *arg;

	struct message now;    /* what the statement under way is for */
	bool is_busy;          /* a statement is under way */
	bool is_answered;      /* its ask was, as unknown */
	bool is_failing;       /* and it has been said */

	struct htab *held;
	struct list untold;    /* the database may think of more */

	atomic_bool is_ending;
	_Atomic uint64_t end_ms; /* mono */
	struct metric *results[RESULT_N];
};


static void held_destructor(void *arg)
{
	struct held *h = arg;

	list_unlink(&h->le);
	htab_remove(h->table, &h->node);
}


static bool held_free(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);
	return false;
}


static void destructor(void *arg)
{
	struct ledger_lease *l = arg;

	(void)htab_each(l->held, held_free, NULL);
	mem_deref(l->held);
	mem_deref(l->pg);
	ring_free(l->asks);
}


int ledger_lease_alloc(struct ledger_lease **lp,
		       const struct ledger_config *cfg, lease_answer_h *h,
		       void *arg)
{
	/* account ids are our own random names: nobody can aim at a bucket */
	static const uint8_t key[16];
	struct ledger_lease *l = mem_zalloc(sizeof(*l), destructor);
	unsigned i;
	int err;

	if (!l)
		return ENOMEM;

	l->h = h;
	l->arg = arg;
	for (i = 0; i < RESULT_N; i++)
		l->results[i] = metric_counter("strowger_lease_asks_total",
					       result_labels[i],
					       "Asks for and returns of "
					       "balance leases");

	err = text_copy(l->node, sizeof(l->node), cfg->node);
	if (err)
		err = EINVAL;
	(void)text_format(l->epoch, sizeof(l->epoch), "%" PRId64, cfg->epoch);
	if (!err)
		err = htab_alloc(&l->held, BUCKETS, key);
	if (!err)
		err = ring_alloc(&l->asks, ASKS_MAX, sizeof(struct message));
	if (!err)
		err = pg_alloc(&l->pg, cfg->dsn, "strowger-lease");

	if (err)
		mem_deref(l);
	else
		*lp = l;
	return err;
}


static uint64_t mono_ms(void)
{
	struct moment now;

	moment_read(&now);
	return moment_ms(&now);
}


int ledger_lease_push(struct ledger_lease *l, const struct lease_ask *ask)
{
	struct message msg = {.ask = *ask, .at_ms = mono_ms()};

	msg.ask.account_id[sizeof(msg.ask.account_id) - 1] = '\0';
	if (!ring_push(l->asks, &msg))
		return 0;

	metric_add(l->results[DROPPED], 1);
	return ENOBUFS;
}


static void answer(struct ledger_lease *l, const struct lease_ask *ask,
		   int64_t granted_micro, bool is_known)
{
	struct lease_answer ans = {.granted_micro = granted_micro,
				   .is_known = is_known,
				   .ticket = ask->ticket};

	memcpy(ans.account_id, ask->account_id, sizeof(ans.account_id));
	metric_add(l->results[!is_known ? UNKNOWN
			      : granted_micro > 0 ? GRANTED : COVERED_NOT], 1);
	l->h(&ans, l->arg);
}


static bool held_equal(const void *data, const void *key)
{
	const struct held *h = data;

	return 0 == strcmp(h->account_id, key);
}


static struct held *held_get(struct ledger_lease *l, const char *account_id)
{
	const uint64_t hash = htab_hash(l->held, account_id,
					strlen(account_id));
	struct held *h = htab_find(l->held, hash, held_equal, account_id);

	if (h)
		return h;

	h = mem_zalloc(sizeof(*h), held_destructor);
	if (!h)
		return NULL;

	h->table = l->held;
	(void)text_copy(h->account_id, sizeof(h->account_id), account_id);
	htab_insert(l->held, &h->node, hash, h);
	return h;
}


/* Account for a grant (positive) or what comes back. is_untold: the database
 * has to hear the new sum. */
static void held_change(struct ledger_lease *l, const char *account_id,
			int64_t micro, bool is_untold)
{
	struct held *h = held_get(l, account_id);

	if (!h) {
		/* free again when this start's leases are closed */
		metric_add(l->results[DROPPED], 1);
		return;
	}

	h->micro += micro;
	if (h->micro < 0)
		h->micro = 0;
	if (is_untold && !h->le.list)
		list_append(&l->untold, &h->le, h);
}


/* want_micro is 0 in a message that only wakes */
static void give_add(struct ledger_lease *l, const struct lease_ask *ask)
{
	if (ask->want_micro < 0)
		held_change(l, ask->account_id, ask->want_micro, true);
}


/* --- one statement */

/* What was told or asked may have happened or not: tell the sum again. */
static void statement_lost(struct ledger_lease *l)
{
	if (!l->is_failing)
		log_event(LOG_WARN, "ledger", "lease_unknown",
			  "account=%s error=\"%s\" now=\"only leased money "
			  "is spent\" fix=\"PostgreSQL, db.dsn\"",
			  l->now.ask.account_id,
			  pg_conn(l->pg) ? PQerrorMessage(pg_conn(l->pg))
					 : pg_error(l->pg));
	l->is_failing = true;
	l->is_busy = false;
	pg_drop(l->pg);

	held_change(l, l->now.ask.account_id, 0, true);
	if (l->now.ask.want_micro > 0 && !l->is_answered)
		answer(l, &l->now.ask, 0, false);
}


static void statement_start(struct ledger_lease *l, const char *sql,
			    const struct message *msg, int64_t micro,
			    int64_t min_micro)
{
	const struct lease_ask *ask = &msg->ask;
	char text[24], min[24];
	const char *params[] = {ask->account_id, l->node, l->epoch, text, min};

	l->now = *msg;
	l->is_busy = true;
	l->is_answered = false;

	(void)text_format(text, sizeof(text), "%" PRId64, micro);
	(void)text_format(min, sizeof(min), "%" PRId64, min_micro);

	if (!PQsendQueryParams(pg_conn(l->pg), sql, min_micro < 0 ? 4 : 5,
			       NULL, params, NULL, NULL, 0))
		statement_lost(l);
}


static void take_start(struct ledger_lease *l, const struct message *msg)
{
	statement_start(l, "SELECT api_v1.lease_take($1, $2, $3, $4, $5)",
			msg, msg->ask.want_micro,
			msg->ask.min_micro < 0 ? 0 : msg->ask.min_micro);
}


/* Tell what is held of the first account that has changed. */
static void tell_start(struct ledger_lease *l)
{
	struct held *h = list_ledata(l->untold.head);
	struct message msg = {.at_ms = mono_ms()};

	(void)text_copy(msg.ask.account_id, sizeof(msg.ask.account_id),
			h->account_id);
	list_unlink(&h->le);
	statement_start(l, "SELECT api_v1.lease_keep($1, $2, $3, $4)", &msg,
			h->micro, -1);
}


/* What a take brought. */
static void take_finish(struct ledger_lease *l, const PGresult *res)
{
	const int64_t micro = strtoll(PQgetvalue(res, 0, 0), NULL, 10);

	if (!l->is_answered) {
		held_change(l, l->now.ask.account_id, micro, false);
		answer(l, &l->now.ask, micro, true);
	}
	else if (micro > 0) {
		/* nobody waits for it any more */
		metric_add(l->results[LATE], 1);
		held_change(l, l->now.ask.account_id, 0, true);
	}
}


static void statement_finish(struct ledger_lease *l)
{
	PGresult *res = PQgetResult(pg_conn(l->pg));

	if (PQresultStatus(res) != PGRES_TUPLES_OK || PQntuples(res) != 1) {
		PQclear(res);
		statement_lost(l);
		return;
	}

	l->is_busy = false;
	l->is_failing = false;
	if (l->now.ask.want_micro > 0)
		take_finish(l, res);
	else
		metric_add(l->results[RETURNED], 1);

	do {
		PQclear(res);
		res = PQgetResult(pg_conn(l->pg));
	} while (res);
}


static void statement_poll(struct ledger_lease *l)
{
	if (!PQconsumeInput(pg_conn(l->pg)))
		statement_lost(l);
	else if (!PQisBusy(pg_conn(l->pg)))
		statement_finish(l);
}


/* --- the queue */

static bool is_too_late(const struct message *msg, uint64_t now_ms)
{
	return now_ms - msg->at_ms >= ANSWER_MS;
}


/* Begin the next statement, if there is something to ask. */
static void queue_next(struct ledger_lease *l)
{
	struct message msg;

	while (!l->is_busy && ring_pop(l->asks, &msg)) {
		if (msg.ask.want_micro <= 0)
			give_add(l, &msg.ask);
		else if (is_too_late(&msg, mono_ms()) || pg_ready(l->pg))
			answer(l, &msg.ask, 0, false);
		else
			take_start(l, &msg);
	}

	if (!l->is_busy && l->untold.head && !pg_ready(l->pg))
		tell_start(l);
}


/* The statement takes too long: let nobody wait for what stands behind it. */
static void queue_refuse(struct ledger_lease *l)
{
	struct message msg;

	if (l->is_busy && !l->is_answered && l->now.ask.want_micro > 0)
		answer(l, &l->now.ask, 0, false);
	l->is_answered = true;

	while (ring_pop(l->asks, &msg)) {
		if (msg.ask.want_micro > 0)
			answer(l, &msg.ask, 0, false);
		else
			give_add(l, &msg.ask);
	}
}


static void wait(struct ledger_lease *l)
{
	struct pollfd fds[2] = {
		{.fd = ring_fd(l->asks), .events = POLLIN},
		{.fd = l->is_busy ? PQsocket(pg_conn(l->pg)) : -1,
		 .events = POLLIN},
	};

	/* while a statement runs the queue is looked at ten times a second */
	if (l->is_busy) {
		fds[0].fd = -1;
		(void)poll(fds, 2, ANSWER_MS / 10);
	}
	else if (ring_sleep(l->asks)) {
		(void)poll(fds, 2, atomic_load(&l->is_ending) ? END_MS
			   : l->untold.head ? IDLE_MS / 10 : IDLE_MS);
	}
	ring_wake_clear(l->asks);
}


void ledger_lease_run(struct ledger_lease *l)
{
	struct message started;

	for (;;) {
		if (atomic_load(&l->is_ending) &&
		    ((!l->is_busy && !l->untold.head &&
		      !ring_depth(l->asks)) ||
		     mono_ms() >= atomic_load(&l->end_ms)))
			break;

		queue_next(l);
		wait(l);
		if (!l->is_busy)
			continue;

		statement_poll(l);
		started = l->now;
		if (l->is_busy && is_too_late(&started, mono_ms()))
			queue_refuse(l);
	}

	/* whoever still waits is told */
	if (l->is_busy)
		statement_lost(l);
	queue_refuse(l);
	if (l->untold.head)
		log_event(LOG_WARN, "ledger", "leases_kept",
			  "accounts=%u note=\"free again after the next "
			  "start\"", list_count(&l->untold));
}


void ledger_lease_end(struct ledger_lease *l, uint32_t timeout_ms)
{
	const struct message wake = {.at_ms = 0};

	atomic_store(&l->end_ms, mono_ms() + timeout_ms);
	atomic_store(&l->is_ending, true);
	(void)ring_push(l->asks, &wake);
}
