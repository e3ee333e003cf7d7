/**
 * @file listing.h  What a GET may ask of the generic verbs beyond the row:
 * ranges (created_at[gte]=), sort, fields and expand.
 */
#ifndef LISTING_H
#define LISTING_H
#include "query.h"
#include "resource.h"

/** A column that a list may be sorted by; the whitelist is in listing.c. */
struct sort {
	const char *column; /**< NULL: by the key of the row                */
	const char *type;   /**< of SQL                                     */
	bool is_descending;
};

/** ?sort=name or -name. A problem is set when it is none of the list. */
struct sort sort_read(struct request *req, const struct resource *res);

/** Append the ranges of the query. A problem is set for what is no time. */
void query_ranges(struct query *q, struct request *req,
		  const struct resource *res);

/**
 * Do ?expand= and ?fields= to rows that are about to be sent: the rows that
 * they refer to stand beside the references, when the caller sees them.
 * @param rows  array; its objects are changed
 * @return false: a problem is set
 */
bool rows_shape(struct request *req, const struct resource *res,
		json_t *rows);

#endif
