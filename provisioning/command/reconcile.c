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

struct reader {
	struct pg *pg;
	char *text;
	char *cells[CELLS_MAX];
	size_t n;
	size_t line;
	size_t columns[PART_N];
	struct mbuf *mb;
	char *why;
	size_t size;
};


static int fault(struct reader *r, const char *column, const char *what)
{
	(void)text_format(r->why, r->size, "line %zu: %s %s", r->line, column,
			  what);
	return EBADMSG;
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


/* A date, and a time of day: what else PostgreSQL reads would be a surprise */
static bool is_time(const char *text)
{
	static const char form[] = "dddd-dd-dd dd:dd";

	for (size_t i = 0; form[i]; i++) {
		const char c = text[i];

		if (form[i] == 'd' ? c < '0' || c > '9'
		    : form[i] == ' ' ? c != ' ' && c != 'T' : c != form[i])
			return false;
	}
	return strlen(text) < 40;
}


static int row_stage(struct reader *r)
{
	const char *at = r->cells[r->columns[AT]];
	const char *called = r->cells[r->columns[CALLED]];
	int64_t ms, cost;
	char line[24], ms_text[24], cost_text[24];
	int err;

	if (!is_time(at))
		return fault(r, part_names[AT], "is no time as 2027-01-31 "
						"12:00:00");
	if (!strpbrk(called, "0123456789") || strlen(called) > 64)
		return fault(r, part_names[CALLED], "is no number");
	if (duration_read(&ms, r->cells[r->columns[DURATION]]) || ms < 0)
		return fault(r, part_names[DURATION], "is neither seconds nor "
						      "h:mm:ss");
	if (text_decimal(&cost, r->cells[r->columns[COST]], 6))
		return fault(r, part_names[COST], "is no decimal number");

	(void)text_format(line, sizeof(line), "%zu", r->line);
	(void)text_format(ms_text, sizeof(ms_text), "%lld", (long long)ms);
	(void)text_format(cost_text, sizeof(cost_text), "%lld",
			  (long long)cost);
	mbuf_rewind(r->mb);
	err = pg_copy_field(r->mb, line, false);
	err |= pg_copy_field(r->mb, at, false);
	err |= pg_copy_field(r->mb, called, false);
	err |= pg_copy_field(r->mb, ms_text, false);
	err |= pg_copy_field(r->mb, cost_text, true);
	return err ? ENOMEM : pg_copy_row(r->pg, (const char *)r->mb->buf,
					  r->mb->end);
}


static int rows_stage(struct reader *r, const struct reconcile_order *order)
{
	int err = 0;

	while (!err) {
		r->line++;
		if (order->progress && !order->progress(order->arg, r->line))
			return ECANCELED;
		err = csv_record(&r->text, r->cells, CELLS_MAX, &r->n);
		if (err == ENODATA)
			return 0;
		if (err)
			return fault(r, "", "is not CSV (RFC 4180)");
		if (r->n == 1 && !*r->cells[0])
			continue;
		for (int part = 0; part < PART_N; part++) {
			if (r->columns[part] >= r->n)
				return fault(r, part_names[part],
					     "is missing");
		}
		err = r->line > LINES_MAX ? fault(r, "", "is one too many")
					  : row_stage(r);
	}
	return err;
}


static int stage(struct reader *r, const struct reconcile_order *order)
{
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

	err = rows_stage(r, order);
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
	struct reader r = {.pg = pg, .text = text, .why = why, .size = size,
			   .mb = mbuf_alloc(256)};
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
		err = stage(&r, order);
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
