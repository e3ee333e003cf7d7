/** @file reconcile.c  See reconcile.h. */
#include <errno.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "csv.h"
#include "pg.h"
#include "reconcile.h"
#include "text.h"

#define CELLS_MAX 64
#define LINES_MAX 20000000

enum part { AT, CALLED, DURATION, COST, PART_N };

static const char *const part_names[PART_N] = {"at", "called", "duration",
					       "cost"};

static const char *const part_forms[PART_N] = {
	"a time as 2027-01-31 12:00:00",
	"a number, of at most 64 characters",
	"seconds (61 or 61.25) or h:mm:ss",
	"a decimal number (0.0125), of at most six decimals",
};

struct reader {
	struct pg *pg;
	const struct reconcile_order *order;
	char *text;
	char *cells[CELLS_MAX];
	size_t n;
	size_t line;
	size_t columns[PART_N];
	const char *names[PART_N];  /* of the columns, in the file */
	size_t unreadable, first;   /* lines; the first of them    */
	struct mbuf *mb;
	char *why;
	size_t size;
};


/* Of the file as a whole: nothing more is read */
static int fault(struct reader *r, const char *column, const char *what)
{
	(void)text_format(r->why, r->size, "line %zu: %s %s", r->line, column,
			  what);
	return EBADMSG;
}


/* Of one cell, or line: others are read all the same */
static void unreadable(struct reader *r, const char *column, const char *value,
		       const char *expected)
{
	const struct reconcile_fault fault = {
		.line = r->line, .column = column, .value = value,
		.expected = expected,
	};

	if (r->order->unreadable)
		r->order->unreadable(r->order->arg, &fault);
}


static void line_unreadable(struct reader *r)
{
	if (!r->unreadable++)
		r->first = r->line;
}


/* What the file calls a part: of "at=Start,..." that is "Start" */
static void name_of(char *buf, size_t size, const char *map, enum part part)
{
	const size_t len = strlen(part_names[part]);

	(void)text_copy(buf, size, part_names[part]);
	for (; map && *map; map += strcspn(map, ","), map += *map == ',') {
		if (!strncmp(map, part_names[part], len) && map[len] == '=')
			(void)text_set(buf, size, map + len + 1,
				       strcspn(map + len + 1, ","));
	}
}


static int header_read(struct reader *r, const char *map)
{
	char name[128];

	r->line = 1;
	if (csv_record(&r->text, r->cells, CELLS_MAX, &r->n))
		return fault(r, "", "must name the columns");
	for (int part = 0; part < PART_N; part++) {
		name_of(name, sizeof(name), map, (enum part)part);
		for (r->columns[part] = 0; r->columns[part] < r->n;
		     r->columns[part]++) {
			if (!strcmp(r->cells[r->columns[part]], name))
				break;
		}
		if (r->columns[part] == r->n)
			return fault(r, name, "is no column: say with a map "
				     "which is");
		r->names[part] = r->cells[r->columns[part]];
	}
	return 0;
}


/* "61", "61.25" or "0:01:01" */
static int duration_read(int64_t *ret_ms, const char *text)
{
	int64_t v, sum = 0;
	char part[24];

	if (!strchr(text, ':'))
		return text_decimal(ret_ms, text, 3);
	while (strchr(text, ':')) {
		if (text_set(part, sizeof(part), text, strcspn(text, ":")) ||
		    text_decimal(&v, part, 0) || v < 0 || v > 100000)
			return EBADMSG;
		sum = 60 * (sum + v);
		text = strchr(text, ':') + 1;
	}
	if (text_decimal(&v, text, 3) || v < 0 || v >= 60000)
		return EBADMSG;
	*ret_ms = 1000 * sum + v;
	return 0;
}


static unsigned two(const char *digits)
{
	return (unsigned)(digits[0] - '0') * 10 + (unsigned)(digits[1] - '0');
}


