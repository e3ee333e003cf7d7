/** @file health.c  The table of a gateway's health. */
#include <criterion/criterion.h>
#include "health.h"

static struct health h;
static struct moment now;


static void open_health(void)
{
	health_init(&h);
	h.up_after = 2;
	now.mono_us = 1000000;
}


TestSuite(health, .init = open_health);


Test(health, every_cell_is_written)
{
	char why[200] = "";

	cr_assert_eq(fsm_check(&health_def, why, sizeof(why)), 0, "%s", why);
}


static void call(enum health_word word)
{
	health_call(&h, word, "call", 0, &now);
}


Test(health, busy_and_unknown_numbers_are_life)
{
	for (int i = 0; i < 100; i++) {
		call(HEALTH_FAILED);
		call(HEALTH_FAILED);
		call(HEALTH_ALIVE);
		cr_assert_eq(h.fsm.state, HEALTH_UP);
	}
}


Test(health, suspect_until_every_kind_of_sign_is_good)
{
	health_probe(&h, false, "no_answer", &now);
	cr_expect_eq(h.fsm.state, HEALTH_SUSPECT);
	call(HEALTH_ALIVE);
	cr_expect_eq(h.fsm.state, HEALTH_SUSPECT, "OPTIONS still fail");
	health_probe(&h, true, "", &now);
	cr_expect_eq(h.fsm.state, HEALTH_UP);
	call(HEALTH_FAILED);
	health_probe(&h, true, "", &now);
	cr_expect_eq(h.fsm.state, HEALTH_SUSPECT, "calls still fail");
	cr_expect(health_may(&h, &now));
}


Test(health, holds_grow_to_their_bound)
{
	uint32_t last = 0;

	for (int i = 0; i < 3; i++)
		call(HEALTH_FAILED);
	cr_expect_eq(h.hold_ms, HEALTH_HOLD_MS);
	for (int i = 0; i < 300; i++) {
		last = h.hold_ms;
		health_over(&h, &now);
		cr_assert_eq(h.fsm.state, HEALTH_HALF_OPEN);
		health_dialled(&h, &now);
		cr_assert_not(health_may(&h, &now));
		call(HEALTH_FAILED);
		cr_assert_eq(h.fsm.state, HEALTH_DOWN);
		cr_assert_geq(h.hold_ms, last);
	}
	cr_expect_eq(last, HEALTH_HOLD_MAX_MS);
	health_over(&h, &now);
	call(HEALTH_ALIVE);
	for (int i = 0; i < 3; i++)
		call(HEALTH_FAILED);
	cr_expect_eq(h.hold_ms, HEALTH_HOLD_MS, "a good sign forgets them");
}


Test(health, probes_take_over_when_they_fail_too)
{
	for (int i = 0; i < 3; i++)
		call(HEALTH_FAILED);
	cr_expect_neq(h.hold_ms, 0);
	for (int i = 0; i < 3; i++)
		health_probe(&h, false, "no_answer", &now);
	cr_expect_eq(h.hold_ms, 0, "until they are answered");
	cr_expect_str_eq(h.reason, "no_answer");
	health_probe(&h, true, "", &now);
	cr_expect_eq(h.fsm.state, HEALTH_DOWN);
	health_probe(&h, true, "", &now);
	cr_expect_eq(h.fsm.state, HEALTH_UP);
}
