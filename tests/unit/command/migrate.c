#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include <re.h>
#include "migrate.h"
#include "pg.h"
#include "text.h"

/*
 * Against a database of its own beside that of STROWGER_TEST_DSN; skipped
 * without one.
 */

static char dir[] = "/tmp/migrate.XXXXXX", dsn[512], why[512];
static struct pg *pg;


static void file_write(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)text_format(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	cr_assert(f);
	(void)fputs(text, f);
	(void)fclose(f);
}


static void file_remove(const char *name)
{
	char path[128];

	(void)text_format(path, sizeof(path), "%s/%s", dir, name);
	(void)unlink(path);
}


static void run(const char *sql)
{
	cr_assert_eq(pg_exec(pg, sql, 0, NULL, NULL), 0, "%s: %s", sql,
		     pg_error(pg));
}


static void setup(void)
{
	const char *env = getenv("STROWGER_TEST_DSN");

	if (!env)
		cr_skip_test("no database");

	cr_assert_eq(pg_alloc(&pg, env, "test"), 0);
	cr_assert_eq(pg_ready(pg), 0, "%s", pg_error(pg));
	run("drop database if exists migrate_test");
	run("create database migrate_test");
	pg = mem_deref(pg);

	(void)text_format(dsn, sizeof(dsn), "%s dbname=migrate_test", env);
	cr_assert_eq(pg_alloc(&pg, dsn, "test"), 0);
	cr_assert_eq(pg_ready(pg), 0, "%s", pg_error(pg));

	cr_assert(mkdtemp(dir));
	file_write("0001_one.sql", "create table one (n integer);\n"
				   "insert into one values (1), (2);\n");
	file_write("0002_two.sql", "create table two (n integer);\n");
	file_write("README", "not a migration");
	file_write("12_short.sql", "not a migration");
}


static void teardown(void)
{
	static const char *const names[] = {
		"0000_late.sql", "0001_one.sql", "0002_two.sql", "README",
		"0003_bad.sql", "12_short.sql"};
	size_t i;

	mem_deref(pg);
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		file_remove(names[i]);
	(void)rmdir(dir);
}

TestSuite(migrate, .init = setup, .fini = teardown);


static struct migrations *read_all(void)
{
	struct migrations *m;

	cr_assert_eq(migrations_read(&m, pg, dir, why, sizeof(why)), 0, "%s",
		     why);

	return m;
}


static void apply_pending(void)
{
	struct migrations *m = read_all();
	size_t i;

	cr_assert_eq(migrations_begin(pg, why, sizeof(why)), 0);
	for (i = 0; i < m->n; i++)
		cr_assert_eq(migration_apply(pg, dir, &m->list[i], why,
					     sizeof(why)), 0, "%s", why);
	mem_deref(m);
}


static void expect_state(const char *name, enum migration_state state)
{
	struct migrations *m = read_all();
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (!strcmp(m->list[i].name, name))
			break;
	}
	cr_assert_lt(i, m->n, "%s", name);
	cr_expect_str_eq(migration_state_name(m->list[i].state),
			 migration_state_name(state));
	mem_deref(m);
}


Test(migrate, looking_changes_nothing)
{
	struct migrations *m = read_all();

	cr_expect_eq(m->n, 2);
	cr_expect_eq(migrations_count(m, MIGRATION_PENDING), 2);
	mem_deref(m);
	run("create schema core"); /* fails if it is there */
}


Test(migrate, in_order_and_once)
{
	struct migrations *m;

	apply_pending();
	m = read_all();
	cr_expect_eq(migrations_count(m, MIGRATION_APPLIED), 2);
	cr_expect_str_eq(m->list[0].name, "0001_one.sql");
	cr_expect_neq(m->list[0].applied_at[0], '\0');
	mem_deref(m);
	run("insert into one select n from two");
}


Test(migrate, failure_keeps_nothing_and_names_the_line)
{
	struct migration bad = {.name = "0003_bad.sql", .sha256 = "x"};

	apply_pending();
	file_write("0003_bad.sql", "create table three (n integer);\n"
				   "-- \xc3\xbc\n\nselect nothing from three;\n");
	cr_expect_eq(migration_apply(pg, dir, &bad, why, sizeof(why)), EPROTO);
	cr_expect(strstr(why, "0003_bad.sql:4: "), "%s", why);
	cr_expect(strstr(why, "nothing"), "%s", why);
	run("create table three (n integer)");
	expect_state("0003_bad.sql", MIGRATION_PENDING);
}


Test(migrate, changed_file_is_seen)
{
	apply_pending();
	file_write("0001_one.sql", "-- nicer\n");
	expect_state("0001_one.sql", MIGRATION_CHANGED);
	expect_state("0002_two.sql", MIGRATION_APPLIED);
}


Test(migrate, missing_file_is_seen)
{
	apply_pending();
	file_remove("0002_two.sql");
	expect_state("0002_two.sql", MIGRATION_MISSING);
}


Test(migrate, late_file_is_seen)
{
	apply_pending();
	file_write("0000_late.sql", "select 1;\n");
	expect_state("0000_late.sql", MIGRATION_LATE);
}


Test(migrate, no_folder)
{
	struct migrations *m;

	cr_expect_eq(migrations_read(&m, pg, "/nonexistent", why, sizeof(why)),
		     ENOENT);
	cr_expect(strstr(why, "/nonexistent"), "%s", why);
}
