/**
 * @file guarded.h  Memory of which a core dump shows nothing. Whatever says
 * who is intercepted, or what was copied, lives here and nowhere else.
 */
#ifndef GUARDED_H
#define GUARDED_H
#include <stdbool.h>
#include <stddef.h>

/**
 * @param is_locked  never in swap either; else only its pages are there
 * @return zeroed and present, or NULL (errno: ENOMEM, EAGAIN, EPERM: the limit
 *         of locked memory)
 */
void *guarded_alloc(size_t size, bool is_locked);

/** Wiped before it goes. NULL is fine. */
void guarded_free(void *p, size_t size);

#endif
