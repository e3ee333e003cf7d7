/**
 * @file ledger_load.c  The loader. It reads on from the position that the
 * database holds, gathers a batch of END records, and commits rows and the
 * new position together. When it cannot know whether a commit happened, it
 * reads the position again: that says it.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <re.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "journal_reader.h"
#include "ledger_batch.h"
#include "ledger_load.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "segment.h"
#include "segment_use.h"
#include "text.h"

#define PATH_SIZE 512
#define READS_MAX 20000              /* records looked at in one step */

struct ledger_load {
	char dir[PATH_SIZE], node[64];
	char epoch[24], epoch_next[24];

	struct pg *pg;
	atomic_int socket;             /* of pg while it is in use; -1 */
	struct journal_position stored;        /* what the database holds */
	bool is_known;                 /* stored is true */
	bool is_started;               /* reader and use follow stored */
	bool is_failing;               /* and it has been said */
	struct journal_position old_end;       /* of what earlier starts wrote */
	bool is_old_closed;            /* their leases are given back */

	struct journal_reader *reader;
	struct segment_use *use;
	struct ledger_batch *batch;
	struct cdr_call *call;         /* scratch */

	pthread_mutex_t mutex;         /* for what others may ask */
	struct journal_position at;            /* read and loaded up to here */
	int64_t oldest_ms;             /* end of the first call of the batch */

	struct metric *m_bytes, *m_age;
};


static void destructor(void *arg)
{
	struct ledger_load *l = arg;

	mem_deref(l->pg);
	mem_deref(l->reader);
	mem_deref(l->use);
	mem_deref(l->call);
	mem_deref(l->batch);
	pthread_mutex_destroy(&l->mutex);
}


static void metrics_alloc(struct ledger_load *l)
{
	l->m_bytes = metric_gauge("strowger_cdr_backlog_bytes", NULL,
				  "Journal not yet in PostgreSQL");
	l->m_age = metric_gauge("strowger_cdr_backlog_age_seconds", NULL,
				"Age of the oldest CDR not in PostgreSQL");
}


int ledger_load_alloc(struct ledger_load **lp,
		      const struct ledger_config *cfg)
{
	struct ledger_load *l = mem_zalloc(sizeof(*l), destructor);
	int err;

	if (!l)
		return ENOMEM;

	pthread_mutex_init(&l->mutex, NULL);
	atomic_init(&l->socket, -1);
	metrics_alloc(l);

	err = text_copy(l->dir, sizeof(l->dir), cfg->journal_dir);
	err |= text_copy(l->node, sizeof(l->node), cfg->node);
	err |= text_format(l->epoch, sizeof(l->epoch), "%" PRId64,
			   cfg->epoch);
	err |= text_format(l->epoch_next, sizeof(l->epoch_next), "%" PRId64,
			   cfg->epoch + 1);
	if (err)
		err = EINVAL;
	if (!err) {
		l->call = mem_zalloc(sizeof(*l->call), NULL);
		err = l->call ? 0 : ENOMEM;
	}
	if (!err)
		err = ledger_batch_alloc(&l->batch, l->node,
					 cfg->batch_max, l->epoch);
	if (!err)
		err = pg_alloc(&l->pg, cfg->dsn, "strowger-ledger");
	if (!err)
		err = journal_end(l->dir, &l->old_end);

	if (err)
		mem_deref(l);
	else
		*lp = l;
	return err;
}


/* --- the connection */

/* Say it once when it begins and once when it is over. */
static void failing_set(struct ledger_load *l, const char *event, int err)
{
	if (err && !l->is_failing)
		log_event(LOG_WARN, "ledger", event,
			  "sqlstate=%s error=\"%s\" now=\"records wait in "
			  "the journal\" fix=\"PostgreSQL, db.dsn; strowger "
			  "doctor\"", pg_sqlstate(l->pg), pg_error(l->pg));
	if (!err && l->is_failing)
		log_event(LOG_INFO, "ledger", "loads_again", "segment=%u",
			  l->stored.segment);

	l->is_failing = err != 0;
}


/* @return 0 and the connection is in use until db_leave() */
static int db_enter(struct ledger_load *l)
{
	int err = pg_ready(l->pg);

	if (err == ECONNREFUSED)
		failing_set(l, "database_away", err);
	if (err)
		return err;

	atomic_store(&l->socket, PQsocket(pg_conn(l->pg)));
	return 0;
}


static void db_leave(struct ledger_load *l)
{
	atomic_store(&l->socket, -1);
}


void ledger_load_break(struct ledger_load *l)
{
	const int fd = atomic_load(&l->socket);

	if (fd >= 0)
		(void)shutdown(fd, SHUT_RDWR);
}


/* --- where we are */

static void at_set(struct ledger_load *l, struct journal_position at,
		   int64_t oldest_ms)
{
	pthread_mutex_lock(&l->mutex);
	l->at = at;
	l->oldest_ms = oldest_ms;
	pthread_mutex_unlock(&l->mutex);
}


