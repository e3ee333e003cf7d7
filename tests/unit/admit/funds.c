/** @file funds.c  granted = spent + held + free, whatever happens. */
#include <criterion/criterion.h>
#include <string.h>
#include "funds.h"
#include "text.h"

struct ask {
	char account[ID_SIZE];
	int64_t want, least;
	uint64_t ticket;
};

struct desk {
	struct moment now;
	struct wheel *wheel;
	struct funds *funds;
	struct ask asks[32];
	size_t ask_n;
	int err;
};

struct payer {
	struct fund_hold hold;
	int64_t kept;           /* when money is scarce */
	enum outcome heard;
	unsigned n;
};


static int ask_door(const struct fund_order *order, void *arg)
{
	struct desk *d = arg;
	struct ask *a = &d->asks[d->ask_n];

	if (d->err)
		return d->err;
	cr_assert_lt(d->ask_n, ARRAY_SIZE(d->asks));
	(void)text_copy(a->account, sizeof(a->account), order->account_id);
	a->want = order->want_micro;
	a->least = order->min_micro;
	a->ticket = order->ticket;
	d->ask_n++;

	return 0;
}


static void desk_open(struct desk *d)
{
	struct funds_config cfg = {
		.key = {1}, .chunk_s = 60, .wait_ms = 1500,
		.idle_ms = 30000, .askh = ask_door, .arg = d,
	};

	memset(d, 0, sizeof(*d));
	cr_assert_eq(wheel_alloc(&d->wheel, 0), 0);
	cfg.wheel = d->wheel;
	cfg.now = &d->now;
	cr_assert_eq(funds_alloc(&d->funds, &cfg), 0);
	funds_until(d->funds, UINT64_MAX);
}


static void desk_close(struct desk *d)
{
	mem_deref(d->funds);
	mem_deref(d->wheel);
}


static void turn(struct desk *d, uint64_t ms)
{
	d->now.mono_us += ms * 1000;
	(void)wheel_advance(d->wheel, moment_ms(&d->now), 0);
}


static void heard(enum outcome out, void *arg)
{
	struct payer *p = arg;

	p->heard = out;
	p->n++;
}


static int64_t keep(void *arg)
{
	const struct payer *p = arg;

	return min(p->kept, p->hold.held_micro);
}


static enum fund_verdict take(struct desk *d, struct payer *p, int64_t least,
			      int64_t want, uint64_t due_ms, bool is_running)
{
	const struct fund_request req = {
		.account_id = "acc_1", .least_micro = least,
		.want_micro = want, .per_min_micro = 60, .due_ms = due_ms,
		.is_running = is_running, .h = heard, .keeph = keep, .arg = p,
	};

	return fund_take(d->funds, &p->hold, &req);
}


/* The first money of a call. */
static enum fund_verdict want(struct desk *d, struct payer *p, int64_t micro)
{
	return take(d, p, micro, micro, 0, false);
}


static void answer(struct desk *d, int64_t granted, bool is_known)
{
	funds_answer(d->funds, "acc_1", granted, is_known,
		     d->asks[d->ask_n - 1].ticket);
}


static void balanced(const struct desk *d, int64_t granted, int64_t spent,
		     int64_t held)
{
	struct funds_census c;

	funds_census(d->funds, &c);
	cr_expect_eq(c.granted_micro, granted);
	cr_expect_eq(c.spent_micro, spent);
	cr_expect_eq(c.held_micro, held);
}


Test(funds, first_asks_then_holds_then_settles)
{
	struct payer p = {.n = 0};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(want(&d, &p, 100), FUND_WAITING);
	cr_assert_eq(d.ask_n, 1);
	cr_expect_eq(d.asks[0].least, 100);
	cr_expect_eq(d.asks[0].want, 160); /* and a minute's burn */
	answer(&d, 160, true);
	cr_expect_eq(p.heard, OUT_OK);
	balanced(&d, 160, 0, 100);
	fund_settle(d.funds, &p.hold, 40);
	balanced(&d, 160, 40, 0);
	fund_settle(d.funds, &p.hold, 0); /* idempotent */
	balanced(&d, 160, 40, 0);

	/* idle: what was not spent goes back, once, and is forgotten */
	turn(&d, 30001);
	cr_expect_eq(d.asks[d.ask_n - 1].want, -120);
	balanced(&d, 0, 0, 0);
	desk_close(&d);
}


