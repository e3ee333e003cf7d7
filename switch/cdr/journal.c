/**
 * @file journal.c  Writer of the CDR journal: frames gather in memory, one
 * thread writes and syncs them in groups. A disk that refuses is asked again
 * until it takes the same bytes at the same place; meanwhile nothing new is
 * admitted, and what calls in progress have to say waits.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <re.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "journal.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "segment.h"
#include "text.h"

#define PATH_SIZE 512
#define RETRY_MS 200
#define CLOSE_MS 3000  /* a disk that refuses keeps journal_close() no longer */
#define ROOM ((size_t)1 << 20)

struct journal {
	char dir[PATH_SIZE];
	size_t segment_bytes, backlog_max;
	uint32_t group_ms;
	journal_synced_h *h;
	void *arg;

	int lock_fd;           /* one writer per folder */
	int fd;                /* of the segment, -1: none */
	uint32_t number;       /* of the segment, or of the last one */
	uint64_t size;         /* synced bytes of it */

	pthread_t thread;
	atomic_bool is_healthy;

	pthread_mutex_t mutex; /* for all below; held for a copy, not for I/O */
	pthread_cond_t cond;
	struct mbuf *waiting, *writing;
	size_t waiting_n;
	uint64_t seq;          /* last one queued */
	bool is_closing;

	struct metric *m_bytes, *m_sync, *m_healthy, *m_refused, *m_damaged;
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
				    "1 while the disk takes CDRs");
	j->m_refused = metric_counter("strowger_cdr_journal_refused_total",
				      NULL, "Records that were not queued");
	j->m_damaged = metric_counter(
		"strowger_cdr_journal_damaged_bytes_total", NULL,
		"Bytes of the journal that could not be read");
}


static void destructor(void *arg)
{
	struct journal *j = arg;

	if (j->fd >= 0)
		close(j->fd);
	if (j->lock_fd >= 0)
		close(j->lock_fd);
	mem_deref(j->waiting);
	mem_deref(j->writing);
	pthread_mutex_destroy(&j->mutex);
	pthread_cond_destroy(&j->cond);
}


static int journal_alloc(struct journal **jp,
			 const struct journal_config *cfg,
			 journal_synced_h *h, void *arg)
{
	struct journal *j = mem_zalloc(sizeof(*j), destructor);
	pthread_condattr_t attr;
	int err;

	if (!j)
		return ENOMEM;

	j->fd = j->lock_fd = -1;
	j->segment_bytes = cfg->segment_bytes;
	j->backlog_max = cfg->backlog_max;
	j->group_ms = cfg->group_ms;
	j->h = h;
	j->arg = arg;
	atomic_init(&j->is_healthy, true);
	pthread_mutex_init(&j->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&j->cond, &attr);
	pthread_condattr_destroy(&attr);
	metrics_alloc(j);

	err = text_copy(j->dir, sizeof(j->dir), cfg->dir);
	if (!err) {
		j->waiting = mbuf_alloc(ROOM);
		j->writing = mbuf_alloc(ROOM);
		if (!j->waiting || !j->writing)
			err = ENOMEM;
	}

	if (err)
		mem_deref(j);
	else
		*jp = j;
	return err;
}


static int dir_lock(struct journal *j)
{
	char path[PATH_SIZE];
	int err;

	if (mkdir(j->dir, 0750) && errno != EEXIST)
		return errno;

	err = text_format(path, sizeof(path), "%s/lock", j->dir);
	if (err)
		return err;

	j->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (j->lock_fd < 0 || flock(j->lock_fd, LOCK_EX | LOCK_NB))
		return errno;

	return 0;
}


/* --- the segment */

static int segment_create(struct journal *j)
{
	char path[PATH_SIZE];
	int err;

	err = segment_path(path, sizeof(path), j->dir, j->number + 1);
	if (err)
		return err;

	/* it may be there empty: created when the folder could not be synced */
	j->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (j->fd < 0)
		return errno;

	err = segment_sync_dir(j->dir);
	if (err) {
		close(j->fd);
		j->fd = -1;
		return err;
	}

	++j->number;
	j->size = 0;
	return 0;
}


