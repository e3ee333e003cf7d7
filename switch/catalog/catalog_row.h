/**
 * @file catalog_row.h  One provisioned row: checked and decoded from JSON,
 * still naming what it refers to by id.
 */
#ifndef CATALOG_ROW_H
#define CATALOG_ROW_H
#include "catalog_data.h"
#include "subscription.h"

struct json_t;

enum row_kind {
	ROW_TENANT, ROW_ACCOUNT, ROW_REALM, ROW_TRUNK, ROW_SITE, ROW_CREDENTIAL,
	ROW_ADDRESS, ROW_CARRIER, ROW_GATEWAY, ROW_DID, ROW_ROUTE,
	ROW_RATE_DECK, ROW_NUMBERING,
	ROW_ROUTING_PLAN, ROW_SCHEDULE, ROW_CARRIER_GROUP, ROW_CARRIER_RULE,
	ROW_DISCONNECT,
	ROW_ENDPOINT, ROW_FORWARD, ROW_DECISION_URL,
	ROW_LOCATION, ROW_EMERGENCY_NUMBER,
	ROW_RULE_SET, ROW_NUMBER_LIST, ROW_GRANT, ROW_SHORT_CODE,
	ROW_ZONE, ROW_ZONE_RULE, ROW_FRAUD_RULE, ROW_CALLING_WINDOW,
	ROW_LOCK,
	ROW_RATE_TERMS, ROW_ORIGIN_SET, ROW_EXCHANGE_RATE, ROW_TAX_PROFILE,
	ROW_SUBSCRIPTION,
	ROW_KIND_N
};

/** Ids of what a row refers to; "" where it refers to nothing. */
struct row_refs {
	char tenant[ID_SIZE], account[ID_SIZE], trunk[ID_SIZE];
	char carrier[ID_SIZE], gateway[ID_SIZE], deck[ID_SIZE];
	char site[ID_SIZE], parent[ID_SIZE];
	char plan[ID_SIZE], schedule[ID_SIZE];
	char disconnect[ID_SIZE];
	char location[ID_SIZE], zone[ID_SIZE];
	char did[ID_SIZE], to_trunk[ID_SIZE];
	char terms[ID_SIZE], tax[ID_SIZE], onnet_deck[ID_SIZE];
};

#define ROUTE_TARGETS_MAX 64

struct target_row {
	char gateway[ID_SIZE], group[ID_SIZE]; /**< one of the two         */
	uint16_t priority, weight;
};

struct deck_row {
	char currency[4];
	struct rounding rounding;
	bool is_active;
	int64_t rate_version;  /**< moves with the rates; -1: not said     */
	struct {
		char set[ID_SIZE], deck[ID_SIZE];
	} origins[DECK_ORIGINS_MAX];
	uint8_t origin_n;
};

struct row_body {
	struct row_refs refs;
	union {
		struct tenant tenant;
		struct account account;
		struct realm realm;
		struct trunk trunk;
		struct site site;
		struct credential credential;
		struct address address;
		struct carrier carrier;
		struct gateway gateway;
		struct did did;
		struct route route;
		struct location location;
		struct emergency emergency;
		struct zone zone;
		bool is_zone_denied;
		struct fraud_rule fraud_rule;
		struct calling_window calling_window;
		struct lock lock;
		struct deck_row deck;
		struct rate_terms rate_terms;
		struct origin_set origin_set;
		struct exchange_rate exchange;
		struct tax_profile tax;
		struct {
			struct subscription is;
			struct package_zones zones, excluded;
		} subscription;
		struct disconnect_policy disconnect;
		struct trunk_endpoint endpoint;
		struct forward_rule forward;
		struct decision_url decision_url;
		struct routing_plan plan;
		struct schedule schedule;
		struct carrier_rule carrier_rule;
		struct number_rules rule_set;
		struct number_list number_list;
		struct cli_grant grant;
		struct short_code short_code;
	};
	struct disconnect_rule *rules; /**< of a disconnect policy, behind
				            the targets, in the same block  */
	struct tag_list tags;  /**< what became a set in the catalog       */
	bool is_active;        /**< routes, groups, emergency numbers      */
	uint16_t target_n;     /**< the same                               */
	uint32_t number_n;     /**< of row_numbers()                       */
	struct target_row targets[];
};

const char *row_kind_name(enum row_kind kind);

/** @return 0 or ENOENT */
int row_kind_parse(enum row_kind *ret_kind, const char *name);

/**
 * Check and decode. Members that are not known are passed over: a newer
 * database may say more.
 * @param why  names the faulty member
 * @param bp   malloc'd
 * @return 0, EINVAL or ENOMEM
 */
int row_decode(struct row_body **bp, enum row_kind kind, const char *id,
	       const struct json_t *json, char *why, size_t size);

/** One rate, as a JSON array: [prefix, destination, rate, fee, first, next,
 *  from, to or null, is_blocked, terms]; the last one was not always there.
 *  @return 0 or EINVAL */
int row_rate_decode(struct rate *ret, const struct json_t *array);
struct json_t *row_rate_encode(const struct rate *rate);

#endif
