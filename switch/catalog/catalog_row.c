/**
 * @file catalog_row.c  Rows of JSON into structs, by one table of members per
 * kind.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "catalog_forward.h"
#include "catalog_row.h"
#include "catalog_row_guard.h"
#include "catalog_row_number.h"
#include "catalog_row_peer.h"
#include "catalog_row_rate.h"
#include "text.h"

enum member_type {
	MEMBER_TEXT,    /**< char[size]                                    */
	MEMBER_NUMBER,  /**< unsigned of size 1, 2, 4; int64_t of size 8    */
	MEMBER_LIMIT,   /**< int32_t, null is -1: no limit                  */
	MEMBER_FLAG,    /**< bool                                           */
	MEMBER_CHOICE,  /**< uint8_t: index in choices                      */
	MEMBER_IS,      /**< bool: text equals choices[0]                   */
	MEMBER_RULES,   /**< struct rule_set                                */
	MEMBER_NAME_RULES, /**< struct name_rules                           */
	MEMBER_TAGS,    /**< struct tag_list                                */
};

struct member {
	const char *name;
	size_t offset, size;
	const char *const *choices;
	int64_t max;         /**< MEMBER_NUMBER                            */
	int64_t fallback;    /**< MEMBER_NUMBER that is null or not there  */
	enum member_type type;
	bool is_needed;
};

static const char *const active[] = {"active", NULL};
static const char *const prepaid[] = {"prepaid", NULL};
static const char *const emergency[] = {"emergency", NULL};
static const char *const directions[] = {"both", "in", "out", NULL};
static const char *const auths[] = {"any", "all", NULL};
static const char *const on_suspends[] = {"drop", "finish", NULL};
static const char *const cli_policies[] = {"owned", "default", "pass",
					   "reject", "mark", NULL};
static const char *const number_checks[] = {"off", "country", "length", NULL};
static const char *const identities[] = {"from", "pai", NULL};
static const char *const only[] = {"only", NULL};
static const char *const schedule_is[] = {"open", "closed", NULL};
static const char *const strategies[] = {"priority", "weight", "percentage",
					 "lcr", "lcr_priority", "priority_lcr",
					 "quality", "quality_lcr", NULL};
static const char *const redirects[] = {"refuse", "follow", "pass", NULL};
static const char *const permissions[] = {"allowed", "denied", NULL};
static const char *const cut[] = {"cut", NULL};
static const char *const manual[] = {"manual", NULL};
static const char *const fraud_metrics[] = {
	"calls", "concurrent", "same_number", "different_numbers",
	"short_calls", "duration", NULL};
static const char *const deny[] = {"deny", NULL};
static const char *const test[] = {"test", NULL};
static const char *const location_forms[] = {"none", "value", "reference",
					     NULL};
static const char *const modes[] = {"total", "in_out", "paired", NULL};
/* in the order of enum limit_action */
static const char *const limit_actions[] = {"reject", "mark", NULL};
static const char *const hop_actions[] = {"next_route", "mark", "reject",
					  NULL};
static const char *const durations[] = {"exact", "up", "down", "half_up",
					NULL};
static const char *const per_interval[] = {"call", "interval", NULL};
static const char *const rate_policies[] = {"fixed", "cost_plus", "min",
					    "max", NULL};
static const char *const cover_kinds[] = {"minutes", "money", NULL};
static const char *const package_directions[] = {"out", "forward", "both",
						  NULL};
static const char *const package_periods[] = {"day", "month", NULL};
static const char *const roundings[] = {"up", "down", "half_up", "half_even",
					NULL};

#define AT(field) offsetof(struct row_body, field)
#define SIZE(field) sizeof(((struct row_body *)0)->field)
#define MEMBER(name, field) name, AT(field), SIZE(field)
#define TEXT(name, field) {MEMBER(name, field), NULL, 0, 0, MEMBER_TEXT, true}
#define TEXT_OR_NULL(name, field) {MEMBER(name, field), NULL, 0, 0, \
				   MEMBER_TEXT, false}
#define NUMBER(name, field, max, fallback) {MEMBER(name, field), NULL, max, \
					    fallback, MEMBER_NUMBER, false}
#define LIMIT(name, field) {MEMBER(name, field), NULL, INT32_MAX, -1, \
			    MEMBER_LIMIT, false}
#define FLAG(name, field) {MEMBER(name, field), NULL, 0, 0, MEMBER_FLAG, \
			   false}
#define CHOICE(name, field, choices) {MEMBER(name, field), choices, 0, 0, \
				      MEMBER_CHOICE, false}
#define IS(name, field, choices) {MEMBER(name, field), choices, 0, 0, \
				  MEMBER_IS, true}
#define IS_OR_NOT(name, field, choices) {MEMBER(name, field), choices, 0, 0, \
					 MEMBER_IS, false}
#define RULES(name, field) {MEMBER(name, field), NULL, 0, 0, MEMBER_RULES, \
			    false}
#define NAME_RULES(name, field) {MEMBER(name, field), NULL, 0, 0, \
				 MEMBER_NAME_RULES, false}
