/**
 * @file report.h  Reports: SQL of sql/reports, made into a table at build time
 * (report_table.py), run with what somebody asks for, and written as a table,
 * CSV, JSON or HTML. Shared by `strowger report` and strowger-api.
 */
#ifndef REPORT_H
#define REPORT_H
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>

struct json_t;
struct mbuf;
struct pg;

#define REPORT_COLUMNS_MAX 24
#define REPORT_ROWS_MAX 100000
#define REPORT_DAYS_MAX 400

enum report_kind {
	REPORT_TEXT, REPORT_NUMBER, REPORT_DECIMAL, REPORT_PERCENT,
	REPORT_MONEY, REPORT_TIME, REPORT_FLAG,
};

/** What a report may be asked for; each a text, "" is all. The viewer is the
 * tenant that reads it, "" the platform: columns of the platform are left out,
 * and where somebody else's number has sent a call on.
 */
enum report_by {
	REPORT_BY_FROM, REPORT_BY_TO, REPORT_BY_TENANT, REPORT_BY_TRUNK,
	REPORT_BY_CARRIER, REPORT_BY_DIRECTION, REPORT_BY_CURRENCY,
	REPORT_BY_ZONE, REPORT_BY_STEP, REPORT_BY_LIMIT, REPORT_BY_RUN,
	REPORT_BY_VIEWER,
	REPORT_BY_N
};

struct report_column {
	const char *name, *about;
	enum report_kind kind;
	bool is_platform;        /**< no tenant sees it                     */
};

struct report {
	const char *name, *title, *about;
	const char *chart;       /**< a column, or ""                       */
	bool is_tenant;          /**< a tenant may ask for it               */
	const struct report_column *columns;
	size_t column_n;
	enum report_by uses[REPORT_BY_N]; /**< what $1, $2 ... of sql are   */
	size_t use_n;
	const char *sql;
};

extern const struct report reports[];
extern const size_t report_n;

/** By name, NULL: there is none. */
const struct report *report_find(const char *name);

/** "from", "tenant" ...: as options, parameters and files call them. */
const char *report_by_name(enum report_by by);

/** Who asks for what. */
struct report_ask {
	const struct report *report;
	const char *by[REPORT_BY_N]; /**< NULL is ""; step, zone and limit have
				          defaults                           */
	const char *corrects;        /**< name of the file that this corrects,
				          or NULL; HTML and JSON say so      */
	unsigned revision;           /**< for the how manyth time            */
};

/**
 * Is it in order? Times are left to the database.
 * @param why  says what is not, NULL: all is well
 * @return the parameter that is at fault, or REPORT_BY_N
 */
enum report_by report_check(const struct report_ask *ask, const char **why);

/** Does it look at the span, or say how things are now? */
bool report_has_span(const struct report *r);

/** Has it as many rows as were asked for, so that there may be more? */
bool report_is_full(const struct report_ask *ask, const PGresult *rows);

/** The columns of the answer, in order. @return how many */
size_t report_columns(const struct report_ask *ask,
		      const struct report_column *ret[REPORT_COLUMNS_MAX]);

/**
 * Run it: in a transaction that only reads, of its own; or in the one that is
 * open. @return as pg_exec(), ERANGE: more than REPORT_DAYS_MAX
 */
int report_run(PGresult **retp, struct pg *pg, const struct report_ask *ask,
	       bool is_alone);

enum report_form { REPORT_TABLE, REPORT_CSV, REPORT_JSON, REPORT_HTML };

/** By name ("csv"). false: unknown */
bool report_form_find(enum report_form *ret, const char *name);

/** Append the answer. @return 0 or errno */
int report_write(struct mbuf *mb, const struct report_ask *ask,
		 const PGresult *rows, enum report_form form);

/** The same as JSON, which has a member rows. New reference, NULL: memory */
struct json_t *report_json(const struct report_ask *ask, const PGresult *rows);

/** Name, title, columns ...: what can be asked for. */
struct json_t *report_describe(const struct report *r, bool is_customer);

#endif
