/**
 * @file tests/unit/lawful-intercept/li_seldom.c  Ten thousand refusals are two
 * records a minute.
 */
#include "li_seldom.h"
#include <criterion/criterion.h>
#include <string.h>

static struct li_seldom seldom;


static int due(uint64_t now_ms)
{
	const char *event;
	json_t *j = li_seldom_due(&seldom, now_ms, &event);
	const int n = j ? (int)json_integer_value(json_object_get(j, "count"))
			: 0;

	if (j)
		cr_assert_str_eq(event, "refused");
	json_decref(j);

	return n;
}


Test(li_seldom, the_first_at_once_then_once_a_minute)
{
	const char *event;
	json_t *j;
	int i;

	li_seldom_count(&seldom, "refused", "expired", NULL);
	cr_assert_eq(due(1000), 1);
	for (i = 0; i < 10000; i++) {
		li_seldom_count(&seldom, "refused", "expired",
				json_pack("{si}", "port", i));
		cr_assert_eq(due(1000 + (uint64_t)i), 0);
	}
	li_seldom_count(&seldom, "refused", "revoked", NULL);
	cr_assert_eq(due(20000), 1, "another reason is told at once");
	j = li_seldom_due(&seldom, 61000, &event);
	cr_assert_eq(json_integer_value(json_object_get(j, "count")), 10000);
	cr_assert_eq(json_integer_value(json_object_get(j, "port")), 9999);
	json_decref(j);
	cr_assert_eq(due(200000), 0);
	li_seldom_count(&seldom, "refused", "expired", NULL);
	li_seldom_close(&seldom);
}


Test(li_seldom, more_kinds_than_there_is_room_for_are_counted_together)
{
	static char why[LI_SELDOM_KINDS + 4][8];
	int i, n = 0, one;

	for (i = 0; i < LI_SELDOM_KINDS + 4; i++) {
		why[i][0] = (char)('a' + i);
		li_seldom_count(&seldom, "refused", why[i], NULL);
	}
	while ((one = due(1)))
		n += one;
	cr_assert_eq(n, LI_SELDOM_KINDS + 4);
	li_seldom_close(&seldom);
}
