/**
 * @file emergency.c  See emergency.h.
 */
#include "emergency.h"


static const char *country_of(const struct trunk *trunk,
			      const struct site *site)
{
	if (site && site->country[0])
		return site->country;

	return trunk->country[0] ? trunk->country : trunk->tenant->country;
}


bool emergency_find(const struct catalog *cat, const struct trunk *trunk,
		    const struct site *site, const char *dialled,
		    struct emergency_hit *ret)
{
	const char *const scopes[] = {
		site ? site->id : "",
		trunk->id,
		trunk->tenant->id,
		country_of(trunk, site),
		"",
	};
	const struct emergency *e;
	const struct route *route;

	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		if (!scopes[i][0] && i + 1 < ARRAY_SIZE(scopes))
			continue; /* at no site, or nobody said where */

		e = catalog_emergency_number(cat, dialled, scopes[i]);
		if (!e)
			continue;

		ret->route = &e->route;
		ret->number = e->send_as[0] ? e->send_as : e->number;
		ret->scope = e->scope;
		ret->is_test = e->is_test;
		return true;
	}

	route = catalog_emergency(cat, dialled);
	if (!route)
		return false;

	ret->route = route;
	ret->number = route->prefix;
	ret->scope = "";
	ret->is_test = false;

	return true;
}


const char *emergency_calling(const struct trunk *trunk,
			      const struct site *site)
{
	if (site && site->main_number[0])
		return site->main_number;

	return trunk->emergency_cli[0] ? trunk->emergency_cli
				       : trunk->default_cli;
}


static bool has_value(const struct location *loc)
{
	return loc->civic[CIVIC_COUNTRY][0] || loc->latitude[0];
}


const struct location *emergency_location(const struct trunk *trunk,
					  const struct site *site,
					  const struct gateway *gw)
{
	const struct location *loc = site && site->location
					     ? site->location
					     : trunk->location;

	if (!loc)
		return NULL;

	switch (gw->emergency_location) {

	case LOCATION_VALUE:
		return has_value(loc) ? loc : NULL;
	case LOCATION_REFERENCE:
		return loc->uri[0] ? loc : NULL;
	}

	return NULL;
}
