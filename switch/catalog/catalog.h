/**
 * @file catalog.h  What is provisioned, as the switch sees it: an immutable
 * snapshot of tenants, accounts, trunks, numbers, carriers, gateways, routes
 * and decks. A call holds one from birth to its answer or end. Lookups are pure and
 * thread safe; every pointer lives as long as the snapshot.
 */
#ifndef CATALOG_H
#define CATALOG_H
#include <re.h>
#include <stdbool.h>
#include <stdint.h>
#include "deck.h"
#include "number_policy.h"
#include "rate_terms.h"
#include "rule.h"
#include "zone.h"
#include "schedule.h"
#include "tag.h"

#define ID_SIZE 36          /**< "trk_" + 26 base32 characters + NUL        */
#define E164_SIZE 20        /**< "+" 15 digits, room to spare               */
#define USER_SIZE 64
#define REALM_SIZE 64
#define NAME_SIZE 64
#define DECK_ORIGINS_MAX 8

enum { HA1_MD5, HA1_SHA256, HA1_SHA512_256, HA1_N };

/** Digest secrets: one HA1 per algorithm; "" where none is stored. */
struct credential {
	char username[USER_SIZE];
	char realm[REALM_SIZE];
	char ha1[HA1_N][65];    /**< lower-case hex                       */
	const struct trunk *trunk; /**< owner; NULL for a gateway's        */
	const struct site *site;   /**< whose PBX has it; NULL: any        */
};

/** A realm offers its algorithms in this order. */
struct realm {
	char name[REALM_SIZE];
	uint8_t algorithms[HA1_N];
	uint8_t algorithm_n;
};

/** In which order the targets of a route are tried. What is equal by all of
 *  these is drawn by weight. */
enum route_strategy {
	STRATEGY_PRIORITY,     /**< priority                              */
	STRATEGY_WEIGHT,       /**< weight alone                          */
	STRATEGY_PERCENTAGE,   /**< the first by share, the rest by priority */
	STRATEGY_LCR,          /**< cost                                  */
	STRATEGY_LCR_PRIORITY, /**< cost, then priority                   */
	STRATEGY_PRIORITY_LCR, /**< priority, then cost                   */
	STRATEGY_QUALITY,      /**< quality, then priority                */
	STRATEGY_QUALITY_LCR,  /**< quality, then cost                    */
};

struct routing_plan {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	bool is_active;
	uint8_t strategy;            /**< enum route_strategy              */
	uint16_t max_attempts;
	uint32_t total_timeout_s;    /**< of the hunt; 0: none             */
	int64_t margin_per_min_nano; /**< -1: not tested                   */
	int32_t margin_percent;      /**< of the price; -1: not tested     */
	struct tag_set tags;         /**< what its calls get               */
	struct number_lists lists;   /**< after those of who calls         */
};

/** One carrier of a tenant's or trunk's rules. */
struct carrier_rule {
	const void *owner;           /**< struct tenant or struct trunk    */
	const struct carrier *carrier;
	bool is_only;                /**< else it is blocked               */
};

/** Of one owner, by carrier. */
struct carrier_rules {
	const struct carrier_rule *rules;
	uint16_t n;
	bool has_only;               /**< no carrier but those             */
};

#define COUNTRY_SIZE 3      /**< ISO 3166-1 alpha-2 + NUL               */

/** What a channel carries: limits.total counts calls so. */
enum limit_mode {
	LIMIT_TOTAL,   /**< in and out together                            */
	LIMIT_IN_OUT,  /**< each direction has its own: total is none      */
	LIMIT_PAIRED,  /**< one in and one out at once: each up to total   */
};

/** What becomes of a call beyond a limit and its burst. */
enum limit_action {
	LIMIT_REFUSE,  /**< a customer's is rejected; a gateway is passed by */
	LIMIT_MARK,    /**< accepted and marked                            */
	LIMIT_STOP,    /**< gateways: rejected, no other is tried          */
};

/** How much there may be of something at once; -1: no limit. */
struct limits {
	int32_t in, out, total;
	int32_t cps;
	int32_t kbps;
	uint8_t burst_percent;  /**< above the limit: accepted and marked  */
	uint8_t mode, action;   /**< enum limit_mode, enum limit_action    */
};

