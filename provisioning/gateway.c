/**
 * @file gateway.c  /v1/carrier-gateways: the addresses of carriers. IP
 * literals only; credentials are stored as hashes and never sent.
 */
#include <string.h>
#include "form.h"
#include "ha1.h"
#include "number_field.h"
#include "resource.h"

static const struct field fields[] = {
	FIELD_ROW_ID("gwy_"),
	FIELD_REFERENCE("carrier_id", "car_", F_REQUIRED | F_FIXED),
	FIELD_ROW_NAME,
	{.name = "host", .type = FIELD_IP, .flags = F_REQUIRED,
	 .column = "address"},
	{.name = "port", .type = FIELD_NUMBER, .column = "port", .min = 1,
	 .max = 65535},
	{.name = "transport", .type = FIELD_CHOICE, .column = "transport",
	 .choices = (const char *const[]){"udp", NULL}},
	FIELD_ROW_STATUS,
	{.name = "identity", .type = FIELD_CHOICE, .column = "identity",
	 .choices = (const char *const[]){"from", "pai", NULL}},
	{.name = "emergency_location", .type = FIELD_CHOICE,
	 .column = "emergency_location",
	 .choices = (const char *const[]){"none", "value", "reference",
					  NULL}},
	FIELD_LIMIT("channels", "channels"),
	FIELD_LIMIT("cps", "cps"),
	FIELD_ROW_BURST,
	FIELD_ROW_HOP_ACTION,
	FIELD_ROW_RULES("number_in"),
	FIELD_ROW_RULES("number_out"),
	FIELD_NUMBER_POLICY,
	{.name = "credential.username", .type = FIELD_TEXT,
	 .flags = F_NULLABLE, .column = "username", .min = 1, .max = 63,
	 .form = form_is_username,
	 .form_is = "free of colons, quotes and control characters"},
	{.name = "credential.realm", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "realm", .min = 1, .max = 63, .form = form_is_realm,
	 .form_is = "free of quotes and control characters"},
	{.name = "credential.password", .type = FIELD_SECRET, .min = 1,
	 .max = PASSWORD_MAX, .form = form_is_name,
	 .form_is = "free of control characters"},
	HA1_FIELDS,
	{.name = "options_ping.interval_s", .type = FIELD_NUMBER,
	 .column = "ping_s", .min = 0, .max = 3600},
	{.name = "options_ping.down_after", .type = FIELD_NUMBER,
	 .column = "ping_down_after", .min = 1, .max = 100},
	{.name = "options_ping.up_after", .type = FIELD_NUMBER,
	 .column = "ping_up_after", .min = 1, .max = 100},
	{.name = "no_response_ms", .type = FIELD_NUMBER,
	 .column = "no_response_ms", .min = 500, .max = 32000},
	{.name = "no_ring_ms", .type = FIELD_NUMBER, .column = "no_ring_ms",
	 .min = 0, .max = 120000},
	{.name = "disconnect_policy_id", .type = FIELD_ID,
	 .flags = F_NULLABLE, .column = "disconnect_policy_id",
	 .choices = (const char *const[]){"dsp_", NULL}},
	{.name = "redirect", .type = FIELD_CHOICE, .column = "redirect",
	 .choices = (const char *const[]){"refuse", "follow", "pass", NULL}},
	{.name = "redirect_prefixes", .type = FIELD_CHOICES,
	 .column = "redirect_prefixes", .min = 0, .max = 8,
	 .form = form_is_country_prefix,
	 .form_is = "1 to 15 digits, the first not 0"},
	FIELD_ROW_TAGS(0),
	{.name = "quality.window_s", .type = FIELD_NUMBER,
	 .column = "quality_window_s", .min = 60, .max = 86400},
	{.name = "quality.min_samples", .type = FIELD_NUMBER,
	 .column = "quality_min_samples", .min = 1, .max = 100000},
	{.name = "quality.asr_min", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "quality_asr_min", .min = 1, .max = 100},
	{.name = "quality.acd_min_s", .type = FIELD_NUMBER,
	 .flags = F_NULLABLE, .column = "quality_acd_min_s", .min = 1,
	 .max = 86400},
	{.name = "quality.pdd_max_ms", .type = FIELD_NUMBER,
	 .flags = F_NULLABLE, .column = "quality_pdd_max_ms", .min = 1,
	 .max = 180000},
	{.name = "quality.short_max", .type = FIELD_NUMBER,
	 .flags = F_NULLABLE, .column = "quality_short_max", .min = 0,
	 .max = 99},
	{.name = "quality.short_s", .type = FIELD_NUMBER,
	 .column = "quality_short_s", .min = 1, .max = 600},
	{.name = "quality.lock_s", .type = FIELD_NUMBER,
	 .column = "quality_lock_s", .min = 1, .max = 86400},
	{.name = "quality.trials", .type = FIELD_NUMBER,
	 .column = "quality_trials", .min = 1, .max = 1000},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	REFUSALS_NUMBER_POLICY,
	REFUSAL_NO_ROW("gateway_carrier_id_fkey", "carrier_id", "carrier"),
	REFUSAL_NO_ROW("gateway_disconnect_policy_id_fkey",
		       "disconnect_policy_id", "policy"),
	{.constraint = "gateway_credential_whole",
	 .field = "credential.username", .kind = PROBLEM_VALIDATION,
	 .detail = "username, realm and password go together"},
	{.constraint = "source_address_one_owner", .field = "host",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "this address and port belong to another row",
	 .clash_sql =
		 "SELECT coalesce('/v1/trunks/' || trunk_id || '/ip-acls/' "
		 "|| id, '/v1/carrier-gateways/' || gateway_id) "
		 "FROM core.source_address WHERE cidr = $1::inet::cidr AND "
		 "coalesce(port::integer, 0) = coalesce($2::integer, 5060)",
	 .clash_fields = {"host", "port"}},
	{.constraint = "source_address_ambiguous", .field = "host",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "trunks call from this address and port, see",
	 .clash_sql =
		 "SELECT string_agg('/v1/trunks/' || trunk_id || '/ip-acls/' "
		 "|| id, ', ' ORDER BY id) "
		 "FROM core.source_address WHERE cidr = $1::inet::cidr AND "
		 "coalesce(port::integer, 0) = coalesce($2::integer, 5060)",
	 .clash_fields = {"host", "port"}},
	{.constraint = NULL},
};