/* Of a date that has its form: is there such a day? */
static bool is_day(const char *text)
{
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30,
				       31, 31, 30, 31, 30, 31};
	const unsigned year = 100 * two(text) + two(text + 2);
	const unsigned month = two(text + 5), day = two(text + 8);
	const bool is_leap = (year % 4 == 0 && year % 100 != 0) ||
			     year % 400 == 0;

	return year && month >= 1 && month <= 12 && day >= 1 &&
	       day <= days[month - 1] &&
	       (month != 2 || day < 29 || is_leap);
}


static bool has_form(const char *text, const char *form)
{
	for (size_t i = 0; form[i]; i++) {
		const char c = text[i];

		if (form[i] == 'd' ? c < '0' || c > '9'
		    : form[i] == ' ' ? c != ' ' && c != 'T' : c != form[i])
			return false;
	}

	return true;
}


/* Nothing, "Z", "UTC", "+02", "-0530" or "+05:30" */
static bool is_offset(const char *text)
{
	text += *text == ' ';
	if (!*text || !strcmp(text, "Z") || !strcmp(text, "UTC"))
		return true;
	if ((*text != '+' && *text != '-') || !has_form(++text, "dd") ||
	    two(text) > 15)
		return false;
	text += 2;
	text += *text == ':' && text[1];

	return !*text || (has_form(text, "dd") && !text[2] && two(text) < 60);
}


/* A date, and a time of day: what else PostgreSQL reads would be a surprise,
   and what it does not read would end the reading of the file. */
static bool is_time(const char *text)
{
	if (!has_form(text, "dddd-dd-dd dd:dd") || !is_day(text) ||
	    two(text + 11) > 23 || two(text + 14) > 59)
		return false;
	text += 16;
	if (*text == ':') {
		if (!has_form(text, ":dd") || two(text + 1) > 59)
			return false;
		text += 3;
		if (*text == '.')
			text += 1 + strspn(text + 1, "0123456789");
	}

	return strlen(text) < 24 && is_offset(text);
}


/* Not everything is UTF-8 */
static bool is_number(const char *text)
{
	if (!strpbrk(text, "0123456789") || strlen(text) > 64)
		return false;
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;

	return true;
}


static const char *cell(const struct reader *r, enum part part)
{
	return r->cells[r->columns[part]];
}


static bool row_is_right(struct reader *r, int64_t *ret_ms, int64_t *ret_cost)
{
	bool is_right[PART_N] = {false};
	bool are_all = true;

	for (int part = 0; part < PART_N; part++)
		is_right[part] = r->columns[part] < r->n;
	is_right[AT] = is_right[AT] && is_time(cell(r, AT));
	is_right[CALLED] = is_right[CALLED] && is_number(cell(r, CALLED));
	is_right[DURATION] = is_right[DURATION] &&
			     !duration_read(ret_ms, cell(r, DURATION)) &&
			     *ret_ms >= 0;
	is_right[COST] = is_right[COST] &&
			 !text_decimal(ret_cost, cell(r, COST), 6);
	for (int part = 0; part < PART_N; part++) {
		if (is_right[part])
			continue;
		are_all = false;
		unreadable(r, r->names[part], r->columns[part] < r->n
				? cell(r, (enum part)part) : NULL,
			   part_forms[part]);
	}

	return are_all;
}


static int row_stage(struct reader *r, int64_t ms, int64_t cost)
{
	char line[24], ms_text[24], cost_text[24];
	int err;

	(void)text_format(line, sizeof(line), "%zu", r->line);
	(void)text_format(ms_text, sizeof(ms_text), "%lld", (long long)ms);
	(void)text_format(cost_text, sizeof(cost_text), "%lld",
			  (long long)cost);
	mbuf_rewind(r->mb);
	err = pg_copy_field(r->mb, line, false);
	err |= pg_copy_field(r->mb, cell(r, AT), false);
	err |= pg_copy_field(r->mb, cell(r, CALLED), false);
	err |= pg_copy_field(r->mb, ms_text, false);
	err |= pg_copy_field(r->mb, cost_text, true);
	return err ? ENOMEM : pg_copy_row(r->pg, (const char *)r->mb->buf,
					  r->mb->end);
}