/** When days and months begin: the offsets of a time zone; none: UTC. */
struct day_clock {
	struct schedule_offset offsets[SCHEDULE_OFFSETS]; /**< ascending   */
	uint8_t n;
};

enum spend_period {
	SPEND_DAY, SPEND_MONTH,
	SPEND_PERIOD_N
};

/** What may be spent in a day or month. */
struct spend_policy {
	int64_t limit_micro;        /**< -1: no limit                      */
	uint8_t warn_percent;
	bool is_cut;                /**< running calls end, too            */
	bool is_manual;             /**< locked until somebody unlocks     */
};

struct tenant {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct tenant *parent; /**< its reseller, or NULL             */
	bool is_active;
	const struct routing_plan *plan; /**< NULL: the routes of no plan  */
	struct carrier_rules carriers;
	char country[COUNTRY_SIZE]; /**< where it is at home; "": not said  */
	struct number_lists lists;   /**< of all its trunks                 */
	struct limits limits;   /**< of all below it together               */
	struct day_clock clock;     /**< of days and months that are limited */
	const struct tax_profile *tax; /**< of accounts that have none     */
};

/** What a minute and a connection may cost at most; -1: no limit. */
struct price_cap {
	int64_t per_min_nano, connect_micro;
};

/** Where a trunk may call. */
struct zone_policy {
	struct zone_set allowed, denied;
	uint8_t is_foreign_denied, is_premium_denied, is_other_denied;
};

struct account {
	char id[ID_SIZE];
	const struct tenant *tenant;
	char currency[4];
	bool is_active;
	bool is_prepaid;
	struct limits limits;
	uint32_t index;         /**< dense, stable in one snapshot          */
	struct price_cap cap;
	struct spend_policy spend[SPEND_PERIOD_N];
	const struct tax_profile *tax; /**< NULL: the tenant's             */
};

/*	name           element of civicAddress (RFC 5139), member in JSON */
#define CIVIC_ELEMENTS(X) \
X(CIVIC_COUNTRY, "country", "country") \
X(CIVIC_A1,      "A1",      "a1") \
X(CIVIC_A2,      "A2",      "a2") \
X(CIVIC_A3,      "A3",      "a3") \
X(CIVIC_A4,      "A4",      "a4") \
X(CIVIC_RD,      "RD",      "rd") \
X(CIVIC_HNO,     "HNO",     "hno") \
X(CIVIC_HNS,     "HNS",     "hns") \
X(CIVIC_LMK,     "LMK",     "lmk") \
X(CIVIC_LOC,     "LOC",     "loc") \
X(CIVIC_NAM,     "NAM",     "nam") \
X(CIVIC_PC,      "PC",      "pc") \
X(CIVIC_BLD,     "BLD",     "bld") \
X(CIVIC_UNIT,    "UNIT",    "unit") \
X(CIVIC_FLR,     "FLR",     "flr") \
X(CIVIC_ROOM,    "ROOM",    "room")

#define X(name, element, member) name,
enum civic { CIVIC_ELEMENTS(X) CIVIC_N };
#undef X

/** Where callers are, by value, by reference or both. */
struct location {
	char id[ID_SIZE];
	char civic[CIVIC_N][96]; /**< UTF-8; "": not said                  */
	char latitude[16], longitude[16]; /**< WGS 84 degrees; "": no point */
	uint32_t radius_m;       /**< 0: the point itself                  */
	char uri[204];           /**< who tells it; "": nobody             */
};

enum trunk_direction { TRUNK_BOTH, TRUNK_IN, TRUNK_OUT };
/* in: towards the customer's PBX, out: from the PBX to the network */

enum trunk_auth {
	AUTH_ANY,    /**< one of its addresses or digest opens              */
	AUTH_ALL,    /**< digest, and from one of its addresses             */
};

enum trunk_on_suspend {
	SUSPEND_DROP,    /**< its live calls end                            */
	SUSPEND_FINISH,  /**< they go on, new ones are refused              */
};

/** What a trunk's calls are sold by. */
enum rate_policy {
	RATE_FIXED,      /**< its deck                                     */
	RATE_COST_PLUS,  /**< the first carrier's cost and a margin        */
	RATE_MIN,        /**< the lower of both                            */
	RATE_MAX,        /**< the higher                                   */
};

