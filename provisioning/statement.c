/**
 * @file statement.c  /v1/accounts/{id}/statement: what moved in the ledger, by
 * day; /v1/aging: who owes how much since when.
 */
#include "change.h"
#include "form.h"
#include "pg.h"
#include "resource.h"
#include "text.h"

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


/* Which parameter, what was sent, and what it has to be */
static void refuse(struct request *req, const char *name, const char *sent,
		   const char *must)
{
	json_t *value = sent ? json_string(sent) : NULL;
	char pointer[16];

	(void)text_format(pointer, sizeof(pointer), "/%s", name);
	problem_set(&req->problem, PROBLEM_BAD_PARAMETER, "%s %s", name, must);
	problem_add(&req->problem, pointer, sent ? "bad_form" : "required",
		    value, "%s", must);
	json_decref(value);
}


void account_statement(struct request *req)
{
	static const char time_is[] = "must be a time as 2027-01-31T00:00:00Z";
	const char *params[] = {req->path_params[0],
				request_query(req, "from"),
				request_query(req, "to")};
	json_t *row;
	int64_t from, to;

	if (!params[1] || form_time(&from, params[1]))
		refuse(req, "from", params[1], time_is);
	else if (!params[2] || form_time(&to, params[2]))
		refuse(req, "to", params[2], time_is);
	else if (to < from)
		refuse(req, "to", params[2], "must not be before from");
	if (problem_is_set(&req->problem))
		return;

	row = resource_need(req, &resource_account, params[0], false, NULL);
	if (row)
		answer(req, statement_sql, 3, params);
	json_decref(row);
}


void aging_list(struct request *req)
{
	answer(req, aging_sql, 0, NULL);
}
