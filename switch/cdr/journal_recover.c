/**
 * @file journal_recover.c  First the memory of a process that was killed,
 * then the segments: both may have been left by the same one.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "journal.h"
#include "journal_disk.h"
#include "journal_recover.h"
#include "log.h"
#include "metric.h"
#include "segment.h"
#include "spool.h"

#define PATH_SIZE 512
#define ROOM ((size_t)1 << 20)

struct recovery {
	struct journal_disk *d;
	struct journal_replay *replay;
	struct mbuf *ends;
	uint64_t number;            /* of the last record so far */
	unsigned orphans;
	int err;
};


/* --- memory ------------------------------------------------------------- */

/* The number before the first record of what waits. */
static uint64_t number_before(const struct mbuf *mb)
{
	struct journal_record rec;

	if (journal_frame(mb->buf, mb->end, &rec) || !rec.number)
		return 0;

	return rec.number - 1;
}


static int spool_gather(const struct spool *s, struct mbuf **ret)
{
	struct iovec parts[2];
	const size_t len = spool_read(s, spool_end(s), parts);
	struct mbuf *mb = mbuf_alloc(len + 1);
	int err = mb ? 0 : ENOMEM;

	for (unsigned i = 0; i < 2 && !err; i++)
		err = mbuf_write_mem(mb, parts[i].iov_base, parts[i].iov_len);

	if (err)
		mem_deref(mb);
	else
		*ret = mb;
	return err;
}


/* What a segment has from an offset on; NULL: no memory, or the disk. */
static struct mbuf *rest_read(const char *dir, uint32_t segment,
			      uint64_t offset)
{
	const uint64_t size = segment_size(dir, segment);
	const size_t len = size > offset ? (size_t)(size - offset) : 0;
	struct mbuf *mb = mbuf_alloc(len + 1);
	char path[PATH_SIZE];
	ssize_t n = -1;
	int fd;

	if (!mb || !len)
		return mb;

	fd = segment_path(path, sizeof(path), dir, segment)
		     ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = pread(fd, mb->buf, len, (off_t)offset);
		(void)close(fd);
	}
	if (n != (ssize_t)len)
		return mem_deref(mb);

	mb->end = len;
	return mb;
}


/* Has the disk from there on the begin of what waits, and nothing else? */
static int rest_check(const char *dir, uint32_t segment, uint64_t offset,
		      const struct mbuf *waiting, bool *ret_is_ours)
{
	struct mbuf *rest = rest_read(dir, segment, offset);
	struct journal_record head;
	size_t at = 0;

	if (!rest)
		return EIO;

	/* a head that was not wholly written is of a segment without records */
	if (!offset)
		at = journal_frame(rest->buf, rest->end, &head)
			     ? rest->end : head.frame_len;
	*ret_is_ours = rest->end - at <= waiting->end &&
		       !memcmp(rest->buf + at, waiting->buf, rest->end - at);
	mem_deref(rest);
	return 0;
}


/*
 * Has nobody written the journal since? A start with another memory may have:
 * then that place, or the segment after it, holds records that are not ours.
 */
static int place_check(const struct recovery *rec, struct spool_place place,
		       const struct mbuf *waiting, uint32_t *ret_last,
		       bool *ret_is_ours)
{
	const char *dir = journal_disk_dir(rec->d);
	const uint32_t segment = (uint32_t)place.segment;
	uint32_t *numbers;
	size_t n;
	int err;

	err = segment_list(dir, &numbers, &n);
	if (err)
		return err;

	*ret_last = n ? numbers[n - 1] : 0;
	free(numbers);

	*ret_is_ours = *ret_last <= segment + 1;
	if (*ret_is_ours && place.offset)
		err = rest_check(dir, segment, place.offset, waiting,
				 ret_is_ours);
	if (!err && *ret_is_ours)
		err = rest_check(dir, segment + 1, 0, waiting, ret_is_ours);

	return err;
}


/*
 * The group that was being written goes to the same place again, whatever of
 * it is there: a reader that was behind finds each record where it was. When
 * the journal went on without it, it goes behind all that is there; what the
 * database has already is left out by its key.
 */
static int spool_write(struct recovery *rec, const struct spool *s)
{
	const struct spool_place place = spool_place(s);
	bool is_ours = false;
	struct mbuf *mb = NULL;
	uint32_t last = 0;
	struct iovec all;
	int err;

	err = spool_gather(s, &mb);
	if (err || !mb->end)
		goto out;

	err = place_check(rec, place, mb, &last, &is_ours);
	if (err)
		goto out;

	if (!is_ours)
		log_event(LOG_WARN, "journal", "memory_late",
			  "segment=%" PRIu64 " last_segment=%u bytes=%zu "
			  "note=\"journal.memory_dir was another one since\"",
			  place.segment, last, mb->end);
	err = is_ours && place.offset
		      ? journal_disk_resume(rec->d, (uint32_t)place.segment,
					    place.offset)
		      : ENOENT;
	if (err == ENOENT) {
		journal_disk_follow(rec->d, is_ours ? (uint32_t)place.segment
						    : last);
		err = 0;
	}
	if (err)
		goto out;

	all = (struct iovec){mb->buf, mb->end};
	err = journal_disk_write(rec->d, &all, 1, number_before(mb));
	if (!err)
		log_event(LOG_INFO, "journal", "memory_written",
			  "segment=%" PRIu64 " bytes=%zu", place.segment,
			  mb->end);

 out:
	mem_deref(mb);
	return err;
}


