/**
 * @file event.c  The record of an event: few facts with their texts behind.
 */
#include <string.h>
#include "event.h"
#include "text.h"

static const char *const names[EVENT_KIND_N] = {
#define X(name, text, tells) [name] = text,
	EVENTS(X)
#undef X
};


void event_init(struct event *ev, enum event_kind kind, int64_t wall_ms,
		const char *tenant_id, const char *object_id)
{
	ev->kind = kind;
	ev->wall_ms = wall_ms;
	ev->fact_n = 0;
	ev->text_n = 1; /* 0 says that a fact is a number */
	memset(ev->call_id, 0, sizeof(ev->call_id));
	TEXT_FILL(ev->tenant_id, tenant_id ? tenant_id : "");
	TEXT_FILL(ev->object_id, object_id ? object_id : "");
}


void event_text(struct event *ev, const char *name, const char *text)
{
	const size_t len = text ? strlen(text) : 0;
	char *to = ev->texts + ev->text_n;

	if (!len || ev->fact_n == EVENT_FACTS_MAX ||
	    len >= sizeof(ev->texts) - ev->text_n)
		return;

	for (size_t i = 0; i < len; i++)
		to[i] = text[i] >= ' ' && text[i] < 0x7f ? text[i] : '?';
	to[len] = '\0';

	ev->facts[ev->fact_n].name = name;
	ev->facts[ev->fact_n++].text = ev->text_n;
	ev->text_n += (uint16_t)(len + 1);
}


void event_number(struct event *ev, const char *name, int64_t number)
{
	if (ev->fact_n == EVENT_FACTS_MAX)
		return;

	ev->facts[ev->fact_n].name = name;
	ev->facts[ev->fact_n].text = 0;
	ev->facts[ev->fact_n++].number = number;
}


const char *event_fact_text(const struct event *ev, uint16_t i)
{
	return ev->facts[i].text ? ev->texts + ev->facts[i].text : NULL;
}


const char *event_kind_name(enum event_kind kind)
{
	return kind < EVENT_KIND_N ? names[kind] : "?";
}
