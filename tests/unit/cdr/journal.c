/**
 * @file journal.c  Tests of the writer: groups, segments, recovery, a disk
 * that refuses, and a process that is killed.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <fcntl.h>
#include <re.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "example.h"
#include "folder.h"
#include "journal_reader.h"
#include "segment.h"

static struct cdr_call call;
static const char *dir;
static _Atomic uint64_t synced;
static uint64_t appended;


static void setup(void)
{
	dir = folder_make();
	atomic_store(&synced, 0);
}


static void teardown(void)
{
	folder_remove(dir);
}


TestSuite(journal, .init = setup, .fini = teardown, .timeout = 30);


static void synced_keep(uint64_t seq, void *arg)
{
	(void)arg;
	atomic_store(&synced, seq);
}


static struct journal *opened(size_t segment_bytes, size_t backlog_max)
{
	const struct journal_config cfg = {.dir = dir,
					   .segment_bytes = segment_bytes,
					   .group_ms = 1,
					   .backlog_max = backlog_max};
	struct journal *j = NULL;

	cr_assert(zero(int, journal_open(&j, &cfg, synced_keep, NULL)));
	return j;
}


static int append(struct journal *j, enum journal_type type, uint32_t n)
{
	struct mbuf *mb;
	int err;

	if (type == JOURNAL_BEGIN)
		example_begin(&call, n);
	else
		example_end(&call, n);
	mb = frame_of(type, &call);
	err = journal_append(j, mb->buf, mb->end, &appended);
	mem_deref(mb);
	return err;
}


static size_t segments(void)
{
	uint32_t *numbers;
	size_t n;

	cr_assert(zero(int, segment_list(dir, &numbers, &n)));
	free(numbers);
	return n;
}


Test(journal, all_is_there_after_close)
{
	struct journal *j = opened(64 << 20, 10000);
	uint32_t n;

	for (n = 0; n < 1000; n++)
		cr_assert(zero(int, append(j, JOURNAL_END, n)));
	journal_close(j);
	cr_expect(eq(u64, atomic_load(&synced), 1000));
	cr_expect(eq(uint, folder_count(dir, JOURNAL_END), 1000));
}


Test(journal, segments_rotate)
{
	struct journal *j = opened(4096, 10000);
	uint32_t n;

	for (n = 1; n <= 50; n++) {
		cr_assert(zero(int, append(j, JOURNAL_END, n)));
		while (atomic_load(&synced) < n)
			usleep(100);
	}
	journal_close(j);
	cr_expect(ge(sz, segments(), 5));
	cr_expect(eq(uint, folder_count(dir, JOURNAL_END), 50));
}


Test(journal, one_writer)
{
	const struct journal_config cfg = {.dir = dir, .segment_bytes = 4096,
					   .backlog_max = 1};
	struct journal *j = opened(4096, 1), *second = NULL;

	cr_expect(eq(int, journal_open(&second, &cfg, NULL, NULL),
		     EWOULDBLOCK));
	journal_close(j);
}


Test(journal, only_whole_frames)
{
	struct journal *j = opened(4096, 10);
	struct mbuf *mb;
	uint64_t seq;

	example_end(&call, 1);
	mb = frame_of(JOURNAL_END, &call);
	cr_expect(eq(int, journal_append(j, mb->buf, mb->end - 1, &seq),
		     EINVAL));
	mem_deref(mb);
	journal_close(j);
	cr_expect(zero(uint, folder_count(dir, JOURNAL_END)));
}


static void garbage_append(uint32_t number)
{
	char path[512];
	int fd;

	cr_assert(zero(int, segment_path(path, sizeof(path), dir, number)));
	fd = open(path, O_WRONLY | O_APPEND);
	cr_assert(eq(sz, (size_t)write(fd, "\x50\x02\0\0torn", 8), 8));
	close(fd);
}


Test(journal, open_calls_are_closed_at_start)
{
	struct journal *j = opened(64 << 20, 1000);
	uint64_t size;
	uint32_t n;

	for (n = 0; n < 10; n++)
		cr_assert(zero(int, append(j, JOURNAL_BEGIN, n)));
	for (n = 0; n < 4; n++)
		cr_assert(zero(int, append(j, JOURNAL_END, n)));
	journal_close(j);
	size = segment_size(dir, 1);
	garbage_append(1);

	j = opened(64 << 20, 1000);
	cr_expect(eq(u64, segment_size(dir, 1), size));
	cr_expect(eq(uint, folder_count(dir, JOURNAL_END), 10));
	journal_close(j);

	/* and not once more */
	journal_close(opened(64 << 20, 1000));
	cr_expect(eq(uint, folder_count(dir, JOURNAL_END), 10));
	cr_expect(eq(sz, segments(), 3));
}


