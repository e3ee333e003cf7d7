/**
 * @file tests/unit/lawful-intercept/poi_user.c  A user by name or number.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include "poi_user.h"


Test(poi_user, is_a_name_or_a_number)
{
	uint32_t uid = 7;

	cr_assert_eq(poi_user_find(&uid, "root"), 0);
	cr_assert_eq(uid, 0);
	cr_assert_eq(poi_user_find(&uid, "4294967294"), 0);
	cr_assert_eq(uid, 4294967294U);
}


Test(poi_user, nobody_has_that_name)
{
	uint32_t uid = 7;

	cr_assert_eq(poi_user_find(&uid, "no such user"), ENOENT);
	cr_assert_eq(poi_user_find(&uid, ""), ENOENT);
	cr_assert_eq(poi_user_find(&uid, "4294967295"), ENOENT,
		     "the kernel's nobody");
	cr_assert_eq(uid, 7);
}
