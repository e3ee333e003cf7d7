/**
 * @file health.c  What watches the API: /healthz, /readyz, /metrics; and the
 * contract and the problem kinds, for whoever has to read an answer.
 */
#include <stdlib.h>
#include <string.h>
#include "metric.h"
#include "pg.h"
#include "request.h"

operation_h health_get, ready_get, metrics_get, openapi_get, problem_get;
operation_h docs_get, docs_css_get, docs_js_get;


void health_get(struct request *req)
{
	request_answer(req, 200,
		       json_pack("{s:s, s:s, s:s}", "status", "ok", "node",
				 req->api->node, "version", STROWGER_VERSION));
}


void ready_get(struct request *req)
{
	PGresult *result = NULL;
	int err = pg_ready(req->pg);

	if (!err)
		err = pg_exec(req->pg, "SELECT version FROM core.state", 0,
			      NULL, &result);
	if (err)
		request_pg_failed(req, err);
	else
		request_answer(req, 200,
			       json_pack("{s:s, s:I}", "status", "ready",
					 "current_version",
					 (json_int_t)strtoll(
						 PQgetvalue(result, 0, 0),
						 NULL, 10)));
	PQclear(result);
}


void metrics_get(struct request *req)
{
	size_t len;

	req->answer.text = metric_print(&len);
	req->answer.text_type = "text/plain; version=0.0.4";
	req->answer.status = 200;
	if (!req->answer.text)
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");
}


void openapi_get(struct request *req)
{
	req->answer.text = strndup(openapi_json, openapi_json_len);
	req->answer.text_type = "application/json";
	req->answer.status = 200;
	if (!req->answer.text)
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");
}


static void page(struct request *req, const char *text, const char *type)
{
	req->answer.text = strdup(text);
	req->answer.text_type = type;
	req->answer.status = 200;
	req->answer.is_page = true;
	if (!req->answer.text)
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");
}


void docs_get(struct request *req)
{
	page(req, docs_html, "text/html");
}


void docs_css_get(struct request *req)
{
	page(req, docs_css, "text/css");
}


void docs_js_get(struct request *req)
{
	page(req, docs_js, "text/javascript");
}


void problem_get(struct request *req)
{
	const struct problem_row *row = problem_find(req->path_params[0]);

	if (!row) {
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no such problem");
		return;
	}
	request_answer(req, 200,
		       json_pack("{s:s, s:s, s:i, s:s}", "code", row->code,
				 "title", row->title, "status", row->status,
				 "help", row->help));
}
