/**
 * @file worker_calls.c  The live calls, a page at a time. Nobody keeps them
 * sorted: each page is one walk over all of them.
 */
#include "worker_calls.h"
#include <string.h>
#include "call.h"
#include "call_private.h"
#include "smallest.h"

/** What is asked for. */
struct question {
	const char *tenant, *trunk; /**< NULL: any                         */
	uint8_t call[16], after[16];
	bool has_call, has_after, newest_first;
	size_t limit;
};


size_t command_limit(const json_t *req)
{
	const json_int_t limit =
		json_integer_value(json_object_get(req, "limit"));

	return limit < 1 || limit > ROWS_MAX ? ROWS_MAX : (size_t)limit;
}


static int oldest_first(const void *a, const void *b)
{
	const struct call *x = a, *y = b;

	return memcmp(x->id, y->id, sizeof(x->id));
}


static int newest_first(const void *a, const void *b)
{
	return oldest_first(b, a);
}


static void question_read(struct question *q, const json_t *req)
{
	const char *after = json_string_value(json_object_get(req, "after"));
	const char *call = json_string_value(json_object_get(req, "call"));

	*q = (struct question){
		.tenant = json_string_value(json_object_get(req, "tenant")),
		.trunk = json_string_value(json_object_get(req, "trunk")),
		.has_call = call != NULL,
		.newest_first = json_is_true(
			json_object_get(req, "newest_first")),
		.limit = command_limit(req),
	};
	q->has_after = after && !uuid_parse(q->after, after);
	if (call) /* what is no id is no call's: that of all zeroes is none */
		(void)uuid_parse(q->call, call);
}


static bool is_behind(const struct question *q, const struct call *call)
{
	const int way = memcmp(call->id, q->after, sizeof(q->after));

	return !q->has_after || (q->newest_first ? way < 0 : way > 0);
}


static bool is_wanted(const struct question *q, const struct call *call)
{
	return (!q->tenant || !strcmp(q->tenant, call->tenant_id)) &&
	       (!q->trunk || !strcmp(q->trunk, call_shown_trunk(call))) &&
	       (!q->has_call || !memcmp(q->call, call->id, 16)) &&
	       is_behind(q, call);
}


static json_t *answer(const struct worker *w, struct smallest *page,
		      size_t limit)
{
	const size_t n = smallest_sort(page);
	json_t *rows = json_array();

	for (size_t i = 0; i < n && i < limit; i++)
		(void)json_array_append_new(rows,
					    call_row(smallest_at(page, i)));

	return json_pack("{s:b,s:I,s:b,s:o}", "ok", 1, "total",
			 (json_int_t)list_count(&w->live), "has_more",
			 n > limit, "calls", rows);
}


json_t *worker_calls(struct worker *w, const json_t *req)
{
	struct smallest *page;
	struct question q;
	const struct le *le;
	json_t *res;

	question_read(&q, req);
	/* one more, to know whether there is another page */
	if (smallest_alloc(&page, q.limit + 1,
			   q.newest_first ? newest_first : oldest_first))
		return NULL;

	LIST_FOREACH(&w->live, le) {
		if (is_wanted(&q, le->data))
			smallest_offer(page, le->data);
	}
	res = answer(w, page, q.limit);
	mem_deref(page);

	return res;
}