Test(funds, what_costs_nothing_waits_for_nobody)
{
	struct payer p = {.n = 0};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(want(&d, &p, 0), FUND_HELD);
	cr_expect_eq(d.ask_n, 0);
	fund_settle(d.funds, &p.hold, 0);
	desk_close(&d);
}


Test(funds, who_came_first_is_served_first)
{
	struct payer a = {.n = 0}, b = {.n = 0};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(want(&d, &a, 100), FUND_WAITING);
	cr_expect_eq(want(&d, &b, 10), FUND_WAITING);
	cr_expect_eq(d.ask_n, 1); /* one question at a time */
	answer(&d, 50, true); /* enough for b, but a came first */
	cr_expect_eq(b.n, 0);
	cr_assert_eq(d.ask_n, 2);
	cr_expect_eq(d.asks[1].least, 50);
	answer(&d, 60, true);
	cr_expect_eq(a.heard, OUT_OK);
	cr_expect_eq(b.heard, OUT_OK);
	balanced(&d, 110, 0, 110);
	fund_settle(d.funds, &a.hold, 100);
	fund_settle(d.funds, &b.hold, 0);
	desk_close(&d);
}


/* A slice is too much, an interval is not: each gets one before anybody is
   turned away. */
Test(funds, little_serves_all_before_it_serves_one)
{
	struct payer a = {.kept = 5}, b = {.kept = 5}, c = {.kept = 5};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(take(&d, &a, 5, 50, 0, false), FUND_WAITING);
	cr_expect_eq(take(&d, &b, 5, 50, 0, false), FUND_WAITING);
	cr_expect_eq(take(&d, &c, 5, 50, 0, false), FUND_WAITING);
	answer(&d, 11, true);
	cr_expect_eq(a.heard, OUT_OK);
	cr_expect_eq(b.heard, OUT_OK);
	cr_expect_eq(c.n, 0);
	cr_assert_eq(d.ask_n, 2);
	cr_expect_eq(d.asks[1].least, 4);
	answer(&d, 0, true);
	cr_expect_eq(c.heard, OUT_NO_CREDIT);
	balanced(&d, 11, 0, 10);
	fund_settle(d.funds, &a.hold, 5);
	fund_settle(d.funds, &b.hold, 5);
	fund_settle(d.funds, &c.hold, 0);
	balanced(&d, 11, 10, 0);
	desk_close(&d);
}


/* The ledger has less than was asked for: who held a slice goes back to the
   interval that he is in, and the next comes out of that. */
Test(funds, scarce_money_is_taken_back_from_slices)
{
	struct payer a = {.kept = 10}, b = {.kept = 10};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(take(&d, &a, 10, 100, 0, false), FUND_WAITING);
	answer(&d, 160, true);
	balanced(&d, 160, 0, 100);
	cr_expect_not(fund_is_scarce(d.funds, "acc_1"));

	/* 60 are free, 100 are wanted and nothing more is there */
	cr_expect_eq(take(&d, &b, 10, 100, 0, false), FUND_WAITING);
	answer(&d, 0, true);
	cr_expect(fund_is_scarce(d.funds, "acc_1"));
	cr_expect_eq(b.heard, OUT_OK);
	cr_expect_eq(a.hold.held_micro, 10);
	cr_expect_eq(b.hold.held_micro, 10);

	/* and now there is plenty again */
	cr_expect_eq(take(&d, &a, 200, 300, 5000, true), FUND_WAITING);
	answer(&d, d.asks[d.ask_n - 1].want, true);
	cr_expect_not(fund_is_scarce(d.funds, "acc_1"));
	fund_settle(d.funds, &a.hold, 0);
	fund_settle(d.funds, &b.hold, 0);
	desk_close(&d);
}


/* A call that is up is not refused: it waits, is asked for again and again,
   and gets what comes, until it is settled because its time is over. */
