/** @file report.c  See report.h: what is asked for, and asking it. */
#include "json.h"
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "pg.h"
#include "report.h"
#include "text.h"

static const char *const by_names[REPORT_BY_N] = {
	"from", "to", "tenant", "trunk", "carrier", "direction", "currency",
	"zone", "step", "limit", "run", "viewer",
};
static const char *const defaults[REPORT_BY_N] = {
	"", "", "", "", "", "", "", "UTC", "day", "1000", "", "",
};
static const char *const kind_names[] = {
	"text", "number", "decimal", "percent", "money", "time", "flag",
};


const struct report *report_find(const char *name)
{
	for (size_t i = 0; i < report_n; i++) {
		if (!strcmp(reports[i].name, name))
			return &reports[i];
	}
	return NULL;
}


const char *report_by_name(enum report_by by)
{
	return by_names[by];
}


static const char *by_text(const struct report_ask *ask, enum report_by by)
{
	const char *text = ask->by[by];

	return text && *text ? text : defaults[by];
}


static bool is_one_of(const char *text, const char *const *list)
{
	for (; *list; list++) {
		if (!strcmp(text, *list))
			return true;
	}
	return false;
}


enum report_by report_check(const struct report_ask *ask, const char **why)
{
	static const char *const steps[] = {"day", "hour", "5min", NULL};
	static const char *const ways[] = {"", "outbound", "inbound", "onnet",
					   NULL};
	const char *limit = by_text(ask, REPORT_BY_LIMIT);
	uint64_t n;

	if (!*by_text(ask, REPORT_BY_FROM) || !*by_text(ask, REPORT_BY_TO)) {
		*why = "must be given";
		return *by_text(ask, REPORT_BY_FROM) ? REPORT_BY_TO
						     : REPORT_BY_FROM;
	}
	if (!is_one_of(by_text(ask, REPORT_BY_STEP), steps)) {
		*why = "must be day, hour or 5min";
		return REPORT_BY_STEP;
	}
	if (!is_one_of(by_text(ask, REPORT_BY_DIRECTION), ways)) {
		*why = "must be outbound, inbound or onnet";
		return REPORT_BY_DIRECTION;
	}
	if (text_u64(&n, limit, strlen(limit), REPORT_ROWS_MAX) || !n) {
		*why = "must be 1..100000";
		return REPORT_BY_LIMIT;
	}
	*why = NULL;
	return REPORT_BY_N;
}


bool report_is_full(const struct report_ask *ask, const PGresult *rows)
{
	return strtoull(by_text(ask, REPORT_BY_LIMIT), NULL, 10) ==
	       (unsigned long long)PQntuples(rows);
}


bool report_has_span(const struct report *r)
{
	for (size_t i = 0; i < r->use_n; i++) {
		if (r->uses[i] == REPORT_BY_FROM)
			return true;
	}
	return false;
}


size_t report_columns(const struct report_ask *ask,
		      const struct report_column *ret[REPORT_COLUMNS_MAX])
{
	const bool is_customer = *by_text(ask, REPORT_BY_VIEWER) != '\0';
	size_t n = 0;

	for (size_t i = 0; i < ask->report->column_n; i++) {
		if (!is_customer || !ask->report->columns[i].is_platform)
			ret[n++] = &ask->report->columns[i];
	}
	return n;
}


/* What nobody may see is not even read */
static int sql_write(struct mbuf *mb, const struct report_ask *ask)
{
	const struct report_column *columns[REPORT_COLUMNS_MAX];
	const size_t n = report_columns(ask, columns);
	int err = mbuf_write_str(mb, "SELECT ");

	for (size_t i = 0; i < n && !err; i++) {
		const char *name = columns[i]->name;

		err = mbuf_printf(mb, columns[i]->kind == REPORT_TIME
			? "%s to_char(q.%s, 'YYYY-MM-DD\"T\"HH24:MI:SS"
			  "TZH:TZM')" : "%s q.%s", i ? "," : "", name);
	}
	if (!err)
		err = mbuf_printf(mb, " FROM (%s) q", ask->report->sql);
	if (!err)
		err = mbuf_write_u8(mb, 0);
	return err;
}


