/** @file report_command.c  `strowger report list` and `strowger report NAME`. */
#include "json.h"
#include <re.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "database.h"
#include "grid.h"
#include "pg.h"
#include "report.h"


static int list_json(void)
{
	json_t *list = json_array();

	for (size_t i = 0; i < report_n; i++)
		(void)json_array_append_new(list, report_describe(&reports[i],
								  false));
	(void)json_dumpf(list, stdout, JSON_INDENT(1));
	(void)putchar('\n');
	json_decref(list);
	return COMMAND_OK;
}


static int list_print(void)
{
	static const char *const heads[] = {"REPORT", "FOR", "ABOUT", NULL};
	struct grid *g;
	int err = grid_alloc(&g, heads);

	for (size_t i = 0; i < report_n && !err; i++) {
		err = grid_cell(g, reports[i].name);
		err |= grid_cell(g, reports[i].is_tenant ? "tenant"
							 : "platform");
		err |= grid_cell(g, reports[i].about);
	}
	if (err)
		return command_fail(COMMAND_REFUSED, "%s", strerror(err));
	grid_print(g, stdout);
	mem_deref(g);
	return COMMAND_OK;
}


static int answer(const struct options *opt, struct pg *pg,
		  const struct report_ask *ask)
{
	struct mbuf *mb = mbuf_alloc(4096);
	PGresult *rows = NULL;
	int err = mb ? report_run(&rows, pg, ask, true) : ENOMEM;

	if (err == ERANGE)
		(void)command_fail(COMMAND_REFUSED, "--to must be at most %d "
				   "days after --from", REPORT_DAYS_MAX);
	else if (err && rows)
		(void)command_fail(COMMAND_REFUSED, "%s", PQresultErrorField(
			rows, PG_DIAG_MESSAGE_PRIMARY));
	else if (err)
		(void)command_fail(COMMAND_REFUSED, "%s", pg_error(pg));
	if (!err)
		err = report_write(mb, ask, rows,
				   (enum report_form)opt->form);
	if (!err && fwrite(mb->buf, 1, mb->end, stdout) != mb->end)
		err = EIO;
	/* whoever reads it as CSV sees no end of it */
	if (!err && report_is_full(ask, rows))
		(void)fprintf(stderr, "%d rows, as many as were asked for "
			      "(--limit): there may be more\n",
			      PQntuples(rows));
	PQclear(rows);
	mem_deref(mb);
	return err ? COMMAND_REFUSED : COMMAND_OK;
}


int command_report(const struct options *opt)
{
	struct report_ask ask = {.report = report_find(opt->argument)};
	const char *why;
	char text[512] = "";
	enum report_by by;
	struct pg *pg;
	int code;

	if (!strcmp(opt->argument, "list"))
		return opt->is_json ? list_json() : list_print();
	if (!ask.report)
		return command_fail(COMMAND_USAGE, "there is no report %s; see "
				    "strowger report list", opt->argument);
	memcpy(ask.by, opt->by, sizeof(ask.by));
	if (opt->is_customer)
		ask.by[REPORT_BY_VIEWER] = ask.by[REPORT_BY_TENANT];
	by = report_check(&ask, &why);
	if (why)
		return command_fail(COMMAND_USAGE, "--%s %s",
				    report_by_name(by), why);
	if (opt->is_customer && !ask.by[REPORT_BY_TENANT])
		return command_fail(COMMAND_USAGE, "--as-customer needs "
				    "--tenant");

	if (database_open(&pg, opt, text, sizeof(text)))
		return command_fail(COMMAND_UNREACHABLE, "database: %s", text);
	code = answer(opt, pg, &ask);
	mem_deref(pg);
	return code;
}
