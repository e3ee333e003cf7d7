/**
 * @file zone.c  See zone.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "json.h"
#include "catalog.h"
#include "text.h"
#include "zone.h"

#define SET_WORDS (ZONES_MAX / 64)


void zone_set_add(struct zone_set *set, uint16_t bit)
{
	set->bits[bit / 64] |= UINT64_C(1) << (bit % 64);
}


bool zone_set_has(const struct zone_set *set, uint16_t bit)
{
	return set->bits[bit / 64] >> (bit % 64) & 1;
}


bool zone_set_meets(const struct zone_set *a, const struct zone_set *b)
{
	for (size_t i = 0; i < SET_WORDS; i++) {
		if (a->bits[i] & b->bits[i])
			return true;
	}

	return false;
}


static void zone_set_join(struct zone_set *to, const struct zone_set *more)
{
	for (size_t i = 0; i < SET_WORDS; i++)
		to->bits[i] |= more->bits[i];
}


/* --- a row */

static int prefixes_decode(struct zone *z, const json_t *list)
{
	const size_t n = json_array_size(list);

	if (n > ZONE_LIST_MAX)
		return EINVAL;

	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || !text_is_digits(text) ||
		    text_copy(z->prefixes[i], sizeof(z->prefixes[i]), text))
			return EINVAL;
	}
	z->prefix_n = (uint8_t)n;

	return 0;
}


static int countries_decode(struct zone *z, const json_t *list)
{
	const size_t n = json_array_size(list);

	if (n > ZONE_LIST_MAX)
		return EINVAL;

	for (size_t i = 0; i < n; i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text || strlen(text) != 2)
			return EINVAL;
		memcpy(z->countries[i], text, 3);
	}
	z->country_n = (uint8_t)n;

	return 0;
}


/* A type that this version does not know stands for no number. */
static int types_decode(struct zone *z, const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (!text)
			return EINVAL;
		for (uint8_t t = 0; t < NUMBERING_TYPE_N; t++) {
			if (!strcmp(numbering_type_name(t), text))
				z->types |= UINT32_C(1) << t;
		}
	}

	return 0;
}


int zone_decode(struct zone *ret, const struct json_t *json)
{
	int err = prefixes_decode(ret, json_object_get(json, "prefixes"));

	if (!err)
		err = countries_decode(ret, json_object_get(json,
							    "countries"));
	if (!err)
		err = types_decode(ret, json_object_get(json, "types"));

	return err;
}


/* --- the index */

struct place {
	uint64_t key;
	uint16_t bit;
};


static int place_compare(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return x->key < y->key ? -1 : x->key > y->key;
}


static int country_compare(const void *a, const void *b)
{
	const struct zone_country *x = a, *y = b;

	return strcmp(x->country, y->country);
}


/* Equal prefixes of several zones stand once, with all of them. */
static int prefixes_build(struct zone_index *x, struct place *places,
			  uint32_t n)
{
	uint32_t sets = 0;

	x->prefix_zones = calloc(n + 1, sizeof(*x->prefix_zones));
	if (!x->prefix_zones || prefix_index_alloc(&x->prefixes, n + 1))
		return ENOMEM;

	qsort(places, n, sizeof(*places), place_compare);
	for (uint32_t i = 0; i < n; i++) {
		if (!i || places[i].key != places[i - 1].key)
			prefix_index_add(&x->prefixes, places[i].key, sets++);
		zone_set_add(&x->prefix_zones[sets - 1], places[i].bit);
	}
	prefix_index_build(&x->prefixes);

	return 0;
}


static void zone_spread(struct zone_index *x, const struct zone *z)
{
	for (uint8_t i = 0; i < z->country_n; i++) {
		struct zone_country *c = &x->countries[x->country_n++];

		memcpy(c->country, z->countries[i], sizeof(z->countries[i]));
		zone_set_add(&c->zones, z->bit);
	}
	for (uint8_t t = 0; t < 32; t++) {
		if (z->types >> t & 1)
			zone_set_add(&x->types[t], z->bit);
	}
	if (z->types && !z->country_n)
		zone_set_add(&x->any_country, z->bit);
	if (z->country_n && !z->types)
		zone_set_add(&x->any_type, z->bit);
}


static void countries_join(struct zone_index *x)
{
	uint32_t n = 0;

	qsort(x->countries, x->country_n, sizeof(*x->countries),
	      country_compare);
	for (uint32_t i = 0; i < x->country_n; i++) {
		if (n && !country_compare(&x->countries[n - 1],
					  &x->countries[i]))
			zone_set_join(&x->countries[n - 1].zones,
				      &x->countries[i].zones);
		else
			x->countries[n++] = x->countries[i];
	}
	x->country_n = n;
}


int zone_index_build(struct zone_index *x, const struct zone *zones,
		     uint32_t n)
{
	uint32_t prefix_sum = 0, country_sum = 0, at = 0;
	struct place *places;
	int err = ENOMEM;

	for (uint32_t i = 0; i < n; i++) {
		prefix_sum += zones[i].prefix_n;
		country_sum += zones[i].country_n;
	}

	places = calloc(prefix_sum + 1, sizeof(*places));
	x->countries = calloc(country_sum + 1, sizeof(*x->countries));
	if (!places || !x->countries)
		goto out;

	for (uint32_t i = 0; i < n; i++) {
		for (uint8_t k = 0; k < zones[i].prefix_n; k++) {
			places[at].key = prefix_key(zones[i].prefixes[k]);
			places[at++].bit = zones[i].bit;
		}
		zone_spread(x, &zones[i]);
	}
	countries_join(x);
	err = prefixes_build(x, places, prefix_sum);

 out:
	free(places);
	return err;
}


void zone_index_clear(struct zone_index *x)
{
	free(x->prefixes.entries);
	free(x->prefix_zones);
	free(x->countries);
	memset(x, 0, sizeof(*x));
}


void zone_index_find(const struct zone_index *x, const char *digits,
		     const char *country, uint8_t type, struct zone_set *ret)
{
	const struct zone_country *c = NULL;
	struct zone_country key = {.country = ""};
	uint32_t at = PREFIX_NONE;

	memset(ret, 0, sizeof(*ret));
	if (x->country_n && !text_copy(key.country, sizeof(key.country),
				       country))
		c = bsearch(&key, x->countries, x->country_n, sizeof(key),
			    country_compare);

	for (size_t i = 0; i < SET_WORDS; i++)
		ret->bits[i] = ((c ? c->zones.bits[i] : 0) |
				x->any_country.bits[i]) &
			       (x->types[type % 32].bits[i] |
				x->any_type.bits[i]);

	if (x->prefixes.n)
		at = prefix_find(&x->prefixes, digits);
	while (at != PREFIX_NONE) {
		const struct prefix_entry *e = &x->prefixes.entries[at];

		zone_set_join(ret, &x->prefix_zones[e->value]);
		at = e->up;
	}
}
