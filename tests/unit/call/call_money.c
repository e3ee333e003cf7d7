/** @file call_money.c  Paid before it is consumed; never more than was held. */
#include <criterion/criterion.h>
#include "call_private.h"
#include "exchange.h"


static void dial(struct exchange *x, const char *id)
{
	exchange_invite(x, id, "00492211", "", exchange_sdp(PBX, 6000, ""));
}


static void answer(struct exchange *x, const char *id)
{
	exchange_answer(x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, ""));
	exchange_in_dialog(x, id, "ACK", 1, "", NULL);
}


Test(call_money, no_balance_no_call)
{
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 999; /* a second costs 1000 */
	dial(&x, "one");
	exchange_run(&x, 2000);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 402"));
	cr_expect_null(exchange_last(&x, FIRST, "INVITE"));
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "no_credit");
	cr_expect_eq(x.balance_micro, 999);
	exchange_close(&x);
}


Test(call_money, a_ledger_that_does_not_answer)
{
	struct exchange x;

	exchange_open(&x);
	x.is_ledger_silent = true;
	dial(&x, "one");
	exchange_run(&x, 2000);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 503"));
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "credit_unknown");
	x.is_ledger_silent = false; /* the late grant goes back */
	exchange_close(&x);
	cr_expect_eq(x.balance_micro, 10000000);
}


/* 25 seconds are covered: it ends there, to the second, and costs that. */
Test(call_money, the_call_ends_when_the_money_does)
{
	const struct cdr_call *r;
	struct exchange x;
	int64_t price;

	exchange_open(&x);
	x.balance_micro = 25000;
	dial(&x, "one");
	answer(&x, "one");
	exchange_run(&x, 60000);
	cr_expect(exchange_last(&x, PBX, "BYE"));
	cr_expect(exchange_last(&x, FIRST, "BYE"));
	r = exchange_record(&x);
	cr_expect_str_eq(r->call.outcome, "credit_ended");
	price = r->call.price_micro;
	cr_expect_leq(price, 25000);
	cr_expect_geq(price, 24000);
	exchange_close(&x);
	cr_expect_eq(x.balance_micro, 25000 - price);
}


/* Two calls ask at once and the slice of both is too much: each is offered
   its first interval before anyone is turned away. */
Test(call_money, a_tight_balance_serves_both)
{
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 3000;
	x.is_ledger_silent = true;
	dial(&x, "one");
	dial(&x, "two");
	x.is_ledger_silent = false;
	exchange_run(&x, 100);
	cr_expect_eq(exchange_count(&x, FIRST, "INVITE"), 2);
	exchange_run(&x, 70000); /* nobody answers */
	exchange_close(&x);
	cr_expect_eq(x.balance_micro, 3000);
}


/* A late timer is our loss: what is billed was held. */
Test(call_money, a_late_timer_does_not_overdraw)
{
	const struct cdr_call *r;
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 10000;
	dial(&x, "one");
	answer(&x, "one");
	x.now.mono_us += 40000000; /* the worker sleeps */
	x.now.wall_us += 40000000;
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	r = exchange_record(&x);
	cr_expect_leq(r->call.price_micro, 10000);
	cr_expect_eq(r->call.duration_ms, 40000);
	exchange_close(&x);
	cr_expect_geq(x.balance_micro, 0);
}


Test(call_money, calls_in_cost_nothing_here)
{
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 0;
	exchange_recv(&x, FIRST,
		      "INVITE sip:+4930100@10.0.0.1 SIP/2.0\n"
		      "Via: SIP/2.0/UDP 10.2.0.1:5060;branch=z9hG4bKi\n"
		      "From: <sip:+44123@10.2.0.1>;tag=i\n"
		      "To: <sip:+4930100@10.0.0.1>\nCall-ID: i\n"
		      "CSeq: 1 INVITE\nContact: <sip:c@10.2.0.1>\n",
		      exchange_sdp(FIRST, 7000, ""));
	cr_expect(exchange_last(&x, PBX, "INVITE sip:+4930100@10.1.0.1"));
	exchange_answer(&x, PBX, "INVITE", "486 Busy", "", NULL);
	cr_expect_str_eq(exchange_record(&x)->call.direction, "inbound");
	cr_expect_str_eq(exchange_record(&x)->call.calling, "+44123");
	exchange_close(&x);
}


/* --- the last of the money, among equals */

enum { EQUALS = 8 };

struct share {
	uint32_t interval_ms;
	unsigned calls;
	int64_t balance_micro;
	bool is_together;   /* dialled and answered at one moment */
};


