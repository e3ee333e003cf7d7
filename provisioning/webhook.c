/**
 * @file webhook.c  /v1/webhook-endpoints: who wants to be told of events, the
 * secrets it is told with, and what became of telling.
 */
#include "json.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "change.h"
#include "event.h"
#include "form.h"
#include "hook.h"
#include "moment.h"
#include "pg.h"
#include "resource.h"
#include "rng.h"
#include "text.h"
#include "webhook_target.h"

static const char *const kinds[] = {
#define X(name, text, tells) text,
	EVENTS(X)
#undef X
	NULL};

static const struct field fields[] = {
	FIELD_ROW_ID("whk_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_NULLABLE | F_FIXED),
	FIELD_ROW_NAME,
	{.name = "url", .type = FIELD_TEXT, .flags = F_REQUIRED,
	 .column = "url", .min = 8, .max = WEBHOOK_URL_MAX,
	 .form = webhook_url_is_sound,
	 .form_is = "an http or https URL without user and fragment"},
	{.name = "kinds", .type = FIELD_CHOICES, .flags = F_REQUIRED,
	 .column = "kinds", .min = 1, .max = EVENT_KIND_N, .choices = kinds},
	{.name = "status", .type = FIELD_CHOICE, .flags = F_FILTER,
	 .column = "status",
	 .choices = (const char *const[]){"active", "disabled", NULL}},
	{.name = "disabled_at", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "disabled_at"},
	{.name = "disabled_reason", .type = FIELD_TEXT,
	 .flags = F_READ_ONLY, .column = "disabled_reason"},
	{.name = "failing_since", .type = FIELD_TIME, .flags = F_READ_ONLY,
	 .column = "failing_since"},
	{.name = "previous_secret_until", .type = FIELD_TIME,
	 .flags = F_READ_ONLY, .read = "CASE WHEN t.previous_until > now() "
	 "THEN to_char(t.previous_until at time zone 'UTC', "
	 "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') END"},
	/* shown by whoever makes it, once */
	{.name = "secret", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .read = "NULL::text"},
	{.name = "secret_box", .type = FIELD_SECRET, .flags = F_READ_ONLY,
	 .column = "secret_box"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSAL_NO_ROW("webhook_endpoint_tenant_id_fkey", "tenant_id",
		       "tenant"),
	{.constraint = NULL},
};


/* A customer hears of its own; carriers are nobody's but the platform's */
static void check_kinds(struct request *req, const struct record *rec)
{
	const char *list = record_text(rec, "kinds");

	if (record_text(rec, "tenant_id") && list &&
	    (strstr(list, event_kind_name(EVENT_CARRIER_DOWN)) ||
	     strstr(list, event_kind_name(EVENT_CARRIER_UP))))
		problem_add(&req->problem, "/kinds", "not_allowed", NULL,
			    "carriers are told to endpoints without tenant "
			    "only");
}


static int prepare(struct request *req, struct record *rec,
		   const json_t *before)
{
	const char *tenant = request_tenant(req);
	char box[WEBHOOK_BOX_SIZE];
	int err = 0;

	if (!req->api->webhooks->policy.has_key) {
		problem_set(&req->problem, PROBLEM_NO_KEY, "%s", "");
		return 0;
	}
	if (tenant && !record_text(rec, "tenant_id"))
		err = record_put(rec, "tenant_id", tenant);
	if (!err && !before)
		err = hook_secret_new(req, box);
	if (!err && !before)
		err = record_put(rec, "secret_box", box);
	hook_check_url(req, record_text(rec, "url"));
	check_kinds(req, rec);

	return err;
}


const struct resource resource_webhook = {
	.kind = "webhook", .table = "core.webhook_endpoint", .key = "id",
	.key_type = "text", .id_prefix = "whk_",
	.path = "/v1/webhook-endpoints", .owner = "t.tenant_id",
	.is_versioned = true, .set = &set, .refusals = refusals,
	.prepare = prepare,
};

static const struct field delivery_fields[] = {
	{.name = "id", .type = FIELD_TEXT, .column = "id"},
	{.name = "webhook_id", .type = FIELD_ID, .flags = F_READ_ONLY,
	 .column = "endpoint_id",
	 .choices = (const char *const[]){"whk_", NULL}},
	{.name = "event_id", .type = FIELD_TEXT, .column = "event_id"},
	{.name = "kind", .type = FIELD_TEXT,
	 .read = "(SELECT v.kind FROM core.event v "
		 "WHERE v.id = t.event_id)"},
	{.name = "state", .type = FIELD_TEXT, .flags = F_FILTER,
	 .column = "state"},
	{.name = "attempts", .type = FIELD_NUMBER, .column = "attempts"},
	{.name = "status", .type = FIELD_NUMBER, .column = "status"},
	{.name = "error", .type = FIELD_TEXT, .column = "error"},
	{.name = "duration_ms", .type = FIELD_NUMBER,
	 .column = "duration_ms"},
	{.name = "next_at", .type = FIELD_TIME,
	 .read = "CASE WHEN t.state = 'pending' THEN to_char(t.next_at "
		 "at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') "
		 "END"},
	{.name = "created_at", .type = FIELD_TIME, .column = "created_at"},
	{.name = "delivered_at", .type = FIELD_TIME,
	 .column = "delivered_at"},
};
static const struct field_set delivery_set = FIELD_SET(delivery_fields);

const struct resource resource_webhook_delivery = {
	.kind = "webhook_delivery", .table = "core.webhook_delivery",
	.key = "id", .key_type = "uuid", .path = "/deliveries",
	.owner = OWNER_BY("webhook_endpoint", "endpoint_id"), .newest_first = true,
	.parent = &resource_webhook, .parent_column = "endpoint_id",
	.set = &delivery_set,
};

/* The same by its id alone */
static const struct resource resource_delivery = {
	.kind = "webhook_delivery", .table = "core.webhook_delivery",
	.key = "id", .key_type = "uuid", .path = "/v1/webhook-deliveries",
	.owner = OWNER_BY("webhook_endpoint", "endpoint_id"), .set = &delivery_set,
};


/* --- secrets */

operation_h webhook_create, webhook_rotate, webhook_test,
	webhook_delivery_get, webhook_delivery_replay;


void webhook_create(struct request *req)
{
	resource_create(req);
	if (!problem_is_set(&req->problem))
		hook_secret_show(req, resource_webhook.table);
}


void webhook_rotate(struct request *req)
{
	hook_secret_rotate(req, &resource_webhook);
}


/* --- trying one */

static char *test_body(const struct request *req, const char *id)
{
	struct moment now;
	char at[32];
	json_t *body;
	char *text;

	moment_read(&now);
	body = json_pack("{s:s, s:s, s:s, s:n, s:n, s:n, s:{s:s}}", "type",
			 event_kind_name(EVENT_WEBHOOK_TEST), "timestamp",
			 moment_format(at, moment_wall_ms(&now)), "id", id,
			 "tenant_id", "object_id", "call_id", "data",
			 "request_id", req->id);
	text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);

	return text;
}


static void test(struct request *req, struct webhook_message *msg)
{
	struct webhook_post post = {.easy = NULL};
	struct webhook_result result;
	struct moment now;
	uint8_t uuid[16];
	char id[37], *body;
	int err;

	moment_read(&now);
	rng_uuid7(req->rng, moment_wall_ms(&now), uuid);
	body = test_body(req, uuid_format(id, uuid));
	msg->id = id;
	msg->body = body;
	msg->timeout_ms = WEBHOOK_TIMEOUT_MS;
	err = body ? webhook_post_begin(&post, &req->api->webhooks->policy,
					 msg)
		   : ENOMEM;
	if (err == EBADMSG) {
		problem_set(&req->problem, PROBLEM_NO_KEY, "%s", "");
	}
	else if (err) {
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	}
	else {
		webhook_post_end(&post, curl_easy_perform(post.easy),
				 &result);
		request_answer(req, 200, json_pack(
			"{s:s, s:b, s:o, s:o, s:I}", "webhook_message_id",
			id, "delivered", !*result.error, "status",
			result.status ? json_integer(result.status)
				      : json_null(),
			"error", *result.error ? json_string(result.error)
					       : json_null(),
			"duration_ms", (json_int_t)result.ms));
	}
	webhook_post_free(&post);
	free(body);
}


/* Waits for the endpoint: one at a time, so that slow ones cannot take all
   threads of the API */
void webhook_test(struct request *req)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	const char *id = req->path_params[0];
	struct webhook_message msg = {.id = NULL};
	json_t *row = resource_need(req, &resource_webhook, id, false, NULL);
	PGresult *res = NULL;
	int err;

	if (!row)
		return;
	json_decref(row);
	if (pthread_mutex_trylock(&lock)) {
		problem_set(&req->problem, PROBLEM_BUSY,
			    "another endpoint is being tried");
		return;
	}

	err = pg_exec(req->pg,
		      "SELECT url, secret_box, CASE WHEN previous_until > "
		      "now() THEN previous_box END "
		      "FROM core.webhook_endpoint WHERE id = $1", 1, &id,
		      &res);
	if (err || PQntuples(res) != 1) {
		request_pg_failed(req, err);
	}
	else {
		msg.url = PQgetvalue(res, 0, 0);
		msg.secret_box = PQgetvalue(res, 0, 1);
		msg.previous_box = PQgetisnull(res, 0, 2)
					   ? NULL : PQgetvalue(res, 0, 2);
		test(req, &msg);
	}
	PQclear(res);
	(void)pthread_mutex_unlock(&lock);
}


/* --- deliveries */

static json_t *delivery_need(struct request *req)
{
	const char *id = req->path_params[0];
	uint8_t uuid[16];

	if (!uuid_parse(uuid, id))
		return resource_need(req, &resource_delivery, id, false,
				     NULL);

	problem_set(&req->problem, PROBLEM_NOT_FOUND,
		    "there is no delivery of this id");
	return NULL;
}


void webhook_delivery_get(struct request *req)
{
	json_t *row = delivery_need(req);

	if (row)
		request_answer(req, 200, row);
}


void webhook_delivery_replay(struct request *req)
{
	const char *id = req->path_params[0];
	json_t *before, *after = NULL;
	int err;

	if (!change_begin(req))
		return;

	before = delivery_need(req);
	if (!before) {
		change_abort(req);
		return;
	}
	err = pg_exec(req->pg, "SELECT core.webhook_replay($1)", 1, &id,
		      NULL);
	if (err)
		request_pg_failed(req, err);
	else
		after = delivery_need(req);

	if (!after) {
		change_abort(req);
	}
	else {
		request_answer(req, 200, after);
		if (change_audit(req, "webhook_delivery", id, before, after))
			(void)change_commit(req);
	}
	json_decref(before);
}