static int position_query(struct ledger_load *l, struct journal_position *ret)
{
	const char *params[] = {l->node};
	uint64_t segment = 0, offset = 0, number = 0;
	PGresult *res = NULL;
	int err;

	err = pg_exec(l->pg, "SELECT segment, offset_bytes, number "
		      "FROM api_v1.journal_position($1) "
		      "WHERE segment IS NOT NULL", 1, params, &res);
	if (!err && PQntuples(res) == 1) {
		const char *s = PQgetvalue(res, 0, 0);
		const char *o = PQgetvalue(res, 0, 1);
		const char *n = PQgetvalue(res, 0, 2);

		err = text_u64(&segment, s, strlen(s), UINT32_MAX);
		if (!err)
			err = text_u64(&offset, o, strlen(o), INT64_MAX);
		if (!err)
			err = text_u64(&number, n, strlen(n), INT64_MAX);
	}
	PQclear(res);
	if (err)
		return err;

	*ret = (struct journal_position){
		.segment = (uint32_t)segment, .offset = offset,
		.number = number};
	return 0;
}


/* Note what begins or ends a call. @return 0, EBADMSG or ENOMEM */
static int record_use(struct ledger_load *l, const struct journal_record *rec,
		      uint32_t segment)
{
	uint8_t call_id[16];

	if (rec->type != JOURNAL_BEGIN && rec->type != JOURNAL_END)
		return 0;
	if (journal_decode_call_id(rec, call_id))
		return EBADMSG;

	if (rec->type == JOURNAL_BEGIN)
		return segment_use_begin(l->use, call_id, segment);

	segment_use_end(l->use, call_id);
	return 0;
}


/* Calls that are open at the stored position, from all that is kept. */
static int use_build(struct ledger_load *l)
{
	const struct journal_position begin = {0};
	struct journal_reader *r = NULL;
	struct journal_record rec;
	struct journal_position at;
	int err;

	l->use = mem_deref(l->use);
	err = segment_use_alloc(&l->use);
	if (!err)
		err = journal_reader_alloc(&r, l->dir, begin);

	while (!err) {
		err = journal_reader_next(r, &rec);
		if (err)
			break;

		at = journal_reader_at(r);
		if (journal_position_compare(at, l->stored) > 0)
			break;
		if (record_use(l, &rec, at.segment) == ENOMEM)
			err = ENOMEM;
	}

	mem_deref(r);
	return err == ENODATA ? 0 : err;
}


/*
 * Open the journal at the stored position. A position beyond all segments is
 * of a journal that somebody took away: begin with what there is.
 */
static int start(struct ledger_load *l)
{
	uint32_t number;
	int err;

	err = journal_segment_from(l->dir, l->stored.segment, &number);
	if (!err && !number && l->stored.segment) {
		log_event(LOG_WARN, "ledger", "journal_replaced",
			  "stored_segment=%u", l->stored.segment);
		l->stored = (struct journal_position){0};
	}
	if (!err)
		err = use_build(l);
	if (err)
		return err;

	l->reader = mem_deref(l->reader);
	l->stored.missing = 0; /* it counts from here */
	err = journal_reader_alloc(&l->reader, l->dir, l->stored);
	if (err)
		return err;

	l->is_started = true;
	at_set(l, journal_reader_at(l->reader), 0);
	return 0;
}


/* From the stored position again. */
static void restart(struct ledger_load *l)
{
	ledger_batch_clear(l->batch);
	l->is_started = false;
}


/* The connection was lost: how much of the batch did the database take? */
static void resume(struct ledger_load *l, struct journal_position before)
{
	if (0 == journal_position_compare(before, l->stored)) {
		l->stored = before;
		return;
	}
	if (ledger_batch_resume(l->batch, &l->stored))
		return;

	log_event(LOG_WARN, "ledger", "position_moved",
		  "segment=%u offset=%" PRIu64, l->stored.segment,
		  l->stored.offset);
	restart(l);
}


static int position_learn(struct ledger_load *l)
{
	const struct journal_position before = l->stored;
	int err;

	err = db_enter(l);
	if (err)
		return err;

	err = position_query(l, &l->stored);
	db_leave(l);
	if (err) {
		failing_set(l, "position_unknown", err);
		return err;
	}

	l->is_known = true;
	if (l->is_started)
		resume(l, before);
	return 0;
}


/* --- loading */

static int record_take(struct ledger_load *l, const struct journal_record *rec)
{
	const struct journal_position at = journal_reader_at(l->reader);
	int err = record_use(l, rec, at.segment);

	if (err == ENOMEM || rec->type != JOURNAL_END)
		return err == ENOMEM ? err : 0;

	if (!err)
		err = journal_decode_call(rec, l->call);
	if (!err && !ledger_batch_left(l->batch))
		at_set(l, l->at, l->call->call.ended_at);

	return ledger_batch_add(l->batch, rec, err ? NULL : l->call, at);
}


