/**
 * @file fake_catalog.h  A catalog of a few rows in plain arrays, in place of
 * the real lookups: tests of sip say who is provisioned without a store.
 */
#ifndef FAKE_CATALOG_H
#define FAKE_CATALOG_H
#include "catalog.h"

#define FAKE_MAX 16

struct catalog {
	struct realm realms[FAKE_MAX];
	unsigned realm_n;
	struct credential credentials[FAKE_MAX];
	unsigned credential_n;
	struct trunk trunks[FAKE_MAX];
	unsigned trunk_n;
	struct gateway gateways[FAKE_MAX];
	unsigned gateway_n;
	struct {
		struct sa addr; /**< port 0: any */
		struct peer peer;
		const char *prefix, *token_sha256; /**< NULL: not asked  */
	} peers[FAKE_MAX];
	unsigned peer_n;
	struct tenant tenant;
	struct account account;
	struct carrier carrier;
	struct route emergency;         /**< prefix: its number             */
};

/** An empty catalog with one active tenant, account and carrier. */
struct catalog *fake_catalog(void);

/** algorithms: HA1_N ends the list, at most HA1_N of them. */
struct realm *fake_realm(struct catalog *c, const char *name, unsigned first,
			 unsigned second, unsigned third);
struct trunk *fake_trunk(struct catalog *c, const char *id);

/** HA1s of all algorithms from a password. */
struct credential *fake_credential(struct catalog *c, const char *realm,
				   const char *username, const char *password,
				   const struct trunk *trunk);
void fake_ha1(struct credential *cred, const char *password);
struct gateway *fake_gateway(struct catalog *c, const char *id,
			     const char *ip, uint16_t port);
void fake_peer(struct catalog *c, const char *ip, const struct trunk *trunk,
	       const struct gateway *gateway);

/** Decode a message written with "\n" for line ends; asserts on failure. */
struct sip_msg *fake_message(const char *fmt, ...);

struct sa fake_sa(const char *ip, uint16_t port);

#endif
