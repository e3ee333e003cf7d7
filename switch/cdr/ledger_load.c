/**
 * @file ledger_load.c  The loader. It reads on from the position that the
 * database holds, gathers a batch of END records, and commits rows and the
 * new position together. When it cannot know whether a commit happened, it
 * reads the position again: that says it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <re.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "ledger_load.h"
#include "ledger_row.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "segment.h"
#include "segment_use.h"
#include "text.h"

#define PATH_SIZE 512
#define FRAMES_MAX ((size_t)4 << 20) /* of one batch */
#define READS_MAX 20000              /* records looked at in one step */

struct position {
	uint32_t segment;
	uint64_t offset;
};

/* One END record of the batch. */
struct item {
	size_t frame_at, frame_len; /* in frames */
	size_t row_at, row_len;     /* in rows; none: put aside */
	struct position end;
};

struct ledger_load {
	char dir[PATH_SIZE], node[64];
	char epoch[24], epoch_next[24];
	uint32_t batch_max;

	struct pg *pg;
	atomic_int socket;             /* of pg while it is in use; -1 */
	struct position stored;        /* what the database holds */
	bool is_known;                 /* stored is true */
	bool is_started;               /* reader and use follow stored */
	bool is_failing;               /* and it has been said */
	struct position old_end;       /* of what earlier starts wrote */
	bool is_old_closed;            /* their leases are given back */

	struct segment_reader *reader;
	struct segment_use *use;
	struct cdr_call *call;         /* scratch */

	struct mbuf *frames, *rows;    /* the batch */
	struct item *items;
	size_t item_n, item_done;

	pthread_mutex_t mutex;         /* for what others may ask */
	struct position at;            /* read and loaded up to here */
	int64_t oldest_ms;             /* end of the first call of the batch */

	struct metric *m_bytes, *m_age, *m_loaded, *m_refused, *m_damaged;
};


static void destructor(void *arg)
{
	struct ledger_load *l = arg;

	mem_deref(l->pg);
	mem_deref(l->reader);
	mem_deref(l->use);
	mem_deref(l->call);
	mem_deref(l->frames);
	mem_deref(l->rows);
	mem_deref(l->items);
	pthread_mutex_destroy(&l->mutex);
}


static void metrics_alloc(struct ledger_load *l)
{
	l->m_bytes = metric_gauge("strowger_cdr_backlog_bytes", NULL,
				  "Journal not yet in PostgreSQL");
	l->m_age = metric_gauge("strowger_cdr_backlog_age_seconds", NULL,
				"Age of the oldest CDR not in PostgreSQL");
	l->m_loaded = metric_counter("strowger_cdr_loaded_total", NULL,
				     "Calls loaded into PostgreSQL");
	l->m_refused = metric_counter("strowger_cdr_refused_total", NULL,
				      "Records put aside: the database "
				      "refuses them");
	l->m_damaged = metric_counter(
		"strowger_cdr_journal_damaged_bytes_total", NULL,
		"Bytes of the journal that could not be read");
}


/* The end of what is on disk now. */
static int journal_end(const char *dir, struct position *ret)
{
	uint32_t *numbers;
	size_t n;
	int err;

	err = segment_list(dir, &numbers, &n);
	if (err)
		return err;

	ret->segment = n ? numbers[n - 1] : 0;
	ret->offset = n ? segment_size(dir, ret->segment) : 0;
	free(numbers);
	return 0;
}


