/**
 * @file rerate.c  `strowger rerate`: compare the calls of a time with what
 * they would cost now, show the difference, post it.
 */
#include <errno.h>
#include <inttypes.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "command.h"
#include "database.h"
#include "grid.h"
#include "pg.h"
#include "text.h"


static int totals_print(struct pg *pg, const char *id)
{
	static const char *const heads[] = {"WHAT", "CURRENCY", "CALLS", "OLD",
					    "NEW", "DELTA", NULL};
	PGresult *rows = NULL;
	struct grid *grid;
	int err = grid_alloc(&grid, heads);

	if (err)
		return err;

	err = pg_exec(pg, "SELECT what, currency, calls, "
		      "rating.amount(old_micro), rating.amount(new_micro), "
		      "rating.amount(delta_micro) FROM rating.rerate_total "
		      "WHERE rerate_id = $1 ORDER BY 1, 2", 1, &id, &rows);
	for (int i = 0; !err && i < PQntuples(rows); i++) {
		for (int c = 0; c < 6 && !err; c++)
			err = grid_cell(grid, PQgetvalue(rows, i, c));
	}
	if (!err)
		grid_print(grid, stdout);
	PQclear(rows);
	mem_deref(grid);

	return err;
}


/* One transaction an account; how far it is on stderr */
static int each_account(struct pg *pg, const char *id, const char *sql,
			uint64_t *ret_calls)
{
	PGresult *accounts = NULL;
	int err = pg_exec(pg, "SELECT * FROM rating.rerate_accounts($1)", 1,
			  &id, &accounts);

	*ret_calls = 0;
	for (int i = 0; !err && i < PQntuples(accounts); i++) {
		const char *params[] = {id, PQgetvalue(accounts, i, 0)};
		PGresult *row = NULL;

		err = pg_exec(pg, sql, 2, params, &row);
		if (!err)
			*ret_calls += strtoull(PQgetvalue(row, 0, 0), NULL,
					       10);
		else
			(void)fprintf(stderr, "strowger: %s: %s\n", params[1],
				      pg_error(pg));
		PQclear(row);
		if ((i + 1) % 100 == 0)
			(void)fprintf(stderr, "%d of %d accounts\n", i + 1,
				      PQntuples(accounts));
	}
	PQclear(accounts);

	return err;
}


static int plan(struct pg *pg, const struct options *opt)
{
	const char *params[] = {opt->test.from, opt->test.to,
				opt->rerate.account, opt->test.trunk,
				opt->rerate.prefix, opt->rerate.deck,
				opt->lease.note};
	PGresult *row = NULL;
	char id[36] = "";
	const char *key = id;
	uint64_t calls;
	int err;

	err = pg_exec(pg, "SELECT rating.rerate_new($1, $2, NULL, $3, $4, $5, "
		      "$6, $7)", 7, params, &row);
	if (!err)
		text_copy(id, sizeof(id), PQgetvalue(row, 0, 0));
	PQclear(row);
	if (!err)
		err = each_account(pg, id, "SELECT rating.rerate_check($1, $2)",
				   &calls);
	if (!err)
		err = pg_exec(pg, "SELECT rating.rerate_compared($1)", 1, &key,
			      NULL);
	if (!err)
		err = totals_print(pg, id);
	if (!err)
		(void)printf("%" PRIu64 " calls compared, nothing posted: "
			     "strowger rerate diff %s, rerate apply %s\n",
			     calls, id, id);

	return err;
}


static int apply(struct pg *pg, const struct options *opt)
{
	uint64_t calls;
	const int err = each_account(pg, opt->argument,
		"SELECT rating.rerate_apply($1, $2)", &calls);

	(void)printf("%" PRIu64 " calls posted again\n", calls);

	return err;
}


static int diff(struct pg *pg, const struct options *opt)
{
	char sql[320], *line;
	int n;

	if (strlen(opt->argument) != 30 || strspn(opt->argument,
			"abcdefghijklmnopqrstuvwxyz0123456789_") != 30)
		return EINVAL;
	(void)text_format(sql, sizeof(sql), "COPY (SELECT account_id, "
		"started_at, call_id, attempt, what, currency, old, new, "
		"delta FROM rating.rerate_difference WHERE rerate_id = '%s' "
		"ORDER BY n) TO STDOUT (FORMAT csv, HEADER)", opt->argument);
	PQclear(PQexec(pg_conn(pg), sql));
	while ((n = PQgetCopyData(pg_conn(pg), &line, 0)) > 0) {
		(void)fwrite(line, 1, (size_t)n, stdout);
		PQfreemem(line);
	}

	return n == -1 && !ferror(stdout) ? 0 : EIO;
}


static int run(const struct options *opt,
	       int (*verb)(struct pg *pg, const struct options *opt))
{
	char why[256];
	struct pg *pg;
	int err;

	if (database_open(&pg, opt, why, sizeof(why)))
		return command_fail(COMMAND_UNREACHABLE, "%s", why);

	err = verb(pg, opt);
	if (err)
		(void)command_fail(COMMAND_REFUSED, "%s", *pg_error(pg)
				   ? pg_error(pg) : strerror(err));
	mem_deref(pg);

	return err ? COMMAND_REFUSED : COMMAND_OK;
}


int command_rerate_plan(const struct options *opt)
{
	if (!opt->test.from || !opt->test.to)
		return command_fail(COMMAND_USAGE, "--from and --to are "
				    "needed: moments (RFC 3339)");

	return run(opt, plan);
}


int command_rerate_apply(const struct options *opt)
{
	return run(opt, apply);
}


int command_rerate_diff(const struct options *opt)
{
	return run(opt, diff);
}
