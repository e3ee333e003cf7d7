/**
 * @file smallest.c  A heap of bounded size whose root is the largest that is
 * kept: most of what is offered costs one comparison.
 */
#include <errno.h>
#include <re.h>
#include "smallest.h"

struct smallest {
	smallest_compare_h *h;
	size_t max, n;
	const void *items[];
};


int smallest_alloc(struct smallest **sp, size_t max, smallest_compare_h *h)
{
	struct smallest *s;

	if (!sp || !max || !h)
		return EINVAL;

	s = mem_zalloc(sizeof(*s) + max * sizeof(s->items[0]), NULL);
	if (!s)
		return ENOMEM;

	s->h = h;
	s->max = max;
	*sp = s;

	return 0;
}


static void swap(struct smallest *s, size_t a, size_t b)
{
	const void *item = s->items[a];

	s->items[a] = s->items[b];
	s->items[b] = item;
}


static bool is_larger(const struct smallest *s, size_t a, size_t b)
{
	return s->h(s->items[a], s->items[b]) > 0;
}


static void lift(struct smallest *s, size_t i)
{
	for (; i && is_larger(s, i, (i - 1) / 2); i = (i - 1) / 2)
		swap(s, i, (i - 1) / 2);
}


/* The first n are a heap, but for the root */
static void sink(struct smallest *s, size_t n)
{
	size_t i = 0;

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			return;
		if (child + 1 < n && is_larger(s, child + 1, child))
			++child;
		if (!is_larger(s, child, i))
			return;
		swap(s, i, child);
		i = child;
	}
}


void smallest_offer(struct smallest *s, const void *item)
{
	if (s->n < s->max) {
		s->items[s->n] = item;
		lift(s, s->n++);
	}
	else if (s->h(item, s->items[0]) < 0) {
		s->items[0] = item;
		sink(s, s->n);
	}
}


size_t smallest_sort(struct smallest *s)
{
	for (size_t left = s->n; left > 1; left--) {
		swap(s, 0, left - 1);
		sink(s, left - 1);
	}

	return s->n;
}


const void *smallest_at(const struct smallest *s, size_t i)
{
	return i < s->n ? s->items[i] : NULL;
}