static int buffers_alloc(struct ledger_load *l)
{
	l->call = mem_zalloc(sizeof(*l->call), NULL);
	l->items = mem_zalloc(l->batch_max * sizeof(*l->items), NULL);
	l->frames = mbuf_alloc(1 << 16);
	l->rows = mbuf_alloc(1 << 16);

	return l->call && l->items && l->frames && l->rows ? 0 : ENOMEM;
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
	l->batch_max = cfg->batch_max;
	metrics_alloc(l);

	err = text_copy(l->dir, sizeof(l->dir), cfg->journal_dir);
	err |= text_copy(l->node, sizeof(l->node), cfg->node);
	err |= text_format(l->epoch, sizeof(l->epoch), "%" PRId64,
			   cfg->epoch);
	err |= text_format(l->epoch_next, sizeof(l->epoch_next), "%" PRId64,
			   cfg->epoch + 1);
	if (err)
		err = EINVAL;
	if (!err)
		err = buffers_alloc(l);
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


static int position_compare(struct position a, struct position b)
{
	if (a.segment != b.segment)
		return a.segment < b.segment ? -1 : 1;

	return (a.offset > b.offset) - (a.offset < b.offset);
}


/* --- the connection */

/* Say it once when it begins and once when it is over. */
static void failing_set(struct ledger_load *l, const char *event, int err)
{
	if (err && !l->is_failing)
		log_event(LOG_WARN, "ledger", event,
			  "sqlstate=%s error=\"%s\"", pg_sqlstate(l->pg),
			  pg_error(l->pg));
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


/* Is it the data that the server minds (SQL classes 22, 23), or itself? */
static bool is_data_refused(const struct ledger_load *l)
{
	const char *state = pg_sqlstate(l->pg);

	return state[0] == '2' && (state[1] == '2' || state[1] == '3');
}


/* --- where we are */

static void at_set(struct ledger_load *l, struct position at,
		   int64_t oldest_ms)
{
	pthread_mutex_lock(&l->mutex);
	l->at = at;
	l->oldest_ms = oldest_ms;
	pthread_mutex_unlock(&l->mutex);
}


static int position_query(struct ledger_load *l, struct position *ret)
{
	const char *params[] = {l->node};
	uint64_t segment = 0, offset = 0;
	PGresult *res = NULL;
	int err;

	err = pg_exec(l->pg, "SELECT segment, offset_bytes "
		      "FROM api_v1.journal_position($1) "
		      "WHERE segment IS NOT NULL", 1, params, &res);
	if (!err && PQntuples(res) == 1) {
		const char *s = PQgetvalue(res, 0, 0);
		const char *o = PQgetvalue(res, 0, 1);

		err = text_u64(&segment, s, strlen(s), UINT32_MAX);
		if (!err)
			err = text_u64(&offset, o, strlen(o), INT64_MAX);
	}
	PQclear(res);
	if (err)
		return err;

	ret->segment = (uint32_t)segment;
	ret->offset = offset;
	return 0;
}


/* The first segment that is at or behind number; 0: none. */
static int segment_from(const char *dir, uint32_t number, uint32_t *ret)
{
	uint32_t *numbers;
	size_t n, i;
	int err;

	err = segment_list(dir, &numbers, &n);
	if (err)
		return err;

	for (i = 0; i < n && numbers[i] < number; i++)
		;
	*ret = i < n ? numbers[i] : 0;
	free(numbers);
	return 0;
}


/* Decode what begins or ends a call into l->call and note it.
 * @return 0, EBADMSG or ENOMEM */
static int record_use(struct ledger_load *l, const struct journal_record *rec,
		      uint32_t segment)
{
	if (rec->type != JOURNAL_BEGIN && rec->type != JOURNAL_END)
		return 0;
	if (journal_decode_call(rec, l->call))
		return EBADMSG;

	if (rec->type == JOURNAL_BEGIN)
		return segment_use_begin(l->use, l->call->call.call_id,
					 segment);

	segment_use_end(l->use, l->call->call.call_id);
	return 0;
}


/* Calls that are open at the stored position, from all that is kept. */
static int use_build(struct ledger_load *l)
{
	struct journal_record rec;
	struct position at = {0, 0};
	int err;

	l->use = mem_deref(l->use);
	err = segment_use_alloc(&l->use);
	if (!err)
		err = segment_from(l->dir, 1, &at.segment);

	while (!err && at.segment && at.segment <= l->stored.segment) {
		struct segment_reader *r;

		err = segment_open(&r, l->dir, at.segment, 0);
		if (err)
			break;

		while (0 == (err = segment_next(r, true, &rec))) {
			at.offset = segment_offset(r);
			if (position_compare(at, l->stored) > 0)
				break;
			err = record_use(l, &rec, at.segment);
			if (err == ENOMEM)
				break;
		}
		mem_deref(r);
		if (err == ENOMEM)
			break;
		err = segment_from(l->dir, at.segment + 1, &at.segment);
	}

	return err;
}


/*
 * Open the journal at the stored position. Its segment may be gone (loaded
 * and deleted): the next one then. A position beyond all segments is of a
 * journal that somebody took away: begin with what there is.
 */
static int start(struct ledger_load *l)
{
	struct position from = l->stored;
	uint32_t number;
	int err;

	err = segment_from(l->dir, from.segment, &number);
	if (!err && !number) {
		err = segment_from(l->dir, 1, &number);
		if (number)
			log_event(LOG_WARN, "ledger", "journal_replaced",
				  "stored_segment=%u first_segment=%u",
				  from.segment, number);
		l->stored = (struct position){0, 0};
	}
	if (err || !number)
		return err ? err : ENOENT;

	if (number != from.segment)
		from = (struct position){number, 0};

	err = use_build(l);
	if (err)
		return err;

	l->reader = mem_deref(l->reader);
	err = segment_open(&l->reader, l->dir, from.segment, from.offset);
	if (err)
		return err;

	l->is_started = true;
	at_set(l, from, 0);
	return 0;
}


static void batch_clear(struct ledger_load *l)
{
	mbuf_rewind(l->frames);
	mbuf_rewind(l->rows);
	l->item_n = l->item_done = 0;
}


static void loaded_set(struct ledger_load *l, size_t done)
{
	size_t i, n = 0;

	for (i = l->item_done; i < done; i++)
		n += l->items[i].row_len > 0;

	metric_add(l->m_loaded, n);
	l->item_done = done;
}


/* The connection was lost: how much of the batch did the database take? */
static void batch_resume(struct ledger_load *l, struct position before)
{
	size_t i;

	if (0 == position_compare(before, l->stored))
		return;

	for (i = l->item_done; i < l->item_n; i++) {
		if (0 == position_compare(l->items[i].end, l->stored)) {
			loaded_set(l, i + 1);
			return;
		}
	}

	log_event(LOG_WARN, "ledger", "position_moved",
		  "segment=%u offset=%" PRIu64, l->stored.segment,
		  l->stored.offset);
	batch_clear(l);
	l->is_started = false;
}


static int position_learn(struct ledger_load *l)
{
	const struct position before = l->stored;
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
		batch_resume(l, before);
	return 0;
}


/* --- gathering */

static int aside_write(struct ledger_load *l, const struct item *item)
{
	char path[PATH_SIZE];
	int fd, err = 0;

	if (text_format(path, sizeof(path), "%s/refused.journal", l->dir))
		return EOVERFLOW;

	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;
	if (write(fd, l->frames->buf + item->frame_at, item->frame_len) !=
	    (ssize_t)item->frame_len || fdatasync(fd))
		err = errno ? errno : EIO;
	close(fd);

	return err;
}


/* Keep the frame of a record that nobody can load, and go on behind it. */
static int item_refuse(struct ledger_load *l, struct item *item,
		       const char *why)
{
	int err = aside_write(l, item);

	if (err)
		return err;

	metric_add(l->m_refused, 1);
	log_event(LOG_ERROR, "ledger", "record_refused",
		  "segment=%u end=%" PRIu64 " file=refused.journal "
		  "error=\"%s\"", item->end.segment, item->end.offset, why);
	item->row_len = 0;
	return 0;
}


/* @param is_known  l->call is what rec says */
static int item_add(struct ledger_load *l, const struct journal_record *rec,
		    bool is_known)
{
	struct item *item = &l->items[l->item_n];
	const uint8_t *frame = rec->payload + rec->len - rec->frame_len;
	int err;

	item->frame_at = l->frames->end;
	item->frame_len = rec->frame_len;
	item->row_at = l->rows->end;
	item->end.segment = segment_number(l->reader);
	item->end.offset = segment_offset(l->reader);

	err = mbuf_write_mem(l->frames, frame, rec->frame_len);
	if (!err && is_known)
		err = ledger_rows(l->rows, l->call);
	if (!err && !is_known)
		err = item_refuse(l, item, "cannot be decoded");
	if (err)
		return err;

	item->row_len = l->rows->end - item->row_at;
	if (is_known && !l->item_n)
		at_set(l, l->at, l->call->call.ended_at);
	++l->item_n;
	return 0;
}


static void damage_count(struct ledger_load *l, uint64_t unread)
{
	const uint64_t bytes = segment_damaged(l->reader) + unread;

	if (!bytes)
		return;

	metric_add(l->m_damaged, bytes);
	log_event(LOG_ERROR, "ledger", "journal_damaged",
		  "segment=%u bytes=%" PRIu64, segment_number(l->reader),
		  bytes);
}


/* @return true when the reader stands at the beginning of the next segment */
static bool segment_advance(struct ledger_load *l, uint32_t next)
{
	const uint32_t number = segment_number(l->reader);
	const uint64_t size = segment_size(l->dir, number);
	const uint64_t end = segment_offset(l->reader);
	struct segment_reader *r;

	if (segment_open(&r, l->dir, next, 0))
		return false;

	damage_count(l, size > end ? size - end : 0);
	mem_deref(l->reader);
	l->reader = r;
	return true;
}


/* The next record, in this segment or the next one. */
static int record_next(struct ledger_load *l, struct journal_record *ret)
{
	uint32_t next;
	int err;

	for (;;) {
		err = segment_next(l->reader, false, ret);
		if (err != ENODATA)
			return err;

		/* a next segment: the writer has left this one, so what is
		 * in it now is all of it */
		err = segment_from(l->dir, segment_number(l->reader) + 1,
				   &next);
		if (err || !next)
			return err ? err : ENODATA;

		err = segment_next(l->reader, true, ret);
		if (err != ENODATA)
			return err;
		if (!segment_advance(l, next))
			return EIO;
	}
}


static int record_take(struct ledger_load *l, const struct journal_record *rec)
{
	const int err = record_use(l, rec, segment_number(l->reader));

	if (err == ENOMEM || rec->type != JOURNAL_END)
		return err == ENOMEM ? err : 0;

	return item_add(l, rec, !err);
}


/* @return true when the batch is full */
static bool gather(struct ledger_load *l)
{
	struct journal_record rec;
	unsigned reads;

	for (reads = 0; reads < READS_MAX; reads++) {
		if (l->item_n == l->batch_max || l->frames->end >= FRAMES_MAX)
			return true;
		if (record_next(l, &rec))
			return false;

		if (record_take(l, &rec)) {
			/* again from the stored position, when there is
			 * memory, or room to put a record aside */
			batch_clear(l);
			l->is_started = false;
			return false;
		}
	}

	return true;
}


/* --- loading */

static int rows_send(struct ledger_load *l, size_t lo, size_t hi)
{
	const struct item *first = &l->items[lo], *last = &l->items[hi - 1];
	const size_t len = last->row_at + last->row_len - first->row_at;
	char segment[24], offset[24];
	const char *params[] = {l->node, segment, offset};
	int err;

	(void)text_format(segment, sizeof(segment), "%u", last->end.segment);
	(void)text_format(offset, sizeof(offset), "%" PRIu64,
			  last->end.offset);

	err = pg_exec(l->pg, "BEGIN", 0, NULL, NULL);
	if (!err && len) {
		err = pg_copy_begin(l->pg, ledger_copy_sql());
		if (!err)
			err = pg_copy_row(l->pg, (const char *)l->rows->buf +
					  first->row_at, len);
		if (!err)
			err = pg_copy_end(l->pg);
	}
	if (!err)
		err = pg_exec(l->pg, "SELECT api_v1.load_cdrs($1, $2, $3)", 3,
			      params, NULL);
	if (!err)
		err = pg_exec(l->pg, "COMMIT", 0, NULL, NULL);

	return err;
}


static int batch_send(struct ledger_load *l, size_t lo, size_t hi);


/* The server minds the data: halve, until it is one record. */
static int batch_split(struct ledger_load *l, size_t lo, size_t hi)
{
	const size_t middle = lo + (hi - lo) / 2;
	char why[256];
	int err;

	(void)text_copy(why, sizeof(why), pg_error(l->pg));
	err = pg_exec(l->pg, "ROLLBACK", 0, NULL, NULL);
	if (err)
		return err;

	if (hi - lo > 1) {
		err = batch_send(l, lo, middle);
		return err ? err : batch_send(l, middle, hi);
	}

	/* refused without a row in it: it is not the data after all */
	if (!l->items[lo].row_len)
		return EPROTO;

	err = item_refuse(l, &l->items[lo], why);
	return err ? err : batch_send(l, lo, hi);
}


/* Load items lo..hi. The recursion is as deep as batch_max has bits. */
static int batch_send(struct ledger_load *l, size_t lo, size_t hi)
{
	int err = rows_send(l, lo, hi);

	if (err == EPROTO && is_data_refused(l))
		return batch_split(l, lo, hi);
	if (err)
		return err;

	l->stored = l->items[hi - 1].end;
	loaded_set(l, hi);
	return 0;
}


static int batch_load(struct ledger_load *l)
{
	int err;

	err = db_enter(l);
	if (err)
		return err;

	err = batch_send(l, l->item_done, l->item_n);
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
	const uint32_t keep = segment_number(l->reader);
	char path[PATH_SIZE];
	uint32_t number, oldest;

	if (segment_from(l->dir, 1, &number) || !number || number >= keep)
		return;

	oldest = segment_use_oldest(l->use);
	while (number && number < keep && number < oldest) {
		if (segment_path(path, sizeof(path), l->dir, number) ||
		    unlink(path))
			return;

		log_event(LOG_INFO, "ledger", "segment_done", "segment=%u",
			  number);
		if (segment_from(l->dir, number + 1, &number))
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
	const struct position at = {segment_number(l->reader),
				    segment_offset(l->reader)};

	at_set(l, at, 0);
	segments_delete(l);

	/* what earlier starts spent is settled: the rest of their leases is
	 * free */
	if (!l->is_old_closed && position_compare(at, l->old_end) >= 0)
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

	if (!l->item_n)
		more = gather(l);
	if (!l->is_started)
		return false;
	if (l->item_done < l->item_n && batch_load(l))
		return false;

	batch_clear(l);
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
	struct position end;

	if (!l->is_started || l->item_n || journal_end(l->dir, &end))
		return;
	if (position_compare(l->at, end) < 0 || segment_use_count(l->use))
		return;

	(void)epochs_close(l, l->epoch_next);
}


void ledger_load_backlog(struct ledger_load *l, uint64_t *ret_bytes,
			 uint64_t *ret_age_ms)
{
	struct position at;
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
