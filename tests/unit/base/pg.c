/**
 * @file tests/unit/base/pg.c  Against a server of its own on a Unix socket;
 * without PostgreSQL on the machine only the parts that need none.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "pg.h"
#include "text.h"

static char dir[] = P_tmpdir "/pgtest-XXXXXX";
static char dsn[128];


static int cluster(const char *verb)
{
	char command[512];

	cr_assert_eq(text_format(command, sizeof(command), "%s %s %s",
				 CLUSTER_SH, verb, dir),
		     0);

	return system(command);
}


static struct pg *open_pg(const char *where)
{
	struct pg *pg = NULL;

	cr_assert_eq(pg_alloc(&pg, where, "unit"), 0);

	return pg;
}


static void expect_one(struct pg *pg, const char *sql, const char *want)
{
	PGresult *res = NULL;

	cr_assert_eq(pg_exec(pg, sql, 0, NULL, &res), 0, "%s", pg_error(pg));
	cr_assert_str_eq(PQgetvalue(res, 0, 0), want);
	PQclear(res);
}


static void statements(struct pg *pg)
{
	const char *const params[] = {"a'; DROP TABLE t; --", NULL};
	PGresult *res = NULL;

	expect_one(pg, "SHOW application_name", "unit");
	cr_assert_eq(pg_exec(pg, "SELECT $1::text, $2::text IS NULL", 2,
			     params, &res),
		     0);
	cr_assert_str_eq(PQgetvalue(res, 0, 0), params[0]);
	cr_assert_str_eq(PQgetvalue(res, 0, 1), "t");
	PQclear(res);

	/* a refusal leaves the connection usable */
	res = NULL;
	cr_assert_eq(pg_exec(pg, "SELECT 1 / 0", 0, NULL, &res), EPROTO);
	cr_assert_str_eq(pg_sqlstate(pg), "22012");
	cr_assert_not_null(strstr(pg_error(pg), "division by zero"));
	cr_assert_null(strchr(pg_error(pg), '\n'));
	cr_assert_not_null(res);
	PQclear(res);
	cr_assert_eq(pg_exec(pg, "SELECT broken", 0, NULL, NULL), EPROTO);
	expect_one(pg, "SELECT 1", "1");

	/* a notice is not an error and nothing for stderr */
	cr_assert_eq(pg_exec(pg, "DROP TABLE IF EXISTS nowhere", 0, NULL,
			     NULL),
		     0);
}


static void copies(struct pg *pg)
{
	static const char odd[] = "tab\t nl\n cr\r slash\\ end";
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert_eq(pg_exec(pg, "CREATE TABLE t (a text, b text)", 0, NULL,
			     NULL),
		     0);
	cr_assert_eq(pg_copy_field(mb, odd, false), 0);
	cr_assert_eq(pg_copy_field(mb, NULL, true), 0);

	cr_assert_eq(pg_copy_begin(pg, "COPY t FROM STDIN"), 0);
	cr_assert_eq(pg_copy_row(pg, (char *)mb->buf, mb->end), 0);
	cr_assert_eq(pg_copy_row(pg, "x\ty\n", 4), 0);
	cr_assert_eq(pg_copy_end(pg), 0);
	expect_one(pg, "SELECT a FROM t WHERE b IS NULL", odd);

	/* a row with too many fields: nothing of this COPY is there */
	cr_assert_eq(pg_copy_begin(pg, "COPY t FROM STDIN"), 0);
	cr_assert_eq(pg_copy_row(pg, "x\ty\n", 4), 0);
	cr_assert_eq(pg_copy_row(pg, "x\ty\tz\n", 6), 0);
	cr_assert_eq(pg_copy_end(pg), EPROTO);
	cr_assert_str_eq(pg_sqlstate(pg), "22P04");
	expect_one(pg, "SELECT count(*) FROM t", "2");

	cr_assert_eq(pg_copy_begin(pg, "COPY nowhere FROM STDIN"), EPROTO);
	cr_assert_str_eq(pg_sqlstate(pg), "42P01");
	mem_deref(mb);
}


