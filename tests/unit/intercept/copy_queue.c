/** @file tests/unit/intercept/copy_queue.c  In order, whole, bounded. */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include "copy_queue.h"

#define SIZE 4096
#define RECORDS 200000


static size_t len_of(uint32_t n)
{
	return sizeof(n) + n * 7919 % 300;
}


static void fill(uint8_t *to, uint32_t n)
{
	memset(to, (int)(n & 0xff), len_of(n));
	memcpy(to, &n, sizeof(n));
}


static bool is_right(const uint8_t *bytes, uint32_t n)
{
	uint8_t wanted[512];

	fill(wanted, n);

	return !memcmp(bytes, wanted, len_of(n));
}


Test(copy_queue, is_full_until_something_is_taken)
{
	struct copy_queue *q = NULL;
	unsigned n = 0;

	cr_expect_eq(copy_queue_alloc(&q, 5000), EINVAL);
	cr_assert_eq(copy_queue_alloc(&q, SIZE), 0);
	cr_expect_null(copy_queue_front(q, copy_queue_mark(q)));
	cr_expect_null(copy_queue_reserve(q, SIZE, 0));

	for (; copy_queue_reserve(q, 100, 512); n++)
		copy_queue_commit(q);
	cr_expect_eq(n, (SIZE - 512) / 112);
	cr_expect_not_null(copy_queue_reserve(q, 100, 0), "the spare part");
	copy_queue_pop(q);
	cr_expect_not_null(copy_queue_reserve(q, 100, 512));
	copy_queue_free(q);
}


static void *produce(void *arg)
{
	struct copy_queue *q = arg;

	for (uint32_t n = 0; n < RECORDS;) {
		uint8_t *to = copy_queue_reserve(q, len_of(n), 0);

		if (!to) {
			(void)sched_yield();
			continue;
		}
		fill(to, n++);
		copy_queue_commit(q);
	}

	return NULL;
}


Test(copy_queue, carries_all_between_two_threads)
{
	struct copy_queue *q;
	pthread_t thread;
	uint32_t n = 0;

	cr_assert_eq(copy_queue_alloc(&q, SIZE), 0);
	cr_assert_eq(pthread_create(&thread, NULL, produce, q), 0);
	while (n < RECORDS) {
		const void *bytes = copy_queue_front(q, copy_queue_mark(q));

		if (!bytes) {
			(void)sched_yield();
			continue;
		}
		cr_assert(is_right(bytes, n), "record %u", n);
		copy_queue_pop(q);
		n++;
	}
	(void)pthread_join(thread, NULL);
	cr_expect_null(copy_queue_front(q, copy_queue_mark(q)));
	copy_queue_free(q);
}