static void tariff_put(struct exchange *x, uint32_t interval_ms)
{
	struct rate rate = {
		.prefix = "492",
		.destination = "Germany",
		.tariff = {.rate_per_min_nano = 60000000,
			   .first_ms = interval_ms, .next_ms = interval_ms},
		.to_ms = INT64_MAX,
	};

	cr_assert_eq(catalog_store_put_rate(x->store, "dck_1", &rate), 0);
	exchange_put(x, "trunk", "trk_1", "{\"tenant_id\":\"ten_1\","
		     "\"account_id\":\"acc_1\",\"rate_deck_id\":\"dck_1\","
		     "\"status\":\"active\",\"direction\":\"both\","
		     "\"cli_policy\":\"owned\",\"default_cli\":\"+4930100\","
		     "\"number_in\":[{\"prefix\":\"00\",\"strip\":2,"
		     "\"add\":\"+\"}],\"max_call_s\":3600,"
		     "\"ring_timeout_s\":60}");
}


static void share_run(struct exchange *x, const struct share *s,
		      struct rng *rng)
{
	static const char *const ids[EQUALS] = {"a", "b", "c", "d", "e", "f",
						"g", "h"};

	exchange_open(x);
	tariff_put(x, s->interval_ms);
	x->balance_micro = s->balance_micro;
	for (unsigned i = 0; i < s->calls; i++) {
		dial(x, ids[i]);
		if (exchange_count(x, FIRST, "INVITE") > x->answer_n)
			answer(x, ids[i]);
		if (!s->is_together)
			exchange_run(x, rng_below(rng, 2 * s->interval_ms));
	}
	exchange_run(x, 1000000);
}


/* Seconds differ by one interval at most, when all began together; otherwise
   the moments at which they are cut do. */
static void share_check(struct exchange *x, const struct share *s)
{
	int64_t least = INT64_MAX, most = 0, spent = 0;

	for (size_t i = 0; i < x->end_n; i++) {
		const struct cdr *r = &x->ends[i].call;
		const int64_t got = s->is_together ? r->billed_ms
						   : r->ended_at;

		spent += r->price_micro;
		if (!s->is_together && !strcmp(r->outcome, "no_credit"))
			continue;
		least = min(least, got);
		most = max(most, got);
	}

	cr_expect_leq(spent, s->balance_micro);
	cr_expect_lt(s->balance_micro - spent, s->interval_ms,
		     "%lld are left", (long long)(s->balance_micro - spent));
	cr_expect_leq(most - least, s->interval_ms + (s->is_together ? 0 : 50),
		      "%u calls, %u ms, %lld micro: %lld to %lld", s->calls,
		      s->interval_ms, (long long)s->balance_micro,
		      (long long)least, (long long)most);
}


static void shares(bool is_together)
{
	static const uint32_t intervals[] = {1000, 6000, 60000, 1000};
	struct exchange x;
	struct rng *rng;

	cr_assert_eq(rng_seeded(&rng, 4), 0);
	for (unsigned n = 0; n < 60; n++) {
		struct share s = {.interval_ms = intervals[n % 4],
				  .calls = 2 + rng_below(rng, EQUALS - 1),
				  .is_together = is_together};

		s.balance_micro = (int64_t)rng_below(rng, 30 * s.interval_ms);
		share_run(&x, &s, rng);
		share_check(&x, &s);
		exchange_close(&x);
	}
	mem_deref(rng);
}


Test(call_money, equal_calls_share_what_is_left)
{
	shares(true);
}


Test(call_money, calls_that_began_apart_are_cut_together)
{
	shares(false);
}


/* A payment while the call has a second left: it goes on, at its price. */
Test(call_money, a_payment_comes_in_time)
{
	struct exchange x;

	exchange_open(&x);
	x.balance_micro = 5000;
	dial(&x, "one");
	answer(&x, "one");
	exchange_run(&x, 4600);
	x.balance_micro += 3000;
	worker_lease_more(x.worker, &x.now, "acc_1");
	exchange_run(&x, 2000);
	cr_expect_null(exchange_last(&x, PBX, "BYE"));
	exchange_run(&x, 4000);
	cr_expect_str_eq(exchange_record(&x)->call.outcome, "credit_ended");
	cr_expect_eq(exchange_record(&x)->call.price_micro, 8000);
	exchange_close(&x);
	cr_expect_eq(x.balance_micro, 0);
}


/* The ledger could not be asked when it was time: it is asked again before
   the time is over. */
Test(call_money, a_ledger_that_comes_back_within_the_slice)
{
	struct exchange x;

	exchange_open(&x);
	dial(&x, "one");
	answer(&x, "one");
	exchange_run(&x, 1000);
	worker_lease_recalled(x.worker, &x.now, "acc_1");
	x.is_ledger_silent = true;
	exchange_run(&x, 100);
	x.order_n = 0; /* PostgreSQL died with it */
	exchange_run(&x, 700);
	worker_leased(x.worker, &x.now, "acc_1", 0, false, 2);
	x.is_ledger_silent = false;
	exchange_run(&x, 5000);
	cr_expect_null(exchange_last(&x, PBX, "BYE"));
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	exchange_close(&x);
}


