/**
 * @file emergency.c  See emergency.h.
 */
#include <string.h>
#include "emergency.h"
#include "text.h"

/* Where somebody answers whatever has happened, as countries have it. */
static const char *const common[] = {"112", "911", "999", "000", "111"};


static const char *country_of(const struct trunk *trunk,
			      const struct site *site)
{
	if (site && site->country[0])
		return site->country;

	return trunk->country[0] ? trunk->country : trunk->tenant->country;
}


enum { SCOPES = 5 };


/* From the nearest to the last. "": for everybody; before that: there is no
   such scope, as at no site, or nobody said where. */
static void scopes_of(const char *ret[SCOPES], const struct trunk *trunk,
		      const struct site *site)
{
	ret[0] = site ? site->id : "";
	ret[1] = trunk->id;
	ret[2] = trunk->tenant->id;
	ret[3] = country_of(trunk, site);
	ret[4] = "";
}


static bool find_at(const struct catalog *cat, const char *dialled,
		    const char *scope, struct emergency_hit *ret)
{
	const struct emergency *e = catalog_emergency_number(cat, dialled,
							     scope);

	if (!e)
		return false;

	ret->route = &e->route;
	ret->number = e->send_as[0] ? e->send_as : e->number;
	ret->scope = e->scope;
	ret->is_test = e->is_test;

	return true;
}


static bool find_route(const struct catalog *cat, const char *dialled,
		       struct emergency_hit *ret)
{
	const struct route *route = catalog_emergency(cat, dialled);

	if (!route)
		return false;

	ret->route = route;
	ret->number = route->prefix;
	ret->scope = "";
	ret->is_test = false;

	return true;
}


/* The nearest scope that has one of them. */
static bool find_any(const struct catalog *cat, const struct trunk *trunk,
		     const struct site *site, const char *const *numbers,
		     size_t n, struct emergency_hit *ret)
{
	const char *scopes[SCOPES];

	scopes_of(scopes, trunk, site);
	for (size_t i = 0; i < SCOPES; i++) {
		if (!scopes[i][0] && i + 1 < SCOPES)
			continue;
		for (size_t k = 0; k < n; k++)
			if (find_at(cat, numbers[k], scopes[i], ret))
				return true;
	}

	for (size_t k = 0; k < n; k++)
		if (find_route(cat, numbers[k], ret))
			return true;

	return false;
}


bool emergency_find(const struct catalog *cat, const struct trunk *trunk,
		    const struct site *site, const char *dialled,
		    struct emergency_hit *ret)
{
	return find_any(cat, trunk, site, &dialled, 1, ret);
}


bool emergency_find_service(const struct catalog *cat,
			    const struct trunk *trunk,
			    const struct site *site, const char *service,
			    struct emergency_hit *ret)
{
	char left[64];
	char *dot;

	if (text_copy(left, sizeof(left), service))
		return false;

	for (;;) {
		if (emergency_find(cat, trunk, site, left, ret))
			return true;
		dot = strrchr(left, '.');
		if (!dot)
			break;
		*dot = '\0';
	}

	/* not of "test": a test must not wake anybody */
	return !strcmp(left, "sos") &&
	       find_any(cat, trunk, site, common, ARRAY_SIZE(common), ret);
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
