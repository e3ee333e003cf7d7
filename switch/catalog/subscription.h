/**
 * @file subscription.h  Packages that customers have: which of them a call may
 * use, in which order, and what their balances are called. Parts of a catalog;
 * lookups are pure and thread safe.
 */
#ifndef SUBSCRIPTION_H
#define SUBSCRIPTION_H
#include "catalog.h"
#include "cover.h"

#define PACKAGE_ZONES_MAX 16
#define PACKAGE_CARRY_MAX 3
#define PACKAGE_KEY_SIZE 36   /**< "sub_...:5efb", '+': of calls of later
				   periods; as core.package_key()        */

enum package_direction { PACKAGE_OUT, PACKAGE_FORWARD, PACKAGE_BOTH };
enum package_period { PACKAGE_DAY, PACKAGE_MONTH };

/** Zones by id; in the catalog as bits. */
struct package_zones {
	uint8_t n;
	char ids[PACKAGE_ZONES_MAX][ZONE_ID_SIZE];
};

struct subscription {
	char id[ID_SIZE];
	const struct tenant *tenant;
	const struct account *account; /**< that has it                    */
	bool is_active, is_shared;   /**< shared: of all the tenant's      */
	char currency[4];
	uint8_t kind;                /**< enum cover_kind                  */
	uint8_t direction, period;
	uint8_t anchor_day;          /**< months begin on it               */
	uint8_t carry_periods;
	uint16_t priority;           /**< the lowest first                 */
	uint32_t increment_ms;
	int64_t from_ms, to_ms;      /**< calls that begin in this time    */
	bool has_zones;
	struct zone_set zones, excluded;
	char list_id[ID_SIZE];
	const struct number_list *list; /**< NULL: all numbers             */
};

/** What it has beside the members that are data: zones and times.
 *  @return 0 or EINVAL */
int subscription_decode(struct subscription *ret,
			struct package_zones *ret_zones,
			struct package_zones *ret_excluded,
			const struct json_t *json);

/** The number of the period at that moment: days since 1970-01-01, or months
 *  since year 0, as core.period_of() counts. */
int32_t subscription_period(const struct subscription *s, int64_t wall_ms);

/** Who pays for a call, to where, that begins at this moment. */
struct package_query {
	const struct account *account;
	bool is_forward;
	const char *called;          /**< "+49..."                         */
	const struct zone_set *zones; /**< that it is in                   */
	int64_t wall_ms;
};

/** A balance that it may use. */
struct package_use {
	const struct subscription *subscription;
	char key[PACKAGE_KEY_SIZE];
	int32_t end_day;             /**< its rest is gone then            */
	int32_t period;              /**< of the balance                   */
};

/** Could it use any at all? Cheap: before the rest of a query is made up. */
bool catalog_has_packages(const struct catalog *c,
			  const struct account *account);

/** In order: minutes before money, the lowest priority, what ends first.
 *  @return how many, at most COVERS_MAX */
unsigned catalog_packages(const struct catalog *c,
			  const struct package_query *q,
			  struct package_use uses[COVERS_MAX]);

#endif