static void file_limit(rlim_t bytes)
{
	struct rlimit limit;

	cr_assert(zero(int, getrlimit(RLIMIT_FSIZE, &limit)));
	limit.rlim_cur = bytes;
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
}


Test(journal, a_disk_that_refuses)
{
	struct journal *j = opened(64 << 20, 20);
	uint32_t n;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert(zero(int, append(j, JOURNAL_END, 0)));
	while (atomic_load(&synced) < 1)
		usleep(100);

	file_limit(900);
	cr_assert(zero(int, append(j, JOURNAL_END, 1)));
	while (!journal_refuses(j))
		usleep(100);

	cr_expect(eq(int, append(j, JOURNAL_BEGIN, 99), EIO));
	for (n = 2; n < 22; n++)
		cr_expect(zero(int, append(j, JOURNAL_END, n)));
	cr_expect(eq(int, append(j, JOURNAL_END, 22), ENOBUFS));
	cr_expect(eq(u64, atomic_load(&synced), 1));

	file_limit(RLIM_INFINITY);
	while (atomic_load(&synced) < 22)
		usleep(100);
	cr_expect(zero(int, journal_refuses(j)));
	cr_expect(zero(int, append(j, JOURNAL_BEGIN, 99)));
	journal_close(j);
	cr_expect(eq(uint, folder_count(dir, JOURNAL_END), 22));
	cr_expect(eq(uint, folder_count(dir, JOURNAL_BEGIN), 1));
}


/* Numbers of all records, in order: the first, and how many do not follow. */
static void numbers_check(uint64_t first, uint64_t n)
{
	struct segment_reader *r;
	struct journal_record rec;
	struct journal_segment head;
	uint64_t last = first - 1;
	uint32_t *numbers;
	size_t segment_n, i;

	cr_assert(zero(int, segment_list(dir, &numbers, &segment_n)));
	for (i = 0; i < segment_n; i++) {
		cr_assert(zero(int, segment_open(&r, dir, numbers[i], 0)));
		cr_assert(zero(int, segment_next(r, true, &rec)));
		cr_assert(zero(int, journal_decode_segment(&rec, &head)));
		cr_expect(eq(i64, head.number, (int64_t)last));
		cr_expect(gt(i64, head.wall_ms, 0));
		while (0 == segment_next(r, true, &rec))
			cr_expect(eq(u64, rec.number, ++last));
		mem_deref(r);
	}
	free(numbers);
	cr_expect(eq(u64, last, first - 1 + n));
}


Test(journal, numbers_go_on_over_segments_and_starts)
{
	struct journal *j = opened(4096, 1000);
	uint32_t n;

	for (n = 1; n <= 30; n++) {
		cr_assert(zero(int, append(j, JOURNAL_END, n)));
		while (atomic_load(&synced) < n)
			usleep(100);
	}
	cr_assert(zero(int, append(j, JOURNAL_BEGIN, 99)));
	journal_close(j);

	/* the call that was open gets its END, with a number */
	j = opened(4096, 1000);
	cr_assert(zero(int, append(j, JOURNAL_END, 31)));
	journal_close(j);
	j = opened(4096, 1000);
	journal_close(j);
	numbers_check(1, 33);
}


static unsigned rooms[3];


static void room_keep(enum journal_room room, uint64_t free_bytes, void *arg)
{
	(void)free_bytes;
	(void)arg;
	__atomic_add_fetch(&rooms[room], 1, __ATOMIC_SEQ_CST);
}


static unsigned room_seen(enum journal_room room)
{
	return __atomic_load_n(&rooms[room], __ATOMIC_SEQ_CST);
}


static void filler(size_t bytes)
{
	static const uint8_t zero[4096];
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/filler", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	while (bytes >= sizeof(zero) &&
	       write(fd, zero, sizeof(zero)) == sizeof(zero))
		bytes -= sizeof(zero);
	close(fd);
}


