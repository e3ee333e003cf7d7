/**
 * @file ledger_lease.c  One statement at a time, never waited for longer than
 * a second: after that its ask is answered as unknown.
 *
 * The first one claims the node's session, and then every few seconds one
 * prolongs it: leases may be spent as long as it lasts, counted from when the
 * statement was sent and less a margin, so that we stop before the database
 * thinks so. NOTIFY strowger_lease tells of accounts with less (-) or more (+)
 * money than before; the claim repeats what nobody may miss.
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
#define CLAIM_MS 5000   /* a sign of life this often */
#define MARGIN_MS 2000  /* of the session's end: clocks drift, threads wait */

/* What a statement is for. */
enum purpose { TAKE, TELL, LISTEN, CLAIM };

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
	struct le owing;       /* in l->owing */
	struct lease_answer owed; /* the worker had no room for it */
	struct htab *table;
	char account_id[36];
	int64_t micro;         /* granted, less given back, in this epoch */
};

struct ledger_lease {
	struct pg *pg;
	struct ring *asks;
	char node[64], epoch[24], home[65], session_s[12];
	lease_answer_h *h;
	void *arg;

	enum purpose purpose;  /* of the statement under way */
	struct message now;    /* what it is for */
	bool is_busy;          /* a statement is under way */
	bool is_answered;      /* its ask was, as unknown */
	bool is_failing;       /* and it has been said */

	atomic_bool is_claimed;
	bool is_refused;       /* and it has been said */
	bool is_listening;     /* on this connection */
	uint64_t claim_ms;     /* mono: the next claim is due */
	uint32_t session_ms, claim_every_ms;
	uint64_t until_ms;     /* the worker has to hear it; 0: it has */
	int64_t released;      /* releases by operators that we know of */

	struct htab *held;
	struct list untold;    /* the database may think of more */
	struct list owing;     /* the worker has not heard all of it */

	atomic_bool is_ending;
	_Atomic uint64_t end_ms; /* mono */
	struct metric *results[RESULT_N], *claimed;
};


