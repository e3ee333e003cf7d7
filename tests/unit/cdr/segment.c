/**
 * @file segment.c  Tests of reading segments: growing, torn and damaged ones.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <re.h>
#include <stdlib.h>
#include <unistd.h>
#include "example.h"
#include "folder.h"
#include "segment.h"

static struct cdr_call call;
static const char *dir;


static void setup(void)
{
	dir = folder_make();
}


static void teardown(void)
{
	folder_remove(dir);
}


TestSuite(segment, .init = setup, .fini = teardown);


static void put(uint32_t number, const void *bytes, size_t len)
{
	char path[512];
	int fd;

	cr_assert(zero(int, segment_path(path, sizeof(path), dir, number)));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	cr_assert(eq(sz, (size_t)write(fd, bytes, len), len));
	close(fd);
}


static struct mbuf *three(void)
{
	struct mbuf *mb = mbuf_alloc(1024);
	uint32_t n;

	for (n = 1; n <= 3; n++) {
		example_end(&call, n);
		cr_assert(zero(int, journal_encode_call(mb, JOURNAL_END,
							&call)));
	}
	return mb;
}


static unsigned count(uint32_t number, bool is_final, uint64_t *ret_damaged)
{
	struct segment_reader *r;
	struct journal_record rec;
	unsigned n = 0;

	cr_assert(zero(int, segment_open(&r, dir, number, 0)));
	while (0 == segment_next(r, is_final, &rec))
		++n;
	*ret_damaged = segment_damaged(r);
	mem_deref(r);
	return n;
}


Test(segment, listed_in_order)
{
	uint32_t *numbers;
	size_t n;

	cr_assert(zero(int, segment_list(dir, &numbers, &n)));
	cr_assert(zero(sz, n));
	free(numbers);

	put(10, "", 0);
	put(9, "x", 1);
	put(123, "", 0);
	cr_assert(zero(int, segment_list(dir, &numbers, &n)));
	cr_assert(eq(sz, n, 3));
	cr_expect(eq(u32, numbers[0], 9));
	cr_expect(eq(u32, numbers[2], 123));
	cr_expect(eq(u64, segment_size(dir, 9), 1));
	cr_expect(eq(u64, segment_size(dir, 8), 0));
	free(numbers);
	cr_expect(eq(int, segment_list("/nowhere", &numbers, &n), ENOENT));
}


Test(segment, followed_while_it_grows)
{
	struct mbuf *mb = three();
	struct segment_reader *r;
	struct journal_record rec;
	unsigned found = 0;
	size_t i;

	put(1, "", 0);
	cr_assert(zero(int, segment_open(&r, dir, 1, 0)));
	for (i = 0; i < mb->end; i++) {
		while (0 == segment_next(r, false, &rec))
			++found;
		put(1, mb->buf + i, 1);
	}
	while (0 == segment_next(r, false, &rec))
		++found;

	cr_expect(eq(uint, found, 3));
	cr_expect(eq(u64, segment_offset(r), mb->end));
	mem_deref(r);
	mem_deref(mb);
}


Test(segment, damage_is_passed_over)
{
	struct mbuf *mb = three();
	uint64_t damaged;

	mb->buf[mb->end / 2] ^= 1;
	put(1, mb->buf, mb->end);
	cr_expect(eq(uint, count(1, false, &damaged), 2));
	cr_expect(eq(u64, damaged, mb->end / 3));
	mem_deref(mb);
}


Test(segment, a_damaged_length_hides_nothing)
{
	struct mbuf *mb = three();
	uint64_t damaged;

	/* 32 KiB more than there is */
	mb->buf[mb->end / 3 + 1] ^= 0x80;
	put(1, mb->buf, mb->end);
	cr_expect(eq(uint, count(1, false, &damaged), 1));
	cr_expect(eq(uint, count(1, true, &damaged), 2));
	mem_deref(mb);
}


Test(segment, damage_to_the_end_is_the_end)
{
	struct mbuf *mb = three();
	uint64_t damaged;

	put(1, mb->buf, mb->end);
	put(1, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	cr_expect(eq(uint, count(1, false, &damaged), 3));
	cr_expect(eq(uint, count(1, true, &damaged), 3));
	cr_expect(zero(u64, damaged));
	mem_deref(mb);
}