Test(funds, who_is_up_waits_for_money)
{
	struct payer a = {.kept = 10};
	struct desk d;
	size_t n;

	desk_open(&d);
	(void)take(&d, &a, 10, 10, 0, false);
	answer(&d, 10, true);
	cr_expect_eq(take(&d, &a, 10, 100, 9000, true), FUND_WAITING);
	answer(&d, 0, true);
	cr_expect_eq(a.n, 1);

	n = d.ask_n;
	turn(&d, 310);
	cr_expect_eq(d.ask_n, n + 1);
	answer(&d, 0, false); /* PostgreSQL is away for a moment */
	cr_expect_eq(a.n, 1);

	funds_more(d.funds, "acc_1"); /* a payment: at once */
	cr_expect_eq(d.ask_n, n + 2);
	answer(&d, 15, true);
	cr_expect_eq(a.n, 2);
	cr_expect_eq(a.heard, OUT_OK);
	cr_expect_eq(a.hold.held_micro, 20);
	fund_settle(d.funds, &a.hold, 20);
	balanced(&d, 25, 20, 0);
	desk_close(&d);
}


/* Of calls that are up the one that runs out first comes first. */
Test(funds, who_runs_out_first_is_served_first)
{
	struct payer a = {.kept = 0}, b = {.kept = 0}, c = {.kept = 0};
	struct desk d;

	desk_open(&d);
	(void)take(&d, &a, 10, 10, 0, false);
	answer(&d, 10, true); /* and no more: it is scarce */
	(void)take(&d, &a, 10, 10, 7000, true);
	(void)take(&d, &b, 10, 10, 6000, true);
	(void)take(&d, &c, 10, 10, 6500, true);
	answer(&d, 10, true);
	cr_expect_eq(b.n, 1);
	cr_expect_eq(a.n, 1);
	cr_expect_eq(c.n, 0);
	answer(&d, 10, true);
	cr_expect_eq(c.n, 1);
	answer(&d, 0, true);
	fund_settle(d.funds, &b.hold, 0); /* what it did not need helps a */
	turn(&d, 10);
	cr_expect_eq(a.n, 2);
	fund_settle(d.funds, &a.hold, 0);
	fund_settle(d.funds, &c.hold, 0);
	desk_close(&d);
}


/* Another node needs it, or the limit of credit is lower. */
Test(funds, recalled_money_goes_back)
{
	struct payer a = {.kept = 10};
	struct desk d;

	desk_open(&d);
	(void)take(&d, &a, 10, 100, 0, false);
	answer(&d, 160, true);
	funds_recall(d.funds, "acc_1");
	cr_expect_eq(d.asks[d.ask_n - 1].want, -150);
	balanced(&d, 10, 0, 10);
	funds_recall(d.funds, "acc_1"); /* there is no more */
	balanced(&d, 10, 0, 10);
	cr_expect_eq(d.ask_n, 2);
	fund_settle(d.funds, &a.hold, 10);
	desk_close(&d);
}


/* What an operator released while we were gone is not ours any more; what
   was held has been promised to a call. */
Test(funds, released_money_is_gone)
{
	struct payer a = {.kept = 10};
	struct desk d;

	desk_open(&d);
	(void)take(&d, &a, 10, 100, 0, false);
	answer(&d, 160, true);
	funds_answer(d.funds, "acc_1", -160, true, 0);
	balanced(&d, 100, 0, 100);
	funds_answer(d.funds, "acc_2", -5, true, 0);
	fund_settle(d.funds, &a.hold, 40);
	balanced(&d, 100, 40, 0);
	desk_close(&d);
}


/* The session is over: what is leased is spent no further, but not lost. */
Test(funds, nothing_is_held_after_the_session)
{
	struct payer a = {.kept = 10}, b = {.kept = 10};
	struct desk d;

	desk_open(&d);
	funds_until(d.funds, 5000);
	(void)take(&d, &a, 10, 10, 0, false);
	answer(&d, 100, true);
	cr_expect_eq(a.heard, OUT_OK);
	cr_expect(fund_covers(d.funds, "acc_1", 10));

	turn(&d, 5000);
	cr_expect_not(fund_covers(d.funds, "acc_1", 10));
	cr_expect_eq(take(&d, &b, 10, 10, 0, false), FUND_WAITING);
	turn(&d, 1510);
	cr_expect_eq(b.heard, OUT_CREDIT_UNKNOWN);

	cr_expect_eq(take(&d, &a, 10, 10, 9000, true), FUND_WAITING);
	funds_until(d.funds, 60000);
	turn(&d, 1510);
	turn(&d, 310);
	cr_expect_eq(a.n, 2);
	cr_expect_eq(a.heard, OUT_OK);
	fund_settle(d.funds, &a.hold, 0);
	fund_settle(d.funds, &b.hold, 0);
	desk_close(&d);
}