#define TAGS(name) {MEMBER(name, tags), NULL, 0, 0, MEMBER_TAGS, false}
#define END {NULL, 0, 0, NULL, 0, 0, MEMBER_TEXT, false}

/* what a kind has no column for is no limit */
#define LIMITS(of, total_, actions) \
	LIMIT("channels_in", of.limits.in), \
	LIMIT("channels_out", of.limits.out), \
	LIMIT(total_, of.limits.total), LIMIT("cps", of.limits.cps), \
	LIMIT("bandwidth_kbps", of.limits.kbps), \
	NUMBER("burst_percent", of.limits.burst_percent, 100, 0), \
	CHOICE("channel_mode", of.limits.mode, modes), \
	CHOICE("limit_action", of.limits.action, actions)

#define SPEND(of, name, period) \
	NUMBER(name "_limit_micro", of.spend[period].limit_micro, INT64_MAX, \
	       -1), \
	NUMBER(name "_warn_percent", of.spend[period].warn_percent, 100, 80), \
	IS_OR_NOT(name "_at_limit", of.spend[period].is_cut, cut), \
	IS_OR_NOT(name "_unlock", of.spend[period].is_manual, manual)

static const struct member tenant_members[] = {
	TEXT_OR_NULL("routing_plan_id", refs.plan),
	TEXT_OR_NULL("tax_profile_id", refs.tax),
	TEXT_OR_NULL("name", tenant.name),
	TEXT_OR_NULL("country", tenant.country),
	TEXT_OR_NULL("parent_id", refs.parent),
	IS("status", tenant.is_active, active),
	LIMITS(tenant, "channels", limit_actions),
	END
};

static const struct member account_members[] = {
	TEXT("tenant_id", refs.tenant),
	TEXT("currency", account.currency),
	TEXT_OR_NULL("tax_profile_id", refs.tax),
	IS("status", account.is_active, active),
	IS("type", account.is_prepaid, prepaid),
	SPEND(account, "daily", SPEND_DAY),
	SPEND(account, "monthly", SPEND_MONTH),
	NUMBER("max_price_per_min_nano", account.cap.per_min_nano, INT64_MAX,
	       -1),
	NUMBER("max_connect_fee_micro", account.cap.connect_micro, INT64_MAX,
	       -1),
	LIMITS(account, "channels_total", limit_actions),
	END
};

static const struct member realm_members[] = {END};

static const struct member trunk_members[] = {
	TEXT("tenant_id", refs.tenant),
	TEXT("account_id", refs.account),
	TEXT_OR_NULL("rate_deck_id", refs.deck),
	TEXT_OR_NULL("onnet_deck_id", refs.onnet_deck),
	CHOICE("rate_policy", trunk.rate_policy, rate_policies),
	NUMBER("markup_ppm", trunk.markup_ppm, 10000000, 0),
	NUMBER("markup_per_min_nano", trunk.markup_per_min_nano, INT64_MAX,
	       0),
	TEXT_OR_NULL("routing_plan_id", refs.plan),
	TAGS("tags"),
	TEXT_OR_NULL("name", trunk.name),
	IS("status", trunk.is_active, active),
	CHOICE("direction", trunk.direction, directions),
	CHOICE("auth", trunk.auth, auths),
	CHOICE("on_suspend", trunk.on_suspend, on_suspends),
	CHOICE("cli_policy", trunk.cli_policy, cli_policies),
	CHOICE("number_check", trunk.number_check, number_checks),
	CHOICE("calling_check", trunk.calling_check, number_checks),
	LIMITS(trunk, "channels_total", limit_actions),
	NUMBER("limit_sip_code", trunk.limit_sip_code, 699, 0),
	TEXT_OR_NULL("default_cli", trunk.default_cli),
	TEXT_OR_NULL("realm", trunk.realm),
	RULES("number_in", trunk.number_in),
	RULES("number_out", trunk.number_out),
	TEXT_OR_NULL("uri_host", trunk.uri_host),
	NUMBER("uri_port", trunk.uri_port, 65535, 0),
	NUMBER("max_call_s", trunk.max_call_s, 86400, 14400),
	NUMBER("ring_timeout_s", trunk.ring_timeout_s, 600, 120),
	NUMBER("media_timeout_s", trunk.media_timeout_s, 3600, 60),
	NUMBER("total_timeout_s", trunk.total_timeout_s, 600, 0),
	FLAG("is_trusted", trunk.is_trusted),
	SPEND(trunk, "daily", SPEND_DAY),
	SPEND(trunk, "monthly", SPEND_MONTH),
	NUMBER("max_price_per_min_nano", trunk.cap.per_min_nano, INT64_MAX,
	       -1),
	NUMBER("max_connect_fee_micro", trunk.cap.connect_micro, INT64_MAX,
	       -1),
	CHOICE("international", trunk.zones.is_foreign_denied, permissions),
	CHOICE("premium", trunk.zones.is_premium_denied, permissions),
	CHOICE("other_zones", trunk.zones.is_other_denied, permissions),
	LIMIT("called_channels", trunk.called_channels),
	LIMIT("called_per_min", trunk.called_per_min),
	TEXT_OR_NULL("country", trunk.country),
	TEXT_OR_NULL("emergency_cli", trunk.emergency_cli),
	TEXT_OR_NULL("location_id", refs.location),
	END
};

