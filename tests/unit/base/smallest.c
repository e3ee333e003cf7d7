/**
 * @file smallest.c  The few smallest of many, whatever the order they come in.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include "smallest.h"


static int compare(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}


/* n different numbers, in an order that step makes */
static void offer(struct smallest *s, int *numbers, int n, int step)
{
	for (int i = 0; i < n; i++) {
		numbers[i] = (i * step) % n;
		smallest_offer(s, &numbers[i]);
	}
}


Test(smallest, some_of_many)
{
	/* all prime to 101: every order is a permutation */
	static const int steps[] = {1, 100, 7, 38, 63};
	static const size_t sizes[] = {1, 2, 3, 10, 100, 101, 200};
	int numbers[101];

	for (size_t k = 0; k < ARRAY_SIZE(sizes); k++) {
		for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
			struct smallest *s;
			size_t n;

			cr_assert_eq(smallest_alloc(&s, sizes[k], compare), 0);
			offer(s, numbers, 101, steps[i]);
			n = smallest_sort(s);
			cr_assert_eq(n, sizes[k] < 101 ? sizes[k] : 101);
			for (size_t j = 0; j < n; j++)
				cr_expect_eq(*(const int *)smallest_at(s, j),
					     (int)j);
			cr_expect_null(smallest_at(s, n));
			mem_deref(s);
		}
	}
}


Test(smallest, nothing)
{
	struct smallest *s;

	cr_expect_eq(smallest_alloc(&s, 0, compare), EINVAL);
	cr_expect_eq(smallest_alloc(&s, 3, NULL), EINVAL);
	cr_expect_eq(smallest_alloc(NULL, 3, compare), EINVAL);
	cr_assert_eq(smallest_alloc(&s, 3, compare), 0);
	cr_expect_eq(smallest_sort(s), 0);
	cr_expect_null(smallest_at(s, 0));
	mem_deref(s);
}
