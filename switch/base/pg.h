/**
 * @file pg.h  libpq for the threads that may wait (catalog, ledger, API).
 * Parameters only, never text pasted into SQL. A pg belongs to one thread.
 */
#ifndef PG_H
#define PG_H
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pg;

/**
 * @param dsn      libpq connection string (connect_timeout is added: 5 s)
 * @param app      application_name
 * Does not connect yet. mem_deref() frees.
 */
int pg_alloc(struct pg **pgp, const char *dsn, const char *app);

/**
 * Connect when there is no connection (at most once a second); one that the
 * server has closed meanwhile is none.
 * @return 0, EAGAIN (too soon) or ECONNREFUSED; says why in pg_error()
 */
int pg_ready(struct pg *pg);

/**
 * Run one statement with n text parameters (NULL is SQL NULL).
 * @param retp  result, caller PQclear()s; may be NULL. Set on EPROTO too.
 * @return 0; ECONNRESET (connection lost, outcome unknown if it was COMMIT);
 *         EPROTO (the server refused: pg_sqlstate(), pg_error())
 */
int pg_exec(struct pg *pg, const char *sql, int n, const char *const *params,
	    PGresult **retp);

/** One COPY ... FROM STDIN in text format: begin, rows, end. */
int pg_copy_begin(struct pg *pg, const char *sql);
int pg_copy_row(struct pg *pg, const char *line, size_t len);
int pg_copy_end(struct pg *pg);

/** Append one COPY text field, escaped; NULL appends \N. Used with mbuf. */
struct mbuf;
int pg_copy_field(struct mbuf *mb, const char *value, bool last);

/** Wait for a NOTIFY up to timeout_ms, or until fd (or -1) is readable. */
bool pg_wait_notify(struct pg *pg, int timeout_ms, int fd);

PGconn *pg_conn(struct pg *pg);
const char *pg_error(const struct pg *pg);
const char *pg_sqlstate(const struct pg *pg); /**< "" when none */
/** Table of the row that a constraint refused; "" when none. */
const char *pg_error_table(const struct pg *pg);
void pg_drop(struct pg *pg); /**< close; the next pg_ready() reconnects */

#endif
