/**
 * @file report_get.c  /v1/reports: what can be asked for, and asking it. A
 * tenant gets those that are for tenants, of itself and the tenants below it,
 * without what we pay.
 */
#include "json.h"
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "form.h"
#include "pg.h"
#include "report.h"
#include "request.h"
#include "text.h"

#define REPORT_SPAN_MAX_MS (INT64_C(86400000) * REPORT_DAYS_MAX)

operation_h report_list, report_get;

/* Parameters of the query, as the report calls them. */
static const struct {
	const char *name;
	enum report_by by;
} asked[] = {
	{"from", REPORT_BY_FROM}, {"to", REPORT_BY_TO},
	{"tenant_id", REPORT_BY_TENANT}, {"trunk_id", REPORT_BY_TRUNK},
	{"carrier_id", REPORT_BY_CARRIER}, {"direction", REPORT_BY_DIRECTION},
	{"currency", REPORT_BY_CURRENCY}, {"time_zone", REPORT_BY_ZONE},
	{"step", REPORT_BY_STEP}, {"rows", REPORT_BY_LIMIT},
	{"reconciliation_id", REPORT_BY_RUN},
};


void report_list(struct request *req)
{
	const bool is_customer = request_tenant(req) != NULL;
	json_t *list = json_array();

	for (size_t i = 0; i < report_n; i++) {
		if (!is_customer || reports[i].is_tenant)
			(void)json_array_append_new(list, report_describe(
				&reports[i], is_customer));
	}
	request_answer(req, 200, json_pack("{s:o}", "data", list));
}


static const char *name_of(enum report_by by)
{
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++) {
		if (asked[i].by == by)
			return asked[i].name;
	}
	return "";
}


/* Which parameter, what was sent, and what it has to be */
static void refuse(struct request *req, const struct report_ask *ask,
		   enum report_by by, const char *code, const char *must)
{
	json_t *value = ask->by[by] ? json_string(ask->by[by]) : NULL;
	char pointer[32];

	(void)text_format(pointer, sizeof(pointer), "/%s", name_of(by));
	problem_set(&req->problem, PROBLEM_BAD_PARAMETER, "%s %s", name_of(by),
		    must);
	problem_add(&req->problem, pointer, code, value, "%s", must);
	json_decref(value);
}


static void check(struct request *req, const struct report_ask *ask)
{
	static const char time_is[] = "must be a time as 2027-01-31T00:00:00Z";
	const char *zone = ask->by[REPORT_BY_ZONE], *why;
	const enum report_by by = report_check(ask, &why);
	int64_t from, to;
	char must[64];

	(void)text_format(must, sizeof(must), "must be at most %d days after "
			  "from", REPORT_DAYS_MAX);
	if (why)
		refuse(req, ask, by, ask->by[by] ? "bad_form" : "required", why);
	else if (form_time(&from, ask->by[REPORT_BY_FROM]))
		refuse(req, ask, REPORT_BY_FROM, "bad_form", time_is);
	else if (form_time(&to, ask->by[REPORT_BY_TO]))
		refuse(req, ask, REPORT_BY_TO, "bad_form", time_is);
	else if (to <= from)
		refuse(req, ask, REPORT_BY_TO, "out_of_range",
		       "must be after from");
	else if (to - from > REPORT_SPAN_MAX_MS)
		refuse(req, ask, REPORT_BY_TO, "out_of_range", must);
	else if (zone && !form_is_zone(zone))
		refuse(req, ask, REPORT_BY_ZONE, "bad_form",
		       "must be as Europe/Berlin");
	else if (ask->by[REPORT_BY_VIEWER] && ask->by[REPORT_BY_CARRIER])
		problem_set(&req->problem, PROBLEM_FORBIDDEN,
			    "carrier_id is the platform's");
}


/* Of itself, or of a tenant below it */
static void tenant_force(struct request *req, struct report_ask *ask)
{
	const char *params[] = {request_tenant(req),
				ask->by[REPORT_BY_TENANT]};
	PGresult *result = NULL;
	int err;

	if (!params[0])
		return;
	if (!params[1]) {
		ask->by[REPORT_BY_TENANT] = params[0];
		return;
	}
	err = pg_exec(req->pg, "SELECT FROM core.tenant_tree WHERE "
		      "ancestor_id = $1 AND tenant_id = $2", 2, params,
		      &result);
	if (err)
		request_pg_failed(req, err);
	else if (!PQntuples(result))
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no tenant %s", params[1]);
	PQclear(result);
}


static void answer_rows(struct request *req, const struct report_ask *ask,
			const PGresult *rows, enum report_form form)
{
	struct mbuf *mb;

	if (form == REPORT_JSON) {
		request_answer(req, 200, report_json(ask, rows));
		return;
	}

	mb = mbuf_alloc(4096);
	if (mb && !report_write(mb, ask, rows, form) &&
	    !mbuf_write_u8(mb, 0))
		req->answer.text = strdup((const char *)mb->buf);
	mem_deref(mb);
	req->answer.text_type = form == REPORT_CSV ? "text/csv"
						   : "text/html";
	req->answer.status = 200;
	if (!req->answer.text)
		problem_set(&req->problem, PROBLEM_BUSY, "out of memory");
}


static void run(struct request *req, const struct report_ask *ask,
		enum report_form form)
{
	PGresult *rows = NULL;
	int err = report_run(&rows, req->pg, ask, true);
	const char *state = err ? pg_sqlstate(req->pg) : "";

	/* a time zone that PostgreSQL does not know */
	if (err && !strcmp(state, "22023"))
		refuse(req, ask, REPORT_BY_ZONE, "unknown",
		       "must be a time zone that there is");
	else if (err)
		request_pg_failed(req, err);
	else
		answer_rows(req, ask, rows, form);
	PQclear(rows);
}


void report_get(struct request *req)
{
	const char *form_name = request_query(req, "format");
	const char *viewer = request_tenant(req);
	struct report_ask ask = {
		.report = report_find(req->path_params[0]),
		.by = {[REPORT_BY_VIEWER] = viewer},
	};
	enum report_form form = REPORT_JSON;

	if (!ask.report || (viewer && !ask.report->is_tenant)) {
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no report %s", req->path_params[0]);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		ask.by[asked[i].by] = request_query(req, asked[i].name);
	if (form_name && (!report_form_find(&form, form_name) ||
			  form == REPORT_TABLE))
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "format must be json, csv or html");
	if (!problem_is_set(&req->problem))
		check(req, &ask);
	if (!problem_is_set(&req->problem))
		tenant_force(req, &ask);
	if (!problem_is_set(&req->problem))
		run(req, &ask, form);
}