static const struct member site_members[] = {
	TEXT("trunk_id", refs.trunk),
	TEXT_OR_NULL("name", site.name),
	IS("status", site.is_active, active),
	TEXT_OR_NULL("main_number", site.main_number),
	TEXT_OR_NULL("country", site.country),
	TEXT_OR_NULL("location_id", refs.location),
	LIMITS(site, "channels_total", limit_actions),
	END
};

static const struct member credential_members[] = {
	TEXT("trunk_id", refs.trunk),
	TEXT_OR_NULL("site_id", refs.site),
	TEXT("realm", credential.realm),
	TEXT("username", credential.username),
	TEXT_OR_NULL("ha1_md5", credential.ha1[HA1_MD5]),
	TEXT_OR_NULL("ha1_sha256", credential.ha1[HA1_SHA256]),
	TEXT_OR_NULL("ha1_sha512_256", credential.ha1[HA1_SHA512_256]),
	END
};

static const struct member address_members[] = {
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT_OR_NULL("gateway_id", refs.gateway),
	TEXT_OR_NULL("site_id", refs.site),
	NUMBER("port", address.port, 65535, 0),
	TEXT_OR_NULL("tech_prefix", address.tech_prefix),
	TEXT_OR_NULL("token_sha256", address.token_sha256),
	END
};

static const struct member carrier_members[] = {
	TEXT_OR_NULL("name", carrier.name),
	LIMITS(carrier, "channels", hop_actions),
	TEXT_OR_NULL("rate_deck_id", refs.deck),
	TEXT_OR_NULL("disconnect_policy_id", refs.disconnect),
	IS("status", carrier.is_active, active),
	END
};

static const struct member gateway_members[] = {
	TEXT("carrier_id", refs.carrier),
	TEXT_OR_NULL("name", gateway.name),
	IS("status", gateway.is_active, active),
	CHOICE("identity", gateway.identity, identities),
	TAGS("tags"),
	NUMBER("quality_window_s", gateway.quality.window_s, 86400, 3600),
	NUMBER("quality_min_samples", gateway.quality.min_samples, 100000, 50),
	LIMIT("quality_asr_min", gateway.quality.asr_min),
	LIMIT("quality_acd_min_s", gateway.quality.acd_min_s),
	LIMIT("quality_pdd_max_ms", gateway.quality.pdd_max_ms),
	LIMIT("quality_short_max", gateway.quality.short_max),
	NUMBER("quality_short_s", gateway.quality.short_s, 600, 6),
	NUMBER("quality_lock_s", gateway.quality.lock_s, 86400, 300),
	NUMBER("quality_trials", gateway.quality.trials, 1000, 5),
	CHOICE("emergency_location", gateway.emergency_location,
	       location_forms),
	LIMITS(gateway, "channels", hop_actions),
	RULES("number_in", gateway.number_in),
	RULES("number_out", gateway.number_out),
	TEXT_OR_NULL("username", gateway.credential.username),
	TEXT_OR_NULL("realm", gateway.credential.realm),
	TEXT_OR_NULL("ha1_md5", gateway.credential.ha1[HA1_MD5]),
	TEXT_OR_NULL("ha1_sha256", gateway.credential.ha1[HA1_SHA256]),
	TEXT_OR_NULL("ha1_sha512_256",
		     gateway.credential.ha1[HA1_SHA512_256]),
	NUMBER("ping_s", gateway.ping_s, 3600, 0),
	NUMBER("ping_down_after", gateway.ping_down_after, 100, 3),
	NUMBER("ping_up_after", gateway.ping_up_after, 100, 2),
	NUMBER("no_response_ms", gateway.no_response_ms, 32000, 4000),
	NUMBER("no_ring_ms", gateway.no_ring_ms, 120000, 0),
	TEXT_OR_NULL("disconnect_policy_id", refs.disconnect),
	CHOICE("redirect", gateway.redirect, redirects),
	END
};

static const struct member did_members[] = {
	TEXT("e164", did.e164),
	TEXT_OR_NULL("e164_last", did.e164_last),
	TEXT_OR_NULL("cnam", did.cnam),
	NUMBER("from_ms", did.from_ms, INT64_MAX, 0),
	NUMBER("to_ms", did.to_ms, INT64_MAX, INT64_MAX),
	TEXT("trunk_id", refs.trunk),
	TEXT_OR_NULL("site_id", refs.site),
	LIMITS(did, "channels", limit_actions),
	IS("status", did.is_active, active),
	END
};

