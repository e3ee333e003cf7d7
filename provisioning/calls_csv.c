/** @file calls_csv.c  See calls_csv.h. */
#include <stdlib.h>
#include <string.h>
#include "calls_csv.h"
#include "pg.h"


void calls_csv_answer(struct request *req, const struct resource *res,
		      const char *sql, const char *command)
{
	const char *id = req->path_params[0];
	json_t *row = resource_need(req, res, id, false, NULL);
	PGresult *result = NULL;
	int err;

	if (!row)
		return;

	json_decref(row);
	err = pg_exec(req->pg, sql, 1, &id, &result);
	if (err)
		request_pg_failed(req, err);
	else if (strtoull(PQgetvalue(result, 0, 0), NULL, 10) >
		 strtoull(CALLS_CSV_MAX, NULL, 10))
		problem_set(&req->problem, PROBLEM_TOO_MANY, "more than "
			    CALLS_CSV_MAX " calls: %s %s", command, id);
	else
		req->answer.text = strdup(PQgetvalue(result, 0, 1));
	PQclear(result);
	req->answer.text_type = "text/csv";
	req->answer.status = 200;
	if (!req->answer.text && !problem_is_set(&req->problem))
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");
}
