/**
 * @file zone.h  Zones: named sets of numbers, by prefix or by country and type
 * of the numbering plan. Which zones a number is in is one look into an index
 * of prefixes and two small tables, however many zones there are.
 */
#ifndef ZONE_H
#define ZONE_H
#include <stdbool.h>
#include <stdint.h>
#include "prefix.h"

#define ZONES_MAX 256       /**< of one catalog                            */
#define ZONE_LIST_MAX 64    /**< prefixes or countries of one              */
#define ZONE_ID_SIZE 36

struct json_t;

/** Zones as bits; they mean something in one catalog only. */
struct zone_set {
	uint64_t bits[ZONES_MAX / 64];
};

/** A zone as it is provisioned. */
struct zone {
	char id[ZONE_ID_SIZE];
	uint16_t bit;               /**< its place in a set                */
	char prefixes[ZONE_LIST_MAX][PREFIX_DIGITS_MAX + 1];
	char countries[ZONE_LIST_MAX][3];
	uint8_t prefix_n, country_n;
	uint32_t types;             /**< bits of enum numbering_type       */
};

struct zone_country {
	char country[4];
	struct zone_set zones;
};

/** Of all zones of a catalog. */
struct zone_index {
	struct prefix_index prefixes; /**< values: places in prefix_zones  */
	struct zone_set *prefix_zones;
	struct zone_country *countries; /**< by country                    */
	uint32_t country_n;
	struct zone_set any_country, any_type, types[32];
};

/** "prefixes", "countries" and "types" of a row. @return 0 or EINVAL */
int zone_decode(struct zone *ret, const struct json_t *json);

/** @return 0 or ENOMEM; zone_index_clear() frees */
int zone_index_build(struct zone_index *x, const struct zone *zones,
		     uint32_t n);
void zone_index_clear(struct zone_index *x);

/**
 * The zones of a number.
 * @param digits   without '+'
 * @param country  "" when not known
 * @param type     enum numbering_type
 */
void zone_index_find(const struct zone_index *x, const char *digits,
		     const char *country, uint8_t type, struct zone_set *ret);

void zone_set_add(struct zone_set *set, uint16_t bit);
bool zone_set_has(const struct zone_set *set, uint16_t bit);
bool zone_set_meets(const struct zone_set *a, const struct zone_set *b);

#endif
