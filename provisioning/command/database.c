/**
 * @file database.c  Commands on the database: db migrate, db status.
 */
#include "json.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "command.h"
#include "database.h"
#include "grid.h"
#include "migrate.h"
#include "pg.h"
#include "text.h"


int database_open(struct pg **pgp, const struct options *opt, char *why,
		  size_t size)
{
	struct pg *pg;
	int err;

	err = pg_alloc(&pg, opt->dsn, "strowger");
	if (err)
		return err;

	err = pg_ready(pg);
	if (err) {
		(void)text_copy(why, size, pg_error(pg));
		mem_deref(pg);
		return err;
	}

	*pgp = pg;

	return 0;
}


const char *database_dir(const struct options *opt, char *buf, size_t size)
{
	char program[4096];
	ssize_t n;
	char *slash;

	if (opt->dir)
		return opt->dir;

	n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	program[n > 0 ? n : 0] = '\0';
	slash = strrchr(program, '/');
	if (slash)
		*slash = '\0';

	if (!text_format(buf, size, "%s/sql/migrate", program) &&
	    access(buf, R_OK | X_OK) == 0)
		return buf;

	(void)text_format(buf, size, "%s/../share/strowger/sql/migrate",
			  program);

	return buf;
}


/** Connect and compare. NULL: *ret_code is the exit code, said on stderr. */
static struct migrations *compare(const struct options *opt, const char *dir,
				  struct pg **pgp, int *ret_code)
{
	struct migrations *m = NULL;
	char why[512] = "";

	if (database_open(pgp, opt, why, sizeof(why))) {
		*ret_code = command_fail(COMMAND_UNREACHABLE, "database: %s",
					 why);
		return NULL;
	}

	if (migrations_read(&m, *pgp, dir, why, sizeof(why))) {
		*pgp = mem_deref(*pgp);
		*ret_code = command_fail(COMMAND_REFUSED, "%s", why);
		return NULL;
	}

	return m;
}


static int list_dump(const struct migrations *m)
{
	json_t *list = json_array();
	size_t i;

	for (i = 0; i < m->n; i++) {
		const struct migration *one = &m->list[i];

		(void)json_array_append_new(
			list, json_pack("{ssssss}", "name", one->name,
					"state",
					migration_state_name(one->state),
					"applied_at", one->applied_at));
	}

	(void)json_dumpf(list, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(list);

	return COMMAND_OK;
}


static int list_print(const struct migrations *m)
{
	static const char *const heads[] = {"MIGRATION", "STATE", "APPLIED",
					    NULL};
	struct grid *g;
	size_t i;
	int err;

	err = grid_alloc(&g, heads);
	for (i = 0; i < m->n && !err; i++) {
		err = grid_cell(g, m->list[i].name);
		if (!err)
			err = grid_cell(g, migration_state_name(
						   m->list[i].state));
		if (!err)
			err = grid_cell(g, m->list[i].applied_at);
	}
	if (err)
		return command_fail(COMMAND_REFUSED, "%s", strerror(err));

	grid_print(g, stdout);
	mem_deref(g);

	return COMMAND_OK;
}


int command_db_status(const struct options *opt)
{
	struct migrations *m;
	struct pg *pg = NULL;
	char buf[4096];
	int code = COMMAND_REFUSED;

	m = compare(opt, database_dir(opt, buf, sizeof(buf)), &pg, &code);
	if (!m)
		return code;

	code = opt->is_json ? list_dump(m) : list_print(m);
	if (!code && migrations_count(m, MIGRATION_APPLIED) != m->n)
		code = COMMAND_REFUSED;

	mem_deref(m);
	mem_deref(pg);

	return code;
}


/** Anything that is neither applied nor simply pending needs a person. */
static int order_check(const struct migrations *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		switch (m->list[i].state) {
		case MIGRATION_APPLIED:
		case MIGRATION_PENDING:
			continue;
		case MIGRATION_CHANGED:
			return command_fail(COMMAND_REFUSED,
					    "%s was changed after it was "
					    "applied: write a new migration",
					    m->list[i].name);
		case MIGRATION_MISSING:
			return command_fail(COMMAND_REFUSED,
					    "%s was applied by a newer "
					    "program: upgrade this one",
					    m->list[i].name);
		case MIGRATION_LATE:
			return command_fail(COMMAND_REFUSED,
					    "%s comes before one that is "
					    "applied: give it a later number",
					    m->list[i].name);
		}
	}

	return COMMAND_OK;
}


static int pending_apply(struct pg *pg, const char *dir,
			 const struct migrations *m)
{
	char why[1024] = "";
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->list[i].state != MIGRATION_PENDING)
			continue;
		if (migration_apply(pg, dir, &m->list[i], why, sizeof(why)))
			return command_fail(COMMAND_REFUSED,
					    "%s\nnothing of this file was "
					    "kept; those before it were", why);
		(void)printf("applied %s\n", m->list[i].name);
	}

	return COMMAND_OK;
}


static int pending_print(const struct migrations *m)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (m->list[i].state == MIGRATION_PENDING)
			(void)printf("would apply %s\n", m->list[i].name);
	}

	return COMMAND_OK;
}


/** Compare again under the lock: another one may have been quicker. */
static int locked_apply(struct pg *pg, const char *dir)
{
	struct migrations *m = NULL;
	char why[512] = "";
	int code;

	if (migrations_begin(pg, why, sizeof(why)) ||
	    migrations_read(&m, pg, dir, why, sizeof(why)))
		return command_fail(COMMAND_REFUSED, "%s", why);

	code = order_check(m);
	if (!code)
		code = pending_apply(pg, dir, m);
	mem_deref(m);

	return code;
}


int command_db_migrate(const struct options *opt)
{
	struct migrations *m;
	struct pg *pg = NULL;
	char buf[4096];
	const char *dir = database_dir(opt, buf, sizeof(buf));
	int code = COMMAND_REFUSED;

	m = compare(opt, dir, &pg, &code);
	if (!m)
		return code;

	code = order_check(m);
	if (code)
		goto out;

	if (migrations_count(m, MIGRATION_PENDING) == 0)
		(void)printf("up to date: %zu applied\n", m->n);
	else
		code = opt->is_plan ? pending_print(m)
				    : locked_apply(pg, dir);

 out:
	mem_deref(m);
	mem_deref(pg);
	return code;
}
