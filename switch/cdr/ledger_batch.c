/**
 * @file ledger_batch.c  A batch: frames as they were in the journal, their
 * rows, and where each ends.
 */
#include <errno.h>
#include <inttypes.h>
#include <re.h>
#include <string.h>
#include "ledger_batch.h"
#include "ledger_row.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "rng.h"
#include "text.h"

#define ROOM ((size_t)1 << 16)
#define FRAMES_MAX ((size_t)4 << 20)
#define WHY_SIZE 256

enum fate {
	FATE_LOAD,
	FATE_SKIP,   /* the database has it */
	FATE_REFUSE, /* to the dead letters */
};

/* Bytes in a buffer. */
struct piece {
	size_t at, len;
};

struct item {
	struct piece frame, rows[LEDGER_TABLE_N];
	struct piece why;           /* with its NUL, when it is refused */
	struct journal_position end;
	int64_t started_ms;
	uint8_t call_id[16];
	char sqlstate[6];           /* of why; "": not the database's */
	uint8_t fate;
};

struct ledger_batch {
	const char *node, *epoch;   /* epoch NULL: of no node's journal */
	struct mbuf *frames, *rows[LEDGER_TABLE_N], *sql[LEDGER_TABLE_N];
	struct mbuf *text;          /* scratch: arrays, bytes */
	struct mbuf *whys;
	struct item *items;
	size_t item_n, done, max;
	struct metric *loaded, *refused, *missing, *number, *repeated;
};


static void destructor(void *arg)
{
	struct ledger_batch *b = arg;

	for (int i = 0; i < LEDGER_TABLE_N; i++) {
		mem_deref(b->rows[i]);
		mem_deref(b->sql[i]);
	}
	mem_deref(b->frames);
	mem_deref(b->text);
	mem_deref(b->whys);
	mem_deref(b->items);
}


static void metrics_alloc(struct ledger_batch *b)
{
	b->loaded = metric_counter("strowger_cdr_loaded_total", NULL,
				   "Calls loaded into PostgreSQL");
	b->refused = metric_counter("strowger_cdr_refused_total", NULL,
				    "Records put aside: the database refuses "
				    "them");
	b->repeated = metric_counter("strowger_cdr_repeated_total", NULL,
				     "Records left out: the database had "
				     "them");
	b->missing = metric_counter("strowger_cdr_missing_total", NULL,
				    "Numbers of the journal that no record "
				    "had");
	b->number = metric_gauge("strowger_cdr_loaded_number", NULL,
				 "Number of the last record loaded, compare "
				 "strowger_cdr_journal_number");
}


int ledger_batch_alloc(struct ledger_batch **bp, const char *node,
		       uint32_t max, const char *epoch)
{
	struct ledger_batch *b = mem_zalloc(sizeof(*b), destructor);
	int err;

	if (!b)
		return ENOMEM;

	b->node = node;
	b->max = max;
	b->epoch = epoch;
	metrics_alloc(b);
	b->items = mem_zalloc(max * sizeof(*b->items), NULL);
	b->frames = mbuf_alloc(ROOM);
	b->text = mbuf_alloc(ROOM);
	b->whys = mbuf_alloc(WHY_SIZE);
	err = b->items && b->frames && b->text && b->whys ? 0 : ENOMEM;
	for (int i = 0; i < LEDGER_TABLE_N && !err; i++) {
		b->rows[i] = mbuf_alloc(ROOM);
		b->sql[i] = mbuf_alloc(1024);
		err = b->rows[i] && b->sql[i]
			      ? ledger_copy_sql(b->sql[i],
						(enum ledger_table)i)
			      : ENOMEM;
	}

	if (err)
		mem_deref(b);
	else
		*bp = b;
	return err;
}


