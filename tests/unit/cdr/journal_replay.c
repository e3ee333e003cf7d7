/**
 * @file journal_replay.c  Tests of closing what a crash left open.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <re.h>
#include <string.h>
#include "example.h"
#include "journal.h"
#include "text.h"

static struct cdr_call call, orphan;
static unsigned orphans;


static void orphan_keep(const struct cdr_call *c, void *arg)
{
	(void)arg;
	orphan = *c;
	++orphans;
}


static struct journal_replay *replay(void)
{
	struct journal_replay *r = NULL;

	cr_assert(zero(int, journal_replay_alloc(&r)));
	orphans = 0;
	return r;
}


static void feed(struct journal_replay *r, struct mbuf *mb)
{
	struct journal_record rec;

	cr_assert(zero(int, journal_frame(mb->buf, mb->end, &rec)));
	cr_assert(zero(int, journal_replay_feed(r, &rec)));
	mem_deref(mb);
}


static void feed_call(struct journal_replay *r, enum journal_type type)
{
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert(zero(int, journal_encode_call(mb, type, &call)));
	feed(r, mb);
}


static void feed_checkpoint(struct journal_replay *r, uint32_t n,
			    int64_t duration_ms)
{
	struct cdr_checkpoint cp = {.wall_ms = 1000 + duration_ms,
				    .duration_ms = duration_ms,
				    .a_packets = 50, .b_packets = 49};
	struct mbuf *mb = mbuf_alloc(64);

	example_call_id(cp.call_id, n);
	cr_assert(zero(int, journal_encode_checkpoint(mb, &cp)));
	feed(r, mb);
}


Test(journal_replay, ended_calls_are_done)
{
	struct journal_replay *r = replay();

	example_begin(&call, 1);
	feed_call(r, JOURNAL_BEGIN);
	example_answer(&call, 1);
	feed_call(r, JOURNAL_ANSWER);
	example_end(&call, 1);
	feed_call(r, JOURNAL_END);
	feed_checkpoint(r, 1, 70000);
	journal_replay_finish(r, orphan_keep, NULL);
	cr_assert(zero(uint, orphans));
	mem_deref(r);
}


Test(journal_replay, an_answered_call_is_billed_to_its_checkpoint)
{
	struct journal_replay *r = replay();

	example_answer(&call, 1);
	feed_call(r, JOURNAL_BEGIN);
	feed_call(r, JOURNAL_ANSWER);
	feed_checkpoint(r, 1, 5000);
	feed_checkpoint(r, 1, 65000);
	journal_replay_finish(r, orphan_keep, NULL);
	mem_deref(r);

	cr_assert(eq(uint, orphans, 1));
	cr_expect(eq(str, orphan.call.outcome, "node_lost"));
	cr_expect(orphan.call.end_estimated);
	cr_expect(eq(i64, orphan.call.duration_ms, 65000));
	cr_expect(eq(i64, orphan.call.ended_at,
		     call.call.answered_at + 65000));
	cr_expect(eq(i64, orphan.call.a_packets, 50));

	/* 66 s at 12 500 000 nano a minute is 13 750 micro, up to 4 places */
	cr_assert(eq(u32, orphan.charge_n, 2));
	cr_expect(eq(i64, orphan.charges[0].amount_micro, 13800));
	cr_expect(eq(i64, orphan.charges[0].billed_ms, 66000));
	cr_expect(eq(i64, orphan.call.price_micro, 13800));
	cr_expect(eq(i64, orphan.call.billed_ms, 66000));
	cr_expect(eq(i64, orphan.call.cost_micro, 13800));
	cr_expect(eq(i64, orphan.attempts[1].cost_micro, 13800));
	cr_expect(eq(str, orphan.attempts[1].outcome, "node_lost"));
	cr_expect(eq(str, orphan.attempts[0].outcome, "carrier_failed"));
	cr_expect(not(orphan.attempts[0].end_estimated));
}


/* 65 s are 66 of billed time: what the packages held by the last checkpoint
   pays, the account the rest. */