/** A number that the customer was granted is as good as an owned one. */
enum cli_policy {
	CLI_OWNED,   /**< calling number must be owned, else default_cli   */
	CLI_DEFAULT, /**< always default_cli                               */
	CLI_PASS,    /**< special arrangement: pass what the PBX says      */
	CLI_REJECT,  /**< must be owned, else refused                      */
	CLI_MARK,    /**< passed, and told in the record when not owned    */
};

/** What a called number is held against. */
enum number_check { CHECK_OFF, CHECK_COUNTRY, CHECK_LENGTH };

struct trunk {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct tenant *tenant;
	const struct account *account;
	const struct deck *deck;     /**< sell rates; NULL: no outbound     */
	const struct deck *onnet_deck; /**< of calls to trunks of ours; NULL:
				          the same                          */
	uint8_t rate_policy;         /**< enum rate_policy                  */
	uint32_t markup_ppm;         /**< margin over the cost: a part ...  */
	int64_t markup_per_min_nano; /**< ... and an amount                 */
	bool is_active;              /**< and so is its tenant              */
	uint8_t direction;           /**< enum trunk_direction              */
	uint8_t auth;                /**< enum trunk_auth                   */
	uint8_t on_suspend;          /**< enum trunk_on_suspend             */
	uint8_t cli_policy;
	uint8_t number_check;        /**< enum number_check: of the called  */
	uint8_t calling_check;       /**< and of the calling number         */
	struct limits limits;        /**< cps: of calls that it places      */
	uint16_t limit_sip_code;     /**< of its refusals; 0: each its own  */
	char default_cli[E164_SIZE]; /**< "+49..." or ""                    */
	char realm[REALM_SIZE];      /**< where its credentials live        */
	struct rule_set number_in;   /**< as dialled -> E.164               */
	struct rule_set number_out;  /**< E.164 -> as the PBX wants it      */
	char uri_host[64];           /**< static address for calls in, or ""*/
	uint16_t uri_port;
	uint32_t max_call_s, ring_timeout_s, media_timeout_s;
	uint32_t total_timeout_s;    /**< a called side must ring or answer
				          in it, of all tries; 0: no limit  */
	bool is_trusted;             /**< gets and may set P-Asserted-Identity */
	const struct routing_plan *plan; /**< NULL: the tenant's           */
	struct tag_set tags;         /**< its calls carry these            */
	struct carrier_rules carriers;
	struct price_cap cap;
	struct spend_policy spend[SPEND_PERIOD_N];
	struct zone_policy zones;
	int32_t called_channels, called_per_min; /**< to one number; -1     */
	char country[COUNTRY_SIZE];  /**< "": the tenant's                  */
	char emergency_cli[E164_SIZE]; /**< main number, or ""              */
	const struct location *location; /**< NULL: not known               */
	struct number_policy numbers;
};

/** A place under a trunk; all sites of a trunk share its channels. */
struct site {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct trunk *trunk;
	char main_number[E164_SIZE]; /**< "+49..." or ""                    */
	bool is_active;
	char country[COUNTRY_SIZE];  /**< "": the trunk's                   */
	const struct location *location; /**< NULL: the trunk's             */
	struct limits limits;
};

/** Neither it nor its tenant nor its account is suspended. */
static inline bool trunk_is_usable(const struct trunk *t)
{
	return t->is_active && t->tenant->is_active && t->account->is_active;
}

/** A number, or a range of numbers of one length. */
struct did {
	char e164[E164_SIZE];        /**< with '+'; the first of a range    */
	char id[ID_SIZE];
	const struct trunk *trunk;
	const struct site *site;     /**< NULL: of no place                 */
	bool is_active;
	char e164_last[E164_SIZE];   /**< of a range; ""                    */
	char cnam[NAME_SIZE];        /**< name shown when it calls, or ""   */
	struct limits limits;        /**< of calls to it                    */
	int64_t from_ms, to_ms;      /**< in service [UTC ms, to exclusive) */
};

/** Where calls to a trunk arrive. */
struct trunk_endpoint {
	char owner[ID_SIZE];         /**< the trunk                         */
	bool is_registered;          /**< the contacts that it registered   */
	struct sa addr;              /**< otherwise                         */
	uint16_t priority, weight;
};

