/** @file prefix_tree.c  See prefix_tree.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "prefix_tree.h"

#define NODES_MAX INT32_MAX

/** What a build walks over. */
struct source {
	struct prefix_tree *t;
	prefix_h *h;
	const void *rows;
};


static int node_add(struct prefix_tree *t, int32_t *ret_node)
{
	if (t->n == t->size) {
		size_t size = t->size ? 2 * t->size : 64;
		struct prefix_node *nodes;

		if (size > NODES_MAX)
			return ENOMEM;
		nodes = realloc(t->nodes, size * sizeof(*nodes));
		if (!nodes)
			return ENOMEM;
		t->nodes = nodes;
		t->size = size;
	}

	memset(&t->nodes[t->n], 0, sizeof(*t->nodes));
	*ret_node = (int32_t)t->n++;
	return 0;
}


static int node_build(const struct source *s, size_t lo, size_t hi,
		      size_t depth, int32_t *ret_link);


/* Give each digit at depth its rows of lo..hi, all longer than depth. */
static int links_build(const struct source *s, int32_t node, size_t lo,
		       size_t hi, size_t depth)
{
	while (lo < hi) {
		const char digit = s->h(s->rows, lo)[depth];
		size_t end = lo + 1;
		int32_t link;
		int err;

		while (end < hi && s->h(s->rows, end)[depth] == digit)
			++end;

		err = node_build(s, lo, end, depth + 1, &link);
		if (err)
			return err;

		s->t->nodes[node].links[digit - '0'] = link;
		lo = end;
	}

	return 0;
}


/*
 * Rows lo..hi share their first depth digits; those with no more digits stand
 * first. The recursion is as deep as a prefix is long.
 */
static int node_build(const struct source *s, size_t lo, size_t hi,
		      size_t depth, int32_t *ret_link)
{
	const int32_t first = (int32_t)lo;
	size_t longer = lo;
	int32_t node;
	int err;

	while (longer < hi && !s->h(s->rows, longer)[depth])
		++longer;

	if (longer == hi && depth) {
		*ret_link = -first - 1;
		return 0;
	}

	err = node_add(s->t, &node);
	if (err)
		return err;

	if (longer > lo)
		s->t->nodes[node].rows = first + 1;

	err = links_build(s, node, longer, hi, depth);
	if (err)
		return err;

	*ret_link = node;
	return 0;
}


int prefix_tree_add(struct prefix_tree *t, prefix_h *h, const void *rows,
		    size_t lo, size_t hi, int32_t *ret_root)
{
	const struct source s = {t, h, rows};
	const size_t before = t->n;
	int err;

	/* at depth 0 there is always a node, so that 0 is no node's link */
	err = node_build(&s, lo, hi, 0, ret_root);
	if (err)
		t->n = before;

	return err;
}


size_t prefix_tree_find(const struct prefix_tree *t, int32_t root,
			const char *digits,
			int32_t found[PREFIX_DIGITS_MAX + 2])
{
	int32_t link = root;
	size_t n = 0;

	do {
		const struct prefix_node *node = &t->nodes[link];
		const unsigned digit = (unsigned)*digits - '0';

		if (node->rows)
			found[n++] = node->rows;
		if (digit > 9)
			return n;

		link = node->links[digit];
		++digits;
	} while (link > 0);

	if (link < 0)
		found[n++] = -link;

	return n;
}


void prefix_tree_clear(struct prefix_tree *t)
{
	free(t->nodes);
	memset(t, 0, sizeof(*t));
}