Test(journal_replay, packages_pay_what_they_held_last)
{
	struct journal_replay *r = replay();
	struct cdr_checkpoint cp = {.wall_ms = 5, .duration_ms = 65000,
				    .held = {40000, 6000}};
	struct mbuf *mb = mbuf_alloc(64);
	struct cdr_charge *c;

	example_answer(&call, 1);
	c = &call.charges[0];
	c->package_n = 2;
	for (int i = 0; i < 2; i++) {
		(void)text_copy(c->packages[i].key, sizeof(c->packages[i].key),
				i ? "sub_b:5f02" : "sub_a+5f01");
		c->packages[i].cover = (struct cover){
			.kind = COVER_MINUTES, .increment_ms = 1,
			.held = 10000};
	}
	feed_call(r, JOURNAL_ANSWER);
	example_call_id(cp.call_id, 1);
	cr_assert(zero(int, journal_encode_checkpoint(mb, &cp)));
	feed(r, mb);
	journal_replay_finish(r, orphan_keep, NULL);
	mem_deref(r);

	cr_assert(eq(uint, orphans, 1));
	c = &orphan.charges[0];
	cr_assert(eq(u8, c->package_n, 2));
	cr_expect(eq(str, c->packages[0].key, "sub_a+5f01"));
	cr_expect(eq(i64, c->packages[0].cover.used, 40000));
	cr_expect(eq(i64, c->packages[1].cover.used, 10000), "of the ANSWER");
	cr_expect(eq(i64, c->covered_ms, 50000));
	cr_expect(eq(i64, c->billed_ms, 16000));
	/* 16 s at 12 500 000 nano a minute, up to 4 places */
	cr_expect(eq(i64, c->amount_micro, 3400));
}


static void orphan_why(const struct cdr_call *c, void *arg)
{
	(void)arg;
	cr_assert_not_null(c->why);
	cr_expect_str_eq(c->why, "[{\"step\":\"plan\"}]");
	++orphans;
}


Test(journal_replay, an_orphan_keeps_the_decision_of_its_answer)
{
	struct journal_replay *r = replay();

	example_begin(&call, 1);
	feed_call(r, JOURNAL_BEGIN);
	example_answer(&call, 1);
	call.why = "[{\"step\":\"plan\"}]";
	feed_call(r, JOURNAL_ANSWER);
	journal_replay_finish(r, orphan_why, NULL);
	mem_deref(r);
	cr_assert(eq(uint, orphans, 1));
}


Test(journal_replay, answered_without_checkpoint_costs_nothing)
{
	struct journal_replay *r = replay();

	example_answer(&call, 1);
	feed_call(r, JOURNAL_ANSWER);
	journal_replay_finish(r, orphan_keep, NULL);
	mem_deref(r);

	cr_expect(zero(i64, orphan.call.duration_ms));
	cr_expect(zero(i64, orphan.call.price_micro));
	cr_expect(zero(i64, orphan.charges[0].amount_micro));
}


/* A call between customers that was forwarded: each pays its own part, and the
   record shows what the caller pays. */
Test(journal_replay, an_orphan_costs_what_its_caller_pays)
{
	struct journal_replay *r = replay();

	example_answer(&call, 1);
	call.charges[1] = call.charges[0];
	call.charges[1].attempt = 1;
	call.charges[1].price.steps[0].rate_per_min_nano *= 2;
	call.charges[1].price.steps[1].rate_per_min_nano *= 2;
	feed_call(r, JOURNAL_ANSWER);
	feed_checkpoint(r, 1, 65000);
	journal_replay_finish(r, orphan_keep, NULL);
	mem_deref(r);

	cr_expect(eq(i64, orphan.charges[0].amount_micro, 13800));
	cr_expect(eq(i64, orphan.charges[1].amount_micro, 27500));
	cr_expect(eq(i64, orphan.call.price_micro, 13800));
}


Test(journal_replay, an_unanswered_call_has_no_charges)
{
	struct journal_replay *r = replay();

	example_answer(&call, 1);
	call.call.answered_at = CDR_NULL;
	feed_call(r, JOURNAL_BEGIN);
	journal_replay_finish(r, orphan_keep, NULL);
	mem_deref(r);

	cr_expect(zero(u32, orphan.charge_n));
	cr_expect(eq(i64, orphan.call.sip_code, 500));
	cr_expect(eq(i64, orphan.call.ended_at, call.call.started_at));
}


Test(journal_replay, many_calls_each_once)
{
	struct journal_replay *r = replay();
	uint32_t n;

	for (n = 0; n < 5000; n++) {
		example_begin(&call, n);
		feed_call(r, JOURNAL_BEGIN);
	}
	for (n = 0; n < 5000; n += 2) {
		example_end(&call, n);
		feed_call(r, JOURNAL_END);
	}
	feed_checkpoint(r, 123456, 5);
	journal_replay_finish(r, orphan_keep, NULL);
	cr_expect(eq(uint, orphans, 2500));

	journal_replay_finish(r, orphan_keep, NULL);
	cr_expect(eq(uint, orphans, 2500));
	mem_deref(r);
}


Test(journal_replay, freed_with_open_calls)
{
	struct journal_replay *r = replay();

	example_begin(&call, 1);
	feed_call(r, JOURNAL_BEGIN);
	mem_deref(r);
}