/* The limit of credit is lowered: what is free goes back, the call ends with
   the interval that it is in. */
Test(call_money, recalled_money_ends_the_call)
{
	struct exchange x;

	exchange_open(&x);
	dial(&x, "one");
	answer(&x, "one");
	exchange_run(&x, 2300);
	worker_lease_recalled(x.worker, &x.now, "acc_1");
	cr_expect_eq(x.balance_micro, 10000000 - 3000);
	x.balance_micro = 0;
	exchange_run(&x, 2000);
	cr_expect(exchange_last(&x, PBX, "BYE"));
	cr_expect_eq(exchange_record(&x)->call.price_micro, 3000);
	exchange_close(&x);
}


/* A window that makes it cheaper between INVITE and answer: what is held by
   then is more than the next intervals cost. */
Test(call_money, cheaper_since_the_invite)
{
	struct exchange x;
	struct call *call;
	int64_t price;

	exchange_open(&x);
	dial(&x, "one");
	call = list_ledata(list_head(&x.worker->live));
	cr_assert(call && call->money.hold.held_micro > 0);
	call->money.sell.steps[0].rate_per_min_nano /= 100;
	answer(&x, "one");
	exchange_run(&x, 30000);
	cr_expect_null(exchange_last(&x, PBX, "BYE"));
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	price = exchange_record(&x)->call.price_micro;
	cr_expect_leq(price, 310);
	cr_expect_geq(price, 290);
	exchange_close(&x);
	cr_expect_eq(x.balance_micro, 10000000 - price);
}


/* --- packages */

/* One of money or minutes for the account of the PBX. */
static void package_put(struct exchange *x, const char *id, const char *kind)
{
	char row[256];

	(void)re_snprintf(row, sizeof(row),
			  "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
			  "\"currency\":\"EUR\",\"is_active\":true,"
			  "\"is_shared\":false,\"kind\":\"%s\","
			  "\"direction\":\"out\",\"period\":\"month\","
			  "\"increment_ms\":1000}", kind);
	exchange_put(x, "subscription", id, row);
}


/* Nobody answers, the attempt costs something and a package pays all of it: it
   is recorded, or its units stay held for ever. */
Test(call_money, an_attempt_that_a_package_pays)
{
	const struct cdr_call *r;
	struct exchange x;
	struct call *call;

	exchange_open(&x);
	package_put(&x, "sub_1", "money");
	dial(&x, "one");
	exchange_run(&x, 10);
	call = list_ledata(list_head(&x.worker->live));
	cr_assert(call && call->money.packs);
	cr_assert_geq(call->money.packs->list[0].hold.held_micro, 5000);
	call->money.sell.attempt_micro = 5000;
	exchange_answer(&x, FIRST, "INVITE", "603 Decline", "", NULL);
	exchange_run(&x, 10);
	r = exchange_record(&x);
	cr_expect_eq(r->call.price_micro, 0);
	cr_assert_eq(r->charge_n, 1);
	cr_assert_eq(r->charges[0].package_n, 1);
	cr_expect_eq(r->charges[0].packages[0].cover.used, 5000);
	exchange_close(&x);
}


/* Minutes do not pay the connect fee: there is a lease of money, too. */
static void fee_put(struct exchange *x)
{
	struct rate rate = {
		.prefix = "492",
		.destination = "Germany",
		.tariff = {.rate_per_min_nano = 60000000, .first_ms = 1000,
			   .next_ms = 1000, .connect_fee_micro = 100},
		.to_ms = INT64_MAX,
	};

	cr_assert_eq(catalog_store_put_rate(x->store, "dck_1", &rate), 0);
	exchange_put(x, "carrier", "car_1", "{\"name\":\"C1\","
		     "\"status\":\"active\",\"rate_deck_id\":\"dck_1\"}");
}


/* The ledger is slow, and what is paid is over while the second package is
   waited for: money is here, and no time to wait for the third. */
Test(call_money, money_is_here_when_packages_are_late)
{
	struct exchange x;
	struct call *call;

	exchange_open(&x);
	fee_put(&x);
	package_put(&x, "sub_1", "minutes");
	package_put(&x, "sub_2", "minutes");
	package_put(&x, "sub_3", "minutes");
	dial(&x, "one");
	exchange_run(&x, 10);
	answer(&x, "one");
	call = list_ledata(list_head(&x.worker->live));
	cr_assert(call && call->money.packs && call->money.packs->n == 3);
	exchange_run(&x, 5000);
	x.is_ledger_silent = true;
	worker_leased(x.worker, &x.now, call->money.packs->list[0].key,
		      -1000000, true, 0);
	exchange_run(&x, 7000);
	cr_expect_null(exchange_last(&x, PBX, "BYE"));
	cr_expect_gt(call->money.hold.held_micro, 100);
	x.is_ledger_silent = false;
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	exchange_close(&x);
}
