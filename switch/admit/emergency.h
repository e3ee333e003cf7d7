/**
 * @file emergency.h  Emergency calls: is this an emergency number where the
 * caller is, where does the call go, who is said to call and from where. Asked
 * before dial plan and number rules, so that neither can stand before it.
 * Pure lookups in one catalog; every pointer lives as long as that.
 */
#ifndef EMERGENCY_H
#define EMERGENCY_H
#include "catalog.h"

struct emergency_hit {
	const struct route *route; /**< never NULL                         */
	const char *number;        /**< that is sent                       */
	const char *scope;         /**< of the row; "": for everybody      */
	bool is_test;
};

/**
 * The nearest row for a number as dialled: of the site (NULL: at none; so
 * below), the trunk, its tenant, its
 * country, for everybody; else the emergency route of that number.
 * @return false: no emergency number here
 */
bool emergency_find(const struct catalog *cat, const struct trunk *trunk,
		    const struct site *site, const char *dialled, struct emergency_hit *ret);

/**
 * The same for a service URN (RFC 5031), whose labels are "sos.police": the
 * row of the most that is left of them when labels are taken away from the
 * right; of "sos", when no row has it, the nearest common emergency number.
 * "test.sos" (RFC 6881) leads to rows of its own and to nothing else.
 */
bool emergency_find_service(const struct catalog *cat,
			    const struct trunk *trunk,
			    const struct site *site, const char *service,
			    struct emergency_hit *ret);

/** Who is said to call, whatever the PBX says: the site's main number, else
 *  the trunk's number for this, else its main number; "": it has none. */
const char *emergency_calling(const struct trunk *trunk,
			      const struct site *site);

/** What this gateway is told of where the caller is: NULL when it does not
 *  ask, or what it asks for is not known. */
const struct location *emergency_location(const struct trunk *trunk,
					  const struct site *site,
					  const struct gateway *gw);

#endif
