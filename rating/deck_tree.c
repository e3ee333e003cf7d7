/** @file deck_tree.c  See deck_tree.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "deck_tree.h"
#include "huge.h"

#define NODES_MAX INT32_MAX
#define OWN 0x8000   /* of leaves: the node's own prefix has rows         */
#define SEVERAL 0x4000 /* of leaves: some prefix has more than one row    */

/** What a build walks over. */
struct source {
	struct deck_tree *t;
	deck_prefix_h *h;
	const void *rows;
	uint32_t *order;
	uint32_t placed;
};

/** Rows that share their first digits */
struct range {
	size_t lo, hi;
};


/* Of ten bits; the instruction for it is not on every machine */
static unsigned bits_count(unsigned x)
{
	x -= x >> 1 & 0x155;
	x = (x & 0x333) + (x >> 2 & 0x333);

	return (x + (x >> 4) + (x >> 8)) & 15;
}


static int nodes_add(struct deck_tree *t, size_t n, uint32_t *ret_first)
{
	while (t->n + n > t->size) {
		const size_t size = t->size ? 2 * t->size : 64;
		struct deck_node *nodes;

		if (size > NODES_MAX)
			return ENOMEM;
		nodes = realloc(t->nodes, size * sizeof(*nodes));
		if (!nodes)
			return ENOMEM;
		t->nodes = nodes;
		t->size = size;
	}

	memset(&t->nodes[t->n], 0, n * sizeof(*t->nodes));
	*ret_first = (uint32_t)t->n;
	t->n += n;

	return 0;
}


/* @return flags of the node whose prefix this is */
static uint16_t rows_place(struct source *s, struct range r)
{
	for (size_t i = r.lo; i < r.hi; i++)
		s->order[s->placed++] = (uint32_t)i;

	return r.hi - r.lo > 1 ? SEVERAL : 0;
}


/* Where those of r end whose prefix has depth digits and no more */
static size_t range_end(const struct source *s, struct range r, size_t depth)
{
	while (r.lo < r.hi && !s->h(s->rows, r.lo)[depth])
		++r.lo;

	return r.lo;
}


static struct range digit_range(const struct source *s, struct range r,
				size_t depth)
{
	const char digit = s->h(s->rows, r.lo)[depth];
	struct range ret = {r.lo, r.lo + 1};

	while (ret.hi < r.hi && s->h(s->rows, ret.hi)[depth] == digit)
		++ret.hi;

	return ret;
}


/* Rows of r share their first depth digits. The recursion is as deep as a
   prefix is long. */
static int node_build(struct source *s, uint32_t at, struct range r,
		      size_t depth)
{
	const struct range own = {r.lo, range_end(s, r, depth)};
	struct deck_node node = {.first_row = s->placed};
	struct range below[10];
	size_t n = 0;
	int err;

	if (own.hi > own.lo)
		node.leaves = (uint16_t)(OWN | rows_place(s, own));

	for (r.lo = own.hi; r.lo < r.hi;) {
		const struct range d = digit_range(s, r, depth);
		const int digit = s->h(s->rows, r.lo)[depth] - '0';

		r.lo = d.hi;
		if (range_end(s, d, depth + 1) == d.hi) {
			node.leaves |= (uint16_t)(1 << digit |
						  rows_place(s, d));
		}
		else {
			node.nodes |= (uint16_t)(1 << digit);
			below[n++] = d;
		}
	}

	err = nodes_add(s->t, n, &node.first_node);
	if (err)
		return err;
	s->t->nodes[at] = node;

	for (size_t i = 0; i < n && !err; i++)
		err = node_build(s, node.first_node + (uint32_t)i, below[i],
				 depth + 1);

	return err;
}


/* Into memory of just the size it needs */
static int fit(struct deck_tree *t)
{
	struct deck_node *nodes = huge_alloc(t->n * sizeof(*nodes));

	if (!nodes)
		return ENOMEM;

	memcpy(nodes, t->nodes, t->n * sizeof(*nodes));
	free(t->nodes);
	t->nodes = nodes;
	t->size = t->n;

	return 0;
}


