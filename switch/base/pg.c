/**
 * @file pg.c  A connection that comes and goes, and statements on it.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <re.h>
#include "moment.h"
#include "pg.h"
#include "text.h"

#define RETRY_US 1000000

struct pg {
	PGconn *conn;
	char *dsn, *app;
	uint64_t retry_at_us; /**< not before, mono */
	char error[512];
	char sqlstate[6];
	char table[64]; /**< of the row that was refused */
};


static void destructor(void *arg)
{
	struct pg *pg = arg;

	pg_drop(pg);
	mem_deref(pg->dsn);
	mem_deref(pg->app);
}


int pg_alloc(struct pg **pgp, const char *dsn, const char *app)
{
	struct pg *pg;
	int err;

	if (!pgp || !dsn || !app)
		return EINVAL;

	pg = mem_zalloc(sizeof(*pg), destructor);
	if (!pg)
		return ENOMEM;

	err = str_dup(&pg->dsn, dsn);
	if (!err)
		err = str_dup(&pg->app, app);

	if (err)
		mem_deref(pg);
	else
		*pgp = pg;
	return err;
}


/** Keep the last error as one line. */
static void error_keep(struct pg *pg, const char *message,
		       const char *sqlstate)
{
	size_t len;

	(void)text_copy(pg->error, sizeof(pg->error), message);
	(void)text_copy(pg->sqlstate, sizeof(pg->sqlstate), sqlstate);
	pg->table[0] = '\0';

	len = strlen(pg->error);
	while (len && pg->error[len - 1] == '\n')
		pg->error[--len] = '\0';
}


void pg_drop(struct pg *pg)
{
	PQfinish(pg->conn);
	pg->conn = NULL;
}


static int lost(struct pg *pg)
{
	error_keep(pg, pg->conn ? PQerrorMessage(pg->conn) : "not connected",
		   NULL);
	pg_drop(pg);

	return ECONNRESET;
}


static void ignore_notice(void *arg, const PGresult *res)
{
	(void)arg;
	(void)res;
}


static PGconn *connect_now(const struct pg *pg)
{
	/* the later wins: the operator's string may say otherwise */
	const char *const keys[] = {"connect_timeout", "application_name",
				    "dbname", NULL};
	const char *const values[] = {"5", pg->app, pg->dsn, NULL};

	return PQconnectdbParams(keys, values, 1);
}


/* Does not wait. A server that went while we idled has sent why, and the end
   of the stream, which is not seen before the second read. */
static bool is_alive(PGconn *conn)
{
	return PQstatus(conn) == CONNECTION_OK && PQconsumeInput(conn) &&
	       PQconsumeInput(conn);
}


int pg_ready(struct pg *pg)
{
	struct moment now;

	if (pg->conn && is_alive(pg->conn))
		return 0;

	moment_read(&now);
	if (now.mono_us < pg->retry_at_us)
		return EAGAIN;

	pg_drop(pg);
	pg->retry_at_us = now.mono_us + RETRY_US;
	pg->conn = connect_now(pg);

	if (!pg->conn || PQstatus(pg->conn) != CONNECTION_OK) {
		(void)lost(pg);
		return ECONNREFUSED;
	}

	(void)PQsetNoticeReceiver(pg->conn, ignore_notice, NULL);
	error_keep(pg, "", NULL);

	return 0;
}


/** What a result means. The result is not freed. */
static int judge(struct pg *pg, const PGresult *res, ExecStatusType wanted)
{
	const ExecStatusType status = PQresultStatus(res);

	if (!res || PQstatus(pg->conn) != CONNECTION_OK)
		return lost(pg);

	if (status == wanted ||
	    (wanted == PGRES_COMMAND_OK && status == PGRES_TUPLES_OK))
		return 0;

	error_keep(pg, PQresultErrorMessage(res),
		   PQresultErrorField(res, PG_DIAG_SQLSTATE));
	TEXT_FILL(pg->table, PQresultErrorField(res, PG_DIAG_TABLE_NAME));

	return EPROTO;
}


static int run(struct pg *pg, const char *sql, int n,
	       const char *const *params, ExecStatusType wanted,
	       PGresult **retp)
{
	PGresult *res;
	int err;

	if (!pg->conn)
		return lost(pg);

	res = PQexecParams(pg->conn, sql, n, NULL, params, NULL, NULL, 0);
	err = judge(pg, res, wanted);

	if (retp && err != ECONNRESET)
		*retp = res;
	else
		PQclear(res);

	return err;
}


int pg_exec(struct pg *pg, const char *sql, int n, const char *const *params,
	    PGresult **retp)
{
	return run(pg, sql, n, params, PGRES_COMMAND_OK, retp);
}


int pg_copy_begin(struct pg *pg, const char *sql)
{
	return run(pg, sql, 0, NULL, PGRES_COPY_IN, NULL);
}


int pg_copy_row(struct pg *pg, const char *line, size_t len)
{
	if (!pg->conn || len > INT32_MAX ||
	    PQputCopyData(pg->conn, line, (int)len) != 1)
		return lost(pg);

	return 0;
}


int pg_copy_end(struct pg *pg)
{
	PGresult *res;
	int err;

	if (!pg->conn || PQputCopyEnd(pg->conn, NULL) != 1)
		return lost(pg);

	res = PQgetResult(pg->conn);
	err = judge(pg, res, PGRES_COMMAND_OK);
	PQclear(res);

	/* a command is over when there is no further result */
	while (pg->conn && (res = PQgetResult(pg->conn)))
		PQclear(res);

	return err;
}


int pg_copy_field(struct mbuf *mb, const char *value, bool last)
{
	const char *end = last ? "\n" : "\t";
	size_t plain;
	int err = 0;

	if (!value)
		return mbuf_write_str(mb, last ? "\\N\n" : "\\N\t");

	while (*value && !err) {
		plain = strcspn(value, "\\\t\n\r");
		err = mbuf_write_mem(mb, (const uint8_t *)value, plain);
		value += plain;

		if (*value && !err) {
			char c = *value++;

			c = c == '\t' ? 't' : c == '\n' ? 'n' :
			    c == '\r' ? 'r' : c;
			err = mbuf_printf(mb, "\\%c", c);
		}
	}

	return err ? err : mbuf_write_str(mb, end);
}


/** Take what libpq has received. @return true when a NOTIFY was there */
static bool take_notifies(struct pg *pg)
{
	PGnotify *notify;
	bool any = false;

	if (!pg->conn)
		return false;

	if (!PQconsumeInput(pg->conn)) {
		(void)lost(pg);
		return false;
	}

	while ((notify = PQnotifies(pg->conn))) {
		PQfreemem(notify);
		any = true;
	}

	return any;
}


bool pg_wait_notify(struct pg *pg, int timeout_ms, int fd)
{
	struct pollfd pfd[2];

	if (take_notifies(pg))
		return true;

	/* poll() passes over negative descriptors */
	pfd[0].fd = pg->conn ? PQsocket(pg->conn) : -1;
	pfd[0].events = POLLIN;
	pfd[1].fd = fd;
	pfd[1].events = POLLIN;

	if (poll(pfd, 2, timeout_ms) <= 0)
		return false;

	return take_notifies(pg);
}


PGconn *pg_conn(struct pg *pg)
{
	return pg->conn;
}


const char *pg_error(const struct pg *pg)
{
	return pg->error;
}


const char *pg_sqlstate(const struct pg *pg)
{
	return pg->sqlstate;
}


const char *pg_error_table(const struct pg *pg)
{
	return pg->table;
}