static int row_take(struct reader *r)
{
	int64_t ms, cost;

	if (!row_is_right(r, &ms, &cost)) {
		line_unreadable(r);
		return 0;
	}

	/* it will not be compared: no need to keep it */
	return r->unreadable ? 0 : row_stage(r, ms, cost);
}


static int rows_stage(struct reader *r)
{
	const struct reconcile_order *order = r->order;
	int err = 0;

	while (!err) {
		r->line++;
		if (order->progress && !order->progress(order->arg, r->line))
			return ECANCELED;
		err = csv_record(&r->text, r->cells, CELLS_MAX, &r->n);
		if (err == ENODATA)
			break;
		if (err) {
			/* where the next line begins is not known */
			unreadable(r, NULL, NULL, "CSV (RFC 4180) of at most "
				   "64 columns; what follows is not read");
			line_unreadable(r);
			err = ENODATA;
			break;
		}
		if (r->n == 1 && !*r->cells[0])
			continue;
		err = r->line > LINES_MAX ? fault(r, "", "is one too many")
					  : row_take(r);
	}
	if (err != ENODATA)
		return err;
	if (!r->unreadable)
		return 0;

	(void)text_format(r->why, r->size, "%zu lines cannot be read, the "
			  "first is line %zu: nothing is compared",
			  r->unreadable, r->first);
	return EBADMSG;
}


static int stage(struct reader *r)
{
	const struct reconcile_order *order = r->order;
	const char *zone = order->zone && *order->zone ? order->zone : "UTC";
	int err, end;

	err = pg_exec(r->pg, "SELECT set_config('TimeZone', $1, true), "
		      "set_config('statement_timeout', '900s', true)", 1,
		      &zone, NULL);
	if (!err)
		err = pg_exec(r->pg, "CREATE TEMP TABLE reconciliation_stage ("
			      "line bigint, at timestamptz, called text, "
			      "duration_ms bigint, cost_micro bigint) ON "
			      "COMMIT DROP", 0, NULL, NULL);
	if (!err)
		err = header_read(r, order->map);
	if (!err)
		err = pg_copy_begin(r->pg, "COPY reconciliation_stage FROM "
					   "STDIN");
	if (err)
		return err;

	err = rows_stage(r);
	if (err == ECONNRESET)
		return err;
	end = pg_copy_end(r->pg);
	return err ? err : end;
}


int reconcile_run(struct pg *pg, const struct reconcile_order *order,
		  char *text, char id[RECONCILE_ID_SIZE], char *why,
		  size_t size)
{
	const char *row[] = {order->carrier, order->from, order->to,
			     order->file, order->is_answer_time ? "t" : "f",
			     order->id};
	const char *key = id;
	struct reader r = {.pg = pg, .order = order, .text = text, .why = why,
			   .size = size, .mb = mbuf_alloc(256)};
	PGresult *made = NULL;
	int err = r.mb ? 0 : ENOMEM;

	*why = '\0';
	if (!err)
		err = pg_exec(pg, "INSERT INTO report.reconciliation (id, "
			      "carrier_id, from_at, to_at, file_name, "
			      "is_answer_time, currency) SELECT "
			      "coalesce($6, core.new_id('rec')), c.id, $2::timestamptz, "
			      "$3::timestamptz, $4, $5, c.currency FROM "
			      "core.carrier c WHERE c.id = $1 RETURNING id", 6,
			      row, &made);
	if (!err && PQntuples(made) != 1) {
		(void)text_format(why, size, "there is no carrier %s",
				  order->carrier);
		err = EBADMSG;
	}
	if (!err) {
		(void)text_copy(id, RECONCILE_ID_SIZE, PQgetvalue(made, 0, 0));
		err = stage(&r);
	}
	if (!err)
		err = pg_exec(pg, "SELECT report.reconcile($1)", 1, &key,
			      NULL);
	if (err && err != EBADMSG && pg_error(pg))
		(void)text_copy(why, size, pg_error(pg));
	PQclear(made);
	mem_deref(r.mb);
	return err;
}
