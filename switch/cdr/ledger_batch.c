/**
 * @file ledger_batch.c  A batch: frames as they were in the journal, their
 * rows, and where each ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <re.h>
#include <string.h>
#include <unistd.h>
#include "ledger_batch.h"
#include "ledger_row.h"
#include "log.h"
#include "metric.h"
#include "pg.h"
#include "text.h"

#define PATH_SIZE 512
#define ROOM ((size_t)1 << 16)
#define FRAMES_MAX ((size_t)4 << 20)

struct item {
	size_t frame_at, frame_len; /* in frames */
	size_t row_at, row_len;     /* in rows; none: put aside */
	struct journal_position end;
};

struct ledger_batch {
	const char *dir, *node;
	struct mbuf *frames, *rows;
	struct item *items;
	size_t item_n, done, max;
	struct metric *loaded, *refused;
};


static void destructor(void *arg)
{
	struct ledger_batch *b = arg;

	mem_deref(b->frames);
	mem_deref(b->rows);
	mem_deref(b->items);
}


int ledger_batch_alloc(struct ledger_batch **bp, const char *dir,
		       const char *node, uint32_t max)
{
	struct ledger_batch *b = mem_zalloc(sizeof(*b), destructor);

	if (!b)
		return ENOMEM;

	b->dir = dir;
	b->node = node;
	b->max = max;
	b->loaded = metric_counter("strowger_cdr_loaded_total", NULL,
				   "Calls loaded into PostgreSQL");
	b->refused = metric_counter("strowger_cdr_refused_total", NULL,
				    "Records put aside: the database refuses "
				    "them");
	b->items = mem_zalloc(max * sizeof(*b->items), NULL);
	b->frames = mbuf_alloc(ROOM);
	b->rows = mbuf_alloc(ROOM);
	if (!b->items || !b->frames || !b->rows) {
		mem_deref(b);
		return ENOMEM;
	}

	*bp = b;
	return 0;
}


static int aside_write(struct ledger_batch *b, const struct item *item)
{
	char path[PATH_SIZE];
	int fd, err = 0;

	if (text_format(path, sizeof(path), "%s/refused.journal", b->dir))
		return EOVERFLOW;

	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;
	if (write(fd, b->frames->buf + item->frame_at, item->frame_len) !=
	    (ssize_t)item->frame_len || fdatasync(fd))
		err = errno ? errno : EIO;
	close(fd);

	return err;
}


/* Keep the frame of a record that nobody can load, and go on behind it. */
static int item_refuse(struct ledger_batch *b, struct item *item,
		       const char *why)
{
	int err = aside_write(b, item);

	if (err)
		return err;

	metric_add(b->refused, 1);
	log_event(LOG_ERROR, "ledger", "record_refused",
		  "segment=%u end=%" PRIu64 " file=refused.journal "
		  "error=\"%s\" fix=\"the call is in no bill: mend what "
		  "the database says, keep the file\"", item->end.segment,
		  item->end.offset, why);
	item->row_len = 0;
	return 0;
}


int ledger_batch_add(struct ledger_batch *b, const struct journal_record *rec,
		     const struct cdr_call *call, struct journal_position end)
{
	struct item *item = &b->items[b->item_n];
	int err;

	item->frame_at = b->frames->end;
	item->frame_len = rec->frame_len;
	item->row_at = b->rows->end;
	item->end = end;

	err = mbuf_write_mem(b->frames, rec->frame, rec->frame_len);
	if (!err)
		err = call ? ledger_rows(b->rows, call)
			   : item_refuse(b, item, "cannot be decoded");
	if (err)
		return err;

	item->row_len = b->rows->end - item->row_at;
	++b->item_n;
	return 0;
}


bool ledger_batch_full(const struct ledger_batch *b)
{
	return b->item_n == b->max || b->frames->end >= FRAMES_MAX;
}