static int spool_recover(struct recovery *rec, const char *memory_dir)
{
	struct spool *s;
	int err;

	if (!memory_dir)
		return 0;

	err = spool_find(&s, memory_dir, journal_disk_id(rec->d));
	if (err)
		return err == ENOENT ? 0 : err;

	err = spool_write(rec, s);
	if (!err)
		spool_remove(s);
	mem_deref(s);
	return err;
}


/* --- segments ----------------------------------------------------------- */

static void number_take(struct recovery *rec,
			const struct journal_record *record)
{
	struct journal_segment head;
	uint64_t number = record->number;

	if (record->type == JOURNAL_SEGMENT &&
	    !journal_decode_segment(record, &head))
		number = (uint64_t)head.number;
	if (number > rec->number)
		rec->number = number;
}


static int segment_replay(struct recovery *rec, uint32_t number,
			  uint64_t *ret_end)
{
	struct segment_reader *reader;
	struct journal_record record;
	int err;

	err = segment_open(&reader, journal_disk_dir(rec->d), number, 0);
	if (err)
		return err;

	while (0 == (err = segment_next(reader, true, &record))) {
		number_take(rec, &record);
		err = journal_replay_feed(rec->replay, &record);
		if (err == ENOMEM)
			break;
		if (err)
			log_event(LOG_WARN, "journal", "record_unknown",
				  "segment=%u end=%" PRIu64, number,
				  segment_offset(reader));
	}

	if (segment_damaged(reader)) {
		metric_add(metric_counter(
			"strowger_cdr_journal_damaged_bytes_total", NULL,
			"Bytes of the journal that could not be read"),
			segment_damaged(reader));
		log_event(LOG_ERROR, "journal", "damaged",
			  "segment=%u bytes=%" PRIu64, number,
			  segment_damaged(reader));
	}

	*ret_end = segment_offset(reader);
	mem_deref(reader);
	return err == ENODATA ? 0 : err;
}


/* Cut what the last write before the crash did not finish. */
static int tail_cut(const char *dir, uint32_t number, uint64_t end)
{
	const uint64_t size = segment_size(dir, number);
	char path[PATH_SIZE];
	int fd, err = 0;

	if (size <= end)
		return 0;

	log_event(LOG_WARN, "journal", "tail_cut",
		  "segment=%u end=%" PRIu64 " bytes=%" PRIu64, number, end,
		  size - end);

	err = segment_path(path, sizeof(path), dir, number);
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


static int segments_replay(struct recovery *rec)
{
	const char *dir = journal_disk_dir(rec->d);
	uint32_t *numbers;
	uint64_t end = 0;
	size_t n, i;
	int err;

	err = segment_list(dir, &numbers, &n);
	if (err)
		return err;

	for (i = 0; i < n && !err; i++)
		err = segment_replay(rec, numbers[i], &end);
	if (!err && n) {
		err = tail_cut(dir, numbers[n - 1], end);
		journal_disk_follow(rec->d, numbers[n - 1]);
	}
	free(numbers);

	return err;
}


/* --- what is open ------------------------------------------------------- */

static int end_encode(struct recovery *rec, const struct cdr_call *call)
{
	struct journal_numbered numbered;
	struct mbuf *mb = mbuf_alloc(1024);
	int err;

	if (!mb)
		return ENOMEM;

	err = journal_encode_call(mb, JOURNAL_END, call);
	if (!err)
		journal_number(mb->buf, mb->end, rec->number + 1, &numbered);
	for (unsigned i = 0; i < 3 && !err; i++)
		err = mbuf_write_mem(rec->ends, numbered.parts[i].iov_base,
				     numbered.parts[i].iov_len);
	if (!err)
		++rec->number;

	mem_deref(mb);
	return err;
}


static void orphan_end(const struct cdr_call *call, void *arg)
{
	struct recovery *rec = arg;

	if (!rec->err)
		rec->err = end_encode(rec, call);
	++rec->orphans;
}


static int orphans_write(struct recovery *rec)
{
	const uint64_t before = rec->number;
	struct iovec all;

	journal_replay_finish(rec->replay, orphan_end, rec);
	if (rec->err)
		return rec->err;

	all = (struct iovec){rec->ends->buf, rec->ends->end};
	return journal_disk_write(rec->d, &all, 1, before);
}


int journal_recover(struct journal_disk *d, const char *memory_dir,
		    uint64_t *ret_number)
{
	struct recovery rec = {.d = d};
	uint64_t segment, offset;
	int err;

	rec.ends = mbuf_alloc(ROOM);
	err = rec.ends ? journal_replay_alloc(&rec.replay) : ENOMEM;
	if (!err)
		err = spool_recover(&rec, memory_dir);
	if (!err)
		err = segments_replay(&rec);
	if (!err)
		err = orphans_write(&rec);
	if (!err) {
		journal_disk_place(d, &segment, &offset);
		log_event(LOG_INFO, "journal", "open",
			  "segment=%" PRIu64 " closed_calls=%u number=%" PRIu64,
			  segment, rec.orphans, rec.number);
		*ret_number = rec.number;
	}

	mem_deref(rec.replay);
	mem_deref(rec.ends);
	return err;
}