static const struct member route_members[] = {
	TEXT("prefix", route.prefix),
	TEXT_OR_NULL("tenant_id", refs.tenant),
	IS("kind", route.is_emergency, emergency),
	IS("status", is_active, active),
	NUMBER("max_attempts", route.max_attempts, 20, 5),
	TEXT_OR_NULL("plan_id", refs.plan),
	NUMBER("position", route.position, 65535, 100),
	NUMBER("called_min", route.called_min, 15, 0),
	NUMBER("called_max", route.called_max, 15, 15),
	TEXT_OR_NULL("calling_prefix", route.calling_prefix),
	TAGS("tags"),
	TEXT_OR_NULL("schedule_id", refs.schedule),
	CHOICE("schedule_is", route.schedule_is, schedule_is),
	NUMBER("valid_from_ms", route.valid_from_ms, INT64_MAX, 0),
	NUMBER("valid_to_ms", route.valid_to_ms, INT64_MAX, INT64_MAX),
	END
};

static const struct member plan_members[] = {
	TEXT_OR_NULL("name", plan.name),
	IS("status", plan.is_active, active),
	CHOICE("strategy", plan.strategy, strategies),
	NUMBER("max_attempts", plan.max_attempts, 20, 5),
	NUMBER("total_timeout_s", plan.total_timeout_s, 600, 0),
	NUMBER("margin_per_min_nano", plan.margin_per_min_nano, INT64_MAX, -1),
	LIMIT("margin_percent", plan.margin_percent),
	TAGS("tags"),
	END
};

static const struct member schedule_members[] = {END};

static const struct member group_members[] = {
	IS("status", is_active, active),
	END
};

static const struct member carrier_rule_members[] = {
	TEXT_OR_NULL("tenant_id", refs.tenant),
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT("carrier_id", refs.carrier),
	IS("rule", carrier_rule.is_only, only),
	END
};

static const struct member numbering_members[] = {END};

static const struct member rule_set_members[] = {
	TEXT_OR_NULL("name", rule_set.name),
	RULES("rules", rule_set.rules),
	NAME_RULES("name_rules", rule_set.name_rules),
	END
};

static const struct member number_list_members[] = {
	TEXT_OR_NULL("name", number_list.name),
	TAGS("tags"),
	END
};

static const struct member grant_members[] = {
	TEXT("tenant_id", refs.tenant),
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT("e164", grant.e164),
	TEXT_OR_NULL("e164_last", grant.e164_last),
	NUMBER("from_ms", grant.from_ms, INT64_MAX, 0),
	NUMBER("to_ms", grant.to_ms, INT64_MAX, INT64_MAX),
	END
};

static const struct member short_code_members[] = {
	TEXT("tenant_id", refs.tenant),
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT("code", short_code.code),
	TEXT("e164", short_code.e164),
	END
};

static const struct member disconnect_members[] = {END};

static const struct member zone_members[] = {END};

static const struct member subscription_members[] = {
	TEXT("tenant_id", refs.tenant),
	TEXT("account_id", refs.account),
	TEXT("currency", subscription.is.currency),
	TEXT_OR_NULL("number_list_id", subscription.is.list_id),
	FLAG("is_active", subscription.is.is_active),
	FLAG("is_shared", subscription.is.is_shared),
	CHOICE("kind", subscription.is.kind, cover_kinds),
	CHOICE("direction", subscription.is.direction, package_directions),
	CHOICE("period", subscription.is.period, package_periods),
	NUMBER("anchor_day", subscription.is.anchor_day, 28, 1),
	NUMBER("carry_periods", subscription.is.carry_periods,
	       PACKAGE_CARRY_MAX, 0),
	NUMBER("priority", subscription.is.priority, UINT16_MAX, 100),
	NUMBER("increment_ms", subscription.is.increment_ms, 86400000, 1),
	END
};

static const struct member fraud_rule_members[] = {
	TEXT_OR_NULL("tenant_id", refs.tenant),
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT_OR_NULL("zone_id", refs.zone),
	TEXT_OR_NULL("schedule_id", refs.schedule),
	TEXT_OR_NULL("prefix", fraud_rule.prefix),
	CHOICE("metric", fraud_rule.metric, fraud_metrics),
	NUMBER("window_s", fraud_rule.window_s, 86400, 60),
	NUMBER("short_s", fraud_rule.short_s, 600, 6),
	LIMIT("warn", fraud_rule.warn),
	LIMIT("limit_n", fraud_rule.limit),
	LIMIT("lock", fraud_rule.lock),
	NUMBER("lock_min", fraud_rule.lock_min, 44640, 0),
	IS("status", is_active, active),
	END
};

static const struct member calling_window_members[] = {
	TEXT_OR_NULL("tenant_id", refs.tenant),
	TEXT_OR_NULL("routing_plan_id", refs.plan),
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT_OR_NULL("zone_id", refs.zone),
	TEXT("schedule_id", refs.schedule),
	TEXT_OR_NULL("prefix", calling_window.prefix),
	LIMIT("calls_per_number", calling_window.calls_per_number),
	IS("status", is_active, active),
	END
};

