/**
 * @file tests/unit/base/fsm.c  Runner, queue, trail, checker and printer on a
 * small door.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "fsm.h"

enum { SHUT, OPEN, GONE, STATE_N };
enum { PUSH, PULL, BURN, EVENT_N };

#define AT(st, ev) [(st) * EVENT_N + (ev)]

struct door {
	struct fsm fsm;
	unsigned opened, shut, burnt, failed;
	bool bounces;
	uint8_t seen_state;
};

static const char *const states[] = {"SHUT", "OPEN", "GONE"};
static const char *const events[] = {"PUSH", "PULL", "BURN"};


static void act_open(void *subject, const void *data)
{
	struct door *d = subject;

	++d->opened;
	d->seen_state = d->fsm.state;
	if (data)
		cr_assert_str_eq(data, "hand");
	if (d->bounces)
		fsm_post(&d->fsm, PULL, "spring");
}


static void act_shut(void *subject, const void *data)
{
	struct door *d = subject;

	++d->shut;
	if (data)
		cr_assert_str_eq(data, "spring");
}


static void act_burn(void *subject, const void *data)
{
	(void)data;
	++((struct door *)subject)->burnt;
}


static void cannot(void *subject, const void *data)
{
	(void)data;
	++((struct door *)subject)->failed;
}


static const struct fsm_rule good[STATE_N * EVENT_N] = {
	AT(SHUT, PUSH) = FSM_ROW_GO(act_open, OPEN, "it opens inward"),
	AT(SHUT, PULL) = FSM_ROW_STAY("already shut"),
	AT(SHUT, BURN) = FSM_ROW_GO(act_burn, GONE, "wood"),
	AT(OPEN, PUSH) = FSM_ROW_CANNOT("nobody pushes an open door"),
	AT(OPEN, PULL) = FSM_ROW_GO(act_shut, SHUT, "by its handle"),
	AT(OPEN, BURN) = FSM_ROW_GO(act_burn, GONE, "wood"),
	AT(GONE, PUSH) = FSM_ROW_STAY("ash"),
	AT(GONE, PULL) = FSM_ROW_STAY("ash"),
	AT(GONE, BURN) = FSM_ROW_STAY("ash"),
};

static const struct fsm_def def = {
	.name = "door", .state_n = STATE_N, .event_n = EVENT_N,
	.first = SHUT, .done = GONE, .states = states, .events = events,
	.rules = good, .cannot = cannot,
};


Test(fsm, follows_the_table)
{
	struct door d = {0};

	fsm_init(&d.fsm, &def, &d);
	cr_assert_eq(d.fsm.state, SHUT);
	cr_assert(!fsm_run(&d.fsm, PULL, NULL, 1));
	cr_assert_eq(d.fsm.state, SHUT);
	cr_assert(!fsm_run(&d.fsm, PUSH, "hand", 2));
	cr_assert_eq(d.fsm.state, OPEN);
	cr_assert_eq(d.seen_state, SHUT, "entered before the action");
	cr_assert_eq(d.opened, 1);
	cr_assert(fsm_run(&d.fsm, BURN, NULL, 3));
	cr_assert_eq(d.burnt, 1);
	cr_assert(fsm_run(&d.fsm, PUSH, NULL, 4));
}


Test(fsm, posts_run_after_the_step)
{
	struct door d = {.bounces = true};
	char trail[200];

	fsm_init(&d.fsm, &def, &d);
	cr_assert(!fsm_run(&d.fsm, PUSH, NULL, 5));
	cr_assert_eq(d.fsm.state, SHUT);
	cr_assert_eq(d.shut, 1);
	cr_assert_eq(d.fsm.steps, 2);
	cr_assert_eq(d.fsm.trail[1].at_us, 5);

	fsm_trail(&d.fsm, trail, sizeof(trail));
	cr_assert_str_eq(trail, "SHUT>OPEN(PUSH) OPEN>SHUT(PULL)");

	cr_assert(!fsm_run(&d.fsm, PUSH, NULL, 6));
	cr_assert_eq(d.shut, 2);
}


Test(fsm, the_impossible_ends_the_machine)
{
	struct door d = {0};
	char trail[200];

	fsm_init(&d.fsm, &def, &d);
	cr_assert(!fsm_run(&d.fsm, PUSH, NULL, 1));
	cr_assert(fsm_run(&d.fsm, PUSH, NULL, 2));
	cr_assert_eq(d.failed, 1);
	cr_assert_eq(d.opened, 1);
	fsm_trail(&d.fsm, trail, sizeof(trail));
	cr_assert_str_eq(trail, "SHUT>OPEN(PUSH) OPEN>GONE(PUSH!)");
}


Test(fsm, trail_keeps_the_last_steps)
{
	struct door d = {0};
	char trail[1000], *p;
	size_t len, n = 0;
	unsigned i;

	fsm_init(&d.fsm, &def, &d);
	cr_assert_eq(fsm_trail(&d.fsm, trail, sizeof(trail)), 0);
	cr_assert_str_empty(trail);

	for (i = 0; i < 20; i++) /* the last is PUSH: SHUT>OPEN */
		(void)fsm_run(&d.fsm, i % 2 ? PUSH : PULL, NULL, i);

	len = fsm_trail(&d.fsm, trail, sizeof(trail));
	cr_assert_eq(len, strlen(trail));
	for (p = trail; (p = strchr(p, '>')); p++)
		++n;
	cr_assert_eq(n, FSM_TRAIL_N);
	cr_assert_str_eq(trail + len - 15, "SHUT>OPEN(PUSH)");

	cr_assert_eq(fsm_trail(&d.fsm, trail, 20), 15);
	cr_assert_eq(strlen(trail), 15);
	cr_assert_eq(fsm_trail(&d.fsm, trail, 0), 0);
}