enum forward_condition {
	FORWARD_UNCONDITIONAL, FORWARD_BUSY, FORWARD_NO_ANSWER,
	FORWARD_UNREACHABLE,         /**< not registered, or no response    */
	FORWARD_REJECTED, FORWARD_CODES,
};

#define FORWARD_CODES_MAX 16

/** What becomes of a call that a trunk does not take. */
struct forward_rule {
	char owner[ID_SIZE];         /**< a number's row, or a trunk        */
	char id[ID_SIZE];
	uint8_t condition;           /**< enum forward_condition            */
	uint8_t code_n;
	uint16_t codes[FORWARD_CODES_MAX];
	char to_number[E164_SIZE];   /**< "": to_trunk                      */
	const struct trunk *to_trunk;
	uint16_t after_s;            /**< of no answer; 0: ring_timeout_s   */
	uint16_t priority;
};

/** On what a decision URL is asked, as bits; the names are those of forwards
 *  and "failure": whatever else ends it. */
enum {
	ASK_UNCONDITIONAL = 1 << 0, ASK_BUSY = 1 << 1, ASK_NO_ANSWER = 1 << 2,
	ASK_UNREACHABLE = 1 << 3, ASK_REJECTED = 1 << 4, ASK_FAILURE = 1 << 5,
};

/** What follows without an answer of use. */
enum decision_fallback {
	FALLBACK_CONTINUE,           /**< as if nobody had been asked       */
	FALLBACK_REFUSE, FALLBACK_FORWARD,
};

#define DECISION_URL_SIZE 501
#define SECRET_BOX_SIZE 176

/** Who is asked over HTTP what shall become of a call. */
struct decision_url {
	char owner[ID_SIZE];         /**< a number's row, or a trunk        */
	char id[ID_SIZE];
	char url[DECISION_URL_SIZE];
	uint32_t timeout_ms;
	uint8_t conditions;          /**< ASK_BUSY ...                      */
	uint8_t fallback;            /**< enum decision_fallback            */
	char to_number[E164_SIZE];   /**< of FALLBACK_FORWARD; "": to_trunk */
	const struct trunk *to_trunk;
	/** As the API seals them, "\x..."; "": not signed, or no other     */
	char secret_box[SECRET_BOX_SIZE], previous_box[SECRET_BOX_SIZE];
	int64_t previous_until_ms;   /**< UTC; then previous_box is old     */
};

/** Names of these: numbering_type_name(). */
enum numbering_type {
	NUMBERING_UNKNOWN, NUMBERING_GEOGRAPHIC, NUMBERING_MOBILE,
	NUMBERING_VOIP, NUMBERING_TOLL_FREE, NUMBERING_SHARED_COST,
	NUMBERING_PREMIUM, NUMBERING_PERSONAL, NUMBERING_PAGER,
	NUMBERING_CORPORATE, NUMBERING_SATELLITE, NUMBERING_SERVICE,
	NUMBERING_INTERNATIONAL, NUMBERING_EMERGENCY, NUMBERING_TYPE_N
};

/** Where the numbers of a prefix belong. */
struct numbering {
	uint64_t key;                /**< prefix.h                          */
	char country[4];             /**< ISO 3166-1 alpha-2, or ""         */
	char network[48];
	uint8_t type;                /**< enum numbering_type               */
	uint8_t min_len, max_len;    /**< digits of the whole number        */
};

/** What follows a final failure of a carrier, by one code. */
struct disconnect_rule {
	uint16_t code;               /**< SIP 300..699 or Q.850 1..127      */
	bool is_q850;                /**< of the Reason header (RFC 3326)   */
	bool is_next;                /**< try the next; false: stop         */
	bool passes_reason;          /**< its Q.850 cause goes to the caller */
	uint16_t rewrite_code;       /**< what the caller hears; 0: as built in */
	char rewrite_reason[48];     /**< phrase of it; "": the usual       */
};

#define DISCONNECT_RULES_MAX 64

struct disconnect_policy {
	char id[ID_SIZE];
	const struct disconnect_rule *rules; /**< by is_q850, code          */
	uint16_t rule_n;
};

struct carrier {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct deck *deck;     /**< what it charges us; NULL: unknown */
	bool is_active;
	const struct disconnect_policy *disconnect; /**< NULL: built in     */
	struct limits limits;
};