static const struct member lock_members[] = {
	NUMBER("locked_ms", lock.locked_ms, INT64_MAX, 0),
	NUMBER("until_ms", lock.until_ms, INT64_MAX, INT64_MAX),
	NUMBER("unlocked_ms", lock.unlocked_ms, INT64_MAX, 0),
	NUMBER("month_unlocked_ms", lock.month_unlocked_ms, INT64_MAX, 0),
	FLAG("is_fraud", lock.is_fraud),
	END
};

static const struct member zone_rule_members[] = {
	TEXT("trunk_id", refs.trunk),
	TEXT("zone_id", refs.zone),
	IS("action", is_zone_denied, deny),
	END
};

static const struct member endpoint_members[] = {
	TEXT("trunk_id", refs.trunk),
	NUMBER("priority", endpoint.priority, 65535, 1),
	NUMBER("weight", endpoint.weight, 65535, 100),
	IS("status", is_active, active),
	END
};

static const char *const conditions[] = {"unconditional", "busy", "no_answer",
					 "unreachable", "rejected", "codes",
					 NULL};
static const struct member forward_members[] = {
	TEXT_OR_NULL("did_id", refs.did),
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT_OR_NULL("to_trunk_id", refs.to_trunk),
	TEXT_OR_NULL("to_number", forward.to_number),
	CHOICE("condition", forward.condition, conditions),
	NUMBER("after_s", forward.after_s, 600, 0),
	NUMBER("priority", forward.priority, 65535, 1),
	IS("status", is_active, active),
	END
};

/* in the order of enum decision_fallback */
static const char *const fallbacks[] = {"continue", "refuse", "forward", NULL};
static const struct member decision_url_members[] = {
	TEXT_OR_NULL("did_id", refs.did),
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT("url", decision_url.url),
	NUMBER("timeout_ms", decision_url.timeout_ms, 10000, 2000),
	CHOICE("fallback", decision_url.fallback, fallbacks),
	TEXT_OR_NULL("fallback_number", decision_url.to_number),
	TEXT_OR_NULL("fallback_trunk_id", refs.to_trunk),
	TEXT_OR_NULL("secret_box", decision_url.secret_box),
	TEXT_OR_NULL("previous_box", decision_url.previous_box),
	NUMBER("previous_until_ms", decision_url.previous_until_ms, INT64_MAX,
	       0),
	IS("status", is_active, active),
	END
};

#define X(name, element, member) TEXT_OR_NULL(member, location.civic[name]),
static const struct member location_members[] = {
	CIVIC_ELEMENTS(X)
	TEXT_OR_NULL("latitude", location.latitude),
	TEXT_OR_NULL("longitude", location.longitude),
	NUMBER("radius_m", location.radius_m, 1000000, 0),
	TEXT_OR_NULL("uri", location.uri),
	END
};
#undef X

static const struct member emergency_members[] = {
	TEXT("number", emergency.number),
	TEXT_OR_NULL("send_as", emergency.send_as),
	IS("kind", emergency.is_test, test),
	TEXT_OR_NULL("country", emergency.scope),
	TEXT_OR_NULL("tenant_id", refs.tenant),
	TEXT_OR_NULL("trunk_id", refs.trunk),
	TEXT_OR_NULL("site_id", refs.site),
	IS("status", is_active, active),
	NUMBER("max_attempts", emergency.route.max_attempts, 20, 20),
	END
};

static const struct member deck_members[] = {
	TEXT("currency", deck.currency),
	CHOICE("rounding_mode", deck.rounding.mode, roundings),
	NUMBER("rounding_decimals", deck.rounding.decimals, 6, 4),
	CHOICE("duration_rounding", deck.rounding.duration, durations),
	CHOICE("rounding_per", deck.rounding.is_per_interval, per_interval),
	TEXT_OR_NULL("terms_id", refs.terms),
	IS("status", deck.is_active, active),
	NUMBER("rate_version", deck.rate_version, INT64_MAX, -1),
	END
};


static const struct member exchange_members[] = {
	TEXT("base", exchange.base),
	TEXT("quote", exchange.quote),
	NUMBER("rate_nano", exchange.rate_nano, INT64_MAX, 0),
	NUMBER("from_ms", exchange.from_ms, INT64_MAX, 0),
	END
};

/* decoded by functions of their own */
static const struct member no_members[] = {END};


static int text_decode(void *field, const struct member *m,
		       const json_t *value)
{
	const char *text = json_string_value(value);

	if (!text)
		return value || m->is_needed ? EINVAL : 0;
	if (strlen(text) != json_string_length(value))
		return EINVAL;

	return text_copy(field, m->size, text) ? EINVAL : 0;
}


static void number_store(void *field, size_t size, int64_t n)
{
	if (size == 1)
		*(uint8_t *)field = (uint8_t)n;
	else if (size == 2)
		*(uint16_t *)field = (uint16_t)n;
	else if (size == 4)
		*(uint32_t *)field = (uint32_t)n;
	else
		*(int64_t *)field = n;
}


static int number_decode(void *field, const struct member *m,
			 const json_t *value)
{
	int64_t n = m->fallback;

	if (value) {
		n = json_integer_value(value);
		if (!json_is_integer(value) || n < 0 || n > m->max)
			return EINVAL;
	}

	number_store(field, m->size, n);

	return 0;
}