size_t ledger_batch_left(const struct ledger_batch *b)
{
	return b->item_n - b->done;
}


static void done_set(struct ledger_batch *b, size_t done)
{
	size_t i, n = 0;

	for (i = b->done; i < done; i++)
		n += b->items[i].row_len > 0;

	metric_add(b->loaded, n);
	b->done = done;
}


/* Items lo..hi in one transaction. */
static int rows_send(struct ledger_batch *b, struct pg *pg, size_t lo,
		     size_t hi)
{
	const struct item *first = &b->items[lo], *last = &b->items[hi - 1];
	const size_t len = last->row_at + last->row_len - first->row_at;
	char segment[24], offset[24];
	const char *params[] = {b->node, segment, offset};
	int err;

	(void)text_format(segment, sizeof(segment), "%u", last->end.segment);
	(void)text_format(offset, sizeof(offset), "%" PRIu64,
			  last->end.offset);

	err = pg_exec(pg, "BEGIN", 0, NULL, NULL);
	if (!err && len) {
		err = pg_copy_begin(pg, ledger_copy_sql());
		if (!err)
			err = pg_copy_row(pg, (const char *)b->rows->buf +
					  first->row_at, len);
		if (!err)
			err = pg_copy_end(pg);
	}
	if (!err)
		err = pg_exec(pg, "SELECT api_v1.load_cdrs($1, $2, $3)", 3,
			      params, NULL);
	if (!err)
		err = pg_exec(pg, "COMMIT", 0, NULL, NULL);

	return err;
}


/* Is it the data that the server minds (SQL classes 22, 23), or itself? */
static bool is_data_refused(const struct pg *pg)
{
	const char *state = pg_sqlstate(pg);

	return state[0] == '2' && (state[1] == '2' || state[1] == '3');
}


static int items_load(struct ledger_batch *b, struct pg *pg, size_t lo,
		      size_t hi, struct journal_position *stored);


/* The server minds the data: halve, until it is one record. */
static int items_split(struct ledger_batch *b, struct pg *pg, size_t lo,
		       size_t hi, struct journal_position *stored)
{
	const size_t middle = lo + (hi - lo) / 2;
	char why[256];
	int err;

	(void)text_copy(why, sizeof(why), pg_error(pg));
	err = pg_exec(pg, "ROLLBACK", 0, NULL, NULL);
	if (err)
		return err;

	if (hi - lo > 1) {
		err = items_load(b, pg, lo, middle, stored);
		return err ? err : items_load(b, pg, middle, hi, stored);
	}

	/* refused without a row in it: it is not the data after all */
	if (!b->items[lo].row_len)
		return EPROTO;

	err = item_refuse(b, &b->items[lo], why);
	return err ? err : items_load(b, pg, lo, hi, stored);
}


/* Load items lo..hi. The recursion is as deep as batch_max has bits. */
static int items_load(struct ledger_batch *b, struct pg *pg, size_t lo,
		      size_t hi, struct journal_position *stored)
{
	int err = rows_send(b, pg, lo, hi);

	if (err == EPROTO && is_data_refused(pg))
		return items_split(b, pg, lo, hi, stored);
	if (err)
		return err;

	*stored = b->items[hi - 1].end;
	done_set(b, hi);
	return 0;
}


int ledger_batch_load(struct ledger_batch *b, struct pg *pg,
		      struct journal_position *stored)
{
	return items_load(b, pg, b->done, b->item_n, stored);
}


bool ledger_batch_resume(struct ledger_batch *b,
			 struct journal_position stored)
{
	size_t i;

	for (i = b->done; i < b->item_n; i++) {
		if (journal_position_compare(b->items[i].end, stored))
			continue;

		done_set(b, i + 1);
		return true;
	}

	return false;
}


void ledger_batch_clear(struct ledger_batch *b)
{
	mbuf_rewind(b->frames);
	mbuf_rewind(b->rows);
	b->item_n = b->done = 0;
}
