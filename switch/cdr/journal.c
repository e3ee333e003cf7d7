/**
 * @file journal.c  Writer of the CDR journal: frames gather in memory that
 * outlives the process (spool.h), one thread writes and syncs them in groups.
 * A disk that refuses is asked again until it takes the same bytes at the same
 * place; meanwhile nothing new is admitted, and what calls in progress have to
 * say waits.
 */
#include <errno.h>
#include <pthread.h>
#include <re.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "journal.h"
#include "journal_disk.h"
#include "journal_recover.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "spool.h"

#define RETRY_MS 200
#define LOOK_MS 1000   /* between two looks at the disk's space */
#define CLOSE_MS 3000  /* a disk that refuses keeps journal_close() no longer */
#define MEMORY_BYTES ((size_t)32 << 20)

struct journal {
	struct journal_config cfg;
	journal_synced_h *h;
	void *arg;

	struct journal_disk *disk;
	struct spool *spool;
	uint64_t written;      /* number of the last record written */
	uint64_t looked_ms;    /* mono: when the space was looked at */
	enum journal_room room;
	bool has_reserve;
	int disk_err;          /* of the last write */

	pthread_t thread;
	atomic_int refuses;    /* errno for a BEGIN */

	pthread_mutex_t mutex; /* for all below and for what goes into and out
				  of the spool; held for a copy, not for I/O */
	pthread_cond_t cond;
	size_t waiting_n;
	uint64_t seq;          /* last one appended */
	bool is_closing;

	struct metric *m_bytes, *m_sync, *m_healthy, *m_refused, *m_free,
		*m_number, *m_waiting;
};


static void metrics_alloc(struct journal *j)
{
	static const double seconds[] = {0.0005, 0.001, 0.002, 0.005, 0.01,
					 0.02,   0.05,	0.1,   0.2,   0.5,
					 1,      2,	5};

	j->m_bytes = metric_counter("strowger_cdr_journal_bytes_total", NULL,
				    "Bytes written to the CDR journal");
	j->m_sync = metric_histogram("strowger_journal_sync_seconds", NULL,
				     "Time to write and sync one group",
				     seconds,
				     sizeof(seconds) / sizeof(seconds[0]));
	j->m_healthy = metric_gauge("strowger_cdr_journal_healthy", NULL,
				    "1 while the disk takes CDRs and has "
				    "space for more");
	j->m_refused = metric_counter("strowger_cdr_journal_refused_total",
				      NULL, "Records that were not queued");
	j->m_free = metric_gauge("strowger_cdr_journal_free_bytes", NULL,
				 "Free space on the disk of the journal");
	j->m_number = metric_gauge("strowger_cdr_journal_number", NULL,
				   "Number of the last record written");
	j->m_waiting = metric_gauge("strowger_cdr_journal_waiting_bytes",
				    NULL, "Records that the disk has not "
				    "taken yet");
}


static void destructor(void *arg)
{
	struct journal *j = arg;

	mem_deref(j->disk);
	mem_deref(j->spool);
	pthread_mutex_destroy(&j->mutex);
	pthread_cond_destroy(&j->cond);
}


static int journal_alloc(struct journal **jp,
			 const struct journal_config *cfg,
			 journal_synced_h *h, void *arg)
{
	struct journal *j = mem_zalloc(sizeof(*j), destructor);
	pthread_condattr_t attr;

	if (!j)
		return ENOMEM;

	j->cfg = *cfg;
	if (!j->cfg.memory_bytes)
		j->cfg.memory_bytes = MEMORY_BYTES;
	j->h = h;
	j->arg = arg;
	atomic_init(&j->refuses, 0);
	pthread_mutex_init(&j->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->cond, &attr);
	pthread_condattr_destroy(&attr);
	metrics_alloc(j);

	*jp = j;
	return 0;
}


static struct spool_place place_of(const struct journal_disk *d)
{
	struct spool_place place;

	journal_disk_place(d, &place.segment, &place.offset);
	return place;
}


