/**
 * @file limit.c  /v1/limits/{id}: what of a row's limits is in use, and by
 * which calls, asked of the switch. The id says what kind of row it is; who
 * may read the row may see this.
 */
#include <string.h>
#include "pg.h"
#include "resource.h"
#include "switch_ask.h"
#include "text.h"


static const struct resource *resource_of(const char *id)
{
	static const struct resource *const all[] = {
		&resource_tenant, &resource_account, &resource_trunk,
		&resource_site, &resource_did, &resource_carrier,
		&resource_gateway,
	};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (!strncmp(id, all[i]->id_prefix,
			     strlen(all[i]->id_prefix)))
			return all[i];

	return NULL;
}


/* The row, if this caller may see it; a site is found below its trunk. */
static json_t *row_read(struct request *req, const char *id)
{
	const struct resource *res = resource_of(id);
	PGresult *result = NULL;

	if (!res)
		return NULL;
	if (res->parent) {
		if (!pg_exec(req->pg, "SELECT trunk_id FROM core.site "
			     "WHERE id = $1", 1, &id, &result) &&
		    PQntuples(result) == 1)
			(void)text_copy(req->path_params[0],
					sizeof(req->path_params[0]),
					PQgetvalue(result, 0, 0));
		PQclear(result);
	}

	return resource_read(req, res, id, false, NULL);
}


/* As the switch knows it: a number by its digits */
static json_t *question(const json_t *row, const char *id)
{
	const char *e164 = json_string_value(json_object_get(row, "e164"));

	return json_pack("{s:s, s:s}", "op", "limits", "id",
			 e164 ? e164 : id);
}


operation_h limit_get;


void limit_get(struct request *req)
{
	json_t *row, *answer = NULL;
	char id[64];

	(void)text_copy(id, sizeof(id), req->path_params[0]);
	row = row_read(req, id);
	if (row)
		answer = switch_ask(req, question(row, id));
	else if (!problem_is_set(&req->problem))
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no row %s with limits", id);
	json_decref(row);
	if (!answer)
		return;

	json_object_del(answer, "ok");
	request_answer(req, 200, answer);
}
