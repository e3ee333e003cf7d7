/**
 * @file gateway_quality.c  /v1/carrier-gateways/{id}/quality: the figures by
 * which the switch locks a gateway, and the end of a lock by hand. They are
 * the switch's own and in no table.
 */
#include "change.h"
#include "resource.h"
#include "switch_ask.h"


/* Ask about the gateway of the path. New reference, NULL: problem is set */
static json_t *ask(struct request *req, const char *op)
{
	const char *id = req->path_params[0];
	json_t *answer = switch_ask(req, json_pack("{s:s, s:s}", "op", op,
						   "gateway", id));

	if (!answer)
		return NULL;

	json_object_del(answer, "ok");
	json_object_del(answer, "gateway");
	json_object_set_new(answer, "gateway_id", json_string(id));

	return answer;
}


/* Is there such a row? A problem is set when there is none */
static bool is_there(struct request *req)
{
	json_t *row = resource_need(req, &resource_gateway,
				    req->path_params[0], false, NULL);

	json_decref(row);

	return row != NULL;
}


operation_h gateway_quality, gateway_unlock;


void gateway_quality(struct request *req)
{
	json_t *figures = is_there(req) ? ask(req, "quality") : NULL;

	if (figures)
		request_answer(req, 200, figures);
}


void gateway_unlock(struct request *req)
{
	json_t *before, *after = NULL;

	if (!change_begin(req))
		return;

	before = is_there(req) ? ask(req, "quality") : NULL;
	if (before)
		after = req->is_dry ? json_incref(before)
				    : ask(req, "quality_unlock");
	if (!after) {
		change_abort(req);
		goto out;
	}

	request_answer(req, 200, after);
	if (change_audit(req, "gateway_quality", req->path_params[0], before,
			 after))
		(void)change_commit(req);
	req->answer.version = 0; /* nothing provisioned has changed */

 out:
	json_decref(before);
}
