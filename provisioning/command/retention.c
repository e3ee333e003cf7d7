/**
 * @file retention.c  `strowger db retention`: delete call records that no rule
 * keeps, as the daily job of strowger-api does.
 */
#include <inttypes.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include "command.h"
#include "database.h"
#include "grid.h"
#include "pg.h"


static int plan_print(struct pg *pg)
{
	static const char *const heads[] = {"CLASS", "TENANT", "KEEP_DAYS",
					    "DUE", NULL};
	PGresult *rows = NULL;
	struct grid *grid;
	int err;

	err = grid_alloc(&grid, heads);
	if (err)
		return err;

	err = pg_exec(pg, "SELECT class, tenant_id, keep_days, rows_due FROM "
		      "cdr.retain_plan()", 0, NULL, &rows);
	for (int i = 0; !err && i < PQntuples(rows); i++) {
		for (int c = 0; c < 4 && !err; c++)
			err = grid_cell(grid, PQgetisnull(rows, i, c)
						      ? NULL
						      : PQgetvalue(rows, i, c));
	}
	if (!err)
		grid_print(grid, stdout);
	PQclear(rows);
	mem_deref(grid);

	return err;
}


static int steps_run(struct pg *pg)
{
	uint64_t done = 0, n = 1;
	int err = 0;

	while (!err && n) {
		PGresult *row = NULL;

		err = pg_exec(pg, "SELECT cdr.retain()", 0, NULL, &row);
		n = err ? 0 : strtoull(PQgetvalue(row, 0, 0), NULL, 10);
		PQclear(row);
		done += n;
	}
	(void)printf("%" PRIu64 " rows deleted; see cdr.deletion\n", done);

	return err;
}


int command_db_retention(const struct options *opt)
{
	char why[256];
	struct pg *pg;
	int err;

	if (database_open(&pg, opt, why, sizeof(why)))
		return command_fail(COMMAND_UNREACHABLE, "%s", why);

	err = opt->is_plan ? plan_print(pg) : steps_run(pg);
	if (err)
		(void)command_fail(COMMAND_REFUSED, "%s", pg_error(pg));
	mem_deref(pg);

	return err ? COMMAND_REFUSED : COMMAND_OK;
}
