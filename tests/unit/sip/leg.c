/**
 * @file leg.c  A whole call between two legs: birth, facts, death.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "leg_pair.h"


Test(leg, call_from_dial_to_bye)
{
	struct pair *w;
	struct party *a, *b;

	pair_open(&w);
	a = pair_party(w, ALICE);
	b = pair_party(w, BOB);

	pair_dial(w, BOB);
	heard_is(a, "");
	pair_run(w, 50);
	heard_is(a, "TRYING:100");
	cr_assert_not(leg_is_up(a->leg));

	cr_assert_eq(leg_progress(b->leg, 180, "Ringing", NULL, 0), 0);
	pair_run(w, 20);
	cr_assert_not(a->had_sdp);
	cr_assert_eq(leg_progress(b->leg, 183, "Session Progress",
				  (const uint8_t *)SDP, SDP_LEN), 0);
	pair_run(w, 20);
	cr_assert(a->had_sdp);
	heard_is(a, "TRYING:100 PROGRESS:180 PROGRESS:183");

	cr_assert_eq(leg_answer(b->leg, (const uint8_t *)SDP, SDP_LEN), 0);
	pair_run(w, 20);
	heard_is(a, "TRYING:100 PROGRESS:180 PROGRESS:183 ANSWERED:200");
	cr_assert(a->had_sdp);
	cr_assert_eq(leg_ack(a->leg, NULL, 0), 0);
	pair_run(w, 20);
	heard_is(b, "ACKED");
	cr_assert_not(b->had_sdp);
	cr_assert(leg_is_up(a->leg) && leg_is_up(b->leg));
	cr_assert_str_eq(leg_call_id(a->leg), leg_call_id(b->leg));
	cr_assert_str_eq(leg_user_agent(b->leg), "test");

	leg_bye(a->leg, 16, "Normal call clearing");
	a->leg = mem_deref(a->leg);
	pair_run(w, 20);
	heard_is(b, "ACKED BYE");
	cr_assert_eq(b->last.q850, 16);
	cr_assert_str_eq(b->last.reason_header,
			 "Q.850;cause=16;text=\"Normal call clearing\"");
	cr_assert_not(leg_is_up(b->leg));
	cr_assert_eq(pair_count(w, BOB, "200 BYE"), 1);
	pair_close(w);
}


Test(leg, nothing_remains)
{
	struct endpoint_census census;
	struct pair *w;

	pair_open(&w);
	pair_up(w);
	leg_bye(pair_party(w, BOB)->leg, 0, NULL);
	pair_run(w, 20);
	heard_is(pair_party(w, ALICE), "BYE");
	endpoint_census(pair_party(w, ALICE)->ep, &census);
	cr_assert_eq(census.dialogs, 1, "repeated 2xx still find their ACK");
	pair_close(w);
}
