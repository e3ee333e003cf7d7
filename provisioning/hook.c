/** @file hook.c  See hook.h. */
#include "json.h"
#include <openssl/crypto.h>
#include <string.h>
#include "change.h"
#include "hook.h"
#include "pg.h"
#include "query.h"
#include "resource.h"
#include "webhook_target.h"

#define OVERLAP_DEFAULT "86400"


void hook_check_url(struct request *req, const char *url)
{
	json_t *value;

	if (!url || req->api->webhooks->policy.allow_private ||
	    !webhook_url_is_private(url))
		return;

	value = json_string(url);
	problem_add(&req->problem, "/url", "not_allowed", value,
		    "must lead to an address of the public Internet");
	json_decref(value);
}


int hook_secret_new(struct request *req, char box[WEBHOOK_BOX_SIZE])
{
	char secret[WEBHOOK_SECRET_SIZE];
	int err;

	webhook_secret_make(req->rng, secret);
	err = webhook_secret_seal(req->api->webhooks->policy.key, req->rng,
				  secret, box);
	OPENSSL_cleanse(secret, sizeof(secret));

	return err;
}


void hook_secret_show(struct request *req, const char *table)
{
	const char *id = json_string_value(
		json_object_get(req->answer.json, "id"));
	char secret[WEBHOOK_SECRET_SIZE];
	PGresult *res = NULL;
	struct query q;

	if (req->is_dry || req->answer.is_replayed || !id)
		return;

	query_init(&q);
	query_text(&q, "SELECT secret_box FROM %s WHERE id = ", table);
	query_param(&q, id);
	if (!query_run(&q, req->pg, &res) && PQntuples(res) == 1 &&
	    !webhook_secret_open(req->api->webhooks->policy.key,
				 PQgetvalue(res, 0, 0), secret))
		json_object_set_new(req->answer.json, "secret",
				    json_string(secret));
	query_reset(&q);
	PQclear(res);
	OPENSSL_cleanse(secret, sizeof(secret));
}


/* --- rotation */

static const struct field rotate_fields[] = {
	{.name = "overlap_s", .type = FIELD_NUMBER, .min = 0,
	 .max = HOOK_OVERLAP_MAX_S},
};
static const struct field_set rotate_set = FIELD_SET(rotate_fields);


/* As pg_exec() */
static int replace(struct request *req, const struct resource *res,
		   const char *overlap_s)
{
	char box[WEBHOOK_BOX_SIZE];
	struct query q;
	int err = hook_secret_new(req, box);

	if (err)
		return err;

	query_init(&q);
	query_text(&q, "UPDATE %s SET previous_box = secret_box, "
		       "previous_until = now() + make_interval(secs => ",
		   res->table);
	query_param(&q, overlap_s);
	query_text(&q, "), secret_box = ");
	query_param(&q, box);
	query_text(&q, " WHERE id = ");
	query_param(&q, req->path_params[0]);
	err = query_run(&q, req->pg, NULL);
	query_reset(&q);

	return err;
}


static void rotate(struct request *req, const struct resource *res,
		   const char *overlap_s)
{
	const char *id = req->path_params[0];
	json_t *before, *after;
	int err;

	if (!change_begin(req))
		return;

	before = resource_need(req, res, id, true, NULL);
	if (!before) {
		change_abort(req);
		return;
	}

	err = replace(req, res, overlap_s ? overlap_s : OVERLAP_DEFAULT);
	if (err) {
		request_pg_failed(req, err);
		change_abort(req);
		goto out;
	}
	after = resource_need(req, res, id, false, NULL);
	if (!after) {
		change_abort(req);
		goto out;
	}

	request_answer(req, 200, after);
	if (change_audit(req, res->kind, id, before, after) &&
	    change_commit(req))
		hook_secret_show(req, res->table);

 out:
	json_decref(before);
}


void hook_secret_rotate(struct request *req, const struct resource *res)
{
	struct record *rec = NULL;
	json_t *body = request_json(req);

	if (!body)
		return;

	if (record_decode(&rec, &rotate_set, body, "", &req->problem))
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	else if (!req->api->webhooks->policy.has_key)
		problem_set(&req->problem, PROBLEM_NO_KEY, "%s", "");
	if (!problem_is_set(&req->problem))
		rotate(req, res, record_text(rec, "overlap_s"));

	mem_deref(rec);
	json_decref(body);
}