/* A minimum or a cap pays for the next interval as well: who is up goes on with
   what he holds, whoever waits and even after the session. */
Test(funds, who_needs_nothing_waits_for_nobody)
{
	struct payer a = {.kept = 10}, b = {.kept = 0};
	struct desk d;

	desk_open(&d);
	funds_until(d.funds, 5000);
	(void)take(&d, &a, 10, 10, 0, false);
	answer(&d, 10, true);
	cr_expect_eq(a.heard, OUT_OK);

	cr_expect_eq(take(&d, &b, 10, 10, 0, false), FUND_WAITING);
	cr_expect_eq(take(&d, &a, 0, 50, 9000, true), FUND_HELD);
	turn(&d, 5000);
	cr_expect_eq(b.heard, OUT_CREDIT_UNKNOWN);
	cr_expect_eq(take(&d, &a, 0, 50, 9000, true), FUND_HELD);
	cr_expect_eq(a.hold.held_micro, 10);
	balanced(&d, 10, 0, 10);
	cr_expect_eq(take(&d, &a, 1, 50, 9000, true), FUND_WAITING);
	fund_settle(d.funds, &a.hold, 10);
	fund_settle(d.funds, &b.hold, 0);
	desk_close(&d);
}


Test(funds, no_answer_in_time)
{
	struct payer p = {.n = 0};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(want(&d, &p, 100), FUND_WAITING);
	turn(&d, 1501);
	cr_expect_eq(p.heard, OUT_CREDIT_UNKNOWN);

	/* it was granted after all: kept for the next */
	answer(&d, 160, true);
	balanced(&d, 160, 0, 0);
	cr_expect_eq(want(&d, &p, 100), FUND_HELD);
	fund_settle(d.funds, &p.hold, 100);
	desk_close(&d);
}


/* A queue that is full is settled by the same time-out. */
Test(funds, nobody_to_ask)
{
	struct payer p = {.n = 0};
	struct desk d;

	desk_open(&d);
	d.err = ENOBUFS;
	cr_expect_eq(want(&d, &p, 100), FUND_WAITING);
	turn(&d, 1501);
	cr_expect_eq(p.heard, OUT_CREDIT_UNKNOWN);
	fund_settle(d.funds, &p.hold, 0);
	desk_close(&d);
}


/* A call may end while its request waits. */
Test(funds, settled_while_it_waits)
{
	struct payer a = {.n = 0}, b = {.n = 0};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(want(&d, &a, 100), FUND_WAITING);
	cr_expect_eq(want(&d, &b, 100), FUND_WAITING);
	fund_settle(d.funds, &a.hold, 0);
	answer(&d, 160, true);
	cr_expect_eq(a.n, 0);
	cr_expect_eq(b.heard, OUT_OK);
	fund_settle(d.funds, &b.hold, 100);
	balanced(&d, 160, 100, 0);
	desk_close(&d);
}


/* A grant for an account that nobody uses any more goes back. */
Test(funds, a_grant_for_nobody)
{
	struct desk d;

	desk_open(&d);
	funds_answer(d.funds, "acc_1", 70, true, 1);
	cr_assert_eq(d.ask_n, 1);
	cr_expect_eq(d.asks[0].want, -70);
	balanced(&d, 0, 0, 0);
	desk_close(&d);
}


/* A return that finds the queue full is tried again, not forgotten. */
Test(funds, a_return_that_is_refused)
{
	struct payer p = {.n = 0};
	struct desk d;

	desk_open(&d);
	(void)want(&d, &p, 100);
	answer(&d, 160, true);
	fund_settle(d.funds, &p.hold, 100);
	d.err = ENOBUFS;
	turn(&d, 30001);
	balanced(&d, 160, 100, 0);
	d.err = 0;
	turn(&d, 31000);
	cr_expect_eq(d.asks[d.ask_n - 1].want, -60);
	balanced(&d, 0, 0, 0);
	desk_close(&d);
}


