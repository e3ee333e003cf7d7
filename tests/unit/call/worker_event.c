/** @file worker_event.c  What a worker tells of itself. */
#include <criterion/criterion.h>
#include <string.h>
#include "exchange.h"
#include "worker_event.h"

#define SDP exchange_sdp(PBX, 6000, "")


static void use(struct exchange *x, int64_t used, int64_t max)
{
	const struct limit_use u = {.tenant_id = "ten_1",
				    .object_id = "trk_1",
				    .limit = "channels_in",
				    .used = used, .max = max};

	worker_limit(x->worker, &u);
}


static const char *text(const struct event *ev, const char *name)
{
	for (uint16_t i = 0; i < ev->fact_n; i++)
		if (!strcmp(ev->facts[i].name, name))
			return event_fact_text(ev, i);

	return NULL;
}


static int64_t number(const struct event *ev, const char *name)
{
	for (uint16_t i = 0; i < ev->fact_n; i++)
		if (!strcmp(ev->facts[i].name, name))
			return ev->facts[i].number;

	return -1;
}


Test(worker_event, a_limit_is_told_once_and_cleared_below_90_percent)
{
	struct exchange x;

	exchange_open(&x);
	use(&x, 19, 20);
	cr_expect_eq(x.event_n, 0);
	use(&x, 20, 20);
	use(&x, 20, 20);
	use(&x, 18, 20);
	use(&x, 20, 20);
	cr_assert_eq(x.event_n, 1);
	cr_expect_eq(x.events[0].kind, EVENT_LIMIT_REACHED);
	cr_expect_str_eq(x.events[0].tenant_id, "ten_1");
	cr_expect_str_eq(x.events[0].object_id, "trk_1");
	cr_expect_str_eq(text(&x.events[0], "limit"), "channels_in");
	cr_expect_eq(number(&x.events[0], "used"), 20);
	cr_expect_eq(number(&x.events[0], "max"), 20);

	use(&x, 17, 20);
	use(&x, 16, 20);
	cr_assert_eq(x.event_n, 2);
	cr_expect_eq(x.events[1].kind, EVENT_LIMIT_CLEARED);
	cr_expect_eq(number(&x.events[1], "used"), 17);
	use(&x, 20, 20);
	cr_expect_eq(x.event_n, 3, "and again");
	exchange_close(&x);
}


Test(worker_event, a_limit_that_is_taken_away_is_cleared)
{
	struct exchange x;

	exchange_open(&x);
	use(&x, 5, -1);
	use(&x, 0, 0);
	use(&x, 0, 0);
	cr_expect_eq(x.event_n, 1, "nothing allowed: reached");
	use(&x, 5, -1);
	cr_expect_eq(x.event_n, 2);
	cr_expect_eq(exchange_told(&x, EVENT_LIMIT_CLEARED), 1);
	exchange_close(&x);
}


Test(worker_event, a_rate_is_over_when_it_has_been_quiet)
{
	const struct limit_use u = {.object_id = "gwy_1", .limit = "cps",
				    .used = 5, .max = 5, .is_rate = true};
	const struct limit_use less = {.object_id = "gwy_1", .limit = "cps",
				       .used = 1, .max = 5, .is_rate = true};
	struct exchange x;

	exchange_open(&x);
	worker_limit(x.worker, &u);
	exchange_run(&x, LIMIT_QUIET_MS - 1000);
	worker_limit(x.worker, &less);
	worker_limit(x.worker, &u);
	exchange_run(&x, LIMIT_QUIET_MS - 1000);
	cr_expect_eq(x.event_n, 1, "it refused in between");
	exchange_run(&x, 2000);
	cr_assert_eq(x.event_n, 2);
	cr_expect_eq(x.events[1].kind, EVENT_LIMIT_CLEARED);
	exchange_close(&x);
}


Test(worker_event, limits_of_one_row_are_apart)
{
	struct limit_use u = {.object_id = "trk_1", .limit = "cps",
			      .used = 1, .max = 1};
	struct exchange x;

	exchange_open(&x);
	worker_limit(x.worker, &u);
	u.limit = "channels_out";
	worker_limit(x.worker, &u);
	u.object_id = "trk_2";
	worker_limit(x.worker, &u);
	cr_expect_eq(exchange_told(&x, EVENT_LIMIT_REACHED), 3);
	u.used = 0;
	worker_limit(x.worker, &u);
	cr_expect_eq(exchange_told(&x, EVENT_LIMIT_CLEARED), 1);
	exchange_close(&x);
}


Test(worker_event, a_call_is_told_from_start_to_end)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "00492211", "", SDP);
	exchange_answer(&x, FIRST, "INVITE", "180 Ringing", "", NULL);
	cr_assert_eq(x.event_n, 1);
	cr_expect_eq(x.events[0].kind, EVENT_CALL_STARTED);
	cr_expect_str_eq(x.events[0].object_id, "trk_1");
	cr_expect_str_eq(text(&x.events[0], "direction"), "out");
	cr_expect_str_eq(text(&x.events[0], "called"), "+492211");
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, ""));
	exchange_in_dialog(&x, "one", "ACK", 1, "", NULL);
	cr_assert_eq(x.event_n, 2);
	cr_expect_eq(x.events[1].kind, EVENT_CALL_ANSWERED);
	exchange_run(&x, 3000);
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	cr_assert_eq(x.event_n, 3);
	cr_expect_eq(x.events[2].kind, EVENT_CALL_ENDED);
	cr_expect_str_eq(text(&x.events[2], "outcome"), "ok");
	cr_expect_str_eq(text(&x.events[2], "initiator"), "calling");
	cr_expect_str_eq(text(&x.events[2], "currency"), "EUR");
	cr_expect(number(&x.events[2], "duration_ms") >= 3000);
	cr_expect_eq(memcmp(x.events[0].call_id, x.events[2].call_id, 16), 0);
	exchange_close(&x);
}


Test(worker_event, a_refused_call_begins_and_ends)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", "0081123", "", SDP);
	cr_assert_eq(x.event_n, 2);
	cr_expect_eq(x.events[0].kind, EVENT_CALL_STARTED);
	cr_expect_eq(x.events[1].kind, EVENT_CALL_ENDED);
	cr_expect_str_neq(text(&x.events[1], "outcome"), "ok");
	exchange_close(&x);
}


Test(worker_event, a_carrier_goes_down_and_comes_up)
{
	struct exchange x;

	exchange_open(&x);
	worker_gateway_changed("gwy_1", false, x.worker);
	worker_gateway_changed("gwy_1", true, x.worker);
	cr_assert_eq(x.event_n, 2);
	cr_expect_eq(x.events[0].kind, EVENT_CARRIER_DOWN);
	cr_expect_eq(x.events[1].kind, EVENT_CARRIER_UP);
	cr_expect_str_eq(x.events[0].object_id, "gwy_1");
	cr_expect_str_eq(x.events[0].tenant_id, "");
	cr_expect_str_eq(text(&x.events[0], "address"), FIRST ":5060");
	exchange_close(&x);
}
