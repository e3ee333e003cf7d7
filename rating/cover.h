/**
 * @file cover.h  What packages pay of a call, the first before the others:
 * minutes the billed time from its beginning, in their increments, then money
 * what is left of the price before taxes. What nobody covers is the account's.
 *
 * The same in PostgreSQL is rating.cover().
 */
#ifndef COVER_H
#define COVER_H
#include "price.h"

#define COVERS_MAX 8

enum cover_kind { COVER_MINUTES, COVER_MONEY, COVER_KIND_N };

/** A package as a call has it; its units are ms or micro-units. */
struct cover {
	uint8_t kind;            /**< enum cover_kind                      */
	uint32_t increment_ms;   /**< minutes are used in steps of this    */
	int64_t held;            /**< units that it may use                */
	int64_t used;            /**< units that it has used               */
	int64_t covered;         /**< ms or micro-units that these paid    */
};

/** Their sums. */
struct cover_sum {
	uint64_t covered_ms;
	int64_t covered_micro;
};

/**
 * Work out used and covered, and what is left to pay.
 * @return 0 or EOVERFLOW; then the results are not to be used. Pure.
 */
int cover_price(const struct price *p, uint64_t duration_ms,
		struct cover *covers, unsigned n, struct cover_sum *ret_sum,
		struct price_parts *ret);

/** Units that covers[i] needs beyond those before it, so that nothing of the
 *  duration is left for others; minutes stand before money. Pure. */
int64_t cover_wants(const struct price *p, uint64_t duration_ms,
		    const struct cover *covers, unsigned i);

/** Fit to compute with? @return 0 or EINVAL */
int cover_check(const struct cover *c);

const char *cover_kind_name(uint8_t kind);

#endif
