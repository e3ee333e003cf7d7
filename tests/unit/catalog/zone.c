/** @file zone.c  Which zones a number is in, against the plain definition. */
#include <criterion/criterion.h>
#include <string.h>
#include "json.h"
#include "catalog.h"
#include "zone.h"

#define ZONES 6

static struct zone zones[ZONES];
static struct zone_index x;


static void zone(uint16_t bit, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);

	cr_assert(json);
	zones[bit].bit = bit;
	cr_assert_eq(zone_decode(&zones[bit], json), 0);
	json_decref(json);
}


static void setup(void)
{
	memset(zones, 0, sizeof(zones));
	zone(0, "{\"prefixes\":[\"49\",\"8816\"]}");
	zone(1, "{\"prefixes\":[\"49\",\"4930\"]}");
	zone(2, "{\"countries\":[\"DE\",\"AT\"]}");
	zone(3, "{\"countries\":[\"AT\"],\"types\":[\"mobile\"]}");
	zone(4, "{\"types\":[\"premium\",\"not_known_yet\"]}");
	zone(5, "{}");
	cr_assert_eq(zone_index_build(&x, zones, ZONES), 0);
}


static void teardown(void)
{
	zone_index_clear(&x);
}

TestSuite(zone, .init = setup, .fini = teardown);


static uint64_t find(const char *digits, const char *country, uint8_t type)
{
	struct zone_set set;

	zone_index_find(&x, digits, country, type, &set);
	cr_expect_eq(set.bits[1] | set.bits[2] | set.bits[3], 0);

	return set.bits[0];
}


Test(zone, by_prefix_all_that_begin_it)
{
	cr_expect_eq(find("4930123", "", NUMBERING_UNKNOWN), 0x3);
	cr_expect_eq(find("49", "", NUMBERING_UNKNOWN), 0x3);
	cr_expect_eq(find("4", "", NUMBERING_UNKNOWN), 0);
	cr_expect_eq(find("881612", "", NUMBERING_UNKNOWN), 0x1);
	cr_expect_eq(find("", "", NUMBERING_UNKNOWN), 0);
}


Test(zone, by_country_and_type)
{
	cr_expect_eq(find("43664", "AT", NUMBERING_MOBILE), 0xc);
	cr_expect_eq(find("431", "AT", NUMBERING_GEOGRAPHIC), 0x4);
	cr_expect_eq(find("41", "CH", NUMBERING_MOBILE), 0);
	cr_expect_eq(find("41900", "CH", NUMBERING_PREMIUM), 0x10);
	cr_expect_eq(find("49900", "DE", NUMBERING_PREMIUM), 0x17);
}


Test(zone, nothing_provisioned)
{
	struct zone_index empty = {0};
	struct zone_set set;

	zone_index_find(&empty, "4930", "DE", NUMBERING_MOBILE, &set);
	cr_expect_eq(set.bits[0], 0);
}


Test(zone, rows_that_cannot_be)
{
	static const char *const bad[] = {
		"{\"prefixes\":[\"4x\"]}", "{\"prefixes\":[7]}",
		"{\"prefixes\":[\"1234567890123456\"]}",
		"{\"countries\":[\"DEU\"]}", "{\"countries\":[null]}",
		"{\"types\":[1]}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct zone z = {.id = ""};
		json_t *json = json_loads(bad[i], 0, NULL);

		cr_expect_neq(zone_decode(&z, json), 0, "%s", bad[i]);
		json_decref(json);
	}
}