/* On a filesystem of 4 MiB that others fill: told in time, refused in time,
   and what live calls have to say finds room even when there is none. */
Test(journal, a_full_disk_is_told_and_refused_before_a_record_is_lost)
{
	struct journal_config cfg = {
		.dir = dir, .segment_bytes = 64 << 20, .group_ms = 1,
		.backlog_max = 100000, .warn_bytes = 2 << 20,
		.min_bytes = 1 << 20, .reserve_bytes = 512 << 10,
		.roomh = room_keep};
	struct journal *j = NULL;
	uint32_t n;

	if (mount("none", dir, "tmpfs", 0, "size=4m"))
		cr_skip_test("cannot mount a filesystem of 4 MiB");

	cr_assert(zero(int, journal_open(&j, &cfg, synced_keep, NULL)));
	cr_assert(zero(int, append(j, JOURNAL_BEGIN, 1)));
	cr_expect(zero(uint, room_seen(JOURNAL_ROOM_LOW)));

	filler(2 << 20);
	while (!room_seen(JOURNAL_ROOM_LOW))
		usleep(1000);
	cr_expect(zero(int, journal_refuses(j)));

	filler(4 << 20);
	while (!room_seen(JOURNAL_ROOM_NONE))
		usleep(1000);
	cr_expect(eq(int, append(j, JOURNAL_BEGIN, 2), ENOSPC));

	/* the reserve is used now: half of it */
	for (n = 0; n < 300; n++)
		cr_assert(zero(int, append(j, JOURNAL_END, n)));
	while (atomic_load(&synced) < 301)
		usleep(1000);
	cr_expect(eq(uint, folder_count(dir, JOURNAL_END), 300));

	filler(0);
	while (!room_seen(JOURNAL_ROOM))
		usleep(1000);
	cr_expect(zero(int, append(j, JOURNAL_BEGIN, 3)));
	journal_close(j);

	/* and it starts on a full disk, too */
	cfg.is_passing = true;
	filler(4 << 20);
	cr_assert(zero(int, journal_open(&j, &cfg, synced_keep, NULL)));
	cr_expect(zero(int, append(j, JOURNAL_BEGIN, 4)));
	journal_close(j);
	cr_expect(zero(int, umount(dir)));
}


/* Append for ever, in groups of a second; say on the pipe what was taken. */
static _Noreturn void appender(int fd)
{
	const struct journal_config cfg = {
		.dir = dir, .segment_bytes = 32768, .group_ms = 1000,
		.backlog_max = 100000, .memory_dir = "/dev/shm",
		.memory_bytes = 1 << 20};
	struct journal *j = NULL;
	uint64_t taken = 0;

	if (journal_open(&j, &cfg, NULL, NULL))
		_exit(1);
	for (;;) {
		if (append(j, JOURNAL_END, (uint32_t)taken))
			continue;
		++taken;
		if (write(fd, &taken, sizeof(taken)) < 0)
			_exit(1);
	}
}


Test(journal, what_was_appended_survives_a_kill)
{
	struct journal_config cfg = {.dir = dir, .segment_bytes = 32768,
				     .group_ms = 1, .backlog_max = 100,
				     .memory_dir = "/dev/shm"};
	struct journal *j;
	uint64_t taken, last, total = 0;
	int round, fds[2], got;
	pid_t pid;

	for (round = 0; round < 5; round++) {
		cr_assert(zero(int, pipe(fds)));
		pid = fork();
		if (!pid)
			appender(fds[1]);
		close(fds[1]);

		for (got = 0; got < 40 + 97 * round; got++)
			cr_assert(gt(int, (int)read(fds[0], &last,
						    sizeof(last)), 0));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(fds[0], &taken, sizeof(taken)) == sizeof(taken))
			last = taken;
		close(fds[0]);
		total += last;

		cr_assert(zero(int, journal_open(&j, &cfg, NULL, NULL)));
		journal_close(j);
		cr_expect(ge(u64, folder_count(dir, JOURNAL_END), total));
		cr_expect(le(u64, folder_count(dir, JOURNAL_END),
			     total + (uint64_t)round + 1));
	}
	numbers_check(1, folder_count(dir, JOURNAL_END));
}