/* @return true when there may be more than fits the batch */
static bool gather(struct ledger_load *l)
{
	struct journal_record rec;
	unsigned reads;

	for (reads = 0; reads < READS_MAX; reads++) {
		if (ledger_batch_full(l->batch))
			return true;
		if (journal_reader_next(l->reader, &rec))
			return false;
		if (record_take(l, &rec)) {
			/* until there is memory, or room to put it aside */
			restart(l);
			return false;
		}
	}

	return true;
}


static int batch_load(struct ledger_load *l)
{
	int err;

	err = db_enter(l);
	if (err)
		return err;

	err = ledger_batch_load(l->batch, l->pg, &l->stored);
	db_leave(l);
	failing_set(l, "load_failed", err);

	if (err) {
		/* the transaction may be in any state, and its commit may
		 * have happened: the position will tell */
		pg_drop(l->pg);
		l->is_known = false;
	}

	return err;
}


/* --- after loading */

/*
 * Delete what is loaded and needed by no open call. All that was gathered is
 * loaded, so an END that the table knows is in the database. The stored
 * position may be in a segment that goes: then the next one is begun with.
 */
static void segments_delete(struct ledger_load *l)
{
	const uint32_t keep = journal_reader_at(l->reader).segment;
	char path[PATH_SIZE];
	uint32_t number, oldest;

	if (journal_segment_from(l->dir, 1, &number) || !number || number >= keep)
		return;

	oldest = segment_use_oldest(l->use);
	while (number && number < keep && number < oldest) {
		if (segment_path(path, sizeof(path), l->dir, number) ||
		    unlink(path))
			return;

		log_event(LOG_INFO, "ledger", "segment_done", "segment=%u",
			  number);
		if (journal_segment_from(l->dir, number + 1, &number))
			return;
	}
}


static int epochs_close(struct ledger_load *l, const char *epoch)
{
	const char *params[] = {l->node, epoch};
	int err;

	err = db_enter(l);
	if (err)
		return err;

	err = pg_exec(l->pg, "SELECT api_v1.lease_close_epochs($1, $2)", 2,
		      params, NULL);
	db_leave(l);
	if (err)
		log_event(LOG_WARN, "ledger", "leases_not_closed",
			  "error=\"%s\"", pg_error(l->pg));

	return err;
}


static void step_finish(struct ledger_load *l)
{
	const struct journal_position at = journal_reader_at(l->reader);

	at_set(l, at, 0);
	segments_delete(l);

	/* what earlier starts spent is settled: the rest of their leases is
	 * free */
	if (!l->is_old_closed && journal_position_compare(at, l->old_end) >= 0)
		l->is_old_closed = 0 == epochs_close(l, l->epoch);
}


static void gauges_set(struct ledger_load *l)
{
	uint64_t bytes, age_ms;

	ledger_load_backlog(l, &bytes, &age_ms);
	metric_set(l->m_bytes, (int64_t)bytes);
	metric_set(l->m_age, (int64_t)(age_ms / 1000));
}


static bool step(struct ledger_load *l)
{
	bool more = false;

	if (!l->is_known && position_learn(l))
		return false;
	if (!l->is_started && start(l))
		return false;

	if (!ledger_batch_left(l->batch))
		more = gather(l);
	if (!l->is_started)
		return false;
	if (ledger_batch_left(l->batch) && batch_load(l))
		return false;

	ledger_batch_clear(l->batch);
	step_finish(l);
	return more;
}


bool ledger_load_step(struct ledger_load *l)
{
	const bool more = step(l);

	gauges_set(l);
	return more;
}


void ledger_load_finish(struct ledger_load *l)
{
	struct journal_position end;

	if (!l->is_started || ledger_batch_left(l->batch) ||
	    journal_end(l->dir, &end))
		return;
	if (journal_position_compare(l->at, end) < 0 || segment_use_count(l->use))
		return;

	(void)epochs_close(l, l->epoch_next);
}


void ledger_load_backlog(struct ledger_load *l, uint64_t *ret_bytes,
			 uint64_t *ret_age_ms)
{
	struct journal_position at;
	struct moment now;
	uint32_t *numbers;
	uint64_t bytes = 0;
	int64_t oldest_ms;
	size_t n, i;

	pthread_mutex_lock(&l->mutex);
	at = l->at;
	oldest_ms = l->oldest_ms;
	pthread_mutex_unlock(&l->mutex);

	if (0 == segment_list(l->dir, &numbers, &n)) {
		for (i = 0; i < n; i++) {
			const uint64_t size = segment_size(l->dir, numbers[i]);

			if (numbers[i] > at.segment)
				bytes += size;
			else if (numbers[i] == at.segment && size > at.offset)
				bytes += size - at.offset;
		}
		free(numbers);
	}

	moment_read(&now);
	*ret_bytes = bytes;
	*ret_age_ms = oldest_ms > 0 && moment_wall_ms(&now) > oldest_ms
		? (uint64_t)(moment_wall_ms(&now) - oldest_ms) : 0;
}
