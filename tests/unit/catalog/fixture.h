/**
 * @file fixture.h  A small provisioned world, put row by row.
 */
#ifndef FIXTURE_H
#define FIXTURE_H
#include "json.h"
#include "catalog_store.h"

#define TENANT_1 "ten_1"
#define TENANT_2 "ten_2"

/** One row from JSON text. @return of catalog_store_put() */
int fixture_put(struct catalog_store *s, const char *kind, const char *id,
		uint64_t version, const char *json);

/** Last reason given by fixture_put(). */
const char *fixture_why(void);

/** A rate of a deck, valid for ever: 60/60, 12 000 000 nano per minute. */
int fixture_rate(struct catalog_store *s, const char *deck,
		 const char *prefix);

/** Two tenants, trunks, carriers, gateways, routes, a deck. */
struct catalog_store *fixture_world(void);

/** How many rows that are; the version of the last. */
uint64_t fixture_rows(void);

/** Publish and take the newest; release with snapshot_release(). */
struct snapshot *fixture_publish(struct catalog_store *s,
				 struct snapshot_slot *slot);

/** The first route of no plan for a number, as "+49..."; NULL: none. */
const struct route *fixture_route(const struct catalog *c, const char *e164,
				  const struct tenant *tenant);

struct sa fixture_sa(const char *host, uint16_t port);

#endif