static int memory_make(struct journal *j)
{
	const char *dir = j->cfg.memory_dir;
	int err;

	err = spool_make(&j->spool, dir,
			 journal_disk_id(j->disk), j->cfg.memory_bytes,
			 place_of(j->disk));
	if (!err && dir && !spool_is_kept(j->spool))
		log_event(LOG_WARN, "journal", "memory_private",
			  "dir=%s bytes=%zu now=\"a kill -9 takes what came "
			  "less than journal.group_ms before\" fix=\"a tmpfs "
			  "with room, journal.memory_dir\"", dir,
			  j->cfg.memory_bytes);

	return err;
}


/* --- the disk's space --------------------------------------------------- */

static void refuses_set(struct journal *j)
{
	int err = 0;

	if (j->disk_err)
		err = j->disk_err == ENOSPC || j->disk_err == EDQUOT
			      ? ENOSPC : EIO;
	else if (j->room == JOURNAL_ROOM_NONE)
		err = ENOSPC;

	metric_set(j->m_healthy, !err);
	atomic_store(&j->refuses, j->cfg.is_passing ? 0 : err);
}


/* Once below a threshold, a quarter more than that is needed to be above. */
static bool is_below(uint64_t free_bytes, uint64_t threshold, bool was_below)
{
	return free_bytes < threshold + (was_below ? threshold / 4 : 0);
}


static void room_tell(const struct journal *j, uint64_t free_bytes)
{
	static const char *const names[] = {"enough", "low", "none"};

	log_event(j->room == JOURNAL_ROOM ? LOG_INFO
		  : j->room == JOURNAL_ROOM_LOW ? LOG_WARN : LOG_ERROR,
		  "journal", "disk_space", "room=%s free=%" PRIu64 " dir=%s "
		  "fix=\"%s\"", names[j->room], free_bytes,
		  journal_disk_dir(j->disk),
		  j->room == JOURNAL_ROOM ? ""
		  : j->cfg.is_passing ? "space; records that find none are "
		  "lost (journal.when_full)"
		  : "space; without it no call is admitted");
	if (j->cfg.roomh)
		j->cfg.roomh(j->room, free_bytes, j->arg);
}


static void reserve_hold(struct journal *j)
{
	if (j->has_reserve || !j->cfg.reserve_bytes ||
	    j->room == JOURNAL_ROOM_NONE)
		return;

	/* asked for again with each change of the room, no more often */
	j->has_reserve = 0 == journal_disk_reserve(j->disk,
						   j->cfg.reserve_bytes);
}


static void room_look(struct journal *j)
{
	const uint64_t free_bytes = journal_disk_free(j->disk);
	enum journal_room room = JOURNAL_ROOM;

	if (is_below(free_bytes, j->cfg.warn_bytes, j->room >= JOURNAL_ROOM_LOW))
		room = JOURNAL_ROOM_LOW;
	if (is_below(free_bytes, j->cfg.min_bytes, j->room == JOURNAL_ROOM_NONE)
	    || (j->disk_err == ENOSPC || j->disk_err == EDQUOT))
		room = JOURNAL_ROOM_NONE;

	metric_set(j->m_free, free_bytes > INT64_MAX ? INT64_MAX
						     : (int64_t)free_bytes);
	if (room == j->room)
		return;

	j->room = room;
	refuses_set(j);
	reserve_hold(j);
	room_tell(j, free_bytes);
}


static uint64_t mono_ms(void)
{
	struct moment now;

	moment_read(&now);
	return moment_ms(&now);
}


static void room_look_sometimes(struct journal *j)
{
	const uint64_t now_ms = mono_ms();

	if (now_ms - j->looked_ms < LOOK_MS)
		return;

	j->looked_ms = now_ms;
	room_look(j);
}


/* --- the thread --------------------------------------------------------- */

static void deadline_in(struct timespec *ts, uint32_t ms)
{
	clock_gettime(CLOCK_MONOTONIC, ts);
	ts->tv_sec += ms / 1000;
	ts->tv_nsec += (long)(ms % 1000) * 1000000;
	if (ts->tv_nsec >= 1000000000) {
		ts->tv_nsec -= 1000000000;
		++ts->tv_sec;
	}
}


