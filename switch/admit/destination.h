/**
 * @file destination.h  May this trunk call there, and at this price? Pure, in
 * one catalog.
 */
#ifndef DESTINATION_H
#define DESTINATION_H
#include "catalog.h"
#include "outcome.h"

struct destination_verdict {
	enum outcome outcome;   /**< OUT_OK or OUT_ZONE_DENIED              */
	const char *reason;     /**< a constant, for the notes              */
	const char *zone_id;    /**< that decided, or ""                    */
	const char *country;    /**< of the number, "" when not known       */
	const char *home;       /**< of the caller, "" when not said        */
	const char *type;
};

/**
 * A denied zone, then an allowed zone, then the rest of the trunk's policy:
 * other zones, premium numbers, numbers of another country than the caller's
 * (toll-free ones are of none). A number whose country is not known is foreign.
 * @param site  NULL: at none
 * @param e164  "+..."
 */
void destination_check(const struct catalog *cat, const struct trunk *trunk,
		       const struct site *site, const char *e164,
		       struct destination_verdict *ret);

/** Which of the two caps stands against this tariff: the trunk's, its
 *  account's, or none (NULL). Returns the id of the row. */
const char *destination_cap(const struct trunk *trunk,
			    const struct tariff *sell);

#endif