enum identity_form { IDENTITY_FROM, IDENTITY_PAI };

/** Figures below (or above) which a gateway is locked; -1: not watched. */
struct quality_limits {
	uint32_t window_s, min_samples;
	int32_t asr_min;             /**< percent                          */
	int32_t acd_min_s, pdd_max_ms;
	int32_t short_max;           /**< percent of the answered          */
	uint32_t short_s;            /**< shorter is a short call          */
	uint32_t lock_s;             /**< then it gets trial calls         */
	uint32_t trials;
};
/** How a gateway wants to hear where an emergency call comes from. */
enum location_form { LOCATION_NONE, LOCATION_VALUE, LOCATION_REFERENCE };

/** What becomes of a 3xx of a gateway. */
enum redirect_policy {
	REDIRECT_REFUSE, /**< a failure: the next carrier                   */
	REDIRECT_FOLLOW, /**< to a gateway of ours, within the prefixes      */
	REDIRECT_PASS,   /**< its contacts go to a trusted caller            */
};

#define REDIRECT_PREFIXES_MAX 8

struct gateway {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct carrier *carrier;
	struct sa addr;              /**< IP literal and port               */
	bool is_active;              /**< and so is its carrier             */
	uint8_t identity;            /**< PAI + From, or From alone         */
	uint8_t emergency_location;  /**< enum location_form                */
	struct limits limits;
	struct rule_set number_in, number_out;
	struct credential credential;/**< username "" when none             */
	uint32_t ping_s;             /**< OPTIONS interval; 0: not probed   */
	uint8_t ping_down_after, ping_up_after;
	uint32_t no_response_ms;     /**< no 1xx at all: next carrier       */
	uint32_t no_ring_ms;         /**< no 18x: next carrier; 0: no limit */
	const struct disconnect_policy *disconnect; /**< its own or its
				          carrier's; NULL: built in         */
	uint8_t redirect;            /**< enum redirect_policy              */
	uint8_t redirect_prefix_n;   /**< 0: only the number that was called */
	char redirect_prefixes[REDIRECT_PREFIXES_MAX][16];
	uint32_t index;              /**< dense in one snapshot             */
	struct tag_set tags;         /**< only calls that have all of these */
	struct quality_limits quality;
	struct number_policy numbers;
};

#define ROUTE_GATEWAYS_MAX 64 /**< of one route, those of groups counted */
#define DECK_NONE UINT16_MAX

/** A gateway of a route: named by it, or by a group that it names. */
struct route_target {
	const struct gateway *gateway;
	uint16_t priority, weight;   /**< lower priority first; weight 0..  */
	uint16_t entry;              /**< which target of the route         */
	uint16_t member_priority, member_weight; /**< within the group      */
	uint16_t deck;               /**< of its carrier: in decks of the
				          route, or DECK_NONE               */
	const char *group;           /**< id; NULL: no group                */
};

struct route {
	char id[ID_SIZE];
	char prefix[E164_SIZE];      /**< digits; emergency: as dialled     */
	bool is_emergency;
	const struct tenant *tenant; /**< NULL: for all                     */
	const struct route_target *targets; /**< by priority                */
	const struct deck *const *decks; /**< of its carriers, each once    */
	uint16_t target_n, deck_n;
	uint16_t max_attempts;
	/* of a plan: which calls it takes */
	const struct routing_plan *plan; /**< NULL: of no plan              */
	uint16_t position;           /**< lower first, at equal prefix      */
	uint8_t called_min, called_max; /**< digits of the called number    */
	char calling_prefix[E164_SIZE]; /**< digits; "": any                */
	struct tag_set tags;         /**< the call has all of these         */
	const struct schedule *schedule; /**< NULL: always                  */
	uint8_t schedule_is;         /**< 0: when it is open, 1: closed     */
	int64_t valid_from_ms, valid_to_ms;
};

/** Routes whose prefix begins a number: spans, longest prefix first, the
 *  tenant's own before the common ones; each span in order of position. */
struct route_hits {
	struct {
		const struct route *first;
		uint32_t n;
	} spans[2 * E164_SIZE];
	uint8_t n;
};

