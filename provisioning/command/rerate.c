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


/* Accounts that were refused are told of at the end, so many of them */
#define REFUSED_MAX 1000

/* One transaction an account, over all of them */
struct round {
	struct pg *pg;
	const char *id, *sql;
	uint64_t calls, refused_n;
	struct mbuf *refused;
};


static int rows_print(struct pg *pg, const char *id, const char *const *heads,
		      const char *sql)
{
	PGresult *rows = NULL;
	struct grid *grid;
	int err = grid_alloc(&grid, heads);

	if (err)
		return err;

	err = pg_exec(pg, sql, 1, &id, &rows);
	for (int i = 0; !err && i < PQntuples(rows); i++) {
		for (int c = 0; c < PQnfields(rows) && !err; c++)
			err = grid_cell(grid, PQgetvalue(rows, i, c));
	}
	if (!err && PQntuples(rows))
		grid_print(grid, stdout);
	PQclear(rows);
	mem_deref(grid);

	return err;
}


static int totals_print(struct pg *pg, const char *id)
{
	static const char *const heads[] = {"WHAT", "CURRENCY", "CALLS", "OLD",
					    "NEW", "DELTA", NULL};
	static const char *const packages[] = {"PACKAGE", "NAME", "UNIT",
					       "OLD", "NEW", "DELTA", NULL};
	int err = rows_print(pg, id, heads, "SELECT what, currency, calls, "
			     "rating.amount(old_micro), "
			     "rating.amount(new_micro), "
			     "rating.amount(delta_micro) FROM "
			     "rating.rerate_total WHERE rerate_id = $1 "
			     "ORDER BY 1, 2");

	return err ? err : rows_print(pg, id, packages, "SELECT package_id, "
				      "name, unit, old, new, delta FROM "
				      "rating.rerate_package_total WHERE "
				      "rerate_id = $1 ORDER BY 1");
}


/* The database refused it: it holds up no other */
static int refused_note(struct round *r, const char *account)
{
	if (r->refused_n++ >= REFUSED_MAX)
		return 0;

	return mbuf_printf(r->refused, "%s: %s\n", account, pg_error(r->pg));
}


static int account_work(struct round *r, const char *account)
{
	const char *params[] = {r->id, account};
	PGresult *row = NULL;
	int err = pg_exec(r->pg, r->sql, 2, params, &row);

	if (err == EPROTO)
		err = refused_note(r, account);
	else if (!err)
		r->calls += strtoull(PQgetvalue(row, 0, 0), NULL, 10);
	PQclear(row);

	return err;
}


/* How far it is goes to stderr */
static int each_account(struct round *r)
{
	PGresult *accounts = NULL;
	int err;

	r->refused = mbuf_alloc(256);
	if (!r->refused)
		return ENOMEM;

	err = pg_exec(r->pg, "SELECT * FROM rating.rerate_accounts($1)", 1,
		      &r->id, &accounts);
	for (int i = 0; !err && i < PQntuples(accounts); i++) {
		err = account_work(r, PQgetvalue(accounts, i, 0));
		if ((i + 1) % 100 == 0)
			(void)fprintf(stderr, "%d of %d accounts\n", i + 1,
				      PQntuples(accounts));
	}
	PQclear(accounts);

	return err;
}


/* @return ECANCELED when one was refused */
static int round_end(struct round *r, int err)
{
	if (r->refused_n) {
		(void)fprintf(stderr, "%" PRIu64 " accounts were refused:\n",
			      r->refused_n);
		(void)fwrite(r->refused->buf, 1, r->refused->end, stderr);
		if (r->refused_n > REFUSED_MAX)
			(void)fprintf(stderr, "and %" PRIu64 " more\n",
				      r->refused_n - REFUSED_MAX);
	}
	mem_deref(r->refused);

	return !err && r->refused_n ? ECANCELED : err;
}


/* One that lacks an account is never applied */
static int planned(struct round *r)
{
	int err = 0;

	if (!r->refused_n)
		err = pg_exec(r->pg, "SELECT rating.rerate_compared($1)", 1,
			      &r->id, NULL);
	if (!err)
		err = totals_print(r->pg, r->id);
	if (!err)
		(void)printf("%" PRIu64 " calls compared, nothing posted: "
			     "strowger rerate diff %s", r->calls, r->id);
	if (!err && !r->refused_n)
		(void)printf(", rerate apply %s", r->id);
	(void)printf("\n");

	return err;
}


static int plan(struct pg *pg, const struct options *opt)
{
	const char *params[] = {opt->test.from, opt->test.to,
				opt->rerate.account, opt->test.trunk,
				opt->rerate.prefix, opt->rerate.deck,
				opt->lease.note};
	struct round r = {.pg = pg,
			  .sql = "SELECT rating.rerate_check($1, $2)"};
	PGresult *row = NULL;
	char id[36] = "";
	int err;

	err = pg_exec(pg, "SELECT rating.rerate_new($1, $2, NULL, $3, $4, $5, "
		      "$6, $7)", 7, params, &row);
	if (!err)
		text_copy(id, sizeof(id), PQgetvalue(row, 0, 0));
	PQclear(row);
	r.id = id;
	if (!err)
		err = each_account(&r);
	if (!err)
		err = planned(&r);

	return round_end(&r, err);
}


static int apply(struct pg *pg, const struct options *opt)
{
	struct round r = {.pg = pg, .id = opt->argument,
			  .sql = "SELECT rating.rerate_apply($1, $2)"};
	const int err = each_account(&r);

	(void)printf("%" PRIu64 " calls posted again\n", r.calls);

	return round_end(&r, err);
}


static int diff(struct pg *pg, const struct options *opt)
{
	char sql[384], *line;
	int n;

	if (strlen(opt->argument) != 30 || strspn(opt->argument,
			"abcdefghijklmnopqrstuvwxyz0123456789_") != 30)
		return EINVAL;
	(void)text_format(sql, sizeof(sql), "COPY (SELECT account_id, "
		"started_at, call_id, attempt, what, currency, old, new, "
		"delta, old_packages, new_packages FROM rating.rerate_difference WHERE rerate_id = '%s' "
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
	if (err && err != ECANCELED)
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
