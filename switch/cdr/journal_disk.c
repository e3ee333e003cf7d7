/**
 * @file journal_disk.c  Writes groups into segments. Nobody else writes, so
 * that a group that failed is written again at the same place.
 */
#include <errno.h>
#include <fcntl.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "journal.h"
#include "journal_disk.h"
#include "moment.h"
#include "segment.h"
#include "text.h"

#define PATH_SIZE 512
#define HEAD_ROOM 64

struct journal_disk {
	char dir[PATH_SIZE], id[JOURNAL_ID_SIZE];
	size_t segment_bytes;
	int lock_fd;
	int fd;                /* of the segment, -1: none */
	uint32_t number;       /* of the segment, or of the last one */
	uint64_t size;         /* synced bytes of it */
	struct mbuf *head;     /* scratch: what a segment begins with */
};


static void destructor(void *arg)
{
	struct journal_disk *d = arg;

	if (d->fd >= 0)
		close(d->fd);
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	mem_deref(d->head);
}


/* The lock file holds the id, so that nobody takes a copy for the journal. */
static int id_read(struct journal_disk *d)
{
	uint8_t bytes[(JOURNAL_ID_SIZE - 1) / 2];
	ssize_t n;

	n = pread(d->lock_fd, d->id, sizeof(d->id) - 1, 0);
	if (n == sizeof(d->id) - 1 &&
	    !text_unhex(bytes, sizeof(bytes), d->id))
		return 0;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return errno;
	text_hex(d->id, bytes, sizeof(bytes));
	if (pwrite(d->lock_fd, d->id, sizeof(d->id) - 1, 0) < 0)
		return errno;

	return 0;
}


static int dir_lock(struct journal_disk *d)
{
	char path[PATH_SIZE];
	int err;

	if (mkdir(d->dir, 0750) && errno != EEXIST)
		return errno;

	err = text_format(path, sizeof(path), "%s/lock", d->dir);
	if (err)
		return err;

	d->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
	if (d->lock_fd < 0 || flock(d->lock_fd, LOCK_EX | LOCK_NB))
		return errno;

	return id_read(d);
}


int journal_disk_open(struct journal_disk **dp, const char *dir,
		      size_t segment_bytes)
{
	struct journal_disk *d = mem_zalloc(sizeof(*d), destructor);
	int err;

	if (!d)
		return ENOMEM;

	d->fd = d->lock_fd = -1;
	d->segment_bytes = segment_bytes;
	d->head = mbuf_alloc(HEAD_ROOM);
	err = d->head ? text_copy(d->dir, sizeof(d->dir), dir) : ENOMEM;
	if (!err)
		err = dir_lock(d);

	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}


const char *journal_disk_dir(const struct journal_disk *d)
{
	return d->dir;
}


const char *journal_disk_id(const struct journal_disk *d)
{
	return d->id;
}


void journal_disk_place(const struct journal_disk *d, uint64_t *ret_segment,
			uint64_t *ret_offset)
{
	*ret_segment = d->number;
	*ret_offset = d->size;
}


void journal_disk_follow(struct journal_disk *d, uint32_t segment)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	d->number = segment;
	d->size = 0;
}


int journal_disk_resume(struct journal_disk *d, uint32_t segment,
			uint64_t offset)
{
	char path[PATH_SIZE];
	int fd, err;

	err = segment_path(path, sizeof(path), d->dir, segment);
	if (err)
		return err;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	/* a segment that lost more than that has nothing to go on from */
	if (segment_size(d->dir, segment) < offset)
		err = ENOENT;
	else if (ftruncate(fd, (off_t)offset))
		err = errno;
	if (err) {
		close(fd);
		return err;
	}

	journal_disk_follow(d, segment);
	d->fd = fd;
	d->size = offset;
	return 0;
}


static int bytes_write(int fd, const uint8_t *p, size_t len, uint64_t at)
{
	while (len) {
		const ssize_t n = pwrite(fd, p, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;

		p += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}

	return 0;
}


/* It may be there: begun when the folder could not be synced, or by a process
   that was killed before it had told so. */
static int segment_create(struct journal_disk *d)
{
	char path[PATH_SIZE];
	int fd, err;

	err = segment_path(path, sizeof(path), d->dir, d->number + 1);
	if (err)
		return err;

	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;

	err = segment_sync_dir(d->dir);
	if (err) {
		close(fd);
		return err;
	}

	if (d->fd >= 0)
		close(d->fd);
	d->fd = fd;
	++d->number;
	d->size = 0;
	return 0;
}


static int head_encode(struct journal_disk *d, uint64_t number)
{
	struct journal_segment head = {.number = (int64_t)number};
	struct moment now;

	moment_read(&now);
	head.wall_ms = moment_wall_ms(&now);
	mbuf_rewind(d->head);
	return journal_encode_segment(d->head, &head);
}


/*
 * After a failed sync the kernel may take pages for clean that never reached
 * the disk: the whole group is written again, not only synced again.
 */
int journal_disk_write(struct journal_disk *d, const struct iovec *parts,
		       unsigned n, uint64_t number)
{
	uint64_t at;
	int err;

	if (d->fd < 0 || d->size >= d->segment_bytes) {
		err = segment_create(d);
		if (err)
			return err;
	}

	at = d->size;
	if (!at) {
		err = head_encode(d, number);
		if (!err)
			err = bytes_write(d->fd, d->head->buf, d->head->end,
					  at);
		if (err)
			return err;
		at += d->head->end;
	}

	for (unsigned i = 0; i < n; i++) {
		err = bytes_write(d->fd, parts[i].iov_base, parts[i].iov_len,
				  at);
		if (err)
			return err;
		at += parts[i].iov_len;
	}

	if (fdatasync(d->fd))
		return errno;

	d->size = at;
	return 0;
}


uint64_t journal_disk_free(const struct journal_disk *d)
{
	struct statvfs fs;

	if (statvfs(d->dir, &fs))
		return UINT64_MAX;

	return (uint64_t)fs.f_bavail * fs.f_frsize;
}


int journal_disk_reserve(struct journal_disk *d, uint64_t bytes)
{
	char path[PATH_SIZE];
	int fd, err;

	err = text_format(path, sizeof(path), "%s/reserve", d->dir);
	if (err)
		return err;
	if (!bytes)
		return unlink(path) && errno != ENOENT ? errno : 0;

	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);
	if (fd < 0)
		return errno;
	/* not posix_fallocate(): where the filesystem cannot, that writes */
	if (fallocate(fd, 0, 0, (off_t)bytes))
		err = errno;
	close(fd);
	if (err)
		(void)unlink(path);

	return err;
}
