/**
 * @file spool.c  A ring in a mapped file of a tmpfs. Positions only grow; the
 * place of a position in the ring is its remainder. A kill can come between
 * any two stores: what was put counts once the head has moved, and what was
 * taken once the index of the place has.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <re.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include "spool.h"
#include "text.h"

#define PATH_SIZE 512
#define PAGE 4096

static const char magic[8] = "swspool1";

struct taken {
	uint64_t end;
	struct spool_place place;
};

/* The first page of the file. */
struct head {
	char magic[8];
	uint64_t bytes;             /* of the ring behind this page */
	_Atomic uint64_t end;
	_Atomic uint32_t which;     /* of taken counts */
	struct taken taken[2];
};

struct spool {
	struct head *head;
	uint8_t *ring;
	size_t mapped;
	bool is_kept;
	char path[PATH_SIZE];
};


static void destructor(void *arg)
{
	struct spool *s = arg;

	if (s->head)
		(void)munmap(s->head, s->mapped);
}


static int spool_alloc(struct spool **sp, const char *dir, const char *id)
{
	struct spool *s = mem_zalloc(sizeof(*s), destructor);

	if (!s)
		return ENOMEM;
	if (dir && text_format(s->path, sizeof(s->path), "%s/strowger-%s", dir,
			       id)) {
		mem_deref(s);
		return EINVAL;
	}

	*sp = s;
	return 0;
}


static int map(struct spool *s, int fd, size_t bytes)
{
	const size_t len = PAGE + bytes;
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE,
		       fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd,
		       0);

	if (p == MAP_FAILED)
		return ENOMEM;

	s->head = p;
	s->ring = (uint8_t *)p + PAGE;
	s->mapped = len;
	s->is_kept = fd >= 0;
	return 0;
}


/* On a disk it could be there after a power failure, older than the journal. */
static bool is_tmpfs(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && (uint64_t)fs.f_type == TMPFS_MAGIC;
}


/* @return an open file with room for all, or -1 */
static int file_make(const struct spool *s, size_t bytes, int *err)
{
	const int fd = open(s->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC |
			    O_NOFOLLOW, 0600);

	*err = fd < 0 ? errno : 0;
	if (fd < 0)
		return -1;

	/* a page that the tmpfs has no room for would end the process when
	 * it is first written to */
	if (is_tmpfs(fd) && !posix_fallocate(fd, 0, (off_t)(PAGE + bytes)))
		return fd;

	(void)unlink(s->path);
	close(fd);
	return -1;
}


int spool_make(struct spool **sp, const char *dir, const char *id,
	       size_t bytes, struct spool_place place)
{
	struct spool *s;
	int fd = -1, err;

	err = spool_alloc(&s, dir, id);
	if (err)
		return err;

	if (dir)
		fd = file_make(s, bytes, &err);
	if (err != EEXIST)
		err = map(s, fd, bytes);
	if (fd >= 0)
		close(fd);
	if (err) {
		mem_deref(s);
		return err;
	}

	s->head->bytes = bytes;
	s->head->taken[0].place = place;
	atomic_thread_fence(memory_order_release);
	memcpy(s->head->magic, magic, sizeof(magic));
	*sp = s;
	return 0;
}


static bool is_sound(const struct spool *s)
{
	const struct head *h = s->head;
	const uint32_t which = atomic_load(&h->which);
	uint64_t end, taken;

	if (memcmp(h->magic, magic, sizeof(magic)) || which > 1 ||
	    h->bytes != s->mapped - PAGE)
		return false;

	end = atomic_load(&h->end);
	taken = h->taken[which].end;
	return taken <= end && end - taken <= h->bytes;
}


int spool_find(struct spool **sp, const char *dir, const char *id)
{
	struct spool *s;
	struct stat st;
	int fd, err;

	err = spool_alloc(&s, dir, id);
	if (err)
		return err;

	fd = open(s->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) || st.st_uid != geteuid() ||
	    !is_tmpfs(fd)) {
		err = ENOENT;
	}
	else if (st.st_size <= PAGE) {
		/* killed before it had room */
		(void)unlink(s->path);
		err = ENOENT;
	}
	if (!err)
		err = map(s, fd, (size_t)st.st_size - PAGE);
	if (fd >= 0)
		close(fd);
	if (!err && !is_sound(s)) {
		/* killed while it was made: nothing had been put */
		spool_remove(s);
		err = ENOENT;
	}

	if (err)
		mem_deref(s);
	else
		*sp = s;
	return err;
}


bool spool_is_kept(const struct spool *s)
{
	return s->is_kept;
}


static const struct taken *taken(const struct spool *s)
{
	return &s->head->taken[atomic_load(&s->head->which)];
}


static void ring_copy(struct spool *s, uint64_t at, const uint8_t *p,
		      size_t len)
{
	const size_t begin = at % s->head->bytes;
	const size_t first = len < s->head->bytes - begin
				     ? len : s->head->bytes - begin;

	memcpy(s->ring + begin, p, first);
	memcpy(s->ring, p + first, len - first);
}


int spool_put(struct spool *s, const struct iovec *parts, unsigned n)
{
	const uint64_t end = spool_end(s);
	uint64_t at = end;
	size_t len = 0;

	for (unsigned i = 0; i < n; i++)
		len += parts[i].iov_len;
	if (len > s->head->bytes - (end - taken(s)->end))
		return ENOBUFS;

	for (unsigned i = 0; i < n; i++) {
		ring_copy(s, at, parts[i].iov_base, parts[i].iov_len);
		at += parts[i].iov_len;
	}
	atomic_store(&s->head->end, at);
	return 0;
}


uint64_t spool_end(const struct spool *s)
{
	return atomic_load(&s->head->end);
}


size_t spool_read(const struct spool *s, uint64_t end, struct iovec ret[2])
{
	const uint64_t from = taken(s)->end;
	const size_t len = (size_t)(end - from);
	const size_t begin = from % s->head->bytes;
	const size_t first = len < s->head->bytes - begin
				     ? len : s->head->bytes - begin;

	ret[0] = (struct iovec){s->ring + begin, first};
	ret[1] = (struct iovec){s->ring, len - first};
	return len;
}


struct spool_place spool_place(const struct spool *s)
{
	return taken(s)->place;
}


void spool_done(struct spool *s, uint64_t end, struct spool_place place)
{
	const uint32_t other = 1 - atomic_load(&s->head->which);

	s->head->taken[other].end = end;
	s->head->taken[other].place = place;
	atomic_store(&s->head->which, other);
}


void spool_remove(struct spool *s)
{
	if (s->is_kept)
		(void)unlink(s->path);
	s->is_kept = false;
}
