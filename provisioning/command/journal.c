/**
 * @file journal.c  `strowger journal ...`: what is in a journal on disk, and
 * getting it into a database. It reads, and changes nothing on disk: a switch
 * may be writing there.
 */
#include <errno.h>
#include "json.h"
#include <inttypes.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "database.h"
#include "grid.h"
#include "journal_reader.h"
#include "ledger_batch.h"
#include "moment.h"
#include "pg.h"
#include "rng.h"
#include "segment.h"
#include "text.h"

#define PATH_SIZE 512
#define REPLAY_MAX 1000   /* calls in one transaction */
#define FRAME_HEX_MAX (2 * JOURNAL_FRAME_MAX)

static const char *const type_names[] = {
	[JOURNAL_BEGIN] = "begin", [JOURNAL_ANSWER] = "answer",
	[JOURNAL_CHECKPOINT] = "checkpoint", [JOURNAL_END] = "end",
	[JOURNAL_SEGMENT] = "segment",
};
#define TYPE_N (sizeof(type_names) / sizeof(type_names[0]))


static int dir_of(const struct options *opt, char dir[PATH_SIZE])
{
	return text_format(dir, PATH_SIZE, "%s/journal", opt->state_dir);
}


/* --- list, verify ------------------------------------------------------- */

struct tally {
	uint64_t records[TYPE_N], bytes, damaged, missing, unknown;
	uint64_t first, last;       /* numbers; 0: none */
	int64_t begun_ms;           /* of the segment, 0: not said */
};


static void tally_record(struct tally *t, const struct journal_record *rec,
			 uint64_t *number)
{
	struct journal_segment head;
	uint64_t before;

	++t->records[rec->type];
	if (rec->type == JOURNAL_SEGMENT) {
		if (journal_decode_segment(rec, &head))
			return;
		t->begun_ms = head.wall_ms;
		before = (uint64_t)head.number;
	}
	else if (rec->number) {
		before = rec->number - 1;
		t->first = t->first ? t->first : rec->number;
		t->last = rec->number;
	}
	else {
		return;
	}

	if (*number && before > *number)
		t->missing += before - *number;
	*number = rec->number ? rec->number : before;
}


/* @param number  of the last record before it, and then of its last one */
static int segment_tally(const char *dir, uint32_t segment, bool is_last,
			 struct tally *t, uint64_t *number,
			 struct journal_replay *open)
{
	struct segment_reader *r;
	struct journal_record rec;
	int err;

	memset(t, 0, sizeof(*t));
	err = segment_open(&r, dir, segment, 0);
	if (err)
		return err;

	while (0 == (err = segment_next(r, !is_last, &rec))) {
		tally_record(t, &rec, number);
		t->unknown += journal_replay_feed(open, &rec) != 0;
	}
	t->bytes = segment_size(dir, segment);
	t->damaged = segment_damaged(r);
	/* of the last one the writer may be about to write more */
	if (!is_last && t->bytes > segment_offset(r))
		t->damaged += t->bytes - segment_offset(r);
	mem_deref(r);

	return err == ENODATA ? 0 : err;
}


static int number_cell(struct grid *g, uint64_t v)
{
	char text[24];

	(void)text_format(text, sizeof(text), "%" PRIu64, v);
	return grid_cell(g, text);
}


static int row_add(struct grid *g, uint32_t segment, const struct tally *t)
{
	char begun[40];
	int err;

	err = number_cell(g, segment);
	err |= grid_cell(g, t->begun_ms ? moment_format(begun, t->begun_ms)
					: NULL);
	err |= number_cell(g, t->bytes);
	for (size_t i = JOURNAL_BEGIN; i <= JOURNAL_END; i++)
		err |= number_cell(g, t->records[i]);
	err |= number_cell(g, t->first);
	err |= number_cell(g, t->last);
	err |= number_cell(g, t->missing);
	err |= number_cell(g, t->damaged + t->unknown);

	return err ? ENOMEM : 0;
}


