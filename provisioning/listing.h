/**
 * @file listing.h  What a GET may ask of the generic verbs beyond the row:
 * ranges (created_at[gte]=), sort, fields and expand.
 */
#ifndef LISTING_H
#define LISTING_H
#include "query.h"
#include "resource.h"

/** What a list is sorted by; the whitelist is the contract's (x-sort). */
struct sort {
	const char *name;   /**< member; NULL: by the key of the row        */
	const char *column; /**< of it, or NULL                             */
	const char *type;   /**< of SQL                                     */
	bool is_descending;
};

/** ?sort=name or -name. A problem is set when it is none of the list. */
struct sort sort_read(struct request *req, const struct resource *res);

/** Set a problem for what is neither a time nor a number. */
void ranges_check(struct request *req, const struct resource *res);

/** The filters and ranges of the query for one row that no table has. */
bool row_is_wanted(struct request *req, const struct resource *res,
		   const json_t *row);

/** A cursor belongs to its list in its order: the name of both. */
void list_name(char *buf, size_t size, const struct request *req,
	       const struct sort *sort);

/** Append the filters of the query: each member with F_FILTER. */
void query_filters(struct query *q, const struct request *req,
		   const struct resource *res);

/** Append the ranges of the query. A problem is set for what is neither a
 *  time nor a number. */
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

/**
 * Answer with a page.
 * @param rows  array; takes the reference
 * @param list  what the cursor belongs to, see list_name()
 * @param keys  where the next page goes on, NULL: this is the last
 */
void page_answer(struct request *req, json_t *rows, const char *list,
		 const struct cursor *keys);

#endif