/* Sleep, or less when the journal closes. Mutex held. */
static void sleep_unless_closing(struct journal *j, uint32_t ms)
{
	struct timespec until;
	int err = 0;

	deadline_in(&until, ms);
	while (!j->is_closing && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&j->cond, &j->mutex, &until);
}


struct group {
	uint64_t end;          /* of it in the spool */
	uint64_t seq;          /* of its last record */
	bool is_any;
	bool is_last;          /* the journal closes */
};


/* Take what waits, in company; or nothing, after a while. */
static void group_take(struct journal *j, struct group *ret)
{
	struct timespec until;
	int err = 0;

	pthread_mutex_lock(&j->mutex);

	deadline_in(&until, LOOK_MS);
	while (!j->waiting_n && !j->is_closing && err != ETIMEDOUT)
		err = pthread_cond_timedwait(&j->cond, &j->mutex, &until);
	if (j->waiting_n && j->cfg.group_ms)
		sleep_unless_closing(j, j->cfg.group_ms);

	ret->is_any = j->waiting_n > 0;
	ret->is_last = j->is_closing;
	ret->end = spool_end(j->spool);
	ret->seq = j->seq;
	j->waiting_n = 0;

	pthread_mutex_unlock(&j->mutex);
}


static void disk_said(struct journal *j, int err)
{
	const int before = j->disk_err;

	if (err == before)
		return;

	j->disk_err = err;
	refuses_set(j);
	if (err && !before)
		log_event(LOG_ERROR, "journal", "disk_refuses",
			  "dir=%s error=\"%s\" now=\"%s\" "
			  "fix=\"space, rights or the disk\"",
			  journal_disk_dir(j->disk), strerror(err),
			  j->cfg.is_passing ? "records wait in memory"
					    : "no call is admitted");
	else if (!err)
		log_event(LOG_WARN, "journal", "disk_recovered", "dir=%s",
			  journal_disk_dir(j->disk));
	room_look(j);
}


/* What is left for the records of calls that are there. */
static bool reserve_give(struct journal *j, int err)
{
	if (err != ENOSPC || !j->has_reserve)
		return false;

	j->has_reserve = false;
	if (journal_disk_reserve(j->disk, 0))
		return false;

	log_event(LOG_WARN, "journal", "reserve_used", "dir=%s bytes=%" PRIu64,
		  journal_disk_dir(j->disk), j->cfg.reserve_bytes);
	return true;
}


static int group_write_once(struct journal *j, const struct group *g)
{
	struct moment before, after;
	struct iovec parts[2];
	const size_t len = spool_read(j->spool, g->end, parts);
	int err;

	metric_set(j->m_waiting, (int64_t)len);
	moment_read(&before);
	err = journal_disk_write(j->disk, parts, 2, j->written);
	moment_read(&after);
	metric_observe(j->m_sync,
		       (double)(after.mono_us - before.mono_us) / 1e6);
	if (err)
		return err;

	metric_add(j->m_bytes, len);
	metric_set(j->m_waiting, 0);
	metric_set(j->m_number, (int64_t)g->seq);
	j->written = g->seq;

	pthread_mutex_lock(&j->mutex);
	spool_done(j->spool, g->end, place_of(j->disk));
	pthread_mutex_unlock(&j->mutex);
	return 0;
}


/* @return false when the journal closes and the disk still refuses */
static bool group_write(struct journal *j, const struct group *g)
{
	uint32_t refused_ms = 0;
	bool is_closing;
	int err;

	for (;;) {
		err = group_write_once(j, g);
		if (reserve_give(j, err)) {
			disk_said(j, err);
			continue;
		}
		disk_said(j, err);
		if (!err)
			return true;

		pthread_mutex_lock(&j->mutex);
		is_closing = j->is_closing;
		sleep_unless_closing(j, RETRY_MS);
		pthread_mutex_unlock(&j->mutex);

		if (is_closing) {
			if (refused_ms >= CLOSE_MS)
				return false;
			refused_ms += RETRY_MS;
			(void)usleep(RETRY_MS * 1000);
		}
	}
}


