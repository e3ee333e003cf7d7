/** @file huge.c  See huge.h. */
#include <stdlib.h>
#include <sys/mman.h>
#include "huge.h"

#define PAGE ((size_t)2 << 20)


void *huge_alloc(size_t bytes)
{
	void *table;

	if (bytes < PAGE / 2)
		return malloc(bytes);

	bytes = (bytes + PAGE - 1) / PAGE * PAGE;
	table = aligned_alloc(PAGE, bytes);
	if (table)
		(void)madvise(table, bytes, MADV_HUGEPAGE);

	return table;
}
