/**
 * @file statement.c  /v1/accounts/{id}/statement: what moved in the ledger, by
 * day; /v1/aging: who owes how much since when.
 */
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"

#define AMOUNT(name_) "'" name_ "', rating.amount(r." name_ "_micro)"

static const char statement_sql[] =
	"SELECT coalesce(jsonb_agg(jsonb_build_object('day', r.day, 'kind', "
	"r.kind, 'reference', r.reference, 'description', r.description, "
	"'calls', r.calls, " AMOUNT("debit") ", " AMOUNT("credit") ", "
	AMOUNT("balance") ") ORDER BY r.n), '[]') "
	"FROM billing.statement($1, $2, $3) r";
static const char aging_sql[] =
	"SELECT coalesce(jsonb_agg(jsonb_build_object('tenant_id', "
	"r.tenant_id, 'account_id', r.account_id, 'name', r.name, 'currency', "
	"r.currency, " AMOUNT("balance") ", " AMOUNT("credit_limit") ", "
	AMOUNT("leased") ", " AMOUNT("open") ", " AMOUNT("not_due") ", "
	AMOUNT("days_30") ", " AMOUNT("days_60") ", " AMOUNT("days_90") ", "
	AMOUNT("older") ", 'last_payment_at', to_char(r.last_payment_at at "
	"time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'))), '[]') "
	"FROM billing.aging() r";

operation_h account_statement, aging_list;


static void answer(struct request *req, const char *sql, int n,
		   const char *const *params)
{
	PGresult *result = NULL;
	json_t *rows;
	int err = pg_exec(req->pg, sql, n, params, &result);

	if (err) {
		request_pg_failed(req, err);
	}
	else {
		rows = json_loads(PQgetvalue(result, 0, 0), 0, NULL);
		if (rows)
			request_answer(req, 200, json_pack("{s:o}", "data",
							   rows));
		else
			problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	}
	PQclear(result);
}


void account_statement(struct request *req)
{
	const char *params[] = {req->path_params[0],
				request_query(req, "from"),
				request_query(req, "to")};
	json_t *row;
	int64_t from, to;

	if (!params[1] || !params[2] || form_time(&from, params[1]) ||
	    form_time(&to, params[2]) || to < from) {
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "from and to: moments (RFC 3339) in order");
		return;
	}
	row = resource_need(req, &resource_account, params[0], false, NULL);
	if (row)
		answer(req, statement_sql, 3, params);
	json_decref(row);
}


void aging_list(struct request *req)
{
	answer(req, aging_sql, 0, NULL);
}
