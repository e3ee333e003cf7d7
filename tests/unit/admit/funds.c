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
	struct wheel *wheel;
	struct funds *funds;
	struct ask asks[32];
	size_t ask_n;
	int err;
};

/** A call that may ask again for less. */
struct payer {
	struct fund_hold hold;
	struct desk *desk;
	int64_t less;
	enum outcome heard;
	unsigned n;
};


static int ask_door(const char *account_id, int64_t want, int64_t least,
		    uint64_t ticket, void *arg)
{
	struct desk *d = arg;
	struct ask *a = &d->asks[d->ask_n];

	if (d->err)
		return d->err;
	cr_assert_lt(d->ask_n, ARRAY_SIZE(d->asks));
	(void)text_copy(a->account, sizeof(a->account), account_id);
	a->want = want;
	a->least = least;
	a->ticket = ticket;
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
	cr_assert_eq(funds_alloc(&d->funds, &cfg), 0);
}


static void desk_close(struct desk *d)
{
	mem_deref(d->funds);
	mem_deref(d->wheel);
}


static void heard(enum outcome out, void *arg)
{
	struct payer *p = arg;

	p->heard = out;
	p->n++;
	if (out == OUT_NO_CREDIT && p->less) {
		const int64_t less = p->less;

		p->less = 0;
		(void)fund_take(p->desk->funds, &p->hold, "acc_1", less, 60,
				heard, p);
	}
}


static enum fund_verdict want(struct desk *d, struct payer *p, int64_t micro)
{
	p->desk = d;

	return fund_take(d->funds, &p->hold, "acc_1", micro, 60, heard, p);
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
	(void)wheel_advance(d.wheel, 30001, 10);
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


/* All are refused, and who asks for less is not behind one yet to hear. */
Test(funds, refused_together_asked_again_alone)
{
	struct payer a = {.less = 5}, b = {.less = 5};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(want(&d, &a, 100), FUND_WAITING);
	cr_expect_eq(want(&d, &b, 100), FUND_WAITING);
	answer(&d, 0, true);
	cr_expect_eq(a.n, 1);
	cr_expect_eq(b.n, 1);
	cr_assert_eq(d.ask_n, 2);
	cr_expect_eq(d.asks[1].least, 5);
	answer(&d, 10, true);
	cr_expect_eq(a.heard, OUT_OK);
	cr_expect_eq(b.heard, OUT_OK);
	fund_settle(d.funds, &a.hold, 5);
	fund_settle(d.funds, &b.hold, 5);
	balanced(&d, 10, 10, 0);
	desk_close(&d);
}


Test(funds, no_answer_in_time)
{
	struct payer p = {.n = 0};
	struct desk d;

	desk_open(&d);
	cr_expect_eq(want(&d, &p, 100), FUND_WAITING);
	(void)wheel_advance(d.wheel, 1501, 10);
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
	(void)wheel_advance(d.wheel, 1501, 10);
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
	(void)wheel_advance(d.wheel, 30001, 10);
	balanced(&d, 160, 100, 0);
	d.err = 0;
	(void)wheel_advance(d.wheel, 61000, 10);
	cr_expect_eq(d.asks[d.ask_n - 1].want, -60);
	balanced(&d, 0, 0, 0);
	desk_close(&d);
}


/* Half of the chunk is gone: more is asked for, nobody waits. */
Test(funds, refilled_ahead)
{
	struct payer p = {.n = 0};
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
	fund_settle(d.funds, &p.hold, 610);
	balanced(&d, 1000, 610, 0);
	desk_close(&d);
}
