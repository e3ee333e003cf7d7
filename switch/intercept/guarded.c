/** @file guarded.c  See guarded.h. */
#include <openssl/crypto.h>
#include <sys/mman.h>
#include "guarded.h"


void *guarded_alloc(size_t size, bool is_locked)
{
	/* not mlock(): the sanitizers make nothing of it */
	const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE |
			  (is_locked ? MAP_LOCKED : 0);
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, -1, 0);

	if (p == MAP_FAILED)
		return NULL;

	if (madvise(p, size, MADV_DONTDUMP) ||
	    madvise(p, size, MADV_WIPEONFORK)) {
		(void)munmap(p, size);
		return NULL;
	}

	return p;
}


void guarded_free(void *p, size_t size)
{
	if (!p)
		return;

	OPENSSL_cleanse(p, size);
	(void)munmap(p, size);
}
