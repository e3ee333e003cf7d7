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
#include "rule.h"

#define ID_SIZE 36          /**< "trk_" + 26 base32 characters + NUL        */
#define E164_SIZE 20        /**< "+" 15 digits, room to spare               */
#define USER_SIZE 64
#define REALM_SIZE 64
#define NAME_SIZE 64

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

struct tenant {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	bool is_active;
};

struct account {
	char id[ID_SIZE];
	const struct tenant *tenant;
	char currency[4];
	bool is_active;
	bool is_prepaid;
	uint32_t index;         /**< dense, stable in one snapshot          */
};

enum trunk_direction { TRUNK_BOTH, TRUNK_IN, TRUNK_OUT };
/* in: towards the customer's PBX, out: from the PBX to the network */

enum cli_policy {
	CLI_OWNED,   /**< calling number must be owned, else default_cli   */
	CLI_DEFAULT, /**< always default_cli                               */
	CLI_PASS,    /**< special arrangement: pass what the PBX says      */
};

struct trunk {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct tenant *tenant;
	const struct account *account;
	const struct deck *deck;     /**< sell rates; NULL: no outbound     */
	bool is_active;              /**< and so is its tenant              */
	uint8_t direction;           /**< enum trunk_direction              */
	uint8_t cli_policy;
	int32_t channels_in, channels_out, channels_total; /**< -1: no limit */
	int32_t cps;                 /**< -1: no limit                      */
	char default_cli[E164_SIZE]; /**< "+49..." or ""                    */
	char realm[REALM_SIZE];      /**< where its credentials live        */
	struct rule_set number_in;   /**< as dialled -> E.164               */
	struct rule_set number_out;  /**< E.164 -> as the PBX wants it      */
	char uri_host[64];           /**< static address for calls in, or ""*/
	uint16_t uri_port;
	uint32_t max_call_s, ring_timeout_s, media_timeout_s;
	bool is_trusted;             /**< gets and may set P-Asserted-Identity */
};

/** A place under a trunk; all sites of a trunk share its channels. */
struct site {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct trunk *trunk;
	char main_number[E164_SIZE]; /**< "+49..." or ""                    */
	bool is_active;
	int32_t channels_in, channels_out, channels_total; /**< -1: no limit */
};

struct did {
	char e164[E164_SIZE];        /**< with '+'                          */
	char id[ID_SIZE];
	const struct trunk *trunk;
	const struct site *site;     /**< NULL: of no place                 */
	bool is_active;
};

struct carrier {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct deck *deck;     /**< what it charges us; NULL: unknown */
	bool is_active;
};

enum identity_form { IDENTITY_FROM, IDENTITY_PAI };

struct gateway {
	char id[ID_SIZE];
	char name[NAME_SIZE];
	const struct carrier *carrier;
	struct sa addr;              /**< IP literal and port               */
	bool is_active;              /**< and so is its carrier             */
	uint8_t identity;            /**< PAI + From, or From alone         */
	int32_t channels, cps;       /**< -1: no limit                      */
	struct rule_set number_in, number_out;
	struct credential credential;/**< username "" when none             */
	uint32_t ping_s;             /**< OPTIONS interval; 0: not probed   */
	uint8_t ping_down_after, ping_up_after;
	uint32_t no_response_ms;     /**< no 1xx at all: next carrier       */
	uint32_t index;              /**< dense in one snapshot             */
};

struct route_target {
	const struct gateway *gateway;
	uint16_t priority, weight;   /**< lower priority first; weight 0..  */
};

struct route {
	char id[ID_SIZE];
	char prefix[E164_SIZE];      /**< digits; emergency: as dialled     */
	bool is_emergency;
	const struct tenant *tenant; /**< NULL: for all                     */
	const struct route_target *targets; /**< by priority                */
	uint16_t target_n;
	uint16_t max_attempts;
};

/** Who sends from an address: exactly one of the two, or nobody. */
struct peer {
	const struct trunk *trunk;
	const struct site *site;    /**< of the trunk, or NULL              */
	const struct gateway *gateway;
};

struct catalog;

uint64_t catalog_version(const struct catalog *c);

/** Longest matching CIDR, port-specific before any port. */
struct peer catalog_peer(const struct catalog *c, const struct sa *src);

const struct realm *catalog_realm(const struct catalog *c, const char *name);
/** The realm when there is just one; NULL when none or several. */
const struct realm *catalog_realm_only(const struct catalog *c);
const struct credential *catalog_credential(const struct catalog *c,
					    const char *realm,
					    const char *username);
const struct trunk *catalog_trunk(const struct catalog *c, const char *id);
const struct account *catalog_account(const struct catalog *c, const char *id);
const struct site *catalog_site(const struct catalog *c, const char *id);
const struct gateway *catalog_gateway(const struct catalog *c, const char *id);
const struct did *catalog_did(const struct catalog *c, const char *e164);

/** Emergency route for a number as dialled (digits only), or NULL. */
const struct route *catalog_emergency(const struct catalog *c,
				      const char *dialled);

/**
 * Longest prefix route for an E.164 number ("+49..."); at equal length the
 * tenant's own before the common one.
 */
const struct route *catalog_route(const struct catalog *c, const char *e164,
				  const struct tenant *tenant);

/** Iterate in index order: 0..n-1. */
uint32_t catalog_gateway_count(const struct catalog *c);
const struct gateway *catalog_gateway_at(const struct catalog *c, uint32_t i);

#endif
