/**
 * @file destination.c  See destination.h.
 */
#include <string.h>
#include "destination.h"


static const char *home_of(const struct trunk *trunk, const struct site *site)
{
	if (site && site->country[0])
		return site->country;

	return trunk->country[0] ? trunk->country : trunk->tenant->country;
}


/* The first zone of the number that the trunk has a rule of this kind for. */
static const char *zone_id(const struct catalog *cat,
			   const struct zone_set *number,
			   const struct zone_set *rules)
{
	for (uint16_t bit = 0; bit < catalog_zone_count(cat); bit++) {
		if (zone_set_has(number, bit) && zone_set_has(rules, bit))
			return catalog_zone_at(cat, bit)->id;
	}

	return "";
}


static bool is_foreign(const struct numbering *n, const char *home)
{
	if (n && n->type == NUMBERING_TOLL_FREE)
		return false;

	return !n || !home[0] || strcmp(n->country, home) != 0;
}


/* What no rule of the trunk names */
static const char *denied_by_default(const struct trunk *trunk,
				     const struct numbering *n,
				     const char *home)
{
	if (trunk->zones.is_other_denied)
		return "other_zones";
	if (trunk->zones.is_premium_denied && n &&
	    n->type == NUMBERING_PREMIUM)
		return "premium";
	if (trunk->zones.is_foreign_denied && is_foreign(n, home))
		return "international";

	return NULL;
}


void destination_check(const struct catalog *cat, const struct trunk *trunk,
		       const struct site *site, const char *e164,
		       struct destination_verdict *ret)
{
	const struct numbering *n = catalog_numbering(cat, e164);
	const struct zone_policy *policy = &trunk->zones;
	struct zone_set zones;

	*ret = (struct destination_verdict){
		.outcome = OUT_OK,
		.reason = "default",
		.zone_id = "",
		.country = n ? n->country : "",
		.home = home_of(trunk, site),
		.type = numbering_type_name(n ? n->type : NUMBERING_UNKNOWN),
	};

	catalog_zones(cat, e164, n, &zones);
	if (zone_set_meets(&zones, &policy->denied)) {
		ret->outcome = OUT_ZONE_DENIED;
		ret->reason = "denied";
		ret->zone_id = zone_id(cat, &zones, &policy->denied);
	}
	else if (zone_set_meets(&zones, &policy->allowed)) {
		ret->reason = "allowed";
		ret->zone_id = zone_id(cat, &zones, &policy->allowed);
	}
	else {
		const char *by = denied_by_default(trunk, n, ret->home);

		ret->outcome = by ? OUT_ZONE_DENIED : OUT_OK;
		ret->reason = by ? by : "default";
	}
}


static bool is_above(const struct price_cap *cap, const struct tariff *sell)
{
	return (cap->per_min_nano >= 0 &&
		sell->rate_per_min_nano > cap->per_min_nano) ||
	       (cap->connect_micro >= 0 &&
		sell->connect_fee_micro > cap->connect_micro);
}


const char *destination_cap(const struct trunk *trunk,
			    const struct tariff *sell)
{
	if (is_above(&trunk->cap, sell))
		return trunk->id;

	return is_above(&trunk->account->cap, sell) ? trunk->account->id
						    : NULL;
}