static int choice_find(uint8_t *ret, const struct member *m,
		       const json_t *value)
{
	const char *text = json_string_value(value);
	uint8_t i;

	if (!text)
		return EINVAL;

	for (i = 0; m->choices[i]; i++) {
		if (!strcmp(text, m->choices[i])) {
			*ret = i;
			return 0;
		}
	}

	return ENOENT;
}


static int choice_decode(void *field, const struct member *m,
			 const json_t *value)
{
	return value && choice_find(field, m, value) ? EINVAL : 0;
}


static int is_decode(void *field, const struct member *m, const json_t *value)
{
	uint8_t i;
	int err = value || m->is_needed ? choice_find(&i, m, value) : ENOENT;

	*(bool *)field = !err;

	return err == EINVAL ? EINVAL : 0;
}


static int flag_decode(void *field, const json_t *value)
{
	if (value && !json_is_boolean(value))
		return EINVAL;

	*(bool *)field = json_is_true(value);

	return 0;
}


static int rules_decode(void *field, const json_t *value, char *why,
			size_t size)
{
	return value ? rule_set_decode(field, value, why, size) : 0;
}


static int member_decode(struct row_body *body, const struct member *m,
			 const json_t *json, char *why, size_t size)
{
	void *field = (uint8_t *)body + m->offset;
	const json_t *value = json_object_get(json, m->name);

	if (json_is_null(value))
		value = NULL;

	switch (m->type) {
	case MEMBER_TEXT:
		return text_decode(field, m, value);
	case MEMBER_NUMBER:
	case MEMBER_LIMIT:
		return number_decode(field, m, value);
	case MEMBER_FLAG:
		return flag_decode(field, value);
	case MEMBER_CHOICE:
		return choice_decode(field, m, value);
	case MEMBER_IS:
		return is_decode(field, m, value);
	case MEMBER_RULES:
		return rules_decode(field, value, why, size);
	case MEMBER_NAME_RULES:
		return value ? name_rules_decode(field, value, why, size) : 0;
	case MEMBER_TAGS:
		return value ? tag_list_decode(field, value) : 0;
	}

	return EINVAL;
}


static int members_decode(struct row_body *body, const struct member *m,
			  const json_t *json, char *why, size_t size)
{
	char detail[128];

	for (; m->name; m++) {
		(void)text_copy(detail, sizeof(detail),
				": missing or not allowed");
		if (member_decode(body, m, json, detail, sizeof(detail))) {
			(void)text_format(why, size, "%s%s", m->name, detail);
			return EINVAL;
		}
	}

	return 0;
}


/* --- what a table of members cannot say */

static int target_decode(struct target_row *t, const json_t *json)
{
	const char *id = json_string_value(json_object_get(json,
							   "gateway_id"));
	const char *group = json_string_value(json_object_get(json,
							      "group_id"));
	json_int_t priority = json_integer_value(json_object_get(json,
								 "priority"));
	json_int_t weight = json_integer_value(json_object_get(json,
							       "weight"));

	if (!id == !group ||
	    text_copy(t->gateway, sizeof(t->gateway), id ? id : "") ||
	    text_copy(t->group, sizeof(t->group), group ? group : "") ||
	    priority < 0 || priority > 65535 || weight < 0 || weight > 65535)
		return EINVAL;

	t->priority = (uint16_t)priority;
	t->weight = (uint16_t)weight;

	return 0;
}


static int targets_decode(struct row_body *body, const json_t *json)
{
	const json_t *targets = json_object_get(json, "targets");
	uint16_t i;

	for (i = 0; i < body->target_n; i++) {
		if (target_decode(&body->targets[i],
				  json_array_get(targets, i)))
			return EINVAL;
	}

	return 0;
}


static bool is_digits_or_none(const char *text)
{
	return !text[0] || text_is_digits(text);
}


static int route_decode(struct row_body *body, const json_t *json)
{
	const struct route *r = &body->route;

	if (!is_digits_or_none(r->prefix) ||
	    !is_digits_or_none(r->calling_prefix) ||
	    (r->is_emergency && body->refs.plan[0]))
		return EINVAL;

	return targets_decode(body, json);
}


/** The members of a group are gateways, and stand where a route's targets
 *  do */
static int group_decode(struct row_body *body, const json_t *json)
{
	uint16_t i;
	int err = targets_decode(body, json);

	for (i = 0; i < body->target_n && !err; i++) {
		if (body->targets[i].group[0])
			err = EINVAL;
	}

	return err;
}


static int carrier_rule_decode(struct row_body *body, const json_t *json)
{
	(void)json;

	return !body->refs.tenant[0] == !body->refs.trunk[0] ? EINVAL : 0;
}


const char *fraud_metric_name(uint8_t metric)
{
	return metric < FRAUD_METRIC_N ? fraud_metrics[metric] : "unknown";
}


