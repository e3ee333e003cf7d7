/**
 * @file segment.c  Journal segments on disk. A reader holds a window of the
 * file, so that a segment that still grows can be followed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "segment.h"
#include "text.h"

#define PATH_SIZE 512
#define NAME_SIZE 16 /* "00000001.journal" */
#define WINDOW (4 * JOURNAL_FRAME_MAX)

struct segment_reader {
	int fd;
	uint32_t number;
	uint64_t offset;      /* of the next record in the file */
	uint64_t damaged;
	uint64_t window_at;   /* offset of window[0] in the file */
	size_t window_len;
	uint8_t window[WINDOW];
};


int segment_path(char *buf, size_t size, const char *dir, uint32_t number)
{
	return text_format(buf, size, "%s/%08u.journal", dir, number);
}


/* 0: no segment */
static uint32_t name_number(const char *name)
{
	uint64_t number;

	if (strlen(name) != NAME_SIZE || strcmp(name + 8, ".journal") ||
	    text_u64(&number, name, 8, 99999999))
		return 0;

	return (uint32_t)number;
}


static int number_compare(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}


int segment_list(const char *dir, uint32_t **ret_numbers, size_t *ret_n)
{
	uint32_t *numbers = NULL;
	const struct dirent *entry;
	size_t n = 0, size = 0;
	DIR *d = opendir(dir);
	int err = 0;

	if (!d)
		return errno;

	while (!err && (entry = readdir(d))) {
		const uint32_t number = name_number(entry->d_name);

		if (!number)
			continue;
		if (n == size) {
			uint32_t *more;

			size = size ? 2 * size : 16;
			more = realloc(numbers, size * sizeof(*numbers));
			if (!more) {
				err = ENOMEM;
				continue;
			}
			numbers = more;
		}
		numbers[n++] = number;
	}
	closedir(d);

	if (err) {
		free(numbers);
		return err;
	}

	if (n)
		qsort(numbers, n, sizeof(*numbers), number_compare);
	*ret_numbers = numbers;
	*ret_n = n;
	return 0;
}


uint64_t segment_size(const char *dir, uint32_t number)
{
	char path[PATH_SIZE];
	struct stat st;

	if (segment_path(path, sizeof(path), dir, number) || stat(path, &st))
		return 0;

	return (uint64_t)st.st_size;
}


int segment_sync_dir(const char *dir)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (fsync(fd))
		err = errno;
	close(fd);

	return err;
}


static void reader_destructor(void *arg)
{
	struct segment_reader *r = arg;

	if (r->fd >= 0)
		close(r->fd);
}


int segment_open(struct segment_reader **rp, const char *dir, uint32_t number,
		 uint64_t offset)
{
	struct segment_reader *r;
	char path[PATH_SIZE];
	int err;

	err = segment_path(path, sizeof(path), dir, number);
	if (err)
		return err;

	r = mem_zalloc(sizeof(*r), reader_destructor);
	if (!r)
		return ENOMEM;

	r->number = number;
	r->offset = r->window_at = offset;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0) {
		err = errno;
		mem_deref(r);
		return err;
	}

	*rp = r;
	return 0;
}


static size_t window_left(const struct segment_reader *r, uint64_t at)
{
	return r->window_len - (size_t)(at - r->window_at);
}


/* Have a whole frame at an offset in the window, or all that the file has. */
static int window_fill(struct segment_reader *r, uint64_t at)
{
	const size_t used = (size_t)(at - r->window_at);
	ssize_t got;

	if (window_left(r, at) >= JOURNAL_FRAME_MAX)
		return 0;

	memmove(r->window, r->window + used, r->window_len - used);
	r->window_len -= used;
	r->window_at = at;

	do {
		got = pread(r->fd, r->window + r->window_len,
			    WINDOW - r->window_len,
			    (off_t)(at + r->window_len));
		if (got < 0 && errno != EINTR)
			return errno;
		if (got > 0)
			r->window_len += (size_t)got;
	} while (got < 0 || (got > 0 && r->window_len < WINDOW));

	return 0;
}


/* The record at an offset, if there is one. */
static int record_at(struct segment_reader *r, uint64_t at,
		     struct journal_record *ret)
{
	int err = window_fill(r, at);

	if (err)
		return err;

	return journal_frame(r->window + (at - r->window_at),
			     window_left(r, at), ret);
}


/* Look for a record behind damage, byte by byte. */
static int damage_pass(struct segment_reader *r, struct journal_record *ret)
{
	uint64_t at = r->offset;
	int err;

	do {
		if (!window_left(r, at++)) {
			err = ENODATA;
			break;
		}
		err = record_at(r, at, ret);
	} while (err == ENODATA || err == EBADMSG);

	if (err == ENODATA) {
		/* what is there now may be half written: look again later */
		r->window_at = r->offset;
		r->window_len = 0;
	}
	if (err)
		return err;

	r->damaged += at - r->offset;
	r->offset = at;
	return 0;
}


int segment_next(struct segment_reader *r, bool is_final,
		 struct journal_record *ret)
{
	int err = record_at(r, r->offset, ret);

	/* what a damaged length reaches beyond the end is not a torn tail
	 * when records follow */
	if (err == EBADMSG || (err == ENODATA && is_final))
		err = damage_pass(r, ret);
	if (!err)
		r->offset += ret->frame_len;

	return err;
}


uint32_t segment_number(const struct segment_reader *r)
{
	return r->number;
}


uint64_t segment_offset(const struct segment_reader *r)
{
	return r->offset;
}


uint64_t segment_damaged(const struct segment_reader *r)
{
	return r->damaged;
}