/** A trunk or account that is refused, UTC ms. */
struct lock {
	char id[ID_SIZE];            /**< of what is locked                 */
	int64_t locked_ms;           /**< 0: not                            */
	int64_t until_ms;            /**< INT64_MAX: until it is unlocked   */
	int64_t unlocked_ms;         /**< 0: never                          */
	int64_t month_unlocked_ms;   /**< the month's limit; 0: never       */
	bool is_fraud;               /**< false: a spend limit              */
};

#define SPEND_KEY_SIZE (ID_SIZE + sizeof(" month") - 1)

struct spend_start {
	char key[SPEND_KEY_SIZE];    /**< as spend_key() makes it           */
	int32_t number;              /**< of the day or month in its zone   */
	int64_t micro;
	int64_t read_ms;             /**< UTC, when it was read             */
};

enum fraud_metric {
	FRAUD_CALLS, FRAUD_CONCURRENT, FRAUD_SAME_NUMBER,
	FRAUD_DIFFERENT_NUMBERS, FRAUD_SHORT_CALLS, FRAUD_DURATION,
	FRAUD_METRIC_N
};

enum fraud_level { FRAUD_NONE, FRAUD_WARN, FRAUD_LIMIT, FRAUD_LOCK };

/** More than that is too many; -1: never. */
struct fraud_rule {
	char scope[ID_SIZE];         /**< "", id of tenant or trunk         */
	char id[ID_SIZE];
	uint8_t metric;              /**< enum fraud_metric                 */
	uint32_t window_s, short_s;
	int32_t warn, limit, lock;
	uint32_t lock_min;           /**< 0: until it is unlocked           */
	char prefix[E164_SIZE];      /**< digits; "": any                   */
	int16_t zone_bit;            /**< -1: any                           */
	const struct schedule *schedule; /**< while open; NULL: always      */
};

/** When calls may be made, and how many of a trunk to one number meanwhile. */
struct calling_window {
	char scope[ID_SIZE];         /**< "", id of tenant, plan or trunk   */
	char id[ID_SIZE];
	int32_t calls_per_number;    /**< -1: any                           */
	char prefix[E164_SIZE];      /**< digits; "": any                   */
	int16_t zone_bit;            /**< -1: any                           */
	const struct schedule *schedule;
};

#define EMERGENCY_NUMBER_SIZE 20

/** An emergency number as it is dialled, and where its calls go. */
struct emergency {
	char number[EMERGENCY_NUMBER_SIZE];
	char send_as[EMERGENCY_NUMBER_SIZE]; /**< "": the number itself     */
	char scope[ID_SIZE];         /**< id of site, trunk or tenant, "DE" or "" */
	bool is_test;
	struct route route;          /**< has the id of the number          */
};

/** Who sends from an address: exactly one of the two, or nobody. */
struct peer {
	const struct trunk *trunk;
	const struct site *site;    /**< of the trunk, or NULL              */
	const struct gateway *gateway;
	uint8_t tech_prefix_n;       /**< digits before the called number that
					  said whose it is; 0: none        */
	bool is_by_token;            /**< a header token said so            */
};

#define TECH_PREFIX_SIZE 17
#define TOKEN_HASH_SIZE 65           /**< SHA-256 as lower-case hex         */

/** What a call shows besides its address. */
struct peer_marks {
	const char *called;          /**< as dialled; NULL: none            */
	const char *token_sha256;    /**< of its header token; NULL: none   */
};

struct catalog;

uint64_t catalog_version(const struct catalog *c);

/** Changes when a trunk becomes usable or stops being it. */
uint64_t catalog_usable(const struct catalog *c);

/**
 * Whose address is it? Longest matching CIDR, port-specific before any port;
 * of several owners that tell themselves apart by marks the first.
 */
struct peer catalog_peer(const struct catalog *c, const struct sa *src);

/**
 * Whose call is it? As above, and among the rows of one network and port: the
 * one with its token, then the one with the longest tech prefix of the called
 * number, then the one without marks. When none fits the next shorter network
 * is asked. The database refuses rows that could claim the same call.
 */
struct peer catalog_caller(const struct catalog *c, const struct sa *src,
			   const struct peer_marks *marks);

/** Is this an address of this trunk, whatever its marks? */
bool catalog_is_source(const struct catalog *c, const struct sa *src,
		       const struct trunk *trunk);

