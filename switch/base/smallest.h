/**
 * @file smallest.h  The few smallest of many things that are offered in any
 * order: a page of a list that nobody keeps sorted, in one walk.
 */
#ifndef SMALLEST_H
#define SMALLEST_H
#include <stddef.h>

struct smallest;

/** As strcmp(); never 0 for two different things. */
typedef int(smallest_compare_h)(const void *a, const void *b);

/**
 * @param max  how many are kept, at least 1
 * 0, EINVAL or ENOMEM. mem_deref() frees; the things are borrowed.
 */
int smallest_alloc(struct smallest **sp, size_t max, smallest_compare_h *h);

void smallest_offer(struct smallest *s, const void *item);

/** Put them in order. @return how many there are; offer no more. */
size_t smallest_sort(struct smallest *s);
const void *smallest_at(const struct smallest *s, size_t i);

#endif