static int bytes_write(int fd, const uint8_t *p, size_t len, uint64_t at)
{
	while (len) {
		const ssize_t n = pwrite(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;

		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}

	return 0;
}


/*
 * After a failed sync the kernel may take pages for clean that never reached
 * the disk: the whole group is written again, not only synced again.
 */
static int group_write_once(struct journal *j, const struct mbuf *mb)
{
	int err;

	if (j->fd >= 0 && j->size >= j->segment_bytes) {
		close(j->fd);
		j->fd = -1;
	}
	if (j->fd < 0) {
		err = segment_create(j);
		if (err)
			return err;
	}

	err = bytes_write(j->fd, mb->buf, mb->end, j->size);
	if (!err && fdatasync(j->fd))
		err = errno;
	if (err)
		return err;

	j->size += mb->end;
	metric_add(j->m_bytes, mb->end);
	return 0;
}


/* --- what an earlier start left */

struct recovery {
	struct journal *j;
	struct journal_replay *replay;
	struct mbuf *ends;
	unsigned orphans;
	int err;
};


static int segment_replay(struct recovery *rec, uint32_t number,
			  uint64_t *ret_end)
{
	struct journal *j = rec->j;
	struct segment_reader *reader;
	struct journal_record record;
	int err;

	err = segment_open(&reader, j->dir, number, 0);
	if (err)
		return err;

	while (0 == (err = segment_next(reader, true, &record))) {
		err = journal_replay_feed(rec->replay, &record);
		if (err == ENOMEM)
			break;
		if (err)
			log_event(LOG_WARN, "journal", "record_unknown",
				  "segment=%u end=%" PRIu64, number,
				  segment_offset(reader));
	}

	if (segment_damaged(reader)) {
		metric_add(j->m_damaged, segment_damaged(reader));
		log_event(LOG_ERROR, "journal", "damaged",
			  "segment=%u bytes=%" PRIu64, number,
			  segment_damaged(reader));
	}

	*ret_end = segment_offset(reader);
	mem_deref(reader);
	return err == ENODATA ? 0 : err;
}


/* Cut what the last write before the crash did not finish. */
static int tail_cut(struct journal *j, uint32_t number, uint64_t end)
{
	const uint64_t size = segment_size(j->dir, number);
	char path[PATH_SIZE];
	int fd, err = 0;

	if (size <= end)
		return 0;

	log_event(LOG_WARN, "journal", "tail_cut",
		  "segment=%u end=%" PRIu64 " bytes=%" PRIu64, number, end,
		  size - end);

	err = segment_path(path, sizeof(path), j->dir, number);
	if (err)
		return err;
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (ftruncate(fd, (off_t)end) || fsync(fd))
		err = errno;
	close(fd);

	return err;
}


static void orphan_end(const struct cdr_call *call, void *arg)
{
	struct recovery *rec = arg;

	if (!rec->err)
		rec->err = journal_encode_call(rec->ends, JOURNAL_END, call);
	++rec->orphans;
}


static int segments_replay(struct recovery *rec)
{
	struct journal *j = rec->j;
	uint32_t *numbers;
	uint64_t end = 0;
	size_t n, i;
	int err;

	err = segment_list(j->dir, &numbers, &n);
	if (err)
		return err;

	for (i = 0; i < n && !err; i++) {
		j->number = numbers[i];
		err = segment_replay(rec, numbers[i], &end);
	}
	free(numbers);

	if (!err && n)
		err = tail_cut(j, j->number, end);

	return err;
}


/* Close what is open, in a segment of its own, before anything new begins. */
static int recover(struct journal *j)
{
	struct recovery rec = {.j = j};
	int err;

	err = journal_replay_alloc(&rec.replay);
	if (err)
		return err;

	rec.ends = mbuf_alloc(ROOM);
	err = rec.ends ? segments_replay(&rec) : ENOMEM;
	if (!err) {
		journal_replay_finish(rec.replay, orphan_end, &rec);
		err = rec.err;
	}
	if (!err)
		err = group_write_once(j, rec.ends);
	if (!err)
		log_event(LOG_INFO, "journal", "open",
			  "segment=%u closed_calls=%u", j->number,
			  rec.orphans);

	mem_deref(rec.replay);
	mem_deref(rec.ends);
	return err;
}


/* --- the thread */

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


/* Take what waits, in company. @return false when there is nothing to come */
static bool group_take(struct journal *j, uint64_t *ret_seq)
{
	struct mbuf *mb;
	bool any;

	pthread_mutex_lock(&j->mutex);

	while (!j->waiting_n && !j->is_closing)
		pthread_cond_wait(&j->cond, &j->mutex);
	if (j->group_ms)
		sleep_unless_closing(j, j->group_ms);

	mb = j->waiting;
	j->waiting = j->writing;
	j->writing = mb;
	any = j->waiting_n > 0;
	j->waiting_n = 0;
	*ret_seq = j->seq;

	pthread_mutex_unlock(&j->mutex);
	return any;
}


static void health_set(struct journal *j, int err)
{
	const bool is_healthy = !err;

	metric_set(j->m_healthy, is_healthy);
	if (atomic_exchange(&j->is_healthy, is_healthy) == is_healthy)
		return;

	if (err)
		log_event(LOG_ERROR, "journal", "disk_refuses",
			  "dir=%s error=\"%s\" now=\"no call is admitted\" "
			  "fix=\"space, rights or the disk\"",
			  j->dir, strerror(err));
	else
		log_event(LOG_WARN, "journal", "disk_recovered", "dir=%s",
			  j->dir);
}


/* @return false when the journal closes and the disk still refuses */
static bool group_write(struct journal *j)
{
	uint32_t refused_ms = 0;
	struct moment before, after;
	bool is_closing;
	int err;

	for (;;) {
		moment_read(&before);
		err = group_write_once(j, j->writing);
		moment_read(&after);
		metric_observe(j->m_sync,
			       (double)(after.mono_us - before.mono_us) / 1e6);
		health_set(j, err);
		if (!err)
			break;

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

	mbuf_rewind(j->writing);
	return true;
}


static void *thread_run(void *arg)
{
	struct journal *j = arg;
	uint64_t seq;

	(void)pthread_setname_np(pthread_self(), "journal");
	while (group_take(j, &seq)) {
		if (!group_write(j)) {
			log_event(LOG_ERROR, "journal", "lost",
				  "bytes=%zu note=\"closed while the disk "
				  "refused\"", j->writing->end);
			break;
		}
		if (j->h)
			j->h(seq, j->arg);
	}

	return NULL;
}


/* --- the interface */

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

	err = dir_lock(j);
	if (!err)
		err = recover(j);
	if (!err)
		err = pthread_create(&j->thread, NULL, thread_run, j);

	if (err) {
		mem_deref(j);
		return err;
	}

	metric_set(j->m_healthy, 1);
	*jp = j;
	return 0;
}


static int append_locked(struct journal *j, const uint8_t *frame, size_t len,
			 uint64_t *ret_seq)
{
	if (j->waiting_n >= j->backlog_max || j->is_closing)
		return ENOBUFS;
	if (mbuf_write_mem(j->waiting, frame, len))
		return ENOBUFS;

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
	    rec.frame_len != len)
		return EINVAL;

	if (rec.type == JOURNAL_BEGIN && !journal_healthy(j)) {
		metric_add(j->m_refused, 1);
		return EIO;
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


bool journal_healthy(const struct journal *j)
{
	return atomic_load_explicit(&j->is_healthy, memory_order_relaxed);
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
