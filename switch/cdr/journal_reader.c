/**
 * @file journal_reader.c  From segment to segment.
 */
#include <errno.h>
#include <inttypes.h>
#include <re.h>
#include <stdlib.h>
#include "journal_reader.h"
#include "log.h"
#include "metric.h"
#include "segment.h"

struct journal_reader {
	const char *dir;
	struct segment_reader *segment;
	uint64_t number, missing;
	uint64_t highest;           /* of all numbers so far */
	struct metric *damaged;
};


int journal_position_compare(struct journal_position a,
			     struct journal_position b)
{
	if (a.segment != b.segment)
		return a.segment < b.segment ? -1 : 1;

	return (a.offset > b.offset) - (a.offset < b.offset);
}


int journal_end(const char *dir, struct journal_position *ret)
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


int journal_segment_from(const char *dir, uint32_t number, uint32_t *ret)
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


static void destructor(void *arg)
{
	struct journal_reader *r = arg;

	mem_deref(r->segment);
}


int journal_reader_alloc(struct journal_reader **rp, const char *dir,
			 struct journal_position from)
{
	struct journal_reader *r;
	uint32_t number;
	int err;

	err = journal_segment_from(dir, from.segment, &number);
	if (err || !number)
		return err ? err : ENOENT;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;

	r->dir = dir;
	r->number = r->highest = from.number;
	r->damaged = metric_counter(
		"strowger_cdr_journal_damaged_bytes_total", NULL,
		"Bytes of the journal that could not be read");
	err = segment_open(&r->segment, dir, number,
			   number == from.segment ? from.offset : 0);

	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}


/* unread: bytes at the end of a segment that are no record */
static void damage_count(const struct journal_reader *r, uint64_t unread)
{
	const uint64_t bytes = segment_damaged(r->segment) + unread;

	if (!bytes)
		return;

	metric_add(r->damaged, bytes);
	log_event(LOG_ERROR, "journal", "damaged",
		  "segment=%u bytes=%" PRIu64, segment_number(r->segment),
		  bytes);
}


static int segment_advance(struct journal_reader *r, uint32_t next)
{
	const uint64_t end = segment_offset(r->segment);
	const uint64_t size = segment_size(r->dir,
					   segment_number(r->segment));
	struct segment_reader *segment;
	int err;

	err = segment_open(&segment, r->dir, next, 0);
	if (err)
		return err;

	damage_count(r, size > end ? size - end : 0);
	mem_deref(r->segment);
	r->segment = segment;
	return 0;
}


/* A segment that is gone shows by the head of the next one. Numbers that go
   back are of a journal that took the place of another, or of records that came
   late (memory_late): then they go on where they had been. */
static void number_take(struct journal_reader *r,
			const struct journal_record *rec)
{
	struct journal_segment head;
	uint64_t before;

	if (rec->type == JOURNAL_SEGMENT) {
		if (journal_decode_segment(rec, &head))
			return;
		before = (uint64_t)head.number;
	}
	else if (rec->number) {
		before = rec->number - 1;
	}
	else {
		return;
	}

	if (r->number && before > r->number && before > r->highest) {
		r->missing += before - r->number;
		log_event(LOG_ERROR, "journal", "missing",
			  "segment=%u offset=%" PRIu64 " from=%" PRIu64
			  " to=%" PRIu64, segment_number(r->segment),
			  segment_offset(r->segment), r->number + 1, before);
	}
	r->number = rec->number ? rec->number : before;
	r->highest = max(r->highest, r->number);
}


static int record_next(struct journal_reader *r, struct journal_record *ret)
{
	uint32_t next;
	int err;

	for (;;) {
		err = segment_next(r->segment, false, ret);
		if (err != ENODATA)
			return err;

		/* when there is a next segment the writer has left this one:
		 * what is in it now is all of it */
		err = journal_segment_from(
			r->dir, segment_number(r->segment) + 1, &next);
		if (err || !next)
			return err ? err : ENODATA;

		err = segment_next(r->segment, true, ret);
		if (err != ENODATA)
			return err;

		err = segment_advance(r, next);
		if (err)
			return err;
	}
}


int journal_reader_next(struct journal_reader *r, struct journal_record *ret)
{
	const int err = record_next(r, ret);

	if (!err)
		number_take(r, ret);
	return err;
}


struct journal_position journal_reader_at(const struct journal_reader *r)
{
	const struct journal_position at = {segment_number(r->segment),
					    segment_offset(r->segment),
					    r->number, r->missing};

	return at;
}
