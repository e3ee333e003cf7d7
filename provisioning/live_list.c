/**
 * @file live_list.c  Lists of what the switch has. It is asked for pages;
 * what it does not know to leave out is left out here, and more is asked for.
 */
#include <string.h>
#include "listing.h"
#include "live_list.h"
#include "resource.h"
#include "switch_ask.h"
#include "text.h"

#define ASK_MAX 1000 /* rows of one answer of the switch */
#define ASKS_MAX 100 /* of one request: a page may then be short */

/** Where a walk is. */
struct walk {
	struct request *req;
	const struct live_list *list;
	json_t *question;    /**< what all pages have in common              */
	json_t *tenants;     /**< whose rows are seen, NULL: everybody's      */
	json_t *page;        /**< the switch's last answer                    */
	size_t i;            /**< next row of it                              */
	unsigned asks;
	char after[CURSOR_KEY_SIZE]; /**< key of the last row, "": none yet   */
};


static void walk_end(struct walk *w)
{
	json_decref(w->question);
	json_decref(w->tenants);
	json_decref(w->page);
}


/* As parameters of the request are called by the switch */
static void pass_on(struct walk *w, const char *ours, const char *theirs)
{
	const char *value = request_query(w->req, ours);

	if (value && !json_object_get(w->question, theirs))
		json_object_set_new(w->question, theirs, json_string(value));
}


/* @param more  borrowed, or NULL. false: a problem is set */
static bool walk_begin(struct walk *w, struct request *req,
		       const struct live_list *list, const json_t *more)
{
	*w = (struct walk){
		.req = req,
		.list = list,
		.question = json_pack("{s:s}", "op", list->op),
	};
	if (more)
		json_object_update(w->question, (json_t *)more);
	if (request_tenant(req)) {
		w->tenants = switch_tenants(req, w->question);
		if (!w->tenants) {
			walk_end(w);
			return false;
		}
	}
	pass_on(w, "tenant_id", "tenant");
	pass_on(w, "trunk_id", "trunk");
	return true;
}


static void key_of(const struct walk *w, const json_t *theirs, char *buf)
{
	const json_t *key = json_object_get(theirs, w->list->key);

	if (json_is_integer(key))
		text_format(buf, CURSOR_KEY_SIZE, "%lld",
			    (long long)json_integer_value(key));
	else if (json_is_string(key))
		text_copy(buf, CURSOR_KEY_SIZE, json_string_value(key));
}


/* Is there another page of the switch's? It is then in w->page */
static bool walk_ask(struct walk *w, size_t limit)
{
	json_t *question;

	if (w->page && (!json_is_true(json_object_get(w->page, "has_more")) ||
			w->asks >= ASKS_MAX))
		return false;

	question = json_copy(w->question);
	json_object_set_new(question, "limit",
			    json_integer((json_int_t)limit));
	if (*w->after)
		json_object_set_new(question, "after", json_string(w->after));
	json_decref(w->page);
	w->page = switch_ask(w->req, question);
	w->i = 0;
	++w->asks;
	return w->page != NULL;
}


static bool is_seen(const struct walk *w, const json_t *theirs)
{
	const char *tenant = json_string_value(json_object_get(theirs,
							       "tenant"));

	return !w->tenants ||
	       json_object_get(w->tenants, tenant ? tenant : "");
}


/* The next row of the caller's, whose key is then w->after. New reference,
   NULL: there is none, or a problem is set */
static json_t *walk_next(struct walk *w, size_t limit)
{
	for (;;) {
		const json_t *rows = json_object_get(w->page, w->list->op);
		const json_t *theirs = json_array_get(rows, w->i);

		if (!theirs) {
			if (!walk_ask(w, limit))
				return NULL;
			if (!json_array_size(json_object_get(w->page,
							     w->list->op)))
				return NULL;
			continue;
		}
		++w->i;
		key_of(w, theirs, w->after);
		if (is_seen(w, theirs))
			return w->list->encode(w->req, theirs);
	}
}


/* ?sort= of the one member that the switch keeps the order of */
static bool order_read(struct walk *w, struct sort *sort)
{
	*sort = sort_read(w->req, w->list->res);
	if (sort->is_descending)
		json_object_set_new(w->question, "newest_first", json_true());
	return !problem_is_set(&w->req->problem);
}


static bool cursor_read(struct walk *w, const char *name)
{
	const char *text = request_query(w->req, "cursor");
	struct cursor cursor;

	if (!text)
		return true;
	if (cursor_decode(&cursor, text, name, 1)) {
		problem_set(&w->req->problem, PROBLEM_BAD_CURSOR, "%s", "");
		return false;
	}
	text_copy(w->after, sizeof(w->after), cursor.keys[0]);
	return true;
}


/* Rows of a page and, when there are more, where the next one goes on */
static json_t *page_read(struct walk *w, size_t limit, bool *has_more,
			 struct cursor *keys)
{
	const size_t first = limit < ASK_MAX ? limit + 1 : ASK_MAX;
	json_t *rows = json_array(), *row;

	*has_more = false;
	keys->n = 1;
	text_copy(keys->keys[0], CURSOR_KEY_SIZE, w->after);
	while ((row = walk_next(w, w->asks ? ASK_MAX : first)) != NULL) {
		const bool is_wanted = row_is_wanted(w->req, w->list->res,
						     row);

		if (is_wanted && json_array_size(rows) == limit)
			*has_more = true;
		else if (is_wanted)
			json_array_append(rows, row);
		json_decref(row);
		if (*has_more)
			return rows;
		text_copy(keys->keys[0], CURSOR_KEY_SIZE, w->after);
	}
	*has_more = json_is_true(json_object_get(w->page, "has_more"));
	return rows;
}


void live_list_answer(struct request *req, const struct live_list *list)
{
	const size_t limit = (size_t)request_limit(req);
	struct cursor keys;
	struct sort sort;
	struct walk w;
	json_t *rows;
	bool has_more;
	char name[128];

	ranges_check(req, list->res);
	if (problem_is_set(&req->problem) ||
	    !walk_begin(&w, req, list, NULL))
		return;
	if (!order_read(&w, &sort))
		goto out;
	list_name(name, sizeof(name), req, &sort);
	if (!cursor_read(&w, name))
		goto out;

	rows = page_read(&w, limit, &has_more, &keys);
	if (!problem_is_set(&req->problem) &&
	    rows_shape(req, list->res, rows))
		page_answer(req, json_incref(rows), name,
			    has_more ? &keys : NULL);
	json_decref(rows);

 out:
	walk_end(&w);
}


json_t *live_list_need(struct request *req, const struct live_list *list,
		       const char *member, const char *value,
		       const json_t *more)
{
	json_t *row, *found = NULL;
	struct walk w;

	if (!walk_begin(&w, req, list, more))
		return NULL;

	while (!found && (row = walk_next(&w, ASK_MAX)) != NULL) {
		const char *its = json_string_value(json_object_get(row,
								    member));

		if (its && !strcmp(its, value))
			found = json_incref(row);
		json_decref(row);
	}
	walk_end(&w);
	if (!found)
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "the switch has no %s %s", list->res->kind,
			    value);
	return found;
}