static bool is_same(const struct record *rec, const char *name,
		    const json_t *before)
{
	const char *now = record_text(rec, name);
	const char *old = json_string_value(field_get(before, name));

	return now && old && !strcmp(now, old);
}


/* The three go together, and a hash depends on name and realm */
static int prepare(struct request *req, struct record *rec,
		   const json_t *before)
{
	const char *username = record_text(rec, "credential.username");
	const char *realm = record_text(rec, "credential.realm");
	const char *password = record_text(rec, "credential.password");

	if (!username && !realm && !password) {
		int err = record_put(rec, "ha1_md5", NULL);

		if (!err)
			err = record_put(rec, "ha1_sha256", NULL);
		return err ? err : record_put(rec, "ha1_sha512_256", NULL);
	}
	if (!username || !realm) {
		problem_add(&req->problem, "/credential", "required", NULL,
			    "username, realm and password go together");
		return 0;
	}
	if (password)
		return ha1_put(rec, username, realm, password,
			       "MD5 SHA-256 SHA-512-256");

	if (!is_same(rec, "credential.username", before) ||
	    !is_same(rec, "credential.realm", before))
		problem_add(&req->problem, "/credential/password", "required",
			    NULL, "is needed with a new user name or realm");
	return 0;
}


const struct resource resource_gateway = {
	.kind = "gateway", .table = "core.gateway", .key = "id",
	.key_type = "text", .id_prefix = "gwy_",
	.path = "/v1/carrier-gateways", .is_versioned = true, .set = &set,
	.refusals = refusals, .prepare = prepare,
};