static json_t *row_json(uint32_t segment, const struct tally *t)
{
	char begun[40];

	return json_pack("{s:I,s:s?,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}",
			 "segment", (json_int_t)segment, "begun_at",
			 t->begun_ms ? moment_format(begun, t->begun_ms)
				     : NULL,
			 "bytes", (json_int_t)t->bytes,
			 "begin", (json_int_t)t->records[JOURNAL_BEGIN],
			 "answer", (json_int_t)t->records[JOURNAL_ANSWER],
			 "checkpoint",
			 (json_int_t)t->records[JOURNAL_CHECKPOINT],
			 "end", (json_int_t)t->records[JOURNAL_END],
			 "first_number", (json_int_t)t->first,
			 "last_number", (json_int_t)t->last,
			 "missing", (json_int_t)t->missing,
			 "damaged_bytes", (json_int_t)t->damaged,
			 "unknown", (json_int_t)t->unknown);
}


static void call_count(const struct cdr_call *call, void *arg)
{
	uint64_t *n = arg;

	(void)call;
	++*n;
}


struct survey {
	struct grid *grid;          /* or */
	json_t *rows;
	uint64_t missing, damaged, open_calls;
};


static int survey_run(struct survey *s, const char *dir)
{
	struct journal_replay *open = NULL;
	uint32_t *segments = NULL;
	uint64_t number = 0;
	size_t n = 0, i;
	int err;

	err = segment_list(dir, &segments, &n);
	if (!err)
		err = journal_replay_alloc(&open);
	for (i = 0; i < n && !err; i++) {
		struct tally t;

		err = segment_tally(dir, segments[i], i + 1 == n, &t, &number,
				    open);
		if (err)
			break;
		s->missing += t.missing;
		s->damaged += t.damaged + t.unknown;
		if (s->grid)
			err = row_add(s->grid, segments[i], &t);
		else
			json_array_append_new(s->rows,
					      row_json(segments[i], &t));
	}
	if (!err)
		journal_replay_finish(open, call_count, &s->open_calls);

	free(segments);
	mem_deref(open);
	return err;
}