/* Whoever asks for ages keeps the database from others. As the database reads
   the times: the command takes all that it knows. */
static int span_check(struct pg *pg, const struct report_ask *ask)
{
	char hours[12];
	const char *const params[] = {by_text(ask, REPORT_BY_FROM),
				      by_text(ask, REPORT_BY_TO), hours};
	PGresult *r = NULL;
	int err;

	text_format(hours, sizeof(hours), "%d", REPORT_DAYS_MAX * 24);
	err = pg_exec(pg, "SELECT $2::timestamptz <= $1::timestamptz + "
		      "make_interval(hours => $3::integer)", 3, params, &r);
	if (!err && *PQgetvalue(r, 0, 0) != 't')
		err = ERANGE;
	PQclear(r);
	return err;
}


static int ask_database(PGresult **retp, struct pg *pg,
			const struct report_ask *ask)
{
	const char *zone = by_text(ask, REPORT_BY_ZONE);
	const char *params[REPORT_BY_N];
	struct mbuf *mb = mbuf_alloc(8192);
	int err = mb ? sql_write(mb, ask) : ENOMEM;

	for (size_t i = 0; i < ask->report->use_n; i++)
		params[i] = by_text(ask, ask->report->uses[i]);
	if (!err)
		err = span_check(pg, ask);
	/* many sums of many rows: memory instead of files, no compiling, and
	   what is handed from process to process is little beside what each
	   has read; who collects it does not read, too */
	if (!err)
		err = pg_exec(pg, "SELECT set_config('TimeZone', $1, true), "
			      "set_config('work_mem', '128MB', true), "
			      "set_config('jit', 'off', true), "
			      "set_config('parallel_tuple_cost', '0.01', true), "
			      "set_config('parallel_leader_participation', "
			      "'off', true)",
			      1, &zone, retp);
	if (!err) {
		PQclear(*retp);
		*retp = NULL;
		err = pg_exec(pg, (const char *)mb->buf,
			      (int)ask->report->use_n, params, retp);
	}
	mem_deref(mb);
	return err;
}


int report_run(PGresult **retp, struct pg *pg, const struct report_ask *ask,
	       bool is_alone)
{
	int err;

	*retp = NULL;
	if (!is_alone)
		return ask_database(retp, pg, ask);

	err = pg_exec(pg, "BEGIN READ ONLY", 0, NULL, NULL);
	if (!err)
		err = ask_database(retp, pg, ask);
	if (err == ECONNRESET)
		return err;
	/* what went wrong is told by the result of before */
	PQclear(PQexec(pg_conn(pg), err ? "ROLLBACK" : "COMMIT"));
	return err;
}


json_t *report_describe(const struct report *r, bool is_customer)
{
	const struct report_ask ask = {
		.report = r,
		.by = {[REPORT_BY_VIEWER] = is_customer ? "a tenant" : ""},
	};
	const struct report_column *columns[REPORT_COLUMNS_MAX];
	const size_t n = report_columns(&ask, columns);
	json_t *list = json_array(), *by = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, json_pack(
			"{s:s, s:s, s:s}", "name", columns[i]->name, "kind",
			kind_names[columns[i]->kind], "about",
			columns[i]->about));
	for (size_t i = 0; i < r->use_n; i++) {
		if (r->uses[i] != REPORT_BY_VIEWER)
			(void)json_array_append_new(by, json_string(
				by_names[r->uses[i]]));
	}
	return json_pack("{s:s, s:s, s:s, s:b, s:o, s:o}", "name", r->name,
			 "title", r->title, "about", r->about, "is_tenant",
			 r->is_tenant, "by", by, "columns", list);
}