/* It goes to the dead letters, which take UTF-8 and nothing else. */
static int item_refuse(struct ledger_batch *b, struct item *item,
		       const char *why, const char *sqlstate)
{
	char text[WHY_SIZE];
	size_t at = b->whys->end;
	int err;

	TEXT_FILL(text, why);
	text_mend(text);
	err = mbuf_write_mem(b->whys, (const uint8_t *)text, strlen(text) + 1);
	if (err)
		return err;

	item->why = (struct piece){at, b->whys->end - at};
	TEXT_FILL(item->sqlstate, sqlstate);
	item->fate = FATE_REFUSE;
	for (int i = 0; i < LEDGER_TABLE_N; i++)
		item->rows[i].len = 0;

	return 0;
}


static const char *item_why(const struct ledger_batch *b,
			    const struct item *item)
{
	return (const char *)b->whys->buf + item->why.at;
}


int ledger_batch_add(struct ledger_batch *b, const struct journal_record *rec,
		     const struct cdr_call *call, struct journal_position end)
{
	struct item *item = &b->items[b->item_n];
	int err;

	memset(item, 0, sizeof(*item));
	item->frame = (struct piece){b->frames->end, rec->frame_len};
	item->end = end;
	for (int i = 0; i < LEDGER_TABLE_N; i++)
		item->rows[i].at = b->rows[i]->end;

	err = mbuf_write_mem(b->frames, rec->frame, rec->frame_len);
	if (!err && call) {
		item->started_ms = call->call.started_at;
		memcpy(item->call_id, call->call.call_id, 16);
		err = ledger_rows(b->rows, call);
	}
	else if (!err) {
		err = item_refuse(b, item, "cannot be decoded", "");
	}
	if (err)
		return err;

	for (int i = 0; i < LEDGER_TABLE_N; i++)
		item->rows[i].len = b->rows[i]->end - item->rows[i].at;
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


/* --- what is sent ------------------------------------------------------- */

static int table_copy(struct ledger_batch *b, struct pg *pg, int table,
		      size_t lo, size_t hi)
{
	const struct piece *first = &b->items[lo].rows[table];
	const struct piece *last = &b->items[hi - 1].rows[table];
	const size_t len = last->at + last->len - first->at;
	int err;

	if (!len)
		return 0;

	err = pg_copy_begin(pg, (const char *)b->sql[table]->buf);
	if (!err)
		err = pg_copy_row(pg, (const char *)b->rows[table]->buf +
				  first->at, len);

	return err ? err : pg_copy_end(pg);
}


/* What nobody can load stays with the reason: it is tried again by hand. */
static int letter_send(struct ledger_batch *b, struct pg *pg,
		       const struct item *item)
{
	const uint8_t *frame = b->frames->buf + item->frame.at;
	char segment[24], offset[24], number[24];
	const char *params[7] = {b->node, segment, offset, number, NULL,
				 item->sqlstate[0] ? item->sqlstate : NULL,
				 item_why(b, item)};
	int err = 0;

	(void)text_format(segment, sizeof(segment), "%u", item->end.segment);
	(void)text_format(offset, sizeof(offset), "%" PRIu64,
			  item->end.offset);
	(void)text_format(number, sizeof(number), "%" PRIu64,
			  item->end.number);
	mbuf_rewind(b->text);
	err = mbuf_write_str(b->text, "\\x");
	for (size_t i = 0; i < item->frame.len && !err; i++)
		err = mbuf_printf(b->text, "%02x", frame[i]);
	if (!err)
		err = mbuf_write_u8(b->text, 0);
	if (err)
		return err;

	params[4] = (const char *)b->text->buf;
	return pg_exec(pg, "SELECT api_v1.load_dead_letter($1, $2, $3, $4, "
		       "$5, $6, $7)", 7, params, NULL);
}


/* Keys of the calls that have charges, as two arrays. */
static int keys_write(struct ledger_batch *b, size_t lo, size_t hi,
		      const char **ret_started, const char **ret_ids)
{
	char buf[64];
	size_t ids_at = 0;
	int err = 0;

	mbuf_rewind(b->text);
	for (int pass = 0; pass < 2 && !err; pass++) {
		char before = '{';

		ids_at = pass ? b->text->end : 0;
		for (size_t i = lo; i < hi && !err; i++) {
			const struct item *item = &b->items[i];

			if (!item->rows[LEDGER_CHARGE].len)
				continue;
			err = mbuf_write_u8(b->text, (uint8_t)before);
			before = ',';
			err |= mbuf_write_str(b->text, pass
				? uuid_format(buf, item->call_id)
				: moment_format(buf, item->started_ms));
		}
		if (before == '{' && !err)
			err = mbuf_write_u8(b->text, '{');
		err |= mbuf_write_mem(b->text, (const uint8_t *)"}", 2);
	}

	*ret_started = (const char *)b->text->buf;
	*ret_ids = (const char *)b->text->buf + ids_at;
	return err ? ENOMEM : 0;
}


static int position_send(struct ledger_batch *b, struct pg *pg, size_t lo,
			 size_t hi, uint64_t missing)
{
	const struct journal_position *end = &b->items[hi - 1].end;
	char segment[24], offset[24], number[24], gap[24];
	const char *params[7] = {b->node, b->epoch ? segment : NULL, offset,
				 number, gap};
	int err;

	(void)text_format(segment, sizeof(segment), "%u", end->segment);
	(void)text_format(offset, sizeof(offset), "%" PRIu64, end->offset);
	(void)text_format(number, sizeof(number), "%" PRIu64, end->number);
	(void)text_format(gap, sizeof(gap), "%" PRIu64, missing);
	err = keys_write(b, lo, hi, &params[5], &params[6]);

	return err ? err
		   : pg_exec(pg, "SELECT api_v1.load_calls($1, $2, $3, $4, "
			     "$5, $6, $7)", 7, params, NULL);
}


static int begin_send(struct ledger_batch *b, struct pg *pg)
{
	const char *params[] = {b->node, b->epoch};
	int err = pg_exec(pg, "BEGIN", 0, NULL, NULL);

	if (!err && b->epoch)
		err = pg_exec(pg, "SELECT api_v1.load_begin($1, $2)", 2,
			      params, NULL);
	else if (!err)
		err = pg_exec(pg, "SELECT api_v1.load_begin()", 0, NULL,
			      NULL);

	return err;
}


/* Items lo..hi in one transaction: all of them are loaded, or it is one. */
static int items_send(struct ledger_batch *b, struct pg *pg, size_t lo,
		      size_t hi, uint64_t missing)
{
	const uint8_t fate = b->items[lo].fate;
	int err;

	err = begin_send(b, pg);
	for (int i = 0; i < LEDGER_TABLE_N && !err && fate == FATE_LOAD; i++)
		err = table_copy(b, pg, i, lo, hi);
	if (!err && fate == FATE_REFUSE && b->epoch)
		err = letter_send(b, pg, &b->items[lo]);
	if (!err)
		err = position_send(b, pg, lo, hi, missing);
	if (!err)
		err = pg_exec(pg, "COMMIT", 0, NULL, NULL);

	return err;
}


/* --- what comes back ---------------------------------------------------- */

static void done_set(struct ledger_batch *b, size_t done)
{
	size_t n[FATE_REFUSE + 1] = {0};

	for (size_t i = b->done; i < done; i++)
		++n[b->items[i].fate];

	metric_add(b->loaded, n[FATE_LOAD]);
	metric_add(b->repeated, n[FATE_SKIP]);
	metric_add(b->refused, n[FATE_REFUSE]);
	if (done)
		metric_set(b->number,
			   (int64_t)b->items[done - 1].end.number);
	b->done = done;
}


/* Is it the data that the server minds (SQL classes 22, 23), or itself? */
static bool is_data_refused(const struct pg *pg)
{
	const char *state = pg_sqlstate(pg);

	return state[0] == '2' && (state[1] == '2' || state[1] == '3');
}


/* Records have one unique key. */
static bool is_there_already(const struct pg *pg)
{
	return !strcmp(pg_sqlstate(pg), "23505") &&
	       !strncmp(pg_error_table(pg), "record_", 7);
}


static void refused_log(const struct ledger_batch *b, const struct item *item)
{
	log_event(LOG_ERROR, "ledger", "record_refused",
		  "segment=%u end=%" PRIu64 " error=\"%s\" fix=\"the call "
		  "is in no bill: mend what the database says, then strowger "
		  "journal retry\"", item->end.segment, item->end.offset,
		  item_why(b, item));
}


static int items_load(struct ledger_batch *b, struct pg *pg, size_t lo,
		      size_t hi, struct journal_position *stored);


/* The server minds the data: halve, until it is one record. */
static int items_split(struct ledger_batch *b, struct pg *pg, size_t lo,
		       size_t hi, struct journal_position *stored)
{
	const size_t middle = lo + (hi - lo) / 2;
	const bool is_there = is_there_already(pg);
	struct item *item = &b->items[lo];
	char why[WHY_SIZE], sqlstate[6];
	int err;

	TEXT_FILL(why, pg_error(pg));
	TEXT_FILL(sqlstate, pg_sqlstate(pg));
	err = pg_exec(pg, "ROLLBACK", 0, NULL, NULL);
	if (err)
		return err;

	if (hi - lo > 1) {
		err = items_load(b, pg, lo, middle, stored);
		return err ? err : items_load(b, pg, middle, hi, stored);
	}

	/* refused without a row in it: it is not the data after all */
	if (item->fate != FATE_LOAD)
		return EPROTO;

	if (is_there) {
		item->fate = FATE_SKIP;
		for (int i = 0; i < LEDGER_TABLE_N; i++)
			item->rows[i].len = 0;
	}
	else {
		err = item_refuse(b, item, why, sqlstate);
		if (err)
			return err;
		refused_log(b, item);
	}

	return items_load(b, pg, lo, hi, stored);
}


/* What cannot be decoded is alone in its transaction. */
static size_t run_end(const struct ledger_batch *b, size_t lo, size_t hi)
{
	size_t i = lo;

	while (i < hi && b->items[i].fate == FATE_LOAD)
		++i;

	return i > lo ? i : lo + 1;
}


/* Load items lo..hi. The recursion is as deep as batch_max has bits. */
static int items_load(struct ledger_batch *b, struct pg *pg, size_t lo,
		      size_t hi, struct journal_position *stored)
{
	const uint64_t missing = b->items[hi - 1].end.missing -
				 stored->missing;
	int err = items_send(b, pg, lo, hi, missing);

	if (err == EPROTO && is_data_refused(pg))
		return items_split(b, pg, lo, hi, stored);
	if (err)
		return err;

	*stored = b->items[hi - 1].end;
	metric_add(b->missing, missing);
	done_set(b, hi);
	return 0;
}


int ledger_batch_load(struct ledger_batch *b, struct pg *pg,
		      struct journal_position *stored)
{
	int err = 0;

	while (b->done < b->item_n && !err) {
		const size_t hi = run_end(b, b->done, b->item_n);

		err = items_load(b, pg, b->done, hi, stored);
	}

	return err;
}


bool ledger_batch_resume(struct ledger_batch *b,
			 struct journal_position *stored)
{
	size_t i;

	for (i = b->done; i < b->item_n; i++) {
		if (journal_position_compare(b->items[i].end, *stored))
			continue;

		*stored = b->items[i].end;
		done_set(b, i + 1);
		return true;
	}

	return false;
}


void ledger_batch_clear(struct ledger_batch *b)
{
	mbuf_rewind(b->frames);
	mbuf_rewind(b->whys);
	for (int i = 0; i < LEDGER_TABLE_N; i++)
		mbuf_rewind(b->rows[i]);
	b->item_n = b->done = 0;
}


void ledger_batch_count(const struct ledger_batch *b,
			struct ledger_loaded *ret)
{
	for (size_t i = 0; i < b->done; i++) {
		ret->loaded += b->items[i].fate == FATE_LOAD;
		ret->repeated += b->items[i].fate == FATE_SKIP;
		ret->refused += b->items[i].fate == FATE_REFUSE;
		if (b->items[i].fate == FATE_REFUSE)
			TEXT_FILL(ret->why, item_why(b, &b->items[i]));
	}
}