static void survey_print(struct survey *s)
{
	if (s->grid) {
		grid_print(s->grid, stdout);
		(void)printf("%" PRIu64 " calls open, %" PRIu64 " records "
			     "missing, %" PRIu64 " bytes or records that "
			     "cannot be read\n", s->open_calls, s->missing,
			     s->damaged);
		return;
	}

	json_t *all = json_pack("{s:O,s:I,s:I,s:I}", "segments", s->rows,
				"open_calls", (json_int_t)s->open_calls,
				"missing", (json_int_t)s->missing, "damaged",
				(json_int_t)s->damaged);

	(void)json_dumpf(all, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(all);
}


static int survey(const struct options *opt, bool is_judged)
{
	static const char *const heads[] = {
		"SEGMENT", "BEGUN", "BYTES", "BEGIN", "ANSWER", "CHECKPOINT",
		"END", "FIRST", "LAST", "MISSING", "DAMAGED", NULL};
	struct survey s = {0};
	char dir[PATH_SIZE];
	int err;

	err = dir_of(opt, dir);
	if (!err && opt->is_json)
		s.rows = json_array();
	else if (!err)
		err = grid_alloc(&s.grid, heads);
	if (!err)
		err = survey_run(&s, dir);
	if (!err)
		survey_print(&s);

	mem_deref(s.grid);
	json_decref(s.rows);
	if (err)
		return command_fail(COMMAND_REFUSED, "%s: %s", dir,
				    strerror(err));

	return is_judged && (s.missing || s.damaged) ? COMMAND_REFUSED
						     : COMMAND_OK;
}


int command_journal_list(const struct options *opt)
{
	return survey(opt, false);
}


int command_journal_verify(const struct options *opt)
{
	return survey(opt, true);
}


/* --- show --------------------------------------------------------------- */

static json_t *field_json(const struct cdr_field *f, const struct cdr *cdr)
{
	const char *p = (const char *)cdr + f->offset;
	char text[64];
	int64_t v;

	switch ((enum cdr_kind)f->kind) {
	case CDR_TEXT:
		/* what a peer sent may be no UTF-8 */
		return *p ? json_string(p) : NULL;
	case CDR_FLAG:
		return *p ? json_true() : NULL;
	case CDR_UUID:
		return json_string(uuid_format(text, (const uint8_t *)p));
	case CDR_NUMBER:
	case CDR_TIME:
	default:
		memcpy(&v, p, sizeof(v));
		if (v == CDR_NULL)
			return NULL;
		return f->kind == CDR_TIME
			? json_string(moment_format(text, v))
			: json_integer(v);
	}
}


static json_t *cdr_json(const struct cdr *cdr)
{
	json_t *doc = json_object();

	for (size_t i = 0; i < CDR_FIELD_N; i++) {
		json_t *value = field_json(&cdr_fields[i], cdr);

		if (value)
			json_object_set_new(doc, cdr_fields[i].name, value);
	}

	return doc;
}


static void call_show(const struct journal_record *rec,
		      const struct cdr_call *call)
{
	json_t *doc = json_pack("{s:s,s:I,s:o}", "record",
				type_names[rec->type], "number",
				(json_int_t)rec->number, "call",
				cdr_json(&call->call));
	json_t *attempts = json_array();

	for (uint32_t i = 0; i < call->attempt_n; i++)
		json_array_append_new(attempts, cdr_json(&call->attempts[i]));
	json_object_set_new(doc, "attempts", attempts);
	json_object_set_new(doc, "charges", json_integer(call->charge_n));
	(void)json_dumpf(doc, stdout, JSON_COMPACT);
	(void)putchar('\n');
	json_decref(doc);
}


int command_journal_show(const struct options *opt)
{
	const struct journal_position begin = {0};
	struct journal_reader *r = NULL;
	struct journal_record rec;
	struct cdr_call *call;
	char dir[PATH_SIZE];
	uint8_t wanted[16], id[16];
	unsigned shown = 0;
	int err;

	if (uuid_parse(wanted, opt->argument))
		return command_fail(COMMAND_USAGE, "a call id is a UUID");

	call = mem_zalloc(sizeof(*call), NULL);
	err = call ? dir_of(opt, dir) : ENOMEM;
	if (!err)
		err = journal_reader_alloc(&r, dir, begin);
	while (!err && !(err = journal_reader_next(r, &rec))) {
		if (journal_decode_call_id(&rec, id) ||
		    memcmp(id, wanted, sizeof(id)) != 0 ||
		    journal_decode_call(&rec, call))
			continue;
		call_show(&rec, call);
		++shown;
	}
	mem_deref(r);
	mem_deref(call);

	if (err != ENODATA && err != ENOENT)
		return command_fail(COMMAND_REFUSED, "%s: %s", dir,
				    strerror(err));
	if (!shown)
		return command_fail(COMMAND_REFUSED, "the journal has no "
				    "record of this call (any more): "
				    "PostgreSQL may");

	return COMMAND_OK;
}


/* --- replay ------------------------------------------------------------- */

struct replay {
	struct pg *pg;
	struct ledger_batch *batch; /* of one node */
	char node[32];
	struct cdr_call *call;
	uint64_t read, undecoded;
	struct ledger_loaded loaded;
};


static int batch_flush(struct replay *r)
{
	struct journal_position ignored = {0};
	int err;

	if (!r->batch || !ledger_batch_left(r->batch))
		return 0;

	err = ledger_batch_load(r->batch, r->pg, &ignored);
	if (!err) {
		ledger_batch_count(r->batch, &r->loaded);
		ledger_batch_clear(r->batch);
	}
	return err;
}


/* Leases are the node's whose record it is. */
static int batch_of_node(struct replay *r, const char *node)
{
	int err;

	if (r->batch && !strcmp(node, r->node))
		return 0;

	err = batch_flush(r);
	if (err)
		return err;

	r->batch = mem_deref(r->batch);
	TEXT_FILL(r->node, node);
	return ledger_batch_alloc(&r->batch, r->node, REPLAY_MAX, NULL);
}


static int record_replay(struct replay *r, const struct journal_record *rec)
{
	const struct journal_position nowhere = {0};
	int err;

	if (rec->type != JOURNAL_END)
		return 0;
	if (journal_decode_call(rec, r->call)) {
		++r->undecoded;
		return 0;
	}

	++r->read;
	err = batch_of_node(r, r->call->call.node);
	if (!err && ledger_batch_full(r->batch))
		err = batch_flush(r);

	return err ? err : ledger_batch_add(r->batch, rec, r->call, nowhere);
}


static int journal_replay_dir(struct replay *r, const char *dir)
{
	const struct journal_position begin = {0};
	struct journal_reader *reader;
	struct journal_record rec;
	int err;

	err = journal_reader_alloc(&reader, dir, begin);
	if (err)
		return err == ENOENT ? 0 : err;

	while (!(err = journal_reader_next(reader, &rec))) {
		err = record_replay(r, &rec);
		if (err)
			break;
	}
	mem_deref(reader);

	return err == ENODATA ? batch_flush(r) : err;
}


static int replay_open(struct replay *r, const struct options *opt, char *why,
		       size_t size)
{
	memset(r, 0, sizeof(*r));
	r->call = mem_zalloc(sizeof(*r->call), NULL);

	return r->call ? database_open(&r->pg, opt, why, size) : ENOMEM;
}


static void replay_close(struct replay *r)
{
	mem_deref(r->batch);
	mem_deref(r->call);
	mem_deref(r->pg);
}


int command_journal_replay(const struct options *opt)
{
	char dir[PATH_SIZE], why[256] = "out of memory";
	struct replay r;
	int err, code = COMMAND_OK;

	if (dir_of(opt, dir))
		return command_fail(COMMAND_USAGE, "--state is too long");
	if (replay_open(&r, opt, why, sizeof(why))) {
		replay_close(&r);
		return command_fail(COMMAND_UNREACHABLE, "%s", why);
	}

	err = journal_replay_dir(&r, dir);
	if (err == EPROTO || err == ECONNRESET)
		code = command_fail(COMMAND_UNREACHABLE, "%s",
				    pg_error(r.pg));
	else if (err)
		code = command_fail(COMMAND_REFUSED, "%s: %s", dir,
				    strerror(err));
	(void)printf("%" PRIu64 " calls read, %" PRIu64 " loaded, %" PRIu64
		     " were there, %" PRIu64 " refused, %" PRIu64
		     " cannot be decoded\n", r.read, r.loaded.loaded,
		     r.loaded.repeated, r.loaded.refused, r.undecoded);
	if (!code && (r.loaded.refused || r.undecoded))
		code = COMMAND_REFUSED;
	replay_close(&r);

	return code;
}


/* --- retry -------------------------------------------------------------- */

static int letter_say(struct replay *r, const char *id, const char *error)
{
	const char *params[] = {id, error};

	return pg_exec(r->pg, "UPDATE cdr.dead_letter SET tries = tries + 1, "
		       "tried_at = now(), loaded_at = CASE WHEN $2::text IS "
		       "NULL THEN now() END, error = coalesce($2, error) "
		       "WHERE id = $1::bigint", 2, params, NULL);
}


static int letter_try(struct replay *r, const char *id, const char *hex)
{
	static uint8_t frame[JOURNAL_FRAME_MAX];
	const size_t len = strlen(hex) / 2;
	const struct ledger_loaded before = r->loaded;
	struct journal_record rec;
	const char *error = NULL;
	int err;

	if (len > sizeof(frame) || text_unhex(frame, len, hex) ||
	    journal_frame(frame, len, &rec) ||
	    journal_decode_call(&rec, r->call)) {
		++r->undecoded;
		return letter_say(r, id, "cannot be decoded");
	}

	err = record_replay(r, &rec);
	if (!err)
		err = batch_flush(r);
	if (err)
		return err;
	if (r->loaded.refused > before.refused)
		error = r->loaded.why;

	return letter_say(r, id, error);
}


int command_journal_retry(const struct options *opt)
{
	char why[256] = "out of memory";
	PGresult *letters = NULL;
	struct replay r;
	int err, code = COMMAND_OK, n = 0;

	if (replay_open(&r, opt, why, sizeof(why))) {
		replay_close(&r);
		return command_fail(COMMAND_UNREACHABLE, "%s", why);
	}

	err = pg_exec(r.pg, "SELECT id, encode(frame, 'hex') FROM "
		      "cdr.dead_letter WHERE status = 'open' ORDER BY id",
		      0, NULL, &letters);
	for (int i = 0; !err && i < PQntuples(letters); i++, n++)
		err = letter_try(&r, PQgetvalue(letters, i, 0),
				 PQgetvalue(letters, i, 1));
	PQclear(letters);
	if (err)
		code = command_fail(COMMAND_UNREACHABLE, "%s",
				    pg_error(r.pg));
	(void)printf("%d tried, %" PRIu64 " loaded, %" PRIu64 " were there, %"
		     PRIu64 " still refused\n", n, r.loaded.loaded,
		     r.loaded.repeated, r.loaded.refused + r.undecoded);
	if (!code && (r.loaded.refused || r.undecoded))
		code = COMMAND_REFUSED;
	replay_close(&r);

	return code;
}
