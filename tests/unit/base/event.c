/** @file tests/unit/base/event.c  The record of an event. */
#include <criterion/criterion.h>
#include <string.h>
#include "event.h"


Test(event, it_keeps_what_it_is_told)
{
	struct event ev;

	memset(&ev, 0xee, sizeof(ev));
	event_init(&ev, EVENT_LIMIT_REACHED, 17, "ten_1", NULL);
	event_text(&ev, "limit", "channels_in");
	event_number(&ev, "used", 30);
	event_text(&ev, "empty", "");
	event_text(&ev, "missing", NULL);
	event_text(&ev, "level", "trunk");

	cr_expect_eq(ev.wall_ms, 17);
	cr_expect_str_eq(ev.tenant_id, "ten_1");
	cr_expect_str_eq(ev.object_id, "");
	cr_expect_eq(ev.call_id[0] | ev.call_id[15], 0);
	cr_assert_eq(ev.fact_n, 3);
	cr_expect_str_eq(ev.facts[0].name, "limit");
	cr_expect_str_eq(event_fact_text(&ev, 0), "channels_in");
	cr_expect_null(event_fact_text(&ev, 1));
	cr_expect_eq(ev.facts[1].number, 30);
	cr_expect_str_eq(event_fact_text(&ev, 2), "trunk");
}


Test(event, what_a_peer_chose_becomes_printable)
{
	struct event ev;

	event_init(&ev, EVENT_REGISTERED, 0, NULL, NULL);
	event_text(&ev, "user_agent", "PBX\x01\xff\"7");
	cr_expect_str_eq(event_fact_text(&ev, 0), "PBX??\"7");
}


Test(event, what_does_not_fit_is_left_out_whole)
{
	char longest[EVENT_TEXT_SIZE];
	struct event ev;

	memset(longest, 'x', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	event_init(&ev, EVENT_REGISTERED, 0, NULL, NULL);
	event_text(&ev, "too_long", longest);
	cr_expect_eq(ev.fact_n, 0);
	longest[sizeof(longest) - 2] = '\0';
	event_text(&ev, "fits", longest);
	event_text(&ev, "no_room", "y");
	cr_expect_eq(ev.fact_n, 1);
	cr_expect_str_eq(event_fact_text(&ev, 0), longest);

	for (int i = 0; i < 2 * EVENT_FACTS_MAX; i++)
		event_number(&ev, "n", i);
	cr_expect_eq(ev.fact_n, EVENT_FACTS_MAX);
	cr_expect_eq(ev.facts[EVENT_FACTS_MAX - 1].number,
		     EVENT_FACTS_MAX - 2);
}


Test(event, each_kind_has_a_name_of_its_own)
{
	for (int i = 0; i < EVENT_KIND_N; i++)
		for (int k = 0; k < i; k++)
			cr_expect_str_neq(event_kind_name(i),
					  event_kind_name(k));
	cr_expect_str_eq(event_kind_name(EVENT_KIND_N), "?");
}