/* The nearest to the caller is whom the number is for. */
static int emergency_decode(struct row_body *body, const json_t *json)
{
	struct emergency *e = &body->emergency;

	if (body->refs.site[0])
		TEXT_FILL(e->scope, body->refs.site);
	else if (body->refs.trunk[0])
		TEXT_FILL(e->scope, body->refs.trunk);
	else if (body->refs.tenant[0])
		TEXT_FILL(e->scope, body->refs.tenant);

	e->route.is_emergency = true;
	TEXT_FILL(e->route.prefix, e->number);

	return e->number[0] ? targets_decode(body, json) : EINVAL;
}


#define policy_why "number_lists, number_rules, calling_sources, " \
		   "identity_domain: not allowed"

typedef int(special_h)(struct row_body *body, const json_t *json);

static const struct kind {
	const char *name;
	const struct member *members;
	size_t id_offset, id_size; /**< where the id is copied to; 0: nowhere */
	special_h *special;
	const char *special_why;
} kinds[ROW_KIND_N] = {
	[ROW_TENANT] = {"tenant", tenant_members, AT(tenant.id),
			SIZE(tenant.id), tenant_decode,
			"number_lists: ids, at most 8; or offsets"},
	[ROW_ACCOUNT] = {"account", account_members, AT(account.id),
			 SIZE(account.id), NULL, NULL},
	[ROW_REALM] = {"realm", realm_members, AT(realm.name),
		       SIZE(realm.name), realm_decode,
		       "algorithms: MD5, SHA-256, SHA-512-256"},
	[ROW_TRUNK] = {"trunk", trunk_members, AT(trunk.id), SIZE(trunk.id),
		       trunk_decode, policy_why},
	[ROW_SITE] = {"site", site_members, AT(site.id), SIZE(site.id), NULL,
		      NULL},
	[ROW_CREDENTIAL] = {"credential", credential_members, 0, 0, NULL,
			    NULL},
	[ROW_ADDRESS] = {"address", address_members, 0, 0, address_decode,
			 "cidr: a network, owned by a trunk or a gateway"},
	[ROW_CARRIER] = {"carrier", carrier_members, AT(carrier.id),
			 SIZE(carrier.id), NULL, NULL},
	[ROW_GATEWAY] = {"gateway", gateway_members, AT(gateway.id),
			 SIZE(gateway.id), gateway_decode,
			 "address, port: an IP address and 1..65535; "
			 "redirect_prefixes: digits; or the numbers' members"},
	[ROW_DID] = {"did", did_members, AT(did.id), SIZE(did.id), did_decode,
		     "e164, e164_last: + and 5..15 digits, of one length"},
	[ROW_ROUTE] = {"route", route_members, AT(route.id), SIZE(route.id),
		       route_decode, "prefix, targets: not allowed"},
	[ROW_FRAUD_RULE] = {"fraud_rule", fraud_rule_members,
			    AT(fraud_rule.id), SIZE(fraud_rule.id),
			    fraud_rule_decode, "window_s: not allowed"},
	[ROW_CALLING_WINDOW] = {"calling_window", calling_window_members,
				AT(calling_window.id), SIZE(calling_window.id),
				calling_window_decode, "scope: not allowed"},
	[ROW_LOCK] = {"lock", lock_members, AT(lock.id), SIZE(lock.id), NULL,
		      NULL},
	[ROW_ZONE] = {"zone", zone_members, AT(zone.id), SIZE(zone.id),
		      zone_row_decode,
		      "prefixes, countries, types: not allowed"},
	[ROW_ZONE_RULE] = {"zone_rule", zone_rule_members, 0, 0, NULL, NULL},
	[ROW_LOCATION] = {"location", location_members, AT(location.id),
			  SIZE(location.id), NULL, NULL},
	[ROW_EMERGENCY_NUMBER] = {"emergency_number", emergency_members,
				  AT(emergency.route.id),
				  SIZE(emergency.route.id), emergency_decode,
				  "number, targets: not allowed"},
	[ROW_RATE_DECK] = {"rate_deck", deck_members, 0, 0, deck_decode,
			   "origins: not allowed"},
	[ROW_RATE_TERMS] = {"rate_terms", no_members, AT(rate_terms.id),
			    SIZE(rate_terms.id), terms_row_decode,
			    "tiers, windows, fees: not allowed"},
	[ROW_ORIGIN_SET] = {"origin_set", no_members, AT(origin_set.id),
			    SIZE(origin_set.id), origin_row_decode,
			    "prefixes: digits, at most 64"},
	[ROW_EXCHANGE_RATE] = {"exchange_rate", exchange_members,
			       AT(exchange.id), SIZE(exchange.id), NULL,
			       NULL},
	[ROW_TAX_PROFILE] = {"tax_profile", no_members, AT(tax.id),
			     SIZE(tax.id), tax_row_decode,
			     "lines: not allowed"},
	[ROW_SUBSCRIPTION] = {"subscription", subscription_members,
			      AT(subscription.is.id),
			      SIZE(subscription.is.id),
			      subscription_row_decode,
			      "zone_ids, excluded_zone_ids: ids, at most 16"},
	[ROW_RULE_SET] = {"number_rule_set", rule_set_members,
			  AT(rule_set.id), SIZE(rule_set.id), NULL, NULL},
	[ROW_NUMBER_LIST] = {"number_list", number_list_members,
			     AT(number_list.id), SIZE(number_list.id),
			     number_list_decode,
			     "kind, subject, entries: not allowed"},
	[ROW_GRANT] = {"cli_grant", grant_members, AT(grant.id),
		       SIZE(grant.id), grant_decode,
		       "e164, e164_last: + and 5..15 digits, of one length"},
	[ROW_SHORT_CODE] = {"short_code", short_code_members,
			    AT(short_code.id), SIZE(short_code.id),
			    short_code_decode, "code, e164: not allowed"},
	[ROW_NUMBERING] = {"numbering", numbering_members, 0, 0,
			   numbering_decode, "rows: not allowed"},
	[ROW_ROUTING_PLAN] = {"routing_plan", plan_members, AT(plan.id),
			      SIZE(plan.id), number_lists_decode,
			      "number_lists: ids, at most 8"},
	[ROW_SCHEDULE] = {"schedule", schedule_members, AT(schedule.id),
			  SIZE(schedule.id), schedule_row_decode,
			  "ranges, holidays, offsets: not allowed"},
	[ROW_CARRIER_GROUP] = {"carrier_group", group_members, 0, 0,
			       group_decode, "targets: not allowed"},
	[ROW_CARRIER_RULE] = {"carrier_rule", carrier_rule_members, 0, 0,
			      carrier_rule_decode,
			      "of a tenant or of a trunk"},
	[ROW_ENDPOINT] = {"endpoint", endpoint_members, 0, 0, endpoint_decode,
			  "host, port: an IP address and 1..65535"},
	[ROW_FORWARD] = {"forward", forward_members, AT(forward.id),
			 SIZE(forward.id), forward_decode,
			 "did_id or trunk_id, to_number or to_trunk_id, codes"},
	[ROW_DECISION_URL] = {"decision_url", decision_url_members,
			      AT(decision_url.id), SIZE(decision_url.id),
			      decision_url_decode,
			      "did_id or trunk_id, conditions, timeout_ms, "
			      "fallback with its target"},
	[ROW_DISCONNECT] = {"disconnect_policy", disconnect_members,
			    AT(disconnect.id), SIZE(disconnect.id),
			    disconnect_decode, "rules: not allowed"},
};