static void notifies(struct pg *pg)
{
	int fd[2];

	cr_assert_eq(pipe(fd), 0);
	cr_assert_eq(pg_exec(pg, "LISTEN news", 0, NULL, NULL), 0);
	cr_assert(!pg_wait_notify(pg, 0, -1));
	cr_assert_eq(pg_exec(pg, "NOTIFY news", 0, NULL, NULL), 0);
	cr_assert(pg_wait_notify(pg, 5000, fd[0]));

	/* the other descriptor ends the wait without news */
	cr_assert_eq(write(fd[1], "x", 1), 1);
	cr_assert(!pg_wait_notify(pg, 60000, fd[0]));
	(void)close(fd[0]);
	(void)close(fd[1]);
}


static void terminate(struct pg *pg)
{
	struct pg *other = open_pg(dsn);
	char pid[16];
	const char *const params[] = {pid};

	cr_assert_eq(pg_ready(other), 0);
	(void)text_format(pid, sizeof(pid), "%d",
			  PQbackendPID(pg_conn(pg)));
	cr_assert_eq(pg_exec(other, "SELECT pg_terminate_backend($1::int, "
				    "5000)",
			     1, params, NULL),
		     0);
	mem_deref(other);
}


/* Connections are tried once a second. */
static void connects_again(struct pg *pg)
{
	int err = EAGAIN;

	for (unsigned i = 0; i < 30 && err == EAGAIN; i++) {
		(void)usleep(100000);
		err = pg_ready(pg);
	}
	cr_assert_eq(err, 0, "%s", pg_error(pg));
}


/* It is seen before a statement fails of it. */
static void loses_idle(struct pg *pg)
{
	int old;

	connects_again(pg);
	old = PQbackendPID(pg_conn(pg));
	terminate(pg);
	connects_again(pg);
	cr_assert_neq(PQbackendPID(pg_conn(pg)), old);
	expect_one(pg, "SELECT 1", "1");
}


static void loses(struct pg *pg)
{
	terminate(pg);
	cr_assert_eq(pg_exec(pg, "SELECT 1", 0, NULL, NULL), ECONNRESET);
	cr_assert_null(pg_conn(pg));
	cr_assert_eq(pg_exec(pg, "SELECT 1", 0, NULL, NULL), ECONNRESET);
	cr_assert_eq(pg_copy_begin(pg, "COPY t FROM STDIN"), ECONNRESET);
	cr_assert_eq(pg_copy_row(pg, "x\n", 2), ECONNRESET);
	cr_assert_eq(pg_copy_end(pg), ECONNRESET);
	cr_assert(!pg_wait_notify(pg, 0, -1));
}


static void stop_cluster(void)
{
	char command[64];

	(void)cluster("stop");
	cr_assert_eq(text_format(command, sizeof(command), "rm -rf %s", dir),
		     0);
	cr_assert_eq(system(command), 0);
}


Test(pg, against_a_server, .fini = stop_cluster)
{
	struct pg *pg;
	int status;

	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chmod(dir, 0755), 0);

	status = cluster("start");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		cr_skip("no PostgreSQL server");
	cr_assert_eq(status, 0);

	cr_assert_eq(text_format(dsn, sizeof(dsn),
				 "host=%s user=postgres dbname=postgres", dir),
		     0);
	pg = open_pg(dsn);
	cr_assert_eq(pg_ready(pg), 0, "%s", pg_error(pg));
	cr_assert_eq(pg_ready(pg), 0);

	statements(pg);
	copies(pg);
	notifies(pg);
	loses(pg);
	loses_idle(pg);
	mem_deref(pg);
}


Test(pg, nobody_there)
{
	struct pg *pg = open_pg("host=/nonexistent dbname=x");

	cr_assert_eq(pg_exec(pg, "SELECT 1", 0, NULL, NULL), ECONNRESET);
	cr_assert_eq(pg_ready(pg), ECONNREFUSED);
	cr_assert_not_null(strstr(pg_error(pg), "nonexistent"));
	cr_assert_str_empty(pg_sqlstate(pg));
	cr_assert_eq(pg_ready(pg), EAGAIN);
	cr_assert_null(pg_conn(pg));
	mem_deref(pg);
}


Test(pg, wants_its_arguments)
{
	struct pg *pg;

	cr_assert_eq(pg_alloc(NULL, "", ""), EINVAL);
	cr_assert_eq(pg_alloc(&pg, NULL, ""), EINVAL);
	cr_assert_eq(pg_alloc(&pg, "", NULL), EINVAL);
}
