/**
 * @file spool.c  Tests of the memory that outlives the process.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <re.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "spool.h"

#define DIR_ "/dev/shm"
#define ROOM 64

static const struct spool_place begin = {7, 100};
static char id[33];


static void setup(void)
{
	snprintf(id, sizeof(id), "test%d", (int)getpid());
}


TestSuite(spool, .init = setup);


static struct spool *made(const char *dir)
{
	struct spool *s = NULL;

	cr_assert(zero(int, spool_make(&s, dir, id, ROOM, begin)));
	return s;
}


static int put(struct spool *s, const char *a, const char *b)
{
	const struct iovec parts[] = {{(void *)(uintptr_t)a, strlen(a)},
				      {(void *)(uintptr_t)b, strlen(b)}};

	return spool_put(s, parts, 2);
}


static const char *waiting(const struct spool *s)
{
	static char text[2 * ROOM];
	struct iovec parts[2];
	const size_t len = spool_read(s, spool_end(s), parts);

	memcpy(text, parts[0].iov_base, parts[0].iov_len);
	memcpy(text + parts[0].iov_len, parts[1].iov_base, parts[1].iov_len);
	text[len] = '\0';
	return text;
}


static void rounds(const char *dir, bool is_kept)
{
	struct spool *s = made(dir);

	cr_expect(eq(int, spool_is_kept(s), is_kept));
	for (int i = 0; i < 50; i++) {
		cr_assert(zero(int, put(s, "one and ", "two")));
		cr_assert(zero(int, put(s, "", "three and more")));
		cr_expect_str_eq(waiting(s), "one and twothree and more");
		spool_done(s, spool_end(s), begin);
		cr_expect_str_eq(waiting(s), "");
	}
	spool_remove(s);
	mem_deref(s);
}


Test(spool, around_and_around)
{
	rounds(DIR_, true);
	rounds(NULL, false);
}


/* /proc is there everywhere and no tmpfs. */
Test(spool, only_a_tmpfs)
{
	rounds("/proc", false);
	rounds("/nowhere", false);
}


Test(spool, all_or_nothing)
{
	struct spool *s = made(NULL);
	char much[ROOM + 1];

	memset(much, 'x', sizeof(much));
	much[ROOM] = '\0';
	cr_assert(zero(int, put(s, "abc", "")));
	cr_expect(eq(int, put(s, "de", much + 3), ENOBUFS));
	cr_expect_str_eq(waiting(s), "abc");
	cr_expect(zero(int, put(s, "", much + 3)));
	mem_deref(s);
}


Test(spool, found_by_the_next_start)
{
	const struct spool_place next = {8, 20};
	struct spool *s = made(DIR_), *again = NULL;

	cr_assert(zero(int, put(s, "gone", "")));
	spool_done(s, spool_end(s), next);
	cr_assert(zero(int, put(s, "left", "")));
	mem_deref(s);

	cr_expect(eq(int, spool_make(&s, DIR_, id, ROOM, begin), EEXIST));
	cr_assert(zero(int, spool_find(&again, DIR_, id)));
	cr_expect_str_eq(waiting(again), "left");
	cr_expect(eq(u64, spool_place(again).segment, 8));
	cr_expect(eq(u64, spool_place(again).offset, 20));
	spool_remove(again);
	mem_deref(again);
	cr_expect(eq(int, spool_find(&again, DIR_, id), ENOENT));
}


Test(spool, not_taken_when_broken)
{
	struct spool *s = made(DIR_);
	char path[128];
	int fd;

	mem_deref(s);
	snprintf(path, sizeof(path), DIR_ "/strowger-%s", id);
	fd = open(path, O_WRONLY);
	cr_assert(eq(sz, (size_t)write(fd, "X", 1), 1));
	close(fd);
	cr_expect(eq(int, spool_find(&s, DIR_, id), ENOENT));
	cr_expect(eq(int, access(path, F_OK), -1));
}


/* A kill before there was room: the next start makes it anew. */
Test(spool, not_taken_when_empty)
{
	struct spool *s = NULL;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), DIR_ "/strowger-%s", id);
	(void)unlink(path);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	cr_assert(ge(int, fd, 0));
	close(fd);
	cr_expect(eq(int, spool_find(&s, DIR_, id), ENOENT));
	s = made(DIR_);
	cr_expect(spool_is_kept(s));
	spool_remove(s);
	mem_deref(s);
}
