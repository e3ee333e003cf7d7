/**
 * @file catalog_data.h  The inside of a catalog, for the files that build it
 * and look things up in it. Plain memory: the last reader, on any thread,
 * frees it.
 */
#ifndef CATALOG_DATA_H
#define CATALOG_DATA_H
#include "catalog.h"
#include "prefix.h"
#include "prefix_tree.h"

#define ADDRESS_BYTES 16

/** A source network; IPv4 sits behind the prefix ::ffff:0:0/96. */
struct address {
	uint8_t net[ADDRESS_BYTES];
	uint8_t bits;            /**< 0..128                              */
	uint16_t port;           /**< 0: any                              */
	char token_sha256[TOKEN_HASH_SIZE]; /**< at most one of the two;  */
	char tech_prefix[TECH_PREFIX_SIZE]; /**< "": not asked for        */
	struct peer peer;
};

/** What is left of a group: its gateways stand in the routes. */
struct carrier_group {
	char id[ID_SIZE];
};

/** The routes of a plan and tenant, each NULL for none. */
struct route_scope {
	const struct routing_plan *plan;
	const struct tenant *tenant;
	int32_t root;            /**< of their tree in route_tree         */
};

/* Every array is sorted by the key of its lookup. */
/** What stands beside a deck's rates. */
struct deck_use {
	const struct rate_terms *terms; /**< of rates that have none      */
	struct {
		const struct origin_set *set;
		const struct deck *deck;
	} origins[DECK_ORIGINS_MAX];    /**< in the order of the question */
	uint8_t origin_n;
};

struct exchange_rate {
	char id[ID_SIZE];
	char base[4], quote[4];
	int64_t rate_nano, from_ms;
};

struct catalog {
	uint64_t version;
	uint64_t usable;                /* of the ids of usable trunks */
	struct tenant *tenants;         /* by id */
	struct account *accounts;       /* by id */
	struct realm *realms;           /* by name */
	struct trunk *trunks;           /* by id */
	struct site *sites;             /* by id */
	struct credential *credentials; /* by realm, username */
	struct carrier *carriers;       /* by id */
	struct gateway *gateways;       /* by id */
	struct trunk_endpoint *endpoints; /* by trunk, priority */
	struct forward_rule *forwards;    /* by owner, priority */
	struct decision_url *decision_urls; /* by owner */
	struct disconnect_policy *disconnects; /* by id */
	struct disconnect_rule *disconnect_rules; /* by policy, code */
	struct did *dids;               /* by e164 */
	struct did *ranges;             /* by e164, all digits a number */
	struct numbering *numbering;
	struct prefix_index numbers;    /* into numbering */
	struct number_rules *rule_sets; /* by id */
	struct number_list *number_lists; /* by id */
	struct cli_grant *grants;       /* by owner, length, e164 */
	struct short_code *short_codes; /* by owner, code */
	uint32_t range_n, rule_set_n, number_list_n, grant_n, short_code_n;
	struct route *routes;           /* by kind, plan, tenant, prefix,
					   position, id */
	struct route_target *targets;   /* by route, priority */
	const struct deck **route_decks; /* by route */
	struct route_scope *scopes;     /* by plan id, tenant id */
	struct prefix_tree route_tree;
	struct routing_plan *plans;     /* by id */
	struct schedule *schedules;     /* by id */
	struct carrier_group *groups;   /* by id */
	struct carrier_rule *carrier_rules; /* by owner, carrier */
	struct tag_table tags;
	struct lock *locks;             /* by id */
	struct fraud_rule *fraud_rules; /* by scope, id */
	struct calling_window *windows; /* by scope, id */
	struct spend_start *spend_starts; /* by key */
	struct zone *zones;             /* by id; place is bit */
	struct zone_index zone_index;
	struct location *locations;     /* by id */
	struct emergency *emergencies;  /* by number, scope */
	struct address *addresses;      /* by bits (long first), net, port,
					   token, tech prefix */
	struct deck **decks;            /* our references, by id */
	struct deck_use *deck_uses;     /* as decks */
	struct rate_terms *rate_terms;  /* by id */
	struct origin_set *origin_sets; /* by id */
	struct exchange_rate *exchanges;
	struct tax_profile *taxes;      /* by id */
	struct subscription *subscriptions; /* by tenant, shared, account */
	uint32_t rate_terms_n, origin_set_n, exchange_n, tax_n, subscription_n;
	uint32_t tenant_n, account_n, realm_n, trunk_n, site_n, credential_n,
		location_n, emergency_n, zone_n, lock_n,
		fraud_rule_n, window_n, spend_start_n,
		carrier_n, gateway_n, did_n, route_n, target_n, address_n,
		deck_n, route_deck_n, scope_n, plan_n, schedule_n,
		group_n, carrier_rule_n;
	uint32_t disconnect_n, disconnect_rule_n, endpoint_n, forward_n,
		decision_url_n;
	uint8_t lengths[ADDRESS_BYTES * 8 + 1]; /**< prefix lengths in use,
						     long first            */
	uint8_t length_n;
	uint8_t tech_prefix_max;        /**< length of the longest        */
	bool has_tokens;
};

/** Frees the catalog and lets go of its decks. NULL is fine. */
void catalog_free(void *catalog);

/** Order of the arrays; the same functions sort and search. */
int credential_compare(const void *a, const void *b);
int did_compare(const void *a, const void *b);
int range_compare(const void *a, const void *b);
int grant_compare(const void *a, const void *b);
int short_code_compare(const void *a, const void *b);

/** The lists and what they own. */
void number_lists_free(struct catalog *c);

int carrier_rule_compare(const void *a, const void *b);
int scoped_compare(const void *a, const void *b);
int subscription_compare(const void *a, const void *b);
int emergency_compare(const void *a, const void *b);
int address_compare(const void *a, const void *b);

/** Sort the routes and build their trees. @return 0 or ENOMEM */
int catalog_index_routes(struct catalog *c);

/** Address bytes as in struct address. @return false: no IP address */
bool address_set(uint8_t net[ADDRESS_BYTES], const struct sa *sa);

/** Clear what is behind the first bits. */
void address_mask(uint8_t net[ADDRESS_BYTES], uint8_t bits);

#endif