/* Sync some records, leave three in the memory and stay. */
static _Noreturn void leaver(int fd, uint32_t synced_n)
{
	const struct journal_config cfg = {.dir = dir,
					   .segment_bytes = 1000000,
					   .group_ms = 500,
					   .backlog_max = 100,
					   .memory_dir = "/dev/shm"};
	struct journal *j;
	uint32_t n;

	if (journal_open(&j, &cfg, synced_keep, NULL))
		_exit(1);
	for (n = 0; n < synced_n; n++)
		(void)append(j, JOURNAL_END, n);
	while (synced_n && atomic_load(&synced) < appended)
		(void)usleep(1000);
	for (; n < synced_n + 3; n++)
		(void)append(j, JOURNAL_END, n);
	(void)!write(fd, "", 1);
	for (;;)
		(void)pause();
}


static void leave(uint32_t synced_n)
{
	char byte;
	int fds[2];
	pid_t pid;

	cr_assert(zero(int, pipe(fds)));
	pid = fork();
	if (!pid)
		leaver(fds[1], synced_n);
	cr_assert(eq(int, (int)read(fds[0], &byte, 1), 1));
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	(void)close(fds[0]);
	(void)close(fds[1]);
}


static unsigned ends_read(struct journal_reader *r)
{
	struct journal_record rec;
	unsigned n = 0;

	while (!journal_reader_next(r, &rec))
		n += rec.type == JOURNAL_END;

	return n;
}


/* memory_dir was changed after a kill, and changed back: what the journal took
   meanwhile stays, and what was in the memory comes behind it, where a loader
   that had read all finds it. */
Test(journal, an_old_memory_takes_no_place_of_others)
{
	const struct journal_config with = {.dir = dir,
					    .segment_bytes = 1000000,
					    .group_ms = 1,
					    .backlog_max = 100,
					    .memory_dir = "/dev/shm"};
	const struct journal_position begin = {0};
	struct journal_reader *reader = NULL;
	struct journal *j;
	unsigned total = 0;

	for (unsigned round = 0; round < 6; round++) {
		const unsigned synced_n = round % 2 ? 0 : 2;
		const unsigned between = round / 2;

		leave(synced_n);
		for (unsigned i = 0; i < between; i++) {
			j = opened(1000000, 100);
			cr_assert(zero(int, append(j, JOURNAL_END, 100 + i)));
			journal_close(j);
		}
		if (!reader)
			cr_assert(zero(int, journal_reader_alloc(&reader, dir,
								 begin)));
		total += synced_n + between;
		cr_expect(eq(uint, ends_read(reader), synced_n + between));

		cr_assert(zero(int, journal_open(&j, &with, NULL, NULL)));
		cr_assert(zero(int, append(j, JOURNAL_END, 200)));
		journal_close(j);
		total += 4;
		cr_expect(eq(sz, folder_count(dir, JOURNAL_END), total));
		cr_expect(eq(uint, ends_read(reader), 4), "%u synced, %u "
			  "between", synced_n, between);
	}
	cr_expect(zero(u64, journal_reader_at(reader).missing));
	mem_deref(reader);
}


/* Write for ever; say on the pipe what is synced. */
static _Noreturn void victim(int fd)
{
	struct journal *j = opened(32768, 100000);
	uint64_t said = 0;
	uint32_t n = 0;

	for (;;) {
		const uint64_t now = atomic_load(&synced);

		(void)append(j, JOURNAL_END, n++);
		if (now == said)
			continue;
		said = now;
		if (write(fd, &said, sizeof(said)) < 0)
			_exit(1);
	}
}


Test(journal, what_was_synced_survives_a_kill)
{
	uint64_t said, last = 0;
	int round, fds[2], got;
	pid_t pid;

	for (round = 0; round < 5; round++) {
		cr_assert(zero(int, pipe(fds)));
		pid = fork();
		if (!pid)
			victim(fds[1]);
		close(fds[1]);

		for (got = 0; got < 3 + 2 * round; got++)
			cr_assert(gt(int, (int)read(fds[0], &said,
						    sizeof(said)), 0));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		last = said;
		while (read(fds[0], &said, sizeof(said)) == sizeof(said))
			last = said;
		close(fds[0]);

		/* numbers go on: it is that of all so far */
		journal_close(opened(32768, 10));
		cr_expect(ge(u64, folder_count(dir, JOURNAL_END), last));
	}
}