static void held_destructor(void *arg)
{
	struct held *h = arg;

	list_unlink(&h->le);
	list_unlink(&h->owing);
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

	l->claimed = metric_gauge("strowger_node_claimed", NULL,
				  "1 while the database lets this node be "
				  "the one of its name");

	err = text_copy(l->node, sizeof(l->node), cfg->node);
	err |= text_copy(l->home, sizeof(l->home), cfg->home);
	if (err)
		err = EINVAL;
	(void)text_format(l->epoch, sizeof(l->epoch), "%" PRId64, cfg->epoch);
	(void)text_format(l->session_s, sizeof(l->session_s), "%u",
			  cfg->session_s);
	l->session_ms = cfg->session_s * 1000;
	l->claim_every_ms = min(l->session_ms / 6, CLAIM_MS);
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


bool ledger_lease_is_claimed(const struct ledger_lease *l)
{
	return atomic_load(&l->is_claimed);
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


/* --- what the worker hears */

/* Together with what it has not heard yet. One ask of an account is under way
 * at a time, so that the last ticket is the one that counts. */
static void owed_add(struct lease_answer *owed, const struct lease_answer *ans)
{
	owed->granted_micro += ans->granted_micro;
	owed->is_recalled |= ans->is_recalled;
	owed->has_more |= ans->has_more;
	if (ans->ticket) {
		owed->ticket = ans->ticket;
		owed->is_known = ans->is_known;
	}
}


static void owe(struct ledger_lease *l, const struct lease_answer *ans)
{
	struct held *h = held_get(l, ans->account_id);

	if (!h) {
		/* free again when this start's leases are closed */
		metric_add(l->results[DROPPED], 1);
		return;
	}

	if (h->owing.list) {
		owed_add(&h->owed, ans);
		return;
	}
	h->owed = *ans;
	list_append(&l->owing, &h->owing, h);
}


/* In order, and the session's end after what makes it true. */
static void owing_tell(struct ledger_lease *l)
{
	struct le *le;

	while ((le = list_head(&l->owing))) {
		const struct held *h = le->data;

		if (l->h(&h->owed, l->arg))
			return;
		list_unlink(le);
	}

	if (l->until_ms) {
		const struct lease_answer until = {.until_ms = l->until_ms};

		if (!l->h(&until, l->arg))
			l->until_ms = 0;
	}
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
	owe(l, &ans);
	owing_tell(l);
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
	l->is_listening = false;
	pg_drop(l->pg);

	if (l->purpose == TAKE || l->purpose == TELL)
		held_change(l, l->now.ask.account_id, 0, true);
	if (l->purpose == TAKE && !l->is_answered)
		answer(l, &l->now.ask, 0, false);
}


static void statement_start(struct ledger_lease *l, enum purpose purpose,
			    const struct message *msg, const char *sql, int n,
			    const char *const *params)
{
	l->purpose = purpose;
	l->now = *msg;
	l->is_busy = true;
	l->is_answered = false;

	if (!PQsendQueryParams(pg_conn(l->pg), sql, n, NULL, params, NULL,
			       NULL, 0))
		statement_lost(l);
}


static void take_start(struct ledger_lease *l, const struct message *msg)
{
	char want[24], least[24];
	const char *params[] = {msg->ask.account_id, l->node, l->epoch, want,
				least, msg->ask.is_running ? "t" : "f"};

	(void)text_format(want, sizeof(want), "%" PRId64,
			  msg->ask.want_micro);
	(void)text_format(least, sizeof(least), "%" PRId64,
			  max(msg->ask.min_micro, 0));
	statement_start(l, TAKE, msg,
			"SELECT api_v1.lease_take($1, $2, $3, $4, $5, $6)", 6,
			params);
}


/* Tell what is held of the first account that has changed. */
static void tell_start(struct ledger_lease *l)
{
	struct held *h = list_ledata(l->untold.head);
	struct message msg = {.at_ms = mono_ms()};
	char sum[24];
	const char *params[] = {h->account_id, l->node, l->epoch, sum};

	(void)text_copy(msg.ask.account_id, sizeof(msg.ask.account_id),
			h->account_id);
	list_unlink(&h->le);
	(void)text_format(sum, sizeof(sum), "%" PRId64, h->micro);
	statement_start(l, TELL, &msg,
			"SELECT api_v1.lease_keep($1, $2, $3, $4)", 4, params);
}


static void claim_start(struct ledger_lease *l)
{
	const struct message msg = {.at_ms = mono_ms()};
	char seen[24];
	const char *params[] = {l->node, l->epoch, l->home, l->session_s,
				seen};

	if (!l->is_listening) {
		statement_start(l, LISTEN, &msg, "LISTEN strowger_lease", 0,
				NULL);
		return;
	}

	(void)text_format(seen, sizeof(seen), "%" PRId64, l->released);
	statement_start(l, CLAIM, &msg,
			"SELECT what, name, micro FROM "
			"api_v1.node_claim($1, $2, $3, $4, $5)", 5, params);
}


/* --- what it brought */

static void claim_refused(struct ledger_lease *l, const char *why)
{
	if (!l->is_refused)
		log_event(LOG_ERROR, "ledger", "node_refused",
			  "node=%s error=\"%s\" now=\"no money is spent, no "
			  "record is loaded\" fix=\"node.name: a name of its "
			  "own for each node\"", l->node, why);
	l->is_refused = true;
	atomic_store(&l->is_claimed, false);
	metric_set(l->claimed, 0);
	l->claim_ms = mono_ms() + IDLE_MS;
}


static void claim_row(struct ledger_lease *l, const char *what,
		      const char *name, int64_t micro)
{
	struct lease_answer ans = {.granted_micro = 0};

	if (!strcmp(what, "refused")) {
		claim_refused(l, name);
		return;
	}
	if (!strcmp(what, "claimed")) {
		l->is_refused = false;
		l->released = micro;
		l->claim_ms = l->now.at_ms + l->claim_every_ms;
		l->until_ms = l->now.at_ms + l->session_ms - MARGIN_MS;
		atomic_store(&l->is_claimed, true);
		metric_set(l->claimed, 1);
		return;
	}

	if (text_copy(ans.account_id, sizeof(ans.account_id), name))
		return;
	ans.is_recalled = !strcmp(what, "recalled");
	if (!ans.is_recalled) {
		ans.granted_micro = -micro;
		held_change(l, name, -micro, false);
	}
	owe(l, &ans);
}


static void claim_finish(struct ledger_lease *l, const PGresult *res)
{
	for (int i = 0; i < PQntuples(res); i++)
		claim_row(l, PQgetvalue(res, i, 0), PQgetvalue(res, i, 1),
			  strtoll(PQgetvalue(res, i, 2), NULL, 10));
	owing_tell(l);
}


/* "+account" or "-account": of those that we have asked for. */
static void notified(struct ledger_lease *l, const char *text)
{
	struct lease_answer ans = {.is_recalled = text[0] == '-',
				   .has_more = text[0] == '+'};

	if (!text[0] || text_copy(ans.account_id, sizeof(ans.account_id),
				  text + 1))
		return;
	if (!htab_find(l->held, htab_hash(l->held, ans.account_id,
					  strlen(ans.account_id)),
		       held_equal, ans.account_id))
		return;

	owe(l, &ans);
	owing_tell(l);
}


static void notifies_take(struct ledger_lease *l)
{
	PGnotify *note;

	while (pg_conn(l->pg) && (note = PQnotifies(pg_conn(l->pg)))) {
		notified(l, note->extra);
		PQfreemem(note);
	}
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
	const ExecStatusType wanted = l->purpose == LISTEN ? PGRES_COMMAND_OK
							   : PGRES_TUPLES_OK;

	if (PQresultStatus(res) != wanted ||
	    (wanted == PGRES_TUPLES_OK && !PQntuples(res))) {
		PQclear(res);
		l->claim_ms = 0; /* it may be why */
		statement_lost(l);
		return;
	}

	l->is_busy = false;
	l->is_failing = false;
	switch (l->purpose) {

	case TAKE:
		take_finish(l, res);
		break;
	case TELL:
		metric_add(l->results[RETURNED], 1);
		break;
	case LISTEN:
		l->is_listening = true;
		break;
	case CLAIM:
		claim_finish(l, res);
		break;
	}

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
	notifies_take(l);
}


/* Between statements: only notices come, or the end. */
static void connection_poll(struct ledger_lease *l)
{
	if (!pg_conn(l->pg))
		return;

	if (!PQconsumeInput(pg_conn(l->pg))) {
		l->is_listening = false;
		pg_drop(l->pg);
		return;
	}
	notifies_take(l);
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

	if (!l->is_busy && (!l->is_listening || mono_ms() >= l->claim_ms) &&
	    !pg_ready(l->pg))
		claim_start(l);

	while (!l->is_busy && ring_pop(l->asks, &msg)) {
		if (msg.ask.want_micro <= 0)
			give_add(l, &msg.ask);
		else if (is_too_late(&msg, mono_ms()) || pg_ready(l->pg) ||
			 !ledger_lease_is_claimed(l))
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

	if (l->is_busy && !l->is_answered && l->purpose == TAKE)
		answer(l, &l->now.ask, 0, false);
	l->is_answered = true;

	while (ring_pop(l->asks, &msg)) {
		if (msg.ask.want_micro > 0)
			answer(l, &msg.ask, 0, false);
		else
			give_add(l, &msg.ask);
	}
}


static int idle_ms(const struct ledger_lease *l)
{
	const uint64_t now_ms = mono_ms();
	uint64_t ms = IDLE_MS;

	if (l->owing.head || l->until_ms || atomic_load(&l->is_ending))
		return END_MS;
	if (l->untold.head || !l->is_listening)
		ms = IDLE_MS / 10;
	if (l->claim_ms > now_ms)
		ms = min(ms, l->claim_ms - now_ms);

	return (int)ms;
}


static void wait(struct ledger_lease *l)
{
	struct pollfd fds[2] = {
		{.fd = ring_fd(l->asks), .events = POLLIN},
		{.fd = pg_conn(l->pg) ? PQsocket(pg_conn(l->pg)) : -1,
		 .events = POLLIN},
	};

	/* while a statement runs the queue is looked at ten times a second */
	if (l->is_busy) {
		fds[0].fd = -1;
		(void)poll(fds, 2, ANSWER_MS / 10);
	}
	else if (ring_sleep(l->asks)) {
		(void)poll(fds, 2, idle_ms(l));
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

		owing_tell(l);
		queue_next(l);
		wait(l);
		if (!l->is_busy) {
			connection_poll(l);
			continue;
		}

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
