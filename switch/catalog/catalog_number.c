/**
 * @file catalog_number.c  Whose a number is, and where it belongs.
 */
#include <stdlib.h>
#include <string.h>
#include "catalog_data.h"


int did_compare(const void *a, const void *b)
{
	const struct did *x = a, *y = b;

	return strcmp(x->e164, y->e164);
}


/* An E.164 number does not begin with 0: as an integer it is the same one. */
static uint64_t integer(const char *e164)
{
	return strtoull(e164 + (*e164 == '+'), NULL, 10);
}


int range_compare(const void *a, const void *b)
{
	const struct did *x = a, *y = b;
	const uint64_t i = integer(x->e164), k = integer(y->e164);

	return (i > k) - (i < k);
}


/** The last range that does not begin behind the number, if it reaches it. */
static const struct did *range_find(const struct catalog *c,
				    const char *e164)
{
	const uint64_t number = integer(e164);
	uint32_t from = 0, to = c->range_n;

	while (from < to) {
		const uint32_t mid = from + (to - from) / 2;

		if (integer(c->ranges[mid].e164) <= number)
			from = mid + 1;
		else
			to = mid;
	}

	return from && integer(c->ranges[from - 1].e164_last) >= number
		       ? &c->ranges[from - 1]
		       : NULL;
}


static int e164_compare(const void *key, const void *entry)
{
	return strcmp(key, ((const struct did *)entry)->e164);
}


const struct did *catalog_did(const struct catalog *c, const char *e164)
{
	const struct did *d = NULL;

	if (!number_is_e164(e164))
		return NULL;
	if (c->did_n)
		d = bsearch(e164, c->dids, c->did_n, sizeof(*c->dids),
			    e164_compare);

	return d ? d : range_find(c, e164);
}


bool did_is_in_service(const struct did *did, int64_t wall_ms)
{
	return did->is_active && wall_ms >= did->from_ms &&
	       wall_ms < did->to_ms;
}


const struct numbering *catalog_numbering(const struct catalog *c,
					  const char *e164)
{
	const uint32_t i = prefix_find(&c->numbers, e164);

	return i == PREFIX_NONE
		       ? NULL
		       : &c->numbering[c->numbers.entries[i].value];
}


const char *numbering_type_name(uint8_t type)
{
	static const char *const names[NUMBERING_TYPE_N] = {
		[NUMBERING_UNKNOWN] = "unknown",
		[NUMBERING_GEOGRAPHIC] = "geographic",
		[NUMBERING_MOBILE] = "mobile",
		[NUMBERING_VOIP] = "voip",
		[NUMBERING_TOLL_FREE] = "toll_free",
		[NUMBERING_SHARED_COST] = "shared_cost",
		[NUMBERING_PREMIUM] = "premium",
		[NUMBERING_PERSONAL] = "personal",
		[NUMBERING_PAGER] = "pager",
		[NUMBERING_CORPORATE] = "corporate",
		[NUMBERING_SATELLITE] = "satellite",
		[NUMBERING_SERVICE] = "service",
		[NUMBERING_INTERNATIONAL] = "international",
		[NUMBERING_EMERGENCY] = "emergency",
	};

	return type < NUMBERING_TYPE_N ? names[type] : "unknown";
}


bool numbering_fits(const struct numbering *n, const char *e164)
{
	const size_t len = strlen(e164) - (*e164 == '+');

	return len >= n->min_len && len <= n->max_len;
}
