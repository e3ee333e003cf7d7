/**
 * @file call_list.c  The lists that both numbers of a call are held against,
 * in the order in which tenant, trunk or gateway and routing plan name them.
 */
#include <string.h>
#include "call_private.h"
#include "match.h"
#include "text.h"


/* A prefix is replaced alone, what follows it stays. */
static bool rewrite(struct call *call, struct party *party,
		    const struct list_entry *e)
{
	const size_t len = e->is_prefix ? 1 + (size_t)(e->key & 15)
					: strlen(party->e164);
	char number[E164_SIZE];

	if (text_format(number, sizeof(number), "%s%s", e->replacement,
			party->e164 + len) ||
	    !number_is_e164(number))
		return false;

	TEXT_FILL(party->e164, number);
	call_place(call, party);

	return true;
}


static enum outcome take_entry(struct call *call,
			       const struct number_list *list,
			       struct party *party,
			       const struct list_entry *e)
{
	switch ((enum list_kind)list->kind) {
	case LIST_ALLOW:
		return e ? OUT_OK : OUT_LIST_DENIED;
	case LIST_DENY:
		return e ? OUT_LIST_DENIED : OUT_OK;
	case LIST_REWRITE:
		return e && rewrite(call, party, e) ? OUT_OK : OUT_NONE;
	case LIST_TAG:
		if (e)
			tag_set_join(&call->tags, &list->tags);
		return e ? OUT_OK : OUT_NONE;
	}

	return OUT_NONE;
}


/* of: whose list it is, for the note */
static enum outcome ask(struct call *call, const struct number_list *list,
			const char *of)
{
	struct party *party = list->subject == LIST_CALLING ? &call->calling
							    : &call->called;
	const struct list_entry *e = number_list_find(
		list, party->e164, moment_wall_ms(&call->w->now));
	char before[E164_SIZE];
	enum outcome out;

	TEXT_FILL(before, party->e164);
	out = take_entry(call, list, party, e);
	if (e || out == OUT_LIST_DENIED)
		WHY(call->why, WHY_LIST, out, list->id,
		    WHY_TEXT("of", of), WHY_TEXT("name", list->name),
		    WHY_TEXT("kind", list_kind_name(list->kind)),
		    WHY_TEXT("number", before), WHY_TEXT("to", party->e164),
		    WHY_COUNT("matched", e != NULL));

	return out == OUT_LIST_DENIED ? out : OUT_OK;
}


static enum outcome ask_all(struct call *call,
			    const struct number_lists *lists, const char *of)
{
	enum outcome out = OUT_OK;

	for (uint8_t i = 0; i < lists->n && out == OUT_OK; i++)
		out = ask(call, lists->lists[i], of);

	return out;
}


static enum outcome ask_subject(struct call *call,
				const struct number_lists *lists,
				const char *of, enum list_subject subject)
{
	enum outcome out = OUT_OK;

	for (uint8_t i = 0; i < lists->n && out == OUT_OK; i++) {
		if (lists->lists[i]->subject == subject)
			out = ask(call, lists->lists[i], of);
	}

	return out;
}


/* Before it is known whether the plan finds a route: a number that its lists
   rewrite may be a customer's, or in another zone. */
static enum outcome ask_plan(struct call *call)
{
	const struct routing_plan *plan = match_plan(call->trunk);
	const bool is_same = plan && plan == call->listed_plan;

	call->listed_plan = plan;
	if (!plan)
		return OUT_OK;

	/* of a forwarded call the calling number was asked about already */
	return is_same ? ask_subject(call, &plan->lists, "routing_plan",
				     LIST_CALLED)
		       : ask_all(call, &plan->lists, "routing_plan");
}


enum outcome call_lists(struct call *call)
{
	const struct trunk *trunk = call->trunk;
	enum outcome out;

	if (call->is_emergency)
		return OUT_OK;
	if (!trunk)
		return ask_all(call, &call_policy(call)->lists, "gateway");

	out = ask_all(call, &trunk->tenant->lists, "tenant");
	if (out == OUT_OK)
		out = ask_all(call, &trunk->numbers.lists, "trunk");

	return out == OUT_OK ? ask_plan(call) : out;
}


enum outcome call_lists_in(struct call *call, const struct trunk *to)
{
	enum outcome out;

	/* its own lists have been asked already */
	if (call->trunk == to)
		return OUT_OK;

	out = ask_subject(call, &to->tenant->lists, "tenant", LIST_CALLING);
	if (out == OUT_OK)
		out = ask_subject(call, &to->numbers.lists, "trunk",
				  LIST_CALLING);

	return out;
}


enum outcome call_lists_forward(struct call *call)
{
	const struct trunk *by = call->trunk;
	enum outcome out;

	out = ask_subject(call, &by->tenant->lists, "tenant", LIST_CALLED);
	if (out == OUT_OK)
		out = ask_subject(call, &by->numbers.lists, "trunk",
				  LIST_CALLED);

	return out == OUT_OK ? ask_plan(call) : out;
}