static void refuses(unsigned cell, struct fsm_rule rule, const char *want)
{
	struct fsm_rule bad[STATE_N * EVENT_N];
	struct fsm_def d = def;
	char why[100] = "";

	memcpy(bad, good, sizeof(bad));
	bad[cell] = rule;
	d.rules = bad;
	cr_assert_eq(fsm_check(&d, why, sizeof(why)), EINVAL);
	cr_assert_str_eq(why, want);
	cr_assert_eq(fsm_check(&d, NULL, 0), EINVAL);
}


Test(fsm, check)
{
	struct fsm_def d = def;
	char why[100] = "";

	cr_assert_eq(fsm_check(&def, why, sizeof(why)), 0, "%s", why);

	refuses(1, (struct fsm_rule){0}, "door: (SHUT, PULL) is a hole");
	refuses(1, (struct fsm_rule)FSM_ROW_STAY(""),
		"door: (SHUT, PULL) gives no reason");
	refuses(1, (struct fsm_rule)FSM_ROW_GO(NULL, OPEN, "x"),
		"door: (SHUT, PULL) has no action");
	refuses(1, (struct fsm_rule)FSM_ROW_GO(act_open, STATE_N, "x"),
		"door: (SHUT, PULL) goes to no state");
	refuses(0, (struct fsm_rule)FSM_ROW_STAY("x"),
		"door: OPEN is never entered");

	d.cannot = NULL;
	cr_assert_eq(fsm_check(&d, why, sizeof(why)), EINVAL);
	d = def;
	d.done = STATE_N;
	cr_assert_eq(fsm_check(&d, why, sizeof(why)), EINVAL);
	d = def;
	d.done = OPEN;
	cr_assert_eq(fsm_check(&d, why, sizeof(why)), EINVAL);
	cr_assert_str_eq(why, "door: GONE never ends");
}


Test(fsm, print)
{
	char *text = fsm_print(&def);

	cr_assert_str_eq(text,
		"| door | SHUT | OPEN | GONE |\n"
		"|---|---|---|---|\n"
		"| PUSH | act_open -> OPEN | cannot | stay |\n"
		"| PULL | stay | act_shut -> SHUT | stay |\n"
		"| BURN | act_burn -> GONE | act_burn -> GONE | stay |\n");
	free(text);
}
