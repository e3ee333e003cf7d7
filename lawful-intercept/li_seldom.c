/**
 * @file li_seldom.c  Counters of a minute.
 */
#include "li_seldom.h"
#include <stddef.h>
#include <string.h>


static struct li_seldom_kind *kind_of(struct li_seldom *s, const char *event,
				      const char *why)
{
	size_t i;

	for (i = 0; i < LI_SELDOM_KINDS; i++) {
		struct li_seldom_kind *k = &s->kind[i];

		if (!k->event) {
			k->event = event;
			k->why = why;
			return k;
		}
		if (!strcmp(k->event, event) && !strcmp(k->why, why))
			return k;
	}

	return &s->kind[LI_SELDOM_KINDS - 1];
}


void li_seldom_count(struct li_seldom *s, const char *event, const char *why,
		     json_t *detail)
{
	struct li_seldom_kind *k = kind_of(s, event, why);

	json_decref(k->detail);
	k->detail = detail;
	k->count++;
}


json_t *li_seldom_due(struct li_seldom *s, uint64_t now_ms,
		      const char **ret_event)
{
	size_t i;

	for (i = 0; i < LI_SELDOM_KINDS; i++) {
		struct li_seldom_kind *k = &s->kind[i];
		json_t *j;

		if (!k->count || now_ms < k->next_ms)
			continue;
		j = k->detail ? k->detail : json_object();
		(void)json_object_set_new(
			j, "count", json_integer((json_int_t)k->count));
		k->detail = NULL;
		k->count = 0;
		k->next_ms = now_ms + LI_SELDOM_MS;
		*ret_event = k->event;
		return j;
	}

	return NULL;
}


void li_seldom_close(struct li_seldom *s)
{
	size_t i;

	for (i = 0; i < LI_SELDOM_KINDS; i++)
		json_decref(s->kind[i].detail);
}
