/** @file call_window.c  How often a trunk calls one number: as whose call, and
 *  when it cannot be counted. */
#include <criterion/criterion.h>
#include "call_private.h"
#include "exchange.h"

#define ALWAYS "{\"ranges\":[{\"days\":[\"mon\",\"tue\",\"wed\",\"thu\"," \
	"\"fri\",\"sat\",\"sun\"],\"from\":\"00:00\",\"to\":\"24:00\"}]," \
	"\"offsets\":[[0,0]]}"
#define MORNINGS(east_s) "{\"ranges\":[{\"days\":[\"mon\",\"tue\"," \
	"\"wed\",\"thu\",\"fri\",\"sat\",\"sun\"],\"from\":\"00:00\"," \
	"\"to\":\"12:00\"}],\"offsets\":[[0," east_s "]]}"


static void open_with(struct exchange *x, const char *window)
{
	exchange_open(x);
	exchange_put(x, "schedule", "sch_1", ALWAYS);
	exchange_put(x, "calling_window", "cwn_1", window);
}


static void dial(struct exchange *x, const char *id, const char *number)
{
	exchange_invite(x, id, number, "", exchange_sdp(PBX, 6000, ""));
	exchange_run(x, 10);
	exchange_answer(x, FIRST, "INVITE", "603 Decline", "", NULL);
	exchange_run(x, 10);
}


/* Numbers of a dialer live for hours: they are not to push out what fraud rules
   and limits by number count. One that there is no room for is not called. */
Test(call_window, numbers_have_a_table_of_their_own)
{
	const uint8_t key[16] = {1};
	struct exchange x;
	struct worker *w;

	open_with(&x, "{\"tenant_id\":\"ten_1\",\"schedule_id\":\"sch_1\","
		  "\"calls_per_number\":2,\"status\":\"active\"}");
	w = x.worker;
	w->dialed = mem_deref(w->dialed);
	cr_assert_eq(tallies_alloc(&w->dialed, key, w->wheel, 1), 0);

	dial(&x, "one", "00492211");
	dial(&x, "two", "00492212");
	dial(&x, "three", "00492211");
	cr_assert_eq(x.end_n, 3);
	cr_expect_str_eq(x.ends[0].call.outcome, "declined");
	cr_expect_str_eq(x.ends[1].call.outcome, "limit_called");
	cr_expect_str_eq(x.ends[2].call.outcome, "declined");
	cr_expect_eq(tally_count(w->dialed), 1);
	cr_expect_eq(tally_count(w->tallies), 0);
	exchange_close(&x);
}


/* Half a day there is the other half twelve hours further east: only the zone of
   the schedule tells, with or without a count. */
Test(call_window, hours_are_of_the_schedules_zone)
{
	static const char *const windows[] = {
		"{\"tenant_id\":\"ten_1\",\"schedule_id\":\"sch_1\","
		"\"status\":\"active\"}",
		"{\"tenant_id\":\"ten_1\",\"schedule_id\":\"sch_1\","
		"\"calls_per_number\":9,\"status\":\"active\"}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		unsigned refused = 0;
		struct exchange x;

		open_with(&x, windows[i]);
		exchange_put(&x, "schedule", "sch_1", MORNINGS("0"));
		dial(&x, "west", "00492211");
		exchange_put(&x, "schedule", "sch_1", MORNINGS("43200"));
		dial(&x, "east", "00492211");
		cr_assert_eq(x.end_n, 2);
		for (size_t k = 0; k < 2; k++)
			refused += !strcmp(x.ends[k].call.outcome,
					   "calling_window");
		cr_expect_eq(refused, 1, "%s, %s", x.ends[0].call.outcome,
			     x.ends[1].call.outcome);
		exchange_close(&x);
	}
}
