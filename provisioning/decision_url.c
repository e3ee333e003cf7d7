/**
 * @file decision_url.c  /v1/decision-urls: who is asked what shall become of
 * calls that a number's trunk does not take.
 */
#include "form.h"
#include "hook.h"
#include "resource.h"
#include "webhook_target.h"

static const char *const conditions[] = {
	"unconditional", "busy", "no_answer", "unreachable", "rejected",
	"failure", NULL};

static const struct field fields[] = {
	FIELD_ROW_ID("dcu_"),
	FIELD_REFERENCE("tenant_id", "ten_", F_REQUIRED | F_FIXED),
	FIELD_REFERENCE("did_id", "did_", F_NULLABLE),
	FIELD_REFERENCE("trunk_id", "trk_", F_NULLABLE),
	{.name = "url", .type = FIELD_TEXT, .flags = F_REQUIRED,
	 .column = "url", .min = 8, .max = WEBHOOK_URL_MAX,
	 .form = webhook_url_is_sound,
	 .form_is = "an http or https URL without user and fragment"},
	{.name = "timeout_ms", .type = FIELD_NUMBER, .column = "timeout_ms",
	 .min = 100, .max = 10000},
	{.name = "conditions", .type = FIELD_CHOICES, .column = "conditions",
	 .min = 1, .max = 6, .choices = conditions},
	{.name = "fallback", .type = FIELD_CHOICE, .column = "fallback",
	 .choices = (const char *const[]){"continue", "refuse", "forward",
					  NULL}},
	{.name = "fallback_number", .type = FIELD_E164,
	 .flags = F_NULLABLE, .column = "fallback_number"},
	{.name = "fallback_trunk_id", .type = FIELD_ID,
	 .flags = F_NULLABLE, .column = "fallback_trunk_id",
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "is_signed", .type = FIELD_FLAG, .column = "is_signed"},
	{.name = "previous_secret_until", .type = FIELD_TIME,
	 .flags = F_READ_ONLY, .read = "CASE WHEN t.previous_until > now() "
	 "THEN to_char(t.previous_until at time zone 'UTC', "
	 "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') END"},
	/* shown by whoever makes it, once */
	{.name = "secret", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .read = "NULL::text"},
	{.name = "secret_box", .type = FIELD_SECRET, .flags = F_READ_ONLY,
	 .column = "secret_box"},
	FIELD_ROW_STATUS,
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "decision_url_one_owner", .field = "did_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "either did_id or trunk_id is needed"},
	{.constraint = "decision_url_did", .field = "did_id",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "this number has a decision URL already",
	 .clash_sql = "SELECT id FROM core.decision_url WHERE did_id = $1",
	 .clash_fields = {"did_id"}},
	{.constraint = "decision_url_of_trunk", .field = "trunk_id",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "this trunk has a decision URL already",
	 .clash_sql = "SELECT id FROM core.decision_url WHERE trunk_id = $1",
	 .clash_fields = {"trunk_id"}},
	{.constraint = "decision_url_fallback_target",
	 .field = "fallback_number", .kind = PROBLEM_VALIDATION,
	 .detail = "either this or fallback_trunk_id is needed when fallback "
		   "is forward, and neither is allowed otherwise"},
	{.constraint = "decision_url_secret", .field = "is_signed",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "becomes true with the secret that POST .../rotate makes"},
	REFUSAL_NO_ROW("decision_url_did_id_fkey", "did_id", "number"),
	{.constraint = "decision_url_did_tenant", .field = "did_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such number"},
	{.constraint = "decision_url_trunk", .field = "trunk_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	{.constraint = "decision_url_fallback_trunk",
	 .field = "fallback_trunk_id", .kind = PROBLEM_VALIDATION,
	 .detail = "this tenant has no such trunk"},
	REFUSAL_NO_ROW("decision_url_tenant_id_fkey", "tenant_id", "tenant"),
	{.constraint = NULL},
};


static bool is_signed(const struct record *rec)
{
	const char *text = record_text(rec, "is_signed");

	return !text || *text == 't';
}


static int prepare(struct request *req, struct record *rec,
		   const json_t *before)
{
	char box[WEBHOOK_BOX_SIZE];
	int err = 0;

	hook_check_url(req, record_text(rec, "url"));
	if (before || !is_signed(rec))
		return 0;
	if (!req->api->webhooks->policy.has_key) {
		problem_set(&req->problem, PROBLEM_NO_KEY, "%s", "");
		return 0;
	}

	err = hook_secret_new(req, box);

	return err ? err : record_put(rec, "secret_box", box);
}


const struct resource resource_decision_url = {
	.kind = "decision_url", .table = "core.decision_url", .key = "id",
	.key_type = "text", .id_prefix = "dcu_", .path = "/v1/decision-urls",
	.owner = "t.tenant_id", .is_versioned = true, .set = &set,
	.refusals = refusals, .prepare = prepare,
};


operation_h decision_url_create, decision_url_rotate;


void decision_url_create(struct request *req)
{
	resource_create(req);
	if (!problem_is_set(&req->problem))
		hook_secret_show(req, resource_decision_url.table);
}


void decision_url_rotate(struct request *req)
{
	hook_secret_rotate(req, &resource_decision_url);
}
