/**
 * @file leases.c  Commands on money that nodes have leased: who holds what
 * until when, and the release of what a lost node will never report.
 */
#include "json.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "database.h"
#include "grid.h"
#include "pg.h"
#include "text.h"

static const char *const heads[] = {"ACCOUNT", "NODE", "EPOCH", "STATE",
				    "UNTIL", "LEFT", "CURRENCY", NULL};
static const char *const members[] = {"account_id", "node", "epoch", "state",
				      "until", "left", "currency"};

enum { COLUMNS = 7 };


static int rows_print(const PGresult *res)
{
	struct grid *g = NULL;
	int err = grid_alloc(&g, heads);

	for (int i = 0; i < PQntuples(res) && !err; i++)
		for (int k = 0; k < COLUMNS && !err; k++)
			err = grid_cell(g, PQgetvalue(res, i, k));
	if (!err)
		grid_print(g, stdout);
	mem_deref(g);

	return err ? command_fail(COMMAND_REFUSED, "%s", strerror(err))
		   : COMMAND_OK;
}


static int rows_dump(const PGresult *res)
{
	json_t *list = json_array();

	for (int i = 0; i < PQntuples(res); i++) {
		json_t *row = json_object();

		for (int k = 0; k < COLUMNS; k++)
			(void)json_object_set_new(
				row, members[k],
				json_string(PQgetvalue(res, i, k)));
		(void)json_array_append_new(list, row);
	}
	(void)json_dumpf(list, stdout, JSON_INDENT(2));
	(void)putchar('\n');
	json_decref(list);

	return COMMAND_OK;
}


int command_leases(const struct options *opt)
{
	PGresult *res = NULL;
	char why[512] = "";
	struct pg *pg;
	int code;

	if (database_open(&pg, opt, why, sizeof(why)))
		return command_fail(COMMAND_UNREACHABLE, "database: %s", why);

	if (pg_exec(pg,
		    "select l.account_id, l.node, l.epoch, l.state,"
		    " to_char(l.until at time zone 'UTC',"
		    " 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"'),"
		    " (l.left_micro / 1000000.0)::numeric(20, 6), a.currency"
		    " from core.lease_state l"
		    " join core.account a on a.id = l.account_id"
		    " where l.left_micro > 0"
		    " order by l.state desc, l.account_id, l.node, l.epoch",
		    0, NULL, &res))
		code = command_fail(COMMAND_REFUSED, "%s", pg_error(pg));
	else
		code = opt->is_json ? rows_dump(res) : rows_print(res);

	PQclear(res);
	mem_deref(pg);

	return code;
}


/* The database refuses while the node may still be spending it. */
static int release(struct pg *pg, const struct options *opt)
{
	const char *params[] = {opt->argument, opt->lease.node,
				opt->lease.epoch, opt->lease.note};
	PGresult *res = NULL;
	int code = COMMAND_OK;

	if (pg_exec(pg,
		    "with r as (select l.epoch, core.lease_release("
		    "l.account_id, l.node, l.epoch, $4) as micro"
		    " from core.lease_state l where l.account_id = $1"
		    " and l.node = $2 and l.left_micro > 0"
		    " and case when $3::bigint is null then"
		    " l.state = 'pending' else l.epoch = $3::bigint end)"
		    " insert into core.audit (method, path, kind, object_id,"
		    " after) select 'COMMAND', 'leases release', 'lease', $1,"
		    " jsonb_build_object('node', $2::text, 'epoch', r.epoch,"
		    " 'released', (r.micro / 1000000.0)::numeric(20, 6)::text,"
		    " 'note', $4::text, 'by', session_user) from r"
		    " returning after ->> 'epoch', after ->> 'released'",
		    4, params, &res))
		code = command_fail(COMMAND_REFUSED, "%s", pg_error(pg));
	else if (!PQntuples(res))
		code = command_fail(COMMAND_REFUSED, "nothing of it is "
						     "pending");
	for (int i = 0; !code && i < PQntuples(res); i++)
		(void)printf("epoch %s: released %s\n", PQgetvalue(res, i, 0),
			     PQgetvalue(res, i, 1));
	PQclear(res);

	return code;
}


int command_leases_release(const struct options *opt)
{
	char why[512] = "";
	struct pg *pg;
	int code;

	if (!opt->lease.node)
		return command_fail(COMMAND_USAGE, "leases release needs "
				    "--node, as `strowger leases` shows it");
	if (database_open(&pg, opt, why, sizeof(why)))
		return command_fail(COMMAND_UNREACHABLE, "database: %s", why);

	code = release(pg, opt);
	mem_deref(pg);

	return code;
}