static void closed_refused(struct journal *j, const struct group *g)
{
	struct iovec parts[2];
	const size_t len = spool_read(j->spool, g->end, parts);

	log_event(LOG_ERROR, "journal",
		  spool_is_kept(j->spool) ? "kept_in_memory" : "lost",
		  "bytes=%zu note=\"closed while the disk refused\"", len);
}


static void *thread_run(void *arg)
{
	struct journal *j = arg;
	struct group g;

	(void)pthread_setname_np(pthread_self(), "journal");
	do {
		group_take(j, &g);
		if (g.is_any && !group_write(j, &g)) {
			closed_refused(j, &g);
			return NULL;
		}
		if (g.is_any && j->h)
			j->h(g.seq, j->arg);
		room_look_sometimes(j);
	} while (!g.is_last || g.is_any);

	spool_remove(j->spool);
	return NULL;
}


/* --- the interface ------------------------------------------------------ */

/* A node has to start on a full disk, too: what the reserve is for. */
static int recover(struct journal *j)
{
	int err;

	err = journal_recover(j->disk, j->cfg.memory_dir, &j->written);
	if (err != ENOSPC || journal_disk_reserve(j->disk, 0))
		return err;

	return journal_recover(j->disk, j->cfg.memory_dir, &j->written);
}


int journal_open(struct journal **jp, const struct journal_config *cfg,
		 journal_synced_h *h, void *arg)
{
	struct journal *j;
	int err;

	if (!jp || !cfg || !cfg->dir || !cfg->segment_bytes ||
	    !cfg->backlog_max)
		return EINVAL;

	err = journal_alloc(&j, cfg, h, arg);
	if (err)
		return err;

	err = journal_disk_open(&j->disk, cfg->dir, cfg->segment_bytes);
	if (!err)
		err = recover(j);
	if (!err)
		err = memory_make(j);
	if (err) {
		mem_deref(j);
		return err;
	}

	j->seq = j->written;
	metric_set(j->m_number, (int64_t)j->written);
	refuses_set(j);
	room_look(j);
	reserve_hold(j);

	err = pthread_create(&j->thread, NULL, thread_run, j);
	if (err) {
		spool_remove(j->spool);
		mem_deref(j);
	}
	else {
		*jp = j;
	}
	return err;
}


static int append_locked(struct journal *j, const uint8_t *frame, size_t len,
			 uint64_t *ret_seq)
{
	struct journal_numbered numbered;
	int err;

	if (j->waiting_n >= j->cfg.backlog_max || j->is_closing)
		return ENOBUFS;

	journal_number(frame, len, j->seq + 1, &numbered);
	err = spool_put(j->spool, numbered.parts, 3);
	if (err)
		return err;

	j->waiting_n++;
	*ret_seq = ++j->seq;
	return 0;
}


int journal_append(struct journal *j, const uint8_t *frame, size_t len,
		   uint64_t *ret_seq)
{
	struct journal_record rec;
	bool is_first;
	int err;

	if (!j || !ret_seq || journal_frame(frame, len, &rec) ||
	    rec.frame_len != len || rec.number)
		return EINVAL;

	err = rec.type == JOURNAL_BEGIN ? journal_refuses(j) : 0;
	if (err) {
		metric_add(j->m_refused, 1);
		return err;
	}

	pthread_mutex_lock(&j->mutex);
	is_first = !j->waiting_n;
	err = append_locked(j, frame, len, ret_seq);
	pthread_mutex_unlock(&j->mutex);

	/* without the mutex, which the thread would have to wait for */
	if (is_first && !err)
		pthread_cond_signal(&j->cond);

	if (err)
		metric_add(j->m_refused, 1);
	return err;
}


int journal_refuses(const struct journal *j)
{
	return atomic_load_explicit(&j->refuses, memory_order_relaxed);
}


void journal_close(struct journal *j)
{
	if (!j)
		return;

	pthread_mutex_lock(&j->mutex);
	j->is_closing = true;
	pthread_cond_signal(&j->cond);
	pthread_mutex_unlock(&j->mutex);

	pthread_join(j->thread, NULL);
	mem_deref(j);
}
