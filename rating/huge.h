/**
 * @file huge.h  Memory that is read at random: in huge pages where the system
 * gives them, since a lookup would wait for page tables as long as for the
 * data.
 */
#ifndef HUGE_H
#define HUGE_H
#include <stddef.h>

/** @return bytes for free(), or NULL */
void *huge_alloc(size_t bytes);

#endif
