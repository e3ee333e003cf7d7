/** @file circle.c  The same pair of numbers from where it was sent, or from
 *  another tenant, is the same call; from the same customer it is not. */
#include <criterion/criterion.h>
#include <string.h>
#include "circle.h"
#include "text.h"


Test(circle, pair_and_where_from)
{
	static const uint8_t key[16];
	struct circle e = {.called = "+493012345", .calling = "+4940999",
			       .tenant_id = "ten_1"};
	struct circle unknown = {.called = "+493012345",
				     .tenant_id = "ten_1"};
	struct circles *l;
	struct sa carrier, pbx;

	cr_assert_eq(sa_set_str(&carrier, "192.0.2.1", 5060), 0);
	cr_assert_eq(sa_set_str(&pbx, "192.0.2.9", 5060), 0);
	e.peer = unknown.peer = carrier;
	cr_assert_eq(circles_alloc(&l, key), 0);
	cr_expect_not(circle_is(l, e.called, e.calling, "ten_2", &pbx));

	circle_enter(l, &e);
	circle_enter(l, &unknown);
	sa_set_port(&carrier, 1024);
	cr_expect(circle_is(l, e.called, e.calling, "ten_1", &carrier));
	cr_expect(circle_is(l, e.called, e.calling, "ten_2", &pbx));
	cr_expect_not(circle_is(l, e.called, e.calling, "ten_1", &pbx),
		      "a second call of the same customer");
	cr_expect_not(circle_is(l, e.called, "+4940998", "ten_2", &carrier));
	cr_expect_not(circle_is(l, "+493012346", e.calling, "ten_2", &carrier));
	cr_expect_not(circle_is(l, e.called, "", "ten_2", &carrier));

	/* the next carrier: the address is another one */
	e.peer = pbx;
	circle_enter(l, &e);
	cr_expect_not(circle_is(l, e.called, e.calling, "ten_1", &carrier));
	cr_expect(circle_is(l, e.called, e.calling, "ten_1", &pbx));

	circle_leave(l, &e);
	circle_leave(l, &e);
	cr_expect_not(circle_is(l, e.called, e.calling, "ten_2", &pbx));
	circle_leave(l, &unknown);
	mem_deref(l);
}


/* Who keeps our Call-ID sends the same call, whatever numbers it has. */
Test(circle, by_the_call_id)
{
	static const uint8_t key[16];
	struct circle e = {.call_id = "7qen44umaxeq6sv43p4zub6jkq",
			   .hops = 2};
	struct circles *l;

	cr_assert_eq(circles_alloc(&l, key), 0);
	cr_expect_null(circle_of(l, e.call_id, 26));
	circle_enter(l, &e);
	cr_expect_eq(circle_of(l, e.call_id, 26), &e);
	cr_expect_null(circle_of(l, e.call_id, 25));
	cr_expect_null(circle_of(l, "7qen44umaxeq6sv43p4zub6jk1", 26));
	cr_expect_null(circle_of(l, "7qen44umaxeq6sv43p4zub6jkq@x", 28));
	circle_leave(l, &e);
	cr_expect_null(circle_of(l, e.call_id, 26));
	mem_deref(l);
}


Test(circle, rounds_are_counted)
{
	static const uint8_t key[16];
	struct circle e[2] = {
		{.called = "112", .calling = "+4930100", .tenant_id = "ten_1"},
		{.called = "112", .calling = "+4930100", .tenant_id = "ten_1"},
	};
	struct circles *l;
	struct sa gateway, other;

	cr_assert_eq(sa_set_str(&gateway, "192.0.2.1", 5060), 0);
	cr_assert_eq(sa_set_str(&other, "192.0.2.2", 5060), 0);
	e[0].peer = e[1].peer = gateway;
	cr_assert_eq(circles_alloc(&l, key), 0);
	circle_enter(l, &e[0]);
	cr_expect(circle_came_back(l, "112", "+4930100", &gateway, 1));
	cr_expect_not(circle_came_back(l, "112", "+4930100", &gateway, 2));
	circle_enter(l, &e[1]);
	cr_expect(circle_came_back(l, "112", "+4930100", &gateway, 2));
	cr_expect_not(circle_came_back(l, "112", "+4930100", &other, 1));
	cr_expect_not(circle_came_back(l, "110", "+4930100", &gateway, 1));
	circle_leave(l, &e[0]);
	circle_leave(l, &e[1]);
	mem_deref(l);
}
