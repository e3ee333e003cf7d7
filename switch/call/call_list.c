/**
 * @file call_list.c  The lists that both numbers of a call are held against,
 * in the order in which tenant, trunk or gateway name them.
 */
#include <string.h>
#include "call_private.h"
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


static enum outcome ask(struct call *call, const struct number_list *list)
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
		    WHY_TEXT("name", list->name),
		    WHY_TEXT("kind", list_kind_name(list->kind)),
		    WHY_TEXT("number", before), WHY_TEXT("to", party->e164),
		    WHY_COUNT("matched", e != NULL));

	return out == OUT_LIST_DENIED ? out : OUT_OK;
}


/* @param subject  LIST_CALLING: those only; LIST_CALLED: all */
static enum outcome ask_all(struct call *call,
			    const struct number_lists *lists,
			    enum list_subject subject)
{
	enum outcome out = OUT_OK;

	for (uint8_t i = 0; i < lists->n && out == OUT_OK; i++) {
		if (subject == LIST_CALLED ||
		    lists->lists[i]->subject == LIST_CALLING)
			out = ask(call, lists->lists[i]);
	}

	return out;
}


enum outcome call_lists(struct call *call)
{
	enum outcome out = OUT_OK;

	if (call->is_emergency)
		return OUT_OK;
	if (call->trunk)
		out = ask_all(call, &call->trunk->tenant->lists, LIST_CALLED);
	if (out == OUT_OK)
		out = ask_all(call, &call_policy(call)->lists, LIST_CALLED);

	return out;
}


enum outcome call_lists_in(struct call *call, const struct trunk *to)
{
	enum outcome out;

	/* its own lists have been asked already */
	if (call->trunk == to)
		return OUT_OK;

	out = ask_all(call, &to->tenant->lists, LIST_CALLING);
	if (out == OUT_OK)
		out = ask_all(call, &to->numbers.lists, LIST_CALLING);

	return out;
}