const char *row_kind_name(enum row_kind kind)
{
	return kind < ROW_KIND_N ? kinds[kind].name : "?";
}


int row_kind_parse(enum row_kind *ret_kind, const char *name)
{
	size_t i;

	for (i = 0; i < ROW_KIND_N; i++) {
		if (!strcmp(name, kinds[i].name)) {
			*ret_kind = (enum row_kind)i;
			return 0;
		}
	}

	return ENOENT;
}


static size_t target_count(enum row_kind kind, const json_t *json)
{
	return kind == ROW_ROUTE || kind == ROW_CARRIER_GROUP ||
			       kind == ROW_EMERGENCY_NUMBER
		       ? json_array_size(json_object_get(json, "targets"))
		       : 0;
}


static size_t rule_count(enum row_kind kind, const json_t *json)
{
	return kind == ROW_DISCONNECT
		       ? json_array_size(json_object_get(json, "rules"))
		       : 0;
}


static int body_fill(struct row_body *body, const struct kind *kind,
		     const char *id, const json_t *json, char *why,
		     size_t size)
{
	if (kind->id_size &&
	    text_copy((char *)body + kind->id_offset, kind->id_size, id)) {
		(void)text_copy(why, size, "id: too long");
		return EINVAL;
	}

	if (members_decode(body, kind->members, json, why, size))
		return EINVAL;

	if (kind->special && kind->special(body, json)) {
		(void)text_copy(why, size, kind->special_why);
		return EINVAL;
	}

	return 0;
}


int row_decode(struct row_body **bp, enum row_kind kind, const char *id,
	       const struct json_t *json, char *why, size_t size)
{
	const size_t target_n = target_count(kind, json);
	const size_t rule_n = rule_count(kind, json);
	struct row_body *body;
	int err;

	if (!json_is_object(json) || strlen(id) >= REALM_SIZE ||
	    target_n > ROUTE_TARGETS_MAX || rule_n > DISCONNECT_RULES_MAX) {
		(void)text_copy(why, size, "not an object, or out of bounds");
		return EINVAL;
	}

	body = calloc(1, sizeof(*body) + target_n * sizeof(*body->targets) +
				 row_numbers_size(kind, json) +
				 rule_n * sizeof(*body->rules));
	if (!body)
		return ENOMEM;

	body->target_n = (uint16_t)target_n;
	if (kind == ROW_DISCONNECT) {
		body->rules = (void *)&body->targets[target_n];
		body->disconnect.rule_n = (uint16_t)rule_n;
	}
	err = body_fill(body, &kinds[kind], id, json, why, size);
	if (err)
		free(body);
	else
		*bp = body;
	return err;
}