int deck_tree_build(struct deck_tree *t, deck_prefix_h *h, const void *rows,
		    size_t n, uint32_t *order)
{
	struct source s = {.t = t, .h = h, .rows = rows, .order = order};
	uint32_t root;
	int err = nodes_add(t, 1, &root);

	if (!err)
		err = node_build(&s, root, (struct range){0, n}, 0);

	return err ? err : fit(t);
}


void deck_tree_clear(struct deck_tree *t)
{
	free(t->nodes);
	memset(t, 0, sizeof(*t));
}


static struct deck_hit own_hit(const struct deck_node *node, unsigned depth)
{
	return (struct deck_hit){node->first_row, 0, (uint8_t)depth};
}


/* When each prefix has one row, that of the leaf is known without a look at
   those before it. */
static struct deck_hit leaf_hit(const struct deck_node *node, unsigned depth,
				unsigned digit)
{
	const unsigned before = bits_count(node->leaves & ((1u << digit) - 1)) +
				!!(node->leaves & OWN);
	struct deck_hit hit = {node->first_row, 0, (uint8_t)(depth + 1)};

	if (node->leaves & SEVERAL)
		hit.skip = (uint8_t)before;
	else
		hit.row += before;

	return hit;
}


/* A digit down; what the next step reads is asked for.
   @param digit  above 9: the number is over
   @return does it go on? */
static bool step(struct deck_walk *w, unsigned depth, unsigned digit)
{
	const struct deck_node *node = &w->tree->nodes[w->node];

	if (node->leaves & OWN)
		w->hits[w->n++] = own_hit(node, depth);
	if (digit > 9)
		return false;

	if (node->nodes >> digit & 1) {
		w->node = node->first_node +
			  bits_count(node->nodes & ((1u << digit) - 1));
		__builtin_prefetch(&w->tree->nodes[w->node]);
		return true;
	}
	if (node->leaves >> digit & 1)
		w->hits[w->n++] = leaf_hit(node, depth, digit);

	return false;
}


void deck_walk(struct deck_walk *w, const char *number)
{
	unsigned depth = 0;

	w->node = 0;
	w->n = 0;
	if (!w->tree)
		return;

	while (step(w, depth, (unsigned)number[depth] - '0'))
		++depth;
}


void deck_walk_all(struct deck_walk *w, size_t n, const char *number)
{
	uint8_t active[DECK_WALKS_MAX];
	size_t left = 0;

	for (size_t i = 0; i < n; i++) {
		w[i].node = 0;
		w[i].n = 0;
		if (w[i].tree)
			active[left++] = (uint8_t)i;
	}

	for (unsigned depth = 0; left; depth++) {
		const unsigned digit = (unsigned)number[depth] - '0';
		size_t kept = 0;

		for (size_t k = 0; k < left; k++) {
			active[kept] = active[k];
			kept += step(&w[active[k]], depth, digit);
		}
		left = kept;
	}
}


/** All prefixes, while they are told. */
struct tour {
	const struct deck_tree *t;
	deck_tree_h *h;
	void *arg;
	char prefix[DECK_TREE_HITS_MAX];
};


static int hit_tell(struct tour *tour, struct deck_hit hit)
{
	tour->prefix[hit.digits] = '\0';

	return tour->h(tour->prefix, &hit, tour->arg);
}


static int node_tell(struct tour *tour, uint32_t at, unsigned depth)
{
	const struct deck_node *node = &tour->t->nodes[at];
	uint32_t below = node->first_node;
	int err = 0;

	if (node->leaves & OWN)
		err = hit_tell(tour, own_hit(node, depth));
	for (unsigned d = 0; d < 10 && !err; d++) {
		tour->prefix[depth] = (char)('0' + d);
		if (node->leaves >> d & 1)
			err = hit_tell(tour, leaf_hit(node, depth, d));
		else if (node->nodes >> d & 1)
			err = node_tell(tour, below++, depth + 1);
	}

	return err;
}


int deck_tree_each(const struct deck_tree *t, deck_tree_h *h, void *arg)
{
	struct tour tour = {.t = t, .h = h, .arg = arg};

	return node_tell(&tour, 0, 0);
}
