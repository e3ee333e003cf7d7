/** @file reconcile_command.c  `strowger reconcile FILE --carrier ID`. */
#include <errno.h>
#include <inttypes.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "command.h"
#include "database.h"
#include "pg.h"
#include "reconcile.h"

#define FILE_MAX (INT64_C(2) << 30)
#define UNREADABLE_MAX 1000


/* free() it; NULL: errno says why */
static char *file_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = NULL;
	struct stat st;
	size_t n = 0;

	if (!file)
		return NULL;
	if (fstat(fileno(file), &st) || st.st_size > FILE_MAX)
		errno = EFBIG;
	else
		text = malloc((size_t)st.st_size + 1);
	if (text) {
		n = fread(text, 1, (size_t)st.st_size, file);
		text[n] = '\0';
	}
	(void)fclose(file);
	return text;
}


static int totals_print(struct pg *pg, const char *id)
{
	static const char sql[] =
		"SELECT format(E'reconciliation %s\\n%-14s %12s %14s %16s\\n"
		"%-14s %12s %14s %16s\\n%-14s %12s %14s %16s\\n"
		"matched %s, faults %s, their clock %s ms before ours', id, "
		"'', 'calls', 'minutes', 'cost ' || currency, 'ours', "
		"our_calls, report.minutes(our_ms), round(our_cost_micro / "
		"1000000.0, 4), 'theirs', their_calls, "
		"report.minutes(their_ms), round(their_cost_micro / "
		"1000000.0, 4), matched, faults, clock_offset_ms) FROM "
		"report.reconciliation WHERE id = $1";
	PGresult *row = NULL;
	int err = pg_exec(pg, sql, 1, &id, &row);

	if (!err)
		(void)printf("%s\n\n", PQgetvalue(row, 0, 0));
	PQclear(row);
	return err;
}


static int faults_print(const struct options *opt, struct pg *pg,
			const char *id)
{
	struct report_ask ask = {.report = report_find("reconciliation")};
	struct mbuf *mb = mbuf_alloc(4096);
	PGresult *rows = NULL;
	int err;

	memcpy(ask.by, opt->by, sizeof(ask.by));
	ask.by[REPORT_BY_RUN] = id;
	err = mb ? report_run(&rows, pg, &ask, true) : ENOMEM;
	if (!err)
		err = report_write(mb, &ask, rows,
				   (enum report_form)opt->form);
	if (!err)
		(void)fwrite(mb->buf, 1, mb->end, stdout);
	PQclear(rows);
	mem_deref(mb);
	return err;
}


/* As many as a job keeps */
static void unreadable(void *arg, const struct reconcile_fault *fault)
{
	size_t *told = arg;

	if ((*told)++ >= UNREADABLE_MAX)
		return;

	(void)fprintf(stderr, "line %" PRIu64 "%s%s: %s%.128s%smust be %s\n",
		      fault->line, fault->column ? ", " : "",
		      fault->column ? fault->column : "",
		      fault->value ? "\"" : "",
		      fault->value ? fault->value : "",
		      fault->value ? "\" " : "", fault->expected);
}


static int compare(const struct options *opt, struct pg *pg, char *text)
{
	size_t told = 0;
	const struct reconcile_order order = {
		.carrier = opt->by[REPORT_BY_CARRIER],
		.from = opt->by[REPORT_BY_FROM], .to = opt->by[REPORT_BY_TO],
		.map = opt->map, .zone = opt->by[REPORT_BY_ZONE],
		.file = opt->argument, .is_answer_time = opt->is_answer_time,
		.unreadable = unreadable, .arg = &told,
	};
	char id[RECONCILE_ID_SIZE] = "", why[512] = "";
	int err = pg_exec(pg, "BEGIN", 0, NULL, NULL);

	if (!err)
		err = reconcile_run(pg, &order, text, id, why, sizeof(why));
	if (!err)
		err = pg_exec(pg, "COMMIT", 0, NULL, NULL);
	if (err)
		return command_fail(COMMAND_REFUSED, "%s", *why ? why
							: pg_error(pg));

	if (opt->form == REPORT_TABLE)
		err = totals_print(pg, id);
	if (!err)
		err = faults_print(opt, pg, id);
	return err ? command_fail(COMMAND_REFUSED, "%s", pg_error(pg))
		   : COMMAND_OK;
}


int command_reconcile(const struct options *opt)
{
	char why[256] = "", *text;
	struct pg *pg;
	int code;

	if (!opt->by[REPORT_BY_CARRIER] || !opt->by[REPORT_BY_FROM] ||
	    !opt->by[REPORT_BY_TO])
		return command_fail(COMMAND_USAGE, "reconcile needs --carrier, "
						   "--from and --to");
	text = file_read(opt->argument);
	if (!text)
		return command_fail(COMMAND_REFUSED, "%s: %s", opt->argument,
				    strerror(errno));
	if (database_open(&pg, opt, why, sizeof(why))) {
		free(text);
		return command_fail(COMMAND_UNREACHABLE, "database: %s", why);
	}
	code = compare(opt, pg, text);
	mem_deref(pg);
	free(text);
	return code;
}