/* Half of the chunk is gone: more is asked for, nobody waits. */
Test(funds, refilled_ahead)
{
	struct payer p = {.kept = 610};
	struct desk d;

	desk_open(&d);
	(void)want(&d, &p, 10);
	answer(&d, 1000, true);
	cr_expect_eq(want(&d, &p, 400), FUND_HELD);
	cr_expect_eq(d.ask_n, 1);
	cr_expect_eq(want(&d, &p, 200), FUND_HELD);
	cr_expect_eq(d.ask_n, 2);
	answer(&d, 0, true); /* refused: what is held stays */
	cr_expect_eq(p.n, 1);
	cr_expect(fund_is_scarce(d.funds, "acc_1"));
	fund_settle(d.funds, &p.hold, 610);
	balanced(&d, 1000, 610, 0);
	desk_close(&d);
}


static enum fund_verdict steps(struct desk *d, struct payer *p, int64_t want,
			       int64_t step)
{
	const struct fund_request req = {
		.account_id = "acc_1", .least_micro = step, .want_micro = want,
		.step = step, .h = heard, .keeph = keep, .arg = p,
	};

	return fund_take(d->funds, &p->hold, &req);
}


/* Of a package a call takes what there is, in whole steps; who finds nothing is
   told at once, and nobody asks again until there is more. */
Test(funds, a_package_to_its_last_step)
{
	struct payer one = {.kept = 0}, two = {.kept = 0};
	struct desk d;

	desk_open(&d);
	cr_assert_eq(steps(&d, &one, 100, 10), FUND_WAITING);
	cr_expect_eq(d.asks[0].least, 100);
	answer(&d, 47, true);
	cr_expect_eq(one.heard, OUT_OK);
	cr_expect_eq(one.hold.held_micro, 40, "whole steps");
	cr_assert_eq(steps(&d, &two, 10, 10), FUND_WAITING);
	answer(&d, 0, true);
	cr_expect_eq(two.heard, OUT_NO_CREDIT);
	cr_expect_eq(one.hold.held_micro, 40, "nobody is tightened");
	cr_expect_eq(steps(&d, &two, 10, 10), FUND_REFUSED);
	cr_expect_eq(d.ask_n, 2);
	funds_more(d.funds, "acc_1");
	cr_assert_eq(steps(&d, &two, 10, 10), FUND_WAITING);
	fund_forget(&two.hold);
	answer(&d, 20, true);
	cr_expect_eq(two.n, 1, "who forgot hears nothing");
	balanced(&d, 67, 0, 40);
	fund_settle(d.funds, &one.hold, 33);
	fund_settle(d.funds, &two.hold, 0);
	balanced(&d, 67, 33, 0);
	desk_close(&d);
}


/* A refill that nobody waits for asks for more than the next one may need: that
   there was not so much does not turn him away. */
Test(funds, a_refill_ahead_that_brings_nothing)
{
	struct payer one = {.kept = 0}, two = {.kept = 0}, three = {.kept = 0};
	struct desk d;

	desk_open(&d);
	cr_assert_eq(steps(&d, &one, 10, 10), FUND_WAITING);
	answer(&d, 30, true);
	cr_assert_eq(steps(&d, &two, 10, 10), FUND_HELD);
	cr_assert_eq(d.ask_n, 2, "ahead");
	answer(&d, 0, true);
	cr_expect_eq(steps(&d, &three, 10, 10), FUND_HELD);
	cr_expect_eq(d.ask_n, 2, "not so soon again");
	fund_settle(d.funds, &three.hold, 10);
	cr_expect_eq(steps(&d, &three, 10, 10), FUND_WAITING);
	cr_expect_eq(d.ask_n, 3);
	answer(&d, 10, true);
	cr_expect_eq(three.heard, OUT_OK);
	fund_settle(d.funds, &one.hold, 0);
	fund_settle(d.funds, &two.hold, 0);
	fund_settle(d.funds, &three.hold, 0);
	desk_close(&d);
}
