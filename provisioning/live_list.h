/**
 * @file live_list.h  Lists of what the switch has and no table: the same
 * conventions as for rows, over its control socket.
 */
#ifndef LIVE_LIST_H
#define LIVE_LIST_H
#include "json.h"

struct request;
struct resource;

struct live_list {
	const struct resource *res; /**< members, by which it is filtered    */
	const char *op;             /**< of the switch: "calls"; so are the
					 rows of its answer called            */
	const char *key;            /**< member of a row by which they are in
					 order and pages go on                */
	/** A row of the switch's as one of ours. New reference */
	json_t *(*encode)(const struct request *req, const json_t *theirs);
};

/** GET of the list: a page. */
void live_list_answer(struct request *req, const struct live_list *list);

/**
 * The row of the caller's with this member, walking through all pages. New
 * reference; NULL: a problem is set, not_found when there is none.
 * @param more  of the question, or NULL; borrowed
 */
json_t *live_list_need(struct request *req, const struct live_list *list,
		       const char *member, const char *value,
		       const json_t *more);

#endif