/** Does any row ask for a header token? */
bool catalog_has_tokens(const struct catalog *c);

const struct realm *catalog_realm(const struct catalog *c, const char *name);
/** The realm when there is just one; NULL when none or several. */
const struct realm *catalog_realm_only(const struct catalog *c);
const struct credential *catalog_credential(const struct catalog *c,
					    const char *realm,
					    const char *username);
const struct trunk *catalog_trunk(const struct catalog *c, const char *id);
/** A trunk's, by priority; NULL when it has none. */
const struct trunk_endpoint *catalog_endpoints(const struct catalog *c,
					       const char *trunk_id,
					       uint32_t *ret_n);
/** Of a number's row or of a trunk, by priority; NULL when it has none. */
const struct forward_rule *catalog_forwards(const struct catalog *c,
					    const char *owner,
					    uint32_t *ret_n);
/** Of a number's row or of a trunk, or NULL. */
const struct decision_url *catalog_decision_url(const struct catalog *c,
						const char *owner);
const struct account *catalog_account(const struct catalog *c, const char *id);
const struct site *catalog_site(const struct catalog *c, const char *id);
const struct gateway *catalog_gateway(const struct catalog *c, const char *id);
const struct tenant *catalog_tenant(const struct catalog *c, const char *id);
const struct carrier *catalog_carrier(const struct catalog *c, const char *id);
/** A number of its own before the range that holds it; in service or not. */
const struct did *catalog_did(const struct catalog *c, const char *e164);

/** Is the row active, and the time within its dates? */
bool did_is_in_service(const struct did *did, int64_t wall_ms);

/** Country, network and type of an E.164 number ("+49..."), by the longest
 *  prefix; NULL: no country or network begins so. */
const struct numbering *catalog_numbering(const struct catalog *c,
					  const char *e164);
/** The lock of a trunk or account, or that it was unlocked. NULL: neither. */
const struct lock *catalog_lock(const struct catalog *c, const char *id);

/** "day" or "month". */
const char *spend_period_name(enum spend_period period);
/** Of an account or trunk, as "acc_... day". */
void spend_key(char key[SPEND_KEY_SIZE], const char *id,
	       enum spend_period period);
/** What it had spent when we started or it became limited; NULL: not known. */
const struct spend_start *catalog_spend_start(const struct catalog *c,
					      const char *key);

/** The rules of a scope: "" (all), a tenant's id, a trunk's. */
const struct fraud_rule *catalog_fraud_rules(const struct catalog *c,
					     const char *scope,
					     uint32_t *ret_n);
const char *fraud_metric_name(uint8_t metric);

/** The calling windows of a scope: "" (all), a tenant's id, a plan's, a
 *  trunk's. */
const struct calling_window *catalog_calling_windows(const struct catalog *c,
						     const char *scope,
						     uint32_t *ret_n);
bool catalog_has_calling_windows(const struct catalog *c);

/** The zones of a number, and what they are. */
void catalog_zones(const struct catalog *c, const char *e164,
		   const struct numbering *n, struct zone_set *ret);
uint16_t catalog_zone_count(const struct catalog *c);
const struct zone *catalog_zone_at(const struct catalog *c, uint16_t bit);

const char *numbering_type_name(uint8_t type);
/** Has the number a length that its network knows? */
bool numbering_fits(const struct numbering *n, const char *e164);

/** Emergency route for a number as dialled (digits only), or NULL. */
const struct route *catalog_emergency(const struct catalog *c,
				      const char *dialled);

/** The emergency number of just this scope, or NULL. */
const struct emergency *catalog_emergency_number(const struct catalog *c,
						 const char *dialled,
						 const char *scope);

/**
 * Routes of a plan (NULL: of no plan) for a number.
 * @param digits  the called number without '+'
 */
void catalog_routes(const struct catalog *c, const struct routing_plan *plan,
		    const struct tenant *tenant, const char *digits,
		    struct route_hits *ret);

/** Words for a set of tags, for people. */
const struct tag_table *catalog_tags(const struct catalog *c);

/** Iterate in index order: 0..n-1. */
uint32_t catalog_gateway_count(const struct catalog *c);
const struct gateway *catalog_gateway_at(const struct catalog *c, uint32_t i);

#endif
