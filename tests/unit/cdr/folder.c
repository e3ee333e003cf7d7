/**
 * @file folder.c  A journal folder of a test's own, and what is in it.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <dirent.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "folder.h"
#include "segment.h"

static char folder[64];


const char *folder_make(void)
{
	snprintf(folder, sizeof(folder), "/tmp/journal-XXXXXX");
	cr_assert(ne(ptr, mkdtemp(folder), NULL));
	return folder;
}


void folder_remove(const char *dir)
{
	const struct dirent *entry;
	DIR *d = opendir(dir);
	char path[512];

	cr_assert(ne(ptr, d, NULL));
	while ((entry = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		(void)unlink(path);
	}
	closedir(d);
	cr_expect(zero(int, rmdir(dir)));
}


unsigned folder_count(const char *dir, enum journal_type type)
{
	struct segment_reader *r;
	struct journal_record rec;
	uint32_t *numbers;
	unsigned found = 0;
	size_t n, i;

	cr_assert(zero(int, segment_list(dir, &numbers, &n)));
	for (i = 0; i < n; i++) {
		cr_assert(zero(int, segment_open(&r, dir, numbers[i], 0)));
		while (0 == segment_next(r, true, &rec))
			found += rec.type == type;
		mem_deref(r);
	}
	free(numbers);

	return found;
}


struct mbuf *frame_of(enum journal_type type, const struct cdr_call *call)
{
	struct mbuf *mb = mbuf_alloc(1024);

	cr_assert(zero(int, journal_encode_call(mb, type, call)));
	return mb;
}
